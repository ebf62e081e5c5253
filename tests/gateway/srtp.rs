//! Encrypted audio by a trunk's policy: what its carrier is answered.

use crate::world::{World, invite};
use rexian::config::settings::Srtp;

const KEY: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

/// A carrier's offer under this policy: the answer's status, and its keys.
fn answered(srtp: Srtp, proto: &str, line: &str) -> (String, Vec<String>) {
    let mut world = World::new(1, |core| core.trunks[0].srtp = srtp);
    let plain = String::from_utf8(invite(1)).unwrap();
    let (head, sdp) = plain.split_once("\r\n\r\n").unwrap();
    let body = sdp.replace("RTP/AVP", proto) + line;
    let head = head.replace(&format!("Content-Length: {}", sdp.len()), &format!("Content-Length: {}", body.len()));
    world.other_sends(format!("{head}\r\n\r\n{body}").as_bytes());
    world.restart();
    let last = world.to_caller.last().expect("an answer");
    let keys = last.lines().filter_map(|l| l.strip_prefix("a=crypto:")).map(str::to_owned).collect();
    (last.split_whitespace().nth(1).unwrap().to_owned(), keys)
}

#[test]
fn a_trunks_policy_decides() {
    for (srtp, proto, line, status, encrypted) in [
        (Srtp::Never, "RTP/AVP", "", "200", false),
        (Srtp::Never, "RTP/SAVP", KEY, "488", false),
        (Srtp::IfOffered, "RTP/AVP", "", "200", false),
        (Srtp::IfOffered, "RTP/SAVP", KEY, "200", true),
        (Srtp::Required, "RTP/SAVP", KEY, "200", true),
        (Srtp::Required, "RTP/AVP", KEY, "200", true),
        (Srtp::Required, "RTP/AVP", "", "488", false),
    ] {
        let (found, keys) = answered(srtp, proto, line);
        assert_eq!((found.as_str(), keys.len()), (status, usize::from(encrypted)), "{srtp:?} {proto} {line}");
        assert!(!keys.iter().any(|key| KEY.contains(key.as_str())), "our key is not theirs");
    }
}
