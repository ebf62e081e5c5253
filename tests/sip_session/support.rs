//! One session with its transactions, and a far end that says what the test writes.

use rexian::config::settings::{Cidr, Reliable};
use rexian::leg::{LegCommand, LegEvent};
use rexian::plane::{Codec, Direction};
use rexian::sdp::encryption::Encryption;
use rexian::sdp::offer_answer::Local;
use rexian::sip::endpoint::{Endpoint, Expired, Received};
use rexian::sip::flow::{Flow, Listener, Transport};
use rexian::sip::message::Message;
use rexian::sip::session::{Context, Peer, Session, Subscriber, Target};
use rexian::sip::tokens::Tokens;
use rexian::time::Instant;
use std::time::Duration;

pub const OURS: &str = "10.0.0.1:5060";
pub const THEIRS: &str = "10.0.0.2:5060";
/// Our tag, and theirs.
pub const TAG: &str = "1-ours";
pub const PEER: &str = "peer";

/// Is everything saved and restored before each step?
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Process {
    Steady,
    Replaced,
}

/// Runs the scenario in one process, then in one that is replaced before each step: what the far end sees is the same.
pub fn in_both(scenario: impl Fn(Process) -> World) {
    let steady = scenario(Process::Steady);
    let replaced = scenario(Process::Replaced);
    assert_eq!(steady.said, replaced.said);
    assert_eq!(steady.all_events, replaced.all_events);
}

pub struct World {
    process: Process,
    pub now: Instant,
    start: Instant,
    endpoint: Endpoint,
    tokens: Tokens,
    pub session: Option<Session>,
    /// All we said, with the milliseconds since the start.
    pub said: Vec<(u64, String)>,
    /// Where each of it went.
    pub went: Vec<Flow>,
    follows_route: bool,
    read: usize,
    events: Vec<LegEvent>,
    all_events: Vec<LegEvent>,
}

impl World {
    fn new(process: Process) -> World {
        let now = Instant::from_unix_secs(1_800_000_000);
        World {
            process,
            now,
            start: now,
            endpoint: Endpoint::new(100),
            tokens: Tokens::new([3; 32]),
            session: None,
            said: vec![],
            went: vec![],
            follows_route: false,
            read: 0,
            events: vec![],
            all_events: vec![],
        }
    }

    /// The far end's INVITE has come in.
    pub fn called(process: Process, reliable: Reliable, invite: &str) -> World {
        World::called_by(process, reliable, invite, local())
    }

    /// The same, with our side of the media.
    pub fn called_by(process: Process, reliable: Reliable, invite: &str, local: Local) -> World {
        let mut world = World::new(process);
        let bytes = invite.as_bytes().to_vec();
        let Received::Request { msg } = world.endpoint.receive(world.now, flow(), &bytes) else { panic!("no request") };
        let tx = world.endpoint.accept(world.now, flow(), &msg);
        let (mut session, _) =
            Session::incoming(7, TAG.into(), flow(), tx, &msg, local).expect("a usable offer, or none");
        session.set_reliable(reliable);
        world.session = Some(session);
        world.collect();
        world
    }

    /// We have invited the far end; returns our INVITE too.
    pub fn calling(process: Process) -> (World, String) {
        World::calling_by(process, local(), None, vec![])
    }

    /// At this address of theirs.
    pub fn calling_at(uri: &str) -> (World, String) {
        World::calling_there(Process::Steady, local(), None, vec![], uri, (Peer::Phone, Reliable::IfRequired))
    }

    /// As a carrier's subscriber.
    pub fn calling_as(process: Process, subscriber: Subscriber) -> (World, String) {
        World::calling_by(process, local(), Some(subscriber), vec![])
    }

    /// Through these proxies.
    pub fn calling_through(process: Process, route: Vec<Vec<u8>>) -> (World, String) {
        World::calling_by(process, local(), None, route)
    }

    /// With our side of the media.
    pub fn calling_by(
        process: Process,
        local: Local,
        subscriber: Option<Subscriber>,
        route: Vec<Vec<u8>>,
    ) -> (World, String) {
        let phone = (Peer::Phone, Reliable::IfRequired);
        World::calling_there(process, local, subscriber, route, "sip:8001@10.0.0.2:5060", phone)
    }

    /// A phone or a carrier, whose provisional responses are acknowledged, or not.
    pub fn calling_one(process: Process, peer: Peer, reliable: Reliable) -> (World, String) {
        World::calling_there(process, local(), None, vec![], "sip:8001@10.0.0.2:5060", (peer, reliable))
    }

    fn calling_there(
        process: Process,
        local: Local,
        subscriber: Option<Subscriber>,
        route: Vec<Vec<u8>>,
        request_uri: &str,
        (peer, reliable): (Peer, Reliable),
    ) -> (World, String) {
        let mut world = World::new(process);
        let mut events = vec![];
        let mut cx =
            Context { now: world.now, endpoint: &mut world.endpoint, tokens: &mut world.tokens, events: &mut events };
        let headers = [("X-Rexian-Call", "42".to_owned())];
        let target = Target {
            flow: flow(),
            request_uri: request_uri.as_bytes(),
            from: "<sip:053187654321@rexian.local>".into(),
            to: "<sip:8001@rexian.local>".into(),
            headers: &headers,
            subscriber,
            peer,
            reliable,
            route,
        };
        world.session = Some(Session::place(&mut cx, 7, TAG.into(), target, local));
        world.collect();
        let invite = world.one();
        (world, invite)
    }

    /// Its requests follow the dialog's route, if that leads to 10.0.0.0/24; we listen by all transports.
    pub fn follow_route(&mut self) {
        let peers = [Cidr { address: [10, 0, 0, 0].into(), prefix: 24 }];
        let ours = [(Transport::Udp, OURS), (Transport::Tcp, OURS), (Transport::Tls, "10.0.0.1:5061")]
            .map(|(transport, at)| Listener { transport, address: at.parse().expect("an address") });
        self.session.as_mut().expect("a session").follow_route(&peers, &ours, vec![]);
        self.follows_route = true;
    }

    /// Where the last message went.
    pub fn last_flow(&self) -> Flow {
        *self.went.last().expect("something was said")
    }

    /// A message of the far end.
    pub fn hear(&mut self, text: &str) {
        self.replace_process();
        let bytes = text.as_bytes().to_vec();
        match self.endpoint.receive(self.now, flow(), &bytes) {
            Received::Nothing => {}
            Received::Request { msg } => {
                if self.session.as_ref().is_some_and(|s| !s.is_over() && s.owns(&msg)) {
                    let tx = self.endpoint.accept(self.now, flow(), &msg);
                    self.with(|session, cx| session.request(cx, tx, flow(), &msg));
                } else {
                    self.endpoint.refuse(flow(), &msg, 481);
                }
            }
            Received::Ack { msg } => self.with(|session, cx| session.acknowledged(cx, &msg)),
            Received::Cancel { msg, .. } => self.with(|session, cx| session.cancelled(cx, &msg)),
            Received::Response { tx, msg, .. } => self.with(|session, cx| session.response(cx, tx, &msg)),
        }
        self.collect();
    }

    pub fn tell(&mut self, command: LegCommand) {
        self.replace_process();
        self.with(|session, cx| session.command(cx, command));
        self.collect();
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let session = self.session.as_ref().and_then(Session::next_timeout);
            let due = [self.endpoint.next_timeout(), session].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.replace_process();
            assert!(due >= self.now, "a timer in the past: it would be run for ever");
            self.now = due;
            self.endpoint.handle_timeout(self.now);
            while let Some(expired) = self.endpoint.poll_expired() {
                if let Expired::ClientFailed { tx, owner: 7, .. } = expired {
                    self.with(|session, cx| session.request_failed(cx, tx));
                }
            }
            if session.is_some_and(|at| at <= self.now) {
                self.with(|session, cx| session.handle_timeout(cx));
            }
            self.collect();
        }
        self.now = end;
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    /// What we said since last asked.
    pub fn news(&mut self) -> Vec<String> {
        let news = self.said[self.read..].iter().map(|(_, text)| text.clone()).collect();
        self.read = self.said.len();
        news
    }

    /// The one message since last asked.
    pub fn one(&mut self) -> String {
        let mut news = self.news();
        assert_eq!(news.len(), 1, "one message was due: {news:#?}");
        news.remove(0)
    }

    /// The one message since last asked, which answers with `status`.
    pub fn answered(&mut self, status: u16) -> String {
        let mut news = self.news();
        news.retain(|text| status == 100 || status_of(text) != Some(100));
        let [text] = <[String; 1]>::try_from(news).unwrap_or_else(|news| panic!("one message was due: {news:#?}"));
        assert_eq!(status_of(&text), Some(status), "{text}");
        text
    }

    /// First lines since last asked, each with the milliseconds since the start.
    pub fn times(&mut self) -> Vec<(u64, String)> {
        let news = self.said[self.read..].iter().map(|(at, text)| (*at, first_line(text))).collect();
        self.read = self.said.len();
        news
    }

    /// What the leg reported since last asked.
    pub fn events(&mut self) -> Vec<LegEvent> {
        std::mem::take(&mut self.events)
    }

    /// How much the session keeps.
    pub fn session_bytes(&self) -> usize {
        postcard::to_stdvec(&self.session).expect("plain data").len()
    }

    pub fn is_over(&self) -> bool {
        self.session.as_ref().is_none_or(Session::is_over)
    }

    /// Nothing is left once all timers have run out.
    pub fn ends_clean(mut self) -> World {
        self.run(Duration::from_secs(100));
        assert!(self.is_over(), "the session lives on");
        assert_eq!(self.endpoint.live(), (0, 0));
        self
    }

    fn with(&mut self, act: impl FnOnce(&mut Session, &mut Context<'_>)) {
        let Some(session) = self.session.as_mut().filter(|s| !s.is_over()) else { return };
        let (now, mut events) = (self.now, vec![]);
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        act(session, &mut cx);
        self.all_events.extend(events.iter().cloned());
        self.events.extend(events);
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            assert!(self.follows_route || transmit.flow == flow(), "{:?}", transmit.flow);
            self.went.push(transmit.flow);
            let text = String::from_utf8(transmit.bytes).expect("text");
            Message::parse(text.as_bytes(), rexian::sip::message::Framing::Stream).expect("well-formed SIP");
            self.said.push((self.now.since(self.start).as_millis() as u64, text));
        }
    }

    fn replace_process(&mut self) {
        if self.process == Process::Replaced {
            let saved = postcard::to_stdvec(&(&self.endpoint, &self.tokens, &self.session)).expect("plain data");
            (self.endpoint, self.tokens, self.session) = postcard::from_bytes(&saved).expect("what was saved");
        }
    }
}

pub fn flow() -> Flow {
    let (local, remote) = (OURS.parse().expect("an address"), THEIRS.parse().expect("an address"));
    Flow { transport: Transport::Udp, local, remote, connection: 0 }
}

pub fn local() -> Local {
    Local {
        address: [10, 0, 0, 1].into(),
        port: 20_000,
        session_id: 7,
        version: 1,
        codecs: vec![Codec::Pcma],
        dtmf_payload_type: 101,
        direction: Direction::SendRecv,
        encryption: Encryption::Never,
    }
}

/// A description of the far end; its RTP port tells one from another.
pub fn sdp(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )
}

/// Nothing in it is usable here.
pub const UNUSABLE: &str =
    "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 7000 RTP/AVP 18\r\n";

/// A request of the far end. `extra` is whole header lines; without `to` it begins a dialog.
pub fn request(method: &str, seq: u32, to: Option<&str>, extra: &str, body: &str) -> String {
    let to = to.map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:12345@{OURS} SIP/2.0\r\nVia: SIP/2.0/UDP {THEIRS};branch=z9hG4bK{method}{seq};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:053187654321@10.0.0.2>;tag={PEER}\r\nTo: <sip:12345@10.0.0.1>{to}\r\nCall-ID: c-1\r\n\
         CSeq: {seq} {method}\r\nContact: <sip:{THEIRS}>\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn invite(extra: &str, body: &str) -> String {
    request("INVITE", 1, None, extra, body)
}

/// A later request in the dialog of `invite`.
pub fn within(method: &str, seq: u32, extra: &str, body: &str) -> String {
    request(method, seq, Some(TAG), extra, body)
}

/// The ACK of a 2xx to the INVITE numbered `seq`.
pub fn ack(seq: u32, body: &str) -> String {
    within("ACK", seq, "", body)
}

/// The PRACK of a response to INVITE 1.
pub fn prack(seq: u32, response: &str, body: &str) -> String {
    within("PRACK", seq, &format!("RAck: {} 1 INVITE\r\n", value(response, "RSeq").expect("a reliable response")), body)
}

/// The far end's answer to a request of ours.
pub fn response(request: &str, status: u16, tag: &str, extra: &str, body: &str) -> String {
    let echoed: String = ["Via", "From", "Call-ID", "CSeq"]
        .iter()
        .map(|name| format!("{name}: {}\r\n", value(request, name).expect("a header every request has")))
        .collect();
    let to = value(request, "To").expect("a To");
    let to = if to.contains(";tag=") { to } else { format!("{to};tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status} Some Words\r\n{echoed}To: {to}\r\nContact: <sip:8001@{THEIRS}>\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

pub fn status_of(text: &str) -> Option<u16> {
    text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

pub fn is_request(text: &str, method: &str) -> bool {
    text.strip_prefix(method).is_some_and(|rest| rest.starts_with(' '))
}

/// All values of a header, line by line.
pub fn values(text: &str, name: &str) -> Vec<String> {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim().to_owned()).collect()
}

/// A header's value, if it is there.
pub fn value(text: &str, name: &str) -> Option<String> {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().skip(1).find_map(|line| {
        let (n, v) = line.split_once(':')?;
        n.eq_ignore_ascii_case(name).then(|| v.trim().to_owned())
    })
}

pub fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// The RTP ports events settled on, in order.
pub fn media_ports(events: &[LegEvent]) -> Vec<u16> {
    events
        .iter()
        .filter_map(|event| match event {
            LegEvent::EarlyMedia { media } | LegEvent::Answered { media } | LegEvent::MediaChanged { media } => {
                Some(media.remote_rtp.port())
            }
            _ => None,
        })
        .collect()
}
