//! What the live view shows, folded from the gateway's own events. Belongs here: counting and remembering.
//! Not here: drawing (`view`), the figures the demo is judged by (`figures`: those come from the phones).

use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, OfferEnd};
use crate::ids::{AgentNo, CallId, QueueName};
use crate::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Lines of recent happenings kept.
const NEWS: usize = 5;

#[derive(Default)]
pub struct Board {
    pub queues: BTreeMap<QueueName, QueueRow>,
    pub agents: BTreeMap<AgentNo, (AgentState, Instant)>,
    calls: BTreeMap<CallId, Live>,
    pub offered: u64,
    pub ended: u64,
    pub news: VecDeque<String>,
}

#[derive(Default)]
pub struct QueueRow {
    /// When each waiting call began to wait.
    pub waiting: BTreeMap<CallId, Instant>,
    pub requests: u64,
    pub answered: u64,
    pub answered_within: u64,
    pub lost: u64,
}

struct Live {
    cli: String,
    queue: Option<QueueName>,
    talking: bool,
}

impl Board {
    /// `within`: N of "answered within N seconds".
    pub fn on_call(&mut self, event: &CallEvent, within: Duration) {
        let CallEvent { at, call, what } = event;
        match what {
            CallFact::Arrived { cli, .. } => {
                self.offered += 1;
                let cli = cli.clone().unwrap_or_else(|| "匿名 withheld".into());
                self.calls.insert(*call, Live { cli, queue: None, talking: false });
            }
            CallFact::Queued { queue, .. } => {
                let row = self.queues.entry(queue.clone()).or_default();
                row.requests += 1;
                row.waiting.insert(*call, *at);
                if let Some(live) = self.calls.get_mut(call) {
                    live.queue = Some(queue.clone());
                }
            }
            CallFact::Answered { agent, queue, wait, .. } => {
                let row = self.queues.entry(queue.clone()).or_default();
                row.waiting.remove(call);
                row.answered += 1;
                row.answered_within += u64::from(*wait <= within);
                if let Some(live) = self.calls.get_mut(call) {
                    live.talking = true;
                    let line =
                        format!("接通 answered  {} → 工号 {agent}，等 waited {:.1} s", live.cli, wait.as_secs_f64());
                    self.tell(line);
                }
            }
            CallFact::OfferEnded { agent, why } => {
                let why = match why {
                    OfferEnd::NoAnswer => "座席未应答 RONA",
                    OfferEnd::Busy => "占线 busy",
                    OfferEnd::Declined => "拒接 declined",
                    OfferEnd::Unreachable => "不可达 unreachable",
                    OfferEnd::Failed => "失败 failed",
                    OfferEnd::Withdrawn => return,
                };
                self.tell(format!("{why}  工号 {agent}，来电保留原位 the caller keeps the place"));
            }
            CallFact::Ended { cause, .. } => {
                self.ended += 1;
                let Some(live) = self.calls.remove(call) else { return };
                if let Some(row) = live.queue.as_ref().and_then(|q| self.queues.get_mut(q)) {
                    row.waiting.remove(call);
                    row.lost += u64::from(!live.talking);
                }
                if !live.talking {
                    self.tell(format!("未接通 lost  {}（{}）", live.cli, cause.as_str()));
                }
            }
            CallFact::Held
            | CallFact::Resumed
            | CallFact::NoAudio { .. }
            | CallFact::Forwarded(_)
            | CallFact::FarEndCause { .. }
            | CallFact::Digit(_)
            | CallFact::Offered { .. }
            | CallFact::Moved { .. }
            | CallFact::Transferred { .. }
            | CallFact::TakenOver { .. }
            | CallFact::Relaxed { .. }
            | CallFact::Announced { .. }
            | CallFact::CallbackOffered
            | CallFact::Dialled { .. }
            | CallFact::Reached { .. }
            | CallFact::PassingOn { .. }
            | CallFact::Consulting { .. }
            | CallFact::Consulted { .. }
            | CallFact::ThreeWay
            | CallFact::ConsultOver { .. }
            | CallFact::Help { .. }
            | CallFact::Supervised { .. }
            | CallFact::Surveyed { .. }
            | CallFact::Rated { .. }
            | CallFact::PassedOn { .. }
            | CallFact::NotPassedOn { .. }
            | CallFact::Recorded(_)
            | CallFact::LegClosed { .. } => {}
        }
    }

    pub fn on_agent(&mut self, event: &AgentEvent) {
        self.agents.insert(event.agent.clone(), (event.state, event.at));
    }

    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// Over all queues: (requests for a human, answered, answered within N); callers still waiting count when they are
    /// answered or lost, or a busy moment would look like a bad one.
    pub fn totals(&self) -> (u64, u64, u64) {
        self.queues
            .values()
            .fold((0, 0, 0), |(r, a, n), q| (r + q.answered + q.lost, a + q.answered, n + q.answered_within))
    }

    fn tell(&mut self, line: String) {
        if self.news.len() == NEWS {
            self.news.pop_front();
        }
        self.news.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EndCause;
    use crate::ids::{SeatNo, Skill, TrunkName};

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000)
    }

    fn fact(call: u64, ms: u64, what: CallFact) -> CallEvent {
        CallEvent { at: at(ms), call: CallId(call), what }
    }

    fn arrive_and_queue(board: &mut Board, call: u64, ms: u64) {
        let arrived = CallFact::Arrived {
            trunk: TrunkName::new("t"),
            dnis: "12345".into(),
            cli: Some("13800000001".into()),
            sip_call_id: "x".into(),
            test_call: false,
            tenant: "city".into(),
            line: None,
            purpose: Default::default(),
        };
        let queued = CallFact::Queued {
            queue: QueueName::new("mandarin"),
            skill: Skill::new("mandarin"),
            position: 1,
            why: crate::event::Why::Line,
        };
        for what in [arrived, queued] {
            board.on_call(&fact(call, ms, what), Duration::from_secs(15));
        }
    }

    fn end(call: u64, ms: u64, cause: EndCause) -> CallEvent {
        let zero = Duration::ZERO;
        fact(call, ms, CallFact::Ended { cause, queue: None, skill: None, wait: zero, talk: zero, hold: zero })
    }

    #[test]
    fn a_call_waits_is_answered_and_leaves_nothing_behind() {
        let mut board = Board::default();
        arrive_and_queue(&mut board, 1, 0);
        arrive_and_queue(&mut board, 2, 0);
        assert_eq!(board.queues[&QueueName::new("mandarin")].waiting.len(), 2);
        let answered = CallFact::Answered {
            agent: AgentNo::new("6601"),
            seat: SeatNo::new("8001"),
            queue: QueueName::new("mandarin"),
            wait: Duration::from_secs(16),
            ring: Duration::from_secs(1),
            spooled: true,
        };
        board.on_call(&fact(1, 16_000, answered), Duration::from_secs(15));
        board.on_call(&end(1, 17_000, EndCause::CallerHangUp), Duration::from_secs(15));
        board.on_call(&end(2, 18_000, EndCause::AbandonedInQueue), Duration::from_secs(15));
        let row = &board.queues[&QueueName::new("mandarin")];
        assert_eq!((row.waiting.len(), row.requests, row.answered, row.answered_within, row.lost), (0, 2, 1, 0, 1));
        assert_eq!((board.live_calls(), board.ended, board.totals()), (0, 2, (2, 1, 0)));
        assert!(board.news.back().unwrap().contains("abandoned_in_queue"));
    }

    #[test]
    fn news_is_bounded() {
        let mut board = Board::default();
        for call in 0..100 {
            arrive_and_queue(&mut board, call, call);
            board.on_call(&end(call, call, EndCause::ShortAbandon), Duration::from_secs(15));
        }
        assert_eq!(board.news.len(), NEWS);
    }
}
