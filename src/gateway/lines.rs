//! The way of a call to its queue: line, hours, language, room; and whom we remember.

use super::Gateway;
use crate::acd::{AcdInput, Refused, Request, Waits};
use crate::call::{Ask, Call, CallOutput, Terms};
use crate::config::settings::{AnswerMode, CoreSettings, LineSettings, QueueSettings};
use crate::event::{CallFact, EndCause, Purpose, RememberedCaller, Why};
use crate::ids::{AgentNo, CallId, QueueName};
use crate::ivr::route::{self, Way};
use crate::ivr::spoken;
use crate::leg::{Caller, Incoming};
use crate::plane::PromptId;
use crate::time::Instant;
use crate::trunk::number;
use std::collections::BTreeMap;

/// The lines configured, then one for each queue's own numbers. A line to nowhere is none.
pub(super) fn lines(settings: &CoreSettings) -> Vec<LineSettings> {
    let own = settings.queues.iter().filter(|queue| !queue.numbers.is_empty());
    let own = own.map(|q| LineSettings::of_queue(q.name.as_str(), q.name.clone(), q.numbers.clone()));
    let leads = |line: &LineSettings| settings.queues.iter().any(|queue| queue.name == line.queue);
    settings.lines.iter().cloned().chain(own).filter(leads).collect()
}

/// Called number -> index of its line. The first configured wins a number given twice (`check` reports that).
pub(super) fn numbers(lines: &[LineSettings], area_code: &str) -> BTreeMap<String, usize> {
    let mut numbers = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        for n in &line.numbers {
            numbers.entry(number::normalise_dnis(n.as_bytes(), area_code)).or_insert(index);
        }
    }
    numbers
}

/// What a call begins with.
enum Opening {
    Queue(Why),
    Notice(PromptId, Why),
    Closed(Vec<PromptId>),
}

/// The number by which a caller is known again; a withheld one is not used for that.
pub(super) fn known(caller: &Caller) -> Option<&str> {
    caller.e164.as_deref().filter(|_| !caller.withheld)
}

/// BCP 47.
pub(super) fn language(queue: &QueueSettings) -> &str {
    queue.language.as_deref().unwrap_or("zh-CN")
}

impl Gateway {
    pub(super) fn queue(&self, name: &QueueName) -> Option<&QueueSettings> {
        self.settings.queues.iter().find(|queue| queue.name == *name)
    }

    /// A call whose media is open, on the line its number leads to.
    pub(super) fn start_call(&mut self, now: Instant, id: CallId, incoming: Incoming, line: usize, answer: AnswerMode) {
        let Some((terms, opening)) = self.terms(now, &incoming, &self.lines[line], answer) else { return };
        let mut out = Vec::new();
        let mut call = Call::arrived(now, id, incoming, terms, &mut out);
        match opening {
            Opening::Queue(why) => out.push(CallOutput::Ask(Ask::Queue(why))),
            Opening::Notice(prompt, why) => call.notice(now, prompt, why, &mut out),
            Opening::Closed(prompts) => call.closed(now, prompts, &mut out),
        }
        self.calls.insert(id, call);
        self.carry_out(now, id, out);
    }

    fn terms(
        &self,
        now: Instant,
        incoming: &Incoming,
        line: &LineSettings,
        answer: AnswerMode,
    ) -> Option<(Terms, Opening)> {
        let CoreSettings { languages, utc_offset, tenant, limits, dialling, .. } = &self.settings;
        let caller = known(&incoming.caller);
        let remembered = caller.and_then(|number| self.remembered.of(number)).map(|served| &served.queue);
        let own = self.queue(&line.queue)?;
        let (queue, why) = match route::way(line, now, *utc_offset, caller, remembered, languages) {
            // A language's queue that is not there: `check` reports it, the caller is served all the same.
            Way::Queue(name, why) => self.queue(&name).map_or((own, Ok(Why::Line)), |queue| (queue, Ok(why))),
            Way::Closed(prompt) => (own, Err(prompt.map_or_else(|| spoken::closed(language(own)), |p| vec![p]))),
        };
        let opening = match (why, &line.notice) {
            (Err(prompts), _) => Opening::Closed(prompts),
            (Ok(why), Some(notice)) => Opening::Notice(notice.clone(), why),
            (Ok(why), None) => Opening::Queue(why),
        };
        // A line greets in its own language: who is led to another queue hears that one's greeting.
        let greeting = line.greeting.as_ref().filter(|_| queue.name == line.queue).or(queue.greeting.as_ref());
        let terms = Terms {
            answer,
            tenant: line.tenant.as_ref().unwrap_or(tenant).clone(),
            line: Some(line.name.clone()),
            test: line.test || queue.test,
            purpose: Purpose::Inbound,
            priority: line.priority,
            greeting: greeting.cloned(),
            invitations: route::invitations(line, languages),
            by_key: line.choice.by_key,
            spool_patience: limits.spool_patience,
            longest_away: dialling.passed_on_at_most,
            queue: queue.clone(),
        };
        Some((terms, opening))
    }

    pub(super) fn asked(&mut self, now: Instant, id: CallId, ask: Ask) {
        match ask {
            Ask::Queue(why) => self.enqueue(now, id, why),
            Ask::Key(key) => self.key_pressed(now, id, key),
            Ask::Announcement => self.announcement(now, id),
            Ask::Transfer(key) => self.transfer_by_key(now, id, key),
            Ask::Landed(leg) => self.landed(now, id, leg),
            Ask::Back(why) => self.back_in_line(now, id, why),
        }
    }

    /// Into the queue of the call's terms, or where its overflow leads.
    fn enqueue(&mut self, now: Instant, id: CallId, why: Why) {
        let Some(call) = self.calls.get(&id) else { return };
        let mut wanted = call.terms().queue.clone();
        let mut request = Request {
            call: id,
            queue: wanted.name.clone(),
            since: call.since(),
            priority: call.terms().priority,
            preferred: self.preferred(call.caller()),
            waits: Waits::OnTheLine,
        };
        let (mut why, mut been, mut cause) = (why, vec![wanted.name.clone()], None);
        let mut out = Vec::new();
        loop {
            let refused = match self.acd.handle(now, AcdInput::Enqueue(request.clone())) {
                Ok(()) => break,
                Err(refused) => refused,
            };
            let (end, reason) = match refused {
                Refused::QueueFull { .. } => (EndCause::QueueFull, Some(Why::Full)),
                Refused::NoAgents(_) => (EndCause::NoAgents, Some(Why::NoAgents)),
                _ => (EndCause::OurFault, None),
            };
            // The first queue's reason is the call's, however many follow.
            let cause = *cause.get_or_insert(end);
            let next = route::onward(&wanted, &been).and_then(|next| self.queue(next)).cloned();
            let (Some(next), Some(reason)) = (next, reason) else {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.refused(now, cause, &mut out);
                }
                return self.carry_out(now, id, out);
            };
            been.push(next.name.clone());
            request.queue = next.name.clone();
            (wanted, why) = (next, reason);
        }
        let position = self.position(id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.queued(now, wanted, position, why, &mut out);
        }
        self.carry_out(now, id, out);
    }

    pub(super) fn position(&self, id: CallId) -> usize {
        self.acd.position(id).unwrap_or(1)
    }

    /// Who served this caller last.
    pub(super) fn preferred(&self, caller: &Caller) -> Option<AgentNo> {
        known(caller).and_then(|number| self.remembered.of(number)).map(|served| served.agent.clone())
    }

    pub(super) fn remember_all(&mut self, callers: Vec<RememberedCaller>) {
        for caller in callers {
            self.remembered.remember(caller);
        }
    }

    /// Every pickup: who serves this caller.
    pub(super) fn remember(&mut self, now: Instant, id: CallId, fact: &CallFact) {
        let (CallFact::Answered { agent, queue, .. } | CallFact::TakenOver { agent, queue, .. }) = fact else { return };
        let number = self.calls.get(&id).and_then(|call| known(call.caller())).map(str::to_owned);
        if let Some(number) = number {
            let (agent, queue) = (agent.clone(), queue.clone());
            self.remembered.remember(RememberedCaller { number, agent, queue, at: now });
        }
    }
}
