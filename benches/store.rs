//! Pickup to durable ticket, beside a bare single-row commit on the same disk in the same run; and what a ticket costs
//! in CPU from `put` to the case store at a steady rate. The same of PostgreSQL, where its programs are installed; it is
//! started on the disk of REXIAN_BENCH_DIR (default: here; its user `nobody` must get there).
//!
//! `cargo bench --bench store -- history`: caller history among 10 million tickets (REXIAN_BENCH_TICKETS).
//! `cargo bench --bench store -- tally`: the work on 300,000 tickets of a month, counted (REXIAN_BENCH_TICKETS).
//! `cargo bench --bench store -- events`: events per second through the log and into its copy.

#[path = "store/database.rs"]
mod database;
#[path = "../tests/journal/day.rs"]
mod day;
#[path = "store/events.rs"]
mod events;
#[path = "store/history.rs"]
mod history;
#[path = "../tests/common/postgres.rs"]
mod postgres;
#[path = "store/tally.rs"]
mod tally;

use rexian::cases::sqlite::SqliteCases;
use rexian::ids::CallId;
use rexian::store::{DeliverOptions, SpoolOptions, SpoolOutcome, Store};
use rexian::ticket::NewTicket;
use rexian::time::Instant as At;
use rustix::time::{ClockId, clock_gettime};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// As a site has it, with memory for many tickets.
const DURABLE: &str = "fsync = on\nshared_buffers = '512MB'\nmax_wal_size = '8GB'";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir_in(std::env::var("REXIAN_BENCH_DIR").unwrap_or_else(|_| ".".into())).unwrap();

    // PostgreSQL refuses to run as root, and its user must get to its folder.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let server = postgres::available().then(|| postgres::Postgres::start_in(dir.path(), DURABLE));
    if std::env::args().any(|argument| argument == "events") {
        return runtime.block_on(events::run(dir.path(), server.as_ref()));
    }
    let tickets = |usual| std::env::var("REXIAN_BENCH_TICKETS").map_or(usual, |n| n.parse().expect("a number"));
    if std::env::args().any(|argument| argument == "tally") {
        return runtime.block_on(tally::run(dir.path(), tickets(300_000)));
    }
    if std::env::args().any(|argument| argument == "history") {
        return runtime.block_on(history::run(dir.path(), tickets(10_000_000), server.as_ref()));
    }

    let bare = runtime.block_on(bare_commits(&dir.path().join("bare.db"), 500));
    let (report, heard) = mpsc::channel();
    let store = runtime.block_on(open(dir.path(), move |o| report.send((o.len(), Instant::now())).unwrap()));
    // The signalling loop is a thread of its own; so is the tokio runtime that carries the store.
    let spool = store.spool();
    let (one_by_one, steady) = std::thread::scope(|s| {
        let load = s.spawn(move || {
            let mut one_by_one = Vec::new();
            for call in 0..500 {
                let start = Instant::now();
                spool.put(Box::new(ticket(call))).unwrap();
                one_by_one.push(heard.recv().unwrap().1 - start);
                std::thread::sleep(Duration::from_millis(3));
            }
            let steady: Vec<_> = [100, 1_000, 4_000].map(|rate| steady(&spool, &heard, rate)).into();
            (one_by_one, steady)
        });
        while !load.is_finished() {
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
        load.join().unwrap()
    });
    let left = runtime.block_on(store.close(Duration::from_secs(20)));
    assert_eq!(left, 0);

    println!("{:<44}{:>10}{:>10}{:>10}", "pickup to durable, us", "p50", "p99", "x bare p50");
    let base = percentile(&bare, 50);
    for (name, all) in [("bare single-row commit", &bare), ("put to Spooled, one at a time", &one_by_one)] {
        let (p50, p99) = (percentile(all, 50), percentile(all, 99));
        println!("{name:<44}{p50:>10.0}{p99:>10.0}{:>10.2}", p50 / base);
    }
    if let Some(server) = &server {
        let [bare, single, batches] = runtime.block_on(database::run(server, 500));
        let base = percentile(&bare, 50);
        for (name, all) in [
            ("PostgreSQL: bare single-row commit", &bare),
            ("PostgreSQL: a ticket opened", &single),
            ("PostgreSQL: 64 tickets in a batch", &batches),
        ] {
            let (p50, p99) = (percentile(all, 50), percentile(all, 99));
            println!("{name:<44}{p50:>10.0}{p99:>10.0}{:>10.2}", p50 / base);
        }
    }
    println!(
        "\n{:<44}{:>10}{:>10}{:>10}{:>14}",
        "at a steady rate, to the case store", "p50", "p99", "CPU/s", "CPU us/ticket"
    );
    for s in &steady {
        let name = format!("{} tickets/s", s.rate);
        let (p50, p99) = (percentile(&s.latency, 50), percentile(&s.latency, 99));
        println!(
            "{name:<44}{p50:>10.0}{p99:>10.0}{:>9.1}%{:>14.1}",
            s.cpu.as_secs_f64() / s.wall.as_secs_f64() * 100.0,
            s.cpu.as_secs_f64() * 1e6 / s.latency.len() as f64
        );
    }
}

struct Steady {
    rate: u64,
    latency: Vec<Duration>,
    cpu: Duration,
    wall: Duration,
}

/// Two seconds of tickets at `rate`, in order; outcomes come in the same order.
fn steady(spool: &rexian::store::Spool, heard: &mpsc::Receiver<(usize, Instant)>, rate: u64) -> Steady {
    let (count, start, cpu) = (rate * 2, Instant::now(), cpu_time());
    let mut put_at = Vec::new();
    let mut latency = Vec::new();
    let mut note = |put_at: &[Instant], (n, at): (usize, Instant)| {
        for _ in 0..n {
            latency.push(at - put_at[latency.len()]);
        }
    };
    for n in 0..count {
        let due = start + Duration::from_secs_f64(n as f64 / rate as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        put_at.push(Instant::now());
        spool.put(Box::new(ticket((rate << 32) + n))).unwrap();
        for report in heard.try_iter() {
            note(&put_at, report);
        }
    }
    let mut status = spool.status();
    while status.borrow_and_update().depth > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    for report in heard.try_iter() {
        note(&put_at, report);
    }
    assert_eq!(latency.len(), count as usize);
    Steady { rate, latency, cpu: cpu_time() - cpu, wall: start.elapsed() }
}

async fn open(dir: &Path, sink: impl FnMut(&[SpoolOutcome]) + Send + 'static) -> Store {
    let cases = SqliteCases::new(dir.join("cases.db"), "JN");
    Store::open(SpoolOptions::new(dir.join("spool.db")), DeliverOptions::default(), cases, sink).await.unwrap()
}

async fn bare_commits(path: &Path, n: u64) -> Vec<Duration> {
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .unwrap();
    conn.execute("CREATE TABLE t (call INTEGER PRIMARY KEY, ticket TEXT)").await.unwrap();
    let mut all = Vec::new();
    for call in 0..n {
        let json = serde_json::to_string(&ticket(call)).unwrap();
        let start = Instant::now();
        conn.execute(sqlx::query("INSERT INTO t VALUES (?, ?)").bind(call as i64).bind(json)).await.unwrap();
        all.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    all
}

fn percentile(all: &[Duration], p: usize) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort();
    sorted[(sorted.len() * p / 100).min(sorted.len() - 1)].as_secs_f64() * 1e6
}

fn cpu_time() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

fn ticket(call: u64) -> NewTicket {
    let at = At::from_unix_secs(1_795_312_800);
    NewTicket {
        call: CallId(call),
        channel: "phone".into(),
        dnis: "12345".into(),
        tenant: "jinan".into(),
        test_call: false,
        cli_raw: Some("013800005678".into()),
        cli_e164: Some("+8613800005678".into()),
        cli_withheld: false,
        language: Some("zh-CN".into()),
        sip_call_id: format!("{call:032x}@198.51.100.7"),
        icid: Some("icid-value-0123456789".into()),
        trunk: "unicom".into(),
        queue: "mandarin".into(),
        skill: "mandarin".into(),
        arrived_at: at,
        queued_at: at,
        ring_at: at,
        answered_at: at,
        wait_ms: 0,
        within_n: true,
        agent: "6632".into(),
        seat: "801".into(),
        legs: vec![format!("{call:032x}@198.51.100.7"), format!("{call:032x}@rexian")],
        route: "line 12345: mandarin; 6632".into(),
    }
}
