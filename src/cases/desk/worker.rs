//! What happens to tickets without anybody: deadlines begin, and pass. Belongs here: looking for both now and then. Not here: a
//! timer in memory: the tickets' own columns say what is to be done, so a restart or a second gateway changes nothing.

use super::tables::Tables;
use super::{Desk, DeskError, Order, receipt, sql};
use crate::casework::{Actor, Calendar, Command, Day, Ticket};
use crate::host::Clock;
use crate::time::Instant;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between looks.
const PACE: Duration = Duration::from_secs(20);

/// Tickets looked at in one query.
const BATCH: u32 = 200;

/// Older tickets that nobody has touched are from before there was a desk.
const RECENT: Duration = Duration::from_secs(30 * 86_400);

/// An idempotency key is known for so long.
const KEYS_KEPT: Duration = Duration::from_secs(7 * 86_400);

impl<T: Tables> Desk<T> {
    /// Begins the deadlines of tickets that were picked up lately. How many it began.
    pub async fn receive(&self, now: Instant) -> Result<u32, DeskError> {
        let since = Instant(now.0.saturating_sub(RECENT.as_micros() as u64));
        let mut done = 0;
        for no in self.read(sql::untouched(since, BATCH)).await? {
            let Some(mut ticket) = self.sound(&no).await? else { continue };
            // Another gateway, or an agent, was faster.
            if ticket.case.version == 0 {
                let entry = receipt(&mut ticket, self.rules())?;
                done += u32::from(self.write(now, &Actor::system(), 0, &ticket, &[entry], None).await?);
            }
        }
        Ok(done)
    }

    /// Raises deadlines whose day is over: each once, because only one writer can build on a ticket's version. How many
    /// it raised.
    pub async fn raise(&self, now: Instant) -> Result<u32, DeskError> {
        let (today, _) = Day::of(now);
        let mut done = 0;
        for no in self.read(sql::alarms(today, BATCH)).await? {
            let Some(Ticket { case, .. }) = self.sound(&no).await? else { continue };
            let Some((deadline, _)) = case.alarm().filter(|(_, due)| *due < today) else { continue };
            let command = Command::RaiseDeadline { deadline };
            let order = Order { ticket_no: no, command, expected: Some(case.version), key: None };
            match self.apply(now, &Actor::system(), &order).await {
                Ok(_) => done += 1,
                Err(DeskError::Conflict { .. } | DeskError::Refused(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(done)
    }

    /// One ticket that cannot be read must not keep the others waiting.
    async fn sound(&self, ticket_no: &str) -> Result<Option<Ticket>, DeskError> {
        match self.load(ticket_no).await {
            Ok(stored) => Ok(Some(stored.ticket)),
            Err(error @ (DeskError::Corrupt { .. } | DeskError::NoSuchTicket)) => {
                tracing::error!(%error, ticket_no, "the deadlines of this ticket are not looked after");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn round(&self, now: Instant) -> Result<(), DeskError> {
        while self.receive(now).await? == BATCH {}
        while self.raise(now).await? > 0 {}
        let kept = Instant(now.0.saturating_sub(KEYS_KEPT.as_micros() as u64));
        self.read(sql::forget_keys(kept)).await.map(drop)
    }
}

/// Between looks for changes that another gateway may have made.
const GLANCE: Duration = Duration::from_millis(500);

/// Tells the newest seq whenever there is one, for as long as somebody wants to know. What the store cannot tell now it tells later.
pub async fn watch<T: Tables>(desk: Arc<Desk<T>>, tell: watch::Sender<u64>) {
    while !tell.is_closed() {
        if let Ok(newest) = desk.newest().await {
            let newest = newest.unsigned_abs();
            tell.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// For as long as the world lasts. An outage of the store is said once; what was missed meanwhile is found afterwards.
pub async fn work<T: Tables>(desk: Desk<T>, clock: Clock) {
    let (mut well, mut warned) = (true, None);
    loop {
        let now = clock.now();
        let today = Day::of(now).0;
        if warned != Some(today) {
            warned = Some(today);
            for year in desk.rules().calendar.unknown_years(now) {
                tracing::warn!("{}", Calendar::advice(year));
            }
        }
        let done = desk.round(now).await;
        match &done {
            Err(error) if well => tracing::warn!(%error, "deadlines of tickets are not looked after; retrying"),
            Ok(()) if !well => tracing::info!("deadlines of tickets are looked after again"),
            _ => {}
        }
        well = done.is_ok();
        tokio::time::sleep(PACE).await;
    }
}
