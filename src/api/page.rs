//! What `/metrics` answers. Belongs here: figures that are read at each scrape rather than counted event by event
//! (store, media threads), and the text. Not here: the events' figures (`api::metrics`), names (`api::catalogue`).

use super::catalogue as names;
use super::health::{Facts, WebhookFigures};
use crate::media::Figures;
use crate::media::recording::RecordingFigures;
use crate::runtime::browsers::{self, BrowserFigures};
use crate::store::copy::CopyStatus;
use crate::store::journal::JournalFigures;
use crate::store::{DeliveryStatus, SpoolStatus};
use metrics::{Counter, Gauge, counter, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use std::collections::BTreeMap;

pub struct Page {
    exporter: PrometheusHandle,
    store: Store,
    media: Media,
    recordings: Recordings,
    browsers: Browsers,
    events: Events,
    webhooks: BTreeMap<String, Webhook>,
    certificate: Gauge,
    signalling: Gauge,
    media_threads: Gauge,
}

impl Page {
    /// Registers its series on the current recorder, whose handle `exporter` is.
    pub(super) fn new(exporter: PrometheusHandle, webhooks: &[String]) -> Self {
        Page {
            exporter,
            store: Store::new(),
            media: Media::new(),
            recordings: Recordings::new(),
            browsers: Browsers::new(),
            events: Events::new(),
            webhooks: webhooks.iter().map(|name| (name.clone(), Webhook::new(name))).collect(),
            certificate: gauge!(names::TLS_CERTIFICATE),
            signalling: gauge!(names::SIGNALLING_UP),
            media_threads: gauge!(names::MEDIA_UP),
        }
    }

    pub(super) fn render(&self, facts: &Facts) -> String {
        self.store.set(&facts.spool, &facts.delivery);
        self.media.set(&facts.media);
        self.recordings.set(&facts.recording.unwrap_or_default());
        self.browsers.set(&facts.browsers);
        self.events.set(facts.events.as_ref(), facts.copy.as_ref());
        for figures in &facts.webhooks {
            self.webhooks.get(&figures.name).inspect(|webhook| webhook.set(figures));
        }
        self.certificate.set(facts.certificate.map_or(0.0, |c| c.expires as f64));
        self.signalling.set(flag(facts.signalling_up));
        self.media_threads.set(flag(facts.media_up));
        self.exporter.render()
    }
}

fn flag(up: bool) -> f64 {
    if up { 1.0 } else { 0.0 }
}

struct Store {
    depth: Gauge,
    kept: Gauge,
    spool_up: Gauge,
    set_aside: Gauge,
    opened: Counter,
    repeated: Counter,
    refused: Counter,
    lost: Counter,
    up: Gauge,
    lag: Gauge,
    failed: Counter,
}

impl Store {
    fn new() -> Self {
        Store {
            depth: gauge!(names::SPOOL_DEPTH),
            kept: gauge!(names::SPOOL_KEPT),
            spool_up: gauge!(names::SPOOL_UP),
            set_aside: gauge!(names::TICKETS_SET_ASIDE),
            opened: counter!(names::TICKETS_OPENED),
            repeated: counter!(names::TICKETS_REPEATED),
            refused: counter!(names::TICKETS_REFUSED),
            lost: counter!(names::TICKETS_LOST),
            up: gauge!(names::STORE_UP),
            lag: gauge!(names::STORE_LAG),
            failed: counter!(names::STORE_FAILED),
        }
    }

    fn set(&self, spool: &SpoolStatus, delivery: &DeliveryStatus) {
        self.depth.set(spool.depth as f64);
        self.kept.set(spool.kept as f64);
        self.spool_up.set(flag(spool.trouble.is_none()));
        self.set_aside.set(spool.set_aside as f64);
        self.lost.absolute(spool.lost);
        self.opened.absolute(delivery.opened);
        self.repeated.absolute(delivery.already_open);
        self.refused.absolute(delivery.refused);
        self.up.set(flag(delivery.trouble.is_none()));
        self.lag.set(delivery.lag().as_secs_f64());
        self.failed.absolute(delivery.failed_attempts);
    }
}

struct Events {
    written: Counter,
    dropped: Counter,
    up: Gauge,
    copied: Counter,
    copy_up: Gauge,
    copy_lag: Gauge,
}

impl Events {
    fn new() -> Self {
        Events {
            written: counter!(names::JOURNAL_WRITTEN),
            dropped: counter!(names::JOURNAL_DROPPED),
            up: gauge!(names::JOURNAL_UP),
            copied: counter!(names::COPIED),
            copy_up: gauge!(names::COPY_UP),
            copy_lag: gauge!(names::COPY_LAG),
        }
    }

    fn set(&self, events: Option<&JournalFigures>, copy: Option<&CopyStatus>) {
        let figures = events.copied().unwrap_or_default();
        self.written.absolute(figures.written);
        self.dropped.absolute(figures.dropped);
        self.up.set(flag(events.is_some() && !figures.failing));
        self.copied.absolute(copy.map_or(0, |copy| copy.copied));
        self.copy_up.set(flag(copy.is_none_or(|copy| copy.trouble.is_none())));
        self.copy_lag.set(copy.map_or(0.0, |copy| copy.lag().as_secs_f64()));
    }
}

struct Webhook {
    delivered: Counter,
    failed: Counter,
    up: Gauge,
    lag: Gauge,
    letters: Gauge,
}

impl Webhook {
    fn new(name: &str) -> Self {
        let name = name.to_owned();
        Webhook {
            delivered: counter!(names::WEBHOOK_DELIVERED, "webhook" => name.clone()),
            failed: counter!(names::WEBHOOK_FAILED, "webhook" => name.clone()),
            up: gauge!(names::WEBHOOK_UP, "webhook" => name.clone()),
            lag: gauge!(names::WEBHOOK_LAG, "webhook" => name.clone()),
            letters: gauge!(names::WEBHOOK_LETTERS, "webhook" => name),
        }
    }

    fn set(&self, figures: &WebhookFigures) {
        self.delivered.absolute(figures.delivered);
        self.failed.absolute(figures.failed);
        self.up.set(flag(figures.up));
        self.lag.set(figures.lag.as_secs_f64());
        self.letters.set(figures.dead_letters as f64);
    }
}

struct Recordings {
    outcomes: [Counter; 3],
    running: Gauge,
    lost: Counter,
    deleted: Counter,
    panics: Counter,
    stalled: Gauge,
    up: Gauge,
}

impl Recordings {
    fn new() -> Self {
        Recordings {
            outcomes: ["complete", "incomplete", "failed"].map(|how| counter!(names::RECORDINGS, "outcome" => how)),
            running: gauge!(names::RECORDINGS_RUNNING),
            lost: counter!(names::RECORDING_LOST),
            deleted: counter!(names::RECORDING_DELETED),
            panics: counter!(names::RECORDING_PANICS),
            stalled: gauge!(names::RECORDING_STALLED),
            up: gauge!(names::RECORDING_UP),
        }
    }

    fn set(&self, f: &RecordingFigures) {
        self.outcomes.iter().zip([f.complete, f.incomplete, f.failed]).for_each(|(counter, n)| counter.absolute(n));
        self.running.set(f.running as f64);
        self.lost.absolute(f.lost);
        self.deleted.absolute(f.deleted);
        self.panics.absolute(f.panics);
        self.stalled.set(f.stalled.as_secs_f64());
        self.up.set(flag(!f.trouble));
    }
}

struct Browsers {
    connected: Gauge,
    ended: [Counter; 5],
    received: Counter,
    sent: Counter,
    lost: Counter,
    jitter: Gauge,
    round_trip: Gauge,
}

impl Browsers {
    fn new() -> Self {
        Browsers {
            connected: gauge!(names::BROWSERS),
            ended: browsers::ENDS.map(|why| counter!(names::BROWSERS_ENDED, "why" => why)),
            received: counter!(names::BROWSER_PACKETS, "direction" => "received"),
            sent: counter!(names::BROWSER_PACKETS, "direction" => "sent"),
            lost: counter!(names::BROWSER_LOST),
            jitter: gauge!(names::BROWSER_JITTER),
            round_trip: gauge!(names::BROWSER_ROUND_TRIP),
        }
    }

    fn set(&self, f: &BrowserFigures) {
        self.connected.set(f.connected as f64);
        self.ended.iter().zip(f.ended).for_each(|(counter, n)| counter.absolute(n));
        self.received.absolute(f.received);
        self.sent.absolute(f.sent);
        self.lost.absolute(f.remote_lost);
        self.jitter.set(f.jitter.as_secs_f64());
        self.round_trip.set(f.round_trip.as_secs_f64());
    }
}

struct Media {
    legs: Gauge,
    received: Counter,
    sent: Counter,
    relayed: Counter,
    lost: Counter,
    refused: Counter,
    stray: Counter,
    send_failed: Counter,
}

impl Media {
    fn new() -> Self {
        Media {
            legs: gauge!(names::RTP_LEGS),
            received: counter!(names::RTP_PACKETS, "direction" => "received"),
            sent: counter!(names::RTP_PACKETS, "direction" => "sent"),
            relayed: counter!(names::RTP_RELAYED),
            lost: counter!(names::RTP_LOST),
            refused: counter!(names::RTP_REFUSED),
            stray: counter!(names::RTP_STRAY),
            send_failed: counter!(names::RTP_SEND_FAILED),
        }
    }

    fn set(&self, f: &Figures) {
        self.legs.set(f.legs_open as f64);
        self.received.absolute(f.received);
        self.sent.absolute(f.sent);
        self.relayed.absolute(f.relayed);
        self.lost.absolute(f.lost);
        self.refused.absolute(f.refused);
        self.stray.absolute(f.stray);
        self.send_failed.absolute(f.send_failed);
    }
}
