//! Pretend callers and phones for process tests: the demo's field, with waiting for facts.

use super::{Hotline, SOON, password};
use rexian::demo::field::{Field, NewCall, NewPhone, Who};
use rexian::sim::ua::{Account, Cli, Ending, Pickup, Plan, Reaction, UaFact};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

pub const CALLER_TONE: f32 = 700.0;
pub const SEAT_TONE: f32 = 1_300.0;

pub struct Street {
    pub field: Field,
    domain: &'static str,
    carriers: [usize; 2],
    /// Facts seen while waiting for another.
    past: VecDeque<(Who, UaFact)>,
}

impl Street {
    pub fn new(hotline: &Hotline) -> Street {
        let mut field = Field::new(hotline.sip()).expect("opening the field");
        let mut carrier = |ip| field.open_carrier(ip).expect("binding a carrier's socket");
        let carriers = [carrier(hotline.carrier), carrier(hotline.early)];
        Street { field, domain: hotline.domain(), carriers, past: VecDeque::new() }
    }

    /// A caller on the trunk that is answered at once. Talks until hung up, or until `hang_up`.
    pub fn call(&mut self) -> usize {
        self.place(0, Pickup::WhenHeard, CALLER_TONE)
    }

    /// A caller on the trunk that rings until pickup.
    pub fn call_early(&mut self) -> usize {
        self.place(1, Pickup::OnAnswer, CALLER_TONE)
    }

    fn place(&mut self, carrier: usize, pickup: Pickup, tone: f32) -> usize {
        let call = NewCall {
            dnis: "12345".into(),
            cli: Cli::Shown("13812345678".into()),
            patience: Duration::from_secs(120),
            talk: None,
            pickup,
            fault: None,
            tone,
        };
        self.field.place(self.carriers[carrier], call).expect("placing a call")
    }

    /// A phone of seat 80`n`, registered and signed in.
    pub fn sign_in(&mut self, ip: IpAddr, n: u8, plan: Plan) -> usize {
        let account = Account { user: format!("80{n:02}"), secret: password(n), sha256: false };
        let phone = NewPhone { account, domain: self.domain.to_string(), plan, tone: SEAT_TONE };
        let phone = self.field.install(ip, phone).expect("installing a phone");
        self.wait_for("registration", |who, f| who == Who::Phone(phone) && *f == UaFact::Registered);
        self.dial(phone, "*11");
        phone
    }

    pub fn dial(&mut self, phone: usize, code: &str) {
        self.field.at_phone(phone, |p, now| p.dial(now, code));
        let fact = self.wait_for("the feature code's answer", |who, f| {
            who == Who::Phone(phone) && matches!(f, UaFact::Dialled { .. })
        });
        assert_eq!(fact, UaFact::Dialled { code: code.into(), refused: None });
    }

    /// Waits for a fact, and takes it; others stay to be waited for.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(Who, &UaFact) -> bool) -> UaFact {
        if let Some(at) = self.past.iter().position(|(who, fact)| wanted(*who, fact)) {
            return self.past.remove(at).expect("just found").1;
        }
        let deadline = self.field.now() + SOON;
        while let Some((who, fact)) = self.field.next_fact(deadline).expect("the field's sockets") {
            if wanted(who, &fact) {
                return fact;
            }
            self.past.push_back((who, fact));
        }
        panic!("not within {SOON:?}: {what}; seen meanwhile: {:#?}", self.past);
    }

    pub fn wait_answered(&mut self, who: Who) {
        self.wait_for("an answer", |w, f| w == who && matches!(f, UaFact::Answered(_)));
    }

    pub fn wait_ended(&mut self, who: Who) -> Ending {
        match self.wait_for("the end of a call", |w, f| w == who && matches!(f, UaFact::Ended(_))) {
            UaFact::Ended(how) => how,
            other => panic!("asked for an end, got {other:?}"),
        }
    }

    /// Lets everybody send and hear until `done`, or panics.
    pub fn run_until(&mut self, what: &str, mut done: impl FnMut(&Field) -> bool) {
        let deadline = self.field.now() + SOON;
        while !done(&self.field) {
            assert!(self.field.now() < deadline, "not within {SOON:?}: {what}");
            self.run(Duration::from_millis(20));
        }
    }

    /// Lets everybody send and hear for a while.
    pub fn run(&mut self, time: Duration) {
        let until = self.field.now() + time;
        while let Some(seen) = self.field.next_fact(until).expect("the field's sockets") {
            self.past.push_back(seen);
        }
    }
}

pub fn answers() -> Plan {
    Plan { reaction: Reaction::Answer { after: Duration::from_millis(200) }, hold: None, hang_up_after: None }
}
