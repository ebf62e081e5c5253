//! Feature-code calls: answered, confirmed with a tone, ended.

use super::legs::{Leg, Role};
use super::softphones::Speaks;
use super::timers::Alarm;
use super::{Gateway, Output};
use crate::acd::AcdInput;
use crate::ids::{AgentNo, LegId, SeatNo};
use crate::leg::{HangupReason, LegCommand};
use crate::plane::{MediaCommand, PromptId, Source};
use crate::seat::feature::Feature;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::session::Session;
use crate::time::Instant;
use std::time::Duration;

/// A confirmation tone is short; a phone that does not hang up is hung up.
const LONGEST: Duration = Duration::from_secs(3);

impl Gateway {
    pub(super) fn feature_call(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, seat: SeatNo, feature: Feature) {
        let tx = self.endpoint.accept(now, flow, msg);
        let (done, ready) = self.apply(now, &seat, feature);
        if done {
            // The last wish counts: an earlier code still being confirmed makes nobody ready any more.
            for leg in self.legs.values_mut() {
                if let Role::Feature { seat: s, ready, .. } = &mut leg.role
                    && *s == seat
                {
                    *ready = None;
                }
            }
        }
        let leg = self.new_leg();
        let tag = self.tag(leg);
        let how = self.asked_for(flow, &seat, msg);
        let session = self
            .open_seat_media(flow, leg, &seat, how)
            .and_then(|local| Session::incoming(leg.0, tag, flow, tx, msg, local).ok());
        let Some((session, negotiated)) = session else {
            // Nothing to play it on: the state has changed all the same, and the phone shows the status.
            self.close_media(leg);
            self.make_ready(now, ready);
            let status = if done { 480 } else { 403 };
            return self.respond_once(now, tx, flow, msg, status);
        };
        let prompt: PromptId = if done { "beep-ok" } else { "beep-error" }.into();
        let beep = (how == Speaks::WebRtc).then(|| prompt.clone());
        let at_once = beep.is_none();
        self.legs.insert(leg, Leg::sip(Role::Feature { seat, ready, beep }, session, Some(tx)));
        self.invites.insert(tx, leg);
        if let Some(media) = negotiated {
            self.connect_media(leg, media);
        }
        if at_once {
            self.beep(leg, prompt);
        }
        let longest = if at_once { LONGEST } else { LONGEST + self.settings.media.expect_rtp_within };
        self.timers.set(Alarm::Feature(leg), Some(now + longest));
        self.tell(now, leg, LegCommand::Answer);
    }

    /// The phone is heard, so that it hears as well.
    pub(super) fn feature_heard(&mut self, now: Instant, leg: LegId) {
        if let Some(Leg { role: Role::Feature { beep, .. }, .. }) = self.legs.get_mut(&leg)
            && let Some(prompt) = beep.take()
        {
            self.timers.set(Alarm::Feature(leg), Some(now + LONGEST));
            self.beep(leg, prompt);
        }
    }

    fn beep(&mut self, leg: LegId, prompt: PromptId) {
        let source = Source::Play { prompts: vec![prompt], then: Box::new(Source::Silence) };
        self.outputs.push_back(Output::Media(MediaCommand::SetSource { leg, source }));
    }

    pub(super) fn feature_over(&mut self, now: Instant, leg: LegId) {
        self.timers.set(Alarm::Feature(leg), None);
        self.tell(now, leg, LegCommand::Hangup(HangupReason::Normal));
    }

    /// Was it accepted, and who becomes ready once the phone has hung up?
    fn apply(&mut self, now: Instant, seat: &SeatNo, feature: Feature) -> (bool, Option<AgentNo>) {
        let here = self.acd.agent_at(seat).cloned();
        let input = match (feature, here) {
            (Feature::SignIn(agent), _) => {
                let default = self.seats.get(seat).and_then(|s| s.default_agent.clone());
                let agent = agent.or(default).filter(|agent| self.sign_in(now, agent, seat));
                return (agent.is_some(), agent);
            }
            (Feature::Ready, Some(agent)) => return (true, Some(agent)),
            (_, None) => return (false, None),
            (Feature::SignOut, Some(agent)) => AcdInput::SignOut { agent },
            (Feature::ExtendWrapUp, Some(agent)) => AcdInput::ExtendWrapUp { agent },
            (Feature::NotReady(reason), Some(agent)) => AcdInput::NotReady { agent, reason },
        };
        (self.acd.handle(now, input).is_ok(), None)
    }

    fn sign_in(&mut self, now: Instant, agent: &AgentNo, seat: &SeatNo) -> bool {
        let already_here = self.acd.agent_at(seat) == Some(agent);
        let (agent, seat) = (agent.clone(), seat.clone());
        already_here || self.acd.handle(now, AcdInput::SignIn { agent, seat }).is_ok()
    }

    /// A phone-only agent is ready as soon as signed in: there is no page to press "ready" on.
    pub(super) fn make_ready(&mut self, now: Instant, agent: Option<AgentNo>) {
        if let Some(agent) = agent {
            // Signed out meanwhile, or the seat is gone: then there is nobody to be ready.
            let _ = self.acd.handle(now, AcdInput::Ready { agent });
        }
    }
}
