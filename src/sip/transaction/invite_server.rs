//! INVITE server transaction: RFC 3261 s17.2.1 (figure 7) with the Accepted state of RFC 6026 s7.1 and s8.5.
//! Repeating a 2xx until its ACK is not here: that is the user's (RFC 3261 s13.3.1.4).

use super::{Output, PATIENCE, T1, T2, T4, Timer, reliable};
use crate::sip::flow::Transport;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InviteServer {
    /// Not answered yet; `last` is the newest provisional response (100 at first).
    Proceeding {
        last: Vec<u8>,
    },
    /// As Proceeding, and its CANCEL has been reported: a second one is not.
    Cancelled {
        last: Vec<u8>,
    },
    /// Answered 300-699, no ACK yet. `resend` is the present length of timer G.
    Completed {
        response: Vec<u8>,
        resend: Duration,
    },
    /// ACK received; its repeats are absorbed.
    Confirmed,
    /// Answered 2xx: repeats of the INVITE are absorbed, ACKs go up.
    Accepted,
    Terminated,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// The INVITE came again.
    Repeated,
    Ack,
    /// A CANCEL for this INVITE came.
    Cancel,
    /// The user answers 101-199.
    Provisional(Vec<u8>),
    /// The user answers 2xx.
    Success(Vec<u8>),
    /// The user answers 300-699.
    Failure(Vec<u8>),
    Timer(Timer),
}

impl InviteServer {
    /// s17.2.1: 100 unless the user answers within 200 ms. Sent at once: it is cheap and stops the trunk's timer A.
    pub fn start(trying: Vec<u8>, out: &mut Vec<Output>) -> Self {
        out.push(Output::Send(trying.clone()));
        InviteServer::Proceeding { last: trying }
    }

    pub fn handle(self, event: Event, transport: Transport, out: &mut Vec<Output>) -> Self {
        use InviteServer::*;
        match (self, event) {
            // s17.2.1: "If a request retransmission is received while in the Proceeding state, the most recent
            // provisional response that was received from the TU MUST be passed to the transport layer".
            (state @ (Proceeding { .. } | Cancelled { .. }), Event::Repeated) => {
                if let Proceeding { last } | Cancelled { last } = &state {
                    out.push(Output::Send(last.clone()));
                }
                state
            }
            (Proceeding { .. }, Event::Provisional(response)) => {
                out.push(Output::Send(response.clone()));
                Proceeding { last: response }
            }
            (Cancelled { .. }, Event::Provisional(response)) => {
                out.push(Output::Send(response.clone()));
                Cancelled { last: response }
            }
            // s9.2: a CANCEL matters only before the final response.
            (Proceeding { last }, Event::Cancel) => {
                out.push(Output::PassUp);
                Cancelled { last }
            }
            // RFC 6026 s7.1: a 2xx moves to Accepted; timer L on all transports.
            (Proceeding { .. } | Cancelled { .. }, Event::Success(response)) => {
                out.push(Output::Send(response));
                out.push(Output::Start(Timer::L, PATIENCE));
                Accepted
            }
            // s17.2.1: 300-699: timer G on unreliable transports, timer H on all.
            (Proceeding { .. } | Cancelled { .. }, Event::Failure(response)) => {
                out.push(Output::Send(response.clone()));
                if !reliable(transport) {
                    out.push(Output::Start(Timer::G, T1));
                }
                out.push(Output::Start(Timer::H, PATIENCE));
                Completed { response, resend: T1 }
            }
            (Completed { response, resend }, Event::Repeated) => {
                out.push(Output::Send(response.clone()));
                Completed { response, resend }
            }
            // s17.2.1: "Timer G is reset to fire in MIN(2*T1, T2) seconds", doubling up to T2.
            (Completed { response, resend }, Event::Timer(Timer::G)) => {
                let resend = (resend * 2).min(T2);
                out.push(Output::Send(response.clone()));
                out.push(Output::Start(Timer::G, resend));
                Completed { response, resend }
            }
            // s17.2.1: "If timer H fires while in the Completed state, it implies that the ACK was never received".
            (Completed { .. }, Event::Timer(Timer::H)) => {
                out.push(Output::TimedOut);
                Terminated
            }
            // s17.2.1: the ACK ends retransmission; timer I (T4, or zero) absorbs its repeats.
            (Completed { .. }, Event::Ack) => {
                if !reliable(transport) {
                    out.push(Output::Stop(Timer::G));
                }
                out.push(Output::Stop(Timer::H));
                if reliable(transport) {
                    return Terminated;
                }
                out.push(Output::Start(Timer::I, T4));
                Confirmed
            }
            (Confirmed, Event::Timer(Timer::I)) => Terminated,
            // RFC 6026 s7.1: in Accepted the user may send its 2xx again through the transaction.
            (Accepted, Event::Success(response)) => {
                out.push(Output::Send(response));
                Accepted
            }
            // RFC 6026 s7.1: an ACK matched here (a peer that keeps the INVITE's branch) is the dialog's.
            (Accepted, Event::Ack) => {
                out.push(Output::PassUp);
                Accepted
            }
            (Accepted, Event::Timer(Timer::L)) => Terminated,
            (state, _) => state,
        }
    }
}
