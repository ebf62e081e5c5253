//! Key presses out of telephone-event packets (RFC 4733): each press once, whatever the network does to its packets.
//! Belongs here: the reader. Not here: passing events on (`outbound`), keys sent as SIP INFO (`seat`, `trunk`).

use crate::time::Instant;
use std::time::Duration;

/// A press whose end packets were all lost is over when nothing more of it came for this long.
const ENDS_AFTER: Duration = Duration::from_millis(150);
/// A timestamp older than the present event's is a straggler only this soon; later the sender changed its clock.
const STRAGGLES: Duration = Duration::from_secs(1);
/// Presses a leg may report in a burst, and the time in which one more is earned: no hand is faster, a flood is.
const BURST: u8 = 20;
const EARNED_IN: Duration = Duration::from_millis(50);

/// The payload of one telephone-event packet (RFC 4733 s2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub code: u8,
    pub end: bool,
    /// In timestamp units since the event began.
    pub duration: u16,
}

impl Event {
    /// `None` if the payload is too short to be one.
    pub fn parse(payload: &[u8]) -> Option<Event> {
        let &[code, flags, hi, lo, ..] = payload else { return None };
        Some(Event { code, end: flags & 0x80 != 0, duration: u16::from_be_bytes([hi, lo]) })
    }

    fn digit(self) -> Option<char> {
        b"0123456789*#ABCD".get(usize::from(self.code)).map(|&d| char::from(d))
    }
}

#[derive(Clone, Debug)]
pub struct DtmfReader {
    press: Press,
    budget: u8,
    earned_at: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Press {
    None,
    /// The key is down; not reported yet.
    Down(Key),
    /// Reported; further packets of it change nothing.
    Done(Key),
}

#[derive(Clone, Copy, Debug)]
struct Key {
    digit: char,
    timestamp: u32,
    duration: u16,
    heard: Instant,
}

impl Default for DtmfReader {
    fn default() -> Self {
        DtmfReader { press: Press::None, budget: BURST, earned_at: Instant::ZERO }
    }
}

impl DtmfReader {
    /// One telephone-event packet. At most two presses come out: one whose ends were lost, and this one.
    pub fn event(&mut self, now: Instant, timestamp: u32, event: Event) -> [Option<char>; 2] {
        let Some(digit) = event.digit() else { return [None, None] };
        let fresh = Key { digit, timestamp, duration: event.duration, heard: now };
        let overdue = match self.press {
            Press::None => None,
            Press::Down(key) if key.timestamp == timestamp || key.continues_at(timestamp, digit) => {
                let same = Key { timestamp, ..fresh };
                if event.end {
                    self.press = Press::Done(same);
                    return [self.allow(now, key.digit), None];
                }
                self.press = Press::Down(same);
                return [None, None];
            }
            Press::Done(key) if key.timestamp == timestamp => return [None, None],
            Press::Down(key) | Press::Done(key) if key.is_later_than(timestamp) && now.since(key.heard) < STRAGGLES => {
                return [None, None];
            }
            Press::Down(key) => self.allow(now, key.digit),
            Press::Done(_) => None,
        };
        if event.end {
            self.press = Press::Done(fresh);
            [overdue, self.allow(now, digit)]
        } else {
            self.press = Press::Down(fresh);
            [overdue, None]
        }
    }

    /// Audio after a press whose ends were lost shows that it is over.
    pub fn audio(&mut self, now: Instant, timestamp: u32) -> Option<char> {
        match self.press {
            Press::Down(key) if (timestamp.wrapping_sub(key.ends_at()) as i32) > 0 => self.finish(now, key),
            _ => None,
        }
    }

    /// So does time.
    pub fn time(&mut self, now: Instant) -> Option<char> {
        match self.press {
            Press::Down(key) if now.since(key.heard) >= ENDS_AFTER => self.finish(now, key),
            _ => None,
        }
    }

    /// The stream starts afresh: its timestamps have nothing to do with those before.
    pub fn restart(&mut self, now: Instant) -> Option<char> {
        match std::mem::replace(&mut self.press, Press::None) {
            Press::Down(key) => self.allow(now, key.digit),
            _ => None,
        }
    }

    fn finish(&mut self, now: Instant, key: Key) -> Option<char> {
        self.press = Press::Done(key);
        self.allow(now, key.digit)
    }

    fn allow(&mut self, now: Instant, digit: char) -> Option<char> {
        let earned = now.since(self.earned_at).as_millis() / EARNED_IN.as_millis();
        if earned > 0 {
            self.budget = (u128::from(self.budget) + earned).min(u128::from(BURST)) as u8;
            self.earned_at = now;
        }
        self.budget = self.budget.checked_sub(1)?;
        Some(digit)
    }
}

impl Key {
    fn ends_at(&self) -> u32 {
        self.timestamp.wrapping_add(u32::from(self.duration))
    }

    fn is_later_than(&self, timestamp: u32) -> bool {
        (self.timestamp.wrapping_sub(timestamp) as i32) > 0
    }

    /// A key held longer than 8 s comes in segments, each timed from the end of the one before (RFC 4733 s2.5.1.3).
    fn continues_at(&self, timestamp: u32, digit: char) -> bool {
        self.digit == digit && timestamp == self.timestamp.wrapping_add(0xFFFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Step {
        /// ms, timestamp, code, end, duration
        Ev(u64, u32, u8, bool, u16),
        Audio(u64, u32),
        Time(u64),
    }
    use Step::*;

    fn presses(steps: &[Step]) -> String {
        let mut reader = DtmfReader::default();
        let at = |ms: &u64| Instant((1_000 + ms) * 1_000);
        steps
            .iter()
            .flat_map(|step| match step {
                Ev(ms, ts, code, end, duration) => {
                    reader.event(at(ms), *ts, Event { code: *code, end: *end, duration: *duration })
                }
                Audio(ms, ts) => [reader.audio(at(ms), *ts), None],
                Time(ms) => [reader.time(at(ms)), None],
            })
            .flatten()
            .collect()
    }

    #[test]
    fn each_press_is_reported_once() {
        let table: Vec<(&str, Vec<Step>, &str)> = vec![
            (
                "normal, three ends",
                vec![
                    Ev(0, 100, 5, false, 160),
                    Ev(20, 100, 5, false, 320),
                    Ev(40, 100, 5, true, 480),
                    Ev(41, 100, 5, true, 480),
                    Ev(42, 100, 5, true, 480),
                ],
                "5",
            ),
            ("only one end survived", vec![Ev(42, 100, 10, true, 480)], "*"),
            (
                "same key twice",
                vec![Ev(0, 100, 1, true, 480), Ev(1, 100, 1, true, 480), Ev(200, 2_000, 1, true, 480)],
                "11",
            ),
            (
                "ends lost, next key begins",
                vec![Ev(0, 100, 1, false, 160), Ev(100, 1_000, 2, false, 160), Ev(140, 1_000, 2, true, 480)],
                "12",
            ),
            ("ends lost, audio goes on", vec![Ev(0, 100, 3, false, 160), Audio(30, 400), Time(400)], "3"),
            ("audio from before the press", vec![Ev(0, 1_000, 3, false, 160), Audio(1, 840)], ""),
            ("ends lost, nothing follows", vec![Ev(0, 100, 3, false, 160), Time(100), Time(160), Time(400)], "3"),
            (
                "a straggler of the press before",
                vec![
                    Ev(0, 100, 1, true, 480),
                    Ev(60, 1_000, 2, false, 160),
                    Ev(61, 100, 1, true, 480),
                    Ev(80, 1_000, 2, true, 480),
                ],
                "12",
            ),
            (
                "an end after its press was timed out",
                vec![Ev(0, 100, 1, false, 160), Time(200), Ev(210, 100, 1, true, 480)],
                "1",
            ),
            (
                "held for 10 s: two segments",
                vec![
                    Ev(0, 100, 9, false, 0xFFFF),
                    Ev(8_200, 100 + 0xFFFF, 9, false, 160),
                    Ev(10_000, 100 + 0xFFFF, 9, true, 9_000),
                ],
                "9",
            ),
            ("not a key (flash hook)", vec![Ev(0, 100, 16, true, 480)], ""),
            ("the sender's clock restarted", vec![Ev(0, 900_000, 1, true, 480), Ev(5_000, 100, 2, true, 480)], "12"),
        ];
        for (name, steps, expected) in table {
            assert_eq!(presses(&steps), expected, "{name}");
        }
    }

    #[test]
    fn a_flood_of_presses_is_cut_to_what_a_hand_can_do() {
        let flood: Vec<Step> = (0..10_000).map(|n| Ev(u64::from(n) / 10, n * 160, 1, true, 80)).collect();
        let n = presses(&flood).len();
        assert!((20..=41).contains(&n), "{n} presses in one second");
    }

    #[test]
    fn a_short_payload_is_no_event() {
        assert_eq!(Event::parse(&[1, 2, 3]), None);
    }
}
