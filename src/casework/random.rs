//! Random commands by random people on random days: no invalid state is ever reached, the history explains every state,
//! what is refused changes nothing. And the deadlines against a count of days that knows nothing of ours.

use super::tests::*;
use super::words::*;
use super::*;
use crate::time::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.throw(from.len())].clone()
    }
}

fn command(dice: &mut Dice) -> Command {
    let texts = ["理由", "", "x", "很长的说明", "\u{0}"];
    let departments = [BUREAU, "水务集团", "没有这个单位"];
    match dice.throw(8) {
        0 => Command::FillIn(Box::new(Fill {
            kind: (dice.throw(2) == 0).then(|| dice.pick(Kind::ALL)),
            category: (dice.throw(2) == 0).then(|| dice.pick(&["01.01", "01.02", "02", "01", "9"]).into()),
            urgency: (dice.throw(3) == 0).then(|| dice.pick(Urgency::ALL)),
            confidential: (dice.throw(4) == 0).then(|| dice.throw(2) == 0),
            title: (dice.throw(2) == 0).then(|| dice.pick(&texts).into()),
            content: (dice.throw(2) == 0).then(|| dice.pick(&texts).into()),
            repeat_of: (dice.throw(6) == 0).then(|| "JN20261101000001".into()),
            ..Fill::default()
        })),
        1 => Command::Dispatch { lead: Some(dice.pick(&departments).into()), assisting: None },
        2 => Command::AskExtension { days: dice.throw(13) as u32, reason: dice.pick(&texts).into() },
        3 => Command::RecordCallback(Callback::Reached {
            process: dice.pick(Satisfaction::ALL),
            result: dice.pick(Satisfaction::ALL),
            solved: dice.throw(2) == 0,
        }),
        _ => dice.pick(&commands()),
    }
}

/// What may follow what, as the standard's chain draws it; a stage may also stay.
const CHAIN: [(Stage, &[Stage]); 10] = [
    (Stage::Draft, &[Stage::Accepted, Stage::Settled]),
    (Stage::Accepted, &[Stage::AwaitingDispatch, Stage::Settled]),
    (Stage::AwaitingDispatch, &[Stage::Dispatched]),
    (Stage::Dispatched, &[Stage::SignedFor, Stage::AwaitingDispatch]),
    (Stage::SignedFor, &[Stage::InHand, Stage::AwaitingDispatch]),
    (Stage::InHand, &[Stage::Settled, Stage::AwaitingDispatch]),
    (Stage::Settled, &[Stage::AwaitingCallback, Stage::Archived]),
    (Stage::AwaitingCallback, &[Stage::CalledBack]),
    (Stage::CalledBack, &[Stage::AwaitingDispatch, Stage::Accepted, Stage::Archived]),
    (Stage::Archived, &[]),
];

fn check(world: &World) {
    let case = &world.ticket.case;
    assert_eq!(case.version as usize, world.history.len());
    assert_eq!(Case::of(&world.history).as_ref(), Ok(case), "the history explains the state");
    assert_eq!(case.transfer_due.is_none(), world.ticket.opening.test_call);
    let stage = case.status.stage();
    if stage > Stage::Draft && !matches!(case.status.disposition(), Some(Disposition::Police | Disposition::Declined)) {
        assert_eq!(case.matter.missing(&world.rules), [], "{stage:?} and not filled in");
    }
    if stage == Stage::Archived {
        let passed = case.status.disposition() == Some(Disposition::Passed);
        assert!(!passed || case.status.callback().is_some(), "archived and nobody was called back");
    }
    assert!(case.extensions <= world.rules.limits.extensions);
    let extended = |e: &Entry| matches!(e.change, Change::Extended { .. });
    assert_eq!(case.times.extended as usize, world.history.iter().filter(|e| extended(e)).count());
    assert!(case.missed.is_empty() || case.overdue);
    assert!(!case.overdue || case.supervised.contains(&Trigger::Late));
    let late_once =
        world.history.iter().filter(|e| matches!(&e.change, Change::Supervised { trigger: Trigger::Late, .. }));
    assert!(late_once.count() <= 1);
    if let Some((_, due)) = case.alarm() {
        assert!(case.due() <= Some(due));
    }
    for entry in &world.history {
        let secret = format!("{:?}", entry.change.masked(Sight::Identity));
        assert!(!secret.contains("张三") && !secret.contains("13800005678"));
    }
}

#[test]
fn random_lives_never_reach_an_invalid_state() {
    let (mut taken, mut refused, mut reached) = (0, 0, BTreeSet::new());
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let mut world = World::new(seed % 10 == 0);
        let mut now = world.ticket.opening.received_at;
        for _ in 0..120 {
            now = now + Duration::from_secs(dice.throw(5) as u64 * 20_000);
            // The right person for the next step half of the time, or no life would go far.
            let stage = world.ticket.case.status.stage();
            let next: Vec<Command> = commands().into_iter().filter(|c| rights::fits(c.action(), stage)).collect();
            let command = if next.is_empty() || dice.throw(2) == 0 { command(&mut dice) } else { dice.pick(&next) };
            let role = match rights::holders(command.action()) {
                holders if dice.throw(4) > 0 => dice.pick(&holders),
                _ => dice.pick(Role::ALL),
            };
            let before = world.ticket.clone();
            match world.apply(now, &actor(role), command) {
                Ok(()) => {
                    taken += 1;
                    let entries = &world.history[before.case.version as usize..];
                    let mut case = before.case.clone();
                    for entry in entries {
                        let from = case.status.stage();
                        case.take(entry).unwrap();
                        let to = case.status.stage();
                        reached.insert((from, to));
                        assert!(from == to || CHAIN[from as usize].1.contains(&to), "{from:?} to {to:?} by {entry:?}");
                    }
                    assert!(entries.iter().all(|e| e.at == now && e.by == actor(role)), "who and when");
                }
                Err(refusal) => {
                    refused += 1;
                    assert_eq!(world.ticket, before, "seed {seed}: {refusal}");
                    assert!(!refusal.zh().is_empty() && refusal.zh() != refusal.en());
                }
            }
            check(&world);
        }
    }
    assert!(taken > 4_000 && refused > 4_000, "{taken} taken, {refused} refused");
    let steps: usize = CHAIN.iter().map(|(_, to)| to.len()).sum();
    let moved = reached.iter().filter(|(from, to)| from != to).count();
    assert_eq!(moved, steps, "not every step was taken: {reached:?}");
}

#[test]
fn a_history_that_was_tampered_with_is_found_out() {
    let world = at_stage(Stage::Archived);
    for missing in 0..world.history.len() {
        let mut history = world.history.clone();
        let gone = history.remove(missing);
        if !matches!(gone.change, Change::Filled(_) | Change::Supervised { .. } | Change::Archived) {
            assert!(Case::of(&history).is_err(), "without {gone:?}");
        }
    }
}

/// Year, month, day and weekday (Sunday 0) of a day number, counted by the almanac's rules alone.
fn almanac(days: i64) -> (i64, i64, i64, i64) {
    let (mut year, mut left) = (1970, days);
    let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    while left >= if leap(year) { 366 } else { 365 } {
        left -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    (year, month as i64 + 1, left + 1, (days + 4) % 7)
}

/// Month and day.
type Date = (i64, i64);

/// The notices' own words: first and last day off, and the weekend days worked.
fn worked(days: i64) -> bool {
    let (year, month, day, weekday) = almanac(days);
    let off: &[(Date, Date)] = match year {
        2025 => &[
            ((1, 1), (1, 1)),
            ((1, 28), (2, 4)),
            ((4, 4), (4, 6)),
            ((5, 1), (5, 5)),
            ((5, 31), (6, 2)),
            ((10, 1), (10, 8)),
        ],
        2026 => &[
            ((1, 1), (1, 3)),
            ((2, 15), (2, 23)),
            ((4, 4), (4, 6)),
            ((5, 1), (5, 5)),
            ((6, 19), (6, 21)),
            ((9, 25), (9, 27)),
            ((10, 1), (10, 7)),
        ],
        _ => &[],
    };
    let on: &[Date] = match year {
        2025 => &[(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)],
        2026 => &[(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)],
        _ => &[],
    };
    let today = (month, day);
    on.contains(&today) || !(weekday == 0 || weekday == 6 || off.iter().any(|(a, b)| (*a..=*b).contains(&today)))
}

#[test]
fn deadlines_equal_a_count_on_the_fingers() {
    let rules = Rules::default();
    // Every 5 hours and 7 minutes from the end of 2024 to the beginning of 2027.
    let (first, last) = (1_735_000_000_u64, 1_799_000_000);
    for seconds in (first..last).step_by(18_420) {
        for days in [0, 2, 5, 10] {
            let local = seconds as i64 + 8 * 3_600;
            let mut day = local / 86_400;
            let late = local % 86_400 >= (17 * 60 + 30) * 60;
            if late || !worked(day) {
                day += 1;
                while !worked(day) {
                    day += 1;
                }
            }
            let mut left = days;
            while left > 0 {
                day += 1;
                left -= u32::from(worked(day));
            }
            let (year, month, date, _) = almanac(day);
            let expected = format!("{year:04}-{month:02}-{date:02}");
            let due = rules.due(Instant::from_unix_secs(seconds), days).to_string();
            assert_eq!(due, expected, "{days} working days from {seconds}");
        }
    }
}
