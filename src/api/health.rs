//! Whether the gateway can take calls, and what is wrong if not quite. Belongs here: the judgement, as a pure
//! function of facts. Not here: gathering the facts (`runtime`), HTTP (`api`).

use crate::ids::TrunkName;
use crate::media::{self, recording::RecordingFigures};
use crate::runtime::browsers::BrowserFigures;
use crate::store::copy::CopyStatus;
use crate::store::journal::JournalFigures;
use crate::store::{DeliveryStatus, SpoolStatus};
use serde::Serialize;
use std::time::Duration;

/// The gateway's condition at one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// SIGTERM came: calls in progress finish, no new ones.
    pub draining: bool,
    /// The signalling loop has turned within the last seconds.
    pub signalling_up: bool,
    /// Every media thread runs.
    pub media_up: bool,
    /// Calls with a citizen on them.
    pub calls: usize,
    /// None of whose hops lives.
    pub trunks_down: Vec<TrunkName>,
    pub media: media::Figures,
    /// `None`: nothing is recorded.
    pub recording: Option<RecordingFigures>,
    pub browsers: BrowserFigures,
    pub spool: SpoolStatus,
    pub delivery: DeliveryStatus,
    /// `None`: no event log is kept.
    pub events: Option<JournalFigures>,
    pub webhooks: Vec<WebhookFigures>,
    /// `None`: the event log is not copied.
    pub copy: Option<CopyStatus>,
    /// `None`: TLS is not served.
    pub certificate: Option<Certificate>,
}

/// How a webhook fares.
#[derive(Clone, Debug, Default)]
pub struct WebhookFigures {
    pub name: String,
    pub delivered: u64,
    pub failed: u64,
    pub dead_letters: u64,
    /// Age of the oldest event it still has to be told.
    pub lag: Duration,
    pub up: bool,
}

/// Ours, for TLS. Seconds.
#[derive(Clone, Copy, Debug)]
pub struct Certificate {
    /// Since 1970.
    pub expires: u64,
    /// 0 once it has run out.
    pub left: u64,
}

/// Less than this left: somebody must renew it.
const RENEW: u64 = 14 * 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// Calls are taken and tickets kept; something needs looking after.
    Degraded,
    Draining,
    /// No call can be served.
    Down,
}

/// What `/healthz` answers.
#[derive(Debug, Serialize)]
pub struct Report {
    pub status: Status,
    /// What is wrong and what it means, for a person; empty when all is well.
    pub reasons: Vec<String>,
    pub calls: usize,
    pub draining: bool,
    pub signalling_up: bool,
    pub media_up: bool,
    pub spool: SpoolReport,
    pub case_store: CaseStoreReport,
}

#[derive(Debug, Serialize)]
pub struct SpoolReport {
    pub writable: bool,
    pub depth: u64,
    pub kept_in_memory: u64,
    pub set_aside: u64,
    pub lost: u64,
}

#[derive(Debug, Serialize)]
pub struct CaseStoreReport {
    pub reachable: bool,
    pub lag_seconds: f64,
}

impl Report {
    pub fn of(facts: &Facts) -> Self {
        let (spool, delivery) = (&facts.spool, &facts.delivery);
        let mut reasons = Vec::new();
        if !facts.signalling_up {
            reasons.push("the signalling loop does not turn: calls are not answered".into());
        }
        if !facts.media_up {
            reasons.push("a media thread has ended: calls would be silent".into());
        }
        if facts.draining {
            reasons.push(format!("draining: no new calls, {} in progress", facts.calls));
        }
        if let Some(why) = &spool.trouble {
            reasons.push(format!("the spool's disk refuses tickets, {} kept in memory: {why}", spool.kept));
        }
        if spool.lost > 0 {
            reasons
                .push(format!("{} tickets lost since start: open them by hand, the log names the calls", spool.lost));
        }
        if let Some(why) = &delivery.trouble {
            reasons.push(format!("the case store is unavailable, {} tickets wait in the spool: {why}", spool.depth));
        }
        if spool.set_aside > 0 {
            reasons.push(format!("{} tickets refused by the case store are set aside in the spool", spool.set_aside));
        }
        if facts.events.is_some_and(|events| events.failing) {
            reasons.push("the event log cannot be written: calls go on, their story is lost; look at its disk".into());
        }
        if facts.recording.is_some_and(|recording| recording.trouble) {
            reasons.push(
                "conversations are not recorded: the disk of recordings is full, refuses or stalls; calls go on".into(),
            );
        }
        if let Some(why) = facts.copy.as_ref().and_then(|copy| copy.trouble.as_ref()) {
            reasons.push(format!("the event log is not copied, events wait in the log on this machine: {why}"));
        }
        match facts.certificate {
            Some(Certificate { left: 0, .. }) => {
                reasons.push("the TLS certificate has run out: nobody can connect".into())
            }
            Some(Certificate { left: left @ ..RENEW, .. }) => {
                reasons.push(format!("the TLS certificate runs out in {} days: renew it", left / 86_400));
            }
            _ => {}
        }
        for trunk in &facts.trunks_down {
            reasons.push(format!("trunk {trunk} is down: none of its hops answers, no calls of ours go out by it"));
        }
        let status = match facts {
            Facts { signalling_up: false, .. } | Facts { media_up: false, .. } => Status::Down,
            Facts { draining: true, .. } => Status::Draining,
            _ if !reasons.is_empty() => Status::Degraded,
            _ => Status::Ok,
        };
        Report {
            status,
            reasons,
            calls: facts.calls,
            draining: facts.draining,
            signalling_up: facts.signalling_up,
            media_up: facts.media_up,
            spool: SpoolReport {
                writable: spool.trouble.is_none(),
                depth: spool.depth,
                kept_in_memory: spool.kept,
                set_aside: spool.set_aside,
                lost: spool.lost,
            },
            case_store: CaseStoreReport {
                reachable: delivery.trouble.is_none(),
                lag_seconds: delivery.lag().as_secs_f64(),
            },
        }
    }

    /// A balancer should send calls here. A store outage is no reason not to: pickups go on without it.
    pub fn takes_calls(&self) -> bool {
        matches!(self.status, Status::Ok | Status::Degraded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn well() -> Facts {
        Facts {
            draining: false,
            signalling_up: true,
            media_up: true,
            calls: 3,
            trunks_down: vec![],
            media: media::Figures::default(),
            recording: Some(RecordingFigures::default()),
            browsers: BrowserFigures::default(),
            spool: SpoolStatus { depth: 0, kept: 0, set_aside: 0, lost: 0, trouble: None, commits: 9 },
            delivery: DeliveryStatus::default(),
            events: Some(JournalFigures::default()),
            webhooks: vec![],
            copy: Some(CopyStatus::default()),
            certificate: Some(Certificate { expires: 2_000_000_000, left: RENEW }),
        }
    }

    #[test]
    fn status_by_what_is_wrong() {
        type Case = (&'static str, fn(&mut Facts), Status, bool);
        let cases: [Case; 16] = [
            ("nothing", |_| (), Status::Ok, true),
            ("a ticket on its way", |f| f.spool.depth = 1, Status::Ok, true),
            ("SIGTERM", |f| f.draining = true, Status::Draining, false),
            ("no media", |f| f.media_up = false, Status::Down, false),
            ("loop stuck", |f| f.signalling_up = false, Status::Down, false),
            ("stuck while draining", |f| (f.signalling_up, f.draining) = (false, true), Status::Down, false),
            ("disk full", |f| f.spool.trouble = Some("disk full".into()), Status::Degraded, true),
            ("store gone", |f| f.delivery.trouble = Some("gone".into()), Status::Degraded, true),
            ("event log", |f| f.events.as_mut().unwrap().failing = true, Status::Degraded, true),
            ("recordings", |f| f.recording.as_mut().unwrap().trouble = true, Status::Degraded, true),
            ("none recorded", |f| f.recording = None, Status::Ok, true),
            ("copy", |f| f.copy.as_mut().unwrap().trouble = Some("gone".into()), Status::Degraded, true),
            ("certificate old", |f| f.certificate.as_mut().unwrap().left = RENEW - 1, Status::Degraded, true),
            ("no TLS", |f| f.certificate = None, Status::Ok, true),
            ("a trunk", |f| f.trunks_down = vec!["unicom".into()], Status::Degraded, true),
            ("poison", |f| f.spool.set_aside = 1, Status::Degraded, true),
        ];
        for (what, spoil, status, takes_calls) in cases {
            let mut facts = well();
            spoil(&mut facts);
            let report = Report::of(&facts);
            assert_eq!((report.status, report.takes_calls()), (status, takes_calls), "{what}");
            assert_eq!(report.reasons.is_empty(), status == Status::Ok, "{what}: {:?}", report.reasons);
        }
    }
}
