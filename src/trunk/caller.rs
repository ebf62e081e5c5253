//! Who calls, read from an INVITE's headers. Belongs here: which header counts (the trunk's profile), privacy
//! (RFC 3323, RFC 3325 s9, draft-ietf-sip-privacy-01 for Remote-Party-ID). Not here: whom (`called`), the forms of numbers (`number`).
//!
//! A withheld number is still taken from the network's assertion: 110 may need it. It is marked, so that it is stored
//! restricted and never shown to an agent. When signals of privacy contradict each other, privacy wins, except that
//! `Privacy: none` is the caller's explicit word.

use super::number::{Kind, dialled, normalise_caller};
use crate::config::settings::{CallerSource, Profile};
use crate::leg::Caller;
use crate::sip::message::uri::{Scheme, Uri};
use crate::sip::message::{Message, Name, NameAddr};

/// Longest number kept; what is longer is cut, for it is no number.
const MAX_RAW: usize = 64;

/// The caller as the trunk's profile reads it: the first header with a usable number decides.
pub fn caller(msg: &Message<'_>, profile: &Profile, area_code: &str) -> Caller {
    let candidates = profile.caller_from.iter().flat_map(|source| numbers(msg, *source));
    let mut fallback = None;
    for raw in candidates {
        let number = normalise_caller(&raw, area_code);
        let text = Some(text(&raw));
        match number.kind {
            // `sip:8001@...` beside `tel:+86...`: look on, but keep it if nothing better comes.
            Kind::Unknown => fallback = fallback.or(text),
            Kind::None => {}
            _ => return Caller { raw: text, e164: number.e164, withheld: withheld(msg) },
        }
    }
    Caller { raw: fallback, e164: None, withheld: withheld(msg) }
}

/// The caller as an agent's phone may show it.
pub fn shown(caller: &Caller) -> String {
    match caller {
        Caller { withheld: true, .. } => "匿名".to_owned(),
        Caller { e164: Some(e164), .. } => dialled(e164),
        Caller { raw: Some(raw), .. } => raw.clone(),
        _ => "未知".to_owned(),
    }
}

/// True if the caller asked not to be shown.
fn withheld(msg: &Message<'_>) -> bool {
    let asked: Vec<&[u8]> = msg
        .headers(Name::Privacy)
        .flat_map(|line| line.split(|b| matches!(b, b';' | b',')))
        .map(<[u8]>::trim_ascii)
        .collect();
    let asks = |word: &str| asked.iter().any(|a| a.eq_ignore_ascii_case(word.as_bytes()));
    if ["id", "user", "header"].into_iter().any(asks) || party_private(msg) {
        return true;
    }
    !asks("none") && anonymous(&msg.from())
}

/// Remote-Party-ID's `privacy=full|uri` (`name` hides the name only).
fn party_private(msg: &Message<'_>) -> bool {
    calling_parties(msg).any(|party| {
        let privacy = party.params.get("privacy").flatten().unwrap_or_default();
        privacy.split(|b| *b == b'-').any(|p| p.eq_ignore_ascii_case(b"full") || p.eq_ignore_ascii_case(b"uri"))
    })
}

/// Remote-Party-ID of the caller: it may stand beside one of the called side (`party=called`).
fn calling_parties<'m, 'a: 'm>(msg: &'m Message<'a>) -> impl Iterator<Item = NameAddr<'a>> + 'm {
    msg.values(Name::RemotePartyId)
        .filter_map(|v| NameAddr::parse(v).ok())
        .filter(|party| party.params.get("party").flatten().is_none_or(|whose| whose.eq_ignore_ascii_case(b"calling")))
}

/// `"Anonymous" <sip:anonymous@anonymous.invalid>` and its relatives (RFC 3323 s4.1.1.3).
fn anonymous(from: &NameAddr<'_>) -> bool {
    let is_anonymous = |text: &[u8]| text.eq_ignore_ascii_case(b"anonymous") || text == "匿名".as_bytes();
    let Ok(uri) = Uri::parse(from.uri) else { return false };
    let hidden = ["anonymous", "restricted", "private", "withheld"];
    uri.host.eq_ignore_ascii_case(b"anonymous.invalid")
        || uri.user.is_some_and(|user| hidden.iter().any(|word| user.eq_ignore_ascii_case(word.as_bytes())))
        || from.display.is_some_and(is_anonymous)
}

/// The numbers of one kind of header, in order. P-Asserted-Identity may hold a sip and a tel value (RFC 3325 s9.1).
fn numbers(msg: &Message<'_>, source: CallerSource) -> Vec<Vec<u8>> {
    match source {
        CallerSource::PAssertedIdentity => {
            let asserted = msg.values(Name::PAssertedIdentity).filter_map(|v| NameAddr::parse(v).ok());
            asserted.filter_map(|a| number_of(a.uri)).collect()
        }
        CallerSource::RemotePartyId => calling_parties(msg).filter_map(|a| number_of(a.uri)).collect(),
        CallerSource::From => number_of(msg.from().uri).into_iter().collect(),
    }
}

/// User part or tel number, with its phone-context. `None` without a user.
pub(super) fn number_of(uri: &[u8]) -> Option<Vec<u8>> {
    let uri = Uri::parse(uri).ok()?;
    let user = uri.user.filter(|user| !user.is_empty())?.to_vec();
    match uri.params.get("phone-context").flatten() {
        Some(context) if uri.scheme == Scheme::Tel => Some([&user, &b";phone-context="[..], context].concat()),
        _ => Some(user),
    }
}

pub(super) fn text(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).chars().take(MAX_RAW).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Framing;

    fn profile() -> Profile {
        let order = vec![CallerSource::PAssertedIdentity, CallerSource::RemotePartyId, CallerSource::From];
        Profile { caller_from: order, ..Profile::new("test") }
    }

    fn invite(from: &str, lines: &str) -> String {
        format!(
            "INVITE sip:12345@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n\
             From: {from};tag=1\r\nTo: <sip:12345@10.0.0.1>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        )
    }

    /// "raw | e164 | what the agent sees", `*` after the raw number if withheld.
    fn read(from: &str, lines: &str, profile: &Profile) -> String {
        let text = invite(from, lines);
        let msg = Message::parse(text.as_bytes(), Framing::Datagram).unwrap_or_else(|m| panic!("{}: {text}", m.reason));
        let caller = caller(&msg, profile, "531");
        let mark = if caller.withheld { "*" } else { "" };
        let part = |p: &Option<String>| p.clone().unwrap_or("-".into());
        format!("{}{mark} | {} | {}", part(&caller.raw), part(&caller.e164), shown(&caller))
    }

    const MOBILE: &str = "<sip:13812345678@10.1.0.1>";
    const HIDDEN: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

    #[test]
    fn callers_as_trunks_send_them() {
        for (from, lines, wanted) in [
            // From alone: gateways
            (MOBILE, "", "13812345678 | +8613812345678 | 13812345678"),
            ("\"0531\" <sip:053182001234@10.1.0.1;user=phone>", "", "053182001234 | +8653182001234 | 053182001234"),
            ("<tel:+8653182001234>", "", "+8653182001234 | +8653182001234 | 053182001234"),
            (
                "<tel:82001234;phone-context=+86532>",
                "",
                "82001234;phone-context=+86532 | +8653282001234 | 053282001234",
            ),
            ("<sip:0086053182001234@x>", "", "0086053182001234 | +8653182001234 | 053182001234"),
            ("<sip:+4930123456@x>", "", "+4930123456 | +4930123456 | 004930123456"),
            ("<sip:700123456789012@x>", "", "700123456789012 | - | 700123456789012"),
            ("<sip:12319@x>", "", "12319 | - | 12319"),
            ("<sip:10.1.0.1>", "", "- | - | 未知"),
            ("<sip:unknown@x>", "", "- | - | 未知"),
            ("<sip:alice@x>", "", "alice | - | alice"),
            // IMS: two asserted values, the sip one first or without a number
            (
                MOBILE,
                "P-Asserted-Identity: <sip:+8653182001234@ims.example;user=phone>, <tel:+8653182001234>\r\n",
                "+8653182001234 | +8653182001234 | 053182001234",
            ),
            (
                MOBILE,
                "P-Asserted-Identity: <sip:pbx@ims.example>\r\nP-Asserted-Identity: <tel:+8653182001234>\r\n",
                "+8653182001234 | +8653182001234 | 053182001234",
            ),
            (MOBILE, "P-Asserted-Identity: <sip:pbx@ims.example>\r\n", "13812345678 | +8613812345678 | 13812345678"),
            // CLIR in its forms: kept, marked, masked
            (
                HIDDEN,
                "P-Asserted-Identity: <tel:+8613812345678>\r\nPrivacy: id\r\n",
                "+8613812345678* | +8613812345678 | 匿名",
            ),
            (MOBILE, "Privacy: id;critical\r\n", "13812345678* | +8613812345678 | 匿名"),
            (MOBILE, "Privacy: user\r\n", "13812345678* | +8613812345678 | 匿名"),
            (MOBILE, "Privacy: HEADER\r\n", "13812345678* | +8613812345678 | 匿名"),
            (HIDDEN, "P-Asserted-Identity: <tel:+8613812345678>\r\n", "+8613812345678* | +8613812345678 | 匿名"),
            (HIDDEN, "", "-* | - | 匿名"),
            ("<sip:restricted@10.1.0.1>", "", "-* | - | 匿名"),
            ("Anonymous <sip:13812345678@10.1.0.1>", "", "13812345678* | +8613812345678 | 匿名"),
            (
                HIDDEN,
                "Remote-Party-ID: <sip:13812345678@x>;party=calling;privacy=full\r\n",
                "13812345678* | +8613812345678 | 匿名",
            ),
            (MOBILE, "Privacy: header; user;id ; critical\r\n", "13812345678* | +8613812345678 | 匿名"),
            (MOBILE, "Privacy: none;critical\r\nPrivacy: id\r\n", "13812345678* | +8613812345678 | 匿名"),
            (
                "<sip:unavailable@unknown.invalid>",
                "P-Asserted-Identity: <tel:+8653182001234>\r\n",
                "+8653182001234 | +8653182001234 | 053182001234",
            ),
            ("<sip:+86700123456789012@x;user=phone>", "", "+86700123456789012 | - | +86700123456789012"),
            (
                "\"匿名\" <sip:13812345678@10.1.0.1>",
                "P-Asserted-Identity: \"张三\" <sip:+8613812345678@x>, <tel:+8613812345678>\r\n",
                "+8613812345678* | +8613812345678 | 匿名",
            ),
            // the called side's own value
            (
                MOBILE,
                "Remote-Party-ID: <sip:82001234@x>;party=called;privacy=full\r\n",
                "13812345678 | +8613812345678 | 13812345678",
            ),
            // privacy not asked for
            (MOBILE, "Privacy: none;critical\r\n", "13812345678 | +8613812345678 | 13812345678"),
            (MOBILE, "Privacy: history\r\n", "13812345678 | +8613812345678 | 13812345678"),
            (MOBILE, "Privacy: none\r\n", "13812345678 | +8613812345678 | 13812345678"),
            (MOBILE, "Privacy: session\r\n", "13812345678 | +8613812345678 | 13812345678"),
            (
                HIDDEN,
                "P-Asserted-Identity: <tel:+8613812345678>\r\nPrivacy: none\r\n",
                "+8613812345678 | +8613812345678 | 13812345678",
            ),
            (MOBILE, "Remote-Party-ID: <sip:82001234@x>;privacy=off\r\n", "82001234 | +8653182001234 | 053182001234"),
        ] {
            assert_eq!(read(from, lines, &profile()), wanted, "{from} {lines}");
        }
    }

    /// Names in GBK, cut off in the middle, or with a second byte that is a backslash, are no reason to lose a call.
    #[test]
    fn names_that_are_no_utf8() {
        for name in [&b"\xd5\xc5\xc8\xfd"[..], b"\xd5\xc5\xc8", b"\x81\x5c", b"a\x81\x5c", b"\xff\xfe\xfd"] {
            let from = [b"\"", name, b"\" <sip:13812345678@10.1.0.1>"].concat();
            let asserted = [b"P-Asserted-Identity: \"", name, b"\" <tel:+8613812345678>\r\n"].concat();
            let text = invite("FROM", "ASSERTED");
            let (head, rest) = text.split_once("FROM").unwrap();
            let (middle, tail) = rest.split_once("ASSERTED").unwrap();
            let bytes = [head.as_bytes(), &from, middle.as_bytes(), &asserted, tail.as_bytes()].concat();
            let msg = Message::parse(&bytes, Framing::Datagram).unwrap_or_else(|m| panic!("{}: {name:?}", m.reason));
            let caller = caller(&msg, &profile(), "531");
            assert_eq!(caller.e164.as_deref(), Some("+8613812345678"), "{name:?}");
            assert!(!caller.withheld);
            assert_eq!(numbers(&msg, CallerSource::PAssertedIdentity), [b"+8613812345678"], "{name:?}");
        }
    }

    #[test]
    fn the_profile_orders_the_headers() {
        let from_first = Profile { caller_from: vec![CallerSource::From], ..profile() };
        let lines = "P-Asserted-Identity: <tel:+8653182001234>\r\n";
        assert_eq!(read(MOBILE, lines, &from_first), "13812345678 | +8613812345678 | 13812345678");
    }
}
