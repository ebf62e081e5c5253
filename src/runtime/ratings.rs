//! Telling the tickets how callers rated their calls (满意度评价). Belongs here: keeping a rating until its ticket has it. Not here: the
//! question (`call`), the tickets (`cases`).
//!
//! Each rating is a small file beside the spool, written before the ticket is told and removed after it: a store that is down, or a
//! restart, delays it only. The signalling loop hands it over and waits for nothing. Where the disk refuses, ratings are in memory only:
//! that costs some of them at worst, never a call.

use super::pacing::{PACE, Pacing};
use crate::cases::Cases;
use crate::cases::desk::Desk;
use crate::casework::words::Satisfaction;
use crate::host::Clock;
use crate::ids::CallId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{MissedTickBehavior, interval};

/// On their way from the loop to the disk.
const QUEUE: usize = 1_000;
/// A ticket may come so much later than the rating; one that was refused for good never comes.
const PATIENCE: Duration = Duration::from_secs(7 * 86_400);
/// Ends the name of what is being written.
const PART: &str = ".part";

/// The loop's end.
#[derive(Clone, Debug)]
pub struct Ratings(Sender<(CallId, Rating)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rating {
    at: Instant,
    rating: Satisfaction,
}

impl Ratings {
    pub fn came(&self, at: Instant, call: CallId, score: u8) {
        let rating = Satisfaction::ALL.iter().copied().find(|rating| rating.points() == score);
        let Some(rating) = rating else { return };
        if self.0.try_send((call, Rating { at, rating })).is_err() {
            tracing::error!(%call, score, "a rating does not reach its ticket: too many wait for the disk; the event log has it");
        }
    }
}

/// Ratings and the work on them, which lasts as long as the world does. Whatever the disk says, calls are taken.
pub fn start(folder: PathBuf, desk: Desk<Cases>) -> (Ratings, impl Future<Output = ()> + Send) {
    let untold = fs::create_dir_all(&folder).and_then(|()| read(&folder)).unwrap_or_else(|error| {
        let folder = folder.display();
        tracing::error!(%folder, %error,
            "callers' ratings cannot be kept over a restart: they are in memory only until their tickets have them; \
             make this a folder of the gateway's user and restart when it suits");
        BTreeMap::new()
    });
    let (ratings, came) = channel(QUEUE);
    (Ratings(ratings), tell(folder, desk, untold, came))
}

async fn tell(
    folder: PathBuf,
    desk: Desk<Cases>,
    mut untold: BTreeMap<CallId, Rating>,
    mut came: Receiver<(CallId, Rating)>,
) {
    let (clock, mut pacing, mut well) = (Clock::start(), Pacing::default(), true);
    // Beside what comes, not after it: in a busy hour no second is without a rating.
    let mut rounds = interval(PACE);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            rating = came.recv() => {
                let Some((call, rating)) = rating else { return };
                if let Err(error) = keep(&folder, call, rating).await {
                    tracing::warn!(%call, %error, "a rating is in memory only until its ticket has it");
                }
                untold.insert(call, rating);
                continue;
            }
            _ = rounds.tick() => {}
        }
        let mut failed = None;
        for call in pacing.due(clock.now(), &untold) {
            let Some(Rating { at, rating }) = untold.get(&call).copied() else { continue };
            let told = desk.rate(at, call, rating).await;
            let hopeless = !matches!(told, Ok(true)) && clock.now().since(at) > PATIENCE;
            if hopeless {
                tracing::warn!(%call, ?rating, "its ticket was not to be told for a week: only the event log has this rating");
            }
            if hopeless || matches!(told, Ok(true)) {
                untold.remove(&call);
                let _ = tokio::fs::remove_file(place(&folder, call)).await;
            } else {
                pacing.in_vain(call, clock.now());
            }
            if let Err(error) = told {
                failed = Some(error);
                break;
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

/// Under its name it is whole, and stays so when the machine loses power.
async fn keep(folder: &Path, call: CallId, rating: Rating) -> io::Result<()> {
    let (folder, text) = (folder.to_owned(), serde_json::to_vec(&rating)?);
    let kept = tokio::task::spawn_blocking(move || {
        let part = folder.join(format!("{call}{PART}"));
        let mut file = fs::File::create(&part)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&part, place(&folder, call))?;
        fs::File::open(&folder)?.sync_all()
    });
    kept.await.map_err(io::Error::other)?
}

/// What is still to be told. What is no rating, or cannot be read, is left for people to look at.
fn read(folder: &Path) -> io::Result<BTreeMap<CallId, Rating>> {
    let mut untold = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(PART) {
            // Of a process that died at it.
            let _ = fs::remove_file(&path);
            continue;
        }
        let rating = fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        match (u64::from_str_radix(name, 16), rating) {
            (Ok(call), Ok(rating)) => drop(untold.insert(CallId(call), rating)),
            (_, Err(error)) => {
                tracing::warn!(path = %path.display(), %error, "a rating cannot be read: it is left as it is")
            }
            (Err(_), _) => tracing::warn!(path = %path.display(), "this is no rating: it is left as it is"),
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
        let (ratings, work) = start(kept.clone(), desk(folder.path()));
        let work = tokio::spawn(work);
        let at = Clock::start().now();
        ratings.came(at, call, 4);
        ratings.came(at, CallId(1), 9);
        drop(ratings);
        // The last of it is written before the work ends; nobody has opened the ticket.
        work.await.unwrap();
        assert_eq!(read(&kept).unwrap(), BTreeMap::from([(call, Rating { at, rating: Satisfaction::Satisfied })]));

        open_ticket(folder.path(), call, at).await;
        let (_ratings, work) = start(kept.clone(), desk(folder.path()));
        let work = tokio::spawn(work);
        until("the ticket is told", async || read(&kept).unwrap().is_empty()).await;
        work.abort();
        assert!(rated(&desk(folder.path())).await);
    }

    #[tokio::test]
    async fn nothing_that_lies_in_the_folder_keeps_the_gateway_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("ratings");
        let good = Rating { at: Instant(1), rating: Satisfaction::Satisfied };
        fs::create_dir_all(kept.join("000000000000000a")).unwrap();
        keep(&kept, CallId(0xB), good).await.unwrap();
        fs::write(kept.join("000000000000000c"), b"{").unwrap();
        fs::write(kept.join("000000000000000d.part"), b"{").unwrap();
        fs::write(kept.join("notes"), b"").unwrap();
        assert_eq!(read(&kept).unwrap(), BTreeMap::from([(CallId(0xB), good)]));
        assert!(!kept.join("000000000000000d.part").exists() && kept.join("notes").exists());

        // Where there can be no folder, ratings are told from memory.
        let (no_folder, call, at) = (folder.path().join("file"), CallId(0xABC), Clock::start().now());
        fs::write(&no_folder, b"").unwrap();
        open_ticket(folder.path(), call, at).await;
        let (ratings, work) = start(no_folder, desk(folder.path()));
        let work = tokio::spawn(work);
        ratings.came(at, call, 5);
        let told = desk(folder.path());
        until("the ticket is told", async || rated(&told).await).await;
        work.abort();
    }

    #[tokio::test]
    async fn tickets_are_told_while_ratings_keep_coming() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, call, at) = (folder.path().join("ratings"), CallId(0xABC), Clock::start().now());
        open_ticket(folder.path(), call, at).await;
        let (ratings, work) = start(kept, desk(folder.path()));
        let work = tokio::spawn(work);
        ratings.came(at, call, 4);
        let told = desk(folder.path());
        until("the ticket is told", async || {
            ratings.came(at, CallId(0xFFF), 4);
            rated(&told).await
        })
        .await;
        work.abort();
    }

    #[tokio::test]
    async fn what_can_never_be_told_is_given_up_after_a_week() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, now) = (folder.path().join("ratings"), Clock::start().now());
        let (old, new) = (Instant(now.0 - PATIENCE.as_micros() as u64 - 1), now);
        // A store that does not answer.
        let (ratings, work) = start(kept.clone(), desk(&folder.path().join("not there")));
        let work = tokio::spawn(work);
        ratings.came(old, CallId(0xA), 4);
        ratings.came(new, CallId(0xB), 4);
        until("both came", async || kept.join("000000000000000b").exists()).await;
        until("the old one is given up", async || read(&kept).unwrap().len() == 1).await;
        work.abort();
        assert!(read(&kept).unwrap().contains_key(&CallId(0xB)));
    }

    async fn open_ticket(folder: &Path, call: CallId, at: Instant) {
        let ticket = serde_json::json!({
            "call": call, "channel": "phone", "dnis": "12345", "tenant": "jinan", "test_call": false, "cli_withheld": false,
            "sip_call_id": "a@b", "trunk": "unicom", "queue": "mandarin", "skill": "mandarin", "arrived_at": at, "queued_at": at,
            "ring_at": at, "answered_at": at, "wait_ms": 1, "within_n": true, "agent": "6601", "seat": "801", "legs": [],
        });
        let cases = SqliteCases::new(folder.join("cases.db"), "JN");
        cases.open_tickets(&[serde_json::from_value(ticket).unwrap()]).await.unwrap();
    }

    async fn rated(desk: &Desk<Cases>) -> bool {
        let history = desk.events(0, 10).await.unwrap();
        history.last().is_some_and(|event| format!("{:?}", event.entry.change).starts_with("Rated"))
    }

    async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !done().await {
            assert!(std::time::Instant::now() < deadline, "never: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
