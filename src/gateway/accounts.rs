//! Our registrations at carriers: REGISTER of ours and what comes of them. Not here: what their answers mean (`trunk`).

use super::Gateway;
use crate::sip::endpoint::ClientTx;
use crate::sip::message::Message;
use crate::time::Instant;

impl Gateway {
    pub(super) fn account_due(&mut self, _now: Instant, _account: u32) {}

    pub(super) fn account_answered(&mut self, _now: Instant, _account: u32, _tx: ClientTx, _answer: &Message<'_>) {}

    pub(super) fn account_failed(&mut self, _now: Instant, _account: u32, _tx: ClientTx) {}
}
