//! Webhooks: other systems are told what happens, each event at least once and in order. Belongs here: following the log
//! for each of them, when to try again and when to set aside. Not here: HTTP (`post`), what is kept (`ledger`), an event's
//! shape (`api::v1`).
//!
//! Invariants. An event leaves the ledger's place only after the far end has answered 2xx, or is in the dead letters. A far
//! end that is away, slow or out of order is waited for, for as long as the log keeps its events: nothing is skipped. Only
//! an event that it refuses by itself, again and again, is set aside, so that the ones behind it go on. Each hook has a
//! thread of its own: a slow one delays nobody.

mod ledger;
mod post;

use super::v1::event::Event;
use crate::config::settings::WebhookSettings;
use crate::host::Clock;
use crate::store::backoff::Backoff;
use crate::store::journal;
pub use ledger::{Ledger, Letter};
use post::{Client, Refusal};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// Events in one delivery.
const BATCH: u32 = 100;
/// Refusals of one event by itself until it is set aside.
const REFUSALS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// More than so many dead letters are no exception: the far end is out of order, and waited for.
const MOST_LETTERS: u64 = 10_000;
/// How often a hook that has nothing to tell looks for letters to be sent again.
const LOOK: Duration = Duration::from_secs(2);

/// How one webhook stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Delivered as far as this event.
    pub seq: u64,
    pub delivered: u64,
    /// Why the far end does not take deliveries now.
    pub trouble: Option<String>,
}

/// A webhook at work.
pub struct Hook {
    pub name: String,
    pub url: String,
    pub standing: watch::Receiver<Standing>,
}

/// Starts a thread for each; they end with the process.
///
/// # Errors
/// A file of trust cannot be read, or no thread can be had.
pub fn start(
    settings: Vec<WebhookSettings>,
    log: &Path,
    ledger: &Path,
    commits: &watch::Receiver<u64>,
) -> std::io::Result<Vec<Hook>> {
    settings.into_iter().map(|settings| begin(settings, log, ledger, commits.clone())).collect()
}

fn begin(settings: WebhookSettings, log: &Path, ledger: &Path, commits: watch::Receiver<u64>) -> std::io::Result<Hook> {
    let client = Client::new(&settings)?;
    let (tell, standing) = watch::channel(Standing::default());
    let hook = Hook { name: settings.name.clone(), url: settings.url.clone(), standing };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let teller = Teller {
        log: log.to_owned(),
        ledger: ledger.to_owned(),
        backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        settings,
        client,
        commits,
        tell,
    };
    std::thread::Builder::new().name("webhook".into()).spawn(move || runtime.block_on(teller.run()))?;
    Ok(hook)
}

struct Teller {
    settings: WebhookSettings,
    client: Client,
    log: PathBuf,
    ledger: PathBuf,
    commits: watch::Receiver<u64>,
    tell: watch::Sender<Standing>,
    backoff: Backoff,
}

/// What is sent.
#[derive(Serialize)]
struct Delivery<'a> {
    webhook: &'a str,
    events: &'a [Event],
}

impl Teller {
    async fn run(mut self) {
        loop {
            let pause = match self.round().await {
                Ok(true) => {
                    self.backoff.reset();
                    continue;
                }
                Ok(false) => {
                    self.backoff.reset();
                    LOOK
                }
                Err(trouble) => {
                    if self.tell.borrow().trouble.is_none() {
                        tracing::warn!(webhook = %self.settings.name, %trouble, "a webhook's far end does not take events; they wait in the event log");
                    }
                    self.tell.send_modify(|standing| standing.trouble = Some(trouble));
                    tokio::time::sleep(self.backoff.failed()).await;
                    continue;
                }
            };
            // The log is written no more: the process ends.
            if matches!(tokio::time::timeout(pause, self.commits.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    /// Tells what there is to tell next; whether there was anything.
    async fn round(&mut self) -> Result<bool, String> {
        let mut ledger = Ledger::open(&self.ledger).await.map_err(|e| e.to_string())?;
        let name = self.settings.name.clone();
        let place = match ledger.place(&name).await.map_err(|e| e.to_string())? {
            Some(seq) => seq,
            None => {
                // New: what happened before is not its business.
                let bounds = journal::bounds(&self.log).await.map_err(|e| e.to_string())?;
                let newest = bounds.map_or(0, |(_, newest)| newest);
                ledger.advance(&name, newest).await.map_err(|e| e.to_string())?;
                newest
            }
        };
        if self.tell.borrow().seq != place {
            self.tell.send_modify(|standing| standing.seq = place);
        }
        if let Some(letter) = ledger.next_again(&name).await.map_err(|e| e.to_string())? {
            self.again(&mut ledger, letter).await?;
            return Ok(true);
        }
        self.commits.mark_unchanged();
        let read = journal::after(&self.log, place, BATCH).await.map_err(|e| e.to_string())?;
        let Some(last) = read.last().map(|event| event.seq) else { return Ok(false) };
        let wanted: Vec<Event> = read.into_iter().map(Event::from).filter(|event| self.wants(event)).collect();
        self.deliver(&mut ledger, &wanted).await?;
        ledger.advance(&name, last).await.map_err(|e| e.to_string())?;
        self.tell.send_modify(|standing| {
            standing.seq = last;
            standing.delivered += wanted.len() as u64;
            standing.trouble = None;
        });
        Ok(true)
    }

    /// All of `events`, in order: delivered or set aside.
    async fn deliver(&mut self, ledger: &mut Ledger, events: &[Event]) -> Result<(), String> {
        if events.is_empty() {
            return Ok(());
        }
        match self.post(events) {
            Ok(()) => return Ok(()),
            Err(Refusal::Away(why)) => return Err(why),
            Err(Refusal::Refused(_)) if events.len() > 1 => {}
            Err(Refusal::Refused(why)) => return self.alone(ledger, &events[0], why).await,
        }
        // Which of them is it? Those that were taken are remembered at once: they are not sent again.
        for event in events {
            match self.post(std::slice::from_ref(event)) {
                Ok(()) => {}
                Err(Refusal::Away(why)) => return Err(why),
                Err(Refusal::Refused(why)) => self.alone(ledger, event, why).await?,
            }
            ledger.advance(&self.settings.name, event.seq).await.map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Refused once: tried again, then set aside.
    async fn alone(&mut self, ledger: &mut Ledger, event: &Event, mut why: String) -> Result<(), String> {
        for _ in 1..REFUSALS {
            tokio::time::sleep(self.backoff.failed()).await;
            match self.post(std::slice::from_ref(event)) {
                Ok(()) => return Ok(()),
                Err(Refusal::Away(why)) => return Err(why),
                Err(Refusal::Refused(again)) => why = again,
            }
        }
        self.backoff.reset();
        if ledger.count(&self.settings.name).await.map_err(|e| e.to_string())? >= MOST_LETTERS {
            return Err(format!("{MOST_LETTERS} dead letters lie there already: look at them; {why}"));
        }
        tracing::error!(webhook = %self.settings.name, seq = event.seq, %why, "a webhook's far end refuses an event; it is set aside with the dead letters");
        let json = serde_json::to_string(event).unwrap_or_default();
        ledger
            .set_aside(&self.settings.name, event.seq, Clock::start().now(), &json, &why)
            .await
            .map_err(|e| e.to_string())
    }

    /// A dead letter that somebody wants sent again.
    async fn again(&mut self, ledger: &mut Ledger, letter: Letter) -> Result<(), String> {
        let name = self.settings.name.clone();
        let body = format!(r#"{{"webhook":{},"events":[{}]}}"#, serde_json::Value::from(name.as_str()), letter.event);
        match self.client.post(&name, &body, Clock::start().now()) {
            Ok(()) => ledger.remove(&name, letter.seq).await.map_err(|e| e.to_string()),
            Err(Refusal::Away(why)) => Err(why),
            Err(Refusal::Refused(why)) => {
                let at = Clock::start().now();
                ledger.set_aside(&name, letter.seq, at, &letter.event, &why).await.map_err(|e| e.to_string())
            }
        }
    }

    fn post(&self, events: &[Event]) -> Result<(), Refusal> {
        let delivery = Delivery { webhook: &self.settings.name, events };
        let body = serde_json::to_string(&delivery).unwrap_or_default();
        self.client.post(&self.settings.name, &body, Clock::start().now())
    }

    fn wants(&self, event: &Event) -> bool {
        let kind = event.what.kind();
        let fits = |wanted: &String| match wanted.strip_suffix('*') {
            Some(family) => kind.starts_with(family),
            None => kind == *wanted,
        };
        self.settings.events.is_empty() || self.settings.events.iter().any(fits)
    }
}
