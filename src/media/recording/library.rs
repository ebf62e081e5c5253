//! Where recordings lie: a folder a day (China's date), in it each as `<call>-<segment>.wav` with a `.json` that says what it is.
//! Belongs here: paths, finding, what has still to be told to the tickets. Not here: making them (`writer`, `keeper`).

use crate::casework::Day;
use crate::ids::CallId;
use crate::plane::recording::{MOST_SEGMENTS, Recording, RecordingName};
use crate::time::Instant;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Being written.
pub(super) const PART: &str = "wav.part";
/// Names of recordings whose ticket does not know of them yet.
const UNTOLD: &str = "untold";

#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

/// A recording that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub name: RecordingName,
    pub recording: Recording,
    pub path: PathBuf,
}

impl Library {
    /// Makes the folder if it is not there.
    pub fn open(folder: &Path) -> io::Result<Library> {
        fs::create_dir_all(folder.join(UNTOLD))?;
        Ok(Library { folder: folder.to_owned() })
    }

    /// For who only looks.
    pub fn at(folder: &Path) -> Library {
        Library { folder: folder.to_owned() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where one that begins now is written; the day's folder is made.
    pub(super) fn place(&self, name: RecordingName, begun: Instant) -> io::Result<PathBuf> {
        let folder = self.folder.join(Day::of(begun).0.to_string());
        fs::create_dir_all(&folder)?;
        Ok(folder.join(format!("{name}.{PART}")))
    }

    /// Days that have a folder, latest first.
    pub(super) fn days(&self) -> io::Result<Vec<(Day, PathBuf)>> {
        let mut days = vec![];
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let day = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            days.extend(day.map(|day| (day, path)));
        }
        days.sort_by(|a, b| b.cmp(a));
        Ok(days)
    }

    /// Every recording of the call, in order. By name: no day is searched through.
    pub fn of_call(&self, call: CallId) -> io::Result<Vec<Kept>> {
        let mut found: Vec<Kept> = vec![];
        for (_, folder) in self.days()? {
            let before = found.len();
            for segment in 1..=MOST_SEGMENTS {
                found.extend(read(&folder, RecordingName { call, segment })?);
            }
            // A call may last over a midnight, not over a day.
            if before > 0 && found.len() == before {
                break;
            }
        }
        found.sort_by_key(|kept| kept.name);
        Ok(found)
    }

    pub fn find(&self, name: RecordingName) -> io::Result<Option<Kept>> {
        for (_, folder) in self.days()? {
            if let Some(found) = read(&folder, name)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(super) fn leave_untold(&self, name: RecordingName) -> io::Result<()> {
        fs::write(self.folder.join(UNTOLD).join(name.to_string()), b"")
    }

    /// Recordings that the tickets have not been told of, oldest call first; of more than a week's, some.
    pub fn untold(&self) -> io::Result<Vec<RecordingName>> {
        let mut names = vec![];
        for entry in fs::read_dir(self.folder.join(UNTOLD))?.take(200_000) {
            names.extend(entry?.file_name().to_str().and_then(RecordingName::parse));
        }
        names.sort();
        Ok(names)
    }

    /// When it was finished.
    pub fn untold_since(&self, name: RecordingName) -> io::Result<SystemTime> {
        fs::metadata(self.folder.join(UNTOLD).join(name.to_string()))?.modified()
    }

    pub fn told(&self, name: RecordingName) -> io::Result<()> {
        fs::remove_file(self.folder.join(UNTOLD).join(name.to_string()))
    }
}

fn read(folder: &Path, name: RecordingName) -> io::Result<Option<Kept>> {
    let path = folder.join(format!("{name}.wav"));
    let text = match fs::read(path.with_extension("json")) {
        Ok(text) if path.exists() => text,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let recording = serde_json::from_slice(&text).map_err(io::Error::other)?;
    Ok(Some(Kept { name, recording, path }))
}
