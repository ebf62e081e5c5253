//! What people at the hotline see of the live state. Nothing here decides or changes anything.

use super::Gateway;
use super::legs::Role;
use crate::acd::{AgentView, InLine, QueueView};
use crate::call::{Call, Mode, OwnCall};
use crate::ids::{AgentNo, CallId, LegId, SeatNo};
use crate::screen::{
    AgentScreen, CallScreen, Doing, Floor, FloorAgent, FloorCall, FloorCaller, FloorQueue, Listening, MOST_WAITING,
    OwnScreen, QueueScreen, SkillLevel,
};
use crate::time::Instant;

impl Gateway {
    /// `None`: nobody of this number is on the roster.
    pub fn agent_screen(&self, agent: &AgentNo) -> Option<AgentScreen> {
        let view = self.acd.agent(agent)?;
        let queues = self.acd.queues_of(agent).map(queue_screen);
        let audio = view.seat.and_then(|seat| self.reached_by(seat));
        Some(AgentScreen {
            agent: agent.clone(),
            seat: view.seat.cloned(),
            doing: Doing::new(view.state, view.since, view.until, view.then),
            leader: view.leader,
            reachable: audio.is_some(),
            audio,
            call: view.call.and_then(|call| self.call_screen(call)),
            serving: view.serving,
            help: view.call.and_then(|call| self.calls.get(&call)).and_then(Call::help_asked),
            listening: view.seat.filter(|_| view.leader).and_then(|seat| self.listening(agent, seat)),
            own: view.seat.and_then(|seat| self.own_screen(seat)),
            dialled_in_vain: view.seat.and_then(|seat| self.browsers.get(seat)?.in_vain.clone()),
            test_call: view.seat.is_some_and(|seat| self.test_call_at(seat).is_some()),
            own_calls: view.seat.and_then(|seat| self.engaged_seats.get(seat)).copied().unwrap_or(0),
            queues: queues.collect(),
        })
    }

    /// The shift leader's console. Whoever shows it has checked that it is for one.
    pub fn floor(&self) -> Floor {
        let queues = self.acd.queues().filter_map(|view| {
            let skill = self.queue(view.name)?.skill.clone();
            Some(FloorQueue { queue: queue_screen(view), skill })
        });
        let waiting =
            self.acd.first_in_line(MOST_WAITING).into_iter().filter_map(|InLine { call, queue, moved_up }| {
                let known = self.calls.get(&call)?;
                let priority = known.terms().priority.unwrap_or(known.terms().queue.priority);
                let CallScreen { caller, asked, .. } = known.screen();
                Some(FloorCaller { call, queue: queue.clone(), caller, asked, priority, moved_up })
            });
        Floor {
            agents: self.acd.agents().map(|view| self.floor_agent(view)).collect(),
            queues: queues.collect(),
            waiting: waiting.collect(),
        }
    }

    fn floor_agent(&self, view: AgentView<'_>) -> FloorAgent {
        let call = view.call.and_then(|id| self.calls.get(&id));
        let heard = call.and_then(Call::supervisor).map(|(by, mode, since)| listening(by, mode, since));
        let shown = view.call.and_then(|call| self.call_screen(call)).map(|screen| {
            let CallScreen { call, queue, stage, caller, asked, answered, party, .. } = screen;
            FloorCall { call, queue, stage, caller, asked, answered, party }
        });
        let skills = view.skills.iter().map(|(skill, level)| SkillLevel { skill: skill.clone(), level: *level });
        FloorAgent {
            agent: view.number.clone(),
            seat: view.seat.cloned(),
            team: view.team.map(str::to_owned),
            leader: view.leader,
            doing: Doing::new(view.state, view.since, view.until, view.then),
            reachable: view.seat.is_some_and(|seat| self.reached_by(seat).is_some()),
            help: call.and_then(Call::help_asked),
            skills: skills.collect(),
            call: shown,
            listened_by: heard,
        }
    }

    /// By the leader's leg, which is at their seat.
    fn listening(&self, by: &AgentNo, seat: &SeatNo) -> Option<Listening> {
        let on = self.legs.at(seat).filter_map(|(_, leg)| self.calls.get(&leg.role.call()?));
        let call = on.into_iter().find(|call| call.is_supervised_by(by))?;
        let (_, mode, since) = call.supervisor()?;
        Some(listening(call.talks_with()?, mode, since))
    }

    /// Whose screens show something of this call.
    pub fn shown_to(&self, call: CallId) -> Option<&AgentNo> {
        self.acd.agent_of(call)
    }

    fn call_screen(&self, call: CallId) -> Option<CallScreen> {
        self.calls.get(&call).map(|call| call.screen()).or_else(|| self.attempts.get(&call).map(|call| call.screen()))
    }

    /// The call that the seat has dialled, or that a colleague has sent there.
    fn own_screen(&self, seat: &SeatNo) -> Option<OwnScreen> {
        self.legs.at(seat).find_map(|(id, leg)| match &leg.role {
            Role::Dialler { call, .. } => self.own.get(call).map(|own| own.screen(true)),
            Role::Party { call, .. } => {
                let own = self.own.get(call).map(|own| own.screen(false));
                own.or_else(|| self.calls.get(call).and_then(|call| call.sent_screen(id)))
            }
            _ => None,
        })
    }

    /// Seats see how their own call goes.
    pub(super) fn own_call_shows(&mut self, id: CallId) {
        let own = self.own.get(&id).map(OwnCall::seats);
        let seats = own.or_else(|| self.calls.get(&id).map(Call::seats_with_a_third)).unwrap_or_default();
        seats.iter().for_each(|seat| self.shows(seat));
    }

    /// The leg by which a seat is on a call, rung or talking; of several the first.
    pub(super) fn leg_of_seat(&self, seat: &SeatNo) -> Option<(LegId, &Role)> {
        let on_call = |role: &Role| !matches!(role, Role::Feature { .. } | Role::TestCall { .. });
        self.legs.at(seat).map(|(leg, known)| (leg, &known.role)).find(|(_, role)| on_call(role))
    }
}

fn queue_screen(view: QueueView<'_>) -> QueueScreen {
    let QueueView { name, waiting, callbacks, oldest } = view;
    QueueScreen { name: name.clone(), waiting, callbacks, oldest }
}

fn listening(agent: &AgentNo, mode: Mode, since: Instant) -> Listening {
    let mode = match mode {
        Mode::Listen => "listen",
        Mode::Whisper => "whisper",
        Mode::Barge => "barge",
    };
    Listening { agent: agent.clone(), mode, since }
}
