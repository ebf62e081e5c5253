//! Series of the wires: media, SIP; and what was turned away before there was a call.

use super::names;
use crate::gateway::Refusals;
use crate::guard::Watch;
use crate::plane::LegStats;
use crate::sip::endpoint::{CLASSES, EndpointCounters, METHODS, Tally};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

pub(super) struct Media {
    pub(super) jitter: Histogram,
    loss: Histogram,
    pub(super) remote_lost: Counter,
    pub(super) without_audio: Counter,
}

impl Media {
    pub(super) fn new() -> Self {
        Media {
            jitter: histogram!(names::RTP_JITTER),
            loss: histogram!(names::RTP_LOSS),
            remote_lost: counter!(names::RTP_REMOTE_LOST),
            without_audio: counter!(names::NO_AUDIO),
        }
    }

    pub(super) fn leg(&self, stats: &LegStats) {
        self.remote_lost.increment(stats.remote_lost);
        if stats.received > 0 {
            self.jitter.record(f64::from(stats.jitter_us) / 1e6);
            self.loss.record(stats.lost as f64 / (stats.received + stats.lost) as f64);
        }
    }
}

/// Turned away before there was a call.
pub(super) struct Refused {
    pub(super) unknown_peer: Counter,
    pub(super) unauthorized: Counter,
    pub(super) banned: Counter,
    pub(super) slowed: Counter,
    pub(super) unanswered: Counter,
    pub(super) overload: Counter,
    pub(super) late: Counter,
    pub(super) rate: Counter,
    pub(super) denied: Counter,
    pub(super) unknown_number: Counter,
    pub(super) not_in_plan: Counter,
    pub(super) not_acceptable: Counter,
}

impl Refused {
    pub(super) fn new() -> Self {
        let reason = |why: &'static str| counter!(names::REFUSALS, "reason" => why);
        Refused {
            unknown_peer: reason("unknown_peer"),
            unauthorized: reason("unauthorized"),
            banned: reason("banned"),
            slowed: reason("slowed"),
            unanswered: reason("unanswered"),
            overload: reason("overload"),
            late: reason("late"),
            rate: reason("rate"),
            denied: reason("denied"),
            unknown_number: reason("unknown_number"),
            not_in_plan: reason("not_in_plan"),
            not_acceptable: reason("not_acceptable"),
        }
    }

    pub(super) fn set(&self, r: &Refusals) {
        self.unknown_peer.absolute(r.unknown_peer);
        self.unauthorized.absolute(r.unauthorized);
        self.banned.absolute(r.banned);
        self.slowed.absolute(r.slowed);
        self.unanswered.absolute(r.unanswered);
        self.overload.absolute(r.overload);
        self.late.absolute(r.late);
        self.rate.absolute(r.rate);
        self.denied.absolute(r.denied);
        self.unknown_number.absolute(r.unknown_number);
        self.not_in_plan.absolute(r.not_in_plan);
        self.not_acceptable.absolute(r.not_acceptable);
    }
}

/// Who is kept out. Addresses stand in the log only.
pub(super) struct Guard {
    bans: Counter,
    banned: Gauge,
    seats: Gauge,
}

impl Guard {
    pub(super) fn new() -> Self {
        Guard { bans: counter!(names::BANS), banned: gauge!(names::BANNED), seats: gauge!(names::SEATS_GUESSED_AT) }
    }

    pub(super) fn set(&self, watch: &Watch) {
        self.bans.absolute(watch.bans);
        self.banned.set(watch.banned_now as f64);
        self.seats.set(watch.seats_guessed_at as f64);
    }
}

pub(super) struct Sip {
    pub(super) received: Counter,
    pub(super) malformed: Counter,
    pub(super) stray: Counter,
    pub(super) repeated_in: Counter,
    pub(super) repeated_out: Counter,
    pub(super) refused: Counter,
    by: [Kinds; 2],
}

impl Sip {
    pub(super) fn new() -> Self {
        Sip {
            received: counter!(names::SIP_RECEIVED),
            malformed: counter!(names::SIP_MALFORMED),
            stray: counter!(names::SIP_STRAY),
            repeated_in: counter!(names::SIP_RETRANSMISSIONS, "direction" => "received"),
            repeated_out: counter!(names::SIP_RETRANSMISSIONS, "direction" => "sent"),
            refused: counter!(names::SIP_REFUSED),
            by: ["received", "sent"].map(Kinds::new),
        }
    }

    pub(super) fn set(&self, c: &EndpointCounters) {
        self.received.absolute(c.received);
        self.malformed.absolute(c.malformed);
        self.stray.absolute(c.stray);
        self.repeated_in.absolute(c.retransmissions_in);
        self.repeated_out.absolute(c.retransmissions_out);
        self.refused.absolute(c.refused_full);
        self.by[0].set(&c.received_by);
        self.by[1].set(&c.sent_by);
    }
}

/// One direction's messages by method and class.
struct Kinds {
    requests: [Counter; METHODS.len()],
    /// None of ACK, which has no answer.
    responses: [Option<[Counter; CLASSES.len()]>; METHODS.len()],
}

impl Kinds {
    fn new(direction: &'static str) -> Self {
        let requests = METHODS.map(|m| counter!(names::SIP_REQUESTS, "direction" => direction, "method" => m));
        let answers = |m: &'static str| {
            CLASSES.map(|c| counter!(names::SIP_RESPONSES, "direction" => direction, "method" => m, "class" => c))
        };
        Kinds { requests, responses: METHODS.map(|m| (m != "ACK").then(|| answers(m))) }
    }

    fn set(&self, tally: &Tally) {
        for (counter, count) in self.requests.iter().zip(tally.requests()) {
            counter.absolute(*count);
        }
        for (counters, counts) in self.responses.iter().zip(tally.responses()) {
            for (counter, count) in counters.iter().flatten().zip(counts) {
                counter.absolute(*count);
            }
        }
    }
}
