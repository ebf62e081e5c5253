//! One gateway as a trunk's peer meets it: configured by the product's own loader, virtual time, no sockets.

use super::script::{Expected, Line, Ours, Script, Step, matches};
use rexian::config::settings::{CallOut, Profile, Settings};
use rexian::event::{CallFact, CallbackEntry, CallbackKind, Forwarded};
use rexian::gateway::{Gateway, Input, Leftovers, Output};
use rexian::ids::{CallId, LegId, LineName, QueueName};
use rexian::plane::{MediaCommand, MediaEvent, Source};
use rexian::sim::ua::{Account, Phone, PhoneParams, Plan, Station, UaOutput};
use rexian::sip::flow::{Flow, Listener, Transport};
use rexian::sip::message::{Framing, Message};
use rexian::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

const GATEWAY: &str = "10.0.0.5:5060";
const PHONE: &str = "10.0.2.1:40000";
/// A Monday, 10:00 in China.
const START: Instant = Instant::from_unix_secs(1_795_399_200);
/// Every prompt is this long.
const PROMPT: Duration = Duration::from_secs(1);

pub struct World {
    now: Instant,
    gateway: Gateway,
    phone: Option<(Phone, Flow)>,
    /// What the gateway has sent to the peer and no step has looked at.
    sent: VecDeque<(SocketAddr, Vec<u8>)>,
    seen: Seen,
    facts: Vec<String>,
    plays: BTreeMap<LegId, Instant>,
    peer: SocketAddr,
    /// Where the caller was when calling: must never come out again.
    secrets: Vec<String>,
    everything: String,
}

/// What messages of the gateway have told, for the peer's next ones.
#[derive(Default)]
struct Seen {
    last: BTreeMap<String, String>,
    by_method: BTreeMap<(String, String), String>,
    tag: String,
    contact: String,
}

/// The settings of a hotline with one trunk of this profile.
pub fn settings(script: &Script) -> Result<Settings, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let profiles = concat!(env!("CARGO_MANIFEST_DIR"), "/sip-profiles");
    let Script { profile, trunk, peer, .. } = script;
    let text = format!(
        r#"
[sip]
udp = ["{GATEWAY}"]
tcp = ["{GATEWAY}"]
profiles = "{profiles}"
[media]
address_v4 = "10.0.0.5"
bind_v4 = "10.0.0.5"
[callbacks]
trunk = "carrier"
[[trunks]]
name = "carrier"
peers = ["10.1.0.0/24"]
profile = "{profile}"
hops = ["{peer}"]
call_out = {{ from = "+8653112345" }}
{trunk}
[[queues]]
name = "mandarin"
numbers = ["12345", "82001234"]
skill = "mandarin"
[[queues]]
name = "housing-fund"
numbers = ["12329"]
skill = "mandarin"
[[agents]]
number = "6601"
skills = {{ mandarin = 10 }}
[[seats]]
number = "8001"
password = "mT4vQz7Lk2wX"
default_agent = "6601"
"#
    );
    let path = folder.path().join("rexian.toml");
    std::fs::write(&path, text).map_err(|e| e.to_string())?;
    rexian::config::load(&path).map_err(|problems| rexian::config::report(&problems))
}

/// Plays a transcript; `change` is made to the profile first. `Err` says in which line what was wrong.
pub fn play(script: &Script, change: impl FnOnce(&mut Profile)) -> Result<(), String> {
    let mut world = World::new(script, change)?;
    for (line, step) in &script.steps {
        world.step(script, step).map_err(|fault| format!("line {line}: {fault}"))?;
    }
    world.close().map_err(|fault| format!("at the end: {fault}"))
}

impl World {
    fn new(script: &Script, change: impl FnOnce(&mut Profile)) -> Result<World, String> {
        let mut core = settings(script)?.core;
        let trunk = &mut core.trunks[0];
        change(&mut trunk.profile);
        // As the loader does where the trunk does not say it.
        if let Some(CallOut { dial, .. }) = &mut trunk.call_out {
            *dial = trunk.profile.dial;
        }
        let gateway_at: SocketAddr = GATEWAY.parse().unwrap();
        let phone = script.agent.then(|| {
            let station = Station {
                sip: PHONE.parse().unwrap(),
                gateway: gateway_at,
                rtp: "10.0.2.1:41000".parse().unwrap(),
                payload_types: vec![8],
                dtmf: Some(101),
            };
            let seat = &core.seats[0];
            let params = PhoneParams {
                station,
                seed: 1,
                account: Account { user: seat.number.to_string(), secret: seat.secret.0.to_string(), sha256: false },
                domain: core.domain.clone(),
                expires: Duration::from_secs(300),
                plan: Plan::answer_after(Duration::from_secs(3)),
            };
            (Phone::start(START, params), flow(PHONE.parse().unwrap(), Transport::Tcp))
        });
        let mut world = World {
            now: START,
            gateway: Gateway::new(core, [9; 32], START),
            phone,
            sent: VecDeque::new(),
            seen: Seen::default(),
            facts: vec![],
            plays: BTreeMap::new(),
            peer: script.peer.parse().map_err(|_| format!("no address: {}", script.peer))?,
            secrets: vec![],
            everything: String::new(),
        };
        world.run(Duration::from_secs(1));
        if let Some((phone, _)) = &mut world.phone {
            phone.dial(world.now, "*11");
            world.run(Duration::from_secs(5));
        }
        // The last thing to happen: where there is an account, a REGISTER goes out, and is not yet repeated.
        let listens = |transport| Listener { transport, address: gateway_at };
        world.feed(Input::Listening(vec![listens(Transport::Udp), listens(Transport::Tcp)]));
        world.run(Duration::ZERO);
        Ok(world)
    }

    fn step(&mut self, script: &Script, step: &Step) -> Result<(), String> {
        match step {
            Step::Expect(expected) => return self.expect(expected),
            Step::Fact(pattern) => {
                let known = self.facts.iter().any(|fact| matches(pattern, fact));
                return if known {
                    Ok(())
                } else {
                    Err(format!("no such fact: {pattern}; known:\n{}", self.facts.join("\n")))
                };
            }
            _ => self.all_expected()?,
        }
        match step {
            Step::Send { from, message } => {
                let from = match from {
                    Some(text) => text.parse().map_err(|_| format!("no address: {text}"))?,
                    None => self.peer,
                };
                let bytes = wire(&self.filled(message)?);
                self.note_secrets(&bytes);
                self.feed(Input::Message { flow: flow(from, Transport::Udp), bytes: &bytes });
                self.run(Duration::ZERO);
            }
            Step::Wait(time) => self.run(*time),
            Step::WaitForNext => self.run_to_next(),
            Step::Ours(Ours::AgentHangsUp) => {
                let now = self.now;
                self.phone.as_mut().ok_or("no agent is there: write agent: yes")?.0.hang_up(now);
                self.run(Duration::ZERO);
            }
            Step::Ours(Ours::Call(number)) => {
                if !script.agent {
                    return Err("no agent is there who could call: write agent: yes".into());
                }
                let entry = CallbackEntry {
                    of: CallId(1),
                    kind: CallbackKind::Promised,
                    number: number.clone(),
                    dnis: "12345".into(),
                    tenant: "default".into(),
                    line: Some(LineName::new("mandarin")),
                    queue: QueueName::new("mandarin"),
                    language: None,
                    since: self.now,
                    attempts: 0,
                    not_before: self.now,
                    missed: 0,
                };
                self.feed(Input::Callbacks(vec![entry]));
                // The agent first, then the citizen.
                self.run_to_next();
            }
            Step::Expect(_) | Step::Fact(_) => {}
        }
        Ok(())
    }

    fn expect(&mut self, expected: &Expected) -> Result<(), String> {
        if expected.what == "nothing" {
            return self.all_expected();
        }
        let (to, bytes) = self.sent.pop_front().ok_or_else(|| format!("{} did not come", expected.what))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let msg =
            Message::parse(&bytes, Framing::Stream).map_err(|m| format!("we sent what is malformed: {}", m.reason))?;
        self.seen.note(&msg);
        let is = match msg.status() {
            Some(status) => status.to_string(),
            None => text.split(' ').next().unwrap_or_default().to_owned(),
        };
        let mut faults = vec![];
        if is != expected.what {
            faults.push(format!("wanted {}, not {is}", expected.what));
        }
        if expected.to.as_ref().is_some_and(|address| *address != to.to_string()) {
            faults.push(format!("went to {to}"));
        }
        for Line { wanted, pattern } in &expected.lines {
            let pattern = self.filled(pattern)?;
            if has(&msg, &text, &pattern) != *wanted {
                faults.push(format!("{}: {pattern}", if *wanted { "is missing" } else { "should not be there" }));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(format!("{}\nin\n{text}", faults.join("\n"))) }
    }

    /// Every message of ours must have been expected: a transcript is the whole ladder.
    fn all_expected(&mut self) -> Result<(), String> {
        match self.sent.pop_front() {
            Some((to, bytes)) => Err(format!("not expected, to {to}:\n{}", String::from_utf8_lossy(&bytes))),
            None => Ok(()),
        }
    }

    /// Calls are over, nothing is kept, and nothing secret came out.
    fn close(mut self) -> Result<(), String> {
        self.all_expected()?;
        if self.gateway.calls() > 0 {
            return Err("a call is still up: end it".into());
        }
        self.run(Duration::from_secs(70));
        let left = self.gateway.leftovers();
        if (Leftovers { alarms: 0, ..left }) != Leftovers::default() {
            return Err(format!("something is left: {left:?}"));
        }
        match self.secrets.iter().find(|secret| self.everything.contains(*secret)) {
            Some(secret) => Err(format!("came out of the gateway: {secret}")),
            None => Ok(()),
        }
    }

    fn note_secrets(&mut self, bytes: &[u8]) {
        let Ok(msg) = Message::parse(bytes, Framing::Datagram) else { return };
        let place = msg.other("P-Access-Network-Info").map(String::from_utf8_lossy);
        let cell = place.iter().flat_map(|p| p.split(';')).filter_map(|part| part.split_once('=')).map(|(_, v)| v);
        self.secrets.extend(cell.map(|v| v.trim_matches('"').to_owned()).filter(|v| v.len() > 6));
    }

    /// `{...}` replaced by what the gateway said.
    fn filled(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("{ without }")?;
            filled.push_str(before);
            filled.push_str(&self.seen.get(name).ok_or_else(|| format!("the gateway has said no {name} yet"))?);
            rest = after;
        }
        Ok(filled + rest)
    }

    fn run_to_next(&mut self) {
        for _ in 0..600 {
            if self.sent.is_empty() {
                self.run(Duration::from_millis(100));
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.phone_speaks();
            let phone = self.phone.as_ref().and_then(|(p, _)| p.next_timeout());
            let next = [phone, self.gateway.next_timeout(), self.plays.values().min().copied()];
            let Some(next) = next.into_iter().flatten().min().filter(|t| *t <= end) else { break };
            self.now = next.max(self.now);
            let now = self.now;
            let ended: Vec<_> = self.plays.iter().filter(|(_, at)| **at <= now).map(|(leg, _)| *leg).collect();
            for leg in ended {
                self.plays.remove(&leg);
                self.feed(Input::Media(MediaEvent::PlayEnded { leg }));
            }
            if self.gateway.next_timeout().is_some_and(|t| t <= now) {
                self.feed(Input::Timeout);
            }
            if let Some((phone, _)) = self.phone.as_mut().filter(|(p, _)| p.next_timeout().is_some_and(|t| t <= now)) {
                phone.on_timeout(now);
            }
        }
        self.now = end;
    }

    fn phone_speaks(&mut self) {
        while let Some((bytes, flow)) = self.phone.as_mut().and_then(|(phone, flow)| Some((phone.poll()?, *flow))) {
            if let UaOutput::Send(bytes) = bytes {
                self.feed(Input::Message { flow, bytes: &bytes });
            }
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.gateway.handle(self.now, input);
        while let Some(output) = self.gateway.next_output() {
            self.everything += &match &output {
                Output::Send(transmit) => String::from_utf8_lossy(&transmit.bytes).into_owned(),
                other => format!("{other:?}"),
            };
            match output {
                Output::Send(transmit) => match &mut self.phone {
                    Some((phone, flow)) if transmit.flow == *flow => phone.on_message(self.now, &transmit.bytes),
                    _ => self.sent.push_back((transmit.flow.remote, transmit.bytes.to_vec())),
                },
                Output::OpenTicket(ticket) => {
                    let call = ticket.call;
                    self.feed(Input::Spooled { call });
                }
                Output::Call(event) => self.facts.extend(worded(&event.what)),
                Output::Media(MediaCommand::SetSource { leg, source: Source::Play { .. } }) => {
                    self.plays.insert(leg, self.now + PROMPT);
                }
                Output::Media(MediaCommand::SetSource { leg, .. } | MediaCommand::Close { leg }) => {
                    self.plays.remove(&leg);
                }
                Output::Media(_)
                | Output::Agent(_)
                | Output::Callback(_)
                | Output::Guard(_)
                | Output::Screen(_)
                | Output::Leader(_) => {}
            }
        }
    }
}

impl Seen {
    fn note(&mut self, msg: &Message<'_>) {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.last.clear();
        let method = shown(msg.cseq().method.as_bytes());
        for (name, value) in msg.all() {
            let name = shown(name).to_lowercase();
            self.last.entry(name.clone()).or_insert_with(|| shown(value));
            if msg.status().is_none() {
                self.by_method.insert((method.clone(), name), shown(value));
            }
        }
        let ours = if msg.status().is_some() { msg.to_tag() } else { msg.from_tag() };
        if let Some(tag) = ours {
            self.tag = shown(tag);
        }
        if let Some(contact) = self.last.get("contact") {
            self.contact = contact.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
        }
    }

    /// `tag`: ours; `contact`: our Contact's address; `Via`: that header of our last message; `INVITE Via`: of our last
    /// INVITE.
    fn get(&self, name: &str) -> Option<String> {
        match name {
            "tag" => Some(self.tag.clone()).filter(|t| !t.is_empty()),
            "contact" => Some(self.contact.clone()).filter(|c| !c.is_empty()),
            _ => match name.split_once(' ') {
                Some((method, name)) => self.by_method.get(&(method.to_owned(), name.to_lowercase())).cloned(),
                None => self.last.get(&name.to_lowercase()).cloned(),
            },
        }
    }
}

/// A header line (`Name: pattern`), `R-URI: pattern`, or a line of the description (`x=pattern`).
fn has(msg: &Message<'_>, text: &str, pattern: &str) -> bool {
    if pattern.as_bytes().get(1) == Some(&b'=') {
        let body = String::from_utf8_lossy(msg.body());
        return body.lines().any(|line| matches(pattern, line));
    }
    let (name, value) = pattern.split_once(':').map_or((pattern, "*"), |(name, value)| (name.trim(), value.trim()));
    if name == "R-URI" {
        return text.split(' ').nth(1).is_some_and(|uri| matches(value, uri));
    }
    msg.all().any(|(n, v)| n.eq_ignore_ascii_case(name.as_bytes()) && matches(value, &String::from_utf8_lossy(v)))
}

/// `\xd5` is that byte; Content-Length, where there is one, is made true.
fn wire(text: &str) -> Vec<u8> {
    let mut bytes = vec![];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(b"\\x"),
        }
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return bytes };
    let (head, body) = bytes.split_at(end);
    let length = body.len() - 4;
    let mut whole = vec![];
    for line in head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        match line.iter().position(|b| *b == b':') {
            Some(colon) if [&b"content-length"[..], b"l"].contains(&line[..colon].to_ascii_lowercase().as_slice()) => {
                whole.extend_from_slice(&line[..colon]);
                whole.extend_from_slice(format!(": {length}").as_bytes());
            }
            _ => whole.extend_from_slice(line),
        }
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(&body[2..]);
    whole
}

fn flow(remote: SocketAddr, transport: Transport) -> Flow {
    let connection = if transport.is_stream() { 1 } else { 0 };
    Flow { transport, local: GATEWAY.parse().unwrap(), remote, connection }
}

fn worded(fact: &CallFact) -> Option<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    Some(match fact {
        CallFact::Arrived { dnis, cli, .. } => format!("arrived for {dnis} from {}", or_none(cli)),
        CallFact::Forwarded(Forwarded { by, called, why }) => {
            let why = why.map_or("-", |w| w.as_str());
            format!("forwarded by {}, called {}, {why}", or_none(by), or_none(called))
        }
        CallFact::FarEndCause { status, q850, .. } => {
            let shown = |n: Option<u16>| n.map_or("-".into(), |n| n.to_string());
            format!("far end: status {}, cause {}", shown(*status), shown(q850.map(u16::from)))
        }
        CallFact::Queued { queue, .. } => format!("queued for {queue}"),
        CallFact::Answered { agent, .. } => format!("answered by {agent}"),
        CallFact::Digit(digit) => format!("key {digit}"),
        CallFact::Ended { cause, .. } => format!("ended: {}", cause.as_str()),
        _ => return None,
    })
}
