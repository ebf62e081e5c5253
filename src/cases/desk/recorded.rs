//! Recordings and tickets: which recordings a ticket has, and who listened to them. Not here: the files (`media::recording`).

use super::tables::Tables;
use super::{Desk, DeskError, readable, sql};
use crate::casework::Actor;
use crate::ids::CallId;
use crate::time::Instant;

impl<T: Tables> Desk<T> {
    /// The call's ticket refers to its recordings from now on: where they are had, and each one's SHA-256 in their order. False: the
    /// call has no ticket, or not yet.
    pub async fn refer_to_recordings(&self, call: CallId, sha256: &[String]) -> Result<bool, DeskError> {
        let at = format!("/v1/recordings?call={call}");
        Ok(!self.read(sql::recorded(call, &at, &sha256.join(" "))).await?.is_empty())
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
