//! What breaks from outside: strangers, power cuts, carriers that reboot, the death of the process, the end of the shift.

use super::scenario::{GATEWAY_SIP, STRANGER, settings};
use super::{Arrivals, Carrier, Day, Event, Host, gateway_seed};
use crate::event::AgentState;
use crate::gateway::{Gateway, Input};
use crate::sip::message::{Builder, Framing, Message, Method};
use std::time::Duration;

impl Day<'_> {
    pub(super) fn power_cut(&mut self, i: usize) {
        if self.closing {
            return;
        }
        self.seats[i].phone.power_off();
        self.seats[i].person.dialling = false;
        self.after_phone(i);
        let back = self.seats[i].person.delay(2_000, 120_000);
        self.plan(back, Event::PowerBack(i));
        let next = self.seats[i].person.next_after(self.scenario.troubles.power_cuts);
        self.plan_some(next.map(|next| back + next), Event::PowerCut(i));
    }

    pub(super) fn power_back(&mut self, i: usize) {
        if self.seats[i].phone.is_on() {
            return;
        }
        if let Some(port) = self.other_port() {
            self.seats[i].phone.move_to(port);
        }
        self.with_phone(i, |phone, now| phone.power_on(now));
    }

    pub(super) fn plan_reboot(&mut self, trunk: usize) {
        let reboots = self.scenario.troubles.reboots;
        if reboots > 0.0 && !self.closing {
            let next = self.rng.exponential(Duration::from_secs_f64(3_600.0 / reboots));
            self.plan(next, Event::CarrierReboots(trunk));
        }
    }

    /// The carrier's machine dies, comes back, and knows none of its calls.
    pub(super) fn carrier_reboots(&mut self, trunk: usize) {
        // Not both at once: somebody has to bring the calls.
        if self.closing || self.hosts[1 - trunk].back > self.now {
            return self.plan_reboot(trunk);
        }
        self.trace(|| format!("carrier {trunk} reboots"));
        for i in 0..self.carriers.len() {
            if self.carriers[i].trunk == trunk && self.carriers[i].ua.is_some() {
                self.with_carrier(i, |ua, _| ua.die());
            }
        }
        self.hosts[trunk].back = self.now + self.rng.between(Duration::from_secs(1), Duration::from_secs(40));
        if let Some(port) = self.other_port() {
            self.hosts[trunk].sip.set_port(port);
        }
        self.plan_reboot(trunk);
    }

    /// For one that comes back; `None`: it keeps its own.
    fn other_port(&mut self) -> Option<u16> {
        let moves = self.scenario.troubles.moves;
        // No draw where nobody moves: the days of other scenarios stay as they were.
        (moves > 0.0 && self.rng.chance(moves)).then(|| 5_061 + self.rng.below(900) as u16)
    }

    /// A message for a call its carrier knows nothing of any more: the machine, if it is back at that port, says so.
    pub(super) fn unknown_to_carrier(&mut self, i: usize, bytes: &[u8]) {
        let Carrier { trunk, sip, .. } = self.carriers[i];
        let Host { sip: host, back } = self.hosts[trunk];
        if self.scenario.troubles.reboots == 0.0 || host != sip || back > self.now {
            return;
        }
        let Ok(msg) = Message::parse(bytes, Framing::Datagram) else { return };
        if msg.method().is_some_and(|method| method != Method::Ack) {
            let answer = Builder::response(&msg, 481, "Call Does Not Exist", Some(b"reborn"), GATEWAY_SIP).finish();
            self.send(host, answer, self.scenario.carrier_path.inbound);
        }
    }

    pub(super) fn stranger_calls(&mut self) {
        if self.closing {
            return;
        }
        let messages: [&[u8]; 4] = [
            b"INVITE sip:12345@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKx\r\nFrom: <sip:100@203.0.113.9>;tag=1\r\nTo: <sip:12345@10.0.0.1>\r\nCall-ID: stranger\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:100@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
            b"REGISTER sip:hotline.test SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKy\r\nFrom: <sip:800@hotline.test>;tag=1\r\nTo: <sip:800@hotline.test>\r\nCall-ID: stranger\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:800@203.0.113.9>\r\nContent-Length: 0\r\n\r\n",
            b"OPTIONS sip:100@10.0.0.1 SIP/2.0\r\nVia: junk\r\n\r\n",
            b"\x00\xff\r\n\r\nBYE",
        ];
        let which = self.rng.below(4) as usize;
        self.plan(Duration::ZERO, Event::Inbound { from: STRANGER, bytes: messages[which].to_vec() });
        let next = self.rng.exponential(Duration::from_secs_f64(1.0 / self.scenario.troubles.strangers));
        self.plan(next, Event::Stranger);
    }

    /// Plans how processes of this day end before it does.
    pub(super) fn plan_ends(&mut self) {
        let Arrivals::Rate(rate) = self.scenario.arrivals else { return };
        let day = Duration::from_secs_f64(self.scenario.calls as f64 / rate);
        for _ in 0..self.scenario.crashes {
            let at = day.mul_f64(0.1 + 0.8 * self.rng.unit());
            self.plan(at, Event::Crash);
        }
        if self.scenario.drain_after < 1.0 {
            self.plan(day.mul_f64(self.scenario.drain_after), Event::Drain);
        }
    }

    /// SIGTERM: no new calls, and what is up in a minute is ended. Nobody starts the gateway again on this day.
    pub(super) fn drain(&mut self) {
        self.audit.draining();
        self.input(Input::Drain);
        self.plan(Duration::from_secs(60), Event::EndCalls);
    }

    /// `kill -9` and an immediate restart: memory is gone, the disk is not.
    pub(super) fn crash(&mut self) {
        self.trace(|| "CRASH".into());
        let seed = gateway_seed(&mut self.rng);
        self.gateway = Gateway::new(settings(&self.scenario), seed, self.now);
        self.gateway_alarm = None;
        self.plane.crash();
        self.stores.crash();
        self.audit.crash(self.now);
        for i in 0..self.seats.len() {
            // The screen goes blank, so the agent registers and signs in again.
            self.seats[i].person.shown = AgentState::LoggedOut;
            self.with_phone(i, |phone, now| phone.register(now));
        }
        self.pages_after_crash();
        // Citizens hear dead air and hang up.
        for i in 0..self.carriers.len() {
            if self.carriers[i].ua.as_ref().is_some_and(|ua| ua.ending().is_none()) {
                let after = self.rng.between(Duration::from_millis(100), Duration::from_secs(8));
                self.plan(after, Event::CarrierHangsUp(i));
            }
        }
    }

    /// The day ends: everybody goes home, phones are switched off.
    pub(super) fn close(&mut self) {
        self.trace(|| "CLOSE".into());
        if !self.closing {
            self.closing = true;
            for i in 0..self.seats.len() {
                self.seats[i].person.go_home();
                self.think_soon(i, 0, 60_000);
            }
            self.plan(Duration::from_secs(600), Event::Close);
            return;
        }
        for i in 0..self.seats.len() {
            self.page_closes(i);
            self.with_phone(i, |phone, now| phone.unregister(now));
        }
    }
}
