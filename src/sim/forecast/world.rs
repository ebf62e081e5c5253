//! The events of the day around one real gateway, in virtual time. Belongs here: who acts when. Not here: what is said
//! in SIP (`caller`, `desk`), what is written down (`record`).

use super::caller::{Caller, Heard};
use super::demand::Citizen;
use super::desk::{Desk, Rung};
use super::ground::{addresses, flow, settings};
use super::record::{Day, Recorder};
use super::{DAY, Scene};
use crate::acd::AcdInput;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact};
use crate::gateway::{Command, Gateway, Input, Output};
use crate::ids::{AgentNo, CallId, LegId};
use crate::plane::{LegStats, MediaCommand, MediaEvent, Source};
use crate::sim::rng::Rng;
use crate::sip::message::{Framing, Message, Method};
use crate::time::Instant;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// Length of one prompt.
const PROMPT: Duration = Duration::from_secs(2);
/// Somebody who missed a call notices and is ready again.
const BACK_AFTER: Duration = Duration::from_secs(30);
/// Calls still up so long after midnight are left out of the day.
const OVERTIME: Duration = Duration::from_secs(4 * 3_600);

/// Runs one day. The same scene and seed give the same day.
pub fn run(scene: &Scene, seed: u64) -> Day {
    run_told(scene, seed, &mut |_| {})
}

/// An event of the day's gateway.
#[derive(Clone, Copy, Debug)]
pub enum Told<'e> {
    Call(&'e CallEvent),
    Agent(&'e AgentEvent),
}

/// As [`run`]; `tell` hears every event, in order.
pub fn run_told(scene: &Scene, seed: u64, tell: &mut dyn FnMut(Told<'_>)) -> Day {
    let citizens = scene.demand.citizens(seed);
    let mut world = World::new(scene, &citizens, seed, tell);
    world.open();
    world.day();
    world.recorder.finish(scene.midnight + DAY)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(usize),
    /// The citizen has waited long enough.
    GivesUp(usize),
    /// The citizen has been told everything.
    HangsUp(usize),
    PicksUp {
        desk: usize,
        turn: u32,
    },
    WrapUpDone {
        desk: usize,
        turn: u32,
    },
    Back {
        desk: usize,
    },
    ShiftBegins {
        desk: usize,
    },
    ShiftEnds {
        desk: usize,
    },
    PlayEnds {
        leg: LegId,
        play: u32,
    },
    Alarm,
}

/// What reaches the gateway at this very moment, in order.
enum Arriving {
    Message { from: SocketAddr, bytes: Vec<u8> },
    Spooled(CallId),
    Media(MediaEvent),
    Order(AcdInput),
}

struct World<'s> {
    scene: &'s Scene,
    citizens: &'s [Citizen],
    gateway: Gateway,
    address: SocketAddr,
    carriers: Vec<SocketAddr>,
    now: Instant,
    alarm: Option<Instant>,
    queue: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    planned: u64,
    arriving: VecDeque<Arriving>,
    callers: Vec<Caller>,
    live: usize,
    desks: Vec<Desk>,
    by_agent: BTreeMap<AgentNo, usize>,
    /// The latest play of each leg that has one.
    plays: BTreeMap<LegId, u32>,
    recorder: Recorder,
    tell: &'s mut dyn FnMut(Told<'_>),
    /// Messages of one step, kept for its room.
    said: Vec<Vec<u8>>,
}

impl<'s> World<'s> {
    fn new(scene: &'s Scene, citizens: &'s [Citizen], seed: u64, tell: &'s mut dyn FnMut(Told<'_>)) -> World<'s> {
        let settings = settings(scene);
        let (address, carriers) = addresses(&settings);
        let desks: Vec<Desk> = scene
            .posts
            .iter()
            .zip(&settings.seats)
            .enumerate()
            .map(|(i, (p, s))| Desk::new(i, p, s, address))
            .collect();
        let mut rng = Rng::new(seed ^ 0x6a7e_3a11);
        let mut secret = [0; 32];
        for chunk in secret.chunks_mut(8) {
            chunk.copy_from_slice(&rng.next_u64().to_le_bytes());
        }
        let recorder = Recorder::new(scene, citizens, &settings);
        World {
            scene,
            citizens,
            gateway: Gateway::new(settings, secret, scene.midnight),
            tell,
            address,
            carriers,
            now: scene.midnight,
            alarm: None,
            queue: BinaryHeap::new(),
            planned: 0,
            arriving: VecDeque::new(),
            callers: Vec::with_capacity(citizens.len()),
            live: 0,
            by_agent: desks.iter().enumerate().map(|(i, d)| (d.agent.clone(), i)).collect(),
            desks,
            plays: BTreeMap::new(),
            recorder,
            said: Vec::new(),
        }
    }

    /// Midnight: the phones are registered, the night shift is there, the first citizen will call.
    fn open(&mut self) {
        let settings = self.gateway.settings().clone();
        for (desk, seat) in self.desks.iter().zip(&settings.seats) {
            let flow = flow(self.address, desk.sip);
            let gateway = &mut self.gateway;
            desk.register(self.now, seat, &settings.domain, |bytes| {
                gateway.handle(self.now, Input::Message { flow, bytes: &bytes });
                let replies = std::iter::from_fn(|| gateway.next_output());
                replies.filter_map(|o| if let Output::Send(t) = o { Some(t.bytes) } else { None }).collect()
            });
        }
        for (desk, post) in self.scene.posts.iter().enumerate() {
            for (from, until) in &post.duty {
                self.plan_at(self.scene.midnight + *from, Event::ShiftBegins { desk });
                // The day's last shift stays for those who still wait.
                if *until < DAY {
                    self.plan_at(self.scene.midnight + *until, Event::ShiftEnds { desk });
                }
            }
        }
        self.plan_arrival(0);
        self.arm();
    }

    fn day(&mut self) {
        let last = self.scene.midnight + DAY + OVERTIME;
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            if at > last
                || (self.live == 0 && self.callers.len() == self.citizens.len() && at > self.scene.midnight + DAY)
            {
                return;
            }
            self.now = at;
            self.happens(event);
            while let Some(arriving) = self.arriving.pop_front() {
                self.reaches_gateway(arriving);
            }
            self.arm();
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Arrives(citizen) => self.arrives(citizen),
            Event::GivesUp(citizen) => {
                if !self.recorder.is_answered(citizen) {
                    self.hangs_up(citizen);
                }
            }
            Event::HangsUp(citizen) => self.hangs_up(citizen),
            Event::PicksUp { desk, turn } if self.desks[desk].turn == turn => {
                let mut said = std::mem::take(&mut self.said);
                self.desks[desk].pick_up(&mut said);
                self.say(self.desks[desk].sip, said);
            }
            Event::WrapUpDone { desk, turn } if self.desks[desk].turn == turn => {
                if self.desks[desk].state == AgentState::WrapUp {
                    self.next_call_or_home(desk);
                }
            }
            Event::Back { desk } => {
                if matches!(self.desks[desk].state, AgentState::NotReady(_)) {
                    self.next_call_or_home(desk);
                }
            }
            Event::ShiftBegins { desk } => {
                let Desk { agent, seat, state, on_duty, .. } = &mut self.desks[desk];
                *on_duty = true;
                if *state == AgentState::LoggedOut {
                    let sign_in = AcdInput::SignIn { agent: agent.clone(), seat: seat.clone() };
                    let ready = AcdInput::Ready { agent: agent.clone() };
                    self.arriving.extend([Arriving::Order(sign_in), Arriving::Order(ready)]);
                }
            }
            Event::ShiftEnds { desk } => {
                self.desks[desk].on_duty = false;
                // Who is with a caller goes afterwards.
                if matches!(self.desks[desk].state, AgentState::Ready | AgentState::NotReady(_)) {
                    self.next_call_or_home(desk);
                }
            }
            Event::PlayEnds { leg, play } => {
                if self.plays.get(&leg) == Some(&play) {
                    self.arriving.push_back(Arriving::Media(MediaEvent::PlayEnded { leg }));
                }
            }
            Event::Alarm => {
                if self.alarm.is_some_and(|at| at <= self.now) {
                    self.alarm = None;
                    self.gateway.handle(self.now, Input::Timeout);
                    self.outputs();
                }
            }
            Event::PicksUp { .. } | Event::WrapUpDone { .. } => {}
        }
    }

    fn arrives(&mut self, citizen: usize) {
        self.plan_arrival(citizen + 1);
        let carrier = self.carriers[citizen % self.carriers.len().max(1)];
        let mut said = std::mem::take(&mut self.said);
        let who = &self.citizens[citizen];
        self.callers.push(Caller::dial(citizen, carrier, self.address, &who.number, &mut said));
        self.live += 1;
        self.plan_at(self.now + who.patience, Event::GivesUp(citizen));
        self.say(carrier, said);
    }

    fn hangs_up(&mut self, citizen: usize) {
        let carrier = self.carriers[citizen % self.carriers.len()];
        let mut said = std::mem::take(&mut self.said);
        let caller = &mut self.callers[citizen];
        let was_over = caller.is_over();
        caller.hang_up(&mut said);
        self.live -= usize::from(caller.is_over() && !was_over);
        self.say(carrier, said);
    }

    fn next_call_or_home(&mut self, desk: usize) {
        let Desk { agent, on_duty, .. } = &self.desks[desk];
        let agent = agent.clone();
        let order = if *on_duty { AcdInput::Ready { agent } } else { AcdInput::SignOut { agent } };
        self.arriving.push_back(Arriving::Order(order));
    }

    fn say(&mut self, from: SocketAddr, mut said: Vec<Vec<u8>>) {
        self.arriving.extend(said.drain(..).map(|bytes| Arriving::Message { from, bytes }));
        self.said = said;
    }

    fn reaches_gateway(&mut self, arriving: Arriving) {
        match arriving {
            Arriving::Message { from, bytes } => {
                let flow = flow(self.address, from);
                self.gateway.handle(self.now, Input::Message { flow, bytes: &bytes });
            }
            Arriving::Spooled(call) => self.gateway.handle(self.now, Input::Spooled { call }),
            Arriving::Media(event) => self.gateway.handle(self.now, Input::Media(event)),
            Arriving::Order(order) => self.gateway.handle(self.now, Input::Command(Command::Distributor(order))),
        }
        self.outputs();
    }

    fn outputs(&mut self) {
        while let Some(output) = self.gateway.next_output() {
            match output {
                Output::Send(transmit) => self.delivered(transmit.flow.remote, &transmit.bytes),
                Output::Media(command) => self.media(command),
                Output::OpenTicket(ticket) => self.arriving.push_back(Arriving::Spooled(ticket.call)),
                Output::Call(event) => self.call_event(event),
                Output::Agent(event) => self.agent_event(event),
                Output::Callback(_) | Output::Guard(_) | Output::Screen(_) | Output::Leader(_) => {}
            }
        }
    }

    fn delivered(&mut self, to: SocketAddr, bytes: &[u8]) {
        let Ok(msg) = Message::parse(bytes, Framing::Datagram) else { return };
        let mut said = std::mem::take(&mut self.said);
        if let Some(desk) = Desk::at(to).filter(|desk| *desk < self.desks.len()) {
            if self.desks[desk].hears(&msg, &mut said) == Rung::Rings {
                let Desk { turn, citizen, .. } = self.desks[desk];
                let ring = self.citizens.get(citizen).map_or(Duration::ZERO, |c| c.ring);
                self.plan_at(self.now + ring, Event::PicksUp { desk, turn });
            }
        } else if let Some(number) = Caller::number_of(msg.call_id()).filter(|n| *n < self.callers.len()) {
            let caller = &mut self.callers[number];
            let was_over = caller.is_over();
            if caller.hears(&msg, &mut said) == Heard::Over {
                self.recorder.over(number, msg.status());
            }
            self.live -= usize::from(caller.is_over() && !was_over);
        } else if msg.method() == Some(Method::Invite) {
            // The hotline calls a citizen back: nobody answers in a forecast.
            let refusal = crate::sip::message::Builder::response(&msg, 480, "Not Here", Some(b"x"), self.address);
            said.push(refusal.finish());
        }
        self.say(to, said);
    }

    fn media(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::SetSource { leg, source } => {
                let play = self.plays.get(&leg).map_or(0, |play| play + 1);
                self.plays.insert(leg, play);
                if let Source::Play { prompts, .. } = source {
                    self.plan_at(self.now + PROMPT * prompts.len() as u32, Event::PlayEnds { leg, play });
                }
            }
            MediaCommand::Close { leg } => {
                self.plays.remove(&leg);
                let stats = LegStats::default();
                self.arriving.push_back(Arriving::Media(MediaEvent::Closed { leg, stats }));
            }
            MediaCommand::Open { .. }
            | MediaCommand::OpenBrowser { .. }
            | MediaCommand::OpenWebRtc { .. }
            | MediaCommand::Connect { .. }
            | MediaCommand::Record { .. }
            | MediaCommand::StopRecording { .. } => {}
        }
    }

    fn call_event(&mut self, event: CallEvent) {
        (self.tell)(Told::Call(&event));
        let Some(citizen) = self.recorder.call(&event) else { return };
        match &event.what {
            CallFact::Offered { agent, .. } => {
                if let Some(&desk) = self.by_agent.get(agent) {
                    self.desks[desk].citizen = citizen;
                }
            }
            CallFact::Answered { .. } => {
                let talk = self.citizens[citizen].talk;
                self.plan_at(self.now + talk, Event::HangsUp(citizen));
            }
            _ => {}
        }
    }

    fn agent_event(&mut self, event: AgentEvent) {
        (self.tell)(Told::Agent(&event));
        self.recorder.agent(&event);
        let Some(&i) = self.by_agent.get(&event.agent) else { return };
        let desk = &mut self.desks[i];
        desk.state = event.state;
        match event.state {
            AgentState::WrapUp => {
                desk.turn += 1;
                let turn = desk.turn;
                if let Some(wrap_up) = self.citizens.get(desk.citizen).and_then(|c| c.wrap_up) {
                    self.plan_at(self.now + wrap_up, Event::WrapUpDone { desk: i, turn });
                }
            }
            AgentState::Ready if !desk.on_duty => self.next_call_or_home(i),
            AgentState::NotReady(_) => self.plan_at(self.now + BACK_AFTER, Event::Back { desk: i }),
            _ => {}
        }
    }

    fn plan_arrival(&mut self, citizen: usize) {
        if let Some(next) = self.citizens.get(citizen) {
            self.plan_at(self.scene.midnight + next.at, Event::Arrives(citizen));
        }
    }

    fn plan_at(&mut self, at: Instant, event: Event) {
        self.planned += 1;
        self.queue.push(Reverse((at.max(self.now), self.planned, event)));
    }

    fn arm(&mut self) {
        let Some(at) = self.gateway.next_timeout().map(|at| at.max(self.now)) else { return };
        if self.alarm.is_none_or(|armed| at < armed) {
            self.alarm = Some(at);
            self.plan_at(at, Event::Alarm);
        }
    }
}
