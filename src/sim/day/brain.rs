//! The gateway's side of the day: inputs in, outputs carried out, alarms kept, saved and restored on the way.

use super::scenario::{GATEWAY_SIP, STRANGER, seat_at};
use super::stores::Written;
use super::{Day, Event, Wrapped, plane};
use crate::gateway::{AgentOrder, Gateway, Input, Output};
use crate::ids::{AgentNo, CallId};
use crate::plane::{MediaCommand, MediaEvent};
use std::time::Duration;

impl Day<'_> {
    pub(super) fn input(&mut self, input: Input<'_>) {
        if let Some(trace) = &mut self.trace {
            trace(format!("{:?} -> {}", self.now, describe_input(&input)));
        }
        let was_alarm = matches!(input, Input::Timeout);
        self.gateway.handle(self.now, input);
        self.stepped(was_alarm);
    }

    /// An order from an agent's page; whether it can be is for the gateway to say.
    pub(super) fn order(&mut self, agent: &AgentNo, order: AgentOrder) {
        let told = format!("{order:?}");
        let done = self.gateway.order(self.now, agent, order);
        if let Some(trace) = &mut self.trace {
            trace(format!("{:?} -> {agent} orders {told}: {done:?}", self.now));
        }
        self.stepped(false);
    }

    fn stepped(&mut self, was_alarm: bool) {
        self.steps += 1;
        if self.scenario.restore_every.is_some_and(|n| self.steps.is_multiple_of(n)) {
            self.save_and_restore();
        }
        while let Some(output) = self.gateway.next_output() {
            self.output(output);
        }
        self.plane.end_step();
        for fault in std::mem::take(&mut self.plane.faults) {
            self.audit.fault(self.now, fault);
        }
        self.audit.end_step(self.now, &self.gateway);
        match self.gateway.next_timeout() {
            Some(at) if at <= self.now && was_alarm => {
                self.hurry += 1;
                if self.hurry > 1_000 {
                    self.audit.fault(self.now, "the gateway wants to be woken at once, for ever".into());
                    self.audit.give_up();
                }
            }
            _ => self.hurry = 0,
        }
        self.arm_gateway();
    }

    pub(super) fn arm_gateway(&mut self) {
        let Some(at) = self.gateway.next_timeout() else { return };
        let at = at.max(self.now);
        if self.gateway_alarm.is_none_or(|armed| at < armed) {
            self.gateway_alarm = Some(at);
            self.plan_at(at, Event::GatewayAlarm);
        }
    }

    pub(super) fn save_and_restore(&mut self) {
        let saved = self.gateway.save();
        match Gateway::restore(&saved) {
            Ok(restored) => {
                if restored.save() != saved {
                    self.audit.fault(self.now, "saved, restored and saved again: other bytes".into());
                }
                self.gateway = restored;
            }
            Err(e) => {
                self.audit.fault(self.now, e);
                self.audit.give_up();
            }
        }
    }

    pub(super) fn output(&mut self, output: Output) {
        if let Some(trace) = &mut self.trace {
            trace(format!("{:?} <- {}", self.now, describe_output(&output)));
        }
        self.audit.output(self.now, &output);
        match output {
            Output::Send(transmit) => {
                let to = transmit.flow.remote;
                if transmit.flow.local != GATEWAY_SIP {
                    self.audit.fault(self.now, format!("sends from {}, which is not ours", transmit.flow.local));
                }
                if to == STRANGER && transmit.bytes.starts_with(b"SIP/2.0 2") {
                    self.audit.fault(self.now, "a stranger was served".into());
                }
                let path = if seat_at(to).is_some() { self.scenario.seat_path } else { self.scenario.carrier_path };
                let delays: Vec<Duration> = path.outbound.carry(&mut self.net).collect();
                for delay in delays {
                    self.plan(delay, Event::Outbound { to, bytes: transmit.bytes.clone() });
                }
            }
            Output::Media(command) => self.media_command(&command),
            Output::OpenTicket(ticket) => {
                let delay = self.stores.open(&ticket);
                self.plan(delay, Event::SpoolWrite(ticket.call));
            }
            Output::Call(_) | Output::Callback(_) | Output::Guard(_) | Output::Leader(_) => {}
            Output::Screen(agent) => {
                let i = self.seats.iter().position(|s| s.page.is_some() && s.person.number == agent.as_str());
                i.into_iter().for_each(|i| self.look_soon(i));
            }
            Output::Agent(event) => {
                let Some(i) = self.seats.iter().position(|s| s.person.number == event.agent.as_str()) else {
                    return self.audit.fault(self.now, format!("event of agent {}, who does not exist", event.agent));
                };
                self.shown(i, event.state);
            }
        }
    }

    pub(super) fn media_command(&mut self, command: &MediaCommand) {
        let reaction = self.plane.command(self.now, command);
        self.react_later(reaction);
    }

    /// What a command leads to comes later: the gateway is in the middle of a step.
    pub(super) fn react_later(&mut self, reaction: plane::Reaction) {
        for (delay, notice) in reaction.later {
            self.plan(delay, Event::Plane(Wrapped(notice)));
        }
        if let Some(rtp) = reaction.hears_human
            && let Some(&i) = self.by_rtp.get(&rtp)
        {
            self.with_carrier(i, |ua, now| ua.heard_human(now));
        }
    }

    pub(super) fn react(&mut self, mut reaction: plane::Reaction) {
        let event: Option<MediaEvent> = reaction.event.take();
        self.react_later(reaction);
        if let Some(event) = event {
            self.input(Input::Media(event));
        }
    }

    pub(super) fn spool_write(&mut self, call: CallId) {
        match self.stores.write(self.now, call) {
            Some(Written::Durable) => {
                self.audit.durable(call);
                self.input(Input::Spooled { call });
            }
            Some(Written::Failed) => {
                let again = self.stores.retry_after();
                self.plan(again, Event::SpoolWrite(call));
                self.input(Input::SpoolFailed { call });
            }
            None => {}
        }
    }
}

fn describe_input(input: &Input<'_>) -> String {
    match input {
        Input::Message { flow, bytes } => format!("{} {}", flow.remote, first_line(bytes)),
        other => format!("{other:?}"),
    }
}

fn describe_output(output: &Output) -> String {
    match output {
        Output::Send(t) => format!("{} {}", t.flow.remote, first_line(&t.bytes)),
        Output::OpenTicket(t) => format!("OpenTicket {:?} agent {} seat {}", t.call, t.agent, t.seat),
        other => format!("{other:?}"),
    }
}

pub(super) fn call_id_of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().find_map(|l| l.strip_prefix("Call-ID: ").or_else(|| l.strip_prefix("Call-Id: "))).map(str::trim)
}

pub(super) fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cseq = text.lines().find(|l| l.starts_with("CSeq")).unwrap_or_default();
    let id = call_id_of(bytes).unwrap_or_default();
    format!("{} | {cseq} | {id}", text.lines().next().unwrap_or_default())
}
