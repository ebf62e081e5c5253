//! The gateway with streams, which the simulated days do not have: connections that break while a seat rings, the same
//! INVITE by two paths, waiting longer than a proxy's patience. Virtual time, a network that loses nothing.

use rexian::config::settings::{AnswerMode, CoreSettings, Settings};
use rexian::event::{AgentState, CallFact, EndCause, NotReadyReason, OfferEnd};
use rexian::gateway::{Gateway, Input, Leftovers, Output};
use rexian::ids::AgentNo;
use rexian::sim::ua::{
    Account, CarrierCall, CarrierParams, Cli, Phone, PhoneParams, Pickup, Plan, Reaction, Station, UaFact, UaOutput,
};
use rexian::sip::flow::{Flow, Transport};
use rexian::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

const GATEWAY: &str = "127.0.0.1:5060";

/// One gateway, phones on connections of their own, one caller on UDP.
struct World {
    now: Instant,
    gateway: Gateway,
    phones: Vec<(Phone, Flow, Vec<UaFact>)>,
    caller: Option<(CarrierCall, Vec<UaFact>)>,
    /// Messages to the caller, as sent.
    to_caller: Vec<String>,
    facts: Vec<CallFact>,
}

impl World {
    fn new(phones: usize, shape: impl FnOnce(&mut CoreSettings)) -> World {
        let mut core = Settings::demo([7; 32]).core;
        shape(&mut core);
        let now = Instant::from_unix_secs(1_800_000_000);
        let phones = (0..phones).map(|n| phone(now, n, &core)).collect();
        let gateway = Gateway::new(core, [9; 32], now);
        let mut world = World { now, gateway, phones, caller: None, to_caller: vec![], facts: vec![] };
        world.run(Duration::from_secs(1));
        for n in 0..world.phones.len() {
            world.phones[n].0.dial(world.now, "*11");
        }
        world.run(Duration::from_secs(5));
        for n in 0..world.phones.len() {
            assert_eq!(world.state(n), AgentState::Ready, "phone {n} signed in: {:?}", world.phones[n].2);
        }
        world
    }

    fn call(&mut self, patience: Duration, talk: Duration) {
        let params = CarrierParams {
            station: station(6_000),
            seed: 1,
            dnis: "12345".into(),
            cli: Cli::Shown("053187654321".into()),
            patience,
            talk: Some(talk),
            pickup: Pickup::OnAnswer,
            fault: None,
        };
        self.caller = Some((CarrierCall::start(self.now, params), vec![]));
    }

    fn state(&self, phone: usize) -> AgentState {
        self.gateway.acd().agent_state(&agent(phone)).expect("an agent of the configuration")
    }

    fn connection_breaks(&mut self, phone: usize) {
        let flow = self.phones[phone].1;
        self.phones[phone].0.power_off();
        self.feed(Input::FlowFailed { flow });
    }

    fn until(&mut self, limit: Duration, done: impl Fn(&World) -> bool) {
        let deadline = self.now + limit;
        while !done(self) {
            assert!(self.now < deadline, "not within {limit:?}; {:#?}", self.facts);
            self.run(Duration::from_millis(100));
        }
    }

    /// Everything that happens in this time, in order.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            while self.exchange() {}
            let clocks = self.phones.iter().filter_map(|(p, ..)| p.next_timeout());
            let clocks = clocks.chain(self.caller.iter().filter_map(|(c, _)| c.next_timeout()));
            let next = clocks.chain(self.gateway.next_timeout()).min().filter(|t| *t <= end);
            let Some(next) = next else { break };
            self.now = next.max(self.now);
            if self.gateway.next_timeout().is_some_and(|t| t <= self.now) {
                self.feed(Input::Timeout);
            }
            let now = self.now;
            self.phones
                .iter_mut()
                .filter(|(p, ..)| p.next_timeout().is_some_and(|t| t <= now))
                .for_each(|(p, ..)| p.on_timeout(now));
            if let Some((caller, _)) = self.caller.as_mut().filter(|(c, _)| c.next_timeout().is_some_and(|t| t <= now))
            {
                caller.on_timeout(now);
            }
        }
        self.now = end;
        self.gateway.acd().check().expect("the distributor's invariants");
    }

    /// Carries what the user agents say to the gateway; false when they are silent.
    fn exchange(&mut self) -> bool {
        let mut said = Vec::new();
        for (phone, flow, facts) in &mut self.phones {
            while let Some(output) = phone.poll() {
                match output {
                    UaOutput::Send(bytes) => said.push((*flow, bytes)),
                    UaOutput::Fact(fact) => facts.push(fact),
                }
            }
        }
        if let Some((caller, facts)) = &mut self.caller {
            while let Some(output) = caller.poll() {
                match output {
                    UaOutput::Send(bytes) => said.push((caller_flow(), bytes)),
                    UaOutput::Fact(fact) => facts.push(fact),
                }
            }
        }
        let any = !said.is_empty();
        for (flow, bytes) in said {
            self.feed(Input::Message { flow, bytes: &bytes });
        }
        any
    }

    fn feed(&mut self, input: Input<'_>) {
        self.gateway.handle(self.now, input);
        while let Some(output) = self.gateway.next_output() {
            match output {
                Output::Send(transmit) if transmit.flow.remote == caller_flow().remote => {
                    self.to_caller.push(String::from_utf8_lossy(&transmit.bytes).into_owned());
                    if let Some((caller, _)) = &mut self.caller {
                        caller.on_message(self.now, &transmit.bytes);
                    }
                }
                Output::Send(transmit) => {
                    let now = self.now;
                    let there = self.phones.iter_mut().find(|(_, flow, _)| *flow == transmit.flow);
                    if let Some((phone, ..)) = there {
                        phone.on_message(now, &transmit.bytes);
                    }
                }
                Output::OpenTicket(ticket) => self.feed(Input::Spooled { call: ticket.call }),
                Output::Call(event) => self.facts.push(event.what),
                Output::Media(_) | Output::Agent(_) | Output::Callback(_) => {}
            }
        }
    }

    fn ended(&self) -> Option<EndCause> {
        self.facts.iter().find_map(|f| match f {
            CallFact::Ended { cause, .. } => Some(*cause),
            _ => None,
        })
    }

    /// Phones gone, timers run out: nothing may be left. Closing figures never come here (no media plane).
    fn nothing_is_left(&mut self) {
        self.run(Duration::from_secs(70));
        let left = self.gateway.leftovers();
        assert_eq!(Leftovers { alarms: 0, ..left }, Leftovers::default());
    }
}

fn agent(phone: usize) -> AgentNo {
    AgentNo::new((6601 + phone).to_string())
}

fn station(port: u16) -> Station {
    Station {
        sip: SocketAddr::from(([127, 0, 0, 1], port)),
        gateway: GATEWAY.parse().unwrap(),
        rtp: SocketAddr::from(([127, 0, 0, 1], port + 1_000)),
        payload_types: vec![8],
        dtmf: Some(101),
    }
}

fn caller_flow() -> Flow {
    let (local, remote) = (GATEWAY.parse().unwrap(), station(6_000).sip);
    Flow { transport: Transport::Udp, local, remote, connection: 0 }
}

fn phone(now: Instant, n: usize, core: &CoreSettings) -> (Phone, Flow, Vec<UaFact>) {
    let station = station(40_000 + n as u16);
    let flow =
        Flow { transport: Transport::Tcp, local: station.gateway, remote: station.sip, connection: n as u64 + 1 };
    let seat = &core.seats[n];
    let params = PhoneParams {
        station,
        seed: 100 + n as u64,
        account: Account { user: seat.number.to_string(), secret: seat.secret.0.to_string(), sha256: false },
        domain: core.domain.clone(),
        expires: Duration::from_secs(300),
        plan: Plan::answer_after(Duration::from_secs(3)),
    };
    let mut phone = Phone::start(now, params);
    phone.set_call_waiting(false);
    (phone, flow, vec![])
}

#[test]
fn a_connection_lost_while_ringing_moves_the_call_and_harms_nobody_else() {
    for phones in [2, 3] {
        let mut world = World::new(phones, |_| {});
        world.call(Duration::from_secs(120), Duration::from_secs(20));
        world.until(Duration::from_secs(2), |w| w.facts.iter().any(|f| matches!(f, CallFact::Offered { .. })));
        let first = (0..phones).find(|&n| world.state(n) == AgentState::Reserved).expect("somebody rings");
        world.connection_breaks(first);
        assert_eq!(world.state(first), AgentState::NotReady(NotReadyReason::Unreachable));
        let second = (0..phones).find(|&n| world.state(n) == AgentState::Reserved).expect("the next one rings at once");
        world.until(Duration::from_secs(10), |w| w.state(second) == AgentState::Talking);
        let ended =
            |why| world.facts.iter().filter(|f| matches!(f, CallFact::OfferEnded { why: w, .. } if *w == why)).count();
        assert_eq!((ended(OfferEnd::Withdrawn) + ended(OfferEnd::Unreachable), ended(OfferEnd::NoAnswer)), (1, 0));
        world.until(Duration::from_secs(40), |w| w.ended().is_some());
        assert_eq!(world.ended(), Some(EndCause::CallerHangUp));
        assert_eq!(world.state(second), AgentState::WrapUp);
        for n in (0..phones).filter(|n| *n != first && *n != second) {
            assert_eq!(world.state(n), AgentState::Ready, "agent {n} had nothing to do with it");
        }
        world.nothing_is_left();
    }
}

#[test]
fn a_phone_that_starts_anew_is_reachable_again() {
    let mut world = World::new(1, |_| {});
    world.connection_breaks(0);
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Unreachable));
    world.phones[0].1.connection = 77;
    let now = world.now;
    world.phones[0].0.power_on(now);
    world.until(Duration::from_secs(5), |w| w.state(0) == AgentState::Ready);
}

#[test]
fn the_same_invite_by_another_path_is_the_same_call() {
    let mut world = World::new(0, |_| {});
    world.call(Duration::from_secs(30), Duration::from_secs(1));
    let mut first = None;
    let (caller, _) = world.caller.as_mut().unwrap();
    while let Some(output) = caller.poll() {
        if let UaOutput::Send(bytes) = output {
            first = Some(bytes);
        }
    }
    let invite = String::from_utf8(first.expect("an INVITE")).unwrap();
    world.feed(Input::Message { flow: caller_flow(), bytes: invite.as_bytes() });
    let fork = invite.replacen("branch=z9hG4bK", "branch=z9hG4bKother", 1);
    assert_ne!(fork, invite);
    world.feed(Input::Message { flow: caller_flow(), bytes: fork.as_bytes() });
    assert_eq!(world.gateway.calls(), 1);
    assert_eq!(world.to_caller.iter().filter(|m| m.starts_with("SIP/2.0 482")).count(), 1);
}

#[test]
fn early_media_is_announced_again_every_minute() {
    let mut world = World::new(0, |core| core.trunks[0].profile.answer = AnswerMode::OnPickup);
    world.call(Duration::from_secs(200), Duration::from_secs(1));
    world.run(Duration::from_secs(190));
    // At once, then after 60, 120 and 180 s: no proxy loses patience (RFC 3261 s13.3.1.1, s16.6 timer C).
    assert_eq!(world.to_caller.iter().filter(|m| m.starts_with("SIP/2.0 183")).count(), 4);
    world.until(Duration::from_secs(30), |w| w.ended().is_some());
    assert_eq!(world.ended(), Some(EndCause::AbandonedInQueue));
    world.nothing_is_left();
}

#[test]
fn an_agent_whose_phone_never_stops_ringing_is_not_offered_the_next_call() {
    let mut world = World::new(1, |_| {});
    world.phones[0].0.set_plan(Plan { reaction: Reaction::Silent, hold: None, hang_up_after: None });
    world.call(Duration::from_secs(6), Duration::from_secs(1));
    world.until(Duration::from_secs(10), |w| w.ended().is_some());
    assert_eq!(world.state(0), AgentState::Reserved, "its phone may still ring");
    world.run(Duration::from_secs(6));
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Unreachable));
    world.nothing_is_left();
}

#[test]
fn of_two_feature_codes_dialled_together_the_last_counts() {
    let mut world = World::new(1, |_| {});
    let now = world.now;
    world.phones[0].0.dial(now, "*13");
    world.phones[0].0.dial(now, "*141");
    world.run(Duration::from_secs(10));
    let accepted = world.phones[0].2.iter().filter(|f| matches!(f, UaFact::Dialled { refused: None, .. })).count();
    assert_eq!(accepted, 3, "sign-in and both codes: {:?}", world.phones[0].2);
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Break));
}

/// A carrier-like INVITE of its own, from nobody in particular.
fn invite(n: u32) -> Vec<u8> {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 8\r\n";
    format!(
        "INVITE sip:12345@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKflood{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:0531{n}@127.0.0.1>;tag=f{n}\r\nTo: <sip:12345@127.0.0.1>\r\nCall-ID: flood-{n}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:6000>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

#[test]
fn a_flood_from_strangers_gets_no_answer_and_leaves_nothing_behind() {
    let mut world = World::new(0, |_| {});
    let stranger = Flow { remote: "203.0.113.9:5060".parse().unwrap(), ..caller_flow() };
    let before = world.gateway.save().len();
    for n in 0..20_000 {
        world.gateway.handle(world.now, Input::Message { flow: stranger, bytes: &invite(n) });
        assert_eq!(world.gateway.next_output(), None, "a stranger was answered");
    }
    assert_eq!(world.gateway.leftovers(), Leftovers::default());
    assert_eq!(world.gateway.refusals().unknown_peer, 20_000);
    assert!(world.gateway.save().len() < before + 64, "state grew with the flood");
}

#[test]
fn calls_nobody_acknowledges_are_bounded_and_end() {
    let mut world = World::new(0, |_| {});
    let limit = world.gateway.settings().limits.max_calls as usize;
    for n in 0..5_000 {
        world.feed(Input::Message { flow: caller_flow(), bytes: &invite(n) });
    }
    assert_eq!(world.gateway.calls(), limit);
    let refused = world.to_caller.iter().filter(|m| m.starts_with("SIP/2.0 503") && m.contains("Retry-After")).count();
    assert_eq!(refused, 5_000 - limit);
    // RFC 3261 s13.3.1.4: 64*T1 without an ACK, then BYE, which nobody answers either.
    world.nothing_is_left();
    let faults =
        world.facts.iter().filter(|f| matches!(f, CallFact::Ended { cause: EndCause::TrunkFault, .. })).count();
    assert_eq!(faults, limit);
}
