//! What the gateway decides before there is a dialog: extensions required of us, sessions too short, bodies of other
//! kinds, and what it says of itself.

use crate::support::*;
use rexian::config::settings::{AnswerMode, Reliable, Settings};
use rexian::gateway::{Gateway, Input, Output};
use rexian::sip::flow::Flow;
use rexian::time::Instant;

/// What a trunk hears at once for its request.
fn asked(reliable: Reliable, request: &str) -> Vec<String> {
    let mut core = Settings::demo([7; 32]).core;
    core.trunks[0].profile.reliable = reliable;
    core.trunks[0].profile.answer = AnswerMode::OnPickup;
    let now = Instant::from_unix_secs(1_800_000_000);
    let mut gateway = Gateway::new(core, [9; 32], now);
    let flow = Flow { local: "127.0.0.1:5060".parse().unwrap(), remote: "127.0.0.1:6000".parse().unwrap(), ..flow() };
    gateway.handle(now, Input::Message { flow, bytes: request.as_bytes() });
    let mut said = vec![];
    while let Some(output) = gateway.next_output() {
        if let Output::Send(transmit) = output {
            said.push(String::from_utf8(transmit.bytes).unwrap());
        }
    }
    said
}

fn statuses(said: &[String]) -> Vec<u16> {
    said.iter().filter_map(|m| status_of(m)).collect()
}

#[test]
fn extensions_required_of_us() {
    use Reliable::*;
    for (reliable, required, outcome) in [
        (IfRequired, "100rel", Ok("100rel")),
        (IfSupported, "100rel, timer", Ok("100rel")),
        (Never, "100rel", Err("100rel")),
        (Never, "timer", Ok("")),
        (IfRequired, "precondition", Err("precondition")),
        (IfSupported, "100rel, precondition,x", Err("precondition, x")),
    ] {
        let said = asked(reliable, &invite(&format!("Require: {required}\r\n"), &sdp(7000)));
        match outcome {
            Ok(used) => {
                assert_eq!(statuses(&said), [100, 183], "{reliable:?} {required}");
                assert_eq!(value(&said[1], "Require").unwrap_or_default(), used);
            }
            Err(unsupported) => {
                assert_eq!(statuses(&said), [420], "{reliable:?} {required}");
                assert_eq!(value(&said[0], "Unsupported").unwrap(), unsupported);
            }
        }
    }
    let said = asked(IfSupported, &invite("Supported: 100rel\r\n", &sdp(7000)));
    assert!(value(&said[1], "RSeq").is_some(), "the trunk's profile reaches its calls");
}

/// RFC 3312: only who requires them needs us to know them; what an offer says of them does not get in the way.
#[test]
fn preconditions_that_are_not_required_are_passed_over() {
    let resources = "a=curr:qos local none\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\n\
                     a=des:qos optional remote sendrecv\r\na=conf:qos remote sendrecv\r\n";
    for extra in ["", "Supported: 100rel, precondition\r\n", "k: precondition\r\n"] {
        let said = asked(Reliable::IfRequired, &invite(extra, &format!("{}{resources}", sdp(7000))));
        assert_eq!(statuses(&said), [100, 183], "{extra}");
        let answer = body(&said[1]);
        assert!(answer.contains("m=audio ") && !answer.contains("qos"), "{answer}");
    }
}

#[test]
fn a_session_too_short_is_refused_only_to_those_who_understand_that() {
    let said = asked(Reliable::IfRequired, &invite("Supported: timer\r\nSession-Expires: 60\r\n", &sdp(7000)));
    assert_eq!(statuses(&said), [422]);
    assert_eq!(value(&said[0], "Min-SE").unwrap(), "90");
    let said = asked(Reliable::IfRequired, &invite("Session-Expires: 60\r\n", &sdp(7000)));
    assert_eq!(statuses(&said), [100, 183]);
}

#[test]
fn the_description_is_found_among_the_parts() {
    let part = |kind: &str, handling: &str, text: &str| {
        format!("--b\r\nContent-Type: {kind}\r\nContent-Disposition: signal{handling}\r\n\r\n{text}\r\n")
    };
    let isup = |handling| part("application/isup;version=itu-t92+", handling, "\u{1}\u{20}");
    let sdp = || part("application/sdp", "", &sdp(7000));
    for (body, expected) in [
        (format!("{}{}--b--\r\n", sdp(), isup(";handling=optional")), vec![100, 183]),
        (format!("{}{}--b--\r\n", isup(""), sdp()), vec![100, 183]),
        (format!("{}{}--b--\r\n", isup(";handling=required"), sdp()), vec![415]),
    ] {
        let request = invite("", &body).replace(
            "Content-Type: application/sdp\r\nContent-Length",
            "Content-Type: multipart/mixed;boundary=b\r\nContent-Length",
        );
        let said = asked(Reliable::IfRequired, &request);
        assert_eq!(statuses(&said), expected, "{body}");
        match expected[..] {
            [415] => assert_eq!(value(&said[0], "Accept").unwrap(), "application/sdp, multipart/mixed"),
            _ => assert!(body_of_answer(&said[1]), "{}", said[1]),
        }
    }
}

/// An answer to their offer, not an offer of ours.
fn body_of_answer(text: &str) -> bool {
    body(text).contains("m=audio") && !body(text).contains("telephone-event")
}

#[test]
fn what_we_say_we_can() {
    for (reliable, supported) in
        [(Reliable::Never, "timer"), (Reliable::IfRequired, "100rel, timer"), (Reliable::IfSupported, "100rel, timer")]
    {
        for request in [request("OPTIONS", 1, None, "", ""), invite("", &sdp(7000))] {
            let said = asked(reliable, &request);
            let answer = said.last().unwrap();
            assert_eq!(value(answer, "Supported").as_deref(), Some(supported), "{answer}");
            for method in ["PRACK", "UPDATE"] {
                assert!(value(answer, "Allow").unwrap().contains(method), "{answer}");
            }
        }
    }
}
