//! Session timers (RFC 4028): what two sides agree on, and when a call whose far end has vanished is given up.
//! Belongs here: the headers and the agreement. Not here: sending a refresh, or ending the call (`refresh`).

use super::super::endpoint::ClientTx;
use super::super::message::{Builder, Message, Name, Params, delta_seconds};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Seconds. s4: no shorter session is accepted, nor may be asked of anybody.
pub const MIN_SE: u32 = 90;
/// Seconds. What we ask of a phone, and the longest we agree to (s4 recommends it).
pub(super) const PROPOSED: u32 = 1_800;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Timer {
    Off,
    /// In our INVITE, not answered yet.
    Proposed {
        seconds: u32,
    },
    Running {
        seconds: u32,
        /// The far end counts as gone then: a little before the session expires (s10).
        over: Instant,
        duty: Duty,
    },
}

/// Who refreshes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Duty {
    Theirs,
    Ours { kept: Kept, refresh: Refresh },
}

/// Who gives the call up if no refresh succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kept {
    ByBoth,
    /// The far end knows no timer: that it answers at all is what we want to know.
    ByUsAlone,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Refresh {
    At(Instant),
    Asked { tx: ClientTx, by: By },
}

/// The request a refresh is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum By {
    Update,
    ReInvite,
}

impl By {
    /// s7.4: UPDATE where the far end allows it. `before`: what is known from earlier messages.
    pub fn allowed(msg: &Message<'_>, before: By) -> By {
        match msg.header(Name::Allow) {
            Some(_) if msg.lists(Name::Allow, "UPDATE") => By::Update,
            Some(_) => By::ReInvite,
            None => before,
        }
    }
}

/// One side of a transaction, by its part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

struct SessionExpires {
    seconds: u32,
    refresher: Option<Refresher>,
}

/// Must this INVITE or UPDATE be answered 422 with [`MIN_SE`] (s9)? Only one whose sender would understand that.
pub fn is_too_small(request: &Message<'_>) -> bool {
    speaks_timer(request) && session_expires(request).is_some_and(|se| se.seconds < MIN_SE)
}

/// Min-SE, seconds.
pub(super) fn min_se(msg: &Message<'_>) -> Option<u32> {
    delta_seconds(first_part(msg.header(Name::MinSe)?).trim_ascii())
}

impl Timer {
    /// s7.3: what a 2xx to our INVITE or refresh made of what we asked for.
    pub fn answered(self, now: Instant, response: &Message<'_>) -> Timer {
        let (Timer::Proposed { seconds: asked } | Timer::Running { seconds: asked, .. }) = self else { return self };
        match session_expires(response) {
            Some(SessionExpires { seconds, refresher: Some(Refresher::Uas) }) => Timer::theirs(now, seconds),
            Some(SessionExpires { seconds, .. }) => Timer::ours(now, seconds, Kept::ByBoth),
            None => Timer::ours(now, asked, Kept::ByUsAlone),
        }
    }

    /// s9: what our 2xx to their INVITE, re-INVITE or UPDATE agrees to. They refresh, if they can.
    pub fn agreed(&self, now: Instant, request: &Message<'_>) -> Timer {
        if matches!(self, Timer::Running { duty: Duty::Ours { refresh: Refresh::Asked { .. }, .. }, .. }) {
            // Our own refresh is on its way and settles it.
            return self.clone();
        }
        let speaks = speaks_timer(request);
        let kept = if speaks { Kept::ByBoth } else { Kept::ByUsAlone };
        match (session_expires(request), self) {
            (Some(SessionExpires { seconds, refresher }), _) if seconds >= MIN_SE => {
                // We may shorten it, though not below what someone on the way must have.
                let seconds = seconds.min(PROPOSED.max(min_se(request).unwrap_or_default()));
                match refresher {
                    Some(Refresher::Uas) => Timer::ours(now, seconds, kept),
                    _ if !speaks => Timer::ours(now, seconds, kept),
                    _ => Timer::theirs(now, seconds),
                }
            }
            // A re-INVITE for another purpose: what holds goes on.
            (None, Timer::Running { seconds, duty: Duty::Theirs, .. }) if speaks => Timer::theirs(now, *seconds),
            (None, Timer::Running { seconds, .. }) => Timer::ours(now, *seconds, kept),
            _ => Timer::Off,
        }
    }

    /// For our 2xx, seen from the far end: it is the client of this transaction.
    pub fn write(&self, response: Builder) -> Builder {
        match self {
            Timer::Off | Timer::Proposed { .. } => response,
            Timer::Running { seconds, duty: Duty::Ours { .. }, .. } => {
                response.header_fmt(Name::SessionExpires, format_args!("{seconds};refresher=uas"))
            }
            // s9: who must refresh has to understand it.
            Timer::Running { seconds, duty: Duty::Theirs, .. } => response
                .header_fmt(Name::SessionExpires, format_args!("{seconds};refresher=uac"))
                .header(Name::Require, b"timer"),
        }
    }

    /// For our INVITE or refresh: we are the client, and offer to refresh.
    pub fn ask(&self, request: Builder) -> Builder {
        let (Timer::Proposed { seconds } | Timer::Running { seconds, .. }) = self else { return request };
        let request = request.header_fmt(Name::SessionExpires, format_args!("{seconds};refresher=uac"));
        // s7.4: more than we would ask by ourselves is the least that someone on the way wants.
        if *seconds > PROPOSED { request.header_fmt(Name::MinSe, format_args!("{seconds}")) } else { request }
    }

    /// s7.3: a 422 names a longer session than we asked for.
    pub fn lengthened(&self, refusal: &Message<'_>) -> Option<u32> {
        let (Timer::Proposed { seconds } | Timer::Running { seconds, .. }) = self else { return None };
        min_se(refusal).filter(|min| min > seconds)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match self {
            Timer::Running { over, duty: Duty::Ours { refresh: Refresh::At(at), .. }, .. } => Some(*at.min(over)),
            Timer::Running { over, .. } => Some(*over),
            Timer::Off | Timer::Proposed { .. } => None,
        }
    }

    /// Our refresh under way.
    pub fn asked(&self) -> Option<(ClientTx, By)> {
        match self {
            Timer::Running { duty: Duty::Ours { refresh: Refresh::Asked { tx, by }, .. }, .. } => Some((*tx, *by)),
            _ => None,
        }
    }

    /// s10: refreshed at half the interval.
    pub fn ours(now: Instant, seconds: u32, kept: Kept) -> Timer {
        let seconds = seconds.max(MIN_SE);
        let at = now + Duration::from_secs(seconds.into()) / 2;
        Timer::Running { seconds, over: over(now, seconds), duty: Duty::Ours { kept, refresh: Refresh::At(at) } }
    }

    fn theirs(now: Instant, seconds: u32) -> Timer {
        let seconds = seconds.max(MIN_SE);
        Timer::Running { seconds, over: over(now, seconds), duty: Duty::Theirs }
    }
}

/// s10: the lesser of 32 s and a third of the interval before it expires.
fn over(now: Instant, seconds: u32) -> Instant {
    now + Duration::from_secs((seconds - (seconds / 3).min(32)).into())
}

fn speaks_timer(request: &Message<'_>) -> bool {
    request.lists(Name::Supported, "timer") || request.lists(Name::Require, "timer")
}

fn session_expires(msg: &Message<'_>) -> Option<SessionExpires> {
    let value = msg.header(Name::SessionExpires)?;
    let seconds = first_part(value);
    let refresher = match Params(&value[seconds.len()..]).get("refresher").flatten() {
        Some(who) if who.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
        Some(who) if who.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
        _ => None,
    };
    Some(SessionExpires { seconds: delta_seconds(seconds.trim_ascii())?, refresher })
}

/// Up to the parameters.
fn first_part(value: &[u8]) -> &[u8] {
    value.split(|b| *b == b';').next().unwrap_or_default()
}
