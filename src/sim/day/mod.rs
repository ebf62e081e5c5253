//! A day in the pretend world: one real [`Gateway`], the carriers' calls, the agents at their phones, network, media
//! plane and stores, in virtual time. Belongs here: the event queue and who gets what. Not here: judging what came
//! of it ([`super::invariants`]).
//!
//! Deterministic: everything is drawn from the scenario's seed, and events of one instant happen in the order in which
//! they were planned.

mod brain;
mod orders;
mod pages;
mod peers;
mod people;
mod plane;
mod scenario;
mod stores;
mod transfers;
mod upsets;
mod ways;

pub use scenario::{Arrivals, RING_TIMEOUT, Scenario, SpoolWeather, Troubles, seat_number, settings};
pub use ways::Ways;

use super::invariants::{Audit, Report};
use super::rng::Rng;
use super::ua::{Account, CarrierCall, Phone, PhoneParams};
use crate::gateway::{AgentOrder, Gateway, Input};
use crate::ids::CallId;
use crate::sip::flow::{Flow, Transport};
use crate::time::Instant;
use pages::Page;
use peers::station;
use people::Person;
use plane::{Notice, Plane};
use scenario::{DOMAIN, GATEWAY_SIP, agent_number, carrier_sip, seat_sip};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::Duration;
use stores::Stores;

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
    /// The carriers' machines.
    hosts: [Host; 2],
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

struct Host {
    sip: SocketAddr,
    /// Down until then.
    back: Instant,
}

struct Carrier {
    ua: Option<CarrierCall>,
    trunk: usize,
    sip: SocketAddr,
    rtp: SocketAddr,
    early_rtp: bool,
    alarm: Option<Instant>,
}

struct Seat {
    phone: Phone,
    person: Person,
    rtp: SocketAddr,
    alarm: Option<Instant>,
    /// The agent sits at a browser.
    page: Option<Page>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    CallArrives,
    /// A datagram reaches the gateway, or one of its peers.
    Inbound {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
    Outbound {
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    GatewayAlarm,
    CarrierAlarm(usize),
    CarrierHangsUp(usize),
    CarrierHolds(usize, bool),
    CallerPresses(usize),
    AgentPassesOn(usize),
    PhonePassesOn(usize),
    PhoneJoins(usize),
    PageOrders(usize),
    PageComes(usize, u32),
    PageFails(usize),
    PageGivenUp(usize, u32),
    PageReopened(usize),
    PageSpeaks(usize, u32),
    PageSaid(usize, Wrapped<AgentOrder>),
    PageLooks(usize),
    PhoneAlarm(usize),
    Think(usize),
    BreakBegins(usize),
    PowerCut(usize),
    PowerBack(usize),
    CarrierReboots(usize),
    Plane(Wrapped<Notice>),
    SpoolWrite(CallId),
    Delivery,
    Stranger,
    Crash,
    Drain,
    EndCalls,
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

/// 2026-11-22 08:00 in China: an ordinary working morning.
const MORNING: Instant = Instant::from_unix_secs(1_795_305_600);

impl<'t> Day<'t> {
    fn new(scenario: Scenario, trace: Option<&'t mut dyn FnMut(String)>) -> Day<'t> {
        let mut rng = Rng::new(scenario.seed);
        let start = MORNING;
        let settings = settings(&scenario);
        let orderly = scenario.carrier_path.keeps_order() && scenario.seat_path.keeps_order();
        let steady = scenario.troubles == Troubles::NONE && scenario.crashes == 0;
        let audit = Audit::new(&settings, orderly, steady);
        let gateway = Gateway::new(settings, gateway_seed(&mut rng), start);
        let seats = (0..scenario.agents)
            .map(|i| {
                let station = station(seat_sip(i), SocketAddr::new(seat_sip(i).ip(), 4_000));
                let mut person = Person::new(i, agent_number(i), rng.fork());
                let params = PhoneParams {
                    station,
                    seed: rng.next_u64(),
                    account: Account { user: seat_number(i), secret: format!("secret-{i}"), sha256: i % 3 != 0 },
                    domain: DOMAIN.into(),
                    expires: Duration::from_secs(300),
                    plan: person.plan(&scenario),
                };
                let rtp = params.station.rtp;
                let mut phone = Phone::start(start, params);
                phone.set_call_waiting(!scenario.single_line || i % 2 == 0);
                let page = scenario.has_page(i).then(Page::new);
                if page.is_some() && !scenario.has_phone(i) {
                    phone.power_off();
                }
                Seat { phone, person, rtp, alarm: None, page }
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
            hosts: [0, 1].map(|trunk| Host { sip: carrier_sip(trunk), back: start }),
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
            self.plan_some(cut.filter(|_| self.scenario.has_phone(seat)), Event::PowerCut(seat));
            if self.seats[seat].page.is_some() {
                let after = self.seats[seat].person.delay(200, 5_000);
                self.page_opens(seat, after);
                self.plan_page_trouble(seat, after);
            }
        }
        // Agents come in during the first seconds; the first citizens may be earlier than the last agents.
        self.plan(Duration::from_secs(5), Event::CallArrives);
        self.plan(Duration::from_secs(1), Event::Delivery);
        if self.scenario.troubles.strangers > 0.0 {
            self.plan(Duration::from_secs(1), Event::Stranger);
        }
        for trunk in 0..self.hosts.len() {
            self.plan_reboot(trunk);
        }
        self.plan_ends();
        // A day has a bounded number of happenings; more is a loop, and a finding.
        let most = 500_000 + 2_000 * self.scenario.calls as u64;
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
        for fault in std::mem::take(&mut self.stores.faults) {
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
            Event::CallerPresses(i) => self.caller_presses(i),
            Event::AgentPassesOn(i) => self.agent_passes_on(i),
            Event::PhonePassesOn(i) => self.phone_passes_on(i),
            Event::PhoneJoins(i) => self.phone_joins(i),
            Event::PageOrders(i) => self.page_orders(i),
            Event::PageComes(i, life) => self.page_comes(i, life),
            Event::PageFails(i) => self.page_fails(i),
            Event::PageGivenUp(i, life) => self.page_given_up(i, life),
            Event::PageReopened(i) => self.page_opens(i, Duration::ZERO),
            Event::PageSpeaks(i, life) => self.page_speaks(i, life),
            Event::PageSaid(i, Wrapped(order)) => self.page_said(i, order),
            Event::PageLooks(i) => self.page_looks(i),
            Event::PhoneAlarm(i) => {
                if self.seats[i].alarm.is_some_and(|at| at <= self.now) {
                    self.seats[i].alarm = None;
                    self.with_phone(i, |phone, now| phone.on_timeout(now));
                }
            }
            Event::Think(i) => self.think(i),
            Event::BreakBegins(i) => self.break_begins(i),
            Event::PowerCut(i) => self.power_cut(i),
            Event::PowerBack(i) => self.power_back(i),
            Event::CarrierReboots(trunk) => self.carrier_reboots(trunk),
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
            Event::Drain => self.drain(),
            Event::EndCalls => self.input(Input::EndCalls),
            Event::Close => self.close(),
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
