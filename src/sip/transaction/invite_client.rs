//! INVITE client transaction: RFC 3261 s17.1.1 (figure 5) with the Accepted state of RFC 6026 s7.2 and s8.4, and
//! the CANCEL rules of RFC 3261 s9.1. The ACK for a 2xx is not here: it belongs to the dialog.

use super::{Output, PATIENCE, T1, Timer, derived, reliable};
use crate::sip::flow::Transport;
use crate::sip::message::Message;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InviteClient {
    /// Sent, nothing heard yet. `resend` is the present length of timer A.
    Calling {
        request: Vec<u8>,
        resend: Duration,
        wish: Wish,
    },
    /// A provisional response came.
    Proceeding {
        request: Vec<u8>,
    },
    /// CANCEL was sent; the final response (487, or a 2xx that crossed) is still awaited.
    Cancelling {
        request: Vec<u8>,
    },
    /// 300-699 received; repeats of it are answered with the ACK.
    Completed {
        ack: Vec<u8>,
    },
    /// 2xx received; repeats and other forks' 2xx go up to the user.
    Accepted,
    Terminated,
}

/// What the user wants of an INVITE that nobody has answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    Connect,
    /// CANCEL as soon as that is allowed, which is after the first provisional response.
    Cancel,
}

#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Provisional,
    /// 2xx.
    Success,
    /// 300-699.
    Failure(&'a Message<'a>),
    /// The user calls it off.
    Cancel,
    /// The same, and another INVITE has taken this one's place: it is not repeated, lest it arrive late and ring a phone.
    Abandon,
    Timer(Timer),
    TransportError,
}

impl InviteClient {
    /// s17.1.1.2: send; on unreliable transports start A; start B on all.
    pub fn start(request: Vec<u8>, transport: Transport, out: &mut Vec<Output>) -> Self {
        let kept = request.clone();
        out.push(Output::Send(request));
        if !reliable(transport) {
            out.push(Output::Start(Timer::A, T1));
        }
        out.push(Output::Start(Timer::B, PATIENCE));
        InviteClient::Calling { request: kept, resend: T1, wish: Wish::Connect }
    }

    pub fn handle(self, event: Event<'_>, transport: Transport, out: &mut Vec<Output>) -> Self {
        use InviteClient::*;
        match (self, event) {
            // s17.1.1.2: "When timer A fires, the client transaction MUST retransmit the request [...] and MUST
            // reset the timer with a value of 2*T1", doubling each time.
            (Calling { request, resend, wish }, Event::Timer(Timer::A)) => {
                let resend = resend * 2;
                out.push(Output::Send(request.clone()));
                out.push(Output::Start(Timer::A, resend));
                Calling { request, resend, wish }
            }
            // s17.1.1.2: still Calling when timer B fires: inform the user of a timeout; no ACK.
            (Calling { .. }, Event::Timer(Timer::B)) => {
                out.push(Output::TimedOut);
                Terminated
            }
            // s17.1.1.2: a provisional response ends retransmission and goes up.
            (Calling { request, wish: Wish::Connect, .. }, Event::Provisional) => {
                stop_calling(transport, out);
                out.push(Output::PassUp);
                Proceeding { request }
            }
            // s9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent; rather, the
            // client MUST wait for the arrival of a provisional response".
            (Calling { request, wish: Wish::Cancel, .. }, Event::Provisional) => {
                stop_calling(transport, out);
                out.push(Output::PassUp);
                cancelling(request, out)
            }
            (Calling { request, resend, .. }, Event::Cancel) => Calling { request, resend, wish: Wish::Cancel },
            // s9.1 still: CANCEL waits for a provisional response, for which this stays; timer B ends it.
            (Calling { request, resend, .. }, Event::Abandon) => {
                if !reliable(transport) {
                    out.push(Output::Stop(Timer::A));
                }
                Calling { request, resend, wish: Wish::Cancel }
            }
            (Proceeding { request }, Event::Cancel | Event::Abandon) => cancelling(request, out),

            (state @ (Proceeding { .. } | Cancelling { .. }), Event::Provisional) => {
                out.push(Output::PassUp);
                state
            }
            // RFC 6026 s7.2: a 2xx moves to Accepted, where timer M runs, on all transports.
            (state @ (Calling { .. } | Proceeding { .. } | Cancelling { .. }), Event::Success) => {
                state.stop_waiting(transport, out);
                out.push(Output::PassUp);
                out.push(Output::Start(Timer::M, PATIENCE));
                Accepted
            }
            // s17.1.1.2: 300-699: pass up, ACK, wait for repeats through timer D (zero on reliable transports).
            (state @ (Calling { .. } | Proceeding { .. } | Cancelling { .. }), Event::Failure(response)) => {
                state.stop_waiting(transport, out);
                let (Calling { request, .. } | Proceeding { request } | Cancelling { request }) = state else {
                    return Terminated;
                };
                let ack = derived::ack(&request, response);
                out.push(Output::Send(ack.clone()));
                out.push(Output::PassUp);
                if reliable(transport) {
                    return Terminated;
                }
                out.push(Output::Start(Timer::D, PATIENCE));
                Completed { ack }
            }
            // s9.1: "If there is no final response for the original request in 64*T1 seconds [...] the client
            // SHOULD then consider the original transaction cancelled and SHOULD destroy [it]".
            (Cancelling { .. }, Event::Timer(Timer::AfterCancel)) => {
                out.push(Output::TimedOut);
                Terminated
            }
            // s17.1.1.2: repeats of the final response: the ACK again, nothing to the user.
            (Completed { ack }, Event::Failure(_)) => {
                out.push(Output::Send(ack.clone()));
                Completed { ack }
            }
            (Completed { .. }, Event::Timer(Timer::D)) => Terminated,
            // RFC 6026 s7.2: in Accepted every 2xx goes up: a repeat (lost ACK) or another fork's.
            (Accepted, Event::Success) => {
                out.push(Output::PassUp);
                Accepted
            }
            (Accepted, Event::Timer(Timer::M)) => Terminated,

            // s17.1.4: a transport error is the end; the user hears of it unless it had its final response.
            (Calling { .. } | Proceeding { .. } | Cancelling { .. }, Event::TransportError) => {
                out.push(Output::Unreachable);
                Terminated
            }
            (Completed { .. }, Event::TransportError) => Terminated,
            (state, _) => state,
        }
    }

    /// No final response yet.
    pub fn is_pending(&self) -> bool {
        use InviteClient::*;
        matches!(self, Calling { .. } | Proceeding { .. } | Cancelling { .. })
    }

    /// Stops the timers of the states that await a final response.
    fn stop_waiting(&self, transport: Transport, out: &mut Vec<Output>) {
        match self {
            InviteClient::Calling { .. } => stop_calling(transport, out),
            InviteClient::Cancelling { .. } => out.push(Output::Stop(Timer::AfterCancel)),
            _ => {}
        }
    }
}

fn stop_calling(transport: Transport, out: &mut Vec<Output>) {
    if !reliable(transport) {
        out.push(Output::Stop(Timer::A));
    }
    out.push(Output::Stop(Timer::B));
}

fn cancelling(request: Vec<u8>, out: &mut Vec<Output>) -> InviteClient {
    out.push(Output::Cancel(derived::cancel(&request)));
    out.push(Output::Start(Timer::AfterCancel, PATIENCE));
    InviteClient::Cancelling { request }
}
