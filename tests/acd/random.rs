//! Random days: seeded, hostile (half the inputs make no sense), with random settings. Step by step the distributor must
//! put out what the oracle does (`oracle`), break none of the promises (`watch`) nor its own invariants, and go on the
//! same after it was saved and restored. A day that fails is cut down to the fewest happenings that still fail.
//!
//! `REXIAN_ACD_SEEDS=n` runs so many days, `REXIAN_ACD_SEED=n` that one alone.

use crate::oracle::Oracle;
use crate::table::queue;
use crate::watch::Watch;
use rexian::acd::{Acd, AcdInput, AcdOutput, Forced, Request, Waits};
use rexian::config::settings::{
    AgentSettings, DistributorSettings, Overflow, QueueSettings, Relaxation, Rona, Strategy,
};
use rexian::event::{AgentState, NotReadyReason, OfferEnd};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SEEDS: u64 = 200;
const STEPS: usize = 2_000;
const SKILLS: [&str; 4] = ["mandarin", "dialect", "english", "korean"];
/// Calls have numbers below this.
const CALLS: u64 = 30;
const START: Instant = Instant(1_000_000_000);

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

    /// Once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize].clone()
    }

    fn secs(&mut self, below: u64) -> Duration {
        Duration::from_secs(self.roll(below))
    }

    fn skills(&mut self, most: u64) -> BTreeMap<Skill, u8> {
        (0..self.roll(most + 1)).map(|_| (self.pick(&SKILLS).into(), self.roll(10) as u8 + 1)).collect()
    }
}

/// Who works by which rules.
#[derive(Clone, Debug)]
struct House {
    queues: Vec<QueueSettings>,
    agents: Vec<AgentSettings>,
    rules: DistributorSettings,
}

impl House {
    fn random(dice: &mut Dice) -> House {
        let queues = (0..1 + dice.roll(6)).map(|i| random_queue(i, dice)).collect();
        // Not in order of their numbers.
        let agents = (0..1 + dice.roll(10)).map(|i| random_agent(6600 + i * 7 % 10, dice)).collect();
        let ageing = Duration::from_millis(1 + dice.roll(30_000));
        let reserve = (0..dice.roll(3)).map(|_| (dice.pick(&SKILLS).into(), dice.roll(4) as u32)).collect();
        House { queues, agents, rules: DistributorSettings { ageing, reserve } }
    }
}

fn random_queue(i: u64, dice: &mut Dice) -> QueueSettings {
    let mut after = Duration::ZERO;
    let relax = (0..dice.roll(4)).map(|_| {
        after += Duration::from_secs(1) + dice.secs(8);
        let mut skills = dice.skills(2);
        if skills.is_empty() {
            skills.insert(dice.pick(&SKILLS).into(), 1);
        }
        Relaxation { after, skills, use_reserve: dice.once_in(3), interpreter: dice.once_in(2) }
    });
    let relax = relax.collect();
    QueueSettings {
        also: if dice.once_in(4) { dice.skills(2) } else { BTreeMap::new() },
        relax,
        priority: dice.roll(10) as u8,
        strategy: dice.pick(&[Strategy::LongestIdle, Strategy::LeastOccupied, Strategy::MostSkilled]),
        prefer_last_agent: dice.once_in(2),
        max_waiting: dice.roll(12) as u32,
        max_wait: dice.once_in(2).then(|| dice.secs(40)),
        overflow: dice
            .once_in(2)
            .then(|| Overflow { queue: QueueName::new("q0"), after: (!dice.once_in(4)).then(|| dice.secs(40)) }),
        ring_timeout: dice.secs(15),
        rona: match dice.roll(4) {
            0 => Rona::SignOut,
            1 => Rona::NotReady,
            _ => Rona::Tolerate(dice.roll(4) as u8),
        },
        wrap_up: dice.secs(10),
        wrap_up_extension: dice.secs(10),
        ..queue(&format!("q{i}"), SKILLS[dice.roll(4) as usize], dice.roll(10) as u8 + 1)
    }
}

fn random_agent(number: u64, dice: &mut Dice) -> AgentSettings {
    let from = START.as_unix_micros() / 1_000_000 + dice.roll(3_000);
    let guest = dice.once_in(8).then(|| (from, from + dice.roll(3_000)));
    AgentSettings { skills: dice.skills(4), guest, ..AgentSettings::new(number.to_string(), []) }
}

/// Something that makes sense at this moment, for a random agent.
fn sensible_input(dice: &mut Dice, acd: &Acd) -> Option<AcdInput> {
    let agents: Vec<_> = acd.agents().collect();
    if agents.is_empty() {
        return None;
    }
    let agent = &agents[dice.roll(agents.len() as u64) as usize];
    let number = agent.number.clone();
    Some(match (agent.state, agent.call) {
        (AgentState::LoggedOut, _) => {
            AcdInput::SignIn { agent: number, seat: SeatNo::new((801 + dice.roll(10)).to_string()) }
        }
        (AgentState::NotReady(_), _) => AcdInput::Ready { agent: number },
        (AgentState::Reserved, Some(call)) if dice.once_in(2) => AcdInput::Answered { call },
        (AgentState::Reserved, Some(call)) if dice.once_in(3) => AcdInput::Leave { call },
        (AgentState::Reserved, Some(call)) if dice.once_in(2) => AcdInput::LeaveRinging { call },
        (AgentState::Reserved, None) if dice.once_in(2) => AcdInput::SeatQuiet { seat: agent.seat?.clone() },
        (AgentState::Reserved, _) => AcdInput::NotReady { agent: number, reason: NotReadyReason::Forced },
        (AgentState::Talking, Some(call)) if dice.once_in(2) => AcdInput::Held { call },
        (AgentState::Hold, Some(call)) if dice.once_in(2) => AcdInput::Resumed { call },
        (AgentState::Talking | AgentState::Hold, Some(_)) if dice.once_in(3) => AcdInput::SignOut { agent: number },
        (AgentState::Talking | AgentState::Hold, Some(_)) if dice.once_in(6) => AcdInput::Dismiss { agent: number },
        (AgentState::Talking | AgentState::Hold, Some(call)) if dice.once_in(4) => AcdInput::NotReached { call },
        (AgentState::Talking | AgentState::Hold, Some(call)) if dice.once_in(5) => AcdInput::SeatDead { call },
        (AgentState::Talking | AgentState::Hold, Some(call)) => AcdInput::TalkEnded { call },
        (AgentState::Engaged, _) => AcdInput::SeatFree { seat: agent.seat?.clone() },
        (AgentState::WrapUp, _) => AcdInput::ExtendWrapUp { agent: number },
        _ => return None,
    })
}

fn random_input(dice: &mut Dice, now: Instant) -> AcdInput {
    use NotReadyReason as Not;
    let number = 6600 + dice.roll(11);
    let agent = AgentNo::new(number.to_string());
    let seat = SeatNo::new((801 + dice.roll(10)).to_string());
    let call = CallId(dice.roll(CALLS));
    let queue = QueueName::new(format!("q{}", dice.roll(7)));
    match dice.roll(60) {
        0..3 => AcdInput::SignIn { agent, seat },
        3 => AcdInput::SignOut { agent },
        4..12 => AcdInput::Ready { agent },
        12 => AcdInput::NotReady { agent, reason: dice.pick(&[Not::Break, Not::Busy, Not::Forced, Not::Unreachable]) },
        13 => AcdInput::SeatLost { seat },
        14..16 => AcdInput::SeatReachable { seat },
        16..27 => {
            let earlier = if dice.once_in(3) { dice.roll(60) } else { 0 };
            AcdInput::Enqueue(Request {
                call,
                queue,
                since: Instant(now.0.saturating_sub(earlier * 1_000_000)),
                priority: dice.once_in(3).then(|| dice.roll(10) as u8),
                preferred: dice.once_in(2).then_some(agent),
                waits: if dice.once_in(5) { Waits::ForCallback } else { Waits::OnTheLine },
            })
        }
        27 => AcdInput::Leave { call },
        28 => dice.pick(&[AcdInput::LeaveRinging { call }, AcdInput::SeatQuiet { seat }]),
        29..35 => AcdInput::Answered { call },
        35 | 36 => {
            use OfferEnd::*;
            AcdInput::OfferFailed { call, why: dice.pick(&[NoAnswer, Busy, Declined, Unreachable, Failed, Withdrawn]) }
        }
        37 => AcdInput::Held { call },
        38 => AcdInput::Resumed { call },
        39..42 => AcdInput::TalkEnded { call },
        42..46 => AcdInput::Requeue { call, queue },
        46 | 47 => AcdInput::MoveUp { call },
        48 => AcdInput::NotReached { call },
        49 => {
            let to = dice.pick(&[Forced::Ready, Forced::Ready, Forced::NotReady, Forced::SignOut]);
            AcdInput::Force { agent, to, by: AgentNo::new("6601") }
        }
        50 => AcdInput::ExtendWrapUp { agent },
        51 => AcdInput::SetSkills { agent, skills: dice.skills(4) },
        52 => AcdInput::Admit(random_agent(number, dice)),
        53 | 54 => AcdInput::SeatEngaged { seat },
        55 => AcdInput::SeatFree { seat },
        56 => AcdInput::Taken { request: Request::of_caller(call, queue, now), agent },
        58 => AcdInput::CannotRing { call, until: Instant(now.0 + 1_000_000) },
        57 => AcdInput::PutBack(Request::of_caller(call, queue, now)),
        _ => AcdInput::Dismiss { agent },
    }
}

#[derive(Clone, Debug)]
struct Happening {
    at: Instant,
    /// `None`: time passes.
    input: Option<AcdInput>,
    /// Comes before the timers that are due already, as an input may that lay in the inbox with the alarm.
    first: bool,
    /// Saved and restored before the outputs are taken out.
    restored: bool,
}

/// A day as far as it has come, seen by all three.
struct Day {
    acd: Acd,
    oracle: Oracle,
    watch: Watch,
    steps: usize,
    /// Looks at every call after each step, which is slow.
    thorough: bool,
    log: Vec<AcdOutput>,
    refused: usize,
    accepted: usize,
}

impl Day {
    fn new(house: &House, thorough: bool) -> Day {
        Day {
            acd: Acd::new(&house.queues, &house.agents, &house.rules),
            oracle: Oracle::new(&house.queues, &house.agents, &house.rules),
            watch: Watch::new(&house.queues, &house.agents, &house.rules),
            steps: 0,
            thorough,
            log: Vec::new(),
            refused: 0,
            accepted: 0,
        }
    }

    /// `Err`: what went wrong.
    fn live(&mut self, happening: &Happening) -> Result<(), String> {
        let Happening { at, input, first, restored } = happening;
        let due = |day: &Day| day.acd.next_timeout().is_some_and(|due| due <= *at);
        if due(self) && !(*first && input.is_some()) {
            self.acd.handle_timeout(*at);
            let expected = self.oracle.handle_timeout(*at);
            self.watch.timers_run(*at);
            self.compare(*at, None, expected, *restored)?;
            self.watch.nothing_is_late(*at)?;
        }
        let Some(input) = input else { return Ok(()) };
        // To the last bit, but not every time: it costs more than the step.
        let before = self.steps.is_multiple_of(4).then(|| self.saved());
        let result = self.acd.handle(*at, input.clone());
        if result.is_err() && before.is_some_and(|before| self.saved() != before) {
            return Err(format!("a refused {input:?} changed something"));
        }
        let (accepted, expected) = self.oracle.handle(*at, input);
        if result.is_ok() != accepted {
            return Err(format!(
                "the oracle {} it, the distributor says {result:?}",
                ["refuses", "accepts"][usize::from(accepted)]
            ));
        }
        self.accepted += usize::from(accepted);
        self.refused += usize::from(!accepted);
        self.compare(*at, Some(input).filter(|_| accepted), expected, *restored)
    }

    fn compare(
        &mut self,
        at: Instant,
        input: Option<&AcdInput>,
        expected: Vec<AcdOutput>,
        restored: bool,
    ) -> Result<(), String> {
        self.steps += 1;
        if restored {
            // Undrained outputs are part of the state.
            let bytes = self.saved();
            self.acd = postcard::from_bytes(&bytes).map_err(|e| format!("cannot be restored: {e}"))?;
            if self.saved() != bytes {
                return Err("saved, restored and saved again: other bytes".into());
            }
        }
        let outputs: Vec<AcdOutput> = std::iter::from_fn(|| self.acd.next_output()).collect();
        if outputs != expected {
            let list = |all: &[AcdOutput]| all.iter().map(|output| format!("\n  {output:?}")).collect::<String>();
            return Err(format!("expected:{}\ncame:{}", list(&expected), list(&outputs)));
        }
        self.watch.step(at, input, &outputs)?;
        self.acd.check()?;
        // What operations staff are alerted by, computed beside the matcher. An input may come before timers that are due.
        let in_time = self.acd.next_timeout().is_none_or(|due| due > at) && !self.watch.is_dumb();
        let stranded = self.acd.stranded(at).into_iter().find(|(_, calls)| in_time && *calls > 0);
        if let Some((queue, calls)) = stranded {
            return Err(format!("{calls} callers of {queue} wait although an idle agent could serve them"));
        }
        if self.acd.next_timeout() != self.oracle.next_timeout() {
            return Err(format!(
                "next timer {:?}, by the oracle {:?}",
                self.acd.next_timeout(),
                self.oracle.next_timeout()
            ));
        }
        for agent in self.acd.agents() {
            if Some(agent.state) != self.oracle.state(agent.number) {
                return Err(format!(
                    "{} is {:?}, by the oracle {:?}",
                    agent.number,
                    agent.state,
                    self.oracle.state(agent.number)
                ));
            }
        }
        let one = self.steps as u64 % CALLS;
        for call in if self.thorough { 0..CALLS } else { one..one + 1 }.map(CallId) {
            let (position, by_oracle) = (self.acd.position(call), self.oracle.position(call));
            if position != by_oracle {
                return Err(format!("position of {call:?} {position:?}, by the oracle {by_oracle:?}"));
            }
        }
        self.log.extend(outputs);
        Ok(())
    }

    fn saved(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.acd).expect("saves")
    }
}

/// Generates the day of this seed while it goes on. The happenings are the same whether it is restored on the way or not.
fn day(seed: u64, restores: bool) -> Day {
    let mut dice = Dice(seed);
    let house = House::random(&mut dice);
    // On every fourth day inputs come before timers that are due.
    let (hasty, pace) = (seed % 4 == 3, 1 + dice.roll(4));
    let mut day = Day::new(&house, false);
    let mut story: Vec<Happening> = Vec::new();
    let mut now = START;
    for _ in 0..STEPS {
        // Often no time passes at all: ties are where orders go wrong.
        now = now + dice.secs(pace);
        let sensible = if dice.once_in(2) { sensible_input(&mut dice, &day.acd) } else { None };
        let input = sensible.unwrap_or_else(|| random_input(&mut dice, now));
        let (first, restored) = (dice.once_in(2) && hasty, dice.once_in(20) && restores);
        let happening = Happening { at: now, input: (!dice.once_in(12)).then_some(input), first, restored };
        story.push(happening.clone());
        let lived = catch_unwind(AssertUnwindSafe(|| day.live(&happening))).unwrap_or_else(|_| Err("panicked".into()));
        if let Err(problem) = lived {
            panic!("{}", explain(seed, &house, story, &problem));
        }
    }
    day
}

/// The shortest story found that still goes wrong, and how to see it again.
fn explain(seed: u64, house: &House, mut story: Vec<Happening>, problem: &str) -> String {
    let goes_wrong = |story: &[Happening]| {
        let mut day = Day::new(house, true);
        catch_unwind(AssertUnwindSafe(|| story.iter().try_for_each(|h| day.live(h)).err()))
            .unwrap_or(Some("panicked".into()))
    };
    let mut last = problem.to_owned();
    let mut size = story.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < story.len() {
            let mut shorter = story.clone();
            shorter.drain(from..(from + size).min(story.len()));
            // The same fault, not another one that the cut brought about.
            match goes_wrong(&shorter).filter(|other| class(other) == class(problem)) {
                Some(problem) => (story, last) = (shorter, problem),
                None => from += size,
            }
        }
        size /= 2;
    }
    let mut text = format!("seed {seed}: {problem}\n\ncut down to {} happenings: {last}\n\n", story.len());
    let _ = writeln!(text, "{:?}", house.rules);
    for q in &house.queues {
        let _ = writeln!(
            text,
            "{}: {} {} also {:?} priority {} {:?} prefer {} full at {} waits {:?} overflow {:?} ring {:?} {:?} wrap-up {:?} + {:?}",
            q.name,
            q.skill,
            q.min_level,
            q.also,
            q.priority,
            q.strategy,
            q.prefer_last_agent,
            q.max_waiting,
            q.max_wait,
            q.overflow,
            q.ring_timeout,
            q.rona,
            q.wrap_up,
            q.wrap_up_extension
        );
        for step in &q.relax {
            let _ = writeln!(text, "    {step:?}");
        }
    }
    for a in &house.agents {
        let _ = writeln!(text, "{}: {:?} {:?}", a.number, a.skills, a.guest);
    }
    for h in &story {
        let _ = writeln!(text, "{:?} {:?}{}", h.at, h.input, [" ", " (before due timers)"][usize::from(h.first)]);
    }
    let _ = write!(text, "\nrun it alone: REXIAN_ACD_SEED={seed} cargo test --test acd oracle");
    text
}

/// The first words, without names and numbers.
fn class(problem: &str) -> Vec<&str> {
    let problem = problem.lines().next().unwrap_or_default();
    problem.split([' ', '\n']).filter(|word| word.chars().all(|c| c.is_ascii_lowercase())).take(3).collect()
}

fn kind(output: &AcdOutput) -> &'static str {
    match output {
        AcdOutput::Offer { chosen, .. } if chosen.preferred => "preferred",
        AcdOutput::Offer { chosen, .. } if chosen.interpreter => "with interpreter",
        AcdOutput::Offer { chosen, .. } if chosen.step > 0 => "by a later step",
        AcdOutput::Offer { .. } => "offer",
        AcdOutput::Relaxed { .. } => "relaxed",
        AcdOutput::OverflowDue { .. } => "overflow due",
        AcdOutput::OfferTimedOut { .. } => "offer timed out",
        AcdOutput::OfferWithdrawn { .. } => "offer withdrawn",
        AcdOutput::QueueTimeout { .. } => "queue timeout",
        AcdOutput::Agent(event) if event.by.is_some() => "forced",
        AcdOutput::Agent(event) => event.state.as_str(),
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|n: String| n.parse::<u64>().ok());
    match number("REXIAN_ACD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("REXIAN_ACD_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn decides_as_the_oracle_does_and_keeps_its_promises() {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in seeds() {
        let day = day(seed, true);
        *seen.entry("accepted").or_default() += day.accepted;
        *seen.entry("refused").or_default() += day.refused;
        day.log.iter().for_each(|output| *seen.entry(kind(output)).or_default() += 1);
    }
    println!("{seen:?}");
    let all = [
        "accepted",
        "refused",
        "offer",
        "preferred",
        "with interpreter",
        "by a later step",
        "relaxed",
        "overflow due",
        "offer timed out",
        "offer withdrawn",
        "queue timeout",
        "forced",
        "logged_out",
        "not_ready",
        "ready",
        "reserved",
        "talking",
        "hold",
        "wrap_up",
    ];
    for what in all {
        let often = seen.get(what).is_some_and(|&times| times >= 100);
        assert!(often || seeds().end - seeds().start < SEEDS, "{what} hardly happened: {seen:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_restored_on_the_way_or_not() {
    for seed in [42, 43, 47] {
        let (plain, again, restored) = (day(seed, false), day(seed, false), day(seed, true));
        assert_eq!((&plain.log, plain.saved()), (&again.log, again.saved()), "seed {seed}");
        assert_eq!((&plain.log, plain.saved()), (&restored.log, restored.saved()), "seed {seed}, restored on the way");
    }
    assert_ne!(day(42, false).log, day(43, false).log);
}
