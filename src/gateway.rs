//! The whole telephone brain as one deterministic value: input in, outputs and the next timeout out. SKELETON.
//! No socket, clock, randomness, SQL, thread or tokio in it or below it; the same inputs give the same outputs.

use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, CallEvent};
use crate::ids::CallId;
use crate::plane::{MediaCommand, MediaEvent};
use crate::sip::flow::{Flow, Transmit};
use crate::ticket::NewTicket;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// One SIP message as received: a UDP datagram, or one message cut from a stream.
    Message {
        flow: Flow,
        bytes: &'a [u8],
    },
    /// Sending on the flow failed, or its connection closed.
    FlowFailed {
        flow: Flow,
    },
    Media(MediaEvent),
    /// The ticket of this call is durable in the local spool.
    Spooled {
        call: CallId,
    },
    /// The spool could not take it now (the shell keeps it in memory and retries): the pickup goes on.
    SpoolFailed {
        call: CallId,
    },
    /// SIGTERM: no new calls.
    Drain,
    /// `next_timeout` has come.
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    Send(Transmit),
    Media(MediaCommand),
    /// Make this durable, then feed `Spooled` (or `SpoolFailed`).
    OpenTicket(Box<NewTicket>),
    Call(CallEvent),
    Agent(AgentEvent),
}

/// What is still alive; all zero once a day has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    pub calls: usize,
    pub legs: usize,
    pub client_transactions: usize,
    pub server_transactions: usize,
    pub ports_in_use: usize,
    pub waiting: usize,
    pub offers: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gateway {}

impl Gateway {
    pub fn new(_settings: CoreSettings, _seed: [u8; 32], _now: Instant) -> Gateway {
        todo!()
    }
    /// One step. Drain `next_output` afterwards, then sleep until `next_timeout`.
    pub fn handle(&mut self, _now: Instant, _input: Input<'_>) {
        todo!()
    }
    pub fn next_output(&mut self) -> Option<Output> {
        todo!()
    }
    pub fn next_timeout(&self) -> Option<Instant> {
        todo!()
    }
    /// The whole state as bytes; a gateway restored from them goes on with identical outputs.
    pub fn save(&self) -> Vec<u8> {
        todo!()
    }
    pub fn restore(_bytes: &[u8]) -> Result<Gateway, String> {
        todo!()
    }
    pub fn leftovers(&self) -> Leftovers {
        todo!()
    }
    /// Calls with a citizen on them now.
    pub fn calls(&self) -> usize {
        todo!()
    }
}
