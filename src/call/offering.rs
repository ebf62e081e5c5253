//! Being called back instead of waiting: what a caller in line has been told of it, and what then accepts it.
//! Not here: whether we can call at all and what is said (`gateway`), the call of ours that follows (`callback`).

use super::{Call, CallOutput, State};
use crate::config::settings::CallbackOffer;
use crate::event::{CallFact, CallbackEntry, CallbackKind, Purpose};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Offering {
    /// Nothing is offered here, or not any more.
    #[default]
    No,
    From(Instant),
    /// Time to offer it has come; with every announcement, if nothing came of it.
    Due,
    /// It is being said: the key counts.
    Saying,
    /// It was begun and cut short by something else.
    Begun,
    /// Heard to the end: hanging up counts too.
    Heard,
}

impl Offering {
    pub fn new(asked_at: Instant, offer: Option<&CallbackOffer>) -> Offering {
        offer.map_or(Offering::No, |offer| Offering::From(asked_at + offer.after))
    }

    /// In another queue, with terms of its own. What was heard stays heard.
    pub fn moved(&mut self, asked_at: Instant, now: Instant, from: Option<&CallbackOffer>, to: Option<&CallbackOffer>) {
        let same = from.zip(to).is_some_and(|(a, b)| (a.key, a.on_hang_up) == (b.key, b.on_hang_up));
        *self = match (*self, to) {
            (_, None) => Offering::No,
            (Offering::No | Offering::From(_), Some(offer)) => Offering::From((asked_at + offer.after).max(now)),
            (known, Some(_)) if same => known,
            // What accepts it here has not been told yet.
            (_, Some(_)) => Offering::Due,
        }
    }

    /// When an announcement is wanted for its sake.
    pub fn due(self) -> Option<Instant> {
        match self {
            Offering::From(at) => Some(at),
            _ => None,
        }
    }

    /// An announcement is being made up.
    pub fn asked(&mut self, now: Instant) {
        if self.due().is_some_and(|at| at <= now) {
            *self = Offering::Due;
        }
    }

    fn said(&mut self) {
        if *self != Offering::Heard {
            *self = Offering::Saying;
        }
    }

    pub fn interrupted(&mut self) {
        if *self == Offering::Saying {
            *self = Offering::Begun;
        }
    }

    pub fn heard(&mut self) {
        if *self == Offering::Saying {
            *self = Offering::Heard;
        }
    }
}

impl Call {
    /// Who has spoken to an agent has a ticket: a call back would open another. Whom we called is on the line.
    fn may_be_called_back(&self) -> bool {
        self.before.is_none() && self.terms.purpose == Purpose::Inbound && !self.terms.test
    }

    /// Is it time to offer this caller a call back?
    pub fn callback_due(&self) -> Option<&CallbackOffer> {
        let State::Waiting(line) = &self.state else { return None };
        let due = !matches!(line.callback, Offering::No | Offering::From(_));
        self.terms.queue.callback.as_ref().filter(|_| due && self.may_be_called_back())
    }

    /// It is being said, after what [`Call::announce`] says.
    pub fn callback_offered(&mut self, out: &mut Vec<CallOutput>) {
        if let State::Waiting(line) = &mut self.state {
            line.callback.said();
            out.push(CallOutput::Fact(CallFact::CallbackOffered));
        }
    }

    /// Does this key take the callback?
    pub fn callback_by_key(&self, key: char) -> bool {
        let told = |o: Offering| matches!(o, Offering::Saying | Offering::Begun | Offering::Heard);
        self.offering().is_some_and(told) && self.terms.queue.callback.as_ref().is_some_and(|o| o.key == key)
    }

    /// Does hanging up now take the callback?
    pub fn callback_by_hang_up(&self) -> bool {
        let offer = self.terms.queue.callback.as_ref();
        self.offering() == Some(Offering::Heard) && offer.is_some_and(|offer| offer.on_hang_up)
    }

    fn offering(&self) -> Option<Offering> {
        match &self.state {
            State::Waiting(line) | State::Ringing(_, line) if self.may_be_called_back() => Some(line.callback),
            _ => None,
        }
    }

    /// What the list keeps of this call; `None` where nobody can or should be called back.
    pub fn callback_entry(&self, not_before: Instant, kind: CallbackKind) -> Option<CallbackEntry> {
        let caller = &self.incoming.caller;
        if !self.may_be_called_back() || caller.withheld {
            return None;
        }
        Some(CallbackEntry {
            of: self.id,
            kind,
            number: caller.e164.clone()?,
            dnis: self.incoming.dnis.clone(),
            tenant: self.terms.tenant.clone(),
            line: self.terms.line.clone(),
            queue: self.terms.queue.name.clone(),
            language: self.terms.queue.language.clone(),
            since: self.since(),
            attempts: 0,
            not_before,
            missed: u32::from(kind == CallbackKind::Missed),
        })
    }
}
