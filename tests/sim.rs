//! Whole days of calls under faults, from seeds: every invariant of `sim::invariants`, determinism, save and restore.
//!
//! `REXIAN_SIM_SEEDS=n` shrinks the number of days (default 200), `REXIAN_SIM_SEED=n` runs that one day alone and
//! prints what happened before its first fault (`REXIAN_SIM_TRACE=file`: everything that happened).

use rexian::sim::day::{Scenario, run};
use rexian::sim::invariants::Report;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const CALLS: usize = 1_000;

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|n: String| n.parse::<u64>().ok());
    match number("REXIAN_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("REXIAN_SIM_SEEDS").unwrap_or(200),
    }
}

/// How to see it again, and the last happenings that led to the first fault.
fn explain(seed: u64, scenario: &Scenario, report: &Report) -> String {
    let mut lines = Vec::new();
    run(scenario, Some(&mut |line| lines.push(line)));
    if let Ok(path) = std::env::var("REXIAN_SIM_TRACE") {
        std::fs::write(path, lines.join("\n")).expect("REXIAN_SIM_TRACE names a file that can be written");
    }
    let first = report.faults.first().cloned().unwrap_or_default();
    let time = first.split(' ').next().unwrap_or_default().to_string();
    let until = lines.iter().rposition(|l| l.split(' ').next().is_some_and(|t| t <= time.as_str())).unwrap_or(0);
    let from = until.saturating_sub(60);
    format!(
        "seed {seed}: {} faults\n  {}\nrun it alone: REXIAN_SIM_SEED={seed} cargo test --test sim days\n{scenario:?}\nbefore the first fault:\n  {}",
        report.faults.len(),
        report.faults.join("\n  "),
        lines[from..=until.min(lines.len().saturating_sub(1))].join("\n  "),
    )
}

#[test]
fn days_with_faults_keep_every_invariant() {
    let seeds = seeds();
    let alone = seeds.end - seeds.start == 1;
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new((Report::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let scenario = Scenario::from_seed(seed, CALLS);
                    let report = run(&scenario, None);
                    let mut total = total.lock().unwrap();
                    if report.is_sound() {
                        total.0.add(&report);
                    } else {
                        total.1.push((seed, report));
                    }
                }
            });
        }
    });
    let (total, mut failed) = total.into_inner().unwrap();
    failed.sort_by_key(|(seed, _)| *seed);
    if let Some((seed, report)) = failed.first() {
        let all: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
        for (seed, report) in failed.iter().skip(1) {
            println!("seed {seed}: {}", report.faults.first().cloned().unwrap_or_default());
        }
        panic!("days that went wrong: {all:?}\n{}", explain(*seed, &Scenario::from_seed(*seed, CALLS), report));
    }
    println!("{total:#?}");
    if !alone {
        assert_eq!(total.placed, (seeds.end - seeds.start) * CALLS as u64);
    }
}
