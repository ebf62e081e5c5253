//! Where our requests inside a dialog go: route sets, strict and loose routers, targets that move (RFC 3261 s12.2).

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use rexian::sip::flow::Transport::{self, Tcp, Tls, Udp};
use std::time::Duration;

/// Called by way of these routers, answered and acknowledged.
fn talking(process: Process, record_routes: &[&str], contact: &str) -> World {
    let recorded: String = record_routes.iter().map(|route| format!("Record-Route: {route}\r\n")).collect();
    let invite =
        invite(&recorded, &sdp(7000)).replace(&format!("Contact: <sip:{THEIRS}>"), &format!("Contact: {contact}"));
    let mut world = World::called(process, Reliable::IfRequired, &invite);
    world.follow_route();
    world.tell(LegCommand::Answer);
    world.hear(&ack(1, ""));
    world.news();
    world.events();
    world
}

type Case = (
    &'static str,
    &'static [&'static str],
    &'static str,
    (Transport, &'static str),
    &'static str,
    &'static [&'static str],
);

#[test]
fn a_request_goes_where_the_route_set_says() {
    const THERE: &str = "<sip:c@10.0.0.9:5070>";
    #[rustfmt::skip]
    let table: &[Case] = &[
        // what                       Record-Route                                          Contact   goes to                     Request-URI              Route
        ("straight",                  &[],                                                  THERE,    (Udp, "10.0.0.9:5070"),     "sip:c@10.0.0.9:5070",   &[]),
        ("no port",                   &[],                                 "<sip:10.0.0.9>",          (Udp, "10.0.0.9:5060"),     "sip:10.0.0.9",          &[]),
        ("a stranger's Contact",      &[],                                 "<sip:203.0.113.5>",       (Udp, THEIRS),              "sip:203.0.113.5",       &[]),
        ("a name",                    &[],                                 "<sip:sbc.carrier.cn>",    (Udp, THEIRS),              "sip:sbc.carrier.cn",    &[]),
        ("one proxy",                 &["<sip:10.0.0.3;lr>"],                               THERE,    (Udp, "10.0.0.3:5060"),     "sip:c@10.0.0.9:5070",   &["<sip:10.0.0.3;lr>"]),
        ("two, one line",             &["<sip:10.0.0.3:5080;lr>, <sip:10.0.0.4;lr=on>"],    THERE,    (Udp, "10.0.0.3:5080"),     "sip:c@10.0.0.9:5070",   &["<sip:10.0.0.3:5080;lr>", "<sip:10.0.0.4;lr=on>"]),
        ("two lines, parameters",     &["\"<a;b>\" <sip:p@10.0.0.3;lr;ftag=1>;x=y", "<sip:10.0.0.4;lr>"], THERE, (Udp, "10.0.0.3:5060"), "sip:c@10.0.0.9:5070", &["\"<a;b>\" <sip:p@10.0.0.3;lr;ftag=1>;x=y", "<sip:10.0.0.4;lr>"]),
        ("strict first",              &["<sip:10.0.0.3;x=y?Subject=z>", "<sip:10.0.0.4;lr>"], THERE,  (Udp, "10.0.0.3:5060"),     "sip:10.0.0.3;x=y",      &["<sip:10.0.0.4;lr>", THERE]),
        ("strict alone",              &["<sip:10.0.0.3>"],                                  THERE,    (Udp, "10.0.0.3:5060"),     "sip:10.0.0.3",          &[THERE]),
        ("strict second",             &["<sip:10.0.0.3;lr>", "<sip:10.0.0.4>"],             THERE,    (Udp, "10.0.0.3:5060"),     "sip:c@10.0.0.9:5070",   &["<sip:10.0.0.3;lr>", "<sip:10.0.0.4>"]),
        ("tcp",                       &["<sip:10.0.0.3;transport=TCP;lr>"],                 THERE,    (Tcp, "10.0.0.3:5060"),     "sip:c@10.0.0.9:5070",   &["<sip:10.0.0.3;transport=TCP;lr>"]),
        ("tls",                       &["<sip:10.0.0.3;transport=tls;lr>"],                 THERE,    (Tls, "10.0.0.3:5061"),     "sip:c@10.0.0.9:5070",   &["<sip:10.0.0.3;transport=tls;lr>"]),
        ("sips",                      &["<sips:10.0.0.3:5071;lr>"],                         THERE,    (Tls, "10.0.0.3:5071"),     "sip:c@10.0.0.9:5070",   &["<sips:10.0.0.3:5071;lr>"]),
        ("a transport we lack",       &["<sip:10.0.0.3;transport=sctp;lr>"],                THERE,    (Udp, THEIRS),              "sip:c@10.0.0.9:5070",   &["<sip:10.0.0.3;transport=sctp;lr>"]),
        ("a stranger's proxy",        &["<sip:203.0.113.5;lr>"],                            THERE,    (Udp, THEIRS),              "sip:c@10.0.0.9:5070",   &["<sip:203.0.113.5;lr>"]),
        ("an address of a family we do not serve", &["<sip:[2001:db8::1];lr>"],             THERE,    (Udp, THEIRS),              "sip:c@10.0.0.9:5070",   &["<sip:[2001:db8::1];lr>"]),
    ];
    for (what, recorded, contact, (transport, remote), uri, routes) in table {
        in_both(|process| {
            let mut world = talking(process, recorded, contact);
            world.tell(LegCommand::Hangup(HangupReason::Normal));
            let bye = world.one();
            assert_eq!(first_line(&bye), format!("BYE {uri} SIP/2.0"), "{what}");
            assert_eq!(values(&bye, "Route"), *routes, "{what}");
            let went = world.last_flow();
            assert_eq!((went.transport, went.remote.to_string().as_str()), (*transport, *remote), "{what}");
            let via = format!("SIP/2.0/{} {}", format!("{transport:?}").to_uppercase(), went.local);
            assert!(value(&bye, "Via").unwrap().starts_with(&via), "{what}: {bye}");
            world.hear(&response(&bye, 200, PEER, "", ""));
            world.ends_clean()
        });
    }
}

/// s12.1.2: for us, who called, the list is read from its end; the ACK goes that way too.
#[test]
fn the_caller_reads_the_route_from_its_end() {
    in_both(|process| {
        let (mut world, invite) = World::calling(process);
        world.follow_route();
        let recorded = "Record-Route: <sip:10.0.0.4;lr>, <sip:10.0.0.3;transport=tcp;lr>\r\n";
        // An early dialog has its route as well.
        world.hear(&response(&invite, 183, PEER, &format!("{recorded}Require: 100rel\r\nRSeq: 1\r\n"), ""));
        let prack = world.one();
        assert_eq!(values(&prack, "Route"), ["<sip:10.0.0.3;transport=tcp;lr>", "<sip:10.0.0.4;lr>"]);
        assert_eq!((world.last_flow().transport, world.last_flow().remote.to_string()), (Tcp, "10.0.0.3:5060".into()));
        world.hear(&response(&prack, 200, PEER, "", ""));
        world.hear(&response(&invite, 200, PEER, "Record-Route: <sip:10.0.0.5;lr>\r\n", &sdp(7000)));
        world.tell(LegCommand::Acknowledge);
        let ack = world.one();
        assert_eq!(values(&ack, "Route"), ["<sip:10.0.0.5;lr>"], "s13.2.2.4: the 2xx tells it anew");
        assert_eq!(world.last_flow().remote.to_string(), "10.0.0.5:5060");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        assert_eq!(world.last_flow().remote.to_string(), "10.0.0.5:5060");
        world.news();
        world.ends_clean()
    });
}

/// s12.2.2: a target refresh moves the Contact and never the route set.
#[test]
fn a_far_end_that_moves_is_followed() {
    for (recorded, then) in [(&[][..], "10.0.0.8:5066"), (&["<sip:10.0.0.3;lr>"][..], "10.0.0.3:5060")] {
        for (method, body) in [("INVITE", sdp(7000)), ("UPDATE", String::new())] {
            in_both(|process| {
                let mut world = talking(process, recorded, "<sip:10.0.0.9>");
                let moved = within(method, 2, "Record-Route: <sip:10.0.0.7;lr>\r\n", &body)
                    .replace(&format!("Contact: <sip:{THEIRS}>"), "Contact: <sip:x@10.0.0.8:5066>");
                world.hear(&moved);
                if method == "INVITE" {
                    world.hear(&ack(2, ""));
                }
                world.news();
                world.tell(LegCommand::Hangup(HangupReason::Normal));
                let bye = world.one();
                assert_eq!(first_line(&bye), "BYE sip:x@10.0.0.8:5066 SIP/2.0");
                assert_eq!(values(&bye, "Route"), recorded);
                assert_eq!(world.last_flow().remote.to_string(), then);
                world.hear(&response(&bye, 200, PEER, "", ""));
                world.ends_clean()
            });
        }
    }
}

/// The hop died while they talked: to the call the leg ends when we say so, and nothing is left 32 s later.
#[test]
fn a_bye_into_the_void_ends_by_timer() {
    in_both(|process| {
        let mut world = talking(process, &["<sip:10.0.0.3;lr>"], "<sip:10.0.0.9>");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Released)]);
        world.run(Duration::from_millis(31_900));
        assert!(!world.is_over() && world.news().len() > 8, "repeated all the while");
        world.run(Duration::from_millis(200));
        assert!(world.is_over());
        assert_eq!(world.events(), []);
        world.ends_clean()
    });
}

/// s12.1.1, s8.1.1.8: who is called securely says where it is reached securely.
#[test]
fn our_contact_is_sips_where_theirs_must_be() {
    for (uri, recorded, contact, wanted) in [
        ("sip:12345@", "", "<sip:10.0.0.2>", "<sip:10.0.0.1:5060>"),
        ("sips:12345@", "", "<sip:10.0.0.2>", "<sips:10.0.0.1:5060>"),
        ("sip:12345@", "", "<sips:10.0.0.2>", "<sips:10.0.0.1:5060>"),
        ("sip:12345@", "Record-Route: <sips:10.0.0.3;lr>\r\n", "<sip:10.0.0.2>", "<sips:10.0.0.1:5060>"),
        ("sip:12345@", "Record-Route: <sip:10.0.0.3;lr>\r\n", "<sips:10.0.0.2>", "<sip:10.0.0.1:5060>"),
    ] {
        in_both(|process| {
            let invite = invite(recorded, &sdp(7000))
                .replacen("INVITE sip:12345@", &format!("INVITE {uri}"), 1)
                .replace(&format!("Contact: <sip:{THEIRS}>"), &format!("Contact: {contact}"));
            let mut world = World::called(process, Reliable::IfRequired, &invite);
            world.tell(LegCommand::Answer);
            let ok = world.answered(200);
            assert_eq!(value(&ok, "Contact").as_deref(), Some(wanted), "{uri} {recorded} {contact}");
            world.hear(&ack(1, ""));
            world.tell(LegCommand::Hangup(HangupReason::Normal));
            let bye = world.one();
            world.hear(&response(&bye, 200, TAG, "", ""));
            world.ends_clean()
        });
    }
    for (uri, wanted) in
        [("sip:8001@10.0.0.2:5060", "<sip:10.0.0.1:5060>"), ("sips:8001@10.0.0.2", "<sips:10.0.0.1:5060>")]
    {
        let (world, invite) = World::calling_at(uri);
        assert_eq!(value(&invite, "Contact").as_deref(), Some(wanted));
        drop(world);
    }
}

/// RFC 3327 s5.4: the path of a registration is the INVITE's Route, and its CANCEL's and ACK's; an answer's Record-Route
/// replaces it. A second INVITE goes by it again.
#[test]
fn a_phone_behind_a_proxy_is_called_through_it() {
    const PATH: [&str; 2] = ["<sip:10.0.0.7;lr>", "<sip:edge.example;lr;ob>"];
    let route = || PATH.iter().map(|p| p.as_bytes().to_vec()).collect();
    in_both(|process| {
        let (mut world, invite) = World::calling_through(process, route());
        assert_eq!(values(&invite, "Route"), PATH);
        assert!(first_line(&invite).starts_with("INVITE sip:8001@"), "{invite}");
        world.hear(&response(&invite, 422, "a", "Min-SE: 3600\r\n", ""));
        let (ack, second) = (world.news(), 1);
        assert_eq!(
            (values(&ack[0], "Route"), values(&ack[second], "Route")),
            (PATH.map(String::from).into(), PATH.map(String::from).into())
        );
        let recorded = "Record-Route: <sip:10.0.0.7;lr>\r\n";
        world.hear(&response(&ack[second], 200, PEER, recorded, &sdp(7000)));
        world.tell(LegCommand::Acknowledge);
        assert_eq!(values(&world.one(), "Route"), ["<sip:10.0.0.7;lr>"]);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
    let (mut world, invite) = World::calling_through(Process::Steady, route());
    world.hear(&response(&invite, 180, PEER, "", ""));
    world.tell(LegCommand::Hangup(HangupReason::Withdrawn));
    assert_eq!(values(&world.one(), "Route"), PATH, "CANCEL");
}
