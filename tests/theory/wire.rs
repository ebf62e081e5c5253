//! The same floors through the whole gateway: SIP from carriers and to phones, tickets, media commands. It must change
//! nothing: every caller waits exactly as on the bare floor, and so as theory says.

use crate::erlang::{Day, Seen, TALK};
use crate::figures::over_seeds;
use crate::floor::{Caller, Crowd, Fate, House, START};
use rexian::config::settings::{
    AnswerMode, Cidr, CoreSettings, Profile as Peer, QueueSettings, Reliable, TrunkSettings,
};
use rexian::sim::erlang::{Steady, erlang_a, erlang_c};
use rexian::sim::forecast::{DAY, Demand, PastCall, PastDay, Patience, Post, Profile, Scene, Spread, WrapUp, run};
use rexian::sim::rng::Rng;
use std::time::Duration;

const AGENTS: u32 = 5;
/// Longer than the day: nobody gives up.
const FOR_EVER: Duration = Duration::from_secs(10 * 86_400);

/// A day in which these callers come, and nothing but them is drawn by chance.
fn scene(callers: &[Caller]) -> Scene {
    let queue = QueueSettings {
        numbers: ["12345".to_string()].into(),
        max_waiting: u32::MAX,
        wrap_up: Duration::ZERO,
        announce_agent: false,
        ..QueueSettings::new("all", "mandarin")
    };
    let peer = Peer { answer: AnswerMode::OnPickup, reliable: Reliable::Never, ..Peer::new("plain") };
    let network = Cidr { address: [10, 1, 0, 2].into(), prefix: 24 };
    let trunk = TrunkSettings { max_calls: 10_000, ..TrunkSettings::new("carrier", vec![network], peer) };
    let mut settings = CoreSettings { trunks: vec![trunk], queues: vec![queue], ..CoreSettings::bare() };
    settings.limits.max_calls = 10_000;
    settings.limits.max_transactions = 100_000;
    settings.media.pairs = 20_000;
    let post = |i: u32| Post {
        agent: (6_000 + i).to_string(),
        skills: [("mandarin".into(), 5)].into(),
        duty: vec![(Duration::ZERO, DAY)],
    };
    let call = |c: &Caller| PastCall {
        at: c.at - START,
        dialled: "12345".into(),
        queue: None,
        talk: Some(c.talk),
        wait: c.patience.unwrap_or(FOR_EVER),
        gave_up: true,
    };
    let nothing_else = Profile {
        calls: 0,
        curve: [1.0; 24],
        talk: Spread::NONE,
        wrap_up: WrapUp::AsTheQueueSays,
        ring: Spread::NONE,
        patience: Patience { hasty: 0.0, hasty_within: Duration::ZERO, mean: FOR_EVER },
        languages: vec![rexian::sim::forecast::Language { name: "zh".into(), share: 1.0, number: "12345".into() }],
        surge: 1.0,
        bursts: vec![],
    };
    let past = PastDay { calls: callers.iter().map(call).collect() };
    Scene {
        settings,
        posts: (0..AGENTS).map(post).collect(),
        demand: Demand::Past(past, nothing_else),
        midnight: START,
    }
}

/// What became of each caller on the wire.
fn on_the_wire(callers: &[Caller]) -> Vec<Fate> {
    let day = run(&scene(callers), 1);
    assert_eq!(day.calls.len(), callers.len());
    let fate = |(row, caller): (&rexian::sim::forecast::CallRow, &Caller)| match &row.agent {
        Some(agent) => {
            Fate::Served { at: caller.at + row.wait, agent: agent.clone(), step: row.step, interpreter: false }
        }
        None => Fate::Left,
    };
    day.calls.iter().zip(callers).map(fate).collect()
}

fn holds(crowd: Crowd, theory: Steady, name: &str) {
    const WARM_UP: usize = 200;
    let theory = Steady {
        mean_wait: theory.mean_wait * TALK.as_secs_f64(),
        mean_wait_if_any: theory.mean_wait_if_any * TALK.as_secs_f64(),
        ..theory
    };
    let days = over_seeds(77, 24, |mut rng: Rng| {
        // As many as a day holds for sure.
        let count = (crowd.per_second * 80_000.0) as usize;
        let callers = crowd.draw(&mut rng, count);
        let (wire, floor) = (on_the_wire(&callers), House::of_equals(AGENTS).run(&callers));
        for (i, (wire, floor)) in wire.iter().zip(&floor).enumerate() {
            assert_eq!(wire, floor, "{name}: caller {i} on the wire and on the bare floor");
        }
        (Day::of(&crowd, &callers, &wire, WARM_UP, AGENTS), count - WARM_UP)
    });
    let counted = days[0].1;
    let days: Vec<Day> = days.into_iter().map(|(day, _)| day).collect();
    let seen = Seen::of(&days, counted);
    println!("{name} | {}", seen.row(&theory));
    let faults = seen.disagreements(&theory);
    assert!(faults.is_empty(), "{name}: {faults:#?}");
    let slower = erlang_a(AGENTS, crowd.per_second * TALK.as_secs_f64() * 1.25, 300.0 / TALK.as_secs_f64());
    let too_far = Steady { mean_wait: slower.mean_wait * TALK.as_secs_f64() * 1.25, ..slower };
    assert!(!seen.disagreements(&too_far).is_empty(), "{name}: another floor would have passed as well");
}

#[test]
fn erlang_c_holds_through_the_whole_gateway() {
    let load = 0.8 * f64::from(AGENTS);
    let crowd = Crowd { per_second: load / TALK.as_secs_f64(), talk: TALK, patience: None };
    holds(crowd, erlang_c(AGENTS, load).expect("can be carried"), "C, 5 agents at 0.80     ");
}

#[test]
fn erlang_a_holds_through_the_whole_gateway() {
    let (load, patience) = (1.1 * f64::from(AGENTS), Duration::from_secs(300));
    let crowd = Crowd { per_second: load / TALK.as_secs_f64(), talk: TALK, patience: Some(patience) };
    let theory = erlang_a(AGENTS, load, patience.as_secs_f64() / TALK.as_secs_f64());
    holds(crowd, theory, "A, 5 agents at 1.10, 300");
}
