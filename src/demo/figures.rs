//! What the demo found, and whether it is as it must be. The figures come from the pretend phones' own view; the
//! gateway's counters and the case store, read independently, must agree. Belongs here: counting and judging.
//! Not here: how the two other views are fetched (`house`).

use super::plan::Language;
use super::records::Metrics;
use super::voice::Heard;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// One call as the carrier's and the seat's phones saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSeen {
    pub language: Language,
    pub sip_call_id: String,
    pub end: Seen,
    /// What the caller's phone received.
    pub caller: Heard,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A seat picked up and got its ACK.
    Answered { wait: Duration, seat_heard_caller: bool, caller_heard_seat: bool, seat: Heard },
    /// The caller hung up first.
    Abandoned { waited: Duration },
    /// The gateway refused it or it failed; the word says how.
    Failed(String),
}

/// The same facts, as the gateway's metrics and the case store tell them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GatewayView {
    pub offered: u64,
    pub answered: u64,
    pub answered_within: u64,
    pub requests: u64,
    pub ended: BTreeMap<String, u64>,
    pub tickets: u64,
    /// SIP Call-IDs of the carrier's legs named by the tickets, sorted; one ticket per entry.
    pub ticketed: Vec<String>,
}

impl GatewayView {
    pub fn new(metrics: &Metrics, ticketed: Vec<String>) -> GatewayView {
        GatewayView {
            offered: metrics.sum("rexian_calls_offered_total"),
            answered: metrics.sum("rexian_calls_answered_total"),
            answered_within: metrics.sum("rexian_calls_answered_within_total"),
            requests: metrics.sum("rexian_calls_queued_total"),
            ended: metrics.by("rexian_calls_total", "cause"),
            tickets: ticketed.len() as u64,
            ticketed,
        }
    }

    pub fn ended_in_all(&self) -> u64 {
        self.ended.values().sum()
    }
}

/// The summary; `--json` prints it as one object.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub failed: u64,
    /// Answered within `n_seconds` of the request for a human.
    pub within_n: u64,
    pub n_seconds: u64,
    /// 接通率: answered / requests for a human.
    pub connection_rate: f64,
    /// N秒人工接通率: answered within N / requests for a human.
    pub within_n_of_requests: f64,
    /// N秒应答及时率: answered within N / answered.
    pub within_n_of_answered: f64,
    pub tickets: u64,
    /// Calls where the caller's tone was heard at the seat and the seat's at the caller.
    pub audio_ok: u64,
    /// Share of RTP packets lost, over all phones.
    pub rtp_loss: f64,
    pub rtp_lost: u64,
    pub rtp_received: u64,
    /// Dialling to pickup as the carrier saw it, in seconds.
    pub wait_p50: f64,
    pub wait_p95: f64,
    pub rona: u64,
    pub by_language: BTreeMap<&'static str, LanguageFigures>,
    /// The gateway's own causes.
    pub ended_by_cause: BTreeMap<String, u64>,
    pub seconds: f64,
    /// Empty when everything is as it must be.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct LanguageFigures {
    pub offered: u64,
    pub answered: u64,
}

impl Figures {
    pub fn new(seen: &[CallSeen], rona: u64, within: Duration, gateway: &GatewayView, took: Duration) -> Figures {
        let mut waits = Vec::new();
        let (mut abandoned, mut failed, mut audio_ok) = (0, 0, 0);
        let mut heard = Heard::default();
        let mut by_language: BTreeMap<&'static str, LanguageFigures> = BTreeMap::new();
        for call in seen {
            let language = by_language.entry(call.language.name()).or_default();
            language.offered += 1;
            add(&mut heard, call.caller);
            match &call.end {
                Seen::Answered { wait, seat_heard_caller, caller_heard_seat, seat } => {
                    language.answered += 1;
                    waits.push(wait.as_secs_f64());
                    audio_ok += u64::from(*seat_heard_caller && *caller_heard_seat);
                    add(&mut heard, *seat);
                }
                Seen::Abandoned { .. } => abandoned += 1,
                Seen::Failed(_) => failed += 1,
            }
        }
        waits.sort_by(f64::total_cmp);
        let mut figures = Figures {
            offered: seen.len() as u64,
            answered: waits.len() as u64,
            abandoned,
            failed,
            within_n: gateway.answered_within,
            n_seconds: within.as_secs(),
            connection_rate: ratio(gateway.answered, gateway.requests),
            within_n_of_requests: ratio(gateway.answered_within, gateway.requests),
            within_n_of_answered: ratio(gateway.answered_within, gateway.answered),
            tickets: gateway.tickets,
            audio_ok,
            rtp_loss: ratio(heard.lost, heard.lost + heard.received),
            rtp_lost: heard.lost,
            rtp_received: heard.received,
            wait_p50: percentile(&waits, 0.50),
            wait_p95: percentile(&waits, 0.95),
            rona,
            by_language,
            ended_by_cause: gateway.ended.clone(),
            seconds: took.as_secs_f64(),
            problems: Vec::new(),
        };
        figures.problems = figures.judge(seen, gateway);
        figures
    }

    fn judge(&self, seen: &[CallSeen], gateway: &GatewayView) -> Vec<String> {
        let mut problems = Vec::new();
        let mut same = |what: &str, phones: u64, theirs: u64, whose: &str| {
            if phones != theirs {
                problems.push(format!("{what}: the phones saw {phones}, {whose} says {theirs}"));
            }
        };
        same("calls offered", self.offered, gateway.offered, "the gateway's counter");
        same("calls answered", self.answered, gateway.answered, "the gateway's counter");
        same("calls ended", self.offered, gateway.ended_in_all(), "the gateway's counters by cause");
        same("tickets for answered calls", self.answered, gateway.tickets, "the case store");
        let mut answered: Vec<&str> =
            seen.iter().filter(|c| matches!(c.end, Seen::Answered { .. })).map(|c| c.sip_call_id.as_str()).collect();
        answered.sort_unstable();
        if answered != gateway.ticketed {
            problems.push(format!(
                "tickets name other calls than were answered: {} answered calls, {} named by tickets",
                answered.len(),
                gateway.ticketed.len()
            ));
        }
        if self.audio_ok != self.answered {
            problems.push(format!("audio heard both ways on {} of {} answered calls", self.audio_ok, self.answered));
            for call in seen {
                if let Seen::Answered { seat_heard_caller, caller_heard_seat, seat, .. } = &call.end
                    && !(*seat_heard_caller && *caller_heard_seat)
                {
                    problems.push(format!(
                        "  {}: seat heard caller: {seat_heard_caller} ({} packets), caller heard seat: {caller_heard_seat} ({} packets)",
                        call.sip_call_id, seat.received, call.caller.received
                    ));
                }
            }
        }
        for call in seen {
            if let Seen::Failed(how) = &call.end {
                problems.push(format!("call {} failed: {how}", call.sip_call_id));
            }
        }
        if self.offered > 0 && self.answered == 0 {
            problems.push("no call was answered".into());
        }
        // A flood of complaints helps nobody.
        if problems.len() > 20 {
            let more = problems.len() - 20;
            problems.truncate(20);
            problems.push(format!("and {more} more"));
        }
        problems
    }
}

fn add(total: &mut Heard, one: Heard) {
    total.received += one.received;
    total.lost += one.lost;
    total.strange += one.strange;
}

/// 1 when nothing was asked for: no request was missed.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { if part == 0 { 0.0 } else { 1.0 } } else { part as f64 / whole as f64 }
}

/// Nearest rank; 0 for none.
fn percentile(sorted: &[f64], p: f64) -> f64 {
    let rank = (p * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(id: &str, both_ways: bool) -> CallSeen {
        CallSeen {
            language: Language::English,
            sip_call_id: id.into(),
            caller: Heard { received: 90, lost: 5, strange: 0 },
            end: Seen::Answered {
                wait: Duration::from_millis(1_500),
                seat_heard_caller: true,
                caller_heard_seat: both_ways,
                seat: Heard { received: 100, lost: 5, strange: 0 },
            },
        }
    }

    fn abandoned(id: &str) -> CallSeen {
        let end = Seen::Abandoned { waited: Duration::from_secs(3) };
        CallSeen { language: Language::Mandarin, sip_call_id: id.into(), caller: Heard::default(), end }
    }

    fn gateway(ticketed: &[&str]) -> GatewayView {
        GatewayView {
            offered: 3,
            answered: 2,
            answered_within: 1,
            requests: 3,
            ended: [("caller_hangup".to_string(), 2), ("abandoned_in_queue".to_string(), 1)].into(),
            tickets: ticketed.len() as u64,
            ticketed: ticketed.iter().map(|s| s.to_string()).collect(),
        }
    }

    fn figures(seen: &[CallSeen], gateway: &GatewayView) -> Figures {
        Figures::new(seen, 0, Duration::from_secs(15), gateway, Duration::from_secs(30))
    }

    #[test]
    fn a_good_day_has_no_problems_and_both_formulas() {
        let seen = [answered("a", true), answered("b", true), abandoned("c")];
        let f = figures(&seen, &gateway(&["a", "b"]));
        assert_eq!(f.problems, Vec::<String>::new());
        assert_eq!((f.offered, f.answered, f.abandoned, f.audio_ok, f.tickets), (3, 2, 1, 2, 2));
        assert_eq!((f.within_n_of_requests, f.within_n_of_answered), (1.0 / 3.0, 0.5));
        assert_eq!((f.rtp_lost, f.rtp_received, f.rtp_loss), (20, 380, 0.05));
        assert_eq!((f.wait_p50, f.by_language["english"].answered), (1.5, 2));
    }

    #[test]
    fn every_disagreement_is_a_problem_that_says_who_claims_what() {
        let seen = [answered("a", true), answered("b", true), abandoned("c")];
        let cases: [(GatewayView, &str); 5] = [
            (gateway(&["a"]), "the case store says 1"),
            (gateway(&["a", "a"]), "tickets name other calls"),
            (gateway(&["a", "b", "c"]), "the case store says 3"),
            (GatewayView { answered: 3, ..gateway(&["a", "b"]) }, "the gateway's counter says 3"),
            (GatewayView { ended: BTreeMap::new(), ..gateway(&["a", "b"]) }, "by cause says 0"),
        ];
        for (view, expected) in cases {
            let problems = figures(&seen, &view).problems.join("; ");
            assert!(problems.contains(expected), "{expected:?} not in {problems:?}");
        }
        let one_way = [answered("a", true), answered("b", false), abandoned("c")];
        let problems = figures(&one_way, &gateway(&["a", "b"])).problems;
        assert!(problems[0].contains("on 1 of 2"), "{problems:?}");
    }
}
