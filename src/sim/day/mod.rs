//! A day in the pretend world: one real [`Gateway`], the carriers' calls, the agents at their phones, network, media
//! plane and stores, in virtual time. Belongs here: the event queue and who gets what. Not here: judging what came
//! of it ([`super::invariants`]).
//!
//! Deterministic: everything is drawn from the scenario's seed, and events of one instant happen in the order in which
//! they were planned.

mod people;
mod plane;
mod scenario;
mod stores;

pub use scenario::{Arrivals, MAX_WAIT, RING_TIMEOUT, Scenario, SpoolWeather, Troubles, seat_number, settings};

use super::invariants::{Audit, Report};
use super::rng::Rng;
use super::ua::{
    Account, CarrierCall, CarrierFault, CarrierParams, Cli, Phone, PhoneParams, Pickup, Station, UaFact,
    UaOutput,
};
use crate::event::AgentState;
use crate::gateway::{Gateway, Input, Output};
use crate::ids::CallId;
use crate::plane::{MediaCommand, MediaEvent};
use crate::sip::flow::{Flow, Transport};
use crate::time::Instant;
use people::{Act, Person};
use plane::{Notice, Plane};
use scenario::{DOMAIN, GATEWAY_SIP, NUMBERS, agent_number, carrier_sip, seat_at, seat_sip};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::Duration;
use stores::{Stores, Written};

/// Runs the whole day and judges it. `trace`: gets one line per happening.
pub fn run(scenario: &Scenario, trace: Option<&mut dyn FnMut(String)>) -> Report {
    let mut day = Day::new(scenario.clone(), trace);
    day.run();
    day.judge()
}

struct Day<'t> {
    scenario: Scenario,
    now: Instant,
    start: Instant,
    rng: Rng,
    net: Rng,
    queue: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    planned: u64,
    gateway: Gateway,
    gateway_alarm: Option<Instant>,
    steps: u64,
    /// Times in a row the gateway asked to be woken at a moment that had come already.
    hurry: u32,
    carriers: Vec<Carrier>,
    /// SIP Call-ID -> carrier's call.
    by_call_id: BTreeMap<String, usize>,
    /// A carrier's RTP address -> its call.
    by_rtp: BTreeMap<SocketAddr, usize>,
    seats: Vec<Seat>,
    plane: Plane,
    stores: Stores,
    audit: Audit,
    closing: bool,
    trace: Option<&'t mut dyn FnMut(String)>,
}

struct Carrier {
    ua: Option<CarrierCall>,
    trunk: usize,
    rtp: SocketAddr,
    early_rtp: bool,
    alarm: Option<Instant>,
}

struct Seat {
    phone: Phone,
    person: Person,
    rtp: SocketAddr,
    alarm: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    CallArrives,
    /// A datagram reaches the gateway, or one of its peers.
    Inbound { from: SocketAddr, bytes: Vec<u8> },
    Outbound { to: SocketAddr, bytes: Vec<u8> },
    GatewayAlarm,
    CarrierAlarm(usize),
    CarrierHangsUp(usize),
    CarrierHolds(usize, bool),
    PhoneAlarm(usize),
    Think(usize),
    BreakBegins(usize),
    PowerCut(usize),
    PowerBack(usize),
    Plane(Wrapped<Notice>),
    SpoolWrite(CallId),
    Delivery,
    Stranger,
    Crash,
    Close,
}

/// Events of one instant are ordered by number alone; what a notice holds has no order of its own.
#[derive(Debug)]
struct Wrapped<T>(T);
impl<T> PartialEq for Wrapped<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<T> Eq for Wrapped<T> {}
impl<T> PartialOrd for Wrapped<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Wrapped<T> {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

const STRANGER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)), 5060);
/// 2026-11-22 08:00 in China: an ordinary working morning.
const MORNING: Instant = Instant::from_unix_secs(1_795_305_600);

impl<'t> Day<'t> {
    fn new(scenario: Scenario, trace: Option<&'t mut dyn FnMut(String)>) -> Day<'t> {
        let mut rng = Rng::new(scenario.seed);
        let start = MORNING;
        let settings = settings(&scenario);
        let audit = Audit::new(&settings, scenario.carrier_path.keeps_order() && scenario.seat_path.keeps_order());
        let gateway = Gateway::new(settings, gateway_seed(&mut rng), start);
        let seats = (0..scenario.agents)
            .map(|i| {
                let station = station(seat_sip(i), SocketAddr::new(seat_sip(i).ip(), 4_000));
                let mut person = Person::new(i, agent_number(i), rng.fork());
                let params = PhoneParams {
                    station,
                    seed: rng.next_u64(),
                    account: Account {
                        user: seat_number(i),
                        secret: format!("secret-{i}"),
                        sha256: i % 3 != 0,
                    },
                    domain: DOMAIN.into(),
                    expires: Duration::from_secs(300),
                    plan: person.plan(&scenario),
                };
                let rtp = params.station.rtp;
                Seat { phone: Phone::start(start, params), person, rtp, alarm: None }
            })
            .collect();
        let stores = Stores::new(scenario.spool, rng.fork());
        let net = rng.fork();
        Day {
            scenario,
            now: start,
            start,
            rng,
            net,
            queue: BinaryHeap::new(),
            planned: 0,
            gateway,
            gateway_alarm: None,
            steps: 0,
            hurry: 0,
            carriers: Vec::new(),
            by_call_id: BTreeMap::new(),
            by_rtp: BTreeMap::new(),
            seats,
            plane: Plane::default(),
            stores,
            audit,
            closing: false,
            trace,
        }
    }

    fn run(&mut self) {
        for seat in 0..self.seats.len() {
            self.after_phone(seat);
            let troubles = self.scenario.troubles;
            let person = &mut self.seats[seat].person;
            let (rest, cut) = (person.next_after(troubles.breaks), person.next_after(troubles.power_cuts));
            self.plan_some(rest, Event::BreakBegins(seat));
            self.plan_some(cut, Event::PowerCut(seat));
        }
        // Agents come in during the first seconds; the first citizens may be earlier than the last agents.
        self.plan(Duration::from_secs(5), Event::CallArrives);
        self.plan(Duration::from_secs(1), Event::Delivery);
        if self.scenario.troubles.strangers > 0.0 {
            self.plan(Duration::from_secs(1), Event::Stranger);
        }
        self.plan_crashes();
        // A day has a bounded number of happenings; more is a loop, and a finding.
        let most = 2_000_000 + 20_000 * self.scenario.calls as u64;
        while let Some(Reverse((at, number, event))) = self.queue.pop() {
            if number > most {
                self.audit.fault(self.now, "the day does not end: something repeats without end".into());
                break;
            }
            self.now = at;
            self.happen(event);
            if self.audit.is_hopeless() {
                break;
            }
        }
    }

    fn judge(mut self) -> Report {
        self.stores.settle();
        let leftovers = self.gateway.leftovers();
        if !self.plane.is_empty() {
            self.audit.fault(self.now, format!("media legs or ports left open: {:?}", self.plane));
        }
        for fault in std::mem::take(&mut self.plane.faults).into_iter().chain(std::mem::take(&mut self.stores.faults)) {
            self.audit.fault(self.now, fault);
        }
        self.audit.judge(self.now, self.scenario.calls, leftovers, self.stores.cases())
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::CallArrives => self.call_arrives(),
            Event::Inbound { from, bytes } => {
                let flow = Flow { transport: Transport::Udp, local: GATEWAY_SIP, remote: from, connection: 0 };
                self.input(Input::Message { flow, bytes: &bytes });
            }
            Event::Outbound { to, bytes } => self.delivered(to, &bytes),
            Event::GatewayAlarm => {
                if self.gateway_alarm.is_some_and(|at| at <= self.now) {
                    self.gateway_alarm = None;
                    self.input(Input::Timeout);
                }
            }
            Event::CarrierAlarm(i) => {
                let now = self.now;
                let carrier = &mut self.carriers[i];
                if carrier.alarm.is_some_and(|at| at <= now) {
                    carrier.alarm = None;
                    if let Some(ua) = &mut carrier.ua {
                        ua.on_timeout(now);
                    }
                    self.after_carrier(i);
                }
            }
            Event::CarrierHangsUp(i) => self.with_carrier(i, |ua, now| ua.hang_up(now)),
            Event::CarrierHolds(i, hold) => self.with_carrier(i, |ua, now| ua.hold(now, hold)),
            Event::PhoneAlarm(i) => {
                if self.seats[i].alarm.is_some_and(|at| at <= self.now) {
                    self.seats[i].alarm = None;
                    self.with_phone(i, |phone, now| phone.on_timeout(now));
                }
            }
            Event::Think(i) => self.think(i),
            Event::BreakBegins(i) => self.break_begins(i),
            Event::PowerCut(i) => self.power_cut(i),
            Event::PowerBack(i) => self.with_phone(i, |phone, now| {
                if !phone.is_on() {
                    phone.power_on(now);
                }
            }),
            Event::Plane(Wrapped(notice)) => {
                let reaction = self.plane.notice(notice);
                self.react(reaction);
            }
            Event::SpoolWrite(call) => self.spool_write(call),
            Event::Delivery => {
                self.stores.deliver(self.now);
                if !self.closing {
                    self.plan(Duration::from_secs(1), Event::Delivery);
                }
            }
            Event::Stranger => self.stranger_calls(),
            Event::Crash => self.crash(),
            Event::Close => self.close(),
        }
    }

    // The gateway.

    fn input(&mut self, input: Input<'_>) {
        if let Some(trace) = &mut self.trace {
            trace(format!("{:?} -> {}", self.now, describe_input(&input)));
        }
        let was_alarm = matches!(input, Input::Timeout);
        self.gateway.handle(self.now, input);
        self.steps += 1;
        if self.scenario.restore_every.is_some_and(|n| self.steps.is_multiple_of(n)) {
            self.save_and_restore();
        }
        while let Some(output) = self.gateway.next_output() {
            self.output(output);
        }
        self.plane.end_step();
        self.audit.end_step(self.now, &self.gateway);
        match self.gateway.next_timeout() {
            Some(at) if at <= self.now && was_alarm => {
                self.hurry += 1;
                if self.hurry > 1_000 {
                    self.audit.fault(self.now, "the gateway wants to be woken at once, for ever".into());
                    self.audit.give_up();
                }
            }
            _ => self.hurry = 0,
        }
        self.arm_gateway();
    }

    fn arm_gateway(&mut self) {
        let Some(at) = self.gateway.next_timeout() else { return };
        let at = at.max(self.now);
        if self.gateway_alarm.is_none_or(|armed| at < armed) {
            self.gateway_alarm = Some(at);
            self.plan_at(at, Event::GatewayAlarm);
        }
    }

    fn save_and_restore(&mut self) {
        let saved = self.gateway.save();
        match Gateway::restore(&saved) {
            Ok(restored) => {
                if restored.save() != saved {
                    self.audit.fault(self.now, "saved, restored and saved again: other bytes".into());
                }
                self.gateway = restored;
            }
            Err(e) => {
                self.audit.fault(self.now, e);
                self.audit.give_up();
            }
        }
    }

    fn output(&mut self, output: Output) {
        if let Some(trace) = &mut self.trace {
            trace(format!("{:?} <- {}", self.now, describe_output(&output)));
        }
        self.audit.output(self.now, &output);
        match output {
            Output::Send(transmit) => {
                let to = transmit.flow.remote;
                if transmit.flow.local != GATEWAY_SIP {
                    self.audit.fault(self.now, format!("sends from {}, which is not ours", transmit.flow.local));
                }
                if to == STRANGER && transmit.bytes.starts_with(b"SIP/2.0 2") {
                    self.audit.fault(self.now, "a stranger was served".into());
                }
                let path =
                    if seat_at(to).is_some() { self.scenario.seat_path } else { self.scenario.carrier_path };
                let delays: Vec<Duration> = path.outbound.carry(&mut self.net).collect();
                for delay in delays {
                    self.plan(delay, Event::Outbound { to, bytes: transmit.bytes.clone() });
                }
            }
            Output::Media(command) => self.media_command(&command),
            Output::OpenTicket(ticket) => {
                let delay = self.stores.open(&ticket);
                self.plan(delay, Event::SpoolWrite(ticket.call));
            }
            Output::Call(_) => {}
            Output::Agent(event) => {
                let Some(i) = self.seats.iter().position(|s| s.person.number == event.agent.as_str()) else {
                    return self.audit.fault(self.now, format!("event of agent {}, who does not exist", event.agent));
                };
                self.shown(i, event.state);
            }
        }
    }

    fn media_command(&mut self, command: &MediaCommand) {
        let reaction = self.plane.command(self.now, command);
        self.react_later(reaction);
    }

    /// What a command leads to comes later: the gateway is in the middle of a step.
    fn react_later(&mut self, reaction: plane::Reaction) {
        for (delay, notice) in reaction.later {
            self.plan(delay, Event::Plane(Wrapped(notice)));
        }
        if let Some(rtp) = reaction.hears_human
            && let Some(&i) = self.by_rtp.get(&rtp)
        {
            self.with_carrier(i, |ua, now| ua.heard_human(now));
        }
    }

    fn react(&mut self, mut reaction: plane::Reaction) {
        let event: Option<MediaEvent> = reaction.event.take();
        self.react_later(reaction);
        if let Some(event) = event {
            self.input(Input::Media(event));
        }
    }

    fn spool_write(&mut self, call: CallId) {
        match self.stores.write(self.now, call) {
            Some(Written::Durable) => self.input(Input::Spooled { call }),
            Some(Written::Failed) => {
                let again = self.stores.retry_after();
                self.plan(again, Event::SpoolWrite(call));
                self.input(Input::SpoolFailed { call });
            }
            None => {}
        }
    }

    // The peers.

    fn delivered(&mut self, to: SocketAddr, bytes: &[u8]) {
        if to == STRANGER {
            return;
        }
        if let Some(i) = seat_at(to).filter(|&i| i < self.seats.len()) {
            return self.with_phone(i, |phone, now| phone.on_message(now, bytes));
        }
        match call_id_of(bytes).and_then(|id| self.by_call_id.get(id)).copied() {
            Some(i) if carrier_sip(self.carriers[i].trunk) == to => {
                self.with_carrier(i, |ua, now| ua.on_message(now, bytes));
            }
            _ => self.audit.fault(self.now, format!("{to} got what nobody there began: {}", first_line(bytes))),
        }
    }

    fn call_arrives(&mut self) {
        let index = self.carriers.len();
        if index + 1 < self.scenario.calls {
            let gap = self.scenario.arrivals.next(&mut self.rng, self.now - self.start + Duration::from_secs(8 * 3_600));
            self.plan(gap, Event::CallArrives);
        } else {
            self.plan(Duration::from_secs(900), Event::Close);
        }
        let rng = &mut self.rng;
        let trunk = rng.below(2) as usize;
        let host = carrier_sip(trunk).ip();
        let rtp = SocketAddr::new(host, 10_000 + 2 * (index % 20_000) as u16);
        let number = NUMBERS[rng.weighted(&NUMBERS.map(|n| n.1))].0;
        let t = self.scenario.troubles;
        let fault = match rng.weighted(&[t.carrier_dies, t.carrier_never_acks, 1.0]) {
            0 => Some(CarrierFault::DiesAfter(rng.exponential(Duration::from_secs(40)))),
            1 => Some(CarrierFault::NeverAcks),
            _ => None,
        };
        let patience = if rng.chance(0.02) {
            rng.between(Duration::ZERO, Duration::from_secs(5))
        } else {
            rng.exponential(self.scenario.patience)
        };
        let (mu, sigma) = self.scenario.talk;
        let talk = (!rng.chance(0.2)).then(|| rng.lognormal(mu, sigma));
        let cli = match rng.below(20) {
            0 => Cli::Absent,
            1 => Cli::Withheld("053188880000".into()),
            _ => Cli::Shown(format!("0531{:08}", 60_000_000 + rng.below(30_000_000))),
        };
        let params = CarrierParams {
            station: station(carrier_sip(trunk), rtp),
            seed: rng.next_u64(),
            dnis: number.into(),
            cli,
            patience,
            talk,
            pickup: if trunk == 0 { Pickup::WhenHeard } else { Pickup::OnAnswer },
            fault,
        };
        let early_rtp = rng.chance(0.5);
        if rng.chance(t.carrier_holds) {
            let (after, long) = (rng.exponential(Duration::from_secs(30)), rng.exponential(Duration::from_secs(10)));
            self.plan(after, Event::CarrierHolds(index, true));
            self.plan(after + long, Event::CarrierHolds(index, false));
        }
        let ua = CarrierCall::start(self.now, params);
        self.by_call_id.insert(ua.sip_call_id().to_string(), index);
        self.by_rtp.insert(rtp, index);
        self.audit.placed(self.now, index, ua.sip_call_id(), number, fault.is_some());
        self.carriers.push(Carrier { ua: Some(ua), trunk, rtp, early_rtp, alarm: None });
        self.after_carrier(index);
    }

    fn with_carrier(&mut self, i: usize, act: impl FnOnce(&mut CarrierCall, Instant)) {
        let now = self.now;
        if let Some(ua) = self.carriers.get_mut(i).and_then(|c| c.ua.as_mut()) {
            act(ua, now);
            self.after_carrier(i);
        }
    }

    fn after_carrier(&mut self, i: usize) {
        let now = self.now;
        loop {
            let carrier = &mut self.carriers[i];
            let Some(ua) = &mut carrier.ua else { return };
            let Some(output) = ua.poll() else {
                if ua.is_gone(now) {
                    carrier.ua = None;
                    return;
                }
                let next = ua.next_timeout();
                if let Some(at) = next.map(|at| at.max(now))
                    && carrier.alarm.is_none_or(|armed| at < armed)
                {
                    carrier.alarm = Some(at);
                    self.plan_at(at, Event::CarrierAlarm(i));
                }
                return;
            };
            let (from, rtp, early) = (carrier_sip(carrier.trunk), carrier.rtp, carrier.early_rtp);
            match output {
                UaOutput::Send(bytes) => self.send(from, bytes, self.scenario.carrier_path.inbound),
                UaOutput::Fact(fact) => {
                    self.trace(|| format!("carrier {i}: {fact:?}"));
                    self.audit.carrier(now, i, &fact);
                    let stream = match &fact {
                        UaFact::EarlyMedia(media) if early => Some(Some(media.rtp)),
                        UaFact::Answered(media) | UaFact::MediaChanged(media) => Some(Some(media.rtp)),
                        UaFact::Ended(_) => Some(None),
                        _ => None,
                    };
                    if let Some(stream) = stream {
                        self.stream(rtp, stream);
                    }
                }
            }
        }
    }

    fn with_phone(&mut self, i: usize, act: impl FnOnce(&mut Phone, Instant)) {
        act(&mut self.seats[i].phone, self.now);
        self.after_phone(i);
    }

    fn after_phone(&mut self, i: usize) {
        let now = self.now;
        while let Some(output) = self.seats[i].phone.poll() {
            match output {
                UaOutput::Send(bytes) => self.send(seat_sip(i), bytes, self.scenario.seat_path.inbound),
                UaOutput::Fact(fact) => {
                    self.trace(|| format!("phone {}: {fact:?}", seat_number(i)));
                    self.audit.phone(now, i, &fact);
                    self.phone_saw(i, &fact);
                }
            }
        }
        let seat = &mut self.seats[i];
        if let Some(at) = seat.phone.next_timeout().map(|at| at.max(now))
            && seat.alarm.is_none_or(|armed| at < armed)
        {
            seat.alarm = Some(at);
            self.plan_at(at, Event::PhoneAlarm(i));
        }
    }

    fn phone_saw(&mut self, i: usize, fact: &UaFact) {
        let rtp = self.seats[i].rtp;
        match fact {
            UaFact::Answered(media) | UaFact::MediaChanged(media) => self.stream(rtp, Some(media.rtp)),
            UaFact::Ended(_) => {
                self.stream(rtp, None);
                let plan = self.seats[i].person.plan(&self.scenario);
                self.seats[i].phone.set_plan(plan);
            }
            UaFact::Registered => self.think_soon(i, 200, 3_000),
            UaFact::Dialled { .. } => {
                self.seats[i].person.dialling = false;
                self.think_soon(i, 3_000, 8_000);
            }
            _ => {}
        }
    }

    fn stream(&mut self, from: SocketAddr, to: Option<SocketAddr>) {
        for (delay, notice) in self.plane.stream(from, to) {
            self.plan(delay, Event::Plane(Wrapped(notice)));
        }
    }

    // The people.

    fn shown(&mut self, i: usize, state: AgentState) {
        self.seats[i].person.shown = state;
        if matches!(state, AgentState::NotReady(_) | AgentState::LoggedOut | AgentState::WrapUp | AgentState::Ready) {
            self.think_soon(i, 1_000, 20_000);
        }
    }

    fn think_soon(&mut self, i: usize, low_ms: u64, high_ms: u64) {
        let delay = self.seats[i].person.delay(low_ms, high_ms);
        self.plan(delay, Event::Think(i));
    }

    fn think(&mut self, i: usize) {
        let seat = &mut self.seats[i];
        if seat.person.dialling || !seat.phone.is_on() || seat.phone.is_busy() {
            return;
        }
        match seat.person.think(self.now) {
            Act::Dial(code) => {
                seat.person.dialling = true;
                self.with_phone(i, |phone, now| phone.dial(now, &code));
            }
            Act::ThinkAt(at) => self.plan_at(at, Event::Think(i)),
            Act::Rest => {}
        }
    }

    fn break_begins(&mut self, i: usize) {
        if self.closing {
            return;
        }
        self.seats[i].person.take_break(self.now);
        self.think_soon(i, 0, 1_000);
        let next = self.seats[i].person.next_after(self.scenario.troubles.breaks);
        self.plan_some(next, Event::BreakBegins(i));
    }

    fn power_cut(&mut self, i: usize) {
        if self.closing {
            return;
        }
        self.seats[i].phone.power_off();
        self.seats[i].person.dialling = false;
        self.after_phone(i);
        let back = self.seats[i].person.delay(2_000, 120_000);
        self.plan(back, Event::PowerBack(i));
        let next = self.seats[i].person.next_after(self.scenario.troubles.power_cuts);
        self.plan_some(next.map(|next| back + next), Event::PowerCut(i));
    }

    // What breaks from outside.

    fn stranger_calls(&mut self) {
        if self.closing {
            return;
        }
        let messages: [&[u8]; 4] = [
            b"INVITE sip:12345@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKx\r\nFrom: <sip:100@203.0.113.9>;tag=1\r\nTo: <sip:12345@10.0.0.1>\r\nCall-ID: stranger\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:100@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
            b"REGISTER sip:hotline.test SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKy\r\nFrom: <sip:800@hotline.test>;tag=1\r\nTo: <sip:800@hotline.test>\r\nCall-ID: stranger\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:800@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
            b"OPTIONS sip:100@10.0.0.1 SIP/2.0\r\nVia: junk\r\n\r\n",
            b"\x00\xff\r\n\r\nBYE",
        ];
        let which = self.rng.below(4) as usize;
        self.plan(Duration::ZERO, Event::Inbound { from: STRANGER, bytes: messages[which].to_vec() });
        let next = self.rng.exponential(Duration::from_secs_f64(1.0 / self.scenario.troubles.strangers));
        self.plan(next, Event::Stranger);
    }

    fn plan_crashes(&mut self) {
        let Arrivals::Rate(rate) = self.scenario.arrivals else { return };
        let day = Duration::from_secs_f64(self.scenario.calls as f64 / rate);
        for _ in 0..self.scenario.crashes {
            let at = day.mul_f64(0.1 + 0.8 * self.rng.unit());
            self.plan(at, Event::Crash);
        }
    }

    /// `kill -9` and an immediate restart: memory is gone, the disk is not.
    fn crash(&mut self) {
        self.trace(|| "CRASH".into());
        let seed = gateway_seed(&mut self.rng);
        self.gateway = Gateway::new(settings(&self.scenario), seed, self.now);
        self.gateway_alarm = None;
        self.plane.crash();
        self.stores.crash();
        self.audit.crash(self.now);
        for i in 0..self.seats.len() {
            // The screen goes blank, so the agent registers and signs in again.
            self.seats[i].person.shown = AgentState::LoggedOut;
            self.with_phone(i, |phone, now| phone.register(now));
        }
        // Citizens hear dead air and hang up.
        for i in 0..self.carriers.len() {
            if self.carriers[i].ua.as_ref().is_some_and(|ua| ua.ending().is_none()) {
                let after = self.rng.between(Duration::from_millis(100), Duration::from_secs(8));
                self.plan(after, Event::CarrierHangsUp(i));
            }
        }
    }

    /// The day ends: everybody goes home, phones are switched off.
    fn close(&mut self) {
        self.trace(|| "CLOSE".into());
        if !self.closing {
            self.closing = true;
            for i in 0..self.seats.len() {
                self.seats[i].person.go_home();
                self.think_soon(i, 0, 60_000);
            }
            self.plan(Duration::from_secs(600), Event::Close);
            return;
        }
        for i in 0..self.seats.len() {
            self.with_phone(i, |phone, now| phone.unregister(now));
        }
    }

    fn send(&mut self, from: SocketAddr, bytes: Vec<u8>, faults: super::network::Faults) {
        let delays: Vec<Duration> = faults.carry(&mut self.net).collect();
        for delay in delays {
            self.plan(delay, Event::Inbound { from, bytes: bytes.clone() });
        }
    }

    fn plan(&mut self, after: Duration, event: Event) {
        self.plan_at(self.now + after, event);
    }

    fn plan_some(&mut self, after: Option<Duration>, event: Event) {
        if let Some(after) = after {
            self.plan(after, event);
        }
    }

    fn plan_at(&mut self, at: Instant, event: Event) {
        self.planned += 1;
        self.queue.push(Reverse((at.max(self.now), self.planned, event)));
    }

    fn trace(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace(format!("{:?}    {}", self.now, line()));
        }
    }
}

fn gateway_seed(rng: &mut Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    for chunk in seed.chunks_mut(8) {
        chunk.copy_from_slice(&rng.next_u64().to_le_bytes());
    }
    seed
}

fn station(sip: SocketAddr, rtp: SocketAddr) -> Station {
    Station { sip, gateway: GATEWAY_SIP, rtp, payload_types: vec![8], dtmf: Some(101) }
}

fn call_id_of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().find_map(|l| l.strip_prefix("Call-ID: ").or_else(|| l.strip_prefix("Call-Id: "))).map(str::trim)
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cseq = text.lines().find(|l| l.starts_with("CSeq")).unwrap_or_default();
    let id = call_id_of(bytes).unwrap_or_default();
    format!("{} | {cseq} | {id}", text.lines().next().unwrap_or_default())
}

fn describe_input(input: &Input<'_>) -> String {
    match input {
        Input::Message { flow, bytes } => format!("{} {}", flow.remote, first_line(bytes)),
        other => format!("{other:?}"),
    }
}

fn describe_output(output: &Output) -> String {
    match output {
        Output::Send(t) => format!("{} {}", t.flow.remote, first_line(&t.bytes)),
        Output::OpenTicket(t) => format!("OpenTicket {:?} agent {} seat {}", t.call, t.agent, t.seat),
        other => format!("{other:?}"),
    }
}
