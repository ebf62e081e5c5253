//! Where recordings lie: a folder a day (China's date), in it each as `<call>-<segment>.wav` with a `.json` that says what it is.
//! Belongs here: paths, finding, what has still to be told to the tickets, deleting a day. Not here: making them (`writer`, `keeper`).

use crate::casework::Day;
use crate::ids::CallId;
use crate::plane::recording::{MOST_SEGMENTS, Recording, RecordingName};
use crate::time::Instant;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Being written.
pub(super) const PART: &str = "wav.part";
/// Names of recordings whose ticket does not know of them yet.
const UNTOLD: &str = "untold";
/// Days that were deleted, each a list of calls whose tickets do not know of it yet.
const DELETED: &str = "deleted";
/// Ends the name, which begins with a dot, of such a list while its day is still there.
const LISTED: &str = "tmp";

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
        fs::create_dir_all(folder.join(DELETED))?;
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

    /// Deletes a day, with all that is in it; which calls it had is durable before. How many recordings, and octets.
    pub(super) fn delete(&self, day: Day, folder: &Path) -> io::Result<(u64, u64)> {
        let (mut files, mut octets, mut calls) = (0, 0, BTreeSet::new());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            octets += entry.metadata()?.len();
            if let Some(name) = entry.file_name().to_str().and_then(|name| name.strip_suffix(".wav")) {
                files += 1;
                calls.extend(RecordingName::parse(name).map(|name| name.call));
            }
        }
        // The tickets are told when the day is gone, and not before: another thread reads what lies there under a day's name.
        let (listed, deleted) = self.lists_of(day);
        for list in [&listed, &deleted] {
            match fs::read_to_string(list) {
                // Of a try that came half way.
                Ok(text) => calls.extend(read_calls(&text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let list: String = calls.iter().map(|call| format!("{call}\n")).collect();
        write_through(&listed, list.as_bytes())?;
        sync(&self.folder.join(DELETED))?;
        fs::remove_dir_all(folder)?;
        self.publish(day)?;
        Ok((files, octets))
    }

    /// Before and after the day is gone.
    fn lists_of(&self, day: Day) -> (PathBuf, PathBuf) {
        let folder = self.folder.join(DELETED);
        (folder.join(format!(".{day}.{LISTED}")), folder.join(day.to_string()))
    }

    fn publish(&self, day: Day) -> io::Result<()> {
        let (listed, deleted) = self.lists_of(day);
        sync(&self.folder)?;
        fs::rename(listed, deleted)?;
        sync(&self.folder.join(DELETED))
    }

    /// Days that are gone though the process died, or somebody else took what it could not, before the tickets could be told.
    pub(super) fn finish_deletions(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join(DELETED))? {
            let name = entry?.file_name();
            let day = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(LISTED)?.strip_suffix('.'));
            let Some(day) = day.and_then(|day| day.parse::<Day>().ok()) else { continue };
            if !self.folder.join(day.to_string()).try_exists()? {
                self.publish(day)?;
            }
        }
        Ok(())
    }

    /// A day that was deleted, and the calls that had recordings in it.
    pub fn deleted(&self) -> io::Result<Option<(Day, Vec<CallId>)>> {
        let folder = self.folder.join(DELETED);
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let Some(day) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            return Ok(Some((day, read_calls(&fs::read_to_string(&path)?).collect())));
        }
        Ok(None)
    }

    /// The tickets know.
    pub fn told_of_deletion(&self, day: Day) -> io::Result<()> {
        fs::remove_file(self.folder.join(DELETED).join(day.to_string()))
    }

    /// When it was finished.
    pub fn untold_since(&self, name: RecordingName) -> io::Result<SystemTime> {
        fs::metadata(self.folder.join(UNTOLD).join(name.to_string()))?.modified()
    }

    pub fn told(&self, name: RecordingName) -> io::Result<()> {
        fs::remove_file(self.folder.join(UNTOLD).join(name.to_string()))
    }
}

/// A line that is cut off is no call.
fn read_calls(text: &str) -> impl Iterator<Item = CallId> {
    let call = |line: &str| u64::from_str_radix(line, 16).ok().map(CallId).filter(|call| call.to_string() == line);
    text.lines().filter_map(call)
}

/// Makes durable what was made, renamed and removed in it.
fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

pub(super) fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_told_of_a_deleted_day_when_it_is_gone_and_of_all_its_calls() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(folder.path()).unwrap();
        let day: Day = "2026-01-02".parse().unwrap();
        let there = folder.path().join(day.to_string());
        let recorded = |call: u64| {
            fs::create_dir_all(&there).unwrap();
            fs::write(there.join(format!("{}-001.wav", CallId(call))), b"12345").unwrap();
        };
        recorded(1);
        // A system that removes what is in a folder and not the folder itself.
        library.delete(day, &there.join(".")).unwrap_err();
        library.finish_deletions().unwrap();
        assert!(there.exists());
        assert_eq!(library.deleted().unwrap(), None);
        // The next try knows of those that went with the first.
        recorded(2);
        assert_eq!(library.delete(day, &there).unwrap(), (1, 5));
        assert_eq!(library.deleted().unwrap(), Some((day, vec![CallId(1), CallId(2)])));
        library.told_of_deletion(day).unwrap();

        // Somebody removed it by hand; or the process died in between.
        recorded(3);
        library.delete(day, &there.join(".")).unwrap_err();
        fs::remove_dir_all(&there).unwrap();
        library.finish_deletions().unwrap();
        assert_eq!(library.deleted().unwrap(), Some((day, vec![CallId(3)])));
        library.told_of_deletion(day).unwrap();
        assert_eq!(fs::read_dir(folder.path().join(DELETED)).unwrap().count(), 0);
    }
}
