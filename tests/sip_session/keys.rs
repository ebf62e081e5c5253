//! Keys of encrypted audio through a dialog's life (RFC 4568 s7.1): agreed, kept, renewed, refused.

use crate::support::*;
use rexian::config::settings::{Reliable, Srtp};
use rexian::leg::{LegCommand, LegEvent};
use rexian::plane::srtp::Keys;
use rexian::sdp::encryption::Encryption;
use rexian::sdp::offer_answer::Local;

const ONE: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const TWO: &str = "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";

fn ours(srtp: Srtp) -> Local {
    Local { encryption: Encryption::new(srtp, || [5; 32]), ..local() }
}

/// Their description with one key, or with none.
fn keyed(proto: &str, key: Option<&str>) -> String {
    let line = key.map(|key| format!("a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")).unwrap_or_default();
    sdp(7000).replace("RTP/AVP", proto) + &line
}

fn talking(srtp: Srtp, process: Process, offer: &str) -> (World, String) {
    let mut world = World::called_by(process, Reliable::IfRequired, &invite("", offer), ours(srtp));
    world.news();
    world.tell(LegCommand::Answer);
    let ok = world.answered(200);
    world.hear(&ack(1, ""));
    world.events();
    (world, ok)
}

/// The `a=crypto` lines of a message.
fn keys(message: &str) -> Vec<&str> {
    body(message).lines().filter_map(|line| line.strip_prefix("a=crypto:")).collect()
}

fn changed(world: &mut World) -> Option<Option<Keys>> {
    let events = world.events();
    assert!(events.len() <= 1, "{events:?}");
    events.into_iter().next().map(|event| match event {
        LegEvent::MediaChanged { media } => media.srtp,
        other => panic!("{other:?}"),
    })
}

fn version(message: &str) -> &str {
    body(message).lines().find_map(|l| l.strip_prefix("o=rexian 7 ")).expect("o=").split(' ').next().unwrap()
}

#[test]
fn a_refresh_keeps_both_keys_and_a_new_key_renews_ours() {
    for process in [Process::Steady, Process::Replaced] {
        let (mut world, ok) = talking(Srtp::Required, process, &keyed("RTP/SAVP", Some(ONE)));
        let first = keys(&ok);
        assert!(first.len() == 1 && first[0].starts_with("3 AES_CM_128_HMAC_SHA1_80 inline:"), "{ok}");
        assert!(!first[0].contains(ONE), "a key of our own");

        world.hear(&within("INVITE", 2, "", &keyed("RTP/SAVP", Some(ONE))));
        let refreshed = world.answered(200);
        assert_eq!((keys(&refreshed), version(&refreshed)), (first.clone(), version(&ok)));
        world.hear(&ack(2, ""));
        assert_eq!(changed(&mut world), None);

        world.hear(&within("INVITE", 3, "", &keyed("RTP/SAVP", Some(TWO))));
        let renewed = world.answered(200);
        assert_ne!(keys(&renewed), first, "another endpoint has not counted our packets");
        assert_ne!(version(&renewed), version(&ok));
        world.hear(&ack(3, ""));
        let second = changed(&mut world).flatten().expect("new keys");

        // Back to the first: not to our first key, whose counters would begin anew.
        world.hear(&within("UPDATE", 4, "", &keyed("RTP/SAVP", Some(ONE))));
        let third = world.answered(200);
        assert!(keys(&third) != first && keys(&third) != keys(&renewed));
        let third = changed(&mut world).flatten().expect("new keys");
        assert!(third.ours != second.ours && third.theirs != second.theirs);
    }
}

#[test]
fn an_offer_asked_for_in_mid_call_brings_new_keys() {
    let (mut world, ok) = talking(Srtp::IfOffered, Process::Replaced, &keyed("RTP/SAVP", Some(ONE)));
    world.hear(&within("INVITE", 2, "", ""));
    let offer = world.answered(200);
    assert!(body(&offer).contains("RTP/SAVP") && keys(&offer).len() == 4, "what is encrypted stays so: {offer}");
    assert!(!keys(&offer).iter().any(|line| line[1..] == keys(&ok)[0][1..]));
    assert_eq!(changed(&mut world), None, "until it is answered");
    world.hear(&ack(2, &keyed("RTP/SAVP", Some(TWO)).replace("crypto:3", "crypto:1")));
    assert!(changed(&mut world).flatten().is_some());
}

#[test]
fn encryption_ends_only_where_it_is_not_required() {
    for (srtp, status) in [(Srtp::IfOffered, 200), (Srtp::Required, 488)] {
        let (mut world, _) = talking(srtp, Process::Steady, &keyed("RTP/SAVP", Some(ONE)));
        world.hear(&within("INVITE", 2, "", &keyed("RTP/AVP", None)));
        let answer = world.answered(status);
        assert!(keys(&answer).is_empty());
        assert_eq!(changed(&mut world), (status == 200).then_some(None), "refused, the session stays as it was");
        world.hear(&ack(2, ""));
        if srtp == Srtp::IfOffered {
            world.hear(&within("INVITE", 3, "", ""));
            assert!(keys(&world.answered(200)).is_empty(), "not offered any more");
        }
    }
}

#[test]
fn our_refresh_repeats_our_keys() {
    let (mut world, ok) = talking(Srtp::Required, Process::Steady, &keyed("RTP/SAVP", Some(ONE)));
    world.hear(&within("UPDATE", 2, "Session-Expires: 90;refresher=uas\r\nSupported: timer\r\nAllow: INVITE\r\n", ""));
    world.answered(200);
    world.run_ms(46_000);
    let refresh = world.news().remove(0);
    assert!(is_request(&refresh, "INVITE") && keys(&refresh) == keys(&ok), "{refresh}");
    world.hear(&response(&refresh, 200, PEER, "", &keyed("RTP/SAVP", Some(ONE))));
    assert_eq!(changed(&mut world), None);
}

#[test]
fn a_phone_that_answers_without_a_key_is_let_go() {
    let (mut world, invite) = World::calling_by(Process::Steady, ours(Srtp::Required), None, vec![]);
    assert_eq!(keys(&invite).len(), 4);
    world.hear(&response(&invite, 200, PEER, "", &keyed("RTP/AVP", None)));
    let said: Vec<String> = world.news().iter().map(|m| first_line(m)).collect();
    assert!(said[0].starts_with("ACK ") && said[1].starts_with("BYE "), "{said:?}");

    let (mut world, invite) = World::calling_by(Process::Steady, ours(Srtp::Required), None, vec![]);
    world.hear(&response(&invite, 200, PEER, "", &keyed("RTP/SAVP", Some(ONE)).replace("crypto:3", "crypto:1")));
    let events = world.events();
    let LegEvent::Answered { media } = events.last().expect("answered") else { panic!("{events:?}") };
    assert!(media.srtp.is_some());
}
