//! Which way a call of ours takes: hops that are dead, silent, overloaded or flapping, a second trunk, and what carriers'
//! calls meet at the door meanwhile.

use crate::world::{CARRIER, HopPlan, World, owed, s};
use rexian::config::settings::{Cidr, CoreSettings, Hop, NumberRules, Probe, TrunkSettings};
use rexian::event::{AgentState, CallFact, EndCause};
use rexian::gateway::Input;
use rexian::ids::TrunkName;
use rexian::sim::ua::{Ending, Reaction};
use rexian::sip::flow::{Flow, Transport};
use rexian::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

const CITIZEN: &str = "+8613812345678";
/// Hops before the citizen's carrier, at [`CARRIER`].
const FIRST: u16 = 7_001;
const OTHER: u16 = 7_002;

fn hop(port: u16, priority: u16) -> Hop {
    Hop { priority, ..Hop::from(SocketAddr::from(([127, 0, 0, 1], port))) }
}

/// `hops` in this order of priority, one agent ready.
fn world(hops: &[u16], shape: impl FnOnce(&mut CoreSettings)) -> World {
    World::new(1, |core| {
        core.trunks[0].hops = hops.iter().zip(0..).map(|(port, priority)| hop(*port, priority)).collect();
        shape(core);
    })
}

/// A citizen is owed a call, and would answer.
fn owe(world: &mut World, of: u64) {
    let since = Instant(world.now.0 - 600_000_000);
    world.citizen_will(Reaction::Answer { after: s(2) }, Some(s(5)));
    world.feed(Input::Callbacks(vec![owed(of, CITIZEN, since)]));
}

fn sent(world: &World, port: u16, method: &str) -> Vec<String> {
    world.to_hops.iter().filter(|(p, m)| *p == port && m.starts_with(method)).map(|(_, m)| m.clone()).collect()
}

/// Without what is only sent again.
fn different(world: &World, hop: u16, method: &str) -> usize {
    sent(world, hop, method).into_iter().collect::<std::collections::BTreeSet<_>>().len()
}

fn line<'m>(message: &'m str, name: &str) -> &'m str {
    message.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn answered(world: &World) -> usize {
    world.facts(|f| matches!(f, CallFact::Answered { .. }))
}

#[test]
fn a_silent_hop_is_left_for_the_next_before_the_citizen_gives_up() {
    let mut world = world(&[FIRST, CARRIER], |_| {});
    owe(&mut world, 1);
    world.until("the first hop is tried", s(5), |w| !sent(w, FIRST, "INVITE").is_empty());
    let asked = world.now;
    world.until("the citizen's phone rings", s(10), |w| w.rung() == 1);
    assert!(world.now.since(asked) < Duration::from_millis(4_500), "not after 32 s of timer B");
    world.until("they talk", s(5), |w| answered(w) == 1);
    world.run(s(40));
    // It was repeated as UDP wants it, and no more once it was given up: a hop that comes back must not ring anybody.
    let to_dead = sent(&world, FIRST, "");
    assert_eq!(to_dead.len(), 4, "{to_dead:?}");
    // The same request by another way (RFC 3263 s4.3).
    let (dead, live) = (&to_dead[0], &world.to_citizen[0]);
    for same in ["Call-ID:", "CSeq:", "From:"] {
        assert_eq!(line(dead, same), line(live, same));
    }
    assert_ne!(line(dead, "Via:"), line(live, "Via:"));
    assert_eq!(world.rung(), 1);
    assert_eq!(world.ends(), [EndCause::CallerHangUp]);
    world.nothing_is_left();
}

#[test]
fn with_nowhere_else_to_go_a_silent_hop_is_waited_for() {
    let mut world = world(&[FIRST], |_| {});
    owe(&mut world, 1);
    world.until("the hop is tried", s(5), |w| !sent(w, FIRST, "INVITE").is_empty());
    world.run(s(20));
    assert!(sent(&world, FIRST, "INVITE").len() > 4, "still repeated");
    world.until("it is given up", s(20), |w| !w.ends().is_empty());
    assert_eq!(world.ends(), [EndCause::NotReached]);
    world.nothing_is_left();
}

/// The hop was slow, not dead: what it says too late is called off, and hung up.
#[test]
fn what_an_abandoned_hop_says_late_rings_nobody() {
    for late in ["180 Ringing", "200 OK"] {
        let mut world = world(&[FIRST, CARRIER], |_| {});
        owe(&mut world, 1);
        world.until("they talk", s(20), |w| answered(w) == 1);
        let invite = sent(&world, FIRST, "INVITE")[0].clone();
        world.hop_says(FIRST, &invite, late);
        world.run(s(1));
        match late {
            "180 Ringing" => {
                let cancel = &sent(&world, FIRST, "CANCEL")[0];
                assert_eq!(line(cancel, "Via:"), line(&invite, "Via:"), "the very INVITE");
                world.hop_says(FIRST, cancel, "200 OK");
                world.hop_says(FIRST, &invite, "487 Request Terminated");
                world.run(s(1));
                assert_eq!(sent(&world, FIRST, "ACK").len(), 1);
            }
            _ => {
                // The BYE is repeated until it is answered.
                assert_eq!((sent(&world, FIRST, "ACK").len(), different(&world, FIRST, "BYE")), (1, 1));
                // Its ACK was lost.
                world.hop_says(FIRST, &invite, late);
                world.run(Duration::from_millis(100));
                assert_eq!(sent(&world, FIRST, "ACK").len(), 2);
                let bye = sent(&world, FIRST, "BYE")[0].clone();
                world.hop_says(FIRST, &bye, "200 OK");
            }
        }
        assert_eq!((answered(&world), world.rung()), (1, 1), "{late}: the conversation knows nothing of it");
        world.until("they are done", s(20), |w| !w.ends().is_empty());
        assert_eq!(world.ends(), [EndCause::CallerHangUp]);
        world.nothing_is_left();
    }
}

/// Before the second hop has answered at all: the late 200 of the first must not pass for the answer of the second.
#[test]
fn a_late_answer_is_not_taken_for_the_next_hops() {
    let mut world = world(&[FIRST, CARRIER], |_| {});
    owe(&mut world, 1);
    world.citizen_will(Reaction::Ignore, None);
    world.until("the second rings", s(20), |w| w.rung() == 1);
    let invite = sent(&world, FIRST, "INVITE")[0].clone();
    world.hop_says(FIRST, &invite, "200 OK");
    world.run(s(1));
    assert_eq!((answered(&world), different(&world, FIRST, "BYE")), (0, 1));
    world.until("nobody picks up", s(60), |w| !w.ends().is_empty());
    assert_eq!(world.ends(), [EndCause::NotReached]);
}

#[test]
fn answers_after_which_it_goes_on_and_those_it_must_not() {
    for (answer, goes_on) in [
        ("500 Server Internal Error", true),
        ("503 Service Unavailable", true),
        ("504 Server Time-out", true),
        ("408 Request Timeout", true),
        ("404 Not Found", false),
        ("480 Temporarily Unavailable", false),
        ("486 Busy Here", false),
        ("488 Not Acceptable Here", false),
        ("600 Busy Everywhere", false),
        ("603 Decline", false),
    ] {
        let mut world = world(&[FIRST, CARRIER], |_| {});
        world.hops.insert(FIRST, HopPlan::answering(answer));
        owe(&mut world, 1);
        world.until("the attempt is over", s(40), |w| !w.ends().is_empty());
        assert_eq!((world.rung(), answered(&world)), if goes_on { (1, 1) } else { (0, 0) }, "{answer}");
        assert_eq!(sent(&world, FIRST, "ACK").len(), 1, "{answer}");
        world.nothing_is_left();
    }
}

/// A phone has rung: whatever comes now, no second one does.
#[test]
fn no_other_way_once_a_phone_rang() {
    let mut world = world(&[FIRST, CARRIER], |_| {});
    owe(&mut world, 1);
    world.until("the first hop is tried", s(5), |w| !sent(w, FIRST, "INVITE").is_empty());
    let invite = sent(&world, FIRST, "INVITE")[0].clone();
    for answer in ["180 Ringing", "500 Server Internal Error"] {
        world.hop_says(FIRST, &invite, answer);
        world.run(s(6));
    }
    assert_eq!((world.rung(), world.ends()), (0, vec![EndCause::NotReached]));
    world.nothing_is_left();
}

/// Our own ring timer, while the hop has said nothing but 100: the refusal that answers the CANCEL is no reason to go on.
#[test]
fn a_call_that_was_withdrawn_goes_nowhere_else() {
    let mut world = world(&[FIRST, CARRIER], |core| core.callbacks.ring_timeout = s(8));
    owe(&mut world, 1);
    world.until("the first hop is tried", s(5), |w| !sent(w, FIRST, "INVITE").is_empty());
    let invite = sent(&world, FIRST, "INVITE")[0].clone();
    world.hop_says(FIRST, &invite, "100 Trying");
    world.until("it is given up", s(12), |w| !sent(w, FIRST, "CANCEL").is_empty());
    world.hop_says(FIRST, &invite, "503 Service Unavailable");
    world.run(s(10));
    assert_eq!((world.rung(), world.ends()), (0, vec![EndCause::NotReached]));
}

#[test]
fn a_hop_that_asked_for_rest_gets_none_until_then() {
    let mut world = world(&[FIRST, CARRIER], |_| {});
    world.hops.insert(FIRST, HopPlan::answering("503 Service Unavailable\r\nRetry-After: 60 (maintenance)"));
    for (wait, tried) in [(0, 1), (20, 1), (45, 2)] {
        world.run(s(wait));
        let before = answered(&world);
        owe(&mut world, 10 + wait);
        world.until("they talk", s(10), |w| answered(w) == before + 1);
        world.until("they are done", s(20), |w| w.state(0) == AgentState::Ready);
        assert_eq!(sent(&world, FIRST, "INVITE").len(), tried, "after {wait} s more");
    }
}

/// Nobody there: the kernel says so, and it is not waited for.
#[test]
fn a_transport_that_fails_is_left_at_once() {
    let mut world = world(&[FIRST, CARRIER], |_| {});
    owe(&mut world, 1);
    world.until("the first hop is tried", s(5), |w| !sent(w, FIRST, "INVITE").is_empty());
    let flow = Flow {
        transport: Transport::Udp,
        local: "127.0.0.1:5060".parse().unwrap(),
        remote: ([127, 0, 0, 1], FIRST).into(),
        connection: 0,
    };
    world.feed(Input::FlowFailed { flow });
    world.run(Duration::from_millis(200));
    assert_eq!(world.rung(), 1);
    world.until("they talk", s(5), |w| answered(w) == 1);
}

#[test]
fn the_next_trunk_when_the_first_has_no_way() {
    let second = |core: &mut CoreSettings| {
        let peers = vec![Cidr { address: [10, 9, 0, 0].into(), prefix: 16 }];
        let mut trunk = TrunkSettings::new("second", peers, core.trunks[0].profile.clone());
        trunk.hops = vec![hop(CARRIER, 0)];
        trunk.call_out = core.trunks[0].call_out.clone();
        trunk.call_out.as_mut().unwrap().from = "053166660000".into();
        core.trunks.push(trunk);
        core.callbacks.trunks.push("second".into());
    };
    let mut world = world(&[FIRST, OTHER], second);
    world.hops.insert(FIRST, HopPlan::answering("500 Server Internal Error"));
    owe(&mut world, 1);
    world.until("they talk", s(20), |w| answered(w) == 1);
    let tried: Vec<u16> = world.to_hops.iter().filter(|(_, m)| m.starts_with("INVITE")).map(|(p, _)| *p).collect();
    assert_eq!(tried, [FIRST, OTHER, OTHER, OTHER, OTHER], "each hop of the first, and then the second");
    assert!(line(&world.to_citizen[0], "From:").contains("053166660000"), "as that carrier knows us");
    let used = |w: &World| w.gateway.trunks().active().map(|(name, n)| (name.to_string(), n)).collect::<Vec<_>>();
    assert_eq!(used(&world), [("local".to_owned(), 0), ("second".to_owned(), 1)], "a channel where the call is");
    world.until("they are done", s(20), |w| !w.ends().is_empty());
    world.nothing_is_left();

    // No channel on the first: straight to the second.
    let mut full = self::world(&[CARRIER], |core| {
        second(core);
        core.trunks[0].max_calls = 0;
    });
    owe(&mut full, 1);
    full.until("they talk", s(20), |w| answered(w) == 1);
    assert!(line(&full.to_citizen[0], "From:").contains("053166660000"));
}

#[test]
fn the_load_is_shared() {
    let mut world = World::new(1, |core| {
        core.trunks[0].hops = vec![hop(FIRST, 0), Hop { weight: 2, ..hop(OTHER, 0) }];
        core.callbacks.attempts = 1;
    });
    for port in [FIRST, OTHER] {
        world.hops.insert(port, HopPlan::answering("486 Busy Here"));
    }
    for n in 0..6 {
        owe(&mut world, 100 + n);
        world.until("the attempt is over", s(20), |w| w.ends().len() == n as usize + 1);
        world.run(s(1));
    }
    assert_eq!((sent(&world, FIRST, "INVITE").len(), sent(&world, OTHER, "INVITE").len()), (2, 4));
}

#[test]
fn hops_are_asked_found_dead_and_found_again() {
    let probe = Probe { every: s(30), misses: 3 };
    let lives = [(FIRST, HopPlan::answering("405 Method Not Allowed"))].into();
    let mut world = World::with_hops(1, lives, |core| {
        core.trunks[0].hops = vec![hop(FIRST, 0)];
        core.trunks[0].probe = Some(probe);
    });
    let health = |w: &World| w.gateway.trunks().iter().next().unwrap().nodes().next().unwrap().health.as_str();
    let ready = |w: &World| w.gateway.leftovers().waiting;
    world.run(s(100));
    let asked = sent(&world, FIRST, "OPTIONS");
    assert_eq!((asked.len(), health(&world)), (4, "up"), "whoever refuses is there");
    assert!(asked[0].starts_with("OPTIONS sip:127.0.0.1:7001 SIP/2.0\r\n"), "{}", asked[0]);
    assert!(line(&asked[0], "From:").starts_with("From: <sip:053112345@127.0.0.1>;tag="));

    world.hops.remove(&FIRST);
    world.until("it is in doubt", s(40), |w| health(w) == "probing");
    world.until("it is down", s(12), |w| health(w) == "down");
    // Nobody is called in vain, no agent rung for it, no attempt spent.
    owe(&mut world, 1);
    world.run(s(60));
    assert_eq!(
        (sent(&world, FIRST, "INVITE").len(), ready(&world), world.kept[&rexian::ids::CallId(1)].attempts),
        (0, 0, 0)
    );
    // But whoever calls us by it is served.
    world.call("13900000000", s(60));
    world.until("the caller is answered", s(10), |w| answered(w) == 1);
    world.agent_hangs_up(0);

    world.hops.insert(FIRST, HopPlan::answering("200 OK"));
    world.until("it is on trial", s(40), |w| health(w) == "probing");
    assert_eq!(sent(&world, FIRST, "INVITE").len(), 0);
    world.until("it is up", s(5), |w| health(w) == "up");
    world.hops.insert(FIRST, HopPlan::answering("486 Busy Here"));
    world.until("who waited is called", s(30), |w| !sent(w, FIRST, "INVITE").is_empty());
}

/// It answers every other question: that is no reason to send calls to and fro.
#[test]
fn a_flapping_hop_settles() {
    let mut world = world(&[FIRST, CARRIER], |core| core.trunks[0].probe = Some(Probe { every: s(10), misses: 2 }));
    world.hops.insert(CARRIER, HopPlan::answering("200 OK"));
    let mut changes = vec![];
    for round in 0..200 {
        match round % 2 {
            0 => world.hops.insert(FIRST, HopPlan::answering("200 OK")),
            _ => world.hops.remove(&FIRST),
        };
        world.run(s(11));
        let health = world.gateway.trunks().iter().next().unwrap().nodes().next().unwrap().health.as_str();
        if changes.last() != Some(&health) {
            changes.push(health);
        }
    }
    assert!(sent(&world, FIRST, "OPTIONS").len() < 1_000, "asked within reason");
    assert!(changes.starts_with(&["up", "down", "up", "down"]), "each change is found out: {changes:?}");
    assert!(world.gateway.leftovers().client_transactions < 20, "no heap of questions");
}

/// A call that failed says as much as a question that did.
#[test]
fn a_call_is_evidence_too() {
    let mut world = world(&[FIRST, CARRIER], |core| core.trunks[0].probe = Some(Probe { every: s(600), misses: 2 }));
    world.hops.insert(FIRST, HopPlan::answering("200 OK"));
    world.hops.insert(CARRIER, HopPlan::answering("200 OK"));
    world.run(s(5));
    world.hops.remove(&FIRST);
    world.hops.remove(&CARRIER);
    owe(&mut world, 1);
    world.until("they talk", s(20), |w| answered(w) == 1);
    let questions = sent(&world, FIRST, "OPTIONS").len();
    assert!(questions >= 2, "asked at once, not in ten minutes: {questions}");
    world.until("it is down", s(10), |w| {
        w.gateway.trunks().iter().next().unwrap().nodes().next().unwrap().health.as_str() == "down"
    });
}

/// The hop dies in the middle of a conversation: what is sent to it ends by timers, the next call goes elsewhere.
#[test]
fn a_hop_that_dies_in_mid_call() {
    let mut world = world(&[CARRIER, FIRST], |_| {});
    owe(&mut world, 1);
    world.citizen_will(Reaction::Answer { after: s(2) }, None);
    world.until("they talk", s(20), |w| answered(w) == 1);
    world.citizen_is_dead = true;
    world.agent_hangs_up(0);
    world.until("the call is over for everybody here", s(5), |w| w.ends() == [EndCause::AgentHangUp]);
    assert!(world.gateway.trunks().active().all(|(_, n)| n == 0), "its channel is free");
    world.hops.insert(FIRST, HopPlan::answering("486 Busy Here"));
    world.run(s(15));
    owe(&mut world, 2);
    world.until("the next goes by the living one", s(20), |w| !sent(w, FIRST, "INVITE").is_empty());
    world.run(s(30));
    world.nothing_is_left();
}

#[test]
fn callers_who_are_not_let_in() {
    let mut world = World::new(1, |core| {
        core.trunks[0].callers = NumberRules { allow: None, deny: vec!["+86139".into()] };
        core.trunks[0].hops = vec![hop(CARRIER, 0)];
    });
    let (denied, welcome) = (world.call("13900000000", s(60)), world.call("13800000000", s(60)));
    world.run(s(5));
    assert_eq!(world.ending(denied), Some(Ending::Refused(603)));
    assert_eq!(world.ending(welcome), None);
    assert_eq!((world.gateway.refusals().denied, world.facts(|f| matches!(f, CallFact::Arrived { .. }))), (1, 1));
    let away = world.gateway.trunks().iter().next().unwrap().turned_away();
    assert_eq!((away.denied, away.full, away.rate), (1, 0, 0));
}

#[test]
fn no_more_new_calls_in_ten_seconds_than_agreed() {
    let mut world = World::new(0, |core| core.trunks[0].calls_per_10s = Some(2));
    let first = world.call("13800000000", s(300));
    world.run(s(4));
    let second = world.call("13800000001", s(300));
    let third = world.call("13800000002", s(300));
    assert_eq!(world.ending(third), Some(Ending::Refused(503)));
    assert_eq!(line(&world.refusals[0], "Retry-After:"), "Retry-After: 6");
    world.run(s(6));
    let fourth = world.call("13800000003", s(300));
    for up in [first, second, fourth] {
        assert_eq!(world.ending(up), None);
    }
    assert_eq!(world.gateway.refusals().rate, 1);
    assert_eq!(world.gateway.trunks().of_leg(world.leg(first)), Some(&TrunkName::new("local")));
}
