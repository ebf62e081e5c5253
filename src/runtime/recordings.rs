//! Telling the tickets of their recordings. Belongs here: when, and again after an outage. Not here: recording (`media`), the tickets
//! (`cases`).
//!
//! What has still to be told stands on the disk beside the recordings, so a store that is down, or a restart, delays it only. Neither
//! the disk nor the store is asked more than a bounded part of it in a second, however much has gathered: oldest calls first, and
//! those that were tried in vain ever more rarely.

use crate::cases::Cases;
use crate::cases::desk::Desk;
use crate::host::Clock;
use crate::ids::CallId;
use crate::media::recording::{Kept, Library};
use crate::plane::recording::RecordingName;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, SystemTime};

/// Between rounds.
const PACE: Duration = Duration::from_secs(1);
/// Calls whose tickets are told in one round: ten times what the busiest hour ends.
const A_ROUND: usize = 20;
/// Calls that fail in one round before the store is left alone, and for how long.
const ENOUGH: usize = 3;
const PAUSE: Duration = Duration::from_secs(10);
/// Between tries on one call.
const RAREST: Duration = Duration::from_secs(600);
/// More than this many calls are not looked for on the disk in each round.
const MANY: usize = 1_000;
const MANY_ROUNDS: u32 = 30;
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
    let hashes: Vec<String> = recordings.into_iter().map(|Kept { recording, .. }| recording.sha256).collect();
    let told = desk.refer_to_recordings(call, &hashes).await.map_err(|error| error.to_string())?;
    aside(library, move |library| forget(library, &names, told)).await.map_err(disk)
}

/// Which calls are tried when; those not in it never were.
#[derive(Debug, Default)]
struct Pacing {
    waits: BTreeMap<CallId, Wait>,
}

#[derive(Debug)]
struct Wait {
    until: Instant,
    tries: u32,
}

impl Pacing {
    /// Those of a round, oldest first.
    fn due(&mut self, now: Instant, untold: &Untold) -> Vec<CallId> {
        self.waits.retain(|call, _| untold.contains_key(call));
        let due = |call: &CallId| self.waits.get(call).is_none_or(|wait| wait.until <= now);
        untold.keys().copied().filter(due).take(A_ROUND).collect()
    }

    fn in_vain(&mut self, call: CallId, now: Instant) {
        let wait = self.waits.entry(call).or_insert(Wait { until: now, tries: 0 });
        wait.until = now + (PACE * 2u32.pow(wait.tries.min(10))).min(RAREST);
        wait.tries += 1;
    }
}

fn read(library: &Library) -> io::Result<Untold> {
    let mut calls = Untold::new();
    for name in library.untold()? {
        calls.entry(name.call).or_default().push(name);
    }
    Ok(calls)
}

/// True: there is nothing more to tell.
fn forget(library: &Library, names: &[RecordingName], told: bool) -> io::Result<bool> {
    let mut left = false;
    for name in names {
        let since = library.untold_since(*name)?;
        let old = SystemTime::now().duration_since(since).is_ok_and(|age| age > PATIENCE);
        if old && !told {
            tracing::warn!(recording = %name, "its call has no ticket: none will refer to it");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_told_oldest_first_in_bounded_rounds_and_the_hopeless_are_asked_rarely() {
        let mut untold: Untold = (0..1_000).map(|n| (CallId(n), vec![])).collect();
        let (mut pacing, mut now, mut asked) = (Pacing::default(), Instant(1_000_000), BTreeMap::new());
        // The oldest 30 have no ticket and never will.
        let mut told = vec![];
        for _ in 0..3_600 {
            let round = pacing.due(now, &untold);
            assert!(round.len() <= A_ROUND && round.is_sorted());
            for call in round {
                *asked.entry(call).or_insert(0) += 1;
                if call.0 < 30 {
                    pacing.in_vain(call, now);
                } else {
                    untold.remove(&call);
                    told.push(call.0);
                }
            }
            now = now + PACE;
        }
        assert!(told.len() == 970 && told.is_sorted());
        assert!(asked.values().all(|times| (1..=16).contains(times)), "{asked:?}");
        assert_eq!(pacing.waits.len(), 30);
        // Told otherwise, or taken away by hand: nothing of it is kept.
        pacing.due(now, &Untold::new());
        assert!(pacing.waits.is_empty());
    }
}
