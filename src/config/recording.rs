//! `[recording]`: where conversations are kept, for how long, and how much of the disk they leave. Not here: recording them
//! (`media::recording`).

use super::reader::Section;
use super::sections::{days, set};
use super::settings::{CoreSettings, RecordingSettings, WorldSettings};

/// Off unless a directory is named.
pub(super) fn recording(section: Section<'_>, core: &mut CoreSettings, world: &mut WorldSettings) {
    let directory = section.string("directory");
    let (keep, free) = (days(&section, "keep"), section.number("free_space_mb", 0..=100_000_000));
    if section.line > 0 && directory.is_none() && !section.has("directory") {
        section.missing("directory", "\"/var/lib/rexian/recordings\"");
    }
    if let Some(directory) = directory {
        if directory.value.is_empty() {
            section.file.problem(
                directory.line,
                "directory in [recording] is empty",
                "name a folder, or remove [recording]",
            );
        }
        let mut settings = RecordingSettings::new(directory.value);
        set(&mut settings.keep_days, keep);
        if let Some(megabytes) = free {
            settings.free_space = u64::from(megabytes.value) << 20;
        }
        (core.recording, world.recording) = (true, Some(settings));
    }
    section.done();
}
