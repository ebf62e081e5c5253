//! What breaks from outside: strangers, power cuts, the death of the process, the end of the shift.

use super::scenario::{STRANGER, settings};
use super::{Arrivals, Day, Event, gateway_seed};
use crate::event::AgentState;
use crate::gateway::{Gateway, Input};
use std::time::Duration;

impl Day<'_> {
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
            self.with_phone(i, |phone, now| phone.unregister(now));
        }
    }
}
