//! The program as its operator meets it: checking a configuration, serving, draining, and surviving kill -9.

#[path = "serve/api.rs"]
mod api;
mod common;
#[path = "serve/postgres.rs"]
mod database;
#[path = "serve/description.rs"]
mod description;
#[path = "serve/gallery.rs"]
mod gallery;
#[path = "serve/look.rs"]
mod look;
#[path = "serve/pages.rs"]
mod pages;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "serve/recordings.rs"]
mod recordings;
#[path = "serve/screens.rs"]
mod screens;
#[path = "serve/streams.rs"]
mod streams;
#[path = "serve/tickets.rs"]
mod tickets;
#[path = "serve/tls.rs"]
mod tls;
#[path = "serve/unsaved.rs"]
mod unsaved;
#[path = "serve/web_phone.rs"]
mod web_phone;
#[path = "serve/webhooks.rs"]
mod webhooks;

use common::caller::{Street, answers};
use common::{Hotline, ask, rexian, until};
use rexian::demo::field::Who;
use rexian::sim::ua::{Ending, UaFact};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn check_names_every_problem_with_its_line_and_exits_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rexian.toml");
    let good = Hotline::new().toml();
    let bad = good.replace("drain = \"20s\"", "drain = \"soon\"").replace("skills = {", "skils = {");
    let line_of = |text: &str| 1 + bad.lines().position(|l| l.contains(text)).unwrap();

    std::fs::write(&file, &good).unwrap();
    let output = rexian().args(["check", "--config"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "a good file is refused: {}", String::from_utf8_lossy(&output.stderr));

    std::fs::write(&file, &bad).unwrap();
    let output = rexian().args(["check", "--config"]).arg(&file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for text in ["drain = \"soon\"", "skils = {"] {
        let place = format!("{}:{}", file.display(), line_of(text));
        assert!(said.contains(&place), "{place} is not named:\n{said}");
    }
}

#[test]
fn a_trunk_peer_gets_its_options_answered_and_a_stranger_nothing() {
    let server = Hotline::new().start();
    let sip = server.hotline.sip();
    let options = format!(
        "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {{local}};branch=z9hG4bKo1;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:peer@{{local}}>;tag=1\r\nTo: <sip:{sip}>\r\nCall-ID: options-1\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let answer = ask(server.hotline.carrier, sip, &options).expect("an answer to OPTIONS");
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    assert!(answer.contains("Call-ID: options-1\r\n") && answer.contains("CSeq: 7 OPTIONS\r\n"), "{answer}");
    let stranger = server.hotline.seat_address(99);
    assert_eq!(ask(stranger, sip, &options), None, "a stranger learns nothing");
}

#[test]
fn a_traced_call_is_drawn_in_the_log_and_exported_and_shows_no_secret() {
    let hotline = Hotline::new();
    let homer = std::net::UdpSocket::bind((hotline.seat_address(90), 0)).unwrap();
    homer.set_read_timeout(Some(common::SOON)).unwrap();
    let more = format!("\n[trace]\nladder = [\"carrier\"]\nhep = {{ to = \"{}\" }}\n", homer.local_addr().unwrap());
    let server = Hotline { more, ..hotline }.start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let caller = street.call();
    street.wait_answered(Who::Phone(phone));
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    street.wait_ended(Who::Call(caller));

    // Homer has the phone's registration without its credentials, and both INVITEs under our call's id.
    let (mut registered, mut invites) = (false, vec![]);
    let mut packet = [0; 65_536];
    while !registered || invites.len() < 2 {
        let n = homer.recv(&mut packet).expect("the export");
        let (seen, call) = rexian::trace::hep::decode(&packet[..n]).expect("HEP3");
        let text = String::from_utf8_lossy(&seen.bytes).into_owned();
        if let Some(at) = text.find("response=\"") {
            registered = true;
            assert!(text[at + 10..].starts_with("********"), "credentials were exported:\n{text}");
        }
        // The first message of a call comes before the call has its id; its answer does not.
        if text.contains("CSeq: 1 INVITE") && text.starts_with("SIP/2.0 200") && call.is_some() {
            invites.push(call);
        }
    }
    assert_eq!(invites[0], invites[1], "the two legs of one call");
    let drawn = until("the ladder, once its call is over", || {
        let log = server.log();
        log.contains("BYE").then_some(log)
    });
    let rung = |text: &str| drawn.lines().any(|l| l.contains("rexian::ladder") && l.contains(text));
    assert!(rung("rexian") && rung("INVITE 12345 (sdp)") && rung("180 Ringing"), "{drawn}");
    assert!(!drawn.contains("REGISTER"), "a ladder is a call's");
}

#[test]
fn sigterm_without_calls_ends_at_once() {
    let mut server = Hotline { drain: "10m", ..Hotline::new() }.start();
    server.terminate();
    assert!(server.wait_exit().success());
}

#[test]
fn sigterm_refuses_new_calls_and_lets_the_old_one_finish() {
    let mut server = Hotline { drain: "10m", ..Hotline::new() }.start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(200));

    server.terminate();
    // The signal takes effect a moment later: until a call is refused, further ones are hung up again.
    let refused = (0..50).find_map(|_| {
        let late = street.call();
        street.run(Duration::from_millis(50));
        street.field.at_call(late, |c, now| c.hang_up(now));
        match street.wait_ended(Who::Call(late)) {
            Ending::Refused(status) => Some(status),
            _ => None,
        }
    });
    assert_eq!(refused, Some(503), "a draining gateway takes no new calls");
    assert_eq!(server.has_exited(), None, "it waits for the call in progress");

    street.field.at_call(call, |c, now| c.hang_up(now));
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    let status = until("the exit after the last call", || {
        street.run(Duration::from_millis(20));
        server.has_exited()
    });
    assert!(status.success(), "{status}");
    assert_eq!(server.tickets().len(), 1);
}

#[test]
fn after_kill_9_every_acknowledged_pickup_has_one_ticket_and_none_is_doubled() {
    const CALLS: usize = 24;
    for round in 0..3 {
        let mut server = Hotline { seats: CALLS, port_pairs: 200, ..Hotline::new() }.start();
        let mut street = Street::new(&server.hotline);
        let phones: Vec<usize> = (1..=CALLS as u8)
            .map(|n| {
                // Pickups are spread over time, so that the kill falls between some of them.
                let mut plan = answers();
                plan.reaction = rexian::sim::ua::Reaction::Answer { after: Duration::from_millis(40 * u64::from(n)) };
                street.sign_in(server.hotline.seat_address(n), n, plan)
            })
            .collect();
        let calls: Vec<usize> = (0..CALLS).map(|_| street.call()).collect();
        // In the middle: after the n-th acknowledged pickup.
        let enough = [1, CALLS / 2, CALLS - 2][round];
        street.run_until("enough pickups", |field| field.acknowledged().count() >= enough);
        server.kill();
        // What the kernel still delivers was sent before the kill.
        street.run(Duration::from_millis(200));
        let acknowledged: BTreeSet<String> = street.field.acknowledged().map(str::to_string).collect();
        assert!((enough..=CALLS).contains(&acknowledged.len()));
        assert_eq!((phones.len(), calls.len()), (CALLS, CALLS));

        server.start_again();
        let legs = until("every acknowledged pickup's ticket", || {
            let legs = rexian::demo::records::ticketed_seat_legs(&server.cases()).ok()?;
            let known: BTreeSet<String> = legs.iter().cloned().collect();
            acknowledged.is_subset(&known).then_some(legs)
        });
        let distinct: BTreeSet<&String> = legs.iter().collect();
        assert_eq!(distinct.len(), legs.len(), "a ticket was doubled");
        let of_calls = server.tickets();
        let distinct: BTreeSet<&String> = of_calls.iter().collect();
        assert_eq!(distinct.len(), of_calls.len(), "a call has two tickets");
        let placed: BTreeSet<&str> = calls.iter().map(|c| street.field.sip_call_id(*c)).collect();
        assert!(of_calls.iter().all(|id| placed.contains(id.as_str())), "a ticket of no call");
    }
}

#[test]
fn after_a_restart_the_phones_are_asked_to_register_and_calls_go_on() {
    let mut server = Hotline::new().start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    server.kill();
    server.start_again();
    street.field.at_phone(phone, |p, now| p.register(now));
    street.wait_for("registration", |who, f| who == Who::Phone(phone) && *f == UaFact::Registered);
    street.dial(phone, "*11");
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(200));
    street.field.at_call(call, |c, now| c.hang_up(now));
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    assert_eq!(until("the ticket", || server.tickets().first().cloned()), street.field.sip_call_id(call));
}
