//! Random days: seeded, hostile (half the inputs make no sense), compared step by step with the oracle, with the invariants
//! checked after each step and the distributor restored from bytes in the middle.

use crate::oracle::Oracle;
use crate::table::queue;
use rexian::acd::{Acd, AcdInput, AcdOutput, Request};
use rexian::config::settings::{AgentSettings, QueueSettings};
use rexian::event::{AgentState, NotReadyReason, OfferEnd};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo};
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

const SEEDS: u64 = 400;
const STEPS: usize = 500;
const SKILLS: [&str; 4] = ["mandarin", "dialect", "english", "korean"];

struct Dice(u64);

impl Dice {
    /// 0 to `below` - 1 (SplitMix64).
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize].clone()
    }

    fn secs(&mut self, below: u64) -> Duration {
        Duration::from_secs(self.roll(below))
    }
}

fn random_queues(dice: &mut Dice) -> Vec<QueueSettings> {
    let one = |i: u64, dice: &mut Dice| QueueSettings {
        priority: dice.roll(3) as u8,
        max_waiting: dice.roll(12) as u32,
        max_wait: (dice.roll(2) == 0).then(|| dice.secs(60)),
        ring_timeout: dice.secs(15),
        wrap_up: dice.secs(10),
        ..queue(&format!("q{i}"), SKILLS[dice.roll(4) as usize], dice.roll(10) as u8 + 1)
    };
    (0..1 + dice.roll(6)).map(|i| one(i, dice)).collect()
}

fn random_agents(dice: &mut Dice) -> Vec<AgentSettings> {
    let one = |i: u64, dice: &mut Dice| AgentSettings {
        skills: (0..dice.roll(4)).map(|_| (dice.pick(&SKILLS).into(), dice.roll(10) as u8 + 1)).collect(),
        // Not in order of their numbers.
        ..AgentSettings::new((6600 + i * 7 % 10).to_string(), [])
    };
    (0..1 + dice.roll(10)).map(|i| one(i, dice)).collect()
}

/// Something that makes sense at this moment, for a random agent.
fn sensible_input(dice: &mut Dice, acd: &Acd) -> Option<AcdInput> {
    let agents: Vec<_> = acd.agents().collect();
    let agent = &agents[dice.roll(agents.len() as u64) as usize];
    let number = agent.number.clone();
    Some(match (agent.state, agent.call) {
        (AgentState::LoggedOut, _) => {
            AcdInput::SignIn { agent: number, seat: SeatNo::new((801 + dice.roll(10)).to_string()) }
        }
        (AgentState::NotReady(_), _) => AcdInput::Ready { agent: number },
        (AgentState::Reserved, Some(call)) if dice.roll(2) == 0 => AcdInput::Answered { call },
        (AgentState::Reserved, Some(call)) if dice.roll(3) == 0 => AcdInput::Leave { call },
        (AgentState::Reserved, Some(call)) if dice.roll(2) == 0 => AcdInput::LeaveRinging { call },
        (AgentState::Reserved, None) if dice.roll(2) == 0 => AcdInput::SeatQuiet { seat: agent.seat?.clone() },
        (AgentState::Reserved, _) => AcdInput::NotReady { agent: number, reason: NotReadyReason::Forced },
        (AgentState::Talking, Some(call)) if dice.roll(2) == 0 => AcdInput::Held { call },
        (AgentState::Hold, Some(call)) if dice.roll(2) == 0 => AcdInput::Resumed { call },
        (AgentState::Talking | AgentState::Hold, Some(_)) if dice.roll(3) == 0 => AcdInput::SignOut { agent: number },
        (AgentState::Talking | AgentState::Hold, Some(call)) => AcdInput::TalkEnded { call },
        _ => return None,
    })
}

fn random_input(dice: &mut Dice, now: Instant) -> AcdInput {
    use NotReadyReason as Not;
    let agent = AgentNo::new((6600 + dice.roll(11)).to_string());
    let seat = SeatNo::new((801 + dice.roll(10)).to_string());
    let call = CallId(dice.roll(24));
    match dice.roll(40) {
        0..3 => AcdInput::SignIn { agent, seat },
        3 => AcdInput::SignOut { agent },
        4..12 => AcdInput::Ready { agent },
        12 => AcdInput::NotReady { agent, reason: dice.pick(&[Not::Break, Not::Busy, Not::Forced, Not::Unreachable]) },
        13 => AcdInput::SeatLost { seat },
        14..16 => AcdInput::SeatReachable { seat },
        16..25 => {
            let queue = QueueName::new(format!("q{}", dice.roll(7)));
            let earlier = if dice.roll(4) == 0 { dice.roll(30) } else { 0 };
            AcdInput::Enqueue(Request::of_caller(call, queue, Instant(now.0.saturating_sub(earlier * 1_000_000))))
        }
        25 => AcdInput::Leave { call },
        26 => dice.pick(&[AcdInput::LeaveRinging { call }, AcdInput::SeatQuiet { seat }]),
        27..33 => AcdInput::Answered { call },
        33 => {
            use OfferEnd::*;
            AcdInput::OfferFailed { call, why: dice.pick(&[NoAnswer, Busy, Declined, Unreachable, Failed, Withdrawn]) }
        }
        34 => AcdInput::Held { call },
        35 => AcdInput::Resumed { call },
        _ => AcdInput::TalkEnded { call },
    }
}

fn kind(output: &AcdOutput) -> &'static str {
    match output {
        AcdOutput::Offer { .. } => "offer",
        AcdOutput::Relaxed { .. } => "relaxed",
        AcdOutput::OverflowDue { .. } => "overflow due",
        AcdOutput::OfferTimedOut { .. } => "offer timed out",
        AcdOutput::OfferWithdrawn { .. } => "offer withdrawn",
        AcdOutput::QueueTimeout { .. } => "queue timeout",
        AcdOutput::Agent(event) => event.state.as_str(),
    }
}

/// One day; what was decided how often.
fn day(seed: u64, seen: &mut BTreeMap<&'static str, usize>) -> Vec<AcdOutput> {
    let mut dice = Dice(seed);
    let (queues, agents) = (random_queues(&mut dice), random_agents(&mut dice));
    let mut acd = Acd::new(&queues, &agents, &Default::default());
    let mut oracle = Oracle::new(&queues, &agents);
    let mut now = Instant(1_000_000_000);
    let mut log = Vec::new();
    for step in 0..STEPS {
        let context = format!("seed {seed}, step {step}");
        // Often no time passes at all: ties are where orders go wrong.
        now = now + dice.secs(3);
        assert_eq!(acd.next_timeout(), oracle.next_timeout(), "{context}");
        let expected = if acd.next_timeout().is_some_and(|at| at <= now) {
            acd.handle_timeout(now);
            oracle.handle_timeout(now)
        } else {
            let sensible = if dice.roll(3) == 0 { sensible_input(&mut dice, &acd) } else { None };
            let input = sensible.unwrap_or_else(|| random_input(&mut dice, now));
            let before = postcard::to_stdvec(&acd).unwrap();
            let result = acd.handle(now, input.clone());
            if result.is_err() {
                assert_eq!(
                    postcard::to_stdvec(&acd).unwrap(),
                    before,
                    "{context}: a refused {input:?} changed something"
                );
            }
            *seen.entry(if result.is_ok() { "accepted" } else { "refused" }).or_default() += 1;
            let (accepted, outputs) = oracle.handle(now, &input);
            assert_eq!(result.is_ok(), accepted, "{context}: {input:?} gave {result:?}");
            outputs
        };
        if dice.roll(20) == 0 {
            // Undrained outputs are part of the state.
            acd =
                postcard::from_bytes(&postcard::to_stdvec(&acd).unwrap()).unwrap_or_else(|e| panic!("{context}: {e}"));
        }
        let outputs: Vec<AcdOutput> = std::iter::from_fn(|| acd.next_output()).collect();
        assert_eq!(outputs, expected, "{context}");
        acd.check().unwrap_or_else(|problem| panic!("{context}: {problem}"));
        let call = CallId(dice.roll(24));
        assert_eq!(acd.position(call), oracle.position(call), "{context}: position of {call:?}");
        for agent in acd.agents() {
            assert_eq!(Some(agent.state), oracle.state(agent.number), "{context}: {}", agent.number);
        }
        for output in &outputs {
            *seen.entry(kind(output)).or_default() += 1;
        }
        log.extend(outputs);
    }
    log
}

#[test]
fn decides_as_the_oracle_does_on_random_days() {
    let mut seen = BTreeMap::new();
    for seed in 0..SEEDS {
        day(seed, &mut seen);
    }
    let all = [
        "accepted",
        "refused",
        "offer",
        "offer timed out",
        "offer withdrawn",
        "queue timeout",
        "logged_out",
        "not_ready",
        "ready",
        "reserved",
        "talking",
        "hold",
        "wrap_up",
    ];
    for what in all {
        assert!(seen.get(what).is_some_and(|&times| times >= 100), "{what} hardly happened: {seen:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let mut seen = BTreeMap::new();
    assert_eq!(day(42, &mut seen), day(42, &mut seen));
    assert_ne!(day(42, &mut seen), day(43, &mut seen));
}
