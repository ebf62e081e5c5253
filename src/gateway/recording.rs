//! When a conversation is recorded: while a citizen talks with an agent. Belongs here: following the call's facts. Not here: taking
//! the sound down (`media::recording`).
//!
//! A pickup begins a recording, and so does the end of a hold; a hold, passing the caller on (also while that rings) and the call's end
//! end it. So each agent's part and each part between holds is a file of its own: left what the citizen says, right all that the
//! citizen hears of people (never music or announcements).
//!
//! | what | recorded |
//! |---|---|
//! | citizen and agent, whichever called (callbacks 回拨 too) | from the pickup, or the citizen's answer, to the end |
//! | hold | not; what follows is the next file |
//! | consultation 咨询, the citizen on hold | not: the citizen does not hear it |
//! | three-way call 三方, and 110 joined to the call | yes, all that the citizen hears on the right; with 110 in one file with what came before |
//! | transfer within the hotline | each agent's part is a file of its own; while it rings and in the line nothing |
//! | passed on to somebody outside or at a seat by number | to the moment the agent goes; what follows is not the hotline's talk |
//! | listen 监听, whisper 密语 | the leader is not on it: the citizen does not hear them |
//! | barge 强插 | yes, the leader on the right with the agent |
//! | take over 拦截 | the leader's part is a file of its own |
//! | satisfaction question 满意度评价 | not; the key is in the ticket |
//! | what seats dial for themselves, test calls to oneself | not |

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
