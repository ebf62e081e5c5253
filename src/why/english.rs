//! A call's story in English.

use super::story::{Before, Remark, span};
use crate::event::{
    CallFact, Chosen, ConsultEnd, EndCause, ForwardReason, Forwarded, OfferEnd, Party, Purpose, Supervision, Why,
};
use std::time::Duration;

pub(super) fn fact(fact: &CallFact, before: &Before) -> Option<String> {
    Some(match fact {
        CallFact::Arrived { trunk, dnis, cli, test_call, tenant, line, purpose, .. } => {
            let caller = cli.as_deref().unwrap_or("number withheld");
            let test = if *test_call { "; a test call, in no figure" } else { "" };
            match (purpose, line) {
                (Purpose::Callback { of }, _) => {
                    format!("our call to {caller} on trunk {trunk}, promised in call {of}")
                }
                (Purpose::MissedCall { of }, _) => {
                    format!("our call to {caller} on trunk {trunk}, who was not answered in call {of}")
                }
                (_, Some(line)) => {
                    format!("arrived on line {line} ({dnis}, {tenant}) from trunk {trunk}; caller {caller}{test}")
                }
                (_, None) => {
                    format!("arrived for {dnis}, no number of ours, from trunk {trunk}; caller {caller}{test}")
                }
            }
        }
        CallFact::Queued { queue, skill, position, why } => {
            format!("queued for {queue} ({skill}) at place {position}: {}", reason(why))
        }
        CallFact::Moved { queue, skill, position, why } => {
            let place = format!("moved to {queue} ({skill}) at place {position}, the time of arrival kept");
            format!("{place}: {}", reason(why))
        }
        CallFact::Relaxed { step } => {
            format!("nobody free after {}: from now on agents of step {step} count too", time(before.in_queue))
        }
        CallFact::Announced { position, estimate } => {
            let place = position.map(|n| format!("place {n}"));
            let wait = estimate.map(|e| format!("about {} to wait", time(e)));
            format!("told the caller: {}", [place, wait].into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        CallFact::CallbackOffered => "offered to call back instead".into(),
        CallFact::Offered { agent, seat, chosen, .. } => {
            format!("offered to {agent} at seat {seat} ({})", choice(chosen))
        }
        CallFact::OfferEnded { agent, why } => {
            let why = match why {
                OfferEnd::NoAnswer => "did not answer",
                OfferEnd::Busy => "was busy",
                OfferEnd::Declined => "declined",
                OfferEnd::Unreachable => "could not be reached",
                OfferEnd::Failed => "answered, but the connection failed",
                OfferEnd::Withdrawn => "is not rung any more: the offer was withdrawn",
            };
            format!("{agent} {why} (after {}); the caller keeps the place", time(before.ringing))
        }
        CallFact::Answered { agent, seat, wait, ring, spooled, .. } => {
            let ticket = if *spooled { "" } else { "; the ticket was not yet on the disk" };
            format!(
                "answered by {agent} at seat {seat}: waited {}, of which {} ringing{ticket}",
                time(*wait),
                time(*ring)
            )
        }
        CallFact::Held => "on hold".into(),
        CallFact::Resumed => "off hold".into(),
        CallFact::Transferred { agent, queue } => format!("{agent} passed the caller on to {queue}"),
        CallFact::TakenOver { agent, seat, wait, ring, .. } => {
            format!(
                "taken over by {agent} at seat {seat}: waited {} more, of which {} ringing",
                time(*wait),
                time(*ring)
            )
        }
        CallFact::Digit(_) => "the caller pressed a key".into(),
        CallFact::NoAudio { leg } => format!("no sound came on leg {leg}: one-way audio"),
        CallFact::Forwarded(Forwarded { by, called, why }) => {
            let why = match why {
                Some(ForwardReason::Always) => " (always)",
                Some(ForwardReason::Busy) => " (busy)",
                Some(ForwardReason::NoAnswer) => " (no answer)",
                Some(ForwardReason::Unreachable) => " (out of reach)",
                Some(ForwardReason::Deflected) => " (deflected while ringing)",
                None => "",
            };
            let unknown = "a number not told";
            let (by, called) = (by.as_deref().unwrap_or(unknown), called.as_deref().unwrap_or(unknown));
            format!("forwarded to us by {by}{why}; the caller had dialled {called}")
        }
        CallFact::FarEndCause { leg, status, q850 } => {
            let status = status.map(|s| format!("SIP {s}"));
            let said = [status, q850.map(|c| format!("Q.850 cause {c}"))];
            format!("the far end of leg {leg} says: {}", said.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
        CallFact::Ended { cause, wait, talk, hold, .. } => {
            let hold = if hold.is_zero() { String::new() } else { format!(", {} of it on hold", time(*hold)) };
            let talk = if talk.is_zero() { String::new() } else { format!("; talked {}{hold}", time(*talk)) };
            format!("ended because {}; waited {}{talk}", ending(*cause), time(*wait))
        }
        CallFact::Dialled { seat, agent: Some(agent), to, .. } => {
            format!("{agent} at seat {seat} dialled {}", party(to))
        }
        CallFact::Dialled { seat, agent: None, to, .. } => {
            format!("seat {seat}, where nobody was signed in, dialled {}", party(to))
        }
        // Who was consulted before.
        CallFact::Reached { ring } if ring.is_zero() => "the other side was on the line already".into(),
        CallFact::Reached { ring } => format!("the other side answered after {}", time(*ring)),
        CallFact::PassingOn { agent, to } => format!("{agent} passes the caller on to {}", party(to)),
        CallFact::PassedOn { agent, to } => format!("{agent} is off the call, the caller goes to {}", party(to)),
        CallFact::NotPassedOn { agent, to, status } => {
            format!("{} could not be had ({status}), asked for by {agent}", party(to))
        }
        CallFact::Consulting { agent, to } => format!("{agent} calls {} beside the caller", party(to)),
        CallFact::Consulted { ring } => format!("that party answered after {}", time(*ring)),
        CallFact::ThreeWay => "the caller, the agent and that party hear one another".into(),
        CallFact::ConsultOver { to, why, .. } => {
            let why = match why {
                ConsultEnd::NotReached { status } => format!("could not be had ({status})"),
                ConsultEnd::Returned => "is let go by the agent".into(),
                ConsultEnd::PartyHangUp => "has hung up".into(),
                ConsultEnd::PartyLost => "is lost: its leg or its audio failed".into(),
                ConsultEnd::CallOver => "is let go with the agent's part of the call".into(),
            };
            format!("{} {why}", party(to))
        }
        CallFact::Help { agent, asked: true } => format!("{agent} asks for the shift leader"),
        CallFact::Help { agent, asked: false } => format!("{agent} needs the shift leader no more"),
        CallFact::Supervised { by, act, agent, why } => {
            let act = match act {
                Supervision::Listen => "listens",
                Supervision::Whisper => "speaks to the agent alone",
                Supervision::Barge => "speaks to all",
                Supervision::Left => "is off the call",
                Supervision::TakeOver => "takes the call over",
                Supervision::Disconnect => "ends the call",
                Supervision::MoveUp => "moves the caller to the front",
                Supervision::MoveCall => "moves the caller to another queue",
            };
            let with = agent.as_ref().map(|agent| format!(" (agent {agent})")).unwrap_or_default();
            let why = why.as_ref().map(|why| format!(": {}", why.escape_debug())).unwrap_or_default();
            format!("shift leader {by} {act}{with}{why}")
        }
        CallFact::Surveyed { agent } => format!("{agent} is off the call, the caller is asked how it was"),
        CallFact::Rated { score } => format!("the caller rates the call {score} of 5"),
        CallFact::LegClosed { .. } | CallFact::Recorded(_) => return None,
    })
}

pub(super) fn remark(remark: &Remark) -> String {
    match remark {
        Remark::Title { call, day, offset } => format!("Call {call}, {day}, times at UTC{offset}"),
        Remark::Missed(events) => format!("(the log lacks {events} events here, perhaps of this call)"),
        Remark::Restarted => "(the gateway was started anew here)".into(),
        Remark::Unknown => "(a fact that a later version wrote)".into(),
        Remark::NoEnd => "No end is recorded: the call is still up, or was lost with the gateway's process.".into(),
    }
}

fn reason(why: &Why) -> String {
    match why {
        Why::Line => "the number called leads there".into(),
        Why::Country(code) => format!("the caller's country code is {code}"),
        Why::Remembered => "the caller was served in that language before".into(),
        Why::Key(key) => format!("the caller pressed {key}"),
        Why::Agent(agent) => format!("agent {agent} passed the caller on"),
        Why::Full => "the queue before was full".into(),
        Why::NoAgents => "nobody at all has the skills of the queue before".into(),
        Why::Overflow => "the wait in the queue before was long enough".into(),
        Why::Closed => "the line is closed at this time".into(),
        Why::Callback => "the citizen is to be called back".into(),
        Why::Supervisor(agent) => format!("supervisor {agent} sent the caller there"),
        Why::SeatLost => "the phone or page of whom the caller talked with died".into(),
    }
}

fn choice(chosen: &Chosen) -> String {
    let why = if chosen.preferred { "served this caller last" } else { "next by the queue's strategy" };
    let step = match chosen.step {
        0 => "full requirement".into(),
        step => format!("requirement of step {step}"),
    };
    let interpreter = if chosen.interpreter { ", needs an interpreter" } else { "" };
    format!("{why}, {step}{interpreter}")
}

fn ending(cause: EndCause) -> &'static str {
    match cause {
        EndCause::CallerHangUp => "the caller hung up",
        EndCause::AgentHangUp => "the agent hung up",
        EndCause::MediaTimeout => "one side's sound was gone too long",
        EndCause::ShortAbandon => "the caller hung up at once (short abandon)",
        EndCause::AbandonedInQueue => "the caller hung up while waiting",
        EndCause::AbandonedRinging => "the caller hung up while an agent's seat rang",
        EndCause::AbandonedBeforeQueue => "the caller hung up before asking for an agent",
        EndCause::QueueFull => "the queue was full",
        EndCause::QueueTimeout => "the wait was longer than the queue allows",
        EndCause::NoAgents => "nobody has the skill and the queue does not wait for one",
        EndCause::CallbackTaken => "the caller chose to be called back",
        EndCause::Deflected => "the notice told the caller enough",
        EndCause::Closed => "the line is closed at this time",
        EndCause::NotReached => "the other side was not reached",
        EndCause::UnknownNumber => "the number called is not ours",
        EndCause::TrunkFault => "the carrier's side failed",
        EndCause::OurFault => "of a fault of ours",
        EndCause::PartyHangUp => "the other side hung up",
        EndCause::Joined => "it was joined with the caller whom the agent passed on",
        EndCause::TimeLimit => "a call passed on to somebody outside may not last longer",
    }
}

fn party(party: &Party) -> String {
    match party {
        Party::Seat(seat) => format!("seat {seat}"),
        Party::Outside(number) => number.clone(),
        Party::Emergency(number) => format!("the emergency number {number}"),
    }
}

fn time(time: Duration) -> String {
    match span(time) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
