//! An agent's phone: registers once, rings, is answered when the agent does, and lets the gateway end the call.
//! Belongs here: the phone's SIP and what the agent has in hand. Not here: when the agent acts (`world`).

use super::caller::description;
use super::roster::Post;
use crate::config::settings::SeatSettings;
use crate::event::AgentState;
use crate::ids::{AgentNo, SeatNo};
use crate::sim::ua::{Account, Phone, PhoneParams, Plan, Reaction, Station, UaOutput};
use crate::sip::message::{Builder, Framing, Message, Method, Name};
use crate::time::Instant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[derive(Debug)]
pub struct Desk {
    pub agent: AgentNo,
    pub seat: SeatNo,
    pub sip: SocketAddr,
    gateway: SocketAddr,
    pub state: AgentState,
    /// By the roster.
    pub on_duty: bool,
    /// The INVITE that rings.
    ringing: Option<Vec<u8>>,
    /// Raised by every offer and every wrap-up: what was planned for an earlier one is void.
    pub turn: u32,
    /// The citizen offered or spoken to, by number.
    pub citizen: usize,
}

/// What a message from the gateway meant to the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    Nothing,
    Rings,
}

/// Longer than any day that is forecast.
pub const REGISTERED_FOR: Duration = Duration::from_secs(10 * 86_400);

impl Desk {
    pub fn new(index: usize, post: &Post, seat: &SeatSettings, gateway: SocketAddr) -> Desk {
        Desk {
            agent: AgentNo::new(&post.agent),
            seat: seat.number.clone(),
            sip: address(index, gateway.ip()),
            gateway,
            state: AgentState::LoggedOut,
            on_duty: false,
            ringing: None,
            turn: 0,
            citizen: 0,
        }
    }

    /// Which desk has this address.
    pub fn at(address: SocketAddr) -> Option<usize> {
        let index = match address.ip() {
            IpAddr::V4(ip) => {
                let [198, 18, high, low] = ip.octets() else { return None };
                [high, low]
            }
            IpAddr::V6(ip) => {
                let [0x20, 0x01, 0x0d, 0xb8, .., high, low] = ip.octets() else { return None };
                [high, low]
            }
        };
        Some(usize::from(u16::from_be_bytes(index)))
    }

    /// A real registration, challenge and digest included; `exchange` carries one request and brings its reply.
    pub fn register(
        &self,
        now: Instant,
        seat: &SeatSettings,
        domain: &str,
        mut exchange: impl FnMut(Vec<u8>) -> Vec<Vec<u8>>,
    ) {
        let station = Station {
            sip: self.sip,
            gateway: self.gateway,
            rtp: SocketAddr::new(self.sip.ip(), 4_000),
            payload_types: vec![8],
            dtmf: Some(101),
        };
        let mut phone = Phone::start(
            now,
            PhoneParams {
                station,
                seed: u64::from(self.sip.port()) + 0x5ea7,
                account: Account { user: self.seat.to_string(), secret: seat.secret.0.to_string(), sha256: false },
                domain: domain.to_owned(),
                expires: REGISTERED_FOR,
                plan: Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None },
            },
        );
        while let Some(output) = phone.poll() {
            if let UaOutput::Send(bytes) = output {
                for reply in exchange(bytes) {
                    phone.on_message(now, &reply);
                }
            }
        }
        debug_assert!(phone.is_registered(), "a phone of the forecast was not registered");
    }

    pub fn hears(&mut self, msg: &Message<'_>, out: &mut Vec<Vec<u8>>) -> Rung {
        match msg.method() {
            Some(Method::Invite) if msg.to_tag().is_none() => {
                out.push(self.reply(msg, 180, "Ringing").finish());
                self.ringing = Some(msg.raw().to_vec());
                self.turn += 1;
                return Rung::Rings;
            }
            Some(Method::Invite) => {
                let contact = self.contact();
                let sdp = description(self.sip.ip(), 4_000);
                let answer = self.reply(msg, 200, "OK").header(Name::Contact, contact.as_bytes());
                out.push(answer.body("application/sdp", &sdp));
            }
            Some(Method::Cancel) => {
                out.push(self.reply(msg, 200, "OK").finish());
                if let Some(invite) = self.ringing.take()
                    && let Ok(invite) = Message::parse(&invite, Framing::Datagram)
                {
                    out.push(self.reply(&invite, 487, "Request Terminated").finish());
                }
            }
            Some(Method::Ack) | None => {}
            Some(_) => out.push(self.reply(msg, 200, "OK").finish()),
        }
        Rung::Nothing
    }

    /// The agent picks up, if it still rings.
    pub fn pick_up(&mut self, out: &mut Vec<Vec<u8>>) {
        if let Some(invite) = self.ringing.take()
            && let Ok(invite) = Message::parse(&invite, Framing::Datagram)
        {
            let contact = self.contact();
            let answer = self.reply(&invite, 200, "OK").header(Name::Contact, contact.as_bytes());
            out.push(answer.body("application/sdp", &description(self.sip.ip(), 4_000)));
        }
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.seat, self.sip)
    }

    fn reply(&self, msg: &Message<'_>, status: u16, phrase: &str) -> Builder {
        let tag = format!("d{}", self.turn);
        Builder::response(msg, status, phrase, Some(tag.as_bytes()), self.gateway)
    }
}

/// A network that is nobody else's (RFC 2544, RFC 3849), of the gateway's family.
fn address(index: usize, gateway: IpAddr) -> SocketAddr {
    let [high, low] = (index as u16).to_be_bytes();
    let ip = match gateway {
        IpAddr::V4(_) => IpAddr::from([198, 18, high, low]),
        IpAddr::V6(_) => IpAddr::from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low]),
    };
    SocketAddr::new(ip, 5_060)
}
