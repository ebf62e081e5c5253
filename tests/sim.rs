//! Whole days of calls under faults, from seeds: every invariant of `sim::invariants`, determinism, save and restore.
//!
//! `REXIAN_SIM_SEEDS=n` sets the number of days (default 200), `REXIAN_SIM_HOSTILE_SEEDS=n` that of days on a hostile
//! network (default 60, at busy desks 40; 1,000 before a release: some CPU-minutes), `REXIAN_SIM_SEED=n` runs that one day alone and
//! prints what led to its first fault (`REXIAN_SIM_TRACE=file`: everything that happened).

use rexian::event::EndCause;
use rexian::sim::day::{Arrivals, Scenario, SpoolWeather, run};
use rexian::sim::invariants::Report;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const CALLS: usize = 1_000;

/// Of a day on a hostile network: many short days find more than few long ones.
const HOSTILE_CALLS: usize = 150;

fn seeds(how_many: &str, default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|n: String| n.parse::<u64>().ok());
    match number("REXIAN_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number(how_many).unwrap_or(default),
    }
}

/// How to see it again, and what led to the first fault: the story of the call it names, or else what came before it.
fn explain(seed: u64, scenario: &Scenario, report: &Report) -> String {
    let mut lines = Vec::new();
    run(scenario, Some(&mut |line| lines.push(line)));
    if let Ok(path) = std::env::var("REXIAN_SIM_TRACE") {
        std::fs::write(path, lines.join("\n")).expect("REXIAN_SIM_TRACE names a file that can be written");
    }
    let first = report.faults.first().cloned().unwrap_or_default();
    let story: Vec<&String> = match names(&first, &lines) {
        names if !names.is_empty() => lines.iter().filter(|l| names.iter().any(|n| l.contains(n))).collect(),
        _ => {
            let time = first.split(' ').next().unwrap_or_default();
            let until = lines.iter().rposition(|l| l.split(' ').next().is_some_and(|t| t <= time));
            lines[..until.map_or(0, |i| i + 1)].iter().collect()
        }
    };
    let last = &story[story.len().saturating_sub(80)..];
    let faults = report.faults.join("\n  ");
    let happened: Vec<&str> = last.iter().map(|l| l.as_str()).collect();
    format!(
        "seed {seed}: {} faults\n  {faults}\nrun it alone: REXIAN_SIM_SEED={seed} cargo test --test sim days_ (with_faults, hostile or desks)\n\
         {scenario:?}\nwhat led to the first:\n  {}",
        report.faults.len(),
        happened.join("\n  "),
    )
}

/// The SIP Call-ID in a fault's parentheses and the gateway's name for that call.
fn names(fault: &str, lines: &[String]) -> Vec<String> {
    let Some(sip) = fault.split(['(', ')']).find(|part| part.contains('@')) else { return Vec::new() };
    let arrival = lines.iter().find(|l| l.contains("Arrived") && l.contains(sip));
    let call = arrival.and_then(|l| l.split("call-").nth(1)).map(|rest| rest[..16].to_string());
    [Some(sip.to_string()), call].into_iter().flatten().collect()
}

/// Runs these days on two threads; panics over those that went wrong, and adds up the others.
fn run_all(seeds: std::ops::Range<u64>, scenario: impl Fn(u64) -> Scenario + Sync) -> Report {
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
                    let report = run(&scenario(seed), None);
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
        panic!("days that went wrong: {all:?}\n{}", explain(*seed, &scenario(*seed), report));
    }
    total
}

/// Loss, repeats, overtaking, two seconds of delay; phones and carriers that die in a call and come back as others.
#[test]
fn days_on_a_hostile_network_keep_every_invariant() {
    let seeds = seeds("REXIAN_SIM_HOSTILE_SEEDS", 60);
    let days = seeds.end - seeds.start;
    let total = run_all(seeds, |seed| Scenario::hostile(seed, HOSTILE_CALLS));
    println!("{total:#?}");
    if days >= 50 {
        assert!(total.answered * 2 > total.placed, "{} of {} calls answered", total.answered, total.placed);
        // What came of those whose carrier or agent vanished.
        for turn in ["handed over", "handed back", "taken over", "joined"] {
            assert!(
                total.turns.get(turn).is_some_and(|n| *n * 2 > days),
                "hardly any call was {turn}: {:?}",
                total.turns
            );
        }
        for cause in [EndCause::MediaTimeout, EndCause::TrunkFault] {
            assert!(total.causes.get(&cause).is_some_and(|n| *n > days), "{cause:?}: {:?}", total.causes);
        }
    }
}

/// The same with agents and shift leaders at their pages, who order whatever comes to their minds; half of them at seats in
/// browsers, whose pages die, reload and come back late, and whose clicks are lost, doubled or late.
#[test]
fn days_at_busy_desks_keep_every_invariant() {
    let seeds = seeds("REXIAN_SIM_HOSTILE_SEEDS", 40);
    let days = seeds.end - seeds.start;
    let total = run_all(seeds, |seed| Scenario::busy_desks(seed, HOSTILE_CALLS));
    println!("{total:#?}");
    if days >= 40 {
        let desk = ["consulted", "in three", "surveyed", "listened to", "taken from above", "handed over"];
        for turn in desk.into_iter().chain(["left by the page", "back at the page"]) {
            assert!(total.turns.get(turn).is_some_and(|n| *n * 2 > days), "hardly any was {turn}: {:?}", total.turns);
        }
    }
}

#[test]
fn days_with_faults_keep_every_invariant() {
    let seeds = seeds("REXIAN_SIM_SEEDS", 200);
    let alone = seeds.end - seeds.start == 1;
    let total = run_all(seeds.clone(), |seed| Scenario::from_seed(seed, CALLS));
    println!("{total:#?}");
    if !alone {
        assert_eq!(total.placed, (seeds.end - seeds.start) * CALLS as u64);
    }
    if seeds.end - seeds.start >= 100 {
        // The days held what they are for; otherwise the invariants were kept by nothing happening.
        let mut causes: Vec<EndCause> = EndCause::ALL.to_vec();
        // Who hangs up during a notice is deflected, these queues wait for an agent to sign in, nobody is called back, and
        // no phone dials, nor passes on to somebody outside for hours.
        causes.retain(|c| {
            use EndCause::{AbandonedBeforeQueue, CallbackTaken, Joined, NoAgents, NotReached, PartyHangUp, TimeLimit};
            !matches!(
                c,
                AbandonedBeforeQueue | NoAgents | CallbackTaken | NotReached | PartyHangUp | Joined | TimeLimit
            )
        });
        let missing: Vec<_> = causes.iter().filter(|c| !total.causes.contains_key(c)).collect();
        assert!(missing.is_empty(), "no call ended as {missing:?}");
        assert!(total.answered * 10 > total.placed * 7, "{} of {} calls answered", total.answered, total.placed);
        for turn in ["moved", "relaxed", "announced", "passed on", "taken over", "preferred", "interpreted"] {
            assert!(total.turns.get(turn).is_some_and(|n| *n > 50), "hardly any call was {turn}: {:?}", total.turns);
        }
        assert!(total.lost_in_crash > 100 && total.unspooled > 100, "too few crashes or failing stores");
    }
}

/// Days that broke something once, with what they found.
type Regression = (&'static str, fn() -> Scenario);
const REGRESSIONS: [Regression; 5] = [
    ("who clicked on a page that had just begun anew, and was not heard yet, left the other side in silence", || {
        Scenario::busy_desks(18, HOSTILE_CALLS)
    }),
    ("the same of a caller who was picked up there", || Scenario::busy_desks(31, HOSTILE_CALLS)),
    (
        "an offer withdrawn before a dead phone said anything is repeated to the phone that came back (RFC 3261 s9.1): \
         it must be refused or cancelled, not counted as a second call",
        || Scenario::from_seed(11, CALLS),
    ),
    ("a citizen who hangs up while the ticket is on its way to the disk: one pickup, one ticket, one end", || {
        Scenario { spool: SpoolWeather::Slow, ..Scenario::fair_weather(76, CALLS) }
    }),
    (
        "an agent at a phone with one line was ready, and rung, while still dialling *13: 486, not ready, for ever",
        || Scenario { single_line: true, arrivals: Arrivals::Rate(1.0), ..Scenario::fair_weather(1, CALLS) },
    ),
];

#[test]
fn days_that_broke_something_once() {
    for (what, scenario) in REGRESSIONS {
        let scenario = scenario();
        let report = run(&scenario, None);
        assert!(report.is_sound(), "again: {what}\n{}", explain(scenario.seed, &scenario, &report));
    }
}

#[test]
fn saved_and_restored_in_mid_day_the_outputs_are_identical() {
    for seed in [3, 11, 24, 31] {
        let plain = Scenario { crashes: 0, ..Scenario::from_seed(seed, 300) };
        let carried_over = Scenario { restore_every: Some(97), ..plain.clone() };
        let (plain, carried_over) = (run(&plain, None), run(&carried_over, None));
        assert!(plain.steps > 97 * 20, "the gateway was hardly ever restored");
        assert_eq!(plain, carried_over, "seed {seed}");
    }
}

/// With seats in browsers in talk, or reloading.
#[test]
fn saved_and_restored_at_busy_desks_the_outputs_are_identical() {
    for seed in [3, 18, 31] {
        let plain = Scenario { crashes: 0, ..Scenario::busy_desks(seed, HOSTILE_CALLS) };
        let carried_over = Scenario { restore_every: Some(41), ..plain.clone() };
        assert_eq!(run(&plain, None), run(&carried_over, None), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let hashes: Vec<u64> = (0..6).map(|seed| run(&Scenario::from_seed(seed, 200), None).hash).collect();
    let again: Vec<u64> = (0..6).map(|seed| run(&Scenario::from_seed(seed, 200), None).hash).collect();
    assert_eq!(hashes, again);
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len(), "different seeds are different days");
}

#[test]
fn in_fair_weather_every_call_is_answered_or_given_up_by_the_citizen() {
    let mut answered = 0;
    for seed in 0..5 {
        // Enough agents for everybody: two thirds busy.
        let mut scenario = Scenario::fair_weather(seed, 400);
        scenario.agents = 60;
        scenario.linguists = 30;
        scenario.arrivals = Arrivals::Rate(0.5);
        let report = run(&scenario, None);
        assert!(report.is_sound(), "{}", explain(seed, &scenario, &report));
        for (cause, n) in &report.causes {
            let usual = matches!(
                cause,
                EndCause::CallerHangUp
                    | EndCause::AgentHangUp
                    | EndCause::ShortAbandon
                    | EndCause::AbandonedInQueue
                    | EndCause::AbandonedRinging
                    | EndCause::UnknownNumber
            );
            assert!(usual, "seed {seed}: {n} calls ended as {cause:?}");
        }
        assert_eq!((report.unspooled, report.second_calls), (0, 0), "seed {seed}");
        assert_eq!(report.tickets, report.answered, "seed {seed}");
        answered += report.answered;
    }
    assert!(answered > 5 * 400 * 9 / 10, "only {answered} of 2,000 calls were answered");
}

#[test]
fn a_day_by_the_citys_curve() {
    let scenario = Scenario { arrivals: Arrivals::DayCurve(4_000.0), ..Scenario::fair_weather(2, 1_500) };
    let report = run(&scenario, None);
    assert!(report.is_sound(), "{}", explain(2, &scenario, &report));
    assert!(report.answered > 1_300, "{report:#?}");
}
