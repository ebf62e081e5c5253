//! A 20,000-call day: folding its events into facts, and the report from them in each form, as a user waits for it. The
//! aim is under a second; beside it, in the same run, SQLite's bare reading of the same records.

#[path = "../tests/journal/day.rs"]
mod day;

use rexian::store::facts::catch_up;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};
use std::process::{Command, Stdio};
use std::time::Instant;

const CALLS: u32 = 20_000;
const SEATS: usize = 110;
const DATE: &str = "2026-11-22";

fn main() {
    let dir = tempfile::tempdir_in(std::env::var("REXIAN_BENCH_DIR").unwrap_or_else(|_| ".".into())).unwrap();
    let (log, facts) = (dir.path().join("rexian-events.db"), dir.path().join("rexian-facts.db"));
    let events = day::events(&day::scene(CALLS, SEATS), 1);
    day::write(&log, &events);

    let begun = Instant::now();
    catch_up(&log, &facts).unwrap();
    let folded = begun.elapsed();
    let per_event = folded.as_secs_f64() * 1e6 / events.len() as f64;
    println!("{:<44}{:>9.0} ms{per_event:>9.1} us/event of {}", "folding the day", ms(folded), events.len());

    let bare = best(|| bare_read(&facts));
    println!("{:<44}{:>9.0} ms", "bare SELECT of the day's records", ms(bare));
    for form in ["--json", "--html", "--csv", "--compliance"] {
        let time = best(|| report(dir.path(), &["report", "--day", DATE, form]));
        println!(
            "{:<44}{:>9.0} ms{:>9.1} x bare",
            format!("rexian report --day {form}"),
            ms(time),
            ms(time) / ms(bare)
        );
    }
    let time = best(|| report(dir.path(), &["export", "cdr", "--from", DATE]));
    println!("{:<44}{:>9.0} ms", "rexian export cdr", ms(time));
    let time = best(|| report(dir.path(), &["export", "queue-log", "--from", DATE]));
    println!("{:<44}{:>9.0} ms", "rexian export queue-log (from raw events)", ms(time));
}

fn report(folder: &std::path::Path, args: &[&str]) {
    let command =
        Command::new(env!("CARGO_BIN_EXE_rexian")).args(args).current_dir(folder).stdout(Stdio::null()).status();
    assert!(command.unwrap().success());
}

fn bare_read(facts: &std::path::Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut conn = SqliteConnectOptions::new().filename(facts).connect().await.unwrap();
        let rows = conn.fetch_all("SELECT record FROM calls").await.unwrap();
        assert!(rows.len() as u32 >= CALLS * 9 / 10, "{}", rows.len());
    });
}

fn best(mut work: impl FnMut()) -> std::time::Duration {
    let once = |()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    [(); 5].map(once).into_iter().min().unwrap()
}

fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
