//! The carriers' calls, the phones and the people at them: what they get, say and do.

use super::brain::{call_id_of, first_line};
use super::people::Act;
use super::scenario::{CITY, GATEWAY_SIP, NUMBERS, STRANGER, seat_at, seat_number};
use super::{Carrier, Day, Event, Wrapped};
use crate::event::AgentState;
use crate::sim::ua::{CarrierCall, CarrierFault, CarrierParams, Cli, Phone, Pickup, Station, UaFact, UaOutput};
use crate::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

impl Day<'_> {
    pub(super) fn delivered(&mut self, to: SocketAddr, bytes: &[u8]) {
        if to == STRANGER {
            return;
        }
        if let Some(i) = seat_at(to).filter(|&i| i < self.seats.len()) {
            // A phone that moved is not at its old port any more.
            if self.seats[i].phone.address() == to {
                self.with_phone(i, |phone, now| phone.on_message(now, bytes));
            }
            return;
        }
        match call_id_of(bytes).and_then(|id| self.by_call_id.get(id)).copied() {
            Some(i) if self.carriers[i].sip == to => match self.carriers[i].ua {
                Some(_) => self.with_carrier(i, |ua, now| ua.on_message(now, bytes)),
                None => self.unknown_to_carrier(i, bytes),
            },
            _ => self.audit.fault(self.now, format!("{to} got what nobody there began: {}", first_line(bytes))),
        }
    }

    pub(super) fn call_arrives(&mut self) {
        let index = self.carriers.len();
        if index + 1 < self.scenario.calls {
            let gap =
                self.scenario.arrivals.next(&mut self.rng, self.now - self.start + Duration::from_secs(8 * 3_600));
            self.plan(gap, Event::CallArrives);
        } else {
            self.plan(Duration::from_secs(900), Event::Close);
        }
        let now = self.now;
        let rng = &mut self.rng;
        let chosen = rng.below(2) as usize;
        // A citizen whose carrier is down comes by the other.
        let trunk = if self.hosts[chosen].back <= now { chosen } else { 1 - chosen };
        let sip = self.hosts[trunk].sip;
        let rtp = SocketAddr::new(sip.ip(), 10_000 + 2 * (index % 20_000) as u16);
        let number = NUMBERS[rng.weighted(&NUMBERS.map(|n| n.1))].0;
        let t = self.scenario.troubles;
        let fault = match rng.weighted(&[t.carrier_dies, t.carrier_never_acks, 1.0]) {
            0 => Some(CarrierFault::DiesAfter(rng.exponential(Duration::from_secs(40)))),
            1 => Some(CarrierFault::NeverAcks),
            _ => None,
        };
        let patience = if rng.chance(0.02) {
            rng.between(Duration::ZERO, Duration::from_secs(5))
        } else {
            rng.exponential(self.scenario.patience)
        };
        let (mu, sigma) = self.scenario.talk;
        let talk = (!rng.chance(0.2)).then(|| rng.lognormal(mu, sigma));
        let cli = match rng.below(20) {
            0 => Cli::Absent,
            1 => Cli::Withheld("053188880000".into()),
            _ => Cli::Shown(format!("{CITY}{:08}", 60_000_000 + rng.below(30_000_000))),
        };
        let seed = rng.next_u64();
        let early_rtp = rng.chance(0.5);
        let (number, cli) = self.special(index).map_or((number, cli), |(number, cli)| (number, Cli::Shown(cli)));
        let rng = &mut self.rng;
        let params = CarrierParams {
            station: station(sip, rtp),
            seed,
            dnis: number.into(),
            cli,
            patience,
            talk,
            pickup: if trunk == 0 { Pickup::WhenHeard } else { Pickup::OnAnswer },
            fault,
        };
        if rng.chance(t.carrier_holds) {
            let (after, long) = (rng.exponential(Duration::from_secs(30)), rng.exponential(Duration::from_secs(10)));
            self.plan(after, Event::CarrierHolds(index, true));
            self.plan(after + long, Event::CarrierHolds(index, false));
        }
        let ua = CarrierCall::start(self.now, params);
        self.by_call_id.insert(ua.sip_call_id().to_string(), index);
        self.by_rtp.insert(rtp, index);
        self.audit.placed(self.now, index, ua.sip_call_id(), number, fault.is_some());
        self.carriers.push(Carrier { ua: Some(ua), trunk, sip, rtp, early_rtp, alarm: None });
        self.after_carrier(index);
    }

    pub(super) fn with_carrier(&mut self, i: usize, act: impl FnOnce(&mut CarrierCall, Instant)) {
        let now = self.now;
        if let Some(ua) = self.carriers.get_mut(i).and_then(|c| c.ua.as_mut()) {
            act(ua, now);
            self.after_carrier(i);
        }
    }

    pub(super) fn after_carrier(&mut self, i: usize) {
        let now = self.now;
        loop {
            let carrier = &mut self.carriers[i];
            let Some(ua) = &mut carrier.ua else { return };
            let Some(output) = ua.poll() else {
                if ua.is_gone() {
                    carrier.ua = None;
                    return;
                }
                let next = ua.next_timeout();
                if let Some(at) = next.map(|at| at.max(now))
                    && carrier.alarm.is_none_or(|armed| at < armed)
                {
                    carrier.alarm = Some(at);
                    self.plan_at(at, Event::CarrierAlarm(i));
                }
                return;
            };
            let (from, rtp, early) = (carrier.sip, carrier.rtp, carrier.early_rtp);
            match output {
                UaOutput::Send(bytes) => self.send(from, bytes, self.scenario.carrier_path.inbound),
                UaOutput::Fact(fact) => {
                    self.trace(|| format!("carrier {i}: {fact:?}"));
                    self.audit.carrier(now, i, &fact);
                    let stream = match &fact {
                        UaFact::EarlyMedia(media) if early => Some(Some(media.rtp)),
                        UaFact::Answered(media) | UaFact::MediaChanged(media) => Some(Some(media.rtp)),
                        UaFact::Ended(_) => Some(None),
                        _ => None,
                    };
                    if let Some(stream) = stream {
                        self.stream(rtp, stream);
                    }
                }
            }
        }
    }

    pub(super) fn with_phone(&mut self, i: usize, act: impl FnOnce(&mut Phone, Instant)) {
        act(&mut self.seats[i].phone, self.now);
        self.after_phone(i);
    }

    pub(super) fn after_phone(&mut self, i: usize) {
        let now = self.now;
        let from = self.seats[i].phone.address();
        while let Some(output) = self.seats[i].phone.poll() {
            match output {
                UaOutput::Send(bytes) => self.send(from, bytes, self.scenario.seat_path.inbound),
                UaOutput::Fact(fact) => {
                    self.trace(|| format!("phone {}: {fact:?}", seat_number(i)));
                    self.audit.phone(now, i, &fact);
                    self.phone_saw(i, &fact);
                }
            }
        }
        let seat = &mut self.seats[i];
        if let Some(at) = seat.phone.next_timeout().map(|at| at.max(now))
            && seat.alarm.is_none_or(|armed| at < armed)
        {
            seat.alarm = Some(at);
            self.plan_at(at, Event::PhoneAlarm(i));
        }
    }

    pub(super) fn phone_saw(&mut self, i: usize, fact: &UaFact) {
        let rtp = self.seats[i].rtp;
        match fact {
            UaFact::Answered(media) | UaFact::MediaChanged(media) => self.stream(rtp, Some(media.rtp)),
            UaFact::Ended(_) => {
                self.stream(rtp, None);
                self.think_soon(i, 1_000, 5_000);
                let plan = self.seats[i].person.plan(&self.scenario);
                self.seats[i].phone.set_plan(plan);
            }
            UaFact::Registered => self.think_soon(i, 200, 3_000),
            UaFact::Dialled { .. } => {
                self.seats[i].person.dialling = false;
                self.think_soon(i, 3_000, 8_000);
            }
            _ => {}
        }
    }

    pub(super) fn stream(&mut self, from: SocketAddr, to: Option<SocketAddr>) {
        for (delay, notice) in self.plane.stream(from, to) {
            self.plan(delay, Event::Plane(Wrapped(notice)));
        }
    }

    pub(super) fn shown(&mut self, i: usize, state: AgentState) {
        self.seats[i].person.shown = state;
        self.may_pass_on(i, state);
        self.may_use_transfer_key(i, state);
        self.may_order(i, state);
        self.look_soon(i);
        if matches!(state, AgentState::NotReady(_) | AgentState::LoggedOut | AgentState::WrapUp | AgentState::Ready) {
            self.think_soon(i, 1_000, 20_000);
        }
    }

    pub(super) fn think_soon(&mut self, i: usize, low_ms: u64, high_ms: u64) {
        let at = self.now + self.seats[i].person.delay(low_ms, high_ms);
        self.think_at(i, at);
    }

    fn think_at(&mut self, i: usize, at: Instant) {
        let person = &mut self.seats[i].person;
        if person.thinks_at.is_none_or(|planned| at < planned) {
            person.thinks_at = Some(at);
            self.plan_at(at, Event::Think(i));
        }
    }

    pub(super) fn think(&mut self, i: usize) {
        let (now, at_page) = (self.now, self.at_page(i));
        let seat = &mut self.seats[i];
        if seat.person.thinks_at != Some(now) {
            return;
        }
        seat.person.thinks_at = None;
        if !at_page && (seat.person.dialling || !seat.phone.is_on() || seat.phone.is_busy()) {
            return;
        }
        match seat.person.think(now) {
            Act::Dial(code) if at_page => self.page_dials(i, &code),
            Act::Dial(code) => {
                seat.person.dialling = true;
                self.with_phone(i, |phone, now| phone.dial(now, &code));
            }
            Act::ThinkAt(at) => self.think_at(i, at),
            Act::Rest => {}
        }
    }

    pub(super) fn break_begins(&mut self, i: usize) {
        if self.closing {
            return;
        }
        self.seats[i].person.take_break(self.now);
        self.think_soon(i, 0, 1_000);
        let next = self.seats[i].person.next_after(self.scenario.troubles.breaks);
        self.plan_some(next, Event::BreakBegins(i));
    }
}

pub(super) fn station(sip: SocketAddr, rtp: SocketAddr) -> Station {
    Station { sip, gateway: GATEWAY_SIP, rtp, payload_types: vec![8], dtmf: Some(101) }
}
