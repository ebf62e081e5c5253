//! When a conversation is recorded: while a citizen talks with an agent. Belongs here: following the call's facts. Not here: taking
//! the sound down (`media::recording`).
//!
//! A pickup begins a recording, and so does the end of a hold; a hold, passing the caller on (also while that rings) and the call's end end it. So each agent's
//! part and each part between holds is a file of its own. Talks with a party whom the caller was passed on to, and what seats dial
//! for themselves, are not the hotline's: they are not recorded.

use super::{Gateway, Output};
use crate::event::CallFact;
use crate::ids::{CallId, LegId};
use crate::plane::MediaCommand;
use crate::plane::recording::{MOST_SEGMENTS, RecordingName};
use serde::{Deserialize, Serialize};

/// Of one call.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Recorded {
    caller: LegId,
    segments: u16,
    running: bool,
}

impl Gateway {
    pub(super) fn record(&mut self, call: CallId, fact: &CallFact) {
        if !self.settings.recording {
            return;
        }
        match fact {
            CallFact::Answered { .. }
            | CallFact::TakenOver { .. }
            | CallFact::Resumed
            | CallFact::NotPassedOn { .. } => self.begin_recording(call),
            CallFact::Held
            | CallFact::Transferred { .. }
            | CallFact::PassingOn { .. }
            | CallFact::PassedOn { .. }
            | CallFact::Surveyed { .. } => self.end_recording(call),
            CallFact::Ended { .. } => {
                self.end_recording(call);
                self.recorded.remove(&call);
            }
            _ => {}
        }
    }

    fn begin_recording(&mut self, call: CallId) {
        // What happened may have led on at once: hung up before the pickup was reported, passed on out of a hold.
        let Some(caller) = self.calls.get(&call).filter(|call| call.is_in_conversation()).map(|call| call.leg()) else {
            return;
        };
        let fresh = Recorded { caller, segments: 0, running: false };
        let recorded = self.recorded.entry(call).or_insert(fresh);
        if recorded.segments == MOST_SEGMENTS {
            return;
        }
        (recorded.segments, recorded.running) = (recorded.segments + 1, true);
        let file = RecordingName { call, segment: recorded.segments };
        self.outputs.push_back(Output::Media(MediaCommand::Record { caller, file }));
    }

    fn end_recording(&mut self, call: CallId) {
        if let Some(recorded) = self.recorded.get_mut(&call)
            && std::mem::take(&mut recorded.running)
        {
            let caller = recorded.caller;
            // A leg that is closed has no recording any more.
            if self.audio.contains_key(&caller) {
                self.outputs.push_back(Output::Media(MediaCommand::StopRecording { caller }));
            }
        }
    }
}
