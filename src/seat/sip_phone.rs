//! Ringing a registered SIP phone.

use crate::config::settings::Reliable;
use crate::event::Purpose;
use crate::leg::{Caller, Place};
use crate::sip::flow::Flow;
use crate::sip::session::{Peer, Target};

/// The INVITE that rings `place.seat` at the phone registered as `contact` over `flow`.
pub fn target<'a>(
    place: &Place,
    domain: &str,
    flow: Flow,
    contact: &'a [u8],
    headers: &'a [(&'static str, String)],
) -> Target<'a> {
    Target {
        flow,
        request_uri: contact,
        from: from(&place.caller, domain),
        to: format!("<sip:{}@{}>", place.seat, domain),
        headers,
        subscriber: None,
        peer: Peer::Phone,
        reliable: Reliable::IfRequired,
        route: vec![],
    }
}

/// Headers that let a screen pop or a softphone know which call this is.
pub fn headers(place: &Place) -> Vec<(&'static str, String)> {
    vec![("X-Rexian-Call", place.call_id.clone()), ("X-Rexian-Agent", place.agent.to_string())]
}

/// What tells a screen pop that the agent is to call the citizen, and that the citizen is not on the line yet.
pub fn callback_header(purpose: Purpose) -> Option<(&'static str, String)> {
    let what = match purpose {
        Purpose::Inbound => return None,
        Purpose::Callback { .. } => "promised",
        Purpose::MissedCall { .. } => "missed",
    };
    Some(("X-Rexian-Callback", what.to_owned()))
}

/// The caller as the phone's display shows it; a withheld number never leaves the gateway (RFC 3323 s4.1.1.3).
pub fn from(caller: &Caller, domain: &str) -> String {
    match caller.e164.as_deref().or(caller.raw.as_deref()) {
        Some(number) if !caller.withheld => {
            let user: String =
                number.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '*' | '#')).collect();
            if user.is_empty() { anonymous() } else { format!("<sip:{user}@{domain}>") }
        }
        _ => anonymous(),
    }
}

fn anonymous() -> String {
    "\"Anonymous\" <sip:anonymous@anonymous.invalid>".into()
}
