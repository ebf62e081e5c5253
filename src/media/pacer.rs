//! When the next 20 ms frame of each playing leg is due. Belongs here: the absolute schedule. Not here: the frames.
//!
//! Legs are spread over ten phases of 2 ms, so that a thousand legs on hold music do not make the relayed packets of
//! others wait for one burst. A tick is late by what the thread was busy with; the schedule itself does not move.

use crate::time::Instant;
use std::time::Duration;

const PHASES: u64 = 10;
const STEP: Duration = Duration::from_millis(2);
/// Further behind than this, ticks are skipped: a burst of old audio helps nobody.
const MAX_BEHIND: u64 = 20;

#[derive(Debug)]
pub struct Pacer {
    start: Instant,
    /// The next step to run, counted from `start`.
    step: u64,
    phases: [Vec<u32>; PHASES as usize],
}

impl Pacer {
    pub fn new(start: Instant) -> Self {
        Pacer { start, step: 0, phases: Default::default() }
    }

    /// Frames are due for this slot from now on.
    pub fn add(&mut self, now: Instant, slot: u32) {
        if self.phases.iter().all(Vec::is_empty) {
            self.step = self.reached(now) + 1;
        }
        let phase = self.phase(slot);
        if !phase.contains(&slot) {
            phase.push(slot);
        }
    }

    pub fn remove(&mut self, slot: u32) {
        self.phase(slot).retain(|s| *s != slot);
    }

    /// When the next tick is due; `None` while nobody plays.
    pub fn next_due(&self) -> Option<Instant> {
        (0..PHASES).map(|n| self.step + n).find(|s| !self.phases[(s % PHASES) as usize].is_empty()).map(|s| self.at(s))
    }

    /// The next step that is due by `now`, with its appointed time; call until `None`. Its slots: [`Pacer::slot`].
    pub fn pop(&mut self, now: Instant) -> Option<(usize, Instant)> {
        let reached = self.reached(now);
        if reached > self.step + MAX_BEHIND {
            self.step = reached - MAX_BEHIND / 2;
        }
        while self.step <= reached {
            let step = self.step;
            self.step += 1;
            if !self.phases[(step % PHASES) as usize].is_empty() {
                return Some(((step % PHASES) as usize, self.at(step)));
            }
        }
        None
    }

    /// The `n`th slot of a phase. (A slot may leave while its phase is being run: go from the last to the first.)
    pub fn slot(&self, phase: usize, n: usize) -> Option<u32> {
        self.phases[phase].get(n).copied()
    }

    pub fn len(&self, phase: usize) -> usize {
        self.phases[phase].len()
    }

    fn phase(&mut self, slot: u32) -> &mut Vec<u32> {
        &mut self.phases[(u64::from(slot) % PHASES) as usize]
    }

    fn reached(&self, now: Instant) -> u64 {
        now.since(self.start).as_micros() as u64 / STEP.as_micros() as u64
    }

    fn at(&self, step: u64) -> Instant {
        self.start + Duration::from_micros(step * STEP.as_micros() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pacer: &mut Pacer, now: Instant) -> Vec<Instant> {
        std::iter::from_fn(|| pacer.pop(now)).map(|(_, at)| at).collect()
    }

    #[test]
    fn frames_are_due_every_20_ms_however_late_they_are_run() {
        let ms = |n: u64| Instant(5_000_000 + n * 1_000);
        let mut pacer = Pacer::new(ms(0));
        assert_eq!(pacer.next_due(), None);
        pacer.add(ms(0), 3);
        assert_eq!(pacer.next_due(), Some(ms(6)));
        assert_eq!(run(&mut pacer, ms(5)), []);
        assert_eq!(run(&mut pacer, ms(9)), [ms(6)]);
        // Stalled for two frames: both are made up for, at their appointed times.
        assert_eq!(run(&mut pacer, ms(50)), [ms(26), ms(46)]);
        assert_eq!(pacer.next_due(), Some(ms(66)));
        // Stalled for ten seconds: most are skipped, the lattice stays.
        let late = run(&mut pacer, ms(10_050));
        assert!(late.len() <= 6 && late.iter().all(|at| (at.0 - ms(6).0) % 20_000 == 0), "{late:?}");
        pacer.remove(3);
        assert_eq!(pacer.next_due(), None);
        // Nothing is owed to a leg for the time before it came.
        pacer.add(ms(10_090), 3);
        assert_eq!(pacer.next_due(), Some(ms(10_106)));
    }
}
