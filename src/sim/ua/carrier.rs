//! A citizen's call as a carrier brings it: places it, waits for a human with limited patience, talks, hangs up.

use super::outgoing::{Outgoing, Target};
use super::wire::{Cx, Station};
use super::{Ending, Outputs, UaFact, UaOutput};
use crate::sim::rng::Rng;
use crate::sip::message::{Framing, Message, Name};
use crate::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct CarrierParams {
    pub station: Station,
    /// Tags, branches and the Call-ID come from it: two calls need two seeds.
    pub seed: u64,
    /// The number called, as this carrier writes it.
    pub dnis: String,
    pub cli: Cli,
    /// How long from the INVITE until the citizen gives up waiting for a human.
    pub patience: Duration,
    /// How long the citizen talks once a human is there; `None`: until the other side hangs up.
    pub talk: Option<Duration>,
    pub pickup: Pickup,
    pub fault: Option<CarrierFault>,
}

/// Who calls, as the carrier shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cli {
    Shown(String),
    /// Privacy asked for (RFC 3325): the number is in P-Asserted-Identity only.
    Withheld(String),
    Absent,
}

/// What tells the citizen that a human is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pickup {
    /// The 200 itself: the gateway answers when an agent does.
    OnAnswer,
    /// The voice: whoever drives this machine calls [`CarrierCall::heard_human`].
    WhenHeard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarrierFault {
    /// The gateway's answer never gets an ACK (half-broken carrier).
    NeverAcks,
    /// Falls silent for good, this long after the INVITE.
    DiesAfter(Duration),
}

#[derive(Clone, Debug)]
pub struct CarrierCall {
    station: Station,
    rng: Rng,
    out: Outputs,
    call: Outgoing,
    citizen: Citizen,
    pickup: Pickup,
    talk: Option<Duration>,
    never_acks: bool,
    dies_at: Option<Instant>,
}

/// What the person is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Citizen {
    Waiting {
        until: Instant,
    },
    Talking {
        until: Option<Instant>,
    },
    /// Has put the phone down; the end is not certain yet.
    Leaving,
    Over(Ending),
}

impl CarrierCall {
    pub fn start(now: Instant, params: CarrierParams) -> CarrierCall {
        let CarrierParams { station, seed, dnis, cli, patience, talk, pickup, fault } = params;
        let mut rng = Rng::new(seed);
        let mut out = Outputs::new();
        let target = target(&station, &dnis, &cli);
        let call = Outgoing::start(&mut Cx { now, us: &station, rng: &mut rng, out: &mut out }, target);
        CarrierCall {
            station,
            rng,
            out,
            call,
            citizen: Citizen::Waiting { until: now + patience },
            pickup,
            talk,
            never_acks: fault == Some(CarrierFault::NeverAcks),
            dies_at: match fault {
                Some(CarrierFault::DiesAfter(after)) => Some(now + after),
                _ => None,
            },
        }
    }

    pub fn sip_call_id(&self) -> &str {
        self.call.call_id()
    }

    /// How the call ended, once it has.
    pub fn ending(&self) -> Option<Ending> {
        match self.citizen {
            Citizen::Over(how) => Some(how),
            _ => None,
        }
    }

    pub fn is_talking(&self) -> bool {
        matches!(self.citizen, Citizen::Talking { .. })
    }

    /// Ended, and no repeat has to be answered any more: the machine may be dropped.
    pub fn is_gone(&self) -> bool {
        self.ending() == Some(Ending::Died) || (self.ending().is_some() && self.call.is_gone())
    }

    /// A human's voice was heard: talking begins. Does nothing but the first time.
    pub fn heard_human(&mut self, now: Instant) {
        if matches!(self.citizen, Citizen::Waiting { .. }) {
            self.citizen = Citizen::Talking { until: self.talk.map(|talk| now + talk) };
        }
    }

    /// The citizen puts the phone down now.
    pub fn hang_up(&mut self, now: Instant) {
        if matches!(self.citizen, Citizen::Waiting { .. } | Citizen::Talking { .. }) {
            self.citizen = Citizen::Leaving;
            let mut cx = Cx { now, us: &self.station, rng: &mut self.rng, out: &mut self.out };
            let ending = self.call.hang_up(&mut cx);
            self.finish(ending);
        }
    }

    /// Its carrier's machine dies, and all it knew of the call: nothing more is said.
    pub fn die(&mut self) {
        self.dies_at = None;
        self.out.clear();
        if self.ending().is_none() {
            self.finish(Some(Ending::Died));
        } else {
            self.citizen = Citizen::Over(Ending::Died);
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.station.sip
    }

    /// A re-INVITE from the carrier: hold (`true`) or resume.
    pub fn hold(&mut self, now: Instant, hold: bool) {
        let mut cx = Cx { now, us: &self.station, rng: &mut self.rng, out: &mut self.out };
        if let Some(dialog) = self.call.dialog() {
            dialog.hold(&mut cx, hold);
        }
    }

    pub fn on_message(&mut self, now: Instant, bytes: &[u8]) {
        if self.ending() == Some(Ending::Died) {
            return;
        }
        let Ok(msg) = Message::parse(bytes, Framing::Datagram) else { return };
        if !self.call.owns(&msg) {
            return;
        }
        let mut cx = Cx { now, us: &self.station, rng: &mut self.rng, out: &mut self.out };
        let ending = self.call.on_message(&mut cx, &msg);
        if self.pickup == Pickup::OnAnswer && self.out.iter().any(|o| matches!(o, UaOutput::Fact(UaFact::Answered(_))))
        {
            self.heard_human(now);
        }
        if self.never_acks {
            self.out.retain(|o| !matches!(o, UaOutput::Send(bytes) if bytes.starts_with(b"ACK ")));
        }
        self.finish(ending);
    }

    pub fn on_timeout(&mut self, now: Instant) {
        if self.dies_at.is_some_and(|at| now >= at) {
            return self.die();
        }
        if self.ending() == Some(Ending::Died) {
            return;
        }
        let mut cx = Cx { now, us: &self.station, rng: &mut self.rng, out: &mut self.out };
        let ending = self.call.on_timeout(&mut cx);
        self.finish(ending);
        match self.citizen {
            Citizen::Waiting { until } | Citizen::Talking { until: Some(until) } if now >= until => self.hang_up(now),
            _ => {}
        }
    }

    pub fn poll(&mut self) -> Option<UaOutput> {
        self.out.pop_front()
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let citizen = match self.citizen {
            Citizen::Waiting { until } => Some(until),
            Citizen::Talking { until } => until,
            Citizen::Leaving => None,
            Citizen::Over(Ending::Died) => return None,
            Citizen::Over(_) => None,
        };
        [citizen, self.call.next_timeout(), self.dies_at].into_iter().flatten().min()
    }

    fn finish(&mut self, ending: Option<Ending>) {
        if let Some(how) = ending
            && self.ending().is_none()
        {
            self.citizen = Citizen::Over(how);
            self.out.push_back(UaOutput::Fact(UaFact::Ended(how)));
        }
    }
}

fn target(station: &Station, dnis: &str, cli: &Cli) -> Target {
    let (ours, theirs) = (station.sip, station.gateway);
    let uri = format!("sip:{dnis}@{theirs}");
    let to = format!("<sip:{dnis}@{}>", theirs.ip());
    let mut extra = Vec::new();
    let from = match cli {
        Cli::Shown(number) => {
            // Two identities, as IMS cores send them (domain facts, "Carrier side").
            extra.push((Name::PAssertedIdentity, format!("<sip:{number}@{}>, <tel:{number}>", ours.ip())));
            format!("\"{number}\" <sip:{number}@{ours}>")
        }
        Cli::Withheld(number) => {
            extra.push((Name::PAssertedIdentity, format!("<sip:{number}@{}>", ours.ip())));
            extra.push((Name::Privacy, "id".to_string()));
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_string()
        }
        Cli::Absent => format!("<sip:{ours}>"),
    };
    Target { uri, from, to, extra, account: None }
}
