//! Series of the wires: trunks, media, SIP; and what was turned away before there was a call.

use super::names;
use crate::config::settings::TrunkSettings;
use crate::gateway::Refusals;
use crate::guard::Watch;
use crate::plane::LegStats;
use crate::runtime::figures::TrunkFigures;
use crate::sip::endpoint::EndpointCounters;
use crate::trunk::TurnedAway;
use crate::trunk::account::Status;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

pub(super) struct Trunk {
    pub(super) offered: Counter,
    pub(super) calls: Gauge,
    up: Gauge,
    channels: Gauge,
    round_trip: Gauge,
    hops: [(&'static str, Gauge); 4],
    full: Counter,
    rate: Counter,
    denied: Counter,
    /// Accounts by the state of their registration; none where the trunk has no account.
    accounts: Vec<(&'static str, Gauge)>,
}

impl Trunk {
    pub(super) fn new(settings: &TrunkSettings) -> Self {
        let trunk = || settings.name.as_str().to_owned();
        let refused = |why: &'static str| counter!(names::TRUNK_REFUSALS, "trunk" => trunk(), "reason" => why);
        let hops = |state: &'static str| (state, gauge!(names::TRUNK_HOPS, "trunk" => trunk(), "state" => state));
        let account =
            |state: &'static str| (state, gauge!(names::TRUNK_ACCOUNTS, "trunk" => trunk(), "state" => state));
        let states = if settings.accounts.is_empty() { &[][..] } else { &Status::ALL };
        Trunk {
            offered: counter!(names::CALLS_OFFERED, "trunk" => trunk()),
            calls: gauge!(names::TRUNK_CALLS, "trunk" => trunk()),
            up: gauge!(names::TRUNK_UP, "trunk" => trunk()),
            channels: gauge!(names::TRUNK_CHANNELS, "trunk" => trunk()),
            round_trip: gauge!(names::TRUNK_ROUND_TRIP, "trunk" => trunk()),
            hops: ["up", "resting", "probing", "down"].map(hops),
            full: refused("full"),
            rate: refused("rate"),
            denied: refused("denied"),
            accounts: states.iter().copied().map(account).collect(),
        }
    }

    pub(super) fn set(&self, figures: &TrunkFigures) {
        self.up.set(if figures.down { 0.0 } else { 1.0 });
        self.channels.set(f64::from(figures.channels));
        self.round_trip.set(figures.round_trip.as_secs_f64());
        for (state, gauge) in &self.hops {
            gauge.set(figures.hops.iter().filter(|hop| *hop == state).count() as f64);
        }
        let TurnedAway { full, rate, denied } = figures.turned_away;
        self.full.absolute(full);
        self.rate.absolute(rate);
        self.denied.absolute(denied);
    }

    /// The states of this trunk's accounts.
    pub(super) fn accounts(&self, states: &[&'static str]) {
        for (state, gauge) in &self.accounts {
            gauge.set(states.iter().filter(|s| *s == state).count() as f64);
        }
    }
}

pub(super) struct Media {
    pub(super) jitter: Histogram,
    pub(super) remote_lost: Counter,
    pub(super) without_audio: Counter,
}

impl Media {
    pub(super) fn new() -> Self {
        Media {
            jitter: histogram!(names::RTP_JITTER),
            remote_lost: counter!(names::RTP_REMOTE_LOST),
            without_audio: counter!(names::NO_AUDIO),
        }
    }

    pub(super) fn leg(&self, stats: &LegStats) {
        self.remote_lost.increment(stats.remote_lost);
        if stats.received > 0 {
            self.jitter.record(f64::from(stats.jitter_us) / 1e6);
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
        }
    }

    pub(super) fn set(&self, c: &EndpointCounters) {
        self.received.absolute(c.received);
        self.malformed.absolute(c.malformed);
        self.stray.absolute(c.stray);
        self.repeated_in.absolute(c.retransmissions_in);
        self.repeated_out.absolute(c.retransmissions_out);
        self.refused.absolute(c.refused_full);
    }
}
