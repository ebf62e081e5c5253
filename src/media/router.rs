//! Which media thread each leg lives on. Belongs here: the placing, and the orders that keep one rule: *legs that hear
//! one another are on one thread*. Not here: what the threads do (`shard`). Pure: commands in, orders out.
//!
//! Ports move; browsers cannot, for all of them share one socket. Their slots come after the pool's and stay on their
//! thread, so of two groups that meet the one without browsers moves.

use super::shard::Order;
use super::webrtc;
use crate::ids::LegId;
use crate::plane::{MOST_MIXED, MediaCommand};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug)]
pub struct Router {
    first_port: u16,
    /// The thread of each port pair, by slot.
    homes: Vec<usize>,
    /// Legs per thread.
    loads: Vec<usize>,
    legs: BTreeMap<LegId, Leg>,
    /// Slots from this one on are browsers'. Those not in use, longest unused first.
    first_browser: u32,
    browsers: VecDeque<u32>,
}

#[derive(Debug)]
struct Leg {
    slot: u32,
    /// The legs it hears, or will hear when its prompts have run out; no more than are mixed.
    hears: Vec<LegId>,
}

/// A command that no thread can carry out: the gateway and the plane disagree about what is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misrouted {
    NoSuchPort(u16),
    NoSuchLeg(LegId),
    /// More legs on browsers than there can be browsers, or none are configured.
    TooManyBrowsers(LegId),
}

impl Router {
    /// `pairs` port pairs from `first_port` on, dealt out over `threads` in turn, and slots for so many browsers.
    pub fn new(first_port: u16, pairs: u16, threads: usize, browsers: u16) -> Self {
        let ports = (0..usize::from(pairs)).map(|slot| slot % threads);
        let homes = ports.chain((0..browsers).map(|_| webrtc::THREAD)).collect();
        let first_browser = u32::from(pairs);
        let browsers = (first_browser..).take(browsers.into()).collect();
        Router { first_port, homes, loads: vec![0; threads], legs: BTreeMap::new(), first_browser, browsers }
    }

    /// Hands the orders that carry out `command`, each with its thread, to `order`, in sequence.
    pub fn route(&mut self, command: MediaCommand, mut order: impl FnMut(usize, Order)) -> Result<(), Misrouted> {
        let leg = match &command {
            MediaCommand::Open { leg, .. }
            | MediaCommand::OpenBrowser { leg, .. }
            | MediaCommand::OpenWebRtc { leg }
            | MediaCommand::Connect { leg, .. }
            | MediaCommand::SetSource { leg, .. }
            | MediaCommand::Record { caller: leg, .. }
            | MediaCommand::StopRecording { caller: leg }
            | MediaCommand::Close { leg } => *leg,
        };
        match &command {
            MediaCommand::Open { port, .. } => self.open(leg, *port, &mut order)?,
            MediaCommand::OpenBrowser { .. } | MediaCommand::OpenWebRtc { .. } => self.open_browser(leg)?,
            MediaCommand::SetSource { source, .. } => self.hear(leg, source.heard(), &mut order),
            MediaCommand::Connect { .. }
            | MediaCommand::Record { .. }
            | MediaCommand::StopRecording { .. }
            | MediaCommand::Close { .. } => {}
        }
        let slot = self.legs.get(&leg).ok_or(Misrouted::NoSuchLeg(leg))?.slot;
        let home = self.homes[slot as usize];
        if matches!(command, MediaCommand::Close { .. }) {
            self.legs.remove(&leg);
            self.loads[home] -= 1;
            if slot >= self.first_browser {
                self.browsers.push_back(slot);
            }
        }
        order(home, Order::Do { slot, command });
        Ok(())
    }

    fn open(&mut self, leg: LegId, port: u16, order: &mut impl FnMut(usize, Order)) -> Result<(), Misrouted> {
        let slot = port.checked_sub(self.first_port).filter(|n| n % 2 == 0).map(|n| u32::from(n / 2));
        let slot = slot.filter(|s| *s < self.first_browser).ok_or(Misrouted::NoSuchPort(port))?;
        // A port that was never given back: the thread closes the old leg, and so do we.
        let stale: Vec<LegId> = self.legs.iter().filter(|(_, l)| l.slot == slot).map(|(id, _)| *id).collect();
        for id in stale {
            self.legs.remove(&id);
            self.loads[self.homes[slot as usize]] -= 1;
        }
        let home = self.homes[slot as usize];
        let idlest = (0..self.loads.len()).min_by_key(|t| self.loads[*t]).unwrap_or(home);
        // Moving a port costs a few system calls: not for a difference of one.
        if self.loads[idlest] + 1 < self.loads[home] {
            self.homes[slot as usize] = idlest;
            order(home, Order::Release { slots: vec![slot], to: idlest });
        }
        self.loads[self.homes[slot as usize]] += 1;
        self.legs.insert(leg, Leg { slot, hears: vec![] });
        Ok(())
    }

    fn open_browser(&mut self, leg: LegId) -> Result<(), Misrouted> {
        let slot = self.browsers.pop_front().ok_or(Misrouted::TooManyBrowsers(leg))?;
        self.loads[webrtc::THREAD] += 1;
        self.legs.insert(leg, Leg { slot, hears: vec![] });
        Ok(())
    }

    fn hear(&mut self, leg: LegId, speakers: &[LegId], order: &mut impl FnMut(usize, Order)) {
        let speakers = &speakers[..speakers.len().min(MOST_MIXED)];
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        entry.hears = speakers.to_vec();
        speakers.iter().for_each(|speaker| self.join(leg, *speaker, order));
    }

    /// Brings the two, and all who hear or are heard by either, to one thread.
    fn join(&mut self, leg: LegId, speaker: LegId, order: &mut impl FnMut(usize, Order)) {
        let Some(from) = self.legs.get(&leg).map(|l| self.homes[l.slot as usize]) else { return };
        let Some(to) = self.legs.get(&speaker).map(|s| self.homes[s.slot as usize]) else { return };
        if from == to {
            return;
        }
        // Everyone who hears or is heard by it comes along; the speaker's company is on `to` already.
        let company = self.company(leg, from);
        if company.iter().any(|slot| *slot >= self.first_browser) {
            let company = self.company(speaker, to);
            self.transfer(company, to, from, order);
        } else {
            self.transfer(company, from, to, order);
        }
    }

    /// The slots of all who hear one another, with this leg, on this thread.
    fn company(&self, leg: LegId, from: usize) -> Vec<u32> {
        let mut group = vec![leg];
        let mut next = 0;
        while let Some(&member) = group.get(next) {
            next += 1;
            let heard = self.legs.get(&member).into_iter().flat_map(|l| l.hears.iter().copied());
            let hearing = self.legs.iter().filter(|(_, l)| l.hears.contains(&member)).map(|(id, _)| *id);
            let company: Vec<LegId> = hearing.chain(heard).collect();
            for other in company {
                let here = self.legs.get(&other).is_some_and(|l| self.homes[l.slot as usize] == from);
                if here && !group.contains(&other) {
                    group.push(other);
                }
            }
        }
        group.iter().filter_map(|id| self.legs.get(id)).map(|l| l.slot).collect()
    }

    fn transfer(&mut self, slots: Vec<u32>, from: usize, to: usize, order: &mut impl FnMut(usize, Order)) {
        for &slot in &slots {
            self.homes[slot as usize] = to;
        }
        self.loads[from] -= slots.len();
        self.loads[to] += slots.len();
        order(from, Order::Release { slots, to });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Source;

    fn open(leg: u64, port: u16) -> MediaCommand {
        MediaCommand::Open { leg: LegId(leg), port }
    }
    fn hear(leg: u64, other: u64) -> MediaCommand {
        MediaCommand::SetSource { leg: LegId(leg), source: Source::Leg(LegId(other)) }
    }

    /// Orders as text: `thread:slot` or `thread:slots>to`.
    fn run(router: &mut Router, command: MediaCommand) -> String {
        let mut text = Vec::new();
        let result = router.route(command, |thread, order| {
            text.push(match order {
                Order::Do { slot, .. } => format!("{thread}:{slot}"),
                Order::Release { slots, to } => format!("{thread}:{slots:?}>{to}"),
                Order::Browser(_) | Order::Stop => unreachable!(),
            });
        });
        result.map_or_else(|e| format!("{e:?}"), |()| text.join(" "))
    }

    #[test]
    fn legs_that_hear_one_another_come_together() {
        let mut r = Router::new(20_000, 8, 2, 3);
        let steps = [
            (open(1, 20_000), "0:0"),
            (open(2, 20_002), "1:1"),
            (hear(1, 2), "0:[0]>1 1:0"),
            (hear(2, 1), "1:1"),
            // A third leg joins the pair; then the pair's speaker turns to a fourth elsewhere, and all follow.
            (open(3, 20_004), "0:2"),
            (hear(3, 1), "0:[2]>1 1:2"),
            (open(4, 20_008), "0:4"),
            (hear(1, 4), "1:[0, 1, 2]>0 0:0"),
            (MediaCommand::Close { leg: LegId(4) }, "0:4"),
            (MediaCommand::Close { leg: LegId(4) }, "NoSuchLeg(leg-4)"),
            // Thread 0 has three legs now, thread 1 none: the next goes there although its port is elsewhere.
            (open(5, 20_012), "0:[6]>1 1:6"),
            (open(6, 20_001), "NoSuchPort(20001)"),
            (open(7, 20_016), "NoSuchPort(20016)"),
        ];
        for (n, (command, expected)) in steps.into_iter().enumerate() {
            assert_eq!(run(&mut r, command.clone()), expected, "step {n}: {command:?}");
        }
    }

    #[test]
    fn all_who_are_mixed_come_together_with_their_company() {
        let mix = |leg: u64, others: &[u64]| {
            let others = others.iter().map(|other| LegId(*other)).collect();
            let then = Box::new(Source::Mix(others));
            MediaCommand::SetSource { leg: LegId(leg), source: Source::Play { prompts: vec![], then } }
        };
        let mut r = Router::new(20_000, 8, 3, 1);
        let steps = [
            (open(1, 20_000), "0:0"),
            (open(2, 20_002), "1:1"),
            (hear(1, 2), "0:[0]>1 1:0"),
            (hear(2, 1), "1:1"),
            (open(3, 20_004), "2:2"),
            (open(4, 20_006), "0:3"),
            // The pair goes where the third is, then all three where the fourth is.
            (mix(1, &[2, 3, 4]), "1:[0, 1]>2 2:[0, 1, 2]>0 0:0"),
            (mix(4, &[1, 2, 3]), "0:3"),
            // The fifth hears one of them, who no longer hears it alone.
            (open(5, 20_008), "1:4"),
            (mix(5, &[99, 4]), "1:[4]>0 0:4"),
        ];
        for (n, (command, expected)) in steps.into_iter().enumerate() {
            assert_eq!(run(&mut r, command.clone()), expected, "step {n}: {command:?}");
        }
    }

    #[test]
    fn phones_come_to_the_thread_of_the_browsers_whoever_listens_first() {
        let browser = |leg: u64| MediaCommand::OpenBrowser {
            leg: LegId(leg),
            seat: "8001".into(),
            expect_rtp_within: None,
            rtp_timeout: None,
        };
        let mut r = Router::new(20_000, 8, 2, 3);
        let steps = [
            (open(1, 20_002), "1:1"),
            (open(2, 20_006), "1:3"),
            (hear(2, 1), "1:3"),
            (browser(9), "0:8"),
            // The phone and its company come, though it is the browser that begins to listen.
            (hear(9, 1), "1:[1, 3]>0 0:8"),
            (open(3, 20_010), "1:5"),
            (browser(10), "0:9"),
            (hear(3, 10), "1:[5]>0 0:5"),
            (MediaCommand::Close { leg: LegId(9) }, "0:8"),
        ];
        for (n, (command, expected)) in steps.into_iter().enumerate() {
            assert_eq!(run(&mut r, command.clone()), expected, "step {n}: {command:?}");
        }
        // A slot that was given back is the last to be used again.
        let more: Vec<String> = (11..14).map(|leg| run(&mut r, browser(leg))).collect();
        assert_eq!(more, ["0:10", "0:8", "TooManyBrowsers(leg-d)"]);
    }

    #[test]
    fn one_thread_never_moves_anything() {
        let mut r = Router::new(20_000, 8, 1, 0);
        assert_eq!(run(&mut r, open(1, 20_000)), "0:0");
        assert_eq!(run(&mut r, open(2, 20_006)), "0:3");
        assert_eq!(run(&mut r, hear(1, 2)), "0:0");
    }
}
