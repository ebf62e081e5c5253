//! Messages and a clock for these tests.

use rexian::sip::endpoint::{ClientTx, Endpoint, Expired, Received, ServerTx};
use rexian::sip::flow::{Flow, Transmit, Transport};
use rexian::sip::message::{Builder, Framing, Message, reason_phrase};
use rexian::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

pub const INVITE: &[u8] = b"INVITE sip:1001@192.0.2.7 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKours;rport\r\n\
    Route: <sip:p1.example;lr>\r\nRoute: <sip:p2.example;lr>\r\n\
    Max-Forwards: 70\r\nFrom: <sip:12345@gw>;tag=us\r\nTo: <sip:1001@192.0.2.7>\r\nCall-ID: c1@gw\r\n\
    CSeq: 7 INVITE\r\nContact: <sip:gw@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";
pub const ACK_487: &[u8] = b"ACK sip:1001@192.0.2.7 SIP/2.0\r\n\r\n";

pub fn response_487() -> Vec<u8> {
    answer_to(INVITE, 487, Some("them"))
}

/// What a peer answers to `request`.
pub fn answer_to(request: &[u8], status: u16, tag: Option<&str>) -> Vec<u8> {
    let request = Message::parse(request, Framing::Datagram).expect("a request of these tests parses");
    Builder::response(&request, status, reason_phrase(status), tag.map(str::as_bytes), udp().local).finish()
}

/// A request as a trunk sends it.
pub fn request(method: &str, branch: &str, extra: &str) -> Vec<u8> {
    format!(
        "{method} sip:12345@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5080;branch={branch};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:13900000000@carrier>;tag=caller\r\nTo: <sip:12345@gw>\r\n\
         Call-ID: in@carrier\r\nCSeq: 1 {method}\r\n{extra}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The same with a To tag.
pub fn with_to_tag(request: &[u8], tag: &str) -> Vec<u8> {
    let text = String::from_utf8(request.to_vec()).expect("test requests are text");
    text.replace("To: <sip:12345@gw>", &format!("To: <sip:12345@gw>;tag={tag}")).into_bytes()
}

pub fn udp() -> Flow {
    let local = SocketAddr::from(([192, 0, 2, 1], 5060));
    Flow { transport: Transport::Udp, local, remote: SocketAddr::from(([192, 0, 2, 9], 5080)), connection: 0 }
}

pub fn tcp(connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, connection, ..udp() }
}

pub const START: Instant = Instant::from_unix_secs(1_700_000_000);

/// An endpoint, its clock, and everything it did in words: `0.500 send INVITE`, `32.000 failed 9`.
pub struct Rig {
    pub endpoint: Endpoint,
    pub now: Instant,
    pub log: Vec<String>,
    pub sent: Vec<Transmit>,
}

impl Rig {
    pub fn new() -> Rig {
        Rig { endpoint: Endpoint::new(1_000), now: START, log: Vec::new(), sent: Vec::new() }
    }

    /// Feeds one message; says what the user was told, e.g. `INVITE`, `response 180`, `nothing`.
    pub fn receive(&mut self, flow: Flow, bytes: &[u8]) -> String {
        let told = match self.endpoint.receive(self.now, flow, bytes) {
            Received::Nothing => "nothing".to_owned(),
            Received::Request { msg } => String::from_utf8_lossy(msg.method().unwrap().as_bytes()).into_owned(),
            Received::Cancel { .. } => "cancelled".to_owned(),
            Received::Ack { .. } => "ACK".to_owned(),
            Received::Response { owner, msg, .. } => format!("response {} for {owner}", msg.status().unwrap()),
        };
        self.drain();
        told
    }

    /// Feeds a request and accepts it.
    pub fn accept(&mut self, flow: Flow, bytes: &[u8]) -> ServerTx {
        match self.endpoint.receive(self.now, flow, bytes) {
            Received::Request { msg } => {
                let tx = self.endpoint.accept(self.now, flow, &msg);
                self.drain();
                tx
            }
            other => panic!("not a new request: {other:?}"),
        }
    }

    /// Sends a request of ours with owner 9.
    pub fn request(&mut self, flow: Flow, bytes: &[u8]) -> ClientTx {
        let branch = Message::parse(bytes, Framing::Datagram).unwrap().via().branch().unwrap().to_vec();
        let branch = String::from_utf8(branch).unwrap();
        let tx = self.endpoint.request(self.now, flow, &branch, 9, bytes.to_vec());
        self.drain();
        tx
    }

    pub fn respond(&mut self, tx: ServerTx, status: u16, response: Vec<u8>) {
        self.endpoint.respond(self.now, tx, status, response);
        self.drain();
    }

    pub fn cancel(&mut self, tx: ClientTx) {
        self.endpoint.cancel(self.now, tx);
        self.drain();
    }

    /// Lets time pass, timer by timer.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.endpoint.next_timeout().filter(|&at| at <= end) {
            self.now = at;
            self.endpoint.handle_timeout(at);
            self.drain();
        }
        self.now = end;
    }

    pub fn drain(&mut self) {
        let at = self.now.since(START).as_secs_f64();
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.log.push(format!("{at:.3} send {}", title(&transmit.bytes)));
            self.sent.push(transmit);
        }
        while let Some(expired) = self.endpoint.poll_expired() {
            self.log.push(match expired {
                Expired::ClientFailed { owner, transport: false, .. } => format!("{at:.3} no answer for {owner}"),
                Expired::ClientFailed { owner, .. } => format!("{at:.3} transport failed for {owner}"),
                Expired::NoAck { .. } => format!("{at:.3} no ACK"),
            });
        }
    }

    /// The log since the last call.
    pub fn happened(&mut self) -> String {
        std::mem::take(&mut self.log).join(", ")
    }

    /// The newest message sent.
    pub fn last(&self) -> &Transmit {
        self.sent.last().expect("something was sent")
    }

    pub fn last_text(&self) -> String {
        String::from_utf8_lossy(&self.last().bytes).into_owned()
    }
}

pub fn title(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split_whitespace();
    match words.next() {
        Some("SIP/2.0") => words.next().unwrap_or("?").into(),
        word => word.unwrap_or("nothing").into(),
    }
}
