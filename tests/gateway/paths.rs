//! Requests of ours when the connection that a call came by is gone: they find another way, and no wrong one.

use crate::world::{World, invite};
use rexian::gateway::Input;
use rexian::sip::flow::{Flow, Listener, Transport};
use std::net::SocketAddr;
use std::time::Duration;

const TLS: &str = "127.0.0.1:5061";

/// A carrier's connection to us; port 7777 is its own end's.
fn carrier() -> Flow {
    let (local, remote) = (TLS.parse().unwrap(), "127.0.0.1:7777".parse().unwrap());
    Flow { transport: Transport::Tls, local, remote, connection: 5 }
}

/// An answered and acknowledged call by that connection, whose far end is to be reached at `contact`.
fn call(world: &mut World, contact: &str) {
    let listener = |(transport, at): (_, &str)| Listener { transport, address: at.parse().unwrap() };
    let clear = "127.0.0.1:5060";
    let all = [(Transport::Udp, clear), (Transport::Tcp, clear), (Transport::Tls, TLS)];
    world.feed(Input::Listening(all.map(listener).to_vec()));
    let invite = String::from_utf8(invite(1)).unwrap().replace("SIP/2.0/UDP", "SIP/2.0/TLS");
    let invite = invite.replace("<sip:127.0.0.1:6000>", contact);
    world.feed(Input::Message { flow: carrier(), bytes: invite.as_bytes() });
    let (_, ok) = world.to_others.iter().find(|(_, m)| m.starts_with("SIP/2.0 200")).expect("an answer").clone();
    let header = |name: &str| ok.lines().find(|l| l.starts_with(name)).expect("a header").to_owned();
    let ours = if contact.contains("sips:") { format!("<sips:{TLS}>") } else { format!("<sip:{TLS};transport=tls>") };
    assert_eq!(header("Contact"), format!("Contact: {ours}"));
    let ack = format!(
        "ACK sip:{TLS} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:7777;branch=z9hG4bKack\r\nMax-Forwards: 70\r\n{}\r\n{}\r\n{}\r\n\
         CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        header("From"),
        header("To"),
        header("Call-ID")
    );
    world.feed(Input::Message { flow: carrier(), bytes: ack.as_bytes() });
}

fn byes(world: &World) -> Vec<(Flow, String)> {
    world.to_others.iter().filter(|(_, m)| m.starts_with("BYE")).cloned().collect()
}

fn ours(remote: &str) -> Flow {
    let remote: SocketAddr = remote.parse().unwrap();
    Flow { remote, connection: 0, ..carrier() }
}

#[test]
fn a_bye_goes_by_a_new_connection_to_the_trunks_next_hop_and_nowhere_else() {
    for (contact, wanted) in [
        ("<sip:gw@127.0.0.9:6061;transport=tls>", "127.0.0.9:6061"),
        ("<sip:gw@127.0.0.1:6061;transport=tls>", "127.0.0.1:6061"),
        ("<sips:gw@127.0.0.9:6061;transport=tcp>", "127.0.0.9:6061"),
        // No trunk's, in the clear, or by a name: the trunk's own address, as it was known.
        ("<sip:gw@203.0.113.9:6061;transport=tls>", "127.0.0.1:5061"),
        ("<sip:gw@127.0.0.9:6061;transport=tcp>", "127.0.0.1:5061"),
        ("<sip:gw@127.0.0.9>", "127.0.0.1:5061"),
        ("<sip:gw@sbc.test>", "127.0.0.1:5061"),
    ] {
        let mut world = World::new(0, |_| {});
        call(&mut world, contact);
        world.feed(Input::FlowFailed { flow: carrier() });
        assert!(byes(&world).is_empty(), "a call outlives its connection");
        world.feed(Input::EndCalls);
        let byes = byes(&world);
        assert_eq!(byes.iter().map(|(flow, _)| *flow).collect::<Vec<_>>(), [ours(wanted)], "{contact}");
        assert!(byes[0].1.contains("Via: SIP/2.0/TLS 127.0.0.1:5061;"), "{}", byes[0].1);
        world.nothing_is_left();
    }
}

#[test]
fn a_bye_on_its_way_when_the_connection_breaks_is_sent_again_and_not_for_ever() {
    let mut world = World::new(0, |_| {});
    call(&mut world, "<sip:127.0.0.1:6061;transport=tls>");
    world.feed(Input::EndCalls);
    world.feed(Input::FlowFailed { flow: carrier() });
    let sent = byes(&world);
    assert_eq!(sent.iter().map(|(flow, _)| *flow).collect::<Vec<_>>(), [carrier(), ours("127.0.0.1:6061")]);
    let seq = |m: &str| m.lines().find_map(|l| l.strip_prefix("CSeq: ")).unwrap().to_owned();
    assert_eq!((seq(&sent[0].1).as_str(), seq(&sent[1].1).as_str()), ("1 BYE", "2 BYE"));
    world.feed(Input::FlowFailed { flow: ours("127.0.0.1:6061") });
    assert_eq!(byes(&world).len(), 2);
    assert_eq!(world.gateway.leftovers().legs, 0);
    world.nothing_is_left();
}

#[test]
fn a_phone_that_comes_back_in_a_call_gets_the_bye_on_its_new_connection() {
    let mut world = World::new(1, |_| {});
    world.call(Duration::from_secs(60), Duration::from_secs(30));
    world.until(Duration::from_secs(15), |w| {
        w.facts.iter().any(|f| matches!(f, rexian::event::CallFact::Answered { .. }))
    });
    world.to_others.clear();
    world.connection_breaks(0);
    world.phones[0].1.connection = 77;
    let now = world.now;
    world.phones[0].0.power_on(now);
    world.run(Duration::from_secs(3));
    assert!(byes(&world).is_empty(), "the call goes on");
    world.until(Duration::from_secs(60), |w| w.ended().is_some());
    let connections: Vec<u64> = byes(&world).iter().map(|(flow, _)| flow.connection).collect();
    assert_eq!(connections, [77]);
    world.nothing_is_left();
}
