//! Surges through the whole gateway in virtual time: the burst of twelve times the usual calls for five minutes, and the
//! day of 16,000 calls on 60 seats. What came of each caller is told a second time by a plain list that knows a queue,
//! sixty people and a number of channels, and nothing of SIP or of `acd/`; figures are counted from that list, which is
//! the carriers' side: who called when, whom a human answered, who gave up, who heard that all channels were busy.

use rexian::config::settings::{
    AnswerMode, Cidr, CoreSettings, Profile as Peer, QueueSettings, Reliable, TrunkSettings,
};
use rexian::event::EndCause;
use rexian::sim::day::{self, Arrivals, Scenario};
use rexian::sim::forecast::{
    Burst, Citizen, DAY, Day, Demand, Language, Patience, Post, Profile, Scene, Spread, WrapUp, run,
};
use rexian::sla::Counters;
use rexian::time::Instant;
use std::time::Duration;

const SEATS: usize = 60;
const WITHIN: Duration = Duration::from_secs(15);
const SHORT: Duration = Duration::from_secs(5);
const MIDNIGHT: Instant = Instant::from_unix_secs(1_795_276_800);
/// The city's hourly share of calls in percent, from midnight.
const CURVE: [f64; 24] = [
    0.6, 0.4, 0.3, 0.25, 0.25, 0.4, 1.2, 2.9, 6.6, 9.4, 9.2, 6.8, 4.3, 5.2, 8.2, 8.6, 7.9, 6.4, 5.1, 4.7, 4.4, 3.6,
    2.1, 1.2,
];

fn scene(calls: u32, bursts: Vec<Burst>, channels: u32) -> Scene {
    let queue = QueueSettings {
        numbers: ["12345".to_string()].into(),
        max_waiting: u32::MAX,
        ring_timeout: Duration::from_secs(120),
        announce_agent: false,
        within: WITHIN,
        short_abandon: SHORT,
        ..QueueSettings::new("citizens", "mandarin")
    };
    let peer = Peer { answer: AnswerMode::OnPickup, reliable: Reliable::Never, ..Peer::new("plain") };
    let network = Cidr { address: [10, 1, 0, 2].into(), prefix: 24 };
    let trunk = TrunkSettings { max_calls: 10_000, ..TrunkSettings::new("carrier", vec![network], peer) };
    let mut settings = CoreSettings { trunks: vec![trunk], queues: vec![queue], ..CoreSettings::bare() };
    settings.limits.max_calls = channels;
    settings.limits.max_transactions = 100_000;
    settings.media.pairs = 5_000;
    let post = |i: usize| Post {
        agent: (6_000 + i).to_string(),
        skills: [("mandarin".into(), 5)].into(),
        duty: vec![(Duration::ZERO, DAY)],
    };
    let profile = Profile {
        calls,
        curve: CURVE,
        talk: Spread { mu: 4.759, sigma: 0.833 },
        wrap_up: WrapUp::Drawn(Spread::of(Duration::from_secs(30), 0.8)),
        ring: Spread::of(Duration::from_secs(4), 0.5),
        patience: Patience { hasty: 0.02, hasty_within: SHORT, mean: Duration::from_secs(300) },
        languages: vec![Language { name: "zh".into(), share: 1.0, number: "12345".into() }],
        surge: 1.0,
        bursts,
    };
    Scene { settings, posts: (0..SEATS).map(post).collect(), demand: Demand::Profile(profile), midnight: MIDNIGHT }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered(Duration),
    GaveUp(Duration),
    ChannelsBusy,
}

/// What a citizen is doing on the list; `until` the moment given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Waits,
    Rings(Instant),
    Talks(Instant),
    /// The agent of this citizen works on alone.
    Written(Instant),
}

/// The list: first come, first served, by whoever of the sixty is free.
fn by_list(citizens: &[Citizen], channels: usize) -> Vec<Fate> {
    let came = |i: usize| MIDNIGHT + citizens[i].at;
    let gives_up = |i: usize| came(i) + citizens[i].patience;
    let mut fates: Vec<Option<Fate>> = vec![None; citizens.len()];
    let mut list: Vec<(usize, Doing)> = Vec::new();
    let mut next = 0;
    loop {
        let moment = |(i, doing): &(usize, Doing)| match doing {
            Doing::Waits => gives_up(*i),
            Doing::Rings(until) => (*until).min(gives_up(*i)),
            Doing::Talks(until) | Doing::Written(until) => *until,
        };
        let coming = (next < citizens.len()).then(|| came(next));
        let Some(now) = list.iter().map(moment).chain(coming).min() else { break };
        for (i, doing) in &mut list {
            match *doing {
                Doing::Waits | Doing::Rings(_) if gives_up(*i) == now => {
                    fates[*i] = Some(Fate::GaveUp(now - came(*i)));
                }
                Doing::Rings(until) if until == now => {
                    fates[*i] = Some(Fate::Answered(now - came(*i)));
                    *doing = Doing::Talks(now + citizens[*i].talk);
                }
                Doing::Talks(until) if until == now => {
                    *doing = Doing::Written(now + citizens[*i].wrap_up.expect("drawn"));
                }
                _ => {}
            }
        }
        list.retain(|(i, doing)| match doing {
            Doing::Waits | Doing::Rings(_) => fates[*i].is_none(),
            Doing::Talks(_) => true,
            Doing::Written(until) => *until != now,
        });
        if coming == Some(now) {
            let up = list.iter().filter(|(_, doing)| !matches!(doing, Doing::Written(_))).count();
            if up < channels {
                list.push((next, Doing::Waits));
            } else {
                fates[next] = Some(Fate::ChannelsBusy);
            }
            next += 1;
        }
        let busy = list.iter().filter(|(_, doing)| *doing != Doing::Waits).count();
        let first = list.iter_mut().filter(|(_, doing)| *doing == Doing::Waits).take(SEATS - busy);
        for (i, doing) in first {
            *doing = Doing::Rings(now + citizens[*i].ring);
        }
    }
    fates.into_iter().map(|fate| fate.expect("everybody's call ends")).collect()
}

/// The service figures of the list, by the formulas of the hotline's rules. Wrap-ups are left out: the last of the day may
/// still be going on.
fn recount(citizens: &[Citizen], fates: &[Fate]) -> Counters {
    let mut c = Counters::default();
    for (citizen, fate) in citizens.iter().zip(fates) {
        let waited = match *fate {
            Fate::ChannelsBusy => continue,
            Fate::Answered(wait) => {
                c.answered += 1;
                c.answered_within += u64::from(wait <= WITHIN);
                c.answered_wait += wait;
                c.talks += 1;
                c.talk += micros(citizen.talk);
                wait
            }
            Fate::GaveUp(wait) => {
                c.abandoned_within += u64::from(wait <= WITHIN);
                wait
            }
        };
        c.offered += 1;
        c.longest_wait = c.longest_wait.max(waited);
    }
    c
}

/// The gateway's clock has no smaller unit.
fn micros(time: Duration) -> Duration {
    Duration::from_micros(time.as_micros() as u64)
}

/// Everything that must hold of a surge; how many of the citizens were answered, gave up, heard busy.
fn hold(scene: &Scene, seed: u64) -> [usize; 3] {
    let citizens = scene.demand.citizens(seed);
    let listed = by_list(&citizens, scene.settings.limits.max_calls as usize);
    let day: Day = run(scene, seed);
    assert_eq!(day.calls.len(), citizens.len());
    for (i, (row, listed)) in day.calls.iter().zip(&listed).enumerate() {
        let gave_up = [EndCause::AbandonedInQueue, EndCause::AbandonedRinging, EndCause::ShortAbandon];
        let fate = match (row.turned_away, row.is_answered(), row.cause) {
            (Some(503), false, None) => Fate::ChannelsBusy,
            (None, true, Some(EndCause::CallerHangUp)) => Fate::Answered(row.wait),
            (None, false, Some(cause)) if gave_up.contains(&cause) => Fate::GaveUp(row.wait),
            other => panic!("citizen {i} met with {other:?}"),
        };
        assert_eq!(fate, *listed, "citizen {i}, by the gateway and by the list");
    }
    nobody_is_overtaken(&citizens, &day);

    let (theirs, ours) = (day.total.total(), recount(&citizens, &listed));
    let lost: u64 = theirs.lost.values().sum();
    let count = |which: fn(&Fate) -> bool| listed.iter().filter(|fate| which(fate)).count();
    let gave_up = count(|fate| matches!(fate, Fate::GaveUp(_)));
    let short = count(|fate| matches!(fate, Fate::GaveUp(wait) if *wait < SHORT));
    assert_eq!((lost, theirs.abandoned(), theirs.short_abandons()), (gave_up as u64, gave_up as u64, short as u64));
    let plain = Counters { lost: Default::default(), wrap_ups: 0, wrap_up: Duration::ZERO, ..theirs.clone() };
    assert_eq!(plain, ours, "the service figures, counted by the gateway's events and by the list");
    [count(|fate| matches!(fate, Fate::Answered(_))), gave_up, count(|fate| *fate == Fate::ChannelsBusy)]
}

/// Of equal callers the earlier is rung for first: pickup less ringing is in the order of arrival.
fn nobody_is_overtaken(citizens: &[Citizen], day: &Day) {
    let rung = citizens.iter().zip(&day.calls).filter(|(_, row)| row.is_answered());
    let rung: Vec<Instant> =
        rung.map(|(c, row)| Instant((MIDNIGHT + c.at + row.wait).0 - c.ring.as_micros() as u64)).collect();
    let overtaken = rung.windows(2).position(|pair| pair[1] < pair[0]);
    assert_eq!(overtaken, None, "somebody was rung for before an earlier caller");
}

#[test]
fn a_day_of_16_000_calls_on_60_seats() {
    // More channels than callers who ever wait at once: nobody may be turned away.
    let [answered, gave_up, busy] = hold(&scene(16_000, vec![], 2_000), 1);
    println!("answered {answered}, gave up {gave_up}, channels busy {busy}");
    assert_eq!(busy, 0);
    // The domain facts say 88 % connected.
    assert!((0.84..0.92).contains(&(answered as f64 / 16_000.0)), "{answered} answered");
}

#[test]
fn twelve_times_the_calls_for_five_minutes() {
    let minutes = |m: u64| Duration::from_secs(60 * m);
    let burst = Burst { at: minutes(10 * 60), length: minutes(5), times: 12.0 };
    // Seven E1 of 30 channels.
    let [answered, gave_up, busy] = hold(&scene(8_000, vec![burst], 210), 2);
    println!("answered {answered}, gave up {gave_up}, channels busy {busy}");
    assert!(busy > 100, "the burst did not fill the channels: {busy}");
    assert!(answered > 7_000, "the day outside the burst was served: {answered}");
}

/// The control: one channel less on the list is another story.
#[test]
fn a_list_with_another_limit_is_found_out() {
    let burst = Burst { at: Duration::from_secs(3_600), length: Duration::from_secs(300), times: 2_000.0 };
    let scene = scene(1_500, vec![burst], 210);
    let citizens = scene.demand.citizens(3);
    let day = run(&scene, 3);
    let busy = |fates: &[Fate]| fates.iter().filter(|fate| **fate == Fate::ChannelsBusy).count();
    let seen = day.calls.iter().filter(|row| row.turned_away == Some(503)).count();
    assert!(seen > 0, "the channels never were full");
    assert_eq!(seen, busy(&by_list(&citizens, 210)));
    assert_ne!(seen, busy(&by_list(&citizens, 209)));
}

/// The stricter world, with its audit of every invariant: phones, two trunks, tickets, a queue that is full at forty.
#[test]
fn a_flood_breaks_no_invariant() {
    let mut flood = Scenario::fair_weather(5, 3_000);
    (flood.agents, flood.linguists) = (60, 12);
    // Sixty agents serve about one call a second.
    flood.arrivals = Arrivals::Rate(12.0);
    let report = day::run(&flood, None);
    println!("{:?}", report.causes);
    assert!(report.is_sound(), "{:#?}", report.faults);
    assert!(report.causes[&EndCause::QueueFull] > 1_000, "no flood: {report:#?}");
    // The queue is full before the channels are: nobody hears 503.
    assert_eq!(report.placed, report.arrived);
}
