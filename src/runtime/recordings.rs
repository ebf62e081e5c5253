//! Telling the tickets of their recordings. Belongs here: when, and again after an outage. Not here: recording (`media`), the tickets
//! (`cases`).
//!
//! What has still to be told stands on the disk beside the recordings, so a store that is down, or a restart, delays it only. Neither
//! the disk nor the store is asked more than a bounded part of it in a second, however much has gathered: oldest calls first, and
//! those that were tried in vain ever more rarely.

use super::pacing::{PACE, Pacing};
use crate::cases::Cases;
use crate::cases::desk::Desk;
use crate::host::Clock;
use crate::ids::CallId;
use crate::media::recording::{Kept, Library};
use crate::plane::recording::RecordingName;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, SystemTime};

/// Calls that fail in one round before the store is left alone, and for how long.
const ENOUGH: usize = 3;
const PAUSE: Duration = Duration::from_secs(10);
/// More than this many calls are not looked for on the disk in each round.
const MANY: usize = 1_000;
const MANY_ROUNDS: u32 = 30;
/// Calls of a deleted day whose tickets are told at once.
const AT_ONCE: usize = 200;
/// The ticket of a call may come so much later than its recording; one that was refused for good never comes.
const PATIENCE: Duration = Duration::from_secs(7 * 86_400);

type Untold = BTreeMap<CallId, Vec<RecordingName>>;

/// For as long as the world lasts.
pub async fn tell(library: Library, desk: Desk<Cases>) {
    let (clock, mut pacing, mut untold, mut well) = (Clock::start(), Pacing::default(), Untold::new(), true);
    for round in 0u32.. {
        let looked = match untold.len() <= MANY || round.is_multiple_of(MANY_ROUNDS) {
            true => aside(&library, read).await.map(|found| untold = found),
            false => Ok(()),
        };
        let mut failed: Vec<String> = looked.err().into_iter().map(|error| error.to_string()).collect();
        for call in pacing.due(clock.now(), &untold) {
            let names = untold.get(&call).cloned().unwrap_or_default();
            // One call's trouble, a file that cannot be read above all, keeps no other ticket from its recordings.
            match tell_of(&library, &desk, call, names).await {
                Ok(true) => drop(untold.remove(&call)),
                Ok(false) => pacing.in_vain(call, clock.now()),
                Err(error) => {
                    pacing.in_vain(call, clock.now());
                    failed.push(format!("call {call}: {error}"));
                }
            }
            if failed.len() == ENOUGH {
                break;
            }
        }
        if let Err(error) = tell_of_deletions(&library, &desk, &clock).await {
            failed.push(error);
        }
        if let (true, Some(error)) = (well, failed.first()) {
            tracing::warn!(error, "tickets cannot be told of their recordings now: it is tried again");
        }
        well = failed.is_empty();
        tokio::time::sleep(if failed.len() < ENOUGH { PACE } else { PAUSE }).await;
    }
}

/// True: the ticket knows, or never will.
async fn tell_of(
    library: &Library,
    desk: &Desk<Cases>,
    call: CallId,
    names: Vec<RecordingName>,
) -> Result<bool, String> {
    let disk = |error: io::Error| format!("{}: {error}", library.folder().display());
    let recordings = aside(library, move |library| library.of_call(call)).await.map_err(disk)?;
    let found: BTreeSet<RecordingName> = recordings.iter().map(|kept| kept.name).collect();
    let hashes: Vec<String> = recordings.into_iter().map(|Kept { recording, .. }| recording.sha256).collect();
    let told =
        !hashes.is_empty() && desk.refer_to_recordings(call, &hashes).await.map_err(|error| error.to_string())?;
    // One that was not there yet is told of in a later round: it is announced just before it has its last name.
    aside(library, move |library| forget(library, &names, |name| told && found.contains(name))).await.map_err(disk)
}

/// Of one day that was deleted, if there is one.
async fn tell_of_deletions(library: &Library, desk: &Desk<Cases>, clock: &Clock) -> Result<(), String> {
    let disk = |error: io::Error| format!("{}: {error}", library.folder().display());
    let Some((day, calls)) = aside(library, Library::deleted).await.map_err(disk)? else { return Ok(()) };
    let (mut tickets, why) = (0, format!("the recordings of {day} are deleted: their time is over"));
    for calls in calls.chunks(AT_ONCE) {
        tickets += desk.forgets_recordings(clock.now(), calls, &why).await.map_err(|error| error.to_string())?;
    }
    tracing::info!(%day, calls = calls.len(), tickets, "tickets know that their recordings are deleted");
    aside(library, move |library| library.told_of_deletion(day)).await.map_err(disk)
}

fn read(library: &Library) -> io::Result<Untold> {
    let mut calls = Untold::new();
    for name in library.untold()? {
        calls.entry(name.call).or_default().push(name);
    }
    Ok(calls)
}

/// True: there is nothing more to tell.
fn forget(library: &Library, names: &[RecordingName], told: impl Fn(&RecordingName) -> bool) -> io::Result<bool> {
    let mut left = false;
    for name in names {
        let (told, since) = (told(name), library.untold_since(*name)?);
        let old = SystemTime::now().duration_since(since).is_ok_and(|age| age > PATIENCE);
        if old && !told {
            tracing::warn!(recording = %name, "its call has no ticket, or it is gone: none will refer to it");
        }
        if told || old {
            library.told(*name)?;
        }
        left |= !told && !old;
    }
    Ok(!left)
}

/// On a thread that may wait for the disk.
async fn aside<T: Send + 'static>(
    library: &Library,
    work: impl FnOnce(&Library) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let library = library.clone();
    tokio::task::spawn_blocking(move || work(&library)).await.map_err(io::Error::other)?
}
