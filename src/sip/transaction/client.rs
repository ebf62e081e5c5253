//! Non-INVITE client transaction: RFC 3261 s17.1.2 (figure 6).

use super::{Output, PATIENCE, T1, T2, T4, Timer, reliable};
use crate::sip::flow::Transport;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// Sent, nothing heard yet. `resend` is the present length of timer E.
    Trying {
        request: Vec<u8>,
        resend: Duration,
    },
    /// A provisional response came; the request is still repeated, every T2.
    Proceeding {
        request: Vec<u8>,
    },
    /// Final response received; its repeats are absorbed.
    Completed,
    Terminated,
}

#[derive(Clone, Copy, Debug)]
pub enum Event {
    Provisional,
    /// 200-699.
    Final,
    Timer(Timer),
    TransportError,
}

impl Client {
    /// s17.1.2.2: send, start F; on unreliable transports start E.
    pub fn start(request: Vec<u8>, transport: Transport, out: &mut Vec<Output>) -> Self {
        let kept = request.clone();
        out.push(Output::Send(request));
        if !reliable(transport) {
            out.push(Output::Start(Timer::E, T1));
        }
        out.push(Output::Start(Timer::F, PATIENCE));
        Client::Trying { request: kept, resend: T1 }
    }

    pub fn handle(self, event: Event, transport: Transport, out: &mut Vec<Output>) -> Self {
        use Client::*;
        match (self, event) {
            // s17.1.2.2: "If the timer fires again, it is reset to a MIN(4*T1, T2)", and so on.
            (Trying { request, resend }, Event::Timer(Timer::E)) => {
                let resend = (resend * 2).min(T2);
                out.push(Output::Send(request.clone()));
                out.push(Output::Start(Timer::E, resend));
                Trying { request, resend }
            }
            // s17.1.2.2: "If Timer E fires while in the Proceeding state [...] Timer E MUST be reset with a value
            // of T2 seconds".
            (Proceeding { request }, Event::Timer(Timer::E)) => {
                out.push(Output::Send(request.clone()));
                out.push(Output::Start(Timer::E, T2));
                Proceeding { request }
            }
            (Trying { .. } | Proceeding { .. }, Event::Timer(Timer::F)) => {
                out.push(Output::TimedOut);
                Terminated
            }
            (Trying { request, .. } | Proceeding { request }, Event::Provisional) => {
                out.push(Output::PassUp);
                Proceeding { request }
            }
            // s17.1.2.2: a final response goes up; then timer K: T4, or zero on reliable transports.
            (Trying { .. } | Proceeding { .. }, Event::Final) => {
                if !reliable(transport) {
                    out.push(Output::Stop(Timer::E));
                }
                out.push(Output::Stop(Timer::F));
                out.push(Output::PassUp);
                if reliable(transport) {
                    return Terminated;
                }
                out.push(Output::Start(Timer::K, T4));
                Completed
            }
            (Completed, Event::Timer(Timer::K)) => Terminated,
            (Trying { .. } | Proceeding { .. }, Event::TransportError) => {
                out.push(Output::Unreachable);
                Terminated
            }
            (state, _) => state,
        }
    }

    /// No final response yet.
    pub fn is_pending(&self) -> bool {
        matches!(self, Client::Trying { .. } | Client::Proceeding { .. })
    }
}
