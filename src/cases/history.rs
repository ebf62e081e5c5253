//! What the hotline knows of a caller at pickup: earlier tickets by number, and whether this call is likely about one of
//! them. Belongs here: the type and the repeat hint. Not here: finding the tickets (the stores' SQL), showing them.

use super::CaseStore;
use crate::time::Instant;
use std::time::Duration;

/// Counts end here: who has called a thousand times is known well enough, and the look-up stays short.
pub const MOST_COUNTED: u32 = 1_000;

/// As far back as tickets are counted, the shorter and the longer.
pub(super) const COUNTED: [Duration; 2] = [days(30), days(365)];

/// Who calls again so soon after a pickup likely has the same matter, whatever has become of it.
const SOON: Duration = days(7);

/// Statuses in which somebody owes this citizen something.
const IN_HAND: [&str; 5] = ["已受理", "待派遣", "已派遣", "已签收", "办理中"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Tickets of the last 30 and 365 days, up to [`MOST_COUNTED`].
    pub in_30_days: u32,
    pub in_365_days: u32,
    /// Latest first.
    pub tickets: Vec<EarlierTicket>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierTicket {
    pub ticket_no: String,
    pub answered_at: Instant,
    pub queue: String,
    /// 咨询, 求助, ...; `None` until an agent has classified it.
    pub kind: Option<String>,
    pub title: Option<String>,
    pub status: String,
}

/// What the present call may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat<'a> {
    /// A ticket that is still being dealt with.
    InHand(&'a EarlierTicket),
    /// The latest ticket: the citizen was on the phone a few days ago.
    Soon(&'a EarlierTicket),
}

impl History {
    /// A hint for the agent, who decides; among the tickets listed.
    pub fn repeat(&self, now: Instant) -> Option<Repeat<'_>> {
        let in_hand = self.tickets.iter().find(|t| IN_HAND.contains(&&*t.status));
        let soon = || self.tickets.first().filter(|t| t.answered_at + SOON > now);
        in_hand.map(Repeat::InHand).or_else(|| soon().map(Repeat::Soon))
    }
}

/// The history of a caller for an agent who is being rung: by `patience` it is there, or it is not waited for.
pub async fn at_offer<C: CaseStore>(
    cases: &C,
    number: &str,
    limit: u32,
    now: Instant,
    patience: Duration,
) -> Option<History> {
    match tokio::time::timeout(patience, cases.history(number, now, limit)).await {
        Ok(Ok(history)) => Some(history),
        Ok(Err(error)) => {
            tracing::debug!(%error, "no caller history");
            None
        }
        Err(_) => None,
    }
}

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_secs(1_795_312_800);

    fn ticket(no: &str, days_ago: u64, status: &str) -> EarlierTicket {
        EarlierTicket {
            ticket_no: no.into(),
            answered_at: Instant(NOW.0 - days(days_ago).as_micros() as u64),
            queue: "mandarin".into(),
            kind: None,
            title: None,
            status: status.into(),
        }
    }

    #[test]
    fn a_call_is_likely_about_what_is_in_hand_or_was_just_said() {
        type Case = (&'static [(&'static str, u64, &'static str)], Option<&'static str>);
        let cases: [Case; 6] = [
            (&[], None),
            (&[("a", 1, "已归档"), ("b", 90, "办理中")], Some("in hand b")),
            (&[("a", 1, "已派遣"), ("b", 90, "办理中")], Some("in hand a")),
            (&[("a", 6, "已归档"), ("b", 90, "已归档")], Some("soon a")),
            (&[("a", 3, "待完善")], Some("soon a")),
            (&[("a", 7, "已归档")], None),
        ];
        for (tickets, expected) in cases {
            let tickets = tickets.iter().map(|(no, days, status)| ticket(no, *days, status)).collect();
            let history = History { tickets, ..History::default() };
            let hint = history.repeat(NOW).map(|r| match r {
                Repeat::InHand(t) => format!("in hand {}", t.ticket_no),
                Repeat::Soon(t) => format!("soon {}", t.ticket_no),
            });
            assert_eq!(hint.as_deref(), expected, "{:?}", history.tickets);
        }
    }
}
