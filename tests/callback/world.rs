//! One gateway in virtual time: agents' phones, callers, a citizen who is called, a media plane that only keeps time,
//! and a store that keeps the callback list. A network that loses nothing.

use crate::accounts::Carrier;
use rexian::callback::State;
use rexian::config::settings::{Announce, CallOut, CallbackOffer, CoreSettings, DialForm, Hop, Settings};
use rexian::event::{
    AgentState, CallEvent, CallFact, CallbackChange, CallbackEntry, CallbackGone, CallbackKind, EndCause,
};
use rexian::gateway::{Gateway, Input, Leftovers, Output};
use rexian::ids::{AgentNo, CallId, LegId, TrunkName};
use rexian::plane::{MediaCommand, MediaEvent, Source};
use rexian::sim::ua::{
    Account, CarrierCall, CarrierParams, Cli, Ending, Phone, PhoneParams, Pickup, Plan, Reaction, Station, UaFact,
    UaOutput,
};
use rexian::sip::flow::{Flow, Listener, Transport};
use rexian::sip::message::{Builder, Framing, Message};
use rexian::ticket::NewTicket;
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub const GATEWAY: &str = "127.0.0.1:5060";
/// The citizen's carrier.
pub const CARRIER: u16 = 7_000;
/// 2026-11-22 was a Sunday; this is the Monday after, 10:00 in China.
pub const MONDAY_10: Instant = Instant::from_unix_secs(1_795_399_200);
/// Every prompt and every handful of them is this long.
pub const PROMPT: Duration = Duration::from_secs(2);

pub const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub struct World {
    pub now: Instant,
    pub gateway: Gateway,
    pub core: CoreSettings,
    phones: Vec<(Phone, Flow)>,
    callers: Vec<(CarrierCall, Flow, LegId)>,
    pub citizen: Phone,
    pub citizen_saw: Vec<UaFact>,
    /// As sent.
    pub to_citizen: Vec<String>,
    pub to_phones: Vec<String>,
    /// What hops say to requests; those not here are silent. The citizen's carrier answers questions only.
    pub hops: BTreeMap<u16, HopPlan>,
    pub to_hops: Vec<(u16, String)>,
    said_by_hops: Vec<(Flow, Vec<u8>)>,
    /// The citizen's carrier has gone silent.
    pub citizen_is_dead: bool,
    /// Final refusals callers got, as sent.
    pub refusals: Vec<String>,
    pub log: Vec<CallEvent>,
    pub tickets: Vec<NewTicket>,
    pub hears: BTreeMap<LegId, Source>,
    plays: BTreeMap<LegId, Instant>,
    opened: Vec<LegId>,
    /// Whose recording began, with its segment, or ended.
    pub recorded: Vec<(LegId, Option<u16>)>,
    /// What a store would hold.
    pub kept: BTreeMap<CallId, CallbackEntry>,
    pub gone: Vec<CallbackGone>,
    pub changes: Vec<CallbackChange>,
    /// Who answers in the citizen's place, if the trunk is a registered one.
    pub carrier: Option<Carrier>,
}

impl World {
    /// `phones` agents are ready. Offers come after 30 s, key 1 or hanging up accepts.
    pub fn new(phones: usize, shape: impl FnOnce(&mut CoreSettings)) -> World {
        World::by(None, BTreeMap::new(), phones, shape)
    }

    /// Hops that answer from the first moment on.
    pub fn with_hops(phones: usize, hops: BTreeMap<u16, HopPlan>, shape: impl FnOnce(&mut CoreSettings)) -> World {
        World::by(None, hops, phones, shape)
    }

    pub fn by(
        carrier: Option<Carrier>,
        hops: BTreeMap<u16, HopPlan>,
        phones: usize,
        shape: impl FnOnce(&mut CoreSettings),
    ) -> World {
        let mut core = Settings::demo([7; 32]).core;
        core.trunks[0].hops = vec![Hop::from(station(CARRIER).sip)];
        core.trunks[0].call_out = Some(CallOut { from: "053112345".into(), dial: DialForm::Local });
        core.callbacks.trunks = vec![TrunkName::new("local")];
        for queue in &mut core.queues {
            queue.callback = Some(CallbackOffer { after: s(30), key: '1', on_hang_up: true });
            queue.wrap_up = s(10);
            queue.announce = Announce::default();
        }
        shape(&mut core);
        let now = MONDAY_10;
        let gateway = Gateway::new(core.clone(), [9; 32], now);
        let citizen = Phone::start(now, params(station(CARRIER), 500, "citizen", "x", &core));
        let mut world = World {
            now,
            gateway,
            phones: (0..phones).map(|n| phone(now, n, &core)).collect(),
            callers: vec![],
            citizen,
            citizen_saw: vec![],
            to_citizen: vec![],
            to_phones: vec![],
            hops,
            to_hops: vec![],
            said_by_hops: vec![],
            citizen_is_dead: false,
            refusals: vec![],
            log: vec![],
            tickets: vec![],
            hears: BTreeMap::new(),
            plays: BTreeMap::new(),
            opened: vec![],
            recorded: vec![],
            kept: BTreeMap::new(),
            gone: vec![],
            changes: vec![],
            carrier,
            core,
        };
        world.listen();
        world.run(s(1));
        (0..phones).for_each(|n| world.sign_in(n));
        world
    }

    fn listen(&mut self) {
        self.feed(Input::Listening(vec![Listener { transport: Transport::Udp, address: GATEWAY.parse().unwrap() }]));
    }

    pub fn sign_in(&mut self, phone: usize) {
        let now = self.now;
        self.phones[phone].0.dial(now, "*11");
        self.run(s(5));
        assert_ne!(self.state(phone), AgentState::LoggedOut, "phone {phone} signed in");
    }

    /// One more agent arrives.
    pub fn agent_arrives(&mut self) {
        self.agent_arrives_who(Plan::answer_after(s(2)));
    }

    pub fn agent_arrives_who(&mut self, plan: Plan) {
        let n = self.phones.len();
        self.phones.push(phone(self.now, n, &self.core));
        self.plan(n, plan);
        self.run(s(1));
        self.sign_in(n);
    }

    pub fn plan(&mut self, phone: usize, plan: Plan) {
        self.phones[phone].0.set_plan(plan);
    }

    pub fn agent_hangs_up(&mut self, phone: usize) {
        let now = self.now;
        self.phones[phone].0.hang_up(now);
        self.run(s(1));
    }

    /// What the citizen does when called.
    pub fn citizen_will(&mut self, reaction: Reaction, talk: Option<Duration>) {
        self.citizen.set_plan(Plan { reaction, hold: None, hang_up_after: talk });
    }

    /// The process ends without a word and starts again with what the store kept.
    pub fn killed(&mut self) {
        let mut seed = [9; 32];
        seed[0] = self.log.len() as u8;
        self.gateway = Gateway::new(self.core.clone(), seed, self.now);
        (self.hears, self.plays) = Default::default();
        self.callers.clear();
        let entries = self.kept.values().cloned().collect();
        self.feed(Input::Callbacks(entries));
        self.listen();
        for n in 0..self.phones.len() {
            let now = self.now;
            self.phones[n].0.power_off();
            self.phones[n].0.power_on(now);
            self.run(s(1));
            self.sign_in(n);
        }
    }

    /// Another process takes over in the middle of things.
    pub fn taken_over(&mut self) {
        self.gateway = Gateway::restore(&self.gateway.save()).expect("its own state");
    }

    /// A citizen calls and waits so long; `number` as the carrier shows it. Returns the call's index.
    pub fn call(&mut self, number: &str, patience: Duration) -> usize {
        self.call_on("12345", Cli::Shown(number.into()), patience)
    }

    pub fn call_on(&mut self, dnis: &str, cli: Cli, patience: Duration) -> usize {
        let n = self.callers.len();
        let params = CarrierParams {
            station: station(6_000 + n as u16),
            seed: 1_000 + self.log.len() as u64,
            dnis: dnis.into(),
            cli,
            patience,
            talk: Some(s(20)),
            pickup: Pickup::WhenHeard,
            fault: None,
        };
        let opened = self.opened.len();
        self.callers.push((CarrierCall::start(self.now, params), flow(6_000 + n as u16), LegId(0)));
        self.run(Duration::from_millis(10));
        if let Some(leg) = self.opened.get(opened) {
            self.callers[n].2 = *leg;
        }
        n
    }

    pub fn leg(&self, caller: usize) -> LegId {
        self.callers[caller].2
    }

    pub fn hears_caller(&self, caller: usize) -> Option<&Source> {
        self.hears.get(&self.callers[caller].2)
    }

    pub fn presses(&mut self, caller: usize, digit: char) {
        self.feed(Input::Media(MediaEvent::Digit { leg: self.callers[caller].2, digit }));
    }

    pub fn hangs_up(&mut self, caller: usize) {
        let now = self.now;
        self.callers[caller].0.hang_up(now);
        self.run(Duration::from_millis(10));
    }

    /// A hop answers this request of ours, `200 OK`, `503 Service Unavailable\r\nRetry-After: 5`.
    pub fn hop_says(&mut self, port: u16, request: &str, answer: &str) {
        let bytes = HopPlan::answering(answer).answer(request.as_bytes());
        self.feed(Input::Message { flow: flow(port), bytes: &bytes });
    }

    pub fn ending(&self, caller: usize) -> Option<Ending> {
        self.callers[caller].0.ending()
    }

    pub fn caller_is_gone(&self, caller: usize) -> bool {
        self.callers[caller].0.ending().is_some()
    }

    pub fn state(&self, phone: usize) -> AgentState {
        self.gateway.acd().agent_state(&agent(phone)).expect("an agent of the configuration")
    }

    /// Entries of the gateway's list: number, kind, state.
    pub fn list(&self) -> Vec<(String, CallbackKind, State)> {
        self.gateway.callbacks().map(|p| (p.entry.number.clone(), p.entry.kind, p.state)).collect()
    }

    /// How calls ended, in order.
    pub fn ends(&self) -> Vec<EndCause> {
        let cause = |e: &CallEvent| match &e.what {
            CallFact::Ended { cause, .. } => Some(*cause),
            _ => None,
        };
        self.log.iter().filter_map(cause).collect()
    }

    /// When the citizen's phone began to ring, each time.
    pub fn rung(&self) -> usize {
        self.citizen_saw.iter().filter(|f| matches!(f, UaFact::Offered { .. })).count()
    }

    pub fn facts(&self, pick: impl Fn(&CallFact) -> bool) -> usize {
        self.log.iter().filter(|e| pick(&e.what)).count()
    }

    /// The leg of the seat that was rung last.
    pub fn last_seat_leg(&self) -> LegId {
        let leg = self.log.iter().rev().find_map(|e| match e.what {
            CallFact::Offered { leg, .. } => Some(leg),
            _ => None,
        });
        leg.expect("an offer")
    }

    pub fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&World) -> bool) {
        let deadline = self.now + limit;
        while !done(self) {
            assert!(self.now < deadline, "not within {limit:?}: {what}; {:#?}", self.log);
            self.run(Duration::from_millis(100));
        }
    }

    /// Everything that happens in this time, in order.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            while self.exchange() {}
            let clocks = self.phones.iter().filter_map(|(p, _)| p.next_timeout());
            let clocks = clocks.chain(self.callers.iter().filter_map(|(c, ..)| c.next_timeout()));
            let clocks = clocks.chain(self.citizen.next_timeout()).chain(self.plays.values().copied());
            let next = clocks.chain(self.gateway.next_timeout()).min().filter(|t| *t <= end);
            let Some(next) = next else { break };
            self.now = next.max(self.now);
            self.tick();
        }
        self.now = end;
        self.gateway.acd().check().expect("the distributor's invariants");
        self.one_attempt_each();
    }

    fn tick(&mut self) {
        let now = self.now;
        let due = |at: Option<Instant>| at.is_some_and(|t| t <= now);
        if due(self.gateway.next_timeout()) {
            self.feed(Input::Timeout);
        }
        self.phones.iter_mut().filter(|(p, _)| due(p.next_timeout())).for_each(|(p, _)| p.on_timeout(now));
        self.callers.iter_mut().filter(|(c, ..)| due(c.next_timeout())).for_each(|(c, ..)| c.on_timeout(now));
        if due(self.citizen.next_timeout()) {
            self.citizen.on_timeout(now);
        }
        for leg in self.plays.iter().filter(|(_, at)| **at <= now).map(|(leg, _)| *leg).collect::<Vec<_>>() {
            self.plays.remove(&leg);
            if let Some(Source::Play { then, .. }) = self.hears.get(&leg).cloned() {
                self.hears.insert(leg, *then);
            }
            self.feed(Input::Media(MediaEvent::PlayEnded { leg }));
        }
    }

    /// Carries what the user agents say to the gateway; false when they are silent.
    fn exchange(&mut self) -> bool {
        let mut said = Vec::new();
        for (phone, flow) in &mut self.phones {
            while let Some(output) = phone.poll() {
                if let UaOutput::Send(bytes) = output {
                    said.push((*flow, bytes));
                }
            }
        }
        for (caller, flow, _) in &mut self.callers {
            while let Some(output) = caller.poll() {
                if let UaOutput::Send(bytes) = output {
                    said.push((*flow, bytes));
                }
            }
        }
        while let Some(output) = self.citizen.poll() {
            match output {
                // A phone of the carrier's: it does not register here.
                UaOutput::Send(bytes) if bytes.starts_with(b"REGISTER") => {}
                UaOutput::Send(bytes) => said.push((flow(CARRIER), bytes)),
                UaOutput::Fact(fact) => self.citizen_saw.push(fact),
            }
        }
        said.append(&mut self.said_by_hops);
        let any = !said.is_empty();
        for (flow, bytes) in said {
            self.feed(Input::Message { flow, bytes: &bytes });
        }
        any
    }

    pub fn feed(&mut self, input: Input<'_>) {
        self.gateway.handle(self.now, input);
        let mut spooled = Vec::new();
        while let Some(output) = self.gateway.next_output() {
            match output {
                Output::Send(transmit) => self.deliver(transmit.flow, &transmit.bytes),
                Output::Media(command) => self.media(command),
                Output::OpenTicket(ticket) => {
                    spooled.push(ticket.call);
                    self.tickets.push(*ticket);
                }
                Output::Call(event) => self.log.push(event),
                Output::Callback(change) => {
                    self.changes.push(change.clone());
                    match change {
                        CallbackChange::Put(entry) => drop(self.kept.insert(entry.of, entry)),
                        CallbackChange::Gone { of, why } => {
                            self.kept.remove(&of);
                            self.gone.push(why);
                        }
                    }
                }
                Output::Agent(_) | Output::Guard(_) | Output::Screen(_) | Output::Leader(_) => {}
            }
        }
        for call in spooled {
            self.feed(Input::Spooled { call });
        }
    }

    fn deliver(&mut self, to: Flow, bytes: &[u8]) {
        let now = self.now;
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let (port, message) = (to.remote.port(), text());
        let answer = self.carrier.as_mut().filter(|_| to == flow(CARRIER)).and_then(|c| c.answer(&message));
        let question = message.starts_with("OPTIONS");
        if let Some(answer) = answer {
            self.feed(Input::Message { flow: to, bytes: &answer });
        } else if (CARRIER..CARRIER + 100).contains(&port) && (port != CARRIER || question) {
            if let Some(plan) = self.hops.get(&port).filter(|_| question || message.starts_with("INVITE")) {
                self.said_by_hops.push((to, plan.answer(bytes)));
            }
            self.to_hops.push((port, message));
        } else if to == flow(CARRIER) && self.citizen_is_dead {
        } else if to == flow(CARRIER) {
            self.to_citizen.push(text());
            self.citizen.on_message(now, bytes);
        } else if let Some((phone, _)) = self.phones.iter_mut().find(|(_, flow)| *flow == to) {
            self.to_phones.push(text());
            phone.on_message(now, bytes);
        } else if let Some((caller, ..)) = self.callers.iter_mut().find(|(_, flow, _)| *flow == to) {
            if message.starts_with("SIP/2.0 5") || message.starts_with("SIP/2.0 6") {
                self.refusals.push(message);
            }
            caller.on_message(now, bytes);
        }
    }

    fn media(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Open { leg, .. } => self.opened.push(leg),
            MediaCommand::Close { leg } => {
                self.hears.remove(&leg);
                self.plays.remove(&leg);
            }
            MediaCommand::SetSource { leg, source } => {
                self.plays.remove(&leg);
                if let Source::Play { .. } = source {
                    self.plays.insert(leg, self.now + PROMPT);
                }
                if let (Source::Leg(_), Some((caller, ..))) =
                    (last(&source), self.callers.iter_mut().find(|(.., l)| *l == leg))
                {
                    caller.heard_human(self.now);
                }
                self.hears.insert(leg, source);
            }
            MediaCommand::Record { caller, file } => self.recorded.push((caller, Some(file.segment))),
            MediaCommand::StopRecording { caller } => self.recorded.push((caller, None)),
            MediaCommand::OpenBrowser { .. } | MediaCommand::OpenWebRtc { .. } | MediaCommand::Connect { .. } => {}
        }
    }

    /// Never two attempts for one number, and never more entries than the rules allow.
    fn one_attempt_each(&self) {
        let list = self.list();
        let mut numbers: Vec<_> = list.iter().map(|(number, ..)| number).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), list.len(), "a number twice: {list:?}");
        let kept: Vec<_> = self.kept.values().collect();
        let held: Vec<_> = self.gateway.callbacks().map(|p| &p.entry).collect();
        assert_eq!(kept, held, "the store and the gateway agree");
    }

    /// Timers run out: nothing may be left but the list.
    pub fn nothing_is_left(&mut self) {
        self.run(s(70));
        let left = self.gateway.leftovers();
        assert_eq!(Leftovers { alarms: 0, ..left }, Leftovers::default());
        assert!(self.gateway.trunks().active().all(|(_, n)| n == 0), "the trunk counts calls that are over");
    }
}

/// What a hop says to every INVITE and OPTIONS.
pub struct HopPlan {
    status: u16,
    reason: String,
    header: Option<(String, String)>,
}

impl HopPlan {
    /// `486 Busy Here`, with a header line if there is one.
    pub fn answering(text: &str) -> HopPlan {
        let mut lines = text.lines();
        let (status, reason) = lines.next().and_then(|line| line.split_once(' ')).expect("a status line");
        let header = lines.next().and_then(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned()));
        HopPlan { status: status.parse().unwrap(), reason: reason.into(), header }
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let msg = Message::parse(request, Framing::Datagram).expect("our own request");
        let b = Builder::response(&msg, self.status, &self.reason, Some(b"hop"), GATEWAY.parse().unwrap());
        let b = self.header.iter().fold(b, |b, (name, value)| b.other(name, value.as_bytes()));
        b.finish()
    }
}

/// What is heard in the end.
fn last(source: &Source) -> &Source {
    match source {
        Source::Play { then, .. } => last(then),
        other => other,
    }
}

pub fn agent(phone: usize) -> AgentNo {
    AgentNo::new((6601 + phone).to_string())
}

fn station(port: u16) -> Station {
    Station {
        sip: SocketAddr::from(([127, 0, 0, 1], port)),
        gateway: GATEWAY.parse().unwrap(),
        rtp: SocketAddr::from(([127, 0, 0, 1], port + 10_000)),
        payload_types: vec![8],
        dtmf: Some(101),
    }
}

pub fn flow(port: u16) -> Flow {
    let (local, remote) = (GATEWAY.parse().unwrap(), station(port).sip);
    Flow { transport: Transport::Udp, local, remote, connection: 0 }
}

fn params(station: Station, seed: u64, user: &str, secret: &str, core: &CoreSettings) -> PhoneParams {
    PhoneParams {
        station,
        seed,
        account: Account { user: user.into(), secret: secret.into(), sha256: false },
        domain: core.domain.clone(),
        expires: s(300),
        plan: Plan::answer_after(s(2)),
    }
}

fn phone(now: Instant, n: usize, core: &CoreSettings) -> (Phone, Flow) {
    let seat = &core.seats[n];
    let station = station(40_000 + n as u16);
    let flow =
        Flow { transport: Transport::Tcp, local: station.gateway, remote: station.sip, connection: n as u64 + 1 };
    let mut phone = Phone::start(now, params(station, 100 + n as u64, seat.number.as_str(), &seat.secret.0, core));
    phone.set_call_waiting(false);
    (phone, flow)
}

/// A citizen who is owed a call since `since`.
pub fn owed(of: u64, number: &str, since: Instant) -> CallbackEntry {
    CallbackEntry {
        of: CallId(of),
        kind: CallbackKind::Promised,
        number: number.into(),
        dnis: "12345".into(),
        tenant: "default".into(),
        line: None,
        queue: "mandarin".into(),
        language: Some("zh-CN".into()),
        since,
        attempts: 0,
        not_before: since,
        missed: 0,
    }
}
