//! In line: greeting, music and announcements, the caller's keys, and the moves from queue to queue.

use super::announcing::LONGEST_MESSAGE;
use super::offering::Offering;
use super::{Ask, Asked, Call, CallInput, CallOutput, Distributor, State};
use crate::config::settings::{AnswerMode, QueueSettings};
use crate::event::{CallFact, EndCause, Why};
use crate::leg::LegCommand;
use crate::plane::{PromptId, Source};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Keys that move a caller; more are idle play.
const MOST_CHOICES: u8 = 8;

/// What a caller in line hears and has wished for. Kept while a seat rings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct InLine {
    /// The next announcement.
    announce_at: Option<Instant>,
    /// Something is being said, until then at the latest.
    saying: Option<Instant>,
    /// What is being said are invitations to press a key.
    inviting: bool,
    /// A key pressed while a seat rang, for the case that nobody picks up.
    wish: Option<char>,
    pub(super) callback: Offering,
}

impl InLine {
    fn new(now: Instant, queue: &QueueSettings) -> InLine {
        let callback = Offering::new(now, queue.callback.as_ref());
        InLine { announce_at: next_announcement(now, queue), callback, ..InLine::default() }
    }

    fn says(&mut self, now: Instant) {
        self.callback.interrupted();
        self.saying = Some(now + LONGEST_MESSAGE);
    }

    pub(super) fn play_ended(&mut self) {
        (self.saying, self.inviting) = (None, false);
    }

    /// What was said has been heard to its end.
    pub(super) fn heard_all(&mut self) {
        self.play_ended();
        self.callback.heard();
    }

    pub(super) fn wishes(&mut self, key: char) {
        self.wish = Some(key);
    }

    /// Never over something else that is being said.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let next = [self.announce_at, self.callback.due()].into_iter().flatten().min();
        next.map(|at| self.saying.map_or(at, |until| at.max(until)))
    }
}

fn next_announcement(now: Instant, queue: &QueueSettings) -> Option<Instant> {
    let announce = &queue.announce;
    let says = announce.position || announce.estimate || queue.callback.is_some();
    let every = announce.every.filter(|every| !every.is_zero() && says)?;
    Some(now + every)
}

impl Call {
    /// The distributor has taken the call in: the SLA clock runs. `queue` may be another than asked for, as `why` says.
    pub fn queued(&mut self, now: Instant, queue: QueueSettings, position: usize, why: Why, out: &mut Vec<CallOutput>) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.pick_up_line(out);
        let mut prompts: Vec<PromptId> = self.terms.greeting.iter().cloned().collect();
        let mut line = InLine::new(now, &queue);
        line.inviting = !self.terms.invitations.is_empty();
        prompts.append(&mut self.terms.invitations.clone());
        self.asked = Some(Asked { at: now, within: queue.within });
        self.route.first(&self.incoming.dnis, self.terms.line.as_ref(), &queue.name, &why);
        self.been = vec![queue.name.clone()];
        self.terms.queue = queue;
        self.say(now, &mut line, prompts, out);
        let queue = &self.terms.queue;
        let (name, skill) = (queue.name.clone(), queue.skill.clone());
        out.push(CallOutput::Fact(CallFact::Queued { queue: name, skill, position, why }));
        self.state = State::Waiting(line);
    }

    /// The distributor refused it (queue full, nobody has the skill).
    pub fn refused(&mut self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) {
        self.asked = Some(Asked { at: now, within: self.terms.queue.within });
        self.end(now, cause, out);
    }

    /// The distributor has it in another queue now. `prompts` are said before that queue's music.
    pub fn moved(
        &mut self,
        now: Instant,
        queue: QueueSettings,
        position: usize,
        why: Why,
        prompts: Vec<PromptId>,
        out: &mut Vec<CallOutput>,
    ) {
        let State::Waiting(before) = &self.state else { return };
        if let Why::Key(_) = why {
            self.choices = self.choices.saturating_add(1);
        }
        let mut line = InLine { wish: None, ..before.clone() };
        line.announce_at = next_announcement(now, &queue);
        line.callback.moved(self.asked_at(), now, self.terms.queue.callback.as_ref(), queue.callback.as_ref());
        let other_music = queue.music != self.terms.queue.music;
        self.enter(queue, position, why, out);
        if other_music || !prompts.is_empty() {
            line.play_ended();
            self.say(now, &mut line, prompts, out);
        }
        self.state = State::Waiting(line);
    }

    /// The move itself, in records and terms.
    pub(super) fn enter(&mut self, queue: QueueSettings, position: usize, why: Why, out: &mut Vec<CallOutput>) {
        // Somebody's choice begins anew; what happens by itself leads to each queue once.
        if !matches!(why, Why::Overflow | Why::Full | Why::NoAgents) {
            self.been.clear();
        }
        self.been.push(queue.name.clone());
        self.route.then(&queue.name, &why);
        self.terms.queue = queue;
        let (queue, skill) = (self.terms.queue.name.clone(), self.terms.queue.skill.clone());
        out.push(CallOutput::Fact(CallFact::Moved { queue, skill, position, why }));
    }

    /// Back in line after a talk.
    pub(super) fn wait_again(&mut self, now: Instant, prompts: Vec<PromptId>, out: &mut Vec<CallOutput>) -> State {
        // Who has spoken to an agent has a ticket: a call back would open another.
        let mut line = InLine { callback: Offering::default(), ..InLine::new(now, &self.terms.queue) };
        self.say(now, &mut line, prompts, out);
        State::Waiting(line)
    }

    /// Tells who waits how long it may take. Nothing to say: nothing happens until the next time.
    pub fn announce(
        &mut self,
        now: Instant,
        position: Option<usize>,
        estimate: Option<Duration>,
        prompts: Vec<PromptId>,
        out: &mut Vec<CallOutput>,
    ) {
        let State::Waiting(line) = &self.state else { return };
        if prompts.is_empty() {
            return;
        }
        let mut line = line.clone();
        if position.is_some() || estimate.is_some() {
            out.push(CallOutput::Fact(CallFact::Announced { position, estimate }));
        }
        self.say(now, &mut line, prompts, out);
        self.state = State::Waiting(line);
    }

    /// A key that cannot be acted on now: if nobody picks up, it is asked about again.
    pub fn wishes(&mut self, key: char) {
        if let State::Waiting(line) | State::Ringing(_, line) = &mut self.state {
            line.wishes(key);
        }
    }

    /// May a key still move this caller?
    pub fn may_choose(&self) -> bool {
        self.terms.by_key && self.choices < MOST_CHOICES
    }

    pub(super) fn waiting(
        &mut self,
        now: Instant,
        mut line: InLine,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        match input {
            CallInput::Offered { agent, seat, leg, chosen } => {
                out.push(CallOutput::Fact(CallFact::Offered { agent: agent.clone(), seat: seat.clone(), leg, chosen }));
                return self.ring(now, agent, seat, leg, chosen, line, out);
            }
            CallInput::CallbackTaken { prompts } => {
                out.push(CallOutput::Distributor(Distributor::Leave));
                return self.promised(now, prompts, out);
            }
            CallInput::LeftForCallback => return self.ended_waiting(now, EndCause::CallbackTaken, out),
            CallInput::QueueTimeout => return self.ended_waiting(now, EndCause::QueueTimeout, out),
            CallInput::CallerEnded(end) => {
                return self.ended_waiting(now, self.abandoned(now, end, EndCause::AbandonedInQueue), out);
            }
            CallInput::RtpTimeout { .. } => return self.ended_waiting(now, self.fell_silent(), out),
            CallInput::ForcedEnd => return self.ended_waiting(now, EndCause::OurFault, out),
            CallInput::PlayEnded => line.heard_all(),
            CallInput::Digit(key) => {
                if line.inviting {
                    line.play_ended();
                    self.say(now, &mut line, vec![], out);
                }
                out.push(CallOutput::Ask(Ask::Key(key)));
            }
            CallInput::Timeout if line.next_timeout().is_some_and(|at| at <= now) => {
                line.announce_at = next_announcement(now, &self.terms.queue);
                line.callback.asked(now);
                out.push(CallOutput::Ask(Ask::Announcement));
            }
            _ => {}
        }
        State::Waiting(line)
    }

    /// In line as before the offer.
    pub(super) fn back_in_line(&self, mut line: InLine, out: &mut Vec<CallOutput>) -> State {
        if let Some(key) = line.wish.take() {
            out.push(CallOutput::Ask(Ask::Key(key)));
        }
        State::Waiting(line)
    }

    /// Prompts, then the queue's music.
    fn say(&self, now: Instant, line: &mut InLine, prompts: Vec<PromptId>, out: &mut Vec<CallOutput>) {
        let music = Source::Music(self.terms.queue.music.clone());
        let source = if prompts.is_empty() {
            music
        } else {
            line.says(now);
            Source::Play { prompts, then: Box::new(music) }
        };
        out.push(CallOutput::SetSource { leg: self.incoming.leg, source });
    }

    /// The first time anything is played: in the answered call, or before the answer.
    pub(super) fn pick_up_line(&mut self, out: &mut Vec<CallOutput>) {
        if std::mem::replace(&mut self.heard, true) {
            return;
        }
        let command = match self.terms.answer {
            AnswerMode::OnQueue => LegCommand::Answer,
            AnswerMode::OnPickup => LegCommand::EarlyMedia,
        };
        out.push(CallOutput::Tell { leg: self.incoming.leg, command });
    }
}
