//! What a media thread does when it is told something: opening, connecting and closing legs, joining them, giving ports
//! away and taking them in. Not here: packets and time (`shard`), which thread is told (`router`).

use super::{Arrivals, Order, Port, Shard, Wire, send_report, watch};
use crate::ids::LegId;
use crate::media::leg::{Leg, Seeds};
use crate::media::recording::Conversation;
use crate::media::rtcp::{Closing, MAX_REPORT};
use crate::plane::recording::RecordingName;
use crate::plane::{MOST_MIXED, MediaCommand, MediaEvent, Source};
use crate::time::Instant;
use rand_chacha::rand_core::Rng;
use rustix::event::epoll;

impl Shard {
    /// Takes what came from outside. False: the end.
    pub(super) fn obey(&mut self) -> bool {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.wake, &mut count);
        while let Ok(batch) = self.arrivals.try_recv() {
            batch.into_iter().for_each(|(slot, port)| self.arrive(slot, port));
        }
        while let Ok(order) = self.orders.try_recv() {
            self.waiting.push_back(order);
        }
        while let Some(order) = self.waiting.pop_front() {
            if !self.can(&order) {
                self.waiting.push_front(order);
                break;
            }
            match order {
                Order::Do { slot, command } => self.apply(slot, command),
                Order::Release { slots, to } => self.release(&slots, to),
                Order::Browser(order) => {
                    let now = self.clock.now();
                    if let Some(browsers) = &mut self.browsers {
                        browsers.obey(now, order);
                    }
                    self.connect_browsers(now);
                }
                Order::Stop => {
                    let open: Vec<u32> = self.legs.values().copied().collect();
                    open.into_iter().for_each(|slot| self.close(slot));
                    let now = self.clock.now();
                    self.browsers.iter_mut().for_each(|browsers| browsers.close_all(now));
                    return false;
                }
            }
        }
        true
    }

    /// Are the ports it is about here already?
    fn can(&self, order: &Order) -> bool {
        let here = |slot: &u32| self.ports[*slot as usize].is_some();
        match order {
            Order::Do { slot, .. } => here(slot),
            Order::Release { slots, .. } => slots.iter().all(here),
            Order::Browser(_) | Order::Stop => true,
        }
    }

    fn apply(&mut self, slot: u32, command: MediaCommand) {
        let now = self.clock.now();
        match command {
            MediaCommand::Open { leg, .. } => self.open(now, slot, leg),
            MediaCommand::OpenBrowser { leg, seat, expect_rtp_within, rtp_timeout } => {
                self.open(now, slot, leg);
                if let Some(browsers) = &mut self.browsers {
                    browsers.attach(slot, leg, seat, expect_rtp_within, rtp_timeout);
                }
                self.connect_browsers(now);
            }
            MediaCommand::OpenWebRtc { leg } => {
                self.open(now, slot, leg);
                self.browsers.iter_mut().for_each(|browsers| browsers.attach_phone(slot, leg));
            }
            MediaCommand::Connect { remote, also_from, expect_rtp_within, rtp_timeout, .. } => {
                if let (Some(browsers), true) = (&mut self.browsers, remote.webrtc.is_some()) {
                    browsers.connect_phone(now, slot, &remote);
                }
                if let Some(leg) = self.leg(slot) {
                    leg.connect(now, remote, also_from, expect_rtp_within, rtp_timeout);
                }
            }
            MediaCommand::SetSource { source, .. } => self.set_source(slot, source),
            MediaCommand::Record { file, .. } => self.record(now, slot, Some(file)),
            MediaCommand::StopRecording { .. } => self.record(now, slot, None),
            MediaCommand::Close { .. } => self.close(slot),
        }
    }

    fn open(&mut self, now: Instant, slot: u32, id: LegId) {
        if self.leg(slot).is_some() {
            tracing::error!(leg = %id, "the port is still another leg's: that one is closed");
            self.close(slot);
        }
        let Some(port) = &mut self.ports[slot as usize] else { return };
        // What lies here was meant for an earlier call. As many as a socket buffer holds, no more: they may still come.
        let mut rest = [0; 1];
        if let Wire::Pair(pair) = &port.wire {
            for (_, socket) in pair.sockets() {
                for _ in 0..1_024 {
                    if socket.recv_from(&mut rest).is_err() {
                        break;
                    }
                    self.figures.stray += 1;
                }
            }
        }
        let seeds = Seeds { stream: self.random.next_u64(), name: self.random.next_u64() };
        port.leg = Some(Box::new(Leg::new(now, id, seeds)));
        self.legs.insert(id, slot);
        self.pacer.add(now, slot);
    }

    pub(super) fn set_source(&mut self, slot: u32, source: Source) {
        let now = self.clock.now();
        self.stop_listening(slot);
        let source = match source {
            Source::Leg(other) if self.listen(slot, other) => source,
            Source::Leg(_) => Source::Silence,
            Source::Mix(mut legs) => {
                legs.truncate(MOST_MIXED);
                legs.retain(|other| self.legs.get(other) != Some(&slot) && self.listen(slot, *other));
                Source::Mix(legs)
            }
            other => other,
        };
        let Some(Port { leg: Some(leg), .. }) = self.ports[slot as usize].as_deref_mut() else { return };
        leg.set_source(source, &self.prompts);
        match leg.fed_by() {
            Some(_) => self.pacer.remove(slot),
            None => self.pacer.add(now, slot),
        }
    }

    /// What this leg says and hears is taken down under this name from now on, or no more.
    fn record(&mut self, now: Instant, slot: u32, name: Option<RecordingName>) {
        let (Some(port), Some(tap)) = (&mut self.ports[slot as usize], &mut self.tap) else { return };
        let next = name.map(|name| Conversation::new(name, now));
        if let Some(over) = std::mem::replace(&mut port.recording, next) {
            tap.end(over, now);
        }
    }

    /// Whoever is in this slot is given what the leg says. False: there is no such leg.
    fn listen(&mut self, slot: u32, speaker: LegId) -> bool {
        let port = self.legs.get(&speaker).and_then(|at| self.ports[*at as usize].as_mut());
        let Some(Port { listeners, .. }) = port.map(Box::as_mut) else {
            tracing::warn!(leg = %speaker, "no such leg to listen to: silence instead");
            return false;
        };
        if !listeners.contains(&slot) {
            listeners.push(slot);
        }
        true
    }

    fn close(&mut self, slot: u32) {
        let now = self.clock.now();
        self.stop_listening(slot);
        self.record(now, slot, None);
        self.pacer.remove(slot);
        let Some(port) = &mut self.ports[slot as usize] else { return };
        let Some(mut leg) = port.leg.take() else { return };
        let listeners = std::mem::take(&mut port.listeners);
        let missed = match &port.wire {
            Wire::Pair(pair) => {
                send_report(pair, &mut leg, now, Closing::Bye, &mut [0; MAX_REPORT], &mut self.figures);
                None
            }
            // RTCP of browsers is their sessions' affair.
            Wire::Browser => self.browsers.as_mut().map(|browsers| browsers.detach(now, slot)),
        };
        self.legs.remove(&leg.id());
        for listener in listeners {
            if let Some(listening) = self.leg(listener) {
                listening.forget(leg.id());
                self.pacer.add(now, listener);
            }
        }
        let mut stats = leg.stats();
        stats.remote_lost = missed.unwrap_or(stats.remote_lost);
        self.figures.add_leg(&stats);
        (self.events)(MediaEvent::Closed { leg: leg.id(), stats });
    }

    fn stop_listening(&mut self, slot: u32) {
        let speakers: Vec<LegId> = self.leg(slot).into_iter().flat_map(|leg| leg.speakers()).collect();
        for speaker in speakers.iter().filter_map(|id| self.legs.get(id)) {
            if let Some(port) = &mut self.ports[*speaker as usize] {
                port.listeners.retain(|listener| *listener != slot);
            }
        }
    }

    fn leg(&mut self, slot: u32) -> Option<&mut Leg> {
        self.ports[slot as usize].as_mut()?.leg.as_deref_mut()
    }

    fn release(&mut self, slots: &[u32], to: usize) {
        let mut batch = Arrivals::with_capacity(slots.len());
        for &slot in slots {
            let Some(port) = self.ports[slot as usize].take() else { continue };
            if let Wire::Pair(pair) = &port.wire {
                for (_, socket) in pair.sockets() {
                    let _ = epoll::delete(&self.epoll, socket);
                }
            }
            if let Some(leg) = &port.leg {
                self.legs.remove(&leg.id());
                self.pacer.remove(slot);
            }
            batch.push((slot, port));
        }
        // Fails only when that thread has ended, which ends the service.
        let _ = self.neighbours[to].arrivals.send(batch);
        crate::media::ring(&self.neighbours[to].wake);
    }

    fn arrive(&mut self, slot: u32, port: Box<Port>) {
        if let Wire::Pair(pair) = &port.wire
            && let Err(error) = watch(&self.epoll, slot, pair)
        {
            tracing::error!(port = pair.port, %error, "epoll does not take a moved port: its calls stay silent");
        }
        if let Some(leg) = &port.leg {
            self.legs.insert(leg.id(), slot);
            if leg.fed_by().is_none() {
                self.pacer.add(self.clock.now(), slot);
            }
        }
        self.ports[slot as usize] = Some(port);
    }
}
