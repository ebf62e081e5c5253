//! Events per second through the log - its queue, group commits, fsync of what is shipped - and into its copy in PostgreSQL,
//! each beside a bare batch insert of the same rows on the same disk in the same run: `cargo bench --bench store -- events`.

use super::cpu_time;
use super::day;
use super::postgres::Postgres;
use rexian::store::copy::{self, CopyOptions};
use rexian::store::journal::{self, Entry, JournalOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor, Row};
use std::path::Path;
use std::time::{Duration, Instant};

/// Fewer than the log's queue takes: none may be left out.
const MOST: usize = 60_000;
const KEEP: Duration = Duration::from_secs(100 * 365 * 86_400);
const ROUNDS: usize = 3;

/// seq, call, agent and what; as little as tells one event from another.
type Bare = (i64, Option<String>, Option<String>, String);

struct Took {
    wall: Duration,
    cpu: Duration,
}

pub async fn run(dir: &Path, server: Option<&Postgres>) {
    let mut events = day::events(&day::scene(6_000, 40), 1);
    events.retain(|(_, entry)| matches!(entry, Entry::Call(_) | Entry::Agent(_)));
    events.truncate(MOST);
    println!("{:<44}{:>10}{:>12}{:>10}{:>18}", "", "events", "events/s", "x bare", "CPU ms/1,000");
    for round in 0..ROUNDS {
        let log = dir.join(format!("events-{round}.db"));
        let (journal, logged) = write(&log, &events);
        let rows = rows_of(&log).await;
        let bare = sqlite(&dir.join(format!("bare-{round}.db")), &rows).await;
        print("bare batches of 512, SQLite", events.len(), &bare, &bare);
        print("the log", events.len(), &logged, &bare);
        if let Some(server) = server {
            let database = server.database().await;
            let bare = postgres(server, &database, &rows).await;
            let copied = ship(&log, server, &database, &journal, rows.len() as u64).await;
            print("bare batches of 2,000, PostgreSQL", rows.len(), &bare, &bare);
            print("the log's copy", rows.len(), &copied, &bare);
        }
    }
}

fn print(name: &str, events: usize, took: &Took, bare: &Took) {
    let rate = |took: &Took| events as f64 / took.wall.as_secs_f64();
    let cpu = took.cpu.as_secs_f64() * 1e6 / events as f64;
    println!("{name:<44}{events:>10}{:>12.0}{:>10.2}{cpu:>18.2}", rate(took), rate(took) / rate(bare));
}

/// From the first event handed over until all are committed.
fn write(log: &Path, events: &[(rexian::time::Instant, Entry)]) -> (journal::Journal, Took) {
    let (mut journal, status, _) = journal::start(JournalOptions::new(log, KEEP)).unwrap();
    let commits = journal.commits();
    wait(|| *commits.borrow() > 0);
    let (start, cpu) = (Instant::now(), cpu_time());
    for (_, entry) in events {
        match entry {
            Entry::Call(event) => journal.call(event),
            Entry::Agent(event) => journal.agent(event),
            _ => {}
        }
    }
    wait(|| status.read().written == events.len() as u64);
    assert_eq!(status.read().dropped, 0);
    (journal, Took { wall: start.elapsed(), cpu: cpu_time() - cpu })
}

async fn ship(log: &Path, server: &Postgres, database: &str, journal: &journal::Journal, rows: u64) -> Took {
    let table = copy::CopyTable::new(server.local(database));
    table.migrate().await.unwrap();
    let options = CopyOptions::new(log, server.local(database), KEEP);
    let (start, cpu) = (Instant::now(), cpu_time());
    let (status, _) = copy::start(options, journal.commits()).unwrap();
    wait(|| status.borrow().copied == rows);
    Took { wall: start.elapsed(), cpu: cpu_time() - cpu }
}

fn wait(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

async fn rows_of(log: &Path) -> Vec<Bare> {
    let mut conn = SqliteConnectOptions::new().filename(log).connect().await.unwrap();
    let rows = conn.fetch_all("SELECT seq, call, agent, what FROM events ORDER BY seq").await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

/// As the log syncs: when a checkpoint is made.
async fn sqlite(path: &Path, rows: &[Bare]) -> Took {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).disable_statement_logging();
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal);
    let mut conn = options.connect().await.unwrap();
    conn.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, call TEXT, agent TEXT, what TEXT) STRICT").await.unwrap();
    let insert = "INSERT INTO t SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
    let (start, cpu) = (Instant::now(), cpu_time());
    for batch in rows.chunks(512) {
        conn.execute(sqlx::query(insert).bind(serde_json::to_string(batch).unwrap())).await.unwrap();
    }
    Took { wall: start.elapsed(), cpu: cpu_time() - cpu }
}

async fn postgres(server: &Postgres, database: &str, rows: &[Bare]) -> Took {
    let mut conn = server.connect(database).await;
    conn.execute("CREATE TABLE t (seq BIGINT PRIMARY KEY, call TEXT, agent TEXT, what TEXT)").await.unwrap();
    let insert = "INSERT INTO t SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])";
    let (start, cpu) = (Instant::now(), cpu_time());
    for batch in rows.chunks(2_000) {
        let seq: Vec<i64> = batch.iter().map(|row| row.0).collect();
        let call: Vec<_> = batch.iter().map(|row| row.1.clone()).collect();
        let agent: Vec<_> = batch.iter().map(|row| row.2.clone()).collect();
        let what: Vec<_> = batch.iter().map(|row| row.3.clone()).collect();
        conn.execute(sqlx::query(insert).bind(seq).bind(call).bind(agent).bind(what)).await.unwrap();
    }
    Took { wall: start.elapsed(), cpu: cpu_time() - cpu }
}
