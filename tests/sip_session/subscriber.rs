//! Calls as a carrier's subscriber: challenges of the far end and of proxies before it, by 401 and 407, to any request of
//! ours (RFC 3261 s22.2, s22.3), and the route a carrier gave us (RFC 3608).

use crate::support::*;
use rexian::config::settings::Secret;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use rexian::sip::digest::client::Login;
use rexian::sip::digest::{Algorithm, Claim, response as proof};
use rexian::sip::session::Subscriber;
use std::time::Duration;

const PASSWORD: &str = "mT4vQz7Lk2";

fn subscriber() -> Subscriber {
    Subscriber {
        login: Login::new("+8653112345@sd.ctcims.cn", Secret(PASSWORD.into())),
        user: "+8653112345".into(),
        route: vec![b"<sip:10.0.0.2;lr>".to_vec(), b"<sip:orig@scscf;lr>".to_vec()],
    }
}

fn challenge(header: &str, realm: &str, nonce: &str) -> String {
    format!("{header}: Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"\r\n")
}

fn by_proxy(request: &str, nonce: &str) -> String {
    response(request, 407, "proxy", &challenge("Proxy-Authenticate", "p", nonce), "")
}

/// The proof a request brings, checked: `realm nonce nc`; empty if it brings none.
fn proved(request: &str, header: &str) -> String {
    let Some(line) = value(request, header) else { return String::new() };
    let part = |name: &str| {
        let after = line.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{name} in {line}")).1;
        after.trim_start_matches('"').split(['"', ',']).next().unwrap().to_owned()
    };
    let first = first_line(request);
    let (method, uri) = (first.split(' ').next().unwrap(), first.split(' ').nth(1).unwrap());
    // An ACK repeats what its INVITE proved (s22.1).
    let method = if method == "ACK" { "INVITE" } else { method };
    let [username, realm, nonce, nc, cnonce] = ["username", "realm", "nonce", "nc", "cnonce"].map(part);
    let claim = Claim {
        username: username.as_bytes(),
        realm: realm.as_bytes(),
        method: method.as_bytes(),
        uri: if first.starts_with("ACK") { part("uri").into_bytes().leak() } else { uri.as_bytes() },
        nonce: nonce.as_bytes(),
        qop: Some((nc.as_bytes(), cnonce.as_bytes(), b"auth")),
    };
    assert_eq!(username, "+8653112345@sd.ctcims.cn");
    assert_eq!(part("response"), proof(Algorithm::Md5, &claim, PASSWORD), "{line}");
    format!("{realm} {nonce} {}", nc.trim_start_matches('0'))
}

fn cseq(text: &str) -> String {
    value(text, "CSeq").unwrap()
}

fn routes(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("Route: ")).collect()
}

/// ACKs of refusals, which the transaction sends, left out.
fn news(world: &mut World) -> Vec<String> {
    world.news().into_iter().filter(|text| !first_line(text).starts_with("ACK")).collect()
}

fn one(world: &mut World) -> String {
    let mut news = news(world);
    assert_eq!(news.len(), 1, "one message was due: {news:#?}");
    news.remove(0)
}

/// Answered by the far end, after a challenge of its proxy; returns the proved INVITE.
fn connected(process: Process) -> (World, String) {
    let (mut world, invite) = World::calling_as(process, subscriber());
    world.hear(&by_proxy(&invite, "1"));
    let invite = one(&mut world);
    let record =
        "Record-Route: <sip:10.0.0.2:5060;lr>\r\nAllow: INVITE, BYE, UPDATE\r\nSession-Expires: 1800;refresher=uac\r\n";
    world.hear(&response(&invite, 200, PEER, record, &sdp(7000)));
    world.tell(LegCommand::Acknowledge);
    world.events();
    (world, invite)
}

#[test]
fn an_invite_is_proved_to_each_who_asks_and_its_ack_says_the_same() {
    in_both(|process| {
        let (mut world, first) = World::calling_as(process, subscriber());
        assert_eq!(routes(&first), ["<sip:10.0.0.2;lr>", "<sip:orig@scscf;lr>"]);
        assert_eq!(value(&first, "Contact").unwrap(), format!("<sip:+8653112345@{OURS}>"));
        assert_eq!((proved(&first, "Proxy-Authorization"), proved(&first, "Authorization")), ("".into(), "".into()));
        // A proxy rings somewhere before another asks: that dialog is no more.
        world.hear(&response(&first, 183, "early", "", ""));
        world.hear(&by_proxy(&first, "1"));
        let second = one(&mut world);
        assert_eq!((cseq(&second), proved(&second, "Proxy-Authorization")), ("2 INVITE".into(), "p 1 1".into()));
        assert_eq!(value(&second, "To").unwrap(), "<sip:8001@rexian.local>", "a new call to it");
        assert_ne!(value(&second, "Via"), value(&first, "Via"));
        for same in ["Call-ID", "From", "Session-Expires", "X-Rexian-Call", "Contact"] {
            assert_eq!(value(&second, same), value(&first, same));
        }
        assert_eq!((body(&second), routes(&second)), (body(&first), routes(&first)));
        world.hear(&response(&second, 401, "far", &challenge("WWW-Authenticate", "far", "2"), ""));
        let third = one(&mut world);
        assert_eq!(proved(&third, "Proxy-Authorization"), "p 1 2", "the nonce is used again");
        assert_eq!(proved(&third, "Authorization"), "far 2 1");
        world.hear(&response(&third, 180, PEER, "", ""));
        world.hear(&response(&third, 200, PEER, "", &sdp(7000)));
        assert!(world.events().iter().any(|e| matches!(e, LegEvent::Answered { .. })));
        world.tell(LegCommand::Acknowledge);
        let acks = world.news();
        let ack = acks.last().unwrap();
        assert_eq!((cseq(ack), proved(ack, "Proxy-Authorization")), ("3 ACK".into(), "p 1 2".into()));
        assert_eq!(proved(ack, "Authorization"), "far 2 1");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = one(&mut world);
        assert_eq!((cseq(&bye), proved(&bye, "Proxy-Authorization")), ("4 BYE".into(), "p 1 3".into()));
        world.hear(&response(&bye, 200, PEER, "", ""));
        world.ends_clean()
    });
}

#[test]
fn every_request_in_the_call_is_proved_when_asked() {
    in_both(|process| {
        let (mut world, _) = connected(process);
        world.news();
        // The refresh, half an hour's half later: the nonce is too old by then.
        world.run(Duration::from_secs(900));
        let update = one(&mut world);
        assert_eq!(
            (first_line(&update), routes(&update)),
            (format!("UPDATE sip:8001@{THEIRS} SIP/2.0"), vec!["<sip:10.0.0.2:5060;lr>"])
        );
        assert_eq!(proved(&update, "Proxy-Authorization"), "p 1 2");
        world.hear(&by_proxy(&update, "2"));
        let again = one(&mut world);
        assert_eq!(proved(&again, "Proxy-Authorization"), "p 2 1");
        assert!(is_request(&again, "UPDATE") && cseq(&again) != cseq(&update));
        world.hear(&response(&again, 200, PEER, "Session-Expires: 1800;refresher=uac\r\n", ""));
        // By re-INVITE, where UPDATE is not known any more.
        world.run(Duration::from_secs(900));
        let update = one(&mut world);
        world.hear(&response(&update, 405, PEER, "", ""));
        let reinvite = one(&mut world);
        assert_eq!(proved(&reinvite, "Proxy-Authorization"), "p 2 3");
        world.hear(&by_proxy(&reinvite, "3"));
        let again = one(&mut world);
        assert!(value(&again, "To").unwrap().ends_with(";tag=peer"), "in the dialog: {again}");
        world.hear(&response(&again, 200, PEER, "Session-Expires: 1800;refresher=uac\r\n", &sdp(7000)));
        let ack = world.news().pop().unwrap();
        assert_eq!(
            (first_line(&ack), proved(&ack, "Proxy-Authorization")),
            (format!("ACK sip:8001@{THEIRS} SIP/2.0"), "p 3 1".into())
        );
        assert_eq!(world.events(), [], "the call went on all the while");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = one(&mut world);
        world.hear(&by_proxy(&bye, "4"));
        let again = one(&mut world);
        assert_eq!(proved(&again, "Proxy-Authorization"), "p 4 1");
        assert!(!world.is_over(), "the BYE is under way");
        world.hear(&response(&again, 200, PEER, "", ""));
        assert!(world.is_over());
        world.ends_clean()
    });
}

#[test]
fn an_acknowledgement_of_a_provisional_response_is_proved_too() {
    in_both(|process| {
        let (mut world, invite) = World::calling_as(process, subscriber());
        world.hear(&by_proxy(&invite, "1"));
        let invite = one(&mut world);
        world.hear(&response(&invite, 183, PEER, "Require: 100rel\r\nRSeq: 5\r\n", &sdp(7000)));
        let prack = one(&mut world);
        world.hear(&by_proxy(&prack, "2"));
        let again = one(&mut world);
        assert_eq!(proved(&again, "Proxy-Authorization"), "p 2 1");
        assert_eq!(value(&again, "RAck").unwrap(), "5 2 INVITE", "the number of the INVITE that was taken");
        world.hear(&response(&again, 200, PEER, "", ""));
        world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
        world.tell(LegCommand::Acknowledge);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
}

#[test]
fn a_wrong_password_ends_the_call_after_one_try() {
    let (mut world, invite) = World::calling_as(Process::Steady, subscriber());
    world.hear(&by_proxy(&invite, "1"));
    let second = one(&mut world);
    world.hear(&by_proxy(&second, "2"));
    assert_eq!(news(&mut world), [""; 0]);
    assert!(matches!(world.events()[..], [LegEvent::Cause { .. }, LegEvent::Ended(LegEnd::Fault)]));
    world.ends_clean();
}

#[test]
fn who_hangs_up_while_being_challenged_is_gone() {
    let (mut world, invite) = World::calling_as(Process::Steady, subscriber());
    world.hear(&response(&invite, 100, PEER, "", ""));
    world.tell(LegCommand::Hangup(HangupReason::Normal));
    assert!(is_request(&one(&mut world), "CANCEL"));
    world.hear(&by_proxy(&invite, "1"));
    assert_eq!(news(&mut world), [""; 0], "no second INVITE");
    assert!(matches!(world.events()[..], [LegEvent::Ended(LegEnd::Released)]));
    world.ends_clean();
}

/// Challenged twice for the timer: both the 422 and the 407 are answered in one INVITE.
#[test]
fn a_longer_session_interval_is_asked_for_with_proof() {
    let (mut world, invite) = World::calling_as(Process::Steady, subscriber());
    world.hear(&by_proxy(&invite, "1"));
    let second = one(&mut world);
    world.hear(&response(&second, 422, PEER, "Min-SE: 3600\r\n", ""));
    let third = one(&mut world);
    assert_eq!(value(&third, "Session-Expires").unwrap(), "3600;refresher=uac");
    assert_eq!((cseq(&third), proved(&third, "Proxy-Authorization")), ("3 INVITE".into(), "p 1 2".into()));
    assert_eq!(routes(&third), routes(&invite));
    world.tell(LegCommand::Hangup(HangupReason::Normal));
    world.ends_clean();
}

/// A call that came in by the registration: the carrier's proxy asks for our BYE's proof.
#[test]
fn our_bye_to_a_carrier_that_called_is_proved() {
    let mut world = World::called(Process::Steady, Default::default(), &invite("", &sdp(7000)));
    world.session.as_mut().unwrap().sign_as(Subscriber { route: vec![], ..subscriber() });
    world.tell(LegCommand::Answer);
    let ok = world.news().pop().unwrap();
    assert_eq!(value(&ok, "Contact").unwrap(), format!("<sip:+8653112345@{OURS}>"), "as registered");
    world.hear(&ack(1, ""));
    world.tell(LegCommand::Hangup(HangupReason::Normal));
    let bye = one(&mut world);
    assert_eq!(routes(&bye), [""; 0]);
    world.hear(&by_proxy(&bye, "1"));
    let again = one(&mut world);
    assert_eq!((cseq(&again), proved(&again, "Proxy-Authorization")), ("2 BYE".into(), "p 1 1".into()));
    world.hear(&response(&again, 200, PEER, "", ""));
    world.ends_clean();
}
