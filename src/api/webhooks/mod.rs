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

use super::health::WebhookFigures;
use super::logs::{Log, Told};
use crate::config::settings::{WebhookLog, WebhookSettings};
use crate::host::Clock;
use crate::store::backoff::Backoff;
use crate::time::Instant;
pub use ledger::{Ledger, Letter};
use post::{Client, Refusal};
use serde::Serialize;
use serde_json::Value;
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
    /// Deliveries that the far end did not take.
    pub failed: u64,
    pub dead_letters: u64,
    /// When the oldest event happened that it still has to be told; none: it has been told all.
    pub waiting_since: Option<Instant>,
    /// Why the far end does not take deliveries now.
    pub trouble: Option<String>,
}

/// A webhook at work.
#[derive(Clone)]
pub struct Hook {
    pub name: String,
    pub url: String,
    pub of: WebhookLog,
    pub log: Log,
    pub standing: watch::Receiver<Standing>,
}

impl Hook {
    pub fn figures(&self, now: Instant) -> WebhookFigures {
        let Standing { delivered, failed, dead_letters, waiting_since, trouble, .. } = &*self.standing.borrow();
        WebhookFigures {
            name: self.name.clone(),
            delivered: *delivered,
            failed: *failed,
            dead_letters: *dead_letters,
            lag: waiting_since.map_or(Duration::ZERO, |since| now.since(since)),
            up: trouble.is_none(),
        }
    }

    /// Under which the ledger has it: a name that is given another log later begins anew there.
    pub fn key(&self) -> String {
        key(&self.name, self.of)
    }
}

fn key(name: &str, of: WebhookLog) -> String {
    match of {
        WebhookLog::Calls => name.to_owned(),
        WebhookLog::Tickets => format!("{name}:tickets"),
    }
}

/// Starts a thread for it; it ends with the process.
///
/// # Errors
/// A file of trust cannot be read, or no thread can be had.
pub fn start(settings: WebhookSettings, log: Log, ledger: &Path) -> std::io::Result<Hook> {
    let client = Client::new(&settings)?;
    let (tell, standing) = watch::channel(Standing::default());
    let (name, url, of) = (settings.name.clone(), settings.url.clone(), settings.log);
    let hook = Hook { name, url, of, log: log.clone(), standing };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let teller = Teller {
        key: hook.key(),
        changed: log.changed(),
        log,
        ledger: ledger.to_owned(),
        backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        settings,
        client,
        tell,
    };
    std::thread::Builder::new().name("webhook".into()).spawn(move || runtime.block_on(teller.run()))?;
    Ok(hook)
}

struct Teller {
    settings: WebhookSettings,
    /// Its name in the ledger.
    key: String,
    client: Client,
    log: Log,
    ledger: PathBuf,
    changed: watch::Receiver<u64>,
    tell: watch::Sender<Standing>,
    backoff: Backoff,
}

/// What is sent.
#[derive(Serialize)]
struct Delivery<'a> {
    webhook: &'a str,
    /// calls or tickets: whose `seq` the events have.
    log: &'static str,
    events: Vec<&'a Value>,
}

impl Teller {
    async fn run(mut self) {
        // A log that is being begun has nothing to read yet; whoever took its place there later would miss what came first.
        if let Log::Calls { .. } = self.log
            && self.changed.wait_for(|commits| *commits > 0).await.is_err()
        {
            return;
        }
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
                    self.tell.send_modify(|standing| {
                        standing.failed += 1;
                        standing.trouble = Some(trouble);
                    });
                    tokio::time::sleep(self.backoff.failed()).await;
                    continue;
                }
            };
            // The log is written no more: the process ends.
            if matches!(tokio::time::timeout(pause, self.changed.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    /// Tells what there is to tell next; whether there was anything.
    async fn round(&mut self) -> Result<bool, String> {
        let mut ledger = Ledger::open(&self.ledger).await.map_err(text)?;
        let place = match ledger.place(&self.key).await.map_err(text)? {
            Some(seq) => seq,
            None => {
                // New: what happened before is not its business.
                let (_, newest) = self.log.bounds().await.map_err(text)?;
                ledger.advance(&self.key, newest).await.map_err(text)?;
                newest
            }
        };
        let dead_letters = ledger.count(&self.key).await.map_err(text)?;
        self.tell.send_if_modified(|standing| {
            let known = (standing.seq, standing.dead_letters);
            (standing.seq, standing.dead_letters) = (place, dead_letters);
            known != (place, dead_letters)
        });
        if let Some(letter) = ledger.next_again(&self.key).await.map_err(text)? {
            self.again(&mut ledger, letter).await?;
            return Ok(true);
        }
        self.changed.mark_unchanged();
        let read = self.log.after(place, BATCH).await.map_err(text)?;
        let Some(last) = read.last().map(|told| told.seq) else { return Ok(false) };
        let wanted: Vec<Told> = read.into_iter().filter(|told| self.wants(told)).collect();
        self.tell.send_modify(|standing| standing.waiting_since = wanted.first().map(|told| told.at));
        self.deliver(&mut ledger, &wanted).await?;
        ledger.advance(&self.key, last).await.map_err(text)?;
        self.tell.send_modify(|standing| {
            standing.seq = last;
            standing.delivered += wanted.len() as u64;
            standing.waiting_since = None;
            standing.trouble = None;
        });
        Ok(true)
    }

    /// All of `events`, in order: delivered or set aside.
    async fn deliver(&mut self, ledger: &mut Ledger, events: &[Told]) -> Result<(), String> {
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
            ledger.advance(&self.key, event.seq).await.map_err(text)?;
        }
        Ok(())
    }

    /// Refused once: tried again, then set aside.
    async fn alone(&mut self, ledger: &mut Ledger, event: &Told, mut why: String) -> Result<(), String> {
        for _ in 1..REFUSALS {
            tokio::time::sleep(self.backoff.failed()).await;
            match self.post(std::slice::from_ref(event)) {
                Ok(()) => return Ok(()),
                Err(Refusal::Away(why)) => return Err(why),
                Err(Refusal::Refused(again)) => why = again,
            }
        }
        self.backoff.reset();
        if ledger.count(&self.key).await.map_err(text)? >= MOST_LETTERS {
            return Err(format!("{MOST_LETTERS} dead letters lie there already: look at them; {why}"));
        }
        tracing::error!(webhook = %self.settings.name, seq = event.seq, %why, "a webhook's far end refuses an event; it is set aside with the dead letters");
        let json = event.event.to_string();
        ledger.set_aside(&self.key, event.seq, Clock::start().now(), &json, &why).await.map_err(text)
    }

    /// A dead letter that somebody wants sent again.
    async fn again(&mut self, ledger: &mut Ledger, letter: Letter) -> Result<(), String> {
        let event = serde_json::from_str(&letter.event).unwrap_or_default();
        match self.send(vec![&event]) {
            Ok(()) => ledger.remove(&self.key, letter.seq).await.map_err(text),
            Err(Refusal::Away(why)) => Err(why),
            Err(Refusal::Refused(why)) => {
                let at = Clock::start().now();
                ledger.set_aside(&self.key, letter.seq, at, &letter.event, &why).await.map_err(text)
            }
        }
    }

    fn post(&self, events: &[Told]) -> Result<(), Refusal> {
        self.send(events.iter().map(|told| &told.event).collect())
    }

    fn send(&self, events: Vec<&Value>) -> Result<(), Refusal> {
        let delivery = Delivery { webhook: &self.settings.name, log: self.settings.log.as_str(), events };
        let body = serde_json::to_string(&delivery).unwrap_or_default();
        self.client.post(&self.settings.name, &body, Clock::start().now())
    }

    fn wants(&self, told: &Told) -> bool {
        let kind = told.kind();
        let fits = |wanted: &String| match wanted.strip_suffix('*') {
            Some(family) => kind.starts_with(family),
            None => kind == *wanted,
        };
        self.settings.events.is_empty() || self.settings.events.iter().any(fits)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
