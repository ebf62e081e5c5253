//! A pretend carrier directly against a pretend phone, through the pretend network: the machines agree with each
//! other before they judge the gateway.

use super::*;
use crate::sim::network::Path;
use crate::sim::rng::Rng;
use crate::time::Instant;
use std::time::Duration;

const CARRIER: &str = "10.1.0.2:5060";
const PHONE: &str = "10.3.0.1:5060";

fn station(sip: &str, peer: &str, rtp: &str) -> Station {
    Station {
        sip: sip.parse().unwrap(),
        gateway: peer.parse().unwrap(),
        rtp: rtp.parse().unwrap(),
        payload_types: vec![8],
        dtmf: Some(101),
    }
}

struct Pair {
    now: Instant,
    rng: Rng,
    path: Path,
    carrier: CarrierCall,
    phone: Phone,
    in_flight: Vec<(Instant, bool, Vec<u8>)>,
    carrier_saw: Vec<UaFact>,
    phone_saw: Vec<UaFact>,
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

impl Pair {
    fn new(seed: u64, path: Path, plan: Plan, patience: Duration, talk: Option<Duration>) -> Pair {
        let now = Instant::from_unix_secs(1_000);
        let mut rng = Rng::new(seed);
        let params = CarrierParams {
            station: station(CARRIER, PHONE, "10.1.0.2:10000"),
            seed: rng.next_u64(),
            dnis: "12345".into(),
            cli: Cli::Withheld("053188880000".into()),
            patience,
            talk,
            pickup: Pickup::OnAnswer,
            fault: None,
        };
        let phone = PhoneParams {
            station: station(PHONE, CARRIER, "10.3.0.1:4000"),
            seed: rng.next_u64(),
            account: Account { user: "601".into(), secret: "s".into(), sha256: true },
            domain: "hotline.test".into(),
            expires: seconds(600),
            plan,
        };
        let mut phone = Phone::start(now, phone);
        while phone.poll().is_some() {} // Its REGISTER has no registrar here.
        let carrier = CarrierCall::start(now, params);
        Pair { now, rng, path, carrier, phone, in_flight: vec![], carrier_saw: vec![], phone_saw: vec![] }
    }

    /// Runs until `until` or until nothing is left to do but the phone's registration.
    fn run(&mut self, until: Duration) {
        let end = self.now + until;
        loop {
            while let Some(output) = self.carrier.poll() {
                match output {
                    UaOutput::Send(bytes) => self.send(true, bytes),
                    UaOutput::Fact(fact) => self.carrier_saw.push(fact),
                }
            }
            while let Some(output) = self.phone.poll() {
                match output {
                    UaOutput::Send(bytes) if bytes.starts_with(b"REGISTER") => {}
                    UaOutput::Send(bytes) => self.send(false, bytes),
                    UaOutput::Fact(UaFact::NotRegistered(None)) => {}
                    UaOutput::Fact(fact) => self.phone_saw.push(fact),
                }
            }
            let arrival = self.in_flight.iter().map(|m| m.0).min();
            let next = [arrival, self.carrier.next_timeout(), self.phone.next_timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            if let Some(i) = self.in_flight.iter().position(|m| m.0 <= self.now) {
                let (_, to_phone, bytes) = self.in_flight.remove(i);
                if to_phone {
                    self.phone.on_message(self.now, &bytes);
                } else {
                    self.carrier.on_message(self.now, &bytes);
                }
                continue;
            }
            self.carrier.on_timeout(self.now);
            self.phone.on_timeout(self.now);
        }
    }

    fn send(&mut self, to_phone: bool, bytes: Vec<u8>) {
        for delay in self.path.inbound.carry(&mut self.rng) {
            self.in_flight.push((self.now + delay, to_phone, bytes.clone()));
        }
    }
}

fn endings(facts: &[UaFact]) -> Vec<Ending> {
    facts.iter().filter_map(|f| if let UaFact::Ended(how) = f { Some(*how) } else { None }).collect()
}

#[test]
fn a_clean_call_with_hold_is_seen_alike_on_both_sides() {
    let plan = Plan { hold: Some((seconds(5), seconds(4))), ..Plan::answer_after(seconds(3)) };
    let mut pair = Pair::new(1, Path::CLEAN, plan, seconds(60), Some(seconds(20)));
    pair.run(seconds(120));
    let to_phone: std::net::SocketAddr = "10.3.0.1:4000".parse().unwrap();
    assert!(
        matches!(&pair.carrier_saw[..], [
            UaFact::Ringing,
            UaFact::Answered(up),
            UaFact::MediaChanged(held),
            UaFact::MediaChanged(resumed),
            UaFact::Ended(Ending::HungUp),
        ] if up.rtp == to_phone && up.dtmf == Some(101) && up.listens && !held.listens && resumed.listens),
        "{:#?}",
        pair.carrier_saw
    );
    assert!(matches!(pair.phone_saw[0], UaFact::Offered { .. }));
    assert_eq!(endings(&pair.phone_saw), [Ending::PeerHungUp]);
    assert!(pair.carrier.is_gone(), "nothing lingers for ever");
}

#[test]
fn each_way_out_has_its_name() {
    let answer = Plan::answer_after(seconds(3));
    /// Name, what the phone does, the citizen's patience and talk in seconds, how it ends for carrier and phone.
    type Row = (&'static str, Plan, u64, Option<u64>, Ending, &'static [Ending]);
    let table: [Row; 6] = [
        (
            "busy",
            Plan { reaction: Reaction::Refuse { after: seconds(0), status: 486 }, ..answer },
            60,
            Some(20),
            Ending::Refused(486),
            &[Ending::WeRefused(486)],
        ),
        (
            "declined late",
            Plan { reaction: Reaction::Refuse { after: seconds(4), status: 603 }, ..answer },
            60,
            Some(20),
            Ending::Refused(603),
            &[Ending::WeRefused(603)],
        ),
        (
            "impatient",
            Plan { reaction: Reaction::Ignore, ..answer },
            10,
            Some(20),
            Ending::Cancelled,
            &[Ending::PeerCancelled],
        ),
        ("dead", Plan { reaction: Reaction::Silent, ..answer }, 100, Some(20), Ending::NoReply, &[Ending::NoReply]),
        (
            "agent hangs up",
            Plan { hang_up_after: Some(seconds(9)), ..answer },
            60,
            None,
            Ending::PeerHungUp,
            &[Ending::HungUp],
        ),
        (
            "CANCEL crosses 200",
            Plan::answer_after(Duration::from_micros(2_999_000)),
            3,
            Some(20),
            Ending::Cancelled,
            &[Ending::PeerHungUp],
        ),
    ];
    for (name, plan, patience, talk, carrier, phone) in table {
        let mut pair = Pair::new(1, Path::CLEAN, plan, seconds(patience), talk.map(seconds));
        pair.run(seconds(200));
        assert_eq!(endings(&pair.carrier_saw), [carrier], "{name}: carrier");
        assert_eq!(endings(&pair.phone_saw), phone, "{name}: phone");
    }
}

#[test]
fn calls_survive_a_hostile_network() {
    let mut answered = 0;
    for seed in 0..300 {
        let plan = Plan { hold: Some((seconds(3), seconds(3))), ..Plan::answer_after(seconds(2)) };
        let mut pair = Pair::new(seed, Path::HOSTILE, plan, seconds(90), Some(seconds(30)));
        pair.run(seconds(300));
        assert_eq!(endings(&pair.carrier_saw).len(), 1, "seed {seed}: {:?}", pair.carrier_saw);
        let up = |facts: &[UaFact]| facts.iter().any(|f| matches!(f, UaFact::Answered(_)));
        let offered = pair.phone_saw.iter().filter(|f| matches!(f, UaFact::Offered { .. })).count();
        assert_eq!(endings(&pair.phone_saw).len(), offered, "seed {seed}: {:?}", pair.phone_saw);
        assert!(pair.carrier.is_gone(), "seed {seed}");
        answered += u32::from(up(&pair.carrier_saw));
    }
    assert!(answered >= 290, "only {answered} of 300 calls came up");
}
