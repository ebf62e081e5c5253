//! Agents who order from their pages in the middle of a talk, and shift leaders above them. Not here: the same by a phone's
//! keys (`transfers`, `ways`).

use super::scenario::agent_number;
use super::{Day, Event, seat_number};
use crate::call::Mode;
use crate::event::AgentState;
use crate::gateway::{AgentOrder, LeaderOrder};
use crate::ids::AgentNo;
use std::time::Duration;

/// Of so many agents one leads.
pub(super) const LEADERS: usize = 8;

impl Day<'_> {
    pub(super) fn may_order(&mut self, seat: usize, state: AgentState) {
        // No draw where nobody does: the days of other scenarios stay as they were.
        let talks = matches!(state, AgentState::Talking | AgentState::Hold);
        if talks && self.scenario.orders > 0.0 && self.rng.chance(self.scenario.orders) {
            let after = self.rng.between(Duration::from_millis(500), Duration::from_secs(20));
            self.plan(after, Event::PageOrders(seat));
        }
    }

    /// One order, and often another soon: in whatever order, whether it makes sense or not.
    pub(super) fn page_orders(&mut self, i: usize) {
        let (agent, leader) = (AgentNo::new(agent_number(i)), self.leader());
        let (other, of_leader) = (seat_number(self.other()), |order| (leader.clone(), AgentOrder::Lead(order)));
        let mine = |order| (agent.clone(), order);
        let (who, order) = match self.rng.below(20) {
            0..=4 => mine(AgentOrder::Consult(other)),
            5 => mine(AgentOrder::EndConsult),
            6 | 7 => mine(AgentOrder::ThreeWay),
            8 => mine(AgentOrder::Transfer(None)),
            9 => mine(AgentOrder::Transfer(Some(other))),
            // Nobody can be had there: no trunk leads out.
            10 => mine(AgentOrder::Emergency),
            11 => mine(AgentOrder::HangUp),
            12 => mine(AgentOrder::Survey),
            13 => mine(AgentOrder::Hold),
            14 => mine(AgentOrder::Resume),
            15 => mine(AgentOrder::AskHelp(true)),
            16 | 17 => of_leader(LeaderOrder::Listen(agent.clone())),
            18 => of_leader(LeaderOrder::TakeOver(agent.clone())),
            _ => match self.rng.below(4) {
                0 => of_leader(LeaderOrder::Speak(Mode::Whisper)),
                1 => of_leader(LeaderOrder::Speak(Mode::Barge)),
                2 => of_leader(LeaderOrder::EndListening),
                _ => of_leader(LeaderOrder::Disconnect { agent: agent.clone(), call: None, why: "a test".into() }),
            },
        };
        match order {
            // What is clicked in a browser is on its way like anything else.
            order if who == agent && self.at_page(i) => self.page_says(i, order),
            order => self.order(&who, order),
        }
        if self.rng.chance(0.7) {
            let after = self.rng.between(Duration::from_millis(50), Duration::from_secs(15));
            self.plan(after, Event::PageOrders(i));
        }
    }

    fn other(&mut self) -> usize {
        self.rng.below(self.scenario.agents as u64) as usize
    }

    fn leader(&mut self) -> AgentNo {
        let led = self.scenario.agents.div_ceil(LEADERS) as u64;
        AgentNo::new(agent_number(self.rng.below(led) as usize * LEADERS))
    }
}
