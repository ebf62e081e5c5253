//! `[recording]`: off unless a folder is named.

use super::{Folder, GOOD, broken};
use rexian::config::settings::RecordingSettings;
use rexian::config::{load, report};

#[test]
fn conversations_are_recorded_where_a_folder_is_named() {
    let folder = Folder::new();
    let read = |text: &str| {
        let settings = load(&folder.write("rexian.toml", GOOD.to_owned() + text));
        let settings = settings.unwrap_or_else(|p| panic!("{}", report(&p)));
        (settings.core.recording, settings.world.recording)
    };
    assert_eq!(read(""), (false, None));
    assert_eq!(read("[recording]\ndirectory = \"calls\"\n"), (true, Some(RecordingSettings::new("calls"))));
    let all = RecordingSettings { keep_days: 400, free_space: 5 << 20, ..RecordingSettings::new("calls") };
    assert_eq!(read("[recording]\ndirectory = \"calls\"\nkeep = \"400d\"\nfree_space_mb = 5\n"), (true, Some(all)));
}

#[test]
fn what_cannot_be_meant() {
    broken(
        &[("", "[recording]\nkeep = \"half a year\"\ndirectory = \"\"\nfree = 3\n")],
        &[
            "19: keep = \"half a year\" in [recording] is not a number of days | write it as \"400d\", at most \"3660d\"",
            "20: directory in [recording] is empty | name a folder, or remove [recording]",
            "21: unknown key free in [recording] | remove it; known here: directory, keep, free_space_mb",
        ],
    );
    let missing = "18: [recording] has no directory | add directory = \"/var/lib/rexian/recordings\"";
    broken(&[("", "[recording]\nkeep = \"90d\"\n")], &[missing]);
}
