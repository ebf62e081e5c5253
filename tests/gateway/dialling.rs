//! What a phone dials: colleagues, numbers of its dial plan, help; and what becomes of the agent meanwhile.

use crate::world::{OUTSIDE, PATH, World};
use rexian::config::settings::{CallOut, Cidr, CoreSettings, DialForm, DialPlan, Reach, Srtp};
use rexian::event::AgentState;
use rexian::gateway::Input;
use rexian::sim::ua::{Plan, Reaction, UaFact};
use rexian::sip::flow::Flow;
use std::time::Duration;

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Calls go out by the one trunk; the first two seats may call mobile phones.
pub fn outward(core: &mut CoreSettings) {
    core.trunks[0].call_out = Some(CallOut { from: "053112345".into(), dial: DialForm::Local });
    core.trunks[0].hops = vec![OUTSIDE.parse::<std::net::SocketAddr>().unwrap().into()];
    core.dialling.trunk = Some(core.trunks[0].name.clone());
    let may_call = vec![Reach::Seats, Reach::Mobile, Reach::Hotlines];
    core.dialling.plans = vec![DialPlan { name: "desk".into(), may_call, never: vec![] }];
    for seat in &mut core.seats[..2] {
        seat.dial_plan = Some("desk".into());
    }
    for queue in &mut core.queues {
        queue.wrap_up = Duration::ZERO;
    }
}

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7100 RTP/AVP 8 101\r\n\
                   a=rtpmap:101 telephone-event/8000\r\n";

/// The carrier's answer to a request of ours.
pub fn answer(request: &str, status: &str, extra: &str, sdp: bool) -> String {
    let echoed: String = request
        .split("\r\n")
        .filter(|l| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|h| l.starts_with(h)))
        .map(|l| match l.starts_with("To:") && !l.contains(";tag=") {
            true => format!("{l};tag=far\r\n"),
            false => format!("{l}\r\n"),
        })
        .collect();
    let (kind, body) = if sdp { ("Content-Type: application/sdp\r\n", SDP) } else { ("", "") };
    let length = body.len();
    format!(
        "SIP/2.0 {status}\r\n{echoed}Contact: <sip:{OUTSIDE}>\r\n{extra}{kind}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A request of the carrier's in the dialog of our INVITE.
pub fn in_dialog(invite: &str, method: &str, seq: u32) -> String {
    let line = |name: &str| invite.split("\r\n").find(|l| l.starts_with(name)).unwrap().to_owned();
    let (ours, theirs) = (line("From:").replacen("From:", "To:", 1), line("To:").replacen("To:", "From:", 1));
    format!(
        "{method} sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {OUTSIDE};branch=z9hG4bK{method}{seq};rport\r\n{ours}\r\n\
         {theirs};tag=far\r\n{}\r\nMax-Forwards: 70\r\nCSeq: {seq} {method}\r\nContent-Length: 0\r\n\r\n",
        line("Call-ID:")
    )
}

/// This phone dials and stays on the line that long after an answer.
pub fn dials(world: &mut World, phone: usize, number: &str, listens: u64) {
    let now = world.now;
    world.phones[phone].0.set_listens(seconds(listens));
    world.phones[phone].0.dial(now, number);
    world.run(Duration::from_millis(200));
}

/// How the last thing dialled went: `None` accepted, else the status.
fn refused(world: &World, phone: usize) -> Option<u16> {
    let told = world.phones[phone].2.iter().rev().find_map(|fact| match fact {
        UaFact::Dialled { refused, .. } => Some(*refused),
        _ => None,
    });
    told.expect("dialled and told").map(|status| status.expect("an answer"))
}

pub fn last<'a>(messages: &'a [String], method: &str) -> &'a String {
    let found = messages.iter().rev().find(|m| m.starts_with(method));
    found.unwrap_or_else(|| panic!("no {method} in {messages:#?}"))
}

#[test]
fn an_agent_calls_outside_hears_it_ring_and_talks() {
    let mut world = World::new(1, outward);
    world.facts.clear();
    dials(&mut world, 0, "13812345678", 20);
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:13812345678@127.0.0.1:7070"), "{invite}");
    assert!(invite.contains("From: <sip:053112345@"), "the hotline's number, not the seat's: {invite}");
    assert_eq!(world.state(0), AgentState::Engaged);
    world.outside_says(&answer(&invite, "183 Session Progress", "", true));
    assert_eq!(world.talking_legs(), 1, "the agent hears the carrier's ring-back");
    world.restart();
    world.run(seconds(5));
    world.outside_says(&answer(&invite, "200 OK", "", true));
    last(&world.outside, "ACK");
    assert_eq!(world.talking_legs(), 2);
    world.restart();
    world.run(seconds(19));
    assert_eq!((world.state(0), refused(&world, 0)), (AgentState::Engaged, None));
    world.run(seconds(2));
    let bye = last(&world.outside, "BYE").clone();
    world.outside_says(&answer(&bye, "200 OK", "", false));
    assert_eq!(world.state(0), AgentState::Ready);
    assert_eq!(world.story(), ["8001 6601 dialled +8613812345678", "reached", "agent_hangup"]);
    world.nothing_is_left();
}

#[test]
fn the_other_side_hangs_up() {
    let mut world = World::new(1, outward);
    world.facts.clear();
    dials(&mut world, 0, "12330", 100);
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:12330@"), "{invite}");
    world.outside_says(&answer(&invite, "180 Ringing", "", false));
    world.outside_says(&answer(&invite, "200 OK", "", true));
    world.run(seconds(3));
    world.outside_says(&in_dialog(&invite, "BYE", 1));
    assert!(last(&world.outside, "SIP/2.0 200").contains("1 BYE"));
    world.run(seconds(1));
    assert_eq!(world.state(0), AgentState::Ready);
    assert_eq!(world.story(), ["8001 6601 dialled 12330", "reached", "party_hangup"]);
    world.nothing_is_left();
}

#[test]
fn the_phone_learns_why_it_was_refused() {
    for (answered, extra, shown) in [
        ("486 Busy Here", "Reason: Q.850;cause=17\r\n", 486),
        ("404 Not Found", "", 404),
        ("480 Temporarily Unavailable", "", 480),
        ("603 Decline", "", 603),
        ("503 Service Unavailable", "", 503),
        ("407 Proxy Authentication Required", "", 403),
        ("302 Moved Temporarily", "", 480),
    ] {
        let mut world = World::new(1, outward);
        world.facts.clear();
        dials(&mut world, 0, "13812345678", 20);
        let invite = last(&world.outside, "INVITE").clone();
        world.outside_says(&answer(&invite, answered, extra, false));
        world.run(seconds(1));
        assert_eq!(refused(&world, 0), Some(shown), "{answered}");
        assert_eq!(world.state(0), AgentState::Ready);
        assert_eq!(world.story(), ["8001 6601 dialled +8613812345678", "not_reached"]);
        world.nothing_is_left();
    }
}

#[test]
fn who_puts_the_phone_down_rings_nobody_any_more() {
    let mut world = World::new(1, outward);
    world.facts.clear();
    dials(&mut world, 0, "13812345678", 20);
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "180 Ringing", "", false));
    let now = world.now;
    world.phones[0].0.hang_up_dialled(now);
    world.run(seconds(1));
    let cancel = last(&world.outside, "CANCEL").clone();
    world.outside_says(&answer(&cancel, "200 OK", "", false));
    world.outside_says(&answer(&invite, "487 Request Terminated", "", false));
    assert_eq!(world.state(0), AgentState::Ready);
    assert_eq!(world.story(), ["8001 6601 dialled +8613812345678", "agent_hangup"]);
    world.nothing_is_left();
    // And nobody rings for ever.
    world.facts.clear();
    dials(&mut world, 0, "13812345678", 20);
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "180 Ringing", "", false));
    world.run(seconds(61));
    last(&world.outside, "CANCEL");
    assert_eq!(refused(&world, 0), Some(480));
    assert_eq!(world.state(0), AgentState::Ready);
}

#[test]
fn nothing_leaves_the_house_that_the_plan_does_not_have() {
    let mut world = World::new(3, outward);
    world.facts.clear();
    for (phone, number) in
        [(0, "0081312345678"), (0, "053188881234"), (0, "*72008131"), (2, "13812345678"), (0, "12345"), (0, "9999")]
    {
        dials(&mut world, phone, number, 20);
        world.run(seconds(1));
        assert_eq!(refused(&world, phone), Some(403), "{number}");
        assert_eq!(world.state(phone), AgentState::Ready);
    }
    assert_eq!((world.outside.len(), world.story().len()), (0, 0));
    assert_eq!(world.gateway.refusals().not_in_plan, 5);
    world.nothing_is_left();
}

#[test]
fn help_can_be_called_from_every_seat_at_any_time() {
    let mut world = World::new(3, |core| {
        outward(core);
        core.trunks[0].max_calls = 0;
        core.limits.max_calls = 0;
    });
    dials(&mut world, 2, "*12", 1);
    world.run(seconds(5));
    assert_eq!(world.state(2), AgentState::LoggedOut);
    world.feed(Input::Drain);
    world.facts.clear();
    dials(&mut world, 2, "110", 20);
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:110@127.0.0.1:7070"), "{invite}");
    world.outside_says(&answer(&invite, "200 OK", "", true));
    assert_eq!(world.talking_legs(), 2);
    assert_eq!(world.story(), ["8003 nobody dialled 110", "reached"]);
    // Anything else is refused at such a time.
    dials(&mut world, 0, "13812345678", 20);
    world.run(seconds(1));
    assert_eq!(refused(&world, 0), Some(503));
}

/// The first says no, for whatever reason; nor does it matter that this phone's audio ought to be encrypted.
#[test]
fn a_call_for_help_goes_on_after_a_refusal_and_any_other_does_not() {
    const NEXT: &str = "127.0.0.1:7071";
    for (number, status, goes_on) in [
        ("110", "403 Forbidden", true),
        ("110", "404 Not Found", true),
        ("110", "603 Decline", true),
        ("110", "503 Service Unavailable", true),
        ("110", "486 Busy Here", false),
        ("13812345678", "403 Forbidden", false),
        ("13812345678", "503 Service Unavailable", true),
    ] {
        let mut world = World::new(3, |core| {
            outward(core);
            core.trunks[0].hops.push(NEXT.parse::<std::net::SocketAddr>().unwrap().into());
            core.trunks[0].hops[1].priority = 1;
            if number == "110" {
                core.seats[0].srtp = Srtp::Required;
            }
        });
        dials(&mut world, 0, number, 20);
        let invite = last(&world.outside, "INVITE").clone();
        world.outside_says(&answer(&invite, status, "", false));
        let next = |(flow, text): &&(Flow, String)| flow.remote == NEXT.parse().unwrap() && text.starts_with("INVITE");
        assert_eq!(world.to_others.iter().filter(next).count(), usize::from(goes_on), "{number} after {status}");
    }
}

#[test]
fn colleagues_call_each_other() {
    let mut world = World::new(3, outward);
    world.facts.clear();
    world.phones[1].0.set_plan(Plan::answer_after(seconds(3)));
    dials(&mut world, 0, "8002", 20);
    assert_eq!((world.state(0), world.state(1)), (AgentState::Engaged, AgentState::Engaged));
    let rung = world.phones[1].2.iter().rev().find_map(|f| match f {
        UaFact::Offered { caller, .. } => Some(caller.clone()),
        _ => None,
    });
    assert!(rung.expect("rang").contains("8001"));
    // Who is on the phone is busy to others.
    dials(&mut world, 2, "8002", 20);
    world.run(seconds(1));
    assert_eq!(refused(&world, 2), Some(486));
    world.run(seconds(3));
    assert_eq!(world.talking_legs(), 2);
    world.restart();
    world.run(seconds(30));
    assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Ready));
    assert_eq!(world.story(), ["8001 6601 dialled 8002", "reached", "agent_hangup"]);
    // Itself, and a seat without a phone.
    for (number, status) in [("8001", 486), ("8004", 503)] {
        dials(&mut world, 0, number, 20);
        world.run(seconds(1));
        assert_eq!(refused(&world, 0), Some(status), "{number}");
    }
    world.nothing_is_left();
}

/// RFC 3327 s5.4: for a citizen, by a colleague, and after hanging up and calling again.
#[test]
fn phones_behind_a_proxy_are_called_through_it() {
    let mut world = World::new(2, |core| {
        outward(core);
        core.proxies = vec![Cidr { address: [127, 0, 0, 1].into(), prefix: 32 }];
    });
    world.call(seconds(100), seconds(10));
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
    world.until(seconds(30), |w| w.state(0) == AgentState::Ready);
    dials(&mut world, 0, "8002", 5);
    let route = format!("Route: {PATH}\r\n");
    for phone in [0, 1] {
        let flow = world.phones[phone].1;
        let rung = world.to_others.iter().find(|(to, m)| *to == flow && m.starts_with("INVITE")).expect("rung");
        assert!(rung.1.contains(&route), "{}", rung.1);
        let registered = |(to, m): &&(Flow, String)| *to == flow && m.contains(" REGISTER\r\n") && m.contains("200 OK");
        let answer = world.to_others.iter().find(registered).expect("registered");
        assert!(answer.1.contains(&format!("Path: {PATH}\r\n")), "{}", answer.1);
    }
    world.run(seconds(10));
    world.nothing_is_left();
}

#[test]
fn an_agent_on_the_phone_gets_no_caller() {
    let mut world = World::new(1, outward);
    dials(&mut world, 0, "13812345678", 20);
    world.call(seconds(100), seconds(10));
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "200 OK", "", true));
    world.run(seconds(15));
    assert_eq!(world.state(0), AgentState::Engaged);
    world.until(seconds(15), |w| w.state(0) == AgentState::Talking);
    world.until(seconds(30), |w| w.state(0) == AgentState::Ready);
    // One on a break who dials is on a break all the while.
    dials(&mut world, 0, "*141", 1);
    world.run(seconds(5));
    let on_a_break = world.state(0);
    dials(&mut world, 0, "13812345678", 20);
    assert_eq!(world.state(0), on_a_break);
    dials(&mut world, 0, "*13", 3);
    world.run(seconds(5));
    assert_eq!(world.state(0), AgentState::Engaged, "ready, but for the call");
}

#[test]
fn who_dials_while_an_offer_rings_is_on_the_phone_and_the_caller_keeps_the_place() {
    let mut world = World::new(2, outward);
    world.phones[0].0.set_plan(Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None });
    world.call(seconds(100), seconds(10));
    world.until(seconds(5), |w| w.state(0) == AgentState::Reserved);
    dials(&mut world, 0, "13812345678", 20);
    assert_eq!((world.state(0), world.state(1)), (AgentState::Engaged, AgentState::Reserved));
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    // A colleague who serves a citizen is busy.
    dials(&mut world, 0, "8002", 20);
    world.run(seconds(1));
    assert_eq!(refused(&world, 0), Some(486));
    let now = world.now;
    world.phones[0].0.hang_up_dialled(now);
    let cancelled = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&cancelled, "100 Trying", "", false));
    world.run(seconds(1));
    assert_eq!(world.state(0), AgentState::Ready);
}
