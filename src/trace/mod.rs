//! What integrators look at: SIP messages as ladders in the log, and exported to Homer. Belongs here: the tap the
//! signalling loop feeds, and the thread behind it. Not here: hiding what must not be seen (`redact`), drawing
//! (`ladder`), the wire format of the export (`hep`).
//!
//! Invariants. The loop never waits for a tracer: what its queue does not take is counted and told. Nothing leaves this
//! module that has not been through `redact`. Memory is bounded whatever peers send. Off, it costs one comparison.

pub mod hep;
pub mod ladder;
mod listen;
pub mod redact;
mod seen;

pub use listen::{Options, run};
pub use seen::{Seen, Way};

use crate::config::settings::TraceSettings;
use crate::ids::CallId;
use crate::sip::flow::Flow;
use crate::time::Instant;
use hep::Exporter;
use ladder::Ladders;
use redact::Secrecy;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Messages waiting for the tracer; about two seconds of the highest load.
const QUEUE: usize = 16_384;
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The signalling loop's end.
#[derive(Clone, Debug)]
pub struct Tap {
    queue: SyncSender<News>,
    missed: Arc<AtomicU64>,
}

enum News {
    Message(Seen),
    /// The SIP dialog `sip_call_id` is a leg of this call.
    Leg {
        call: CallId,
        sip_call_id: String,
    },
}

impl Tap {
    /// Starts the tracer; `None` if nothing is to be traced. It ends with the last tap.
    pub fn start(settings: &TraceSettings) -> io::Result<Option<Tap>> {
        if settings.is_off() {
            return Ok(None);
        }
        let exporter = settings.hep.as_ref().map(Exporter::new).transpose()?;
        let (queue, news) = sync_channel(QUEUE);
        let missed = Arc::new(AtomicU64::new(0));
        let mut tracer = Tracer {
            secrecy: Secrecy::default(),
            ladders: Ladders::new(settings.ladder.clone()),
            exporter,
            missed: missed.clone(),
            told: 0,
        };
        std::thread::Builder::new().name("trace".into()).spawn(move || tracer.run(&news))?;
        Ok(Some(Tap { queue, missed }))
    }

    pub fn message(&self, at: Instant, flow: Flow, way: Way, bytes: &[u8]) {
        self.tell(News::Message(Seen { at, flow, way, bytes: bytes.to_vec() }));
    }

    pub fn leg(&self, call: CallId, sip_call_id: &str) {
        self.tell(News::Leg { call, sip_call_id: sip_call_id.to_owned() });
    }

    fn tell(&self, news: News) {
        if self.queue.try_send(news).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Tracer {
    secrecy: Secrecy,
    ladders: Ladders,
    exporter: Option<Exporter>,
    missed: Arc<AtomicU64>,
    told: u64,
}

impl Tracer {
    fn run(&mut self, news: &Receiver<News>) {
        let mut latest = Instant::ZERO;
        let mut waited = Duration::ZERO;
        loop {
            match news.recv_timeout(LOOK_EVERY) {
                Ok(News::Message(seen)) => {
                    (latest, waited) = (seen.at, Duration::ZERO);
                    self.message(seen);
                }
                Ok(News::Leg { call, sip_call_id }) => self.ladders.named(call.to_string(), sip_call_id.as_bytes()),
                // Without messages there is no clock but ours.
                Err(RecvTimeoutError::Timeout) => waited += LOOK_EVERY,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.ladders.finished(latest + waited).iter().for_each(ladder::log);
            self.tell_missed();
        }
        self.ladders.all().iter().for_each(ladder::log);
    }

    fn message(&mut self, mut seen: Seen) {
        self.secrecy.hide(&mut seen.bytes);
        if let Some(exporter) = &mut self.exporter {
            exporter.send(&seen, self.ladders.call_of(&seen));
        }
        self.ladders.message(&seen);
    }

    fn tell_missed(&mut self) {
        let missed = self.missed.load(Ordering::Relaxed);
        if missed > self.told {
            let lost = missed - self.told;
            tracing::warn!(lost, "the trace lacks messages: more came than could be traced; trace fewer calls");
            self.told = missed;
        }
    }
}
