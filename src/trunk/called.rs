//! Whom a call is for, and how it came here, read from an INVITE: the number called, and who forwarded the call
//! (Diversion, RFC 5806; History-Info, RFC 7044 with the causes of RFC 4458). Not here: who calls (`caller`).
//!
//! What stands in Diversion and History-Info is anybody's number until one of it is ours: only then it chooses the line.

use super::caller::{number_of, text};
use super::number::normalise_dnis;
use crate::config::settings::{CalledSource, Profile};
use crate::event::{ForwardReason, Forwarded};
use crate::sip::message::uri::Uri;
use crate::sip::message::{Message, Name, NameAddr};

/// More hops than any network lets a call be forwarded.
const MOST_HOPS: usize = 16;

/// The called number, normalised for the look-up of its line: the first of the profile's sources with a number of
/// ours; if none has, what is said of the target itself.
pub fn called(msg: &Message<'_>, profile: &Profile, area_code: &str, ours: impl Fn(&str) -> bool) -> String {
    let named = |sources: &[CalledSource]| -> Vec<String> {
        sources.iter().flat_map(|source| numbers(msg, *source, area_code)).collect()
    };
    if let Some(line) = named(&profile.called_from).into_iter().find(|number| ours(number)) {
        return line;
    }
    let of_target = |source: &CalledSource| !matches!(source, CalledSource::Diversion | CalledSource::HistoryInfo);
    let mut sources: Vec<_> = profile.called_from.iter().copied().filter(of_target).collect();
    sources.extend([CalledSource::RequestUri, CalledSource::To]);
    named(&sources).into_iter().next().unwrap_or_default()
}

/// How the call was forwarded here; `None` if it was not, for all that is said.
pub fn forwarded(msg: &Message<'_>, area_code: &str) -> Option<Forwarded> {
    by_diversion(msg, area_code).or_else(|| by_history(msg, area_code))
}

fn numbers(msg: &Message<'_>, source: CalledSource, area_code: &str) -> Vec<String> {
    let raw: Vec<Vec<u8>> = match source {
        CalledSource::RequestUri => msg.request_uri().and_then(number_of).into_iter().collect(),
        CalledSource::To => number_of(msg.to().uri).into_iter().collect(),
        CalledSource::PCalledPartyId => called_party(msg).into_iter().collect(),
        // The last is the first that was called.
        CalledSource::Diversion => diversions(msg).rev().filter_map(|d| number_of(d.uri)).collect(),
        CalledSource::HistoryInfo => history(msg).filter_map(|h| number_of(h.uri)).collect(),
    };
    raw.iter().map(|raw| dnis(raw, area_code)).filter(|number| !number.is_empty()).collect()
}

fn dnis(raw: &[u8], area_code: &str) -> String {
    normalise_dnis(text(raw).as_bytes(), area_code)
}

fn called_party(msg: &Message<'_>) -> Option<Vec<u8>> {
    number_of(NameAddr::parse(msg.other("P-Called-Party-ID")?).ok()?.uri)
}

/// The latest first.
fn diversions<'a>(msg: &Message<'a>) -> std::vec::IntoIter<NameAddr<'a>> {
    addresses(msg, Name::Diversion)
}

/// The first target first.
fn history<'a>(msg: &Message<'a>) -> std::vec::IntoIter<NameAddr<'a>> {
    addresses(msg, Name::HistoryInfo)
}

fn addresses<'a>(msg: &Message<'a>, name: Name) -> std::vec::IntoIter<NameAddr<'a>> {
    let all: Vec<_> = msg.values(name).take(MOST_HOPS).filter_map(|v| NameAddr::parse(v).ok()).collect();
    all.into_iter()
}

fn by_diversion(msg: &Message<'_>, area_code: &str) -> Option<Forwarded> {
    let all: Vec<_> = diversions(msg).collect();
    let shown = |d: &NameAddr<'_>| {
        let privacy = d.params.get("privacy").flatten().unwrap_or_default();
        let hidden = [&b"full"[..], b"uri"].into_iter().any(|p| privacy.eq_ignore_ascii_case(p));
        number_of(d.uri).filter(|_| !hidden).map(|raw| dnis(&raw, area_code)).filter(|n| !n.is_empty())
    };
    let (latest, first) = (all.first()?, all.last()?);
    let why = match latest.params.get("reason").flatten().unwrap_or_default().to_ascii_lowercase().as_slice() {
        b"unconditional" => Some(ForwardReason::Always),
        b"user-busy" => Some(ForwardReason::Busy),
        b"no-answer" => Some(ForwardReason::NoAnswer),
        b"unavailable" | b"out-of-service" => Some(ForwardReason::Unreachable),
        b"deflection" => Some(ForwardReason::Deflected),
        _ => None,
    };
    Some(Forwarded { by: shown(latest), called: shown(first), why })
}

/// Targets before the present one. A proxy that finds the present one's contact adds a target too: that is no
/// forwarding.
fn by_history(msg: &Message<'_>, area_code: &str) -> Option<Forwarded> {
    let mut targets: Vec<(String, NameAddr<'_>)> = vec![];
    for target in history(msg) {
        let Some(number) = number_of(target.uri).map(|raw| dnis(&raw, area_code)) else { continue };
        match targets.last_mut() {
            Some((last, entry)) if *last == number => *entry = target,
            _ => targets.push((number, target)),
        }
    }
    let at_us = [msg.request_uri().and_then(number_of), called_party(msg)].map(|raw| raw.map(|r| dnis(&r, area_code)));
    let here = targets.pop_if(|(number, _)| at_us.iter().flatten().any(|ours| ours == number));
    let (_, first) = targets.first()?;
    let (_, latest) = targets.last()?;
    let why = here.as_ref().and_then(|(_, target)| cause(target.uri)).or_else(|| cause(latest.uri));
    let whole = msg.lists(Name::Privacy, "history");
    let shown = |entry: &NameAddr<'_>| {
        let hidden = whole || has(entry.uri, b"privacy=history");
        number_of(entry.uri).filter(|_| !hidden).map(|raw| dnis(&raw, area_code))
    };
    Some(Forwarded { by: shown(latest), called: shown(first), why })
}

/// RFC 4458 (`;cause=302` in the target) and RFC 7044 s10.2 (`?Reason=SIP%3Bcause%3D486` in who refused).
fn cause(uri: &[u8]) -> Option<ForwardReason> {
    let uri = Uri::parse(uri).ok()?;
    let in_headers = || {
        let text = String::from_utf8_lossy(&crate::sip::message::uri::unescape(uri.headers)).to_ascii_lowercase();
        text.split_once("cause=").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
    };
    let param = uri.params.get("cause").flatten().map(|v| String::from_utf8_lossy(v).into_owned());
    Some(match param.or_else(in_headers)?.as_str() {
        "302" => ForwardReason::Always,
        "486" => ForwardReason::Busy,
        "408" => ForwardReason::NoAnswer,
        "404" | "503" => ForwardReason::Unreachable,
        "480" | "487" => ForwardReason::Deflected,
        _ => return None,
    })
}

fn has(text: &[u8], lower: &[u8]) -> bool {
    text.windows(lower.len()).any(|w| w.eq_ignore_ascii_case(lower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Framing;

    fn invite(request_uri: &str, to: &str, lines: &str) -> String {
        format!(
            "INVITE {request_uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n\
             From: <sip:13812345678@x>;tag=1\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        )
    }

    fn with<T>(text: &str, read: impl FnOnce(&Message<'_>) -> T) -> T {
        read(&Message::parse(text.as_bytes(), Framing::Datagram).unwrap_or_else(|m| panic!("{}: {text}", m.reason)))
    }

    #[test]
    fn called_numbers() {
        let of = |source| Profile { called_from: vec![source], ..Profile::new("test") };
        let (by_uri, by_to) = (of(CalledSource::RequestUri), of(CalledSource::To));
        for (request_uri, to, uris, tos) in [
            ("sip:12345@10.0.0.1", "<sip:+8653112345@x>", "12345", "12345"),
            ("sip:053182001234@10.0.0.1", "<sip:12345@x>", "+8653182001234", "12345"),
            ("tel:+8653112345", "<tel:82001234>", "12345", "+8653182001234"),
            ("tel:12345;phone-context=+86531", "<sip:10.0.0.1>", "12345", "12345"),
            ("sip:10.0.0.1", "<sip:12345@x>", "12345", "12345"),
            ("sip:10.0.0.1", "<sip:10.0.0.1>", "", ""),
        ] {
            let text = invite(request_uri, to, "");
            for (profile, wanted) in [(&by_uri, uris), (&by_to, tos)] {
                assert_eq!(with(&text, |msg| called(msg, profile, "531", |_| true)), wanted, "{request_uri} {to}");
            }
        }
    }

    #[test]
    fn the_first_number_of_ours_counts() {
        use CalledSource::{Diversion, HistoryInfo, PCalledPartyId, RequestUri};
        let ours = |number: &str| ["12345", "12329", "+8653182001234"].contains(&number);
        let pilot = "sip:82001234@10.0.0.1";
        for (sources, request_uri, lines, wanted) in [
            // a further hotline's number forwarded to the pilot number
            (vec![Diversion, RequestUri], pilot, "Diversion: <sip:12329@x>;reason=unconditional\r\n", "12329"),
            (vec![Diversion, RequestUri], pilot, "Diversion: <tel:82005678>, <tel:12329>\r\n", "12329"),
            (
                vec![HistoryInfo, RequestUri],
                pilot,
                "History-Info: <sip:12329@x>;index=1, <sip:82001234@x>;index=1.1\r\n",
                "12329",
            ),
            // a citizen's telephone forwarded to the hotline
            (vec![Diversion, RequestUri], pilot, "Diversion: <tel:+8613900001111>\r\n", "+8653182001234"),
            (vec![Diversion, RequestUri], "sip:1@x", "Diversion: <tel:+8613900001111>\r\n", "1"),
            (vec![Diversion], pilot, "", "+8653182001234"),
            // a profile that does not look there
            (vec![RequestUri], pilot, "Diversion: <sip:12329@x>\r\n", "+8653182001234"),
            // a registered trunk: the R-URI is our contact
            (
                vec![PCalledPartyId, RequestUri],
                "sip:ours@10.0.0.1",
                "P-Called-Party-ID: <sip:+8653112345@sd.example>\r\n",
                "12345",
            ),
            (vec![RequestUri], "sip:ours@10.0.0.1", "P-Called-Party-ID: <sip:+8653112345@sd.example>\r\n", "ours"),
        ] {
            let profile = Profile { called_from: sources, ..Profile::new("test") };
            let text = invite(request_uri, "<sip:10.0.0.1>", lines);
            assert_eq!(with(&text, |msg| called(msg, &profile, "531", ours)), wanted, "{request_uri} {lines}");
        }
    }

    #[test]
    fn who_forwarded_the_call() {
        // by | first called | why
        let read = |request_uri, lines| {
            with(&invite(request_uri, "<sip:10.0.0.1>", lines), |msg| {
                let Some(Forwarded { by, called, why }) = forwarded(msg, "531") else { return "-".into() };
                let shown = |n: Option<String>| n.unwrap_or_else(|| "?".into());
                format!("{} | {} | {}", shown(by), shown(called), why.map_or("?", ForwardReason::as_str))
            })
        };
        for (lines, wanted) in [
            ("", "-"),
            (
                "Diversion: \"王\" <sip:82001111@x>;reason=no-answer;counter=1\r\n",
                "+8653182001111 | +8653182001111 | no_answer",
            ),
            (
                "Diversion: <tel:+8613900001111>;reason=user-busy\r\nDiversion: <sip:12329@x>;reason=unconditional\r\n",
                "+8613900001111 | 12329 | busy",
            ),
            ("Diversion: <tel:+8613900001111>;reason=unknown;privacy=full\r\n", "? | ? | ?"),
            ("Diversion: <sip:10.0.0.9>\r\n", "? | ? | ?"),
            (
                "History-Info: <sip:12345@x>;index=1, <sip:82001234@x;cause=302>;index=1.1;mp=1\r\n",
                "12345 | 12345 | always",
            ),
            (
                "History-Info: <sip:+8653182001111@x?Reason=SIP%3Bcause%3D486>;index=1\r\n\
                 History-Info: <tel:82001234>;index=1.1;mp=1\r\n",
                "+8653182001111 | +8653182001111 | busy",
            ),
            (
                "History-Info: <sip:82001111@x?Privacy=history>;index=1, <sip:82001234@x;cause=408>;index=1.1\r\n",
                "? | ? | no_answer",
            ),
            // only routed, from the domain to its contact
            ("History-Info: <sip:82001234@x>;index=1, <sip:82001234@10.0.0.1>;index=1.1;rc=1\r\n", "-"),
            ("History-Info: broken, <sip:x\r\n", "-"),
        ] {
            assert_eq!(read("sip:82001234@10.0.0.1", lines), wanted, "{lines}");
        }
    }
}
