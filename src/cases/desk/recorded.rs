//! What the call itself adds to its ticket after the pickup: recordings and who listened to them, the caller's rating. Not here: the
//! files (`media::recording`), when tickets are told (`runtime`).

use super::tables::{Ran, Tables};
use super::{Desk, DeskError, Order, Recordings, readable, sql};
use crate::casework::words::Satisfaction;
use crate::casework::{Actor, Command, Refusal};
use crate::ids::CallId;
use crate::time::Instant;

impl<T: Tables> Desk<T> {
    /// The call's ticket refers to its recordings from now on: where they are had, and each one's SHA-256 in their order. False: the
    /// call has no ticket, or not yet.
    pub async fn refer_to_recordings(&self, call: CallId, sha256: &[String]) -> Result<bool, DeskError> {
        let at = format!("/v1/recordings?call={call}");
        Ok(!self.read(sql::recorded(call, &at, &sha256.join(" "))).await?.is_empty())
    }

    /// The recordings of these calls are deleted. Their tickets say so from now on, and in the audit of each stands when and why. How many
    /// tickets there were.
    pub async fn forgets_recordings(&self, now: Instant, calls: &[CallId], why: &str) -> Result<usize, DeskError> {
        if calls.is_empty() {
            return Ok(0);
        }
        let steps = [sql::forgotten_audit(now, &Actor::system(), why, calls), sql::forgotten(now, calls)];
        Ok(match self.tables.run(&steps).await? {
            Ran::All(rows) => rows.last().map_or(0, Vec::len),
            // None of them has a ticket with recordings that are not known to be deleted.
            Ran::StoppedAt(_) => 0,
        })
    }

    /// What the call's ticket says of its recordings; `None`: it has no ticket, or none was made.
    pub async fn recordings_of(&self, call: CallId) -> Result<Option<Recordings>, DeskError> {
        Ok(self.parsed(sql::recordings(call)).await?.pop())
    }

    /// 满意度评价: the caller's own, by a key after the call. True: the ticket has it; false: the call has no ticket, or not yet.
    pub async fn rate(&self, at: Instant, call: CallId, rating: Satisfaction) -> Result<bool, DeskError> {
        let Some(ticket_no) = self.read(sql::of_call(call)).await?.pop() else { return Ok(false) };
        let order = Order { ticket_no, command: Command::Rate { rating }, expected: None, key: None };
        match self.apply(at, &Actor::system(), &order).await {
            Ok(_) | Err(DeskError::Refused(Refusal::NothingChanges)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes down that this actor is about to listen to `what`, a recording of the call. Durable before anything is heard, and
    /// found with those who saw the whole ticket: a recording tells all that the mask hides.
    pub async fn listens(&self, now: Instant, actor: &Actor, call: CallId, what: &str) -> Result<(), DeskError> {
        let no = self.read(sql::of_call(call)).await?.pop().ok_or(DeskError::NoSuchTicket)?;
        let ticket = self.load(&no).await?.ticket;
        readable(&ticket, actor)?;
        ticket.may_reveal(actor)?;
        self.tables.run(&[sql::audit(&no, now, actor, what)]).await?;
        Ok(())
    }
}
