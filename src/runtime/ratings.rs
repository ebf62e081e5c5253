//! Telling the tickets how callers rated their calls (满意度评价). Belongs here: keeping a rating until its ticket has it. Not here: the
//! question (`call`), the tickets (`cases`).
//!
//! Each rating is a small file beside the spool, written before the ticket is told and removed after it: a store that is down, or a
//! restart, delays it only. The signalling loop hands it over and waits for nothing.

use super::pacing::{PACE, Pacing};
use crate::cases::Cases;
use crate::cases::desk::Desk;
use crate::casework::words::Satisfaction;
use crate::host::Clock;
use crate::ids::CallId;
use crate::time::Instant as Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout_at};

/// On their way from the loop to the disk.
const QUEUE: usize = 1_000;
/// A ticket may come so much later than the rating; one that was refused for good never comes.
const PATIENCE: Duration = Duration::from_secs(7 * 86_400);

/// The loop's end.
#[derive(Clone, Debug)]
pub struct Ratings(Sender<(CallId, Rating)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rating {
    at: Moment,
    rating: Satisfaction,
}

impl Ratings {
    pub fn came(&self, at: Moment, call: CallId, score: u8) {
        let rating = Satisfaction::ALL.iter().copied().find(|rating| rating.points() == score);
        let Some(rating) = rating else { return };
        if self.0.try_send((call, Rating { at, rating })).is_err() {
            tracing::error!(%call, score, "a rating does not reach its ticket: too many wait for the disk; the event log has it");
        }
    }
}

/// Ratings and the work on them, which lasts as long as the world does.
pub fn start(folder: PathBuf, desk: Desk<Cases>) -> io::Result<(Ratings, impl Future<Output = ()> + Send)> {
    std::fs::create_dir_all(&folder)?;
    let untold = read(&folder)?;
    let (ratings, came) = channel(QUEUE);
    Ok((Ratings(ratings), tell(folder, desk, untold, came)))
}

async fn tell(
    folder: PathBuf,
    desk: Desk<Cases>,
    mut untold: BTreeMap<CallId, Rating>,
    mut came: Receiver<(CallId, Rating)>,
) {
    let (clock, mut pacing, mut well) = (Clock::start(), Pacing::default(), true);
    let mut next = Instant::now();
    loop {
        match timeout_at(next, came.recv()).await {
            Ok(Some((call, rating))) => {
                if let Err(error) = keep(&folder, call, rating).await {
                    tracing::warn!(%call, %error, "a rating is in memory only until its ticket has it");
                }
                untold.insert(call, rating);
                continue;
            }
            Ok(None) => return,
            Err(_) => next = Instant::now() + PACE,
        }
        let mut failed = None;
        for call in pacing.due(clock.now(), &untold) {
            let Some(Rating { at, rating }) = untold.get(&call).copied() else { continue };
            let old = clock.now().since(at) > PATIENCE;
            match desk.rate(at, call, rating).await {
                Ok(told) if told || old => {
                    untold.remove(&call);
                    let _ = tokio::fs::remove_file(place(&folder, call)).await;
                }
                Ok(_) => pacing.in_vain(call, clock.now()),
                Err(error) => {
                    pacing.in_vain(call, clock.now());
                    failed = Some(error);
                    break;
                }
            }
        }
        if let (true, Some(error)) = (well, &failed) {
            tracing::warn!(%error, "tickets cannot be told of ratings now: it is tried again");
        }
        well = failed.is_none();
    }
}

fn place(folder: &Path, call: CallId) -> PathBuf {
    folder.join(call.to_string())
}

async fn keep(folder: &Path, call: CallId, rating: Rating) -> io::Result<()> {
    tokio::fs::write(place(folder, call), serde_json::to_vec(&rating)?).await
}

/// What is still to be told. A file that cannot be read is left for people to look at.
fn read(folder: &Path) -> io::Result<BTreeMap<CallId, Rating>> {
    let mut untold = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let call = path.file_name().and_then(|name| u64::from_str_radix(name.to_str()?, 16).ok());
        match (call, serde_json::from_slice(&std::fs::read(&path)?)) {
            (Some(call), Ok(rating)) => drop(untold.insert(CallId(call), rating)),
            _ => tracing::warn!(path = %path.display(), "this is no rating"),
        }
    }
    Ok(untold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CaseStore;
    use crate::cases::sqlite::SqliteCases;
    use std::sync::Arc;

    fn desk(folder: &Path) -> Desk<Cases> {
        Desk::new(Cases::Sqlite(SqliteCases::new(folder.join("cases.db"), "JN")), Arc::default())
    }

    #[tokio::test]
    async fn a_rating_waits_for_its_ticket_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("ratings");
        let call = CallId(0xABC);
        let (ratings, work) = start(kept.clone(), desk(folder.path())).unwrap();
        let work = tokio::spawn(work);
        let at = Clock::start().now();
        ratings.came(at, call, 4);
        ratings.came(at, CallId(1), 9);
        drop(ratings);
        // The last of it is written before the work ends; nobody has opened the ticket.
        work.await.unwrap();
        assert_eq!(read(&kept).unwrap(), BTreeMap::from([(call, Rating { at, rating: Satisfaction::Satisfied })]));

        let cases = SqliteCases::new(folder.path().join("cases.db"), "JN");
        let ticket = serde_json::json!({
            "call": call, "channel": "phone", "dnis": "12345", "tenant": "jinan", "test_call": false, "cli_withheld": false,
            "sip_call_id": "a@b", "trunk": "unicom", "queue": "mandarin", "skill": "mandarin", "arrived_at": at, "queued_at": at,
            "ring_at": at, "answered_at": at, "wait_ms": 1, "within_n": true, "agent": "6601", "seat": "801", "legs": [],
        });
        cases.open_tickets(&[serde_json::from_value(ticket).unwrap()]).await.unwrap();
        let (_ratings, work) = start(kept.clone(), desk(folder.path())).unwrap();
        let work = tokio::spawn(work);
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !read(&kept).unwrap().is_empty() {
            assert!(std::time::Instant::now() < deadline, "the ticket is never told");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        work.abort();
        let desk = desk(folder.path());
        let history = desk.events(0, 10).await.unwrap();
        let rated = |event: &crate::cases::desk::CaseEvent| format!("{:?}", event.entry.change).starts_with("Rated");
        assert!(rated(history.last().unwrap()), "{history:?}");
    }
}
