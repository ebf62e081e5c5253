//! A floor in virtual time around the real distributor and nothing else: callers come, talk and give up as drawn beforehand,
//! agents pick up at once and need no wrap-up. Not here: telephones (`wire`), judging the figures (`erlang`).

use rexian::acd::{Acd, AcdInput, AcdOutput, Request};
use rexian::config::settings::{AgentSettings, DistributorSettings, QueueSettings};
use rexian::ids::{AgentNo, CallId, SeatNo};
use rexian::sim::rng::Rng;
use rexian::time::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

pub const START: Instant = Instant::from_unix_secs(1_795_305_600);

#[derive(Clone, Debug)]
pub struct House {
    pub queues: Vec<QueueSettings>,
    pub agents: Vec<AgentSettings>,
    pub rules: DistributorSettings,
}

/// What a caller brings along.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub at: Instant,
    /// Index into the house's queues.
    pub queue: usize,
    pub talk: Duration,
    pub patience: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Served { at: Instant, agent: AgentNo, step: u8, interpreter: bool },
    Left,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    TalkEnds(usize),
    GivesUp(usize),
    Arrives(usize),
}

impl House {
    /// Equal agents, one queue.
    pub fn of_equals(agents: u32) -> House {
        let queue =
            QueueSettings { max_waiting: u32::MAX, wrap_up: Duration::ZERO, ..QueueSettings::new("all", "mandarin") };
        let agents = (0..agents).map(|i| AgentSettings::new((6000 + i).to_string(), [("mandarin", 5)])).collect();
        House { queues: vec![queue], agents, rules: DistributorSettings::default() }
    }

    pub fn run(&self, callers: &[Caller]) -> Vec<Fate> {
        self.run_asking(callers, |_, _, _| {})
    }

    /// `ask` looks at the distributor whenever a caller has come and nobody was free.
    pub fn run_asking(&self, callers: &[Caller], mut ask: impl FnMut(&Acd, Instant, CallId)) -> Vec<Fate> {
        let mut acd = Acd::new(&self.queues, &self.agents, &self.rules);
        for (agent, seat) in self.agents.iter().zip(1..) {
            let number = agent.number.clone();
            let seat = SeatNo::new(seat.to_string());
            acd.handle(START, AcdInput::SignIn { agent: number.clone(), seat }).expect("signs in");
            acd.handle(START, AcdInput::Ready { agent: number }).expect("becomes ready");
        }
        while acd.next_output().is_some() {}
        let mut fates = vec![None; callers.len()];
        let mut events = BinaryHeap::new();
        if let Some(first) = callers.first() {
            events.push(Reverse((first.at, Event::Arrives(0))));
        }
        loop {
            let timer = acd.next_timeout();
            let now = match (events.peek(), timer) {
                (None, None) => break,
                (Some(Reverse((at, _))), Some(timer)) if timer < *at => timer,
                (None, Some(timer)) => timer,
                (Some(Reverse((at, _))), _) => *at,
            };
            let mut came = None;
            if events.peek().is_some_and(|Reverse((at, _))| *at == now) {
                let input = match events.pop().expect("was just seen").0.1 {
                    Event::Arrives(i) => {
                        if let Some(next) = callers.get(i + 1) {
                            events.push(Reverse((next.at, Event::Arrives(i + 1))));
                        }
                        if let Some(patience) = callers[i].patience {
                            events.push(Reverse((now + patience, Event::GivesUp(i))));
                        }
                        came = Some(i);
                        let queue = self.queues[callers[i].queue].name.clone();
                        AcdInput::Enqueue(Request::of_caller(CallId(i as u64), queue, now))
                    }
                    Event::TalkEnds(i) => AcdInput::TalkEnded { call: CallId(i as u64) },
                    Event::GivesUp(i) if fates[i].is_some() => continue,
                    Event::GivesUp(i) => {
                        fates[i] = Some(Fate::Left);
                        AcdInput::Leave { call: CallId(i as u64) }
                    }
                };
                acd.handle(now, input).expect("nobody is refused here");
            } else {
                acd.handle_timeout(now);
            }
            while let Some(output) = acd.next_output() {
                if let AcdOutput::Offer { call, agent, chosen, .. } = output {
                    let i = call.0 as usize;
                    acd.handle(now, AcdInput::Answered { call }).expect("was just offered");
                    let (step, interpreter) = (chosen.step, chosen.interpreter);
                    let before = fates[i].replace(Fate::Served { at: now, agent, step, interpreter });
                    assert_eq!(before, None, "caller {i} is served twice");
                    events.push(Reverse((now + callers[i].talk, Event::TalkEnds(i))));
                }
            }
            if let Some(i) = came.filter(|i| fates[*i].is_none()) {
                ask(&acd, now, CallId(i as u64));
            }
        }
        fates.into_iter().map(|fate| fate.expect("everybody is served in the end or leaves")).collect()
    }
}

/// Random arrivals (Poisson), exponential talk and patience.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub per_second: f64,
    pub talk: Duration,
    pub patience: Option<Duration>,
}

impl Crowd {
    pub fn draw(&self, rng: &mut Rng, callers: usize) -> Vec<Caller> {
        let mut at = START + Duration::from_secs(1);
        let gap = Duration::from_secs_f64(1.0 / self.per_second);
        let mut one = || {
            at = at + rng.exponential(gap);
            let talk = rng.exponential(self.talk);
            Caller { at, queue: 0, talk, patience: self.patience.map(|mean| rng.exponential(mean)) }
        };
        (0..callers).map(|_| one()).collect()
    }
}
