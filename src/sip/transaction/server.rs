//! Non-INVITE server transaction: RFC 3261 s17.2.2 (figure 8).

use super::{Output, PATIENCE, Timer, reliable};
use crate::sip::flow::Transport;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Server {
    /// Handed to the user, not answered.
    Trying,
    /// Answered provisionally.
    Proceeding {
        last: Vec<u8>,
    },
    /// Answered; the response is kept for repeats of the request.
    Completed {
        response: Vec<u8>,
    },
    Terminated,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// The request came again.
    Repeated,
    /// The user answers 1xx.
    Provisional(Vec<u8>),
    /// The user answers 200-699.
    Final(Vec<u8>),
    Timer(Timer),
}

impl Server {
    pub fn handle(self, event: Event, transport: Transport, out: &mut Vec<Output>) -> Self {
        use Server::*;
        match (self, event) {
            (Trying | Proceeding { .. }, Event::Provisional(response)) => {
                out.push(Output::Send(response.clone()));
                Proceeding { last: response }
            }
            // s17.2.2: a final response moves to Completed; timer J is 64*T1, or zero on reliable transports.
            (Trying | Proceeding { .. }, Event::Final(response)) => {
                if reliable(transport) {
                    out.push(Output::Send(response));
                    return Terminated;
                }
                let kept = response.clone();
                out.push(Output::Send(response));
                out.push(Output::Start(Timer::J, PATIENCE));
                Completed { response: kept }
            }
            // s17.2.2: repeats are discarded in Trying, answered with the latest response afterwards.
            (Proceeding { last }, Event::Repeated) => {
                out.push(Output::Send(last.clone()));
                Proceeding { last }
            }
            (Completed { response }, Event::Repeated) => {
                out.push(Output::Send(response.clone()));
                Completed { response }
            }
            (Completed { .. }, Event::Timer(Timer::J)) => Terminated,
            // s17.2.2: "Any other final responses passed by the TU [...] MUST be discarded while in Completed".
            (state, _) => state,
        }
    }
}
