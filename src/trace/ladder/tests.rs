//! Ladders of pretend calls.

use super::*;
use crate::sip::flow::{Flow, Transport};

const CARRIER: &str = "10.1.0.7:5060";
const PHONE: &str = "10.0.0.81:5060";

fn seen(ms: u64, remote: &str, way: Way, text: &str) -> Seen {
    let (local, remote) = ("10.0.0.5:5060".parse().unwrap(), remote.parse().unwrap());
    let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
    Seen { at: Instant(ms * 1_000), flow, way, bytes: text.replace('\n', "\r\n").into_bytes() }
}

/// A citizen's call to one seat, as the wire has it.
fn call() -> Vec<Seen> {
    let sdp = "Content-Type: application/sdp\n\nv=0\nm=audio 4000 RTP/AVP 8\n";
    let invite = format!("INVITE sip:12345@x SIP/2.0\nCall-ID: a\nFrom: <sip:13812345678@x>\nCSeq: 1 INVITE\n{sdp}");
    let ring = format!("INVITE sip:8001@y SIP/2.0\ni: b\nX-Rexian-Call: 00ab\nCSeq: 1 INVITE\nc: {}", &sdp[14..]);
    vec![
        seen(0, CARRIER, Way::In, &invite),
        seen(1, CARRIER, Way::Out, "SIP/2.0 100 Trying\nCall-ID: a\nCSeq: 1 INVITE\n\n"),
        seen(500, CARRIER, Way::In, &invite),
        seen(520, PHONE, Way::Out, &ring),
        seen(600, PHONE, Way::In, "SIP/2.0 180 Ringing\ni: b\nCSeq: 1 INVITE\n\n"),
        seen(4_000, PHONE, Way::In, &format!("SIP/2.0 200 OK\ni: b\nCSeq: 1 INVITE\n{sdp}")),
        seen(
            9_000,
            CARRIER,
            Way::In,
            "BYE sip:x SIP/2.0\nCall-ID: a\nCSeq: 2 BYE\nReason: Q.850;cause=16;text=\"x\"\n\n",
        ),
        seen(9_001, CARRIER, Way::Out, "SIP/2.0 200 OK\nCall-ID: a\nCSeq: 2 BYE\n\n"),
    ]
}

fn told(which: Traced, messages: &[Seen]) -> Vec<Ladder> {
    let mut ladders = Ladders::new(which);
    for (n, message) in messages.iter().enumerate() {
        ladders.message(message);
        if n == 0 {
            ladders.named("00ab".into(), b"a");
        }
        assert!(ladders.finished(message.at).is_empty(), "told before its end");
    }
    let last = messages.last().unwrap().at;
    assert!(ladders.finished(last + Duration::from_secs(4)).is_empty());
    let done = ladders.finished(last + AFTER_END);
    assert!(ladders.ladders.is_empty() && ladders.by_leg.is_empty() && ladders.by_call.is_empty());
    assert!(ladders.by_age.is_empty());
    done
}

#[test]
fn both_legs_of_a_call_on_one_ladder() {
    let done = told(Traced::Everything, &call());
    assert_eq!((done.len(), &*done[0].call), (1, "00ab"));
    let want = [
        "      10.1.0.7:5060                    rexian                    10.0.0.81:5060",
        "    0.000   |--INVITE 12345 (sdp)-------->|                             |",
        "    0.001   |<-100 Trying-----------------|                             |",
        "    0.500   |--INVITE 12345 (sdp) again-->|                             |",
        "    0.520   |                             |--INVITE (sdp)-------------->|",
        "    0.600   |                             |<-180 Ringing----------------|",
        "    4.000   |                             |<-200 OK (sdp)---------------|",
        "    9.000   |--BYE (Q.850 16)------------>|                             |",
        "    9.001   |<-200 OK---------------------|                             |",
    ];
    assert_eq!(done[0].draw(), want);
}

#[test]
fn only_the_calls_asked_for() {
    let some = |networks: &[&str], numbers: &[&str]| Traced::Some {
        networks: networks.iter().map(|n| Cidr { address: n.parse().unwrap(), prefix: 24 }).collect(),
        numbers: numbers.iter().map(|n| n.to_string()).collect(),
    };
    for (which, told_of) in [
        (Traced::Nothing, 0),
        (some(&["10.1.0.0"], &[]), 1),
        // the seat's network: the whole call is told, not its leg alone
        (some(&["10.0.0.0"], &[]), 1),
        (some(&["10.2.0.0"], &[]), 0),
        (some(&[], &["12345"]), 1),
        (some(&[], &["+8613812345678"]), 1),
        (some(&[], &["13812345678"]), 1),
        (some(&[], &["812345678"]), 1),
        (some(&[], &["8001"]), 1),
        (some(&[], &["8002"]), 0),
    ] {
        assert_eq!(told(which.clone(), &call()).len(), told_of, "{which:?}");
    }
}

#[test]
fn what_never_ends_is_told_in_the_end_and_what_is_no_call_never() {
    let mut ladders = Ladders::new(Traced::Everything);
    ladders.message(&seen(0, PHONE, Way::In, "REGISTER sip:x SIP/2.0\nCall-ID: r\n\n"));
    ladders.message(&seen(0, PHONE, Way::In, "garbage"));
    assert!(ladders.ladders.is_empty());
    ladders.message(&call()[0]);
    assert_eq!(ladders.finished(Instant(0) + SILENT).len(), 1);
    for n in 0..MOST as u64 + 50 {
        ladders.message(&seen(n, CARRIER, Way::In, &format!("INVITE sip:1@x SIP/2.0\nCall-ID: {n}\n\n")));
        ladders.finished(Instant(n * 1_000));
        assert!(ladders.ladders.len() <= MOST);
    }
    for n in 0..1_000 {
        ladders.message(&seen(n, CARRIER, Way::In, "INFO sip:1@x SIP/2.0\nCall-ID: 2000\n\n"));
    }
    let long = ladders.all().into_iter().find(|l| l.left_out > 0).expect("the long one");
    assert_eq!(long.draw().last().unwrap(), &format!("  and {} messages more", 1_001 - MOST_RUNGS));
}
