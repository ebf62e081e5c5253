//! Has the far end been heard, and is it still? Belongs here: the first-RTP and the RTP-timeout watchdogs of one leg.
//! Not here: what to do about it (`call`). A leg that is not to be heard (hold) is not watched.

use crate::time::Instant;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Watchdog {
    timeout: Option<Duration>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is expected: not connected yet, or on hold.
    Off {
        heard_before: bool,
    },
    /// Nothing heard yet. `by`: when that is to be reported; `None`: not asked for, or reported already.
    Awaited {
        by: Option<Instant>,
    },
    Heard {
        last: Instant,
    },
    /// Fell silent, and that was reported.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// [`crate::plane::MediaEvent::NoRtp`]
    NoRtp,
    /// [`crate::plane::MediaEvent::RtpTimeout`]
    RtpTimeout,
}

impl Default for Watchdog {
    fn default() -> Self {
        Watchdog { timeout: None, state: State::Off { heard_before: false } }
    }
}

impl Watchdog {
    /// A new agreement: the time allowed starts again.
    pub fn set(&mut self, now: Instant, receives: bool, first_within: Option<Duration>, timeout: Option<Duration>) {
        let heard_before = match self.state {
            State::Off { heard_before } => heard_before,
            State::Awaited { .. } => false,
            State::Heard { .. } | State::Lost => true,
        };
        self.timeout = timeout;
        self.state = match (receives, heard_before) {
            (false, _) => State::Off { heard_before },
            (true, true) => State::Heard { last: now },
            (true, false) => State::Awaited { by: first_within.map(|d| now + d) },
        };
    }

    /// A valid RTP packet came. True for the first one in the leg's life.
    pub fn heard(&mut self, now: Instant) -> bool {
        let first = matches!(self.state, State::Awaited { .. });
        if !matches!(self.state, State::Off { .. }) {
            self.state = State::Heard { last: now };
        }
        first
    }

    /// RTCP came: who sends reports but pauses its audio is still there.
    pub fn alive(&mut self, now: Instant) {
        if let State::Heard { last } = &mut self.state {
            *last = now;
        }
    }

    /// To be called every now and then; each alarm is raised once per occasion.
    pub fn check(&mut self, now: Instant) -> Option<Alarm> {
        match (self.state, self.timeout) {
            (State::Awaited { by: Some(by) }, _) if now >= by => {
                self.state = State::Awaited { by: None };
                Some(Alarm::NoRtp)
            }
            (State::Heard { last }, Some(timeout)) if now.since(last) >= timeout => {
                self.state = State::Lost;
                Some(Alarm::RtpTimeout)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Step {
        /// A `Connect` with 5 s for the first packet and 30 s of silence allowed.
        Set {
            receives: bool,
        },
        Rtp {
            first: bool,
        },
        Rtcp,
        Check(Option<Alarm>),
    }
    use Step::*;

    #[test]
    fn alarms_come_once_and_only_when_something_should_be_heard() {
        const NO_RTP: Step = Check(Some(Alarm::NoRtp));
        const TIMEOUT: Step = Check(Some(Alarm::RtpTimeout));
        const QUIET: Step = Check(None);
        let (listen, hold) = (Set { receives: true }, Set { receives: false });
        let (first, rtp) = (Rtp { first: true }, Rtp { first: false });
        let table: [(&str, Vec<(u64, &Step)>); 6] = [
            ("never heard", vec![(0, &listen), (4, &QUIET), (5, &NO_RTP), (100, &QUIET), (101, &first)]),
            ("heard, then lost, once", vec![(0, &listen), (1, &first), (30, &QUIET), (31, &TIMEOUT), (99, &QUIET)]),
            (
                "back, and lost again",
                vec![(0, &listen), (1, &first), (31, &TIMEOUT), (40, &rtp), (69, &QUIET), (70, &TIMEOUT)],
            ),
            (
                "hold",
                vec![
                    (0, &listen),
                    (1, &first),
                    (2, &hold),
                    (500, &QUIET),
                    (501, &listen),
                    (530, &QUIET),
                    (531, &TIMEOUT),
                ],
            ),
            (
                "not expected before it may speak",
                vec![(0, &hold), (3, &rtp), (90, &QUIET), (91, &listen), (96, &NO_RTP)],
            ),
            (
                "RTCP keeps it alive, but is no first packet",
                vec![(0, &listen), (1, &Rtcp), (5, &NO_RTP), (6, &first), (30, &Rtcp), (59, &QUIET), (60, &TIMEOUT)],
            ),
        ];
        for (name, steps) in table {
            let mut dog = Watchdog::default();
            for (secs, step) in steps {
                let now = Instant::from_unix_secs(1_000 + secs);
                match step {
                    Set { receives } => {
                        dog.set(now, *receives, Some(Duration::from_secs(5)), Some(Duration::from_secs(30)))
                    }
                    Rtp { first } => assert_eq!(dog.heard(now), *first, "{name}, {secs} s"),
                    Rtcp => dog.alive(now),
                    Check(expected) => assert_eq!(dog.check(now), *expected, "{name}, {secs} s"),
                }
            }
        }
    }
}
