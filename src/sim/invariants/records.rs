//! The product's call records of the day, as the facts' file would have them. Not here: comparing (`recount`).

use crate::event::{AgentEvent, CallEvent};
use crate::ids::{CallId, QueueName};
use crate::record::{CallRecord, Fold};
use crate::sla::Part;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Default)]
pub(super) struct Records {
    fold: Fold,
    kept: BTreeMap<CallId, CallRecord>,
}

impl Records {
    pub(super) fn call(&mut self, event: &CallEvent) {
        self.fold.call(event);
        self.keep();
    }

    pub(super) fn agent(&mut self, event: &AgentEvent) {
        self.fold.agent(event);
        self.keep();
    }

    fn keep(&mut self) {
        let changes = self.fold.take();
        self.kept.extend(changes.calls.into_iter().map(|record| (record.call, record)));
        for wrap_up in changes.wrap_ups {
            let segments = self.kept.get_mut(&wrap_up.of.call).map(|record| &mut record.segments);
            if let Some(segment) = segments.and_then(|segments| segments.get_mut(wrap_up.of.segment)) {
                segment.wrap_up += wrap_up.time;
                segment.wrap_ups += 1;
            }
        }
    }

    /// Of one queue, or of all.
    pub(super) fn part(&self, queue: Option<&QueueName>, within: Duration) -> Part {
        let mut part = Part::new(&[]);
        for record in self.kept.values() {
            if queue.is_none_or(|queue| record.asked.as_ref().is_some_and(|asked| asked.queue == *queue)) {
                part.request(record, within);
            }
            for segment in record.segments.iter().filter(|_| record.is_judged()) {
                if queue.is_none_or(|queue| segment.queue.as_ref() == Some(queue)) {
                    part.conversation(segment);
                }
            }
        }
        part
    }
}
