//! The process dies, or its disk does, in the middle of pickups. The child is this test binary running itself:
//! [`child`] does nothing unless the environment tells it what to be.

use crate::postgres::{available, shared, socket};
use crate::support::{assert_gapless, id, stored, ticket};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rexian::cases::{CaseStore, Cases, Outcome, StoreError};
use rexian::config::settings::CaseStoreSettings;
use rexian::store::{DeliverOptions, SpoolOptions, SpoolOutcome, Store};
use rexian::ticket::NewTicket;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const CHILD: &str = "REXIAN_STORE_CHILD";
const STORE: &str = "REXIAN_STORE_BEHIND";

#[test]
fn kill_9_at_any_moment_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let stored = async { stored(&dir.path().join("cases.db")).await };
    kill_9(dir.path(), 25, Behind::Sqlite(dir.path().join("cases.db")), stored);
}

#[test]
fn kill_9_with_postgresql_behind_loses_and_doubles_nothing() {
    if !available() {
        return;
    }
    let (dir, server) = (tempfile::tempdir().unwrap(), shared());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(server.database());
    let behind = Behind::Postgres { folder: server.folder().into(), port: server.port(), database: database.clone() };
    kill_9(dir.path(), 12, behind, async { crate::server::stored(server, &database).await });
}

fn kill_9(dir: &Path, rounds: u64, behind: Behind, stored: impl Future<Output = BTreeMap<String, String>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let mut child = spawn("pick-up", dir, round, &behind);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after this many acknowledgements, and a little later, in whatever it is doing then.
        let acks = rng.next_u32() % 120;
        let spin = rng.next_u32() % 200_000;
        let mut heard = 0;
        while heard < acks {
            let line = lines.next().expect("the child ended by itself").unwrap();
            heard += u32::from(note(&line, &mut acknowledged));
        }
        for n in 0..spin {
            std::hint::black_box(n);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had printed before it died was acknowledged too.
        for line in lines {
            note(&line.unwrap(), &mut acknowledged);
        }
    }
    let enough = rounds as usize * 20;
    assert!(acknowledged.len() > enough, "only {} pickups in {rounds} rounds", acknowledged.len());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(dir, &behind, |_| ()).await;
        assert_eq!(store.close(Duration::from_secs(60)).await, 0);
        let stored = stored.await;
        let lost: Vec<_> = acknowledged.iter().filter(|call| !stored.contains_key(*call)).collect();
        assert!(lost.is_empty(), "acknowledged, but no ticket: {lost:?}");
        assert_gapless("JN20261122", stored.into_values());
    });
}

/// A real refusal by the kernel: the file-size limit (EFBIG) stands in for a disk without space.
#[test]
fn a_disk_the_kernel_says_is_full_fails_fast_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let cases = dir.path().join("cases.db");
    let mut child = spawn("full-disk", dir.path(), 0, &Behind::Sqlite(cases.clone()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let summary = lines.find_map(|l| l.strip_prefix("summary ").map(str::to_owned)).expect("the child failed");
    assert!(child.wait().unwrap().success());
    let [spooled, failed, left] = summary.split(' ').map(|n| n.parse::<u64>().unwrap()).collect::<Vec<_>>()[..] else {
        panic!("{summary}")
    };
    assert!(spooled > 0 && failed > 0 && left == 0, "{summary}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stored = runtime.block_on(stored(&cases));
    assert_eq!(stored.len() as u64, spooled + failed);
}

fn note(line: &str, acknowledged: &mut BTreeSet<String>) -> bool {
    // A line cut short by the kill has no full call id.
    match line.strip_prefix("ack ") {
        Some(call) if call.len() == 17 && call.ends_with('.') => acknowledged.insert(call[..16].to_owned()),
        _ => false,
    }
}

/// The case store the child delivers to.
#[derive(Serialize, Deserialize)]
enum Behind {
    Sqlite(PathBuf),
    Postgres { folder: PathBuf, port: u16, database: String },
}

impl Behind {
    fn open(&self) -> Cases {
        let settings = match self {
            Behind::Sqlite(path) => CaseStoreSettings::Sqlite(path.clone()),
            Behind::Postgres { folder, port, database } => CaseStoreSettings::Postgres(socket(folder, *port, database)),
        };
        Cases::new(&settings, "JN")
    }
}

fn spawn(role: &str, dir: &Path, round: u64, behind: &Behind) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, format!("{role} {round} {}", dir.display()))
        .env(STORE, serde_json::to_string(behind).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the process that the tests above start and kill"]
fn child() {
    let Ok(what) = std::env::var(CHILD) else { return };
    let [role, round, dir] = what.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{what}") };
    let behind: Behind = serde_json::from_str(&std::env::var(STORE).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match role {
        "pick-up" => runtime.block_on(pick_up(Path::new(dir), &behind, round.parse().unwrap())),
        _ => runtime.block_on(full_disk(Path::new(dir), &behind)),
    }
}

/// A store slow enough that the process often dies between asking it and hearing its answer.
struct Slow(Cases);

impl CaseStore for Slow {
    async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
        tokio::time::sleep(ms(10)).await;
        let outcomes = self.0.open_tickets(tickets).await;
        tokio::time::sleep(ms(10)).await;
        outcomes
    }
    async fn health(&self) -> Result<(), StoreError> {
        self.0.health().await
    }
}

async fn open(dir: &Path, behind: &Behind, outcomes: impl FnMut(&[SpoolOutcome]) + Send + 'static) -> Store {
    let spool = SpoolOptions { retry: (ms(5), ms(20)), ..SpoolOptions::new(dir.join("spool.db")) };
    let deliver = DeliverOptions { linger: ms(3), batch: 64, ..DeliverOptions::default() };
    Store::open(spool, deliver, Slow(behind.open()), outcomes).await.unwrap()
}

/// Opens tickets in bursts for ever, printing each acknowledgement as a gateway would act on it.
async fn pick_up(dir: &Path, behind: &Behind, round: u64) {
    let store = open(dir, behind, |outcomes| {
        let mut out = std::io::stdout().lock();
        for outcome in outcomes {
            if let SpoolOutcome::Spooled { call } = outcome {
                writeln!(out, "\nack {call}.").unwrap();
            }
        }
        out.flush().unwrap();
    })
    .await;
    let mut rng = ChaCha8Rng::seed_from_u64(round);
    let mut call = round << 32;
    loop {
        for _ in 0..rng.next_u32() % 8 {
            call += 1;
            store.spool().put(Box::new(ticket(call))).unwrap();
        }
        tokio::time::sleep(ms(1)).await;
    }
}

async fn full_disk(dir: &Path, behind: &Behind) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::sync::{Arc, Mutex};
    // A handler in place of the default, which is to die.
    const SIGXFSZ: i32 = 25;
    let _ignored = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ)).unwrap();
    let heard: Arc<Mutex<Vec<SpoolOutcome>>> = Arc::default();
    let sink = heard.clone();
    let store = open(dir, behind, move |o| sink.lock().unwrap().extend_from_slice(o)).await;
    let count = |failed: bool| {
        heard.lock().unwrap().iter().filter(|o| matches!(o, SpoolOutcome::Failed { .. }) == failed).count()
    };
    let put = |call| store.spool().put(Box::new(ticket(call))).unwrap();
    let mut call = 0;
    while count(false) < 3 {
        call += 1;
        put(call);
        tokio::time::sleep(ms(1)).await;
    }
    let longest = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).max().unwrap();
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(longest + 4096), ..before }).unwrap();
    while count(true) < 5 {
        call += 1;
        put(call);
        tokio::time::sleep(ms(1)).await;
    }
    let mut status = store.spool().status();
    assert!(status.borrow().trouble.is_some());
    setrlimit(Resource::Fsize, before).unwrap();
    status.wait_for(|s| s.kept == 0).await.unwrap();
    let left = store.close(Duration::from_secs(30)).await;
    println!("\nsummary {} {} {left}", count(false), count(true));
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn a_half_printed_acknowledgement_is_not_counted() {
    let mut seen = BTreeSet::new();
    assert!(note(&format!("ack {}.", id(1)), &mut seen));
    for line in ["ack 00000000000000", "ack ", "running 1 test", &format!("ack {}", id(2))] {
        assert!(!note(line, &mut seen), "{line}");
    }
    assert_eq!(seen.len(), 1);
}
