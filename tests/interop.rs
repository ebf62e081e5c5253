//! The gateway against SIP software of others: SIPp as carrier and as seat, baresip as a seat, JsSIP and SIP.js in Chromium as
//! seats. What is checked is what people would notice: who hears whom, how a call ends, whether a ticket is there.

#[path = "interop/baresip.rs"]
mod baresip;
mod common;
#[path = "interop/ims.rs"]
mod ims;
#[path = "interop/kamailio.rs"]
mod kamailio;
#[path = "interop/sipp.rs"]
mod sipp;
#[path = "interop/softphone.rs"]
mod softphone;

use baresip::Baresip;
use common::caller::{CALLER_TONE, SEAT_TONE, Street, answers};
use common::pki::Pki;
use common::{Hotline, Server, until};
use kamailio::Kamailio;
use rexian::demo::field::Who;
use rexian::sim::ua::{Ending, UaFact};
use sipp::Setup;
use softphone::{Library, Place, Softphone};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Is the client here? Where clients are required (`tests/run`, CI) a missing one is a failure, elsewhere a loud skip.
fn has(client: &str) -> bool {
    let version = if client == "sipp" { "-v" } else { "-h" };
    let found = Command::new(client).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let required = std::env::var_os("CI").is_some() || std::env::var_os("REXIAN_REQUIRE_CLIENTS").is_some();
    assert!(found || !required, "{client} is not installed and clients are required: run tests/run, which installs it");
    if !found {
        eprintln!("SKIPPED: {client} is not installed, so nothing was tested; tests/run installs it");
    }
    found
}

/// Waits until the call is over for the gateway, and takes the number of tickets then.
fn tickets_after(server: &Server, ended: u64) -> usize {
    until("the end of the call in the counters", || {
        (server.metrics().sum("rexian_calls_total") == ended).then_some(())
    });
    let answered = server.metrics().sum("rexian_calls_answered_total") as usize;
    until("the tickets of the answered calls", || (server.tickets().len() >= answered).then_some(()));
    server.tickets().len()
}

/// How the only call ended, by the gateway's own account.
fn cause(server: &Server) -> String {
    let by_cause = server.metrics().by("rexian_calls_total", "cause");
    let mut happened = by_cause.into_iter().filter(|(_, n)| *n > 0);
    let (cause, n) = happened.next().expect("a call has ended");
    assert_eq!((n, happened.next()), (1, None), "one call was made");
    cause
}

const BROWSER_TONE: f32 = 1_700.0;

/// A seat's phone on a page, registered and signed in.
fn softphone(library: Library) -> Option<(Server, Softphone)> {
    let found = library.found()?;
    let place = Place::new();
    let web = vec![place.origin()];
    let server = Hotline { tls: Some(Pki::new()), browsers: true, web, ..Hotline::new() }.start();
    let phone = Softphone::start(&server.hotline, place, found, 1, BROWSER_TONE);
    phone.wait_told("registered", 1);
    phone.order("dial *11");
    phone.wait_told("confirmed", 1);
    phone.wait_told("ended", 1);
    until("an agent who is ready", || {
        (server.metrics().by("rexian_agents", "state").get("ready") == Some(&1)).then_some(())
    });
    Some((server, phone))
}

/// A caller comes in, both hear each other, the agent holds, and the caller hangs up.
fn caller_and_softphone(library: Library) {
    let Some((server, phone)) = softphone(library) else { return };
    let mut street = Street::new(&server.hotline);
    let call = street.call();
    street.run_until("the caller's tone in the browser", |_| phone.hears_tone(CALLER_TONE));
    assert!(phone.told("call").iter().any(|call| call["from"] == "+8613812345678"), "{:?}", phone.told("call"));
    street.field.listen_at_call(call, BROWSER_TONE);
    street.run_until("the browser's tone at the caller", |f| f.heard_by_call(call).tone);

    phone.order("hold");
    phone.forget();
    street.run_until("silence in the browser that holds", |_| phone.hears_nothing());
    street.field.listen_at_call(call, BROWSER_TONE);
    let before = street.field.heard_by_call(call).packets;
    street.run_until("a second of music at the caller", |f| {
        f.heard_by_call(call).packets.received > before.received + 50
    });
    assert!(!street.field.heard_by_call(call).tone, "the caller hears who holds them");
    phone.order("unhold");
    street.run_until("the caller's tone again", |_| phone.hears_tone(CALLER_TONE));
    street.field.listen_at_call(call, BROWSER_TONE);
    street.run_until("the browser's tone again", |f| f.heard_by_call(call).tone);

    street.field.at_call(call, |c, now| c.hang_up(now));
    phone.wait_told("ended", 2);
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "caller_hangup"));
    phone.order("stop");
    until("no seat registered", || (server.metrics().sum("rexian_seats_registered") == 0).then_some(()));
}

/// What a desk phone's user may do, done with JsSIP.
#[test]
fn jssip_calls_a_colleague_moves_and_passes_a_caller_on() {
    let Some((server, phone)) = softphone(Library::JsSip) else { return };
    let mut street = Street::new(&server.hotline);
    let desk = street.sign_in(server.hotline.seat_address(2), 2, answers());

    // A colleague at a desk phone, dialled; the desk hangs up.
    phone.order("dial 8002");
    street.wait_answered(Who::Phone(desk));
    street.field.listen_at_phone(desk, BROWSER_TONE);
    street.run_until("the browser's tone at the colleague", |f| f.hears_at_phone(desk).tone);
    street.run_until("the colleague's tone in the browser", |_| phone.hears_tone(SEAT_TONE));
    street.field.at_phone(desk, |p, now| p.hang_up(now));
    phone.wait_told("ended", 2);

    // The colleague takes a break, so that the caller comes to the browser.
    street.dial(desk, "*14");
    let call = street.call();
    street.run_until("the caller's tone in the browser", |_| phone.hears_tone(CALLER_TONE));
    street.field.listen_at_call(call, BROWSER_TONE);
    street.run_until("the browser's tone at the caller", |f| f.heard_by_call(call).tone);

    // Its network changes: new names, new addresses, and the talk goes on.
    phone.order("restart");
    street.run(Duration::from_secs(1));
    phone.forget();
    street.run_until("the caller's tone after the restart", |_| phone.hears_tone(CALLER_TONE));
    street.field.listen_at_call(call, BROWSER_TONE);
    street.run_until("the browser's tone after the restart", |f| f.heard_by_call(call).tone);

    // Its WebSocket breaks. The audio goes on, and so does the call by the next one.
    phone.order("drop");
    phone.wait_told("disconnected", 1);
    phone.wait_told("registered", 2);
    phone.forget();
    street.run_until("the caller's tone by the next connection", |_| phone.hears_tone(CALLER_TONE));
    street.field.listen_at_call(call, BROWSER_TONE);
    street.run_until("the browser's tone by the next connection", |f| f.heard_by_call(call).tone);

    // The transfer key: the caller goes to the colleague, and the browser is free.
    phone.order("refer 8002");
    street.wait_answered(Who::Phone(desk));
    street.field.listen_at_phone(desk, CALLER_TONE);
    street.run_until("the caller's tone at the colleague", |f| f.hears_at_phone(desk).tone);
    phone.order("hangup");
    phone.wait_told("ended", 3);
    street.field.at_phone(desk, |p, now| p.hang_up(now));
    until("the end of the call", || (server.metrics().sum("rexian_calls_total") == 1).then_some(()));
}

#[test]
fn jssip_in_a_browser_talks_holds_and_is_hung_up() {
    caller_and_softphone(Library::JsSip);
}

#[test]
fn sip_js_in_a_browser_talks_holds_and_is_hung_up() {
    caller_and_softphone(Library::SipJs);
}

#[test]
fn sipp_carrier_is_heard_at_the_seat_and_hangs_up() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let carrier = Setup::carrier(&server.hotline, server.hotline.carrier, "carrier_hangs_up").start();
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    assert!(street.field.heard_by_phone(phone).tone, "the seat heard the carrier's tone");
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "caller_hangup"));
}

#[test]
fn sipp_citizen_who_chose_it_is_called_back_once_an_agent_is_there() {
    if !has("sipp") {
        return;
    }
    let server = Hotline { calls_back: &[5062], ..Hotline::new() }.start();
    let carrier = server.hotline.carrier;
    // Nobody is signed in: after a second's wait the callback is offered, and taken.
    Setup::carrier(&server.hotline, carrier, "carrier_takes_callback").start().finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (0, "callback_taken"));

    let citizen = Setup { port: 5062, ..Setup::carrier(&server.hotline, carrier, "citizen_answers") }.listen();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the citizen's tone at the seat", |f| f.hears_at_phone(phone).tone);
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    citizen.finish();
    until("the ticket of the call back", || (server.tickets().len() == 1).then_some(()));
}

/// The carrier's first core is switched off.
#[test]
fn sipp_citizen_is_reached_by_the_second_hop() {
    if !has("sipp") {
        return;
    }
    let server = Hotline { calls_back: &[5061, 5062], ..Hotline::new() }.start();
    let carrier = server.hotline.carrier;
    Setup::carrier(&server.hotline, carrier, "carrier_takes_callback").start().finish();
    let citizen = Setup { port: 5062, ..Setup::carrier(&server.hotline, carrier, "citizen_answers") }.listen();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the citizen's tone at the seat", |f| f.hears_at_phone(phone).tone);
    until("the dead hop in the metrics", || {
        (server.metrics().by("rexian_trunk_hops", "state").get("resting") == Some(&1)).then_some(())
    });
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    citizen.finish();
    until("the ticket of the call back", || (server.tickets().len() == 1).then_some(()));
}

/// It is killed in the middle of a conversation: the agent hangs up into the void, and the next citizen is reached all
/// the same.
#[test]
fn sipp_hop_is_killed_in_mid_call() {
    if !has("sipp") {
        return;
    }
    let server = Hotline { calls_back: &[5061, 5062], ..Hotline::new() }.start();
    let carrier = server.hotline.carrier;
    for (n, cli) in [(1, "05318201001"), (2, "05328201001")] {
        Setup { cli, ..Setup::carrier(&server.hotline, carrier, "carrier_takes_callback") }.start().finish();
        assert_eq!(tickets_after(&server, n), 0);
    }
    let citizen = |port| Setup { port, ..Setup::carrier(&server.hotline, carrier, "citizen_answers") }.listen();
    let (first, second) = (citizen(5061), citizen(5062));
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the first citizen's tone at the seat", |f| f.hears_at_phone(phone).tone);
    drop(first);
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the second citizen's tone at the seat", |f| f.hears_at_phone(phone).tone);
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    second.finish();
    until("the tickets of both", || (server.tickets().len() == 2).then_some(()));
}

/// Kamailio registers us as its subscriber, leads its calls to where we are, and wants every request of ours proved.
#[test]
fn kamailio_has_us_as_its_subscriber_both_ways() {
    if !has("sipp") || !has(kamailio::PROGRAM) {
        return;
    }
    let hotline = Hotline { calls_back: &[5060], account: Some([ims::USER, ims::PASSWORD]), ..Hotline::new() };
    let (proxy, outside) = (SocketAddr::new(hotline.carrier, 5060), hotline.early);
    let carrier = ims::Ims::start(&hotline, SocketAddr::new(outside, 5062));
    let mut server = hotline.start();
    until("the registration", || (carrier.seen("REGISTER of 053112345") == 1).then_some(()));

    // Nobody is signed in: the caller comes by the registration, takes the callback by key, and is hung up.
    let caller = Setup {
        remote: proxy,
        service: ims::USER,
        ..Setup::carrier(&server.hotline, outside, "carrier_takes_callback")
    };
    caller.start().finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (0, "callback_taken"));
    assert_eq!(carrier.seen("BYE proved by 053112345"), 1);

    // The call back goes out by it, and is hung up by the agent.
    let citizen = Setup { port: 5062, ..Setup::carrier(&server.hotline, outside, "citizen_answers") }.listen();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the citizen's tone at the seat", |f| f.hears_at_phone(phone).tone);
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    citizen.finish();
    until("the ticket of the call back", || (server.tickets().len() == 1).then_some(()));
    assert_eq!(carrier.seen("INVITE proved by 053112345"), 1, "{}", carrier.log());
    assert_eq!(carrier.seen("BYE proved by 053112345"), 2);

    server.terminate();
    assert!(server.wait_exit().success());
    assert_eq!(carrier.seen("REGISTER of 053112345 for 0 s"), 1, "told at a clean stop: {}", carrier.log());
}

#[test]
fn sipp_carrier_is_hung_up_by_the_seat() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let carrier = Setup::carrier(&server.hotline, server.hotline.carrier, "carrier_is_hung_up").start();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(500));
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "agent_hangup"));
}

#[test]
fn sipp_carrier_gets_early_media_and_the_answer_only_at_pickup() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    // Nobody is signed in: the carrier waits in early media until somebody is.
    let carrier = Setup::carrier(&server.hotline, server.hotline.early, "carrier_early_media").start();
    until("the call in the queue", || (server.metrics().sum("rexian_calls_offered_total") == 1).then_some(()));
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the carrier's tone at the seat", |f| f.hears_at_phone(phone).tone);
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "agent_hangup"));
}

#[test]
fn sipp_carrier_acknowledges_early_media_and_updates_it() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    let carrier = Setup::carrier(&server.hotline, server.hotline.early, "carrier_pracks").start();
    // Sent, and answered: only then somebody signs in to take the call.
    until("the carrier's UPDATE", || (carrier.seen("CSeq: 3 UPDATE") == 2).then_some(()));
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the carrier's tone at the seat", |f| f.hears_at_phone(phone).tone);
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "agent_hangup"));
}

#[test]
fn sipp_carrier_agrees_on_a_session_timer_and_refreshes() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let carrier = Setup::carrier(&server.hotline, server.hotline.carrier, "carrier_keeps_time").start();
    street.wait_answered(Who::Phone(phone));
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "caller_hangup"));
}

#[test]
fn sipp_carrier_cancels_while_its_caller_waits() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    Setup::carrier(&server.hotline, server.hotline.early, "carrier_cancels").start().finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (0, "short_abandon"));
}

#[test]
fn sipp_seat_registers_signs_in_and_answers_with_audio_both_ways() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    sipp::sign_in(&server.hotline, 1);
    let seat = Setup::seat(&server.hotline, 1, "seat_answers").listen();
    let mut street = Street::new(&server.hotline);
    let call = street.call();
    street.wait_answered(Who::Call(call));
    // SIPp echoes: the caller hears its own tone, having gone through the gateway twice.
    street.field.listen_at_call(call, CALLER_TONE);
    street.run_until("the caller's own tone back from the seat", |f| f.heard_by_call(call).tone);
    street.field.at_call(call, |c, now| c.hang_up(now));
    seat.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "caller_hangup"));
}

#[test]
fn a_busy_sipp_seat_is_passed_over_and_the_caller_keeps_the_place() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    sipp::sign_in(&server.hotline, 1);
    let busy = Setup::seat(&server.hotline, 1, "seat_busy").listen();
    let mut street = Street::new(&server.hotline);
    // Longest idle first: seat 8001 is asked before this one.
    let phone = street.sign_in(server.hotline.seat_address(2), 2, answers());
    let call = street.call();
    busy.finish();
    street.wait_answered(Who::Phone(phone));
    street.field.join(call, CALLER_TONE, phone, SEAT_TONE);
    street.run_until("both tones", |f| f.heard_by_call(call).tone && f.hears_at_phone(phone).tone);
    street.field.at_call(call, |c, now| c.hang_up(now));
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    assert_eq!(tickets_after(&server, 1), 1);
}

#[test]
fn a_sipp_seat_that_rings_out_is_cancelled_and_the_next_gets_the_call() {
    if !has("sipp") {
        return;
    }
    let server = Hotline { ring_timeout: "1s", ..Hotline::new() }.start();
    sipp::sign_in(&server.hotline, 1);
    let silent = Setup::seat(&server.hotline, 1, "seat_rings_out").listen();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(2), 2, answers());
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    silent.finish();
    // The agent who did not answer is not asked again: the next call goes to the other, though idle for less long.
    street.field.at_call(call, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    let next = street.call();
    street.wait_answered(Who::Phone(phone));
    street.field.at_call(next, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    assert_eq!(tickets_after(&server, 2), 2);
}

#[test]
fn a_sipp_seat_holds_resumes_and_hangs_up() {
    if !has("sipp") {
        return;
    }
    let server = Hotline::new().start();
    sipp::sign_in(&server.hotline, 1);
    let seat = Setup::seat(&server.hotline, 1, "seat_holds").listen();
    let mut street = Street::new(&server.hotline);
    let call = street.call();
    street.wait_answered(Who::Call(call));
    street.field.listen_at_call(call, CALLER_TONE);
    assert_eq!(street.wait_ended(Who::Call(call)), Ending::PeerHungUp);
    assert!(street.field.heard_by_call(call).tone, "the caller heard the seat");
    seat.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "agent_hangup"));
}

#[test]
fn baresip_seat_hears_the_caller_and_is_heard() {
    if has("baresip") {
        baresip_answers("udp", "never");
    }
}

#[test]
fn baresip_seat_over_tcp_hears_the_caller_and_is_heard() {
    if has("baresip") {
        baresip_answers("tcp", "never");
    }
}

#[test]
fn baresip_seat_over_tls_checks_our_certificate_hears_the_caller_and_is_heard() {
    if has("baresip") {
        baresip_answers("tls", "never");
    }
}

#[test]
fn baresip_seat_that_encrypts_its_audio_hears_the_caller_and_is_heard() {
    if has("baresip") {
        baresip_answers("udp", "required");
    }
}

#[test]
fn baresip_seat_that_encrypts_everything_hears_the_caller_and_is_heard() {
    if has("baresip") {
        baresip_answers("tls", "required");
    }
}

/// `srtp`: the seat's setting; the phone then insists on it too.
fn baresip_answers(transport: &str, srtp: &'static str) {
    let tls = (transport == "tls").then(Pki::new);
    let server = Hotline { tls, srtp, ..Hotline::new() }.start();
    let seat = Baresip::start(&server.hotline, 1, transport);
    seat.dial("*11");
    let mut street = Street::new(&server.hotline);
    for (call_no, seat_ends) in [(1, true), (2, false)] {
        let call = street.call();
        street.wait_answered(Who::Call(call));
        street.field.listen_at_call(call, baresip::TONE);
        street.run_until("baresip's tone at the caller", |f| f.heard_by_call(call).tone);
        street.run_until("the caller's tone in baresip's recording", |_| seat.heard(CALLER_TONE));
        assert!(!seat.heard(CALLER_TONE + 60.0), "a tone nobody sings is not there");
        if seat_ends {
            seat.hang_up();
        } else {
            street.field.at_call(call, |c, now| c.hang_up(now));
        }
        let how = street.wait_ended(Who::Call(call));
        assert_eq!(how, if seat_ends { Ending::PeerHungUp } else { Ending::HungUp });
        assert_eq!(tickets_after(&server, call_no), call_no as usize);
    }
}

/// By its own `transfer`, which holds the call and sends REFER; baresip 1.0 knows no attended one.
#[test]
fn baresip_passes_the_caller_on_to_another() {
    if has("baresip") {
        baresip_transfers("udp", "8002");
        baresip_transfers("tcp", "8002");
    }
}

/// It takes a refusal for the end of the call, and hangs up: then the citizen is in line again.
#[test]
fn baresip_may_not_pass_the_caller_on_abroad_and_hangs_up() {
    if has("baresip") {
        baresip_transfers("udp", "0081312345678");
    }
}

/// Either way the caller is with the second seat in the end.
fn baresip_transfers(transport: &str, to: &str) {
    let server = Hotline::new().start();
    let [first, second] = [1, 2].map(|n| Baresip::start(&server.hotline, n, transport));
    first.dial("*11");
    let mut street = Street::new(&server.hotline);
    let call = street.call();
    street.wait_answered(Who::Call(call));
    street.field.listen_at_call(call, baresip::TONE);
    street.run_until("baresip's tone at the caller", |f| f.heard_by_call(call).tone);
    second.dial("*11");
    first.transfer(to);
    street.run_until("the caller's tone in the second's recording", |_| second.heard(CALLER_TONE));
    let taken_over = || server.metrics().sum("rexian_transfers_taken_over_total");
    until("the second agent in the counters", || (taken_over() == 1).then_some(()));
    street.field.at_call(call, |c, now| c.hang_up(now));
    assert_eq!(street.wait_ended(Who::Call(call)), Ending::HungUp);
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "caller_hangup"));
}

#[test]
fn a_caller_giving_up_stops_the_sipp_seats_ringing() {
    if !has("sipp") {
        return;
    }
    // A seat that would ring for long: the caller's CANCEL must reach it.
    let server = Hotline::new().start();
    sipp::sign_in(&server.hotline, 1);
    let seat = Setup::seat(&server.hotline, 1, "seat_rings_out").listen();
    let mut street = Street::new(&server.hotline);
    let call = street.call_early();
    street.wait_for("early media", |who, f| who == Who::Call(call) && matches!(f, UaFact::EarlyMedia(_)));
    street.run(Duration::from_millis(500));
    street.field.at_call(call, |c, now| c.hang_up(now));
    assert_eq!(street.wait_ended(Who::Call(call)), Ending::Cancelled);
    seat.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (0, "short_abandon"));
}

#[test]
fn kamailio_in_front_stays_in_the_route_of_requests_both_ways() {
    if !has("sipp") || !has(kamailio::PROGRAM) {
        return;
    }
    let server = Hotline::new().start();
    let hotline = &server.hotline;
    let proxy = Kamailio::start(hotline, &[format!("sip:{}", hotline.sip())]);
    let mut street = Street::new(hotline);
    let phone = street.sign_in(hotline.seat_address(1), 1, answers());
    let carrier = behind(&proxy, hotline, "carrier_refreshes").start();
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the carrier's tone at the seat", |f| f.hears_at_phone(phone).tone);
    until("their re-INVITE", || (carrier.seen("CSeq: 2 INVITE") >= 2).then_some(()));
    // Half the agreed 90 s after their re-INVITE it is our turn.
    for _ in 0..60 {
        if carrier.seen("CSeq: 1 ACK") >= 2 {
            break;
        }
        street.run(Duration::from_secs(1));
    }
    street.run(Duration::from_millis(300));
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "agent_hangup"));
    // Through the proxy each: their ACK, re-INVITE and its ACK, our re-INVITE, its ACK and BYE; two INVITEs more.
    for (method, times) in [("INVITE", 3), ("ACK", 3), ("BYE", 1)] {
        let seen = proxy.connections(&format!("request {method}")).len();
        assert!(seen >= times, "{method} passed the proxy {seen} times, not {times}");
    }
}

#[test]
fn kamailio_over_tls_gets_our_bye_by_a_new_connection_once_its_own_is_gone() {
    if !has("sipp") || !has(kamailio::PROGRAM) {
        return;
    }
    let server = Hotline { tls: Some(Pki::new()), ..Hotline::new() }.start();
    let hotline = &server.hotline;
    let proxy = Kamailio::start(hotline, &[format!("sip:{};transport=tls", hotline.sips())]);
    let mut street = Street::new(hotline);
    let phone = street.sign_in(hotline.seat_address(1), 1, answers());
    let carrier = behind(&proxy, hotline, "carrier_is_hung_up").start();
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    street.run_until("the carrier's tone at the seat", |f| f.hears_at_phone(phone).tone);
    street.run_until("the proxy closes what has been idle for 3 s", |_| !is_connected(hotline.sips()));
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "agent_hangup"));
    let (answers, byes) = (proxy.connections("reply INVITE"), proxy.connections("request BYE"));
    assert_eq!(byes.len(), 1);
    assert!(!answers.is_empty() && !answers.contains(&byes[0]), "answered by {answers:?}, hung up by {byes:?}");
}

#[test]
fn kamailio_goes_on_to_us_when_another_gateway_is_dead() {
    if !has("sipp") || !has(kamailio::PROGRAM) {
        return;
    }
    let server = Hotline::new().start();
    let hotline = &server.hotline;
    let dead = format!("sip:{}:5060", hotline.seat_address(40));
    let proxy = Kamailio::start(hotline, &[dead, format!("sip:{}", hotline.sip())]);
    let mut street = Street::new(hotline);
    let phone = street.sign_in(hotline.seat_address(1), 1, answers());
    let carrier = behind(&proxy, hotline, "carrier_hangs_up").start();
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    assert!(street.field.heard_by_phone(phone).tone, "the seat heard the carrier's tone");
    carrier.finish();
    assert_eq!((tickets_after(&server, 1), cause(&server).as_str()), (1, "caller_hangup"));
}

/// Has this listener a connection, by the kernel's account?
fn is_connected(listener: SocketAddr) -> bool {
    let IpAddr::V4(ip) = listener.ip() else { panic!("an IPv4 listener, for /proc/net/tcp") };
    let local = format!("{:08X}:{:04X} ", u32::from_le_bytes(ip.octets()), listener.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("reading /proc/net/tcp");
    // sl local remote state: 01 is ESTABLISHED.
    table.lines().any(|l| l.contains(&format!(": {local}")) && l.split_whitespace().nth(3) == Some("01"))
}

/// A carrier's switch that knows only the proxy.
fn behind<'a>(proxy: &Kamailio, hotline: &'a Hotline, scenario: &'static str) -> Setup<'a> {
    let (ip, remote) = (hotline.seat_address(50), proxy.address(hotline));
    Setup { remote, ..Setup::carrier(hotline, ip, scenario) }
}

/// All on one address, so ports of this run's and this test's own; `None`, loudly, without IPv6.
fn on_ipv6(test: u16) -> Option<Hotline> {
    let here = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if UdpSocket::bind((here, 0)).is_err() {
        eprintln!("SKIPPED: this machine has no IPv6 loopback");
        return None;
    }
    let base = 40_000 + (std::process::id() % 900) as u16 * 16 + test * 8;
    Some(Hotline { gateway: here, carrier: here, early: here, sip_port: base, http_port: base + 2, ..Hotline::new() })
}

#[test]
fn sipp_carrier_and_seat_over_ipv6() {
    let (true, Some(hotline)) = (has("sipp"), on_ipv6(0)) else { return };
    let (here, base) = (hotline.gateway, hotline.sip_port);
    let server = hotline.start();
    // A phone hears the tone and signs out again; then SIPp on both sides.
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(here, 2, answers());
    let carrier = Setup { port: base + 6, ..Setup::carrier(&server.hotline, here, "carrier_hangs_up") }.start();
    street.wait_answered(Who::Phone(phone));
    street.field.listen_at_phone(phone, sipp::TONE);
    assert_eq!(street.wait_ended(Who::Phone(phone)), Ending::PeerHungUp);
    assert!(street.field.heard_by_phone(phone).tone, "the seat heard the carrier's tone");
    carrier.finish();
    street.dial(phone, "*12");
    let at = |setup: Setup<'_>, port: u16| Setup { port: base + port, ..setup }.start();
    at(Setup::seat(&server.hotline, 1, "seat_registers"), 2).finish();
    at(Setup::seat(&server.hotline, 1, "seat_dials"), 2).finish();
    let seat = Setup { port: base + 2, ..Setup::seat(&server.hotline, 1, "seat_answers") }.listen();
    let carrier = at(Setup::carrier(&server.hotline, here, "carrier_hangs_up"), 4);
    carrier.finish();
    seat.finish();
    assert_eq!(tickets_after(&server, 2), 2);
}
