//! A citizen's call as the carrier brings it: the few SIP messages a call without trouble needs. Belongs here: those
//! messages. Not here: when a citizen gives up or hangs up (`world`), repeats and faults (`sim::ua`).

use crate::sip::message::{Builder, Message, Method, Name};
use std::net::{IpAddr, SocketAddr};

/// One call's dialog, by its number among the day's calls.
#[derive(Debug)]
pub struct Caller {
    number: usize,
    carrier: SocketAddr,
    gateway: SocketAddr,
    dialled: String,
    line: Line,
}

#[derive(Debug)]
enum Line {
    /// INVITE is out.
    Trying,
    Up(Dialog),
    /// The citizen has put the phone down; what is under way is let run out.
    Leaving,
    Over,
}

#[derive(Debug)]
struct Dialog {
    to: Vec<u8>,
    target: Vec<u8>,
}

/// What a message from the gateway meant to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    /// Refused or ended by the gateway.
    Over,
}

impl Caller {
    /// The INVITE.
    pub fn dial(
        number: usize,
        carrier: SocketAddr,
        gateway: SocketAddr,
        dialled: &str,
        out: &mut Vec<Vec<u8>>,
    ) -> Caller {
        let caller = Caller { number, carrier, gateway, dialled: dialled.to_owned(), line: Line::Trying };
        let contact = format!("<sip:{carrier}>");
        let invite = caller
            .request(Method::Invite, caller.address().as_bytes(), 1, 'i', None)
            .header(Name::Contact, contact.as_bytes())
            .body("application/sdp", &description(carrier.ip(), 10_000 + 2 * (number % 20_000) as u16));
        out.push(invite);
        caller
    }

    /// The call a message belongs to.
    pub fn number_of(call_id: &[u8]) -> Option<usize> {
        std::str::from_utf8(call_id).ok()?.strip_suffix("@forecast")?.parse().ok()
    }

    pub fn is_over(&self) -> bool {
        matches!(self.line, Line::Over)
    }

    pub fn hang_up(&mut self, out: &mut Vec<Vec<u8>>) {
        match std::mem::replace(&mut self.line, Line::Leaving) {
            // s9.1: the branch of the INVITE.
            Line::Trying => out.push(self.request(Method::Cancel, self.address().as_bytes(), 1, 'i', None).finish()),
            Line::Up(dialog) => {
                out.push(self.request(Method::Bye, &dialog.target, 2, 'b', Some(&dialog.to)).finish());
                self.line = Line::Over;
            }
            other => self.line = other,
        }
    }

    pub fn hears(&mut self, msg: &Message<'_>, out: &mut Vec<Vec<u8>>) -> Heard {
        match (msg.status(), msg.cseq().method) {
            (Some(200..300), Method::Invite) => {
                let target = msg.contacts().flatten().next().map(|c| c.uri.to_vec()).unwrap_or_default();
                let to = msg.header(Name::To).unwrap_or_default().to_vec();
                out.push(self.request(Method::Ack, &target, 1, 'a', Some(&to)).finish());
                let left = matches!(self.line, Line::Leaving);
                self.line = Line::Up(Dialog { to, target });
                if left {
                    self.hang_up(out);
                }
                Heard::Nothing
            }
            (Some(300..), Method::Invite) => {
                let to = msg.header(Name::To).unwrap_or_default();
                out.push(self.request(Method::Ack, self.address().as_bytes(), 1, 'i', Some(to)).finish());
                self.over()
            }
            (Some(_), _) => Heard::Nothing,
            (None, Method::Ack) => Heard::Nothing,
            (None, Method::Bye) => {
                out.push(Builder::response(msg, 200, "OK", None, self.gateway).finish());
                self.over()
            }
            (None, Method::Invite) => {
                let contact = format!("<sip:{}>", self.carrier);
                let sdp = description(self.carrier.ip(), 10_000 + 2 * (self.number % 20_000) as u16);
                let answer = Builder::response(msg, 200, "OK", None, self.gateway);
                out.push(answer.header(Name::Contact, contact.as_bytes()).body("application/sdp", &sdp));
                Heard::Nothing
            }
            (None, _) => {
                out.push(Builder::response(msg, 200, "OK", None, self.gateway).finish());
                Heard::Nothing
            }
        }
    }

    fn over(&mut self) -> Heard {
        self.line = Line::Over;
        Heard::Over
    }

    fn address(&self) -> String {
        format!("sip:{}@{}", self.dialled, self.gateway)
    }

    fn request(&self, method: Method<'_>, uri: &[u8], cseq: u32, branch: char, to: Option<&[u8]>) -> Builder {
        let Caller { number, carrier, .. } = self;
        // Every caller has a number of their own: nobody is taken for somebody who called before.
        let cli = 60_000_000 + number;
        let b = Builder::request(method, uri)
            .header_fmt(Name::Via, format_args!("SIP/2.0/UDP {carrier};branch=z9hG4bK{branch}{number}"))
            .header(Name::MaxForwards, b"70")
            .header_fmt(Name::From, format_args!("<sip:0531{cli}@{};tag=f{number}", Bracketed(carrier.ip())));
        let b = match to {
            Some(to) => b.header(Name::To, to),
            None => b.header_fmt(Name::To, format_args!("<{}>", self.address())),
        };
        b.header_fmt(Name::CallId, format_args!("{number}@forecast"))
            .header_fmt(Name::CSeq, format_args!("{cseq} {}", String::from_utf8_lossy(method.as_bytes())))
    }
}

/// The host of a URI in angle brackets, closed.
struct Bracketed(IpAddr);

impl std::fmt::Display for Bracketed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => write!(f, "{ip}>"),
            IpAddr::V6(ip) => write!(f, "[{ip}]>"),
        }
    }
}

/// A-law and key presses at this address: offer and answer are the same text.
pub fn description(ip: IpAddr, port: u16) -> Vec<u8> {
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\n"
    )
    .into_bytes()
}
