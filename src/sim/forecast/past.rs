//! A past day as the event log has it, made into demand. Belongs here: what such a day tells about its callers. Not
//! here: reading the log.
//!
//! A caller who was answered shows how long they talked, not how long they would have waited: such patience is drawn
//! from the profile, longer than the wait that was survived. One who gave up shows the opposite.

use super::demand::{Citizen, Profile};
use crate::event::{CallEvent, CallFact, EndCause, Purpose, Why};
use crate::ids::{CallId, QueueName};
use crate::sim::rng::Rng;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastDay {
    /// In order of arrival.
    pub calls: Vec<PastCall>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PastCall {
    /// Since midnight.
    pub at: Duration,
    pub dialled: String,
    /// Where it waited first, before overflow or any agent passed it on.
    pub queue: Option<QueueName>,
    /// Of an answered call.
    pub talk: Option<Duration>,
    /// How long the caller waited, whatever came of it.
    pub wait: Duration,
    /// The caller's own decision ended the wait.
    pub gave_up: bool,
}

impl PastDay {
    /// Calls that arrived within a day of `midnight`. Test calls and calls of ours are left out.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e CallEvent>, midnight: Instant) -> PastDay {
        PastDay::dialling(events, midnight, |_| None)
    }

    /// Pretended citizens have no country, are not remembered and press no key: whom that led to a language dials the
    /// `number` of its queue, if it has one.
    pub fn dialling<'e>(
        events: impl IntoIterator<Item = &'e CallEvent>,
        midnight: Instant,
        number: impl Fn(&QueueName) -> Option<String>,
    ) -> PastDay {
        let mut open: BTreeMap<CallId, PastCall> = BTreeMap::new();
        let mut calls = Vec::new();
        for event in events {
            match &event.what {
                CallFact::Arrived { dnis, test_call: false, purpose: Purpose::Inbound, .. }
                    if event.at >= midnight && event.at - midnight < super::DAY =>
                {
                    let call = PastCall {
                        at: event.at - midnight,
                        dialled: dnis.clone(),
                        queue: None,
                        talk: None,
                        wait: Duration::ZERO,
                        gave_up: false,
                    };
                    open.insert(event.call, call);
                }
                CallFact::Queued { queue, why, .. } => {
                    let by_language = matches!(why, Why::Country(_) | Why::Remembered | Why::Key(_));
                    if let Some(call) = open.get_mut(&event.call)
                        && (by_language || call.queue.is_none())
                    {
                        call.queue = Some(queue.clone());
                        if let Some(own) = number(queue).filter(|_| by_language) {
                            call.dialled = own;
                        }
                    }
                }
                CallFact::Answered { wait, .. } => {
                    if let Some(call) = open.get_mut(&event.call) {
                        (call.talk, call.wait) = (Some(Duration::ZERO), *wait);
                    }
                }
                CallFact::Ended { cause, wait, talk, .. } => {
                    let Some(mut call) = open.remove(&event.call) else { continue };
                    match call.talk {
                        Some(_) => call.talk = Some(*talk),
                        None => call.wait = *wait,
                    }
                    call.gave_up = matches!(
                        cause,
                        EndCause::AbandonedInQueue | EndCause::AbandonedRinging | EndCause::ShortAbandon
                    );
                    if !matches!(cause, EndCause::UnknownNumber) {
                        calls.push(call);
                    }
                }
                _ => {}
            }
        }
        // Still up when the log ends: it arrived, and nothing more is known.
        calls.extend(open.into_values());
        calls.sort_by_key(|call| call.at);
        PastDay { calls }
    }

    pub(super) fn citizens(&self, profile: &Profile, rng: &mut Rng) -> Vec<Citizen> {
        let citizen = |call: &PastCall| {
            let drawn = profile.unknown(call.at, &mut rng.fork());
            Citizen {
                number: call.dialled.clone(),
                language: call.queue.as_ref().map_or_else(String::new, |queue| queue.to_string()),
                talk: call.talk.unwrap_or(drawn.talk),
                // Exponential patience has no memory: what is left after the wait is distributed as at its start.
                patience: if call.gave_up { call.wait } else { call.wait + drawn.patience },
                ..drawn
            }
        };
        self.calls.iter().map(citizen).collect()
    }
}
