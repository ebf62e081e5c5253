//! One gateway, phones on connections of their own, one caller on UDP; and what everybody heard.

use rexian::config::settings::{CoreSettings, DistributorSettings, QueueSettings, Settings};
use rexian::event::{AgentState, CallEvent, CallFact, EndCause, LeaderEvent, Party};
use rexian::gateway::{AgentOrder, Gateway, Input, Leftovers, Output};
use rexian::ids::{AgentNo, CallId, LegId, SeatNo};
use rexian::plane::browser::{BrowserEvent, Lost};
use rexian::plane::webrtc::{End, Fingerprint};
use rexian::plane::{MediaCommand, MediaEvent, Source};
use rexian::record::Fold;
use rexian::sim::ua::{
    Account, CarrierCall, CarrierParams, Cli, Phone, PhoneParams, Pickup, Plan, Station, UaFact, UaOutput,
};
use rexian::sip::flow::{Flow, Listener, Transport};
use rexian::ticket::NewTicket;
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

const GATEWAY: &str = "127.0.0.1:5060";
/// Where calls of the hotline's own go.
pub const OUTSIDE: &str = "127.0.0.1:7070";
const OTHER_SIDE: &str = "the other side";

pub struct World {
    pub now: Instant,
    pub gateway: Gateway,
    pub phones: Vec<(Phone, Flow, Vec<UaFact>)>,
    /// Which seat each phone is, from 0.
    seats: Vec<usize>,
    pub caller: Option<(CarrierCall, Vec<UaFact>)>,
    /// Messages to the caller, as sent.
    pub to_caller: Vec<String>,
    /// To everybody else, and by which path.
    pub to_others: Vec<(Flow, String)>,
    /// Messages to the carrier's other address, by which the hotline calls out.
    pub outside: Vec<String>,
    /// Messages of the phones, as sent.
    pub from_phones: Vec<String>,
    /// Those of them that begin like this never arrive.
    pub lost: Option<&'static str>,
    pub facts: Vec<CallFact>,
    /// The same with their calls and times, of all calls.
    pub events: Vec<CallEvent>,
    pub leaders: Vec<LeaderEvent>,
    /// What a report makes of it.
    pub record: Fold,
    pub tickets: Vec<NewTicket>,
    /// Every leg's media, as last told.
    sources: BTreeMap<LegId, Source>,
    /// Recordings begun, by number, and ended.
    pub recorded: Vec<String>,
    /// Legs that have the audio of a seat's browser.
    in_browser: BTreeMap<LegId, SeatNo>,
    /// The latest call's leg.
    callers_leg: LegId,
    last_call: Option<CallId>,
    /// The phones are browsers'.
    web: bool,
    /// Their audio does not reach us from now on.
    pub cut: bool,
}

impl World {
    pub fn new(phones: usize, shape: impl FnOnce(&mut CoreSettings)) -> World {
        World::of(&(0..phones).collect::<Vec<_>>(), shape)
    }

    /// With the phones of these seats, counted from 0; their agents signed in and ready.
    pub fn of(seats: &[usize], shape: impl FnOnce(&mut CoreSettings)) -> World {
        World::with(seats, false, shape)
    }

    /// With third-party phones in browsers at these seats.
    pub fn of_browsers(seats: &[usize], shape: impl FnOnce(&mut CoreSettings)) -> World {
        World::with(seats, true, shape)
    }

    fn with(seats: &[usize], web: bool, shape: impl FnOnce(&mut CoreSettings)) -> World {
        let mut core = plain();
        shape(&mut core);
        let now = Instant::from_unix_secs(1_800_000_000);
        let phones = seats.iter().map(|&n| phone(now, n, &core, web)).collect();
        let gateway = Gateway::new(core, [9; 32], now);
        let mut world = World {
            now,
            gateway,
            phones,
            seats: seats.to_vec(),
            caller: None,
            to_caller: vec![],
            to_others: vec![],
            outside: vec![],
            from_phones: vec![],
            lost: None,
            facts: vec![],
            events: vec![],
            leaders: vec![],
            record: Fold::default(),
            tickets: vec![],
            sources: BTreeMap::new(),
            recorded: vec![],
            in_browser: BTreeMap::new(),
            callers_leg: LegId(0),
            last_call: None,
            web,
            cut: false,
        };
        world.browsers_end();
        let listener = Listener { transport: Transport::Udp, address: GATEWAY.parse().unwrap() };
        world.feed(Input::Listening(vec![listener]));
        world.run(Duration::from_secs(1));
        for n in 0..world.phones.len() {
            world.phones[n].0.dial(world.now, "*11");
        }
        world.run(Duration::from_secs(5));
        for n in 0..world.phones.len() {
            assert_eq!(world.state(n), AgentState::Ready, "phone {n} signed in: {:?}", world.phones[n].2);
        }
        world
    }

    pub fn call(&mut self, patience: Duration, talk: Duration) {
        self.call_as("12345", Cli::Shown("053187654321".into()), patience, talk);
    }

    /// The next call of the caller: the number called, and who calls.
    pub fn call_as(&mut self, dnis: &str, cli: Cli, patience: Duration, talk: Duration) {
        self.facts.clear();
        let params = CarrierParams {
            station: station(6_000),
            seed: self.now.as_unix_micros(),
            dnis: dnis.into(),
            cli,
            patience,
            talk: Some(talk),
            pickup: Pickup::WhenHeard,
            fault: None,
        };
        self.caller = Some((CarrierCall::start(self.now, params), vec![]));
        self.sources.clear();
        self.callers_leg = LegId(u64::MAX);
    }

    pub fn state(&self, phone: usize) -> AgentState {
        self.gateway.acd().agent_state(&agent(self.seats[phone])).expect("an agent of the configuration")
    }

    pub fn connection_breaks(&mut self, phone: usize) {
        let flow = self.phones[phone].1;
        self.phones[phone].0.power_off();
        self.feed(Input::FlowFailed { flow });
    }

    pub fn until(&mut self, limit: Duration, done: impl Fn(&World) -> bool) {
        let deadline = self.now + limit;
        while !done(self) {
            assert!(self.now < deadline, "not within {limit:?}; {:#?}", self.facts);
            self.run(Duration::from_millis(100));
        }
    }

    /// Everything that happens in this time, in order.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            while self.exchange() {}
            let clocks = self.phones.iter().filter_map(|(p, ..)| p.next_timeout());
            let clocks = clocks.chain(self.caller.iter().filter_map(|(c, _)| c.next_timeout()));
            let next = clocks.chain(self.gateway.next_timeout()).min().filter(|t| *t <= end);
            let Some(next) = next else { break };
            self.now = next.max(self.now);
            if self.gateway.next_timeout().is_some_and(|t| t <= self.now) {
                self.feed(Input::Timeout);
            }
            let now = self.now;
            self.phones
                .iter_mut()
                .filter(|(p, ..)| p.next_timeout().is_some_and(|t| t <= now))
                .for_each(|(p, ..)| p.on_timeout(now));
            if let Some((caller, _)) = self.caller.as_mut().filter(|(c, _)| c.next_timeout().is_some_and(|t| t <= now))
            {
                caller.on_timeout(now);
            }
        }
        self.now = end;
        self.gateway.acd().check().expect("the distributor's invariants");
    }

    /// Carries what the user agents say to the gateway; false when they are silent.
    fn exchange(&mut self) -> bool {
        let mut said = Vec::new();
        for (phone, flow, facts) in &mut self.phones {
            while let Some(output) = phone.poll() {
                match output {
                    UaOutput::Send(bytes) => {
                        let bytes = if self.web { in_a_browser(&bytes) } else { bytes };
                        self.from_phones.push(String::from_utf8_lossy(&bytes).into_owned());
                        if self.lost.is_none_or(|lost| !bytes.starts_with(lost.as_bytes())) {
                            said.push((*flow, bytes));
                        }
                    }
                    UaOutput::Fact(fact) => facts.push(fact),
                }
            }
        }
        if let Some((caller, facts)) = &mut self.caller {
            while let Some(output) = caller.poll() {
                match output {
                    UaOutput::Send(bytes) => said.push((caller_flow(), bytes)),
                    UaOutput::Fact(fact) => facts.push(fact),
                }
            }
        }
        let any = !said.is_empty();
        for (flow, mut bytes) in said {
            if bytes.starts_with(b"REGISTER") && !self.gateway.settings().proxies.is_empty() {
                bytes = through_a_proxy(&bytes);
            }
            self.feed(Input::Message { flow, bytes: &bytes });
        }
        any
    }

    pub fn feed(&mut self, input: Input<'_>) {
        self.gateway.handle(self.now, input);
        self.carry_out();
    }

    /// An order from the screen of this agent.
    pub fn order(&mut self, agent: &str, order: AgentOrder) -> Result<(), &'static str> {
        let done = self.gateway.order(self.now, &AgentNo::new(agent), order).map_err(|unable| unable.as_str());
        self.carry_out();
        self.run(Duration::from_millis(10));
        done
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.gateway.next_output() {
            match output {
                Output::Send(transmit) if transmit.flow.remote == caller_flow().remote => {
                    self.to_caller.push(String::from_utf8_lossy(&transmit.bytes).into_owned());
                    if let Some((caller, _)) = &mut self.caller {
                        caller.on_message(self.now, &transmit.bytes);
                    }
                }
                Output::Send(transmit) if transmit.flow.remote == outside_flow().remote => {
                    self.outside.push(String::from_utf8_lossy(&transmit.bytes).into_owned());
                }
                Output::Send(transmit) => {
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    self.to_others.push((transmit.flow, text));
                    let now = self.now;
                    let there = self.phones.iter_mut().find(|(_, flow, _)| *flow == transmit.flow);
                    if let Some((phone, ..)) = there {
                        phone.on_message(now, &transmit.bytes);
                    }
                }
                Output::OpenTicket(ticket) => {
                    let call = ticket.call;
                    self.tickets.push(*ticket);
                    self.feed(Input::Spooled { call });
                }
                Output::Agent(event) => self.record.agent(&event),
                Output::Call(event) => {
                    self.record.call(&event);
                    self.last_call = Some(event.call);
                    self.events.push(event.clone());
                    self.facts.push(event.what);
                }
                Output::Media(MediaCommand::Open { leg, .. }) => self.callers_leg = self.callers_leg.min(leg),
                Output::Media(MediaCommand::Connect { leg, remote, .. }) if remote.webrtc.is_some() && !self.cut => {
                    self.feed(Input::Media(MediaEvent::FirstRtp { leg }));
                }
                Output::Media(MediaCommand::Record { caller, file }) => {
                    assert_eq!((caller, Some(file.call)), (self.callers_leg, self.last_call));
                    self.recorded.push(file.segment.to_string());
                }
                Output::Media(MediaCommand::StopRecording { caller }) => {
                    assert_eq!(caller, self.callers_leg);
                    self.recorded.push("end".into());
                }
                Output::Media(MediaCommand::OpenBrowser { leg, seat, .. }) => {
                    assert!(!self.in_browser.values().any(|s| *s == seat), "two legs in the browser of {seat}");
                    self.in_browser.insert(leg, seat);
                }
                Output::Media(MediaCommand::Close { leg }) => {
                    self.sources.remove(&leg);
                    self.in_browser.remove(&leg);
                }
                Output::Media(MediaCommand::SetSource { leg, source }) => {
                    if let Some((caller, _)) = self.caller.as_mut().filter(|_| leg == self.callers_leg)
                        && heard(&source).ends_with(OTHER_SIDE)
                    {
                        caller.heard_human(self.now);
                    }
                    self.sources.insert(leg, source);
                }
                Output::Leader(event) => self.leaders.push(event),
                Output::Media(_) | Output::Callback(_) | Output::Guard(_) | Output::Screen(_) => {}
            }
        }
    }

    /// What the caller hears: prompts, then what follows them.
    pub fn caller_hears(&self) -> String {
        self.sources.get(&self.callers_leg).map(heard).unwrap_or_default()
    }

    pub fn seat_hears(&self) -> String {
        self.sources.get(&self.seat_leg()).map(heard).unwrap_or_default()
    }

    /// What the media plane says of a seat's browser.
    pub fn browser(&mut self, event: BrowserEvent) {
        self.feed(Input::Media(MediaEvent::Browser(event)));
        self.run(Duration::from_millis(10));
    }

    pub fn browser_up(&mut self, seat: &str) {
        self.browser(BrowserEvent::Up { seat: SeatNo::new(seat) });
    }

    pub fn browser_down(&mut self, seat: &str, why: Lost) {
        self.browser(BrowserEvent::Down { seat: SeatNo::new(seat), why });
    }

    /// What is sent to the leg that has the audio of this seat's browser.
    pub fn page_hears(&self, seat: &str) -> String {
        let leg = self.in_browser.iter().find(|(_, s)| s.as_str() == seat).map(|(leg, _)| leg);
        leg.and_then(|leg| self.sources.get(leg)).map(heard).unwrap_or_default()
    }

    /// The prompts have been played to the caller.
    pub fn play_ends(&mut self) {
        if let Some(Source::Play { then, .. }) = self.sources.get(&self.callers_leg).cloned() {
            self.sources.insert(self.callers_leg, *then);
        }
        self.feed(Input::Media(MediaEvent::PlayEnded { leg: self.callers_leg }));
    }

    /// A key of the caller, as RTP event.
    pub fn caller_presses(&mut self, digit: char) {
        self.feed(Input::Media(MediaEvent::Digit { leg: self.callers_leg, digit }));
    }

    /// Keys on the phone that talks or rings.
    pub fn seat_presses(&mut self, keys: &str) {
        let leg = self.seat_leg();
        for digit in keys.chars() {
            self.feed(Input::Media(MediaEvent::Digit { leg, digit }));
        }
    }

    /// No RTP from the phone last rung for the caller.
    pub fn seat_is_silent(&mut self) {
        let leg = self.seat_leg();
        self.feed(Input::Media(MediaEvent::RtpTimeout { leg }));
    }

    /// What the media plane says of the session of the phone last rung.
    pub fn seat_says(&mut self, said: impl FnOnce(LegId) -> MediaEvent) {
        let event = said(self.seat_leg());
        self.feed(Input::Media(event));
        self.run(Duration::from_millis(10));
    }

    pub fn caller_is_silent(&mut self) {
        let leg = self.callers_leg;
        self.feed(Input::Media(MediaEvent::RtpTimeout { leg }));
    }

    /// No RTP from whom was called last.
    pub fn party_is_silent(&mut self) {
        let leg = *self.sources.keys().last().expect("a leg");
        self.feed(Input::Media(MediaEvent::RtpTimeout { leg }));
    }

    /// What is heard by the leg opened last.
    pub fn heard_by_last(&self) -> String {
        self.sources.values().next_back().map(heard).unwrap_or_default()
    }

    /// Legs that hear so many others.
    pub fn hear(&self, others: usize) -> usize {
        self.sources.values().filter(|source| matches!(source, Source::Mix(legs) if legs.len() == others)).count()
    }

    pub fn caller_leaves(&mut self) {
        let now = self.now;
        if let Some((caller, _)) = &mut self.caller {
            caller.hang_up(now);
        }
        self.run(Duration::from_millis(10));
    }

    /// A key of the caller, as SIP INFO in the dialog the gateway has answered.
    pub fn caller_sends_info(&mut self, digit: char) {
        let answer = self.to_caller.iter().find(|m| m.starts_with("SIP/2.0 200")).expect("an answered call");
        let echoed: String = answer
            .split("\r\n")
            .filter(|l| ["From:", "To:", "Call-ID:"].iter().any(|h| l.starts_with(h)))
            .fold(String::new(), |all, line| all + line + "\r\n");
        let info = format!(
            "INFO sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKinfo;rport\r\n{echoed}\
             Max-Forwards: 70\r\nCSeq: 2 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 10\r\n\r\nSignal={digit}\r\n"
        );
        self.feed(Input::Message { flow: caller_flow(), bytes: info.as_bytes() });
    }

    /// Another citizen's message, by the same carrier.
    pub fn other_sends(&mut self, bytes: &[u8]) {
        let leg = self.callers_leg;
        self.feed(Input::Message { flow: caller_flow(), bytes });
        self.callers_leg = leg;
    }

    /// The call that arrived last.
    pub fn last_call(&self) -> CallId {
        self.last_call.expect("a call arrived")
    }

    /// The seat last rung.
    fn seat_leg(&self) -> LegId {
        let rung = self.facts.iter().rev().find_map(|f| match f {
            CallFact::Offered { leg, .. } => Some(*leg),
            _ => None,
        });
        rung.expect("a seat was rung")
    }

    /// Legs that hear the other side now.
    pub fn talking_legs(&self) -> usize {
        self.sources.values().filter(|source| heard(source).ends_with(OTHER_SIDE)).count()
    }

    /// The carrier's other address says this.
    pub fn outside_says(&mut self, message: &str) {
        self.feed(Input::Message { flow: outside_flow(), bytes: message.as_bytes() });
        self.run(Duration::from_millis(1));
    }

    /// The caller's way and its reasons, fact by fact.
    pub fn story(&self) -> Vec<String> {
        let told = |fact: &CallFact| {
            Some(match fact {
                CallFact::Queued { queue, why, .. } => format!("queued {queue} {}", why.as_str()),
                CallFact::Moved { queue, why, .. } => format!("moved {queue} {}", why.as_str()),
                CallFact::Relaxed { step } => format!("relaxed {step}"),
                CallFact::Announced { position, .. } => format!("announced {}", position.unwrap_or(0)),
                CallFact::Answered { agent, .. } => format!("answered {agent}"),
                CallFact::Transferred { agent, .. } => format!("transferred {agent}"),
                CallFact::TakenOver { agent, .. } => format!("taken over {agent}"),
                CallFact::Dialled { seat, agent, to, .. } => {
                    format!("{seat} {} dialled {}", agent.as_ref().map_or("nobody", |a| a.as_str()), party(to))
                }
                CallFact::Reached { .. } => "reached".to_owned(),
                CallFact::PassingOn { agent, to } => format!("{agent} passing on to {}", party(to)),
                CallFact::PassedOn { agent, to } => format!("{agent} passed on to {}", party(to)),
                CallFact::NotPassedOn { agent, to, status } => {
                    format!("{agent} not passed on to {}: {status}", party(to))
                }
                CallFact::Consulting { agent, to } => format!("{agent} consults {}", party(to)),
                CallFact::Consulted { .. } => "consulted".to_owned(),
                CallFact::ThreeWay => "three-way".to_owned(),
                CallFact::ConsultOver { to, why, .. } => format!("without {}: {}", party(to), why.as_str()),
                CallFact::Supervised { by, act, .. } => format!("{by} {}", act.as_str()),
                CallFact::Surveyed { agent } => format!("{agent} sends to the survey"),
                CallFact::Rated { score } => format!("rated {score}"),
                CallFact::Help { agent, asked } => format!("{agent} {}", if *asked { "asks help" } else { "no help" }),
                CallFact::Ended { cause, .. } => cause.as_str().to_owned(),
                _ => return None,
            })
        };
        self.facts.iter().filter_map(told).collect()
    }

    /// Every process has its own port and certificate.
    fn browsers_end(&mut self) {
        if self.web {
            self.feed(Input::WebRtc(End { port: 20_000, certificate: Fingerprint([1; 32]) }));
        }
    }

    /// Another process takes over.
    pub fn restart(&mut self) {
        self.gateway = Gateway::restore(&self.gateway.save()).expect("its own state");
        self.browsers_end();
    }

    pub fn ended(&self) -> Option<EndCause> {
        self.facts.iter().find_map(|f| match f {
            CallFact::Ended { cause, .. } => Some(*cause),
            _ => None,
        })
    }

    /// Phones gone, timers run out: nothing may be left. Closing figures never come here (no media plane).
    pub fn nothing_is_left(&mut self) {
        self.run(Duration::from_secs(70));
        let left = self.gateway.leftovers();
        assert_eq!(Leftovers { alarms: 0, ..left }, Leftovers::default());
        assert!(self.in_browser.is_empty(), "{:?}", self.in_browser);
    }
}

pub const PATH: &str = "<sip:127.0.0.1:5070;lr;ob>";

/// What a proxy before the phones makes of a REGISTER (RFC 3327 s5.2).
fn through_a_proxy(register: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(register);
    text.replacen("\r\n", &format!("\r\nPath: {PATH}\r\nRequire: path\r\n"), 1).into_bytes()
}

/// The demo's people, seats and queues without its rules: each test says which it is about.
fn plain() -> CoreSettings {
    let mut core = Settings::demo([7; 32]).core;
    core.lines.clear();
    core.languages.clear();
    core.distributor = DistributorSettings::default();
    for queue in &mut core.queues {
        let QueueSettings { name, skill, numbers, language, greeting, .. } = queue.clone();
        let bare = QueueSettings::new(name.as_str(), skill.as_str());
        *queue = QueueSettings { numbers, language, greeting, ..bare };
    }
    core.queues[0].numbers.insert("12345".into());
    core
}

fn agent(phone: usize) -> AgentNo {
    AgentNo::new((6601 + phone).to_string())
}

fn station(port: u16) -> Station {
    Station {
        sip: SocketAddr::from(([127, 0, 0, 1], port)),
        gateway: GATEWAY.parse().unwrap(),
        rtp: SocketAddr::from(([127, 0, 0, 1], port + 1_000)),
        payload_types: vec![8],
        dtmf: Some(101),
    }
}

pub fn caller_flow() -> Flow {
    let (local, remote) = (GATEWAY.parse().unwrap(), station(6_000).sip);
    Flow { transport: Transport::Udp, local, remote, connection: 0 }
}

pub fn outside_flow() -> Flow {
    Flow { remote: OUTSIDE.parse().unwrap(), ..caller_flow() }
}

/// What a phone says with audio for a browser: its library offers, or begins the handshake in its answer.
fn in_a_browser(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.contains("RTP/AVP")) else {
        return message.to_vec();
    };
    let setup = if head.starts_with("SIP/2.0") { "active" } else { "actpass" };
    let print = vec!["AB"; 32].join(":");
    let body = body.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF")
        + &format!(
            "a=rtcp-mux\r\na=ice-ufrag:Ab+/\r\na=ice-pwd:0123456789012345678901ab\r\na=fingerprint:sha-256 {print}\r\n\
             a=setup:{setup}\r\na=mid:0\r\na=ssrc:99 cname:c\r\n"
        );
    let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
    let head: Vec<&str> = lines.collect();
    format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into_bytes()
}

fn phone(now: Instant, n: usize, core: &CoreSettings, web: bool) -> (Phone, Flow, Vec<UaFact>) {
    let station = station(40_000 + n as u16);
    let flow = Flow {
        transport: if web { Transport::Wss } else { Transport::Tcp },
        local: station.gateway,
        remote: station.sip,
        connection: n as u64 + 1,
    };
    let seat = &core.seats[n];
    let params = PhoneParams {
        station,
        seed: 100 + n as u64,
        account: Account { user: seat.number.to_string(), secret: seat.secret.0.to_string(), sha256: false },
        domain: core.domain.clone(),
        expires: Duration::from_secs(300),
        plan: Plan::answer_after(Duration::from_secs(3)),
    };
    let mut phone = Phone::start(now, params);
    phone.set_call_waiting(false);
    (phone, flow, vec![])
}

fn party(party: &Party) -> &str {
    match party {
        Party::Seat(seat) => seat.as_str(),
        Party::Outside(number) | Party::Emergency(number) => number,
    }
}

fn heard(source: &Source) -> String {
    match source {
        Source::Play { prompts, then } => format!("{}>{}", prompts.join("+"), heard(then)),
        Source::Music(music) => music.to_string(),
        Source::Leg(_) => OTHER_SIDE.into(),
        Source::Mix(legs) => format!("{} others", legs.len()),
        other => format!("{other:?}"),
    }
}

/// A carrier-like INVITE of its own, from nobody in particular.
pub fn invite(n: u32) -> Vec<u8> {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 8\r\n";
    format!(
        "INVITE sip:12345@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKflood{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:0531{n}@127.0.0.1>;tag=f{n}\r\nTo: <sip:12345@127.0.0.1>\r\nCall-ID: flood-{n}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:6000>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}
