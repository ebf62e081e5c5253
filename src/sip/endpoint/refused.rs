//! INVITEs refused without a transaction for a reason that may have passed when their next copy comes: no room, too many,
//! busy (RFC 3261 s17.2.1: the server transaction would repeat its answer). Without this the copy would be a new call, of a
//! caller who has taken the refusal and gone. Not here: other refusals, whose reason is in the request itself.
//!
//! Bounded: two generations of so many; under a flood the older goes sooner, still after the first copies have come.

use super::matching::Key;
use crate::sip::flow::Flow;
use crate::sip::message::{Message, Method};
use crate::sip::transaction::PATIENCE;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MOST: usize = 8_192;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Refused {
    young: BTreeMap<Key, u16>,
    old: BTreeMap<Key, u16>,
    /// When the young will be old.
    turn: Instant,
}

impl Refused {
    /// What was said to this INVITE before.
    pub fn status(&self, key: &Key) -> Option<u16> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    pub fn note(&mut self, flow: Flow, msg: &Message<'_>, status: u16) {
        // A stream repeats nothing.
        let passes = matches!(status, 482 | 486 | 503) && !flow.transport.is_stream();
        if !passes || msg.method() != Some(Method::Invite) || msg.to_tag().is_some() {
            return;
        }
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(Key::server(msg, Method::Invite), status);
    }

    /// Timer H: after that no copy comes.
    pub fn forget(&mut self, now: Instant) {
        if now < self.turn {
            return;
        }
        let young = std::mem::take(&mut self.young);
        // After a silence the young are old enough, too.
        self.old = if now < self.turn + PATIENCE { young } else { BTreeMap::new() };
        self.turn = now + PATIENCE;
    }
}
