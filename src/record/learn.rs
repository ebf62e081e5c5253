//! What one further fact does to a call's record. Not here: the record (`call`), whose fact it is (`fold`).

use super::call::{CallRecord, Ending, Entered, Kind, MOST_MOVES, MOST_OFFERS, Offer, Offered, With};
use crate::event::{CallFact, EndCause, Party, Purpose};
use crate::ids::AgentNo;
use crate::time::Instant;

impl CallRecord {
    fn offer_over(&mut self, agent: &AgentNo, at: Instant, outcome: Offered) {
        if let Some(offer) = self.offers.iter_mut().rev().find(|o| o.agent == *agent && o.until.is_none()) {
            offer.until = Some(at);
            offer.outcome = Some(outcome);
        }
    }

    /// One further fact.
    pub(super) fn learn(&mut self, at: Instant, fact: &CallFact) {
        self.gap = false;
        match fact {
            CallFact::Arrived { trunk, dnis, cli, test_call, tenant, line, purpose, .. } => {
                self.kind = match *purpose {
                    _ if *test_call => Kind::Test,
                    Purpose::Inbound => Kind::Inbound,
                    Purpose::Callback { of } => Kind::Callback { of },
                    Purpose::MissedCall { of } => Kind::MissedCall { of },
                };
                self.src.clone_from(cli);
                self.dst.clone_from(dnis);
                self.trunk = Some(trunk.clone());
                self.tenant.clone_from(tenant);
                self.line.clone_from(line);
            }
            CallFact::Dialled { seat, agent, to, .. } => {
                self.src = Some(agent.as_ref().map_or(seat.as_str(), AgentNo::as_str).to_owned());
                self.dst = to.number().to_owned();
                self.kind = Kind::Dialled { seat: seat.clone(), agent: agent.clone() };
            }
            CallFact::Reached { ring } => {
                let with = match (self.passed_to.take(), &self.kind) {
                    (Some(to), _) => With::Party(to),
                    (None, Kind::Dialled { seat, agent: Some(agent) }) => {
                        With::Agent { agent: agent.clone(), seat: seat.clone() }
                    }
                    (None, Kind::Dialled { .. } | Kind::Unknown) => With::Party(Party::Outside(self.dst.clone())),
                    // To whom is missing from the log.
                    (None, _) => return,
                };
                self.segment(with, None, at).ring = *ring;
            }
            CallFact::Queued { queue, skill, why, .. } => {
                let (queue, skill) = (queue.clone(), Some(skill.clone()));
                self.asked = Some(Entered { at, queue, skill, why: why.as_str().to_owned() });
            }
            CallFact::Moved { queue, skill, why, .. } if self.moves.len() < MOST_MOVES => {
                let (queue, skill) = (queue.clone(), Some(skill.clone()));
                self.moves.push(Entered { at, queue, skill, why: why.as_str().to_owned() });
            }
            CallFact::Offered { agent, seat, .. } if self.offers.len() < MOST_OFFERS => {
                let (agent, seat) = (agent.clone(), seat.clone());
                self.offers.push(Offer { agent, seat, at, until: None, outcome: None });
            }
            CallFact::OfferEnded { agent, why } => self.offer_over(agent, at, Offered::Ended(*why)),
            CallFact::Answered { agent, seat, queue, wait, ring, spooled } => {
                self.offer_over(agent, at, Offered::Answered);
                let asked = self.asked.get_or_insert_with(|| Entered {
                    at: Instant(at.0.saturating_sub(wait.as_micros() as u64)),
                    queue: queue.clone(),
                    skill: None,
                    why: "line".into(),
                });
                let (queue, asked) = (asked.queue.clone(), asked.at);
                // The pickup is reported when its ticket is durable; the conversation began at the answer. A call of ours
                // counts its wait from the citizen's call.
                let from = if matches!(self.kind, Kind::Inbound | Kind::Test) { asked + *wait } else { at };
                let with = With::Agent { agent: agent.clone(), seat: seat.clone() };
                let segment = self.segment(with, Some(queue), from);
                (segment.wait, segment.ring, segment.spooled) = (*wait, *ring, *spooled);
            }
            CallFact::TakenOver { agent, seat, queue, wait, ring } => {
                self.offer_over(agent, at, Offered::Answered);
                let with = With::Agent { agent: agent.clone(), seat: seat.clone() };
                // No ticket is waited for: the answer is reported when it comes.
                let segment = self.segment(with, Some(queue.clone()), at);
                (segment.wait, segment.ring) = (*wait, *ring);
            }
            CallFact::Held | CallFact::Resumed => {
                if let Some(segment) = self.talking() {
                    segment.holds(matches!(fact, CallFact::Held), at);
                }
            }
            CallFact::Transferred { .. } => self.pass_on(at),
            // The talk is over, the call is not.
            CallFact::Surveyed { .. } => {
                if let Some(segment) = self.talking() {
                    segment.close(at);
                }
            }
            CallFact::PassedOn { to, .. } => {
                self.pass_on(at);
                // Who rings does not talk yet.
                self.passed_to = Some(to.clone());
            }
            CallFact::NotPassedOn { .. } => {
                self.passed_to = None;
                // Who was reached and then lost; an agent goes on talking.
                if let Some(segment) = self.talking().filter(|segment| matches!(segment.with, With::Party(_))) {
                    segment.close(at);
                }
            }
            CallFact::Rated { score } => self.rated = Some(*score),
            CallFact::Digit(_) => self.keys = self.keys.saturating_add(1),
            CallFact::Ended { cause, queue, skill, .. } => {
                if let (EndCause::QueueFull | EndCause::NoAgents, Some(queue), None) = (cause, queue, &self.asked) {
                    let (queue, skill) = (queue.clone(), skill.clone());
                    self.asked = Some(Entered { at, queue, skill, why: "door".into() });
                }
                self.close(at, Ending::Cause(*cause));
            }
            CallFact::Moved { .. }
            | CallFact::Offered { .. }
            | CallFact::Forwarded(_)
            | CallFact::Relaxed { .. }
            | CallFact::Announced { .. }
            | CallFact::CallbackOffered
            | CallFact::NoAudio { .. }
            | CallFact::FarEndCause { .. }
            | CallFact::PassingOn { .. }
            | CallFact::Consulting { .. }
            | CallFact::Consulted { .. }
            | CallFact::ThreeWay
            | CallFact::ConsultOver { .. }
            | CallFact::Help { .. }
            | CallFact::Supervised { .. }
            | CallFact::Recorded(_)
            | CallFact::LegClosed { .. } => {}
        }
    }

    fn pass_on(&mut self, at: Instant) {
        if let Some(segment) = self.talking() {
            segment.close(at);
            segment.passed_on = true;
        }
    }
}
