//! One call's record (CDR): who, when, with whom for how long, and how it ended. Belongs here: the record and what
//! is read off it. Not here: what one further fact does to it (`learn`), which record a fact belongs to (`fold`).
//!
//! The clock starts at the request for a human ([`CallRecord::asked`]); a caller who is turned away at the queue's door
//! asked at that moment.

use crate::event::{EndCause, OfferEnd, Party};
use crate::ids::{AgentNo, CallId, LineName, QueueName, SeatNo, Skill, TrunkName};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    pub call: CallId,
    pub kind: Kind,
    /// The caller's number; for a call that a seat dials, the agent or the seat. `None`: withheld.
    pub src: Option<String>,
    /// The number called, as normalised.
    pub dst: String,
    pub trunk: Option<TrunkName>,
    /// Empty for a call that a seat dials.
    pub tenant: String,
    pub line: Option<LineName>,
    pub begun: Instant,
    /// The request for a human: the queue asked first.
    pub asked: Option<Entered>,
    /// On to other queues, at most [`MOST_MOVES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Entered>,
    /// Seats that were rung, at most [`MOST_OFFERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
    /// Conversations, one for each agent or party.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// When it was over, and how; `None` while it is up.
    pub ended: Option<Instant>,
    pub ending: Option<Ending>,
    /// The keys pressed, not which.
    #[serde(default)]
    pub keys: u16,
    /// Who rings for the caller, whose agent has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_to: Option<Party>,
    /// 满意度: what the caller answered, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rated: Option<u8>,
    /// Events have been missing from the log since this call's last one.
    #[serde(default)]
    pub gap: bool,
}

pub(super) const MOST_MOVES: usize = 32;
pub(super) const MOST_OFFERS: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A citizen's call: what the hotline is judged by.
    Inbound,
    /// Placed by those who watch the service: in no figure.
    Test,
    /// Ours, to a citizen who chose to be called back in the call `of`.
    Callback { of: CallId },
    /// 漏接回拨: ours, to a citizen nobody had answered in the call `of`.
    MissedCall { of: CallId },
    /// A seat's own.
    Dialled { seat: SeatNo, agent: Option<AgentNo> },
    /// Its beginning is missing from the log.
    Unknown,
}

impl Kind {
    /// Stable word for exports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Kind::Inbound => "inbound",
            Kind::Test => "test",
            Kind::Callback { .. } => "callback",
            Kind::MissedCall { .. } => "missed_call",
            Kind::Dialled { .. } => "dialled",
            Kind::Unknown => "unknown",
        }
    }
}

/// Into a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    pub at: Instant,
    pub queue: QueueName,
    pub skill: Option<Skill>,
    /// A word of [`crate::event::Why`]; `door` for one who was turned away there.
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub agent: AgentNo,
    pub seat: SeatNo,
    pub at: Instant,
    pub until: Option<Instant>,
    pub outcome: Option<Offered>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Offered {
    Answered,
    Ended(OfferEnd),
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub with: With,
    /// Whose work it was: the queue asked first for the first one, the queue of the transfer for one after it.
    pub queue: Option<QueueName>,
    pub from: Instant,
    pub until: Option<Instant>,
    /// Since the request or the transfer.
    #[serde(with = "micros")]
    pub wait: Duration,
    #[serde(with = "micros")]
    pub ring: Duration,
    /// Of the time talked.
    #[serde(with = "micros")]
    pub hold: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Instant>,
    /// The agent passed the caller on.
    pub passed_on: bool,
    /// The ticket was durable at the pickup.
    pub spooled: bool,
    #[serde(with = "micros")]
    pub wrap_up: Duration,
    /// Spells of it: a call of the agent's own may come in between.
    pub wrap_ups: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum With {
    Agent { agent: AgentNo, seat: SeatNo },
    Party(Party),
}

impl Segment {
    /// Includes hold; zero while it goes on.
    pub fn talk(&self) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until - self.from)
    }

    pub fn agent(&self) -> Option<&AgentNo> {
        match &self.with {
            With::Agent { agent, .. } => Some(agent),
            With::Party(_) => None,
        }
    }

    pub(super) fn holds(&mut self, held: bool, at: Instant) {
        if let Some(since) = self.held_since.take() {
            self.hold += at - since;
        }
        self.held_since = held.then_some(at);
    }

    pub(super) fn close(&mut self, at: Instant) {
        if self.until.is_none() {
            self.holds(false, at);
            self.until = Some(at);
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ending {
    Cause(EndCause),
    Lost(Lost),
}

/// Why a call has no recorded end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lost {
    /// 进程中断: it was up when the gateway's process died.
    Process,
    /// Its end is among the events that the log lacks.
    Gap,
}

impl Ending {
    /// Stable word for exports and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Cause(cause) => cause.as_str(),
            Ending::Lost(Lost::Process) => "process_died",
            Ending::Lost(Lost::Gap) => "end_not_recorded",
        }
    }
}

impl CallRecord {
    pub(super) fn unknown(call: CallId, at: Instant) -> CallRecord {
        CallRecord {
            call,
            kind: Kind::Unknown,
            src: None,
            dst: String::new(),
            trunk: None,
            tenant: String::new(),
            line: None,
            begun: at,
            asked: None,
            moves: vec![],
            offers: vec![],
            segments: vec![],
            ended: None,
            ending: None,
            keys: 0,
            passed_to: None,
            rated: None,
            gap: false,
        }
    }

    /// What the hotline is judged by.
    pub fn is_judged(&self) -> bool {
        self.kind == Kind::Inbound
    }

    /// The first pickup by an agent.
    pub fn pickup(&self) -> Option<&Segment> {
        self.segments.first().filter(|_| !matches!(self.kind, Kind::Dialled { .. }))
    }

    /// The moment by which it counts: the request for a human, or the arrival where there was none.
    pub fn counted_at(&self) -> Instant {
        self.asked.as_ref().map_or(self.begun, |asked| asked.at)
    }

    /// From the request to an agent, or to the end of waiting; `None` without a request, or while it still waits.
    pub fn wait(&self) -> Option<Duration> {
        let asked = self.asked.as_ref()?;
        match self.pickup() {
            Some(pickup) => Some(pickup.wait),
            None => self.ended.map(|ended| ended - asked.at),
        }
    }

    /// Part of the connection rate's R; `Some(true)`: answered. `None`: no request, still waiting, called back or a fault.
    pub fn verdict(&self) -> Option<bool> {
        if !self.is_judged() || self.asked.is_none() {
            return None;
        }
        if self.pickup().is_some() {
            return Some(true);
        }
        match self.ending? {
            Ending::Cause(
                EndCause::AbandonedInQueue
                | EndCause::AbandonedRinging
                | EndCause::ShortAbandon
                | EndCause::QueueFull
                | EndCause::NoAgents
                | EndCause::QueueTimeout,
            ) => Some(false),
            _ => None,
        }
    }

    pub(super) fn talking(&mut self) -> Option<&mut Segment> {
        self.segments.last_mut().filter(|segment| segment.until.is_none())
    }

    pub(super) fn segment(&mut self, with: With, queue: Option<QueueName>, from: Instant) -> &mut Segment {
        // Where an agent sits, who answers is that agent.
        self.segments.retain(|s| s.until.is_some() || !matches!(s.with, With::Party(Party::Seat(_))));
        let zero = Duration::ZERO;
        self.segments.push(Segment {
            with,
            queue,
            from,
            until: None,
            wait: zero,
            ring: zero,
            hold: zero,
            held_since: None,
            passed_on: false,
            spooled: true,
            wrap_up: zero,
            wrap_ups: 0,
        });
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }

    /// Nobody recorded how it ended; the last that is known is of `at`.
    pub(super) fn lose(&mut self, at: Instant, why: Lost) {
        self.close(at.max(self.begun), Ending::Lost(why));
    }

    pub(super) fn close(&mut self, at: Instant, ending: Ending) {
        if let Some(segment) = self.talking() {
            segment.close(at);
        }
        if let Some(offer) = self.offers.last_mut().filter(|offer| offer.until.is_none()) {
            offer.until = Some(at);
        }
        self.passed_to = None;
        self.ended = Some(at);
        self.ending = Some(ending);
        self.gap = false;
    }
}

/// Whole microseconds: short, and a number for SQL.
mod micros {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_micros)
    }
}
