//! Why the far end ends something, in its own words (Reason, RFC 3326; causes of ITU-T Q.850),
//! and what our refusals say to it. Not here: our BYEs (`session`).

use super::message::{Builder, Message, Name, Params, delta_seconds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850`, ...
    pub protocol: &'a [u8],
    pub cause: Option<u32>,
    /// Quotes stripped.
    pub text: &'a [u8],
}

/// Seconds, where nobody knows when there will be room.
const RETRY_AFTER: u64 = 5;

/// One value per protocol, so few.
const MOST: usize = 8;

pub fn reasons<'m, 'a: 'm>(msg: &'m Message<'a>) -> impl Iterator<Item = Reason<'a>> + 'm {
    msg.values(Name::Reason).take(MOST).map(|value| {
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let params = Params(&value[end..]);
        Reason {
            protocol: value[..end].trim_ascii(),
            cause: params.get("cause").flatten().and_then(delta_seconds),
            text: params.get("text").flatten().unwrap_or_default(),
        }
    })
}

/// The telephone network's cause, 1 to 127.
pub fn q850(msg: &Message<'_>) -> Option<u8> {
    let q850 = reasons(msg).find(|reason| reason.protocol.eq_ignore_ascii_case(b"Q.850"))?;
    q850.cause.and_then(|cause| u8::try_from(cause).ok()).filter(|cause| (1..=127).contains(cause))
}

/// A phone in a browser says so when its audio failed: not its user, but its library hangs up (`SIP;cause=408`).
pub fn is_failure(msg: &Message<'_>) -> bool {
    reasons(msg).any(|reason| reason.protocol.eq_ignore_ascii_case(b"SIP") && reason.cause == Some(408))
}

/// Adds to a refusal of ours what a telephone network makes of it (RFC 6432), and when a 503 may be tried again. The
/// causes are those of RFC 3398 s8.2.6.1, but for what that table only guesses: 503 here is want of room.
pub fn explain(refusal: Builder, status: u16) -> Builder {
    explain_until(refusal, status, RETRY_AFTER)
}

/// As [`explain`], where it is known in how many seconds there will be room.
pub fn explain_until(refusal: Builder, status: u16, retry_after: u64) -> Builder {
    let cause: &[u8] = match status {
        404 => b"Q.850;cause=1;text=\"Unallocated number\"",
        480 => b"Q.850;cause=31;text=\"Normal, unspecified\"",
        486 => b"Q.850;cause=17;text=\"User busy\"",
        488 => b"Q.850;cause=88;text=\"Incompatible destination\"",
        500 => b"Q.850;cause=41;text=\"Temporary failure\"",
        503 => b"Q.850;cause=42;text=\"Congestion\"",
        603 => b"Q.850;cause=21;text=\"Call rejected\"",
        504 => b"Q.850;cause=102;text=\"Recovery on timer expiry\"",
        _ => return refusal,
    };
    let refusal = refusal.header(Name::Reason, cause);
    if status == 503 { refusal.header_fmt(Name::RetryAfter, format_args!("{retry_after}")) } else { refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Framing;

    #[test]
    fn the_cause_is_found_among_others() {
        for (value, cause) in [
            ("Q.850;cause=16;text=\"Normal call clearing\"", Some(16)),
            ("SIP ;cause=200 ;text=\"Call completed elsewhere, there\", q.850 ; cause=17", Some(17)),
            ("SIP;cause=600", None),
            ("Q.850", None),
            ("Q.850;cause=abc", None),
            ("Q.850;cause=0", None),
            ("Q.850;cause=272", None),
            ("Q.850;text=\"cause=31\"", None),
            ("", None),
        ] {
            let text = format!(
                "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: <sip:c@d>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n\
                 Call-ID: 1\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\nReason: {value}\r\nContent-Length: 0\r\n\r\n"
            );
            let msg = Message::parse(text.as_bytes(), Framing::Stream).expect("well-formed");
            assert_eq!(q850(&msg), cause, "{value}");
        }
    }
}
