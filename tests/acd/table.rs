//! Runs a scenario written as an aligned text table. Belongs here: the words. Not here: the scenarios.
//!
//! ```text
//! rules: ageing 60, reserve english 2                       over all queues
//! queue hotline: mandarin 1, ring 15, wrap-up 20            settings, in any order after the skills of the first step
//! queue english: english 8, after 20 english 5 + tax 2, after 60 mandarin 1 from reserve interpreted
//! agent 6632: mandarin 5, english 8                         skills with levels; `leader`, `guest 100 to 200`
//!   0  6632 signs in at 801      | 6632 not ready (busy)    at second 0 this happens | all that is decided, in order
//!  15  time passes               | ...                      a timer is due exactly then
//!  15  look: c2 position         | 1                        what the live view shows; changes nothing
//! ```
//! An empty right side means that nothing is decided. After each line the invariants are checked and the distributor
//! is saved to bytes and goes on as the one restored from them.

use rexian::acd::{Acd, AcdInput, AcdOutput, Forced, Request, Waits};
use rexian::config::settings::{
    AgentSettings, DistributorSettings, Overflow, QueueSettings, Relaxation, Rona, Strategy,
};
use rexian::event::{AgentState, NotReadyReason, OfferEnd};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

pub fn queue(name: &str, skill: &str, min_level: u8) -> QueueSettings {
    QueueSettings { min_level, max_waiting: 1_000, wrap_up: Duration::ZERO, ..QueueSettings::new(name, skill) }
}

/// Panics with the line at fault, what was expected and what came.
pub fn run(scenario: &str) {
    let (mut queues, mut agents, mut rules) = (Vec::new(), Vec::new(), DistributorSettings::default());
    let mut acd: Option<Acd> = None;
    for (number, line) in scenario.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        let place = format!("line {}: {line}", number + 1);
        if line.is_empty() {
        } else if let Some(text) = line.strip_prefix("rules: ") {
            rules = parse_rules(&words(text));
        } else if let Some(text) = line.strip_prefix("queue ") {
            queues.push(parse_queue(&words(text)));
        } else if let Some(text) = line.strip_prefix("agent ") {
            agents.push(parse_agent(&words(text)));
        } else {
            let acd = acd.get_or_insert_with(|| Acd::new(&queues, &agents, &rules));
            let (left, right) = line.split_once('|').unwrap_or_else(|| panic!("{place}: no `|`"));
            let (at, what) = left.trim().split_once(' ').unwrap_or_else(|| panic!("{place}: no event"));
            // A refusal is one sentence, with its own commas.
            let parts = if right.contains("refused: ") { vec![right] } else { right.split(',').collect() };
            let expected: Vec<String> = parts.into_iter().map(words).filter(|text| !text.is_empty()).collect();
            assert_eq!(step(acd, seconds(at), &words(what), &place), expected, "{place}");
            acd.check().unwrap_or_else(|problem| panic!("{place}: {problem}"));
            let bytes = postcard::to_stdvec(acd).expect("saves");
            *acd = postcard::from_bytes(&bytes).unwrap_or_else(|e| panic!("{place}: restoring: {e}"));
        }
    }
    assert!(acd.is_some(), "a scenario without events");
}

fn step(acd: &mut Acd, now: Instant, what: &str, place: &str) -> Vec<String> {
    if let Some(question) = what.strip_prefix("look: ") {
        return vec![look(acd, now, question)];
    }
    let due = acd.next_timeout();
    let mut said = Vec::new();
    if what == "time passes" {
        assert_eq!(due, Some(now), "{place}: the next timer");
        acd.handle_timeout(now);
    } else {
        assert!(due.is_none_or(|due| due >= now), "{place}: a timer was due at {due:?} and the table does not say so");
        if let Err(refused) = acd.handle(now, parse_input(now, what)) {
            // Calls by their name in the table.
            let words = refused.to_string();
            let id = what.split(' ').next().filter(|first| first.starts_with('c')).map(call);
            said.push(format!(
                "refused: {}",
                id.map_or(words.clone(), |id| words.replace(&format!("call {id}"), &name(id)))
            ));
        }
    }
    said.extend(std::iter::from_fn(|| acd.next_output()).map(|output| describe(&output, now)));
    said
}

fn look(acd: &Acd, now: Instant, question: &str) -> String {
    let number = |n: usize| n.to_string();
    match question.split(' ').collect::<Vec<_>>()[..] {
        [id, "position"] => acd.position(call(id)).map_or("none".into(), number),
        [id, "estimate"] => {
            acd.estimate(now, call(id)).map_or("none".into(), |wait| format!("{} s", wait.as_secs_f64().round()))
        }
        [id, "why"] => acd.why(call(id)).map_or("none".into(), |s| {
            let (queue, place, step) = (s.queue, s.position, s.step);
            format!("{queue} place {place} step {step} working {} kept back {}", s.working, s.kept_back)
        }),
        ["queue", name] => {
            let queue = acd.queues().find(|queue| queue.name.as_str() == name).expect("a queue");
            format!("{} wait and {} to be called back", queue.waiting, queue.callbacks)
        }
        ["waiting"] => number(acd.waiting()),
        ["offers"] => number(acd.offers()),
        ["longest", "wait"] => format!("{} s", acd.longest_wait(now).as_secs_f64()),
        ["seat", seat] => acd.agent_at(&seat.into()).map_or("nobody".into(), |agent| agent.to_string()),
        [agent, "team"] => {
            let agent = acd.agent(&agent.into()).expect("an agent");
            format!("{}{}", agent.team.unwrap_or("none"), if agent.leader { " leader" } else { "" })
        }
        [agent] => acd.agent_state(&agent.into()).map_or("unknown".into(), state),
        _ => panic!("cannot look at {question:?}"),
    }
}

fn parse_input(now: Instant, what: &str) -> AcdInput {
    let agent = |no: &str| AgentNo::new(no);
    if let Some(settings) = what.strip_prefix("admit ") {
        return AcdInput::Admit(parse_agent(settings));
    }
    if let Some((no, skills)) = what.split_once(" has now ") {
        return AcdInput::SetSkills { agent: agent(no), skills: parse_skills(skills) };
    }
    match what.split(' ').collect::<Vec<_>>()[..] {
        ["seat", seat, "lost"] => AcdInput::SeatLost { seat: seat.into() },
        ["seat", seat, "registers"] => AcdInput::SeatReachable { seat: seat.into() },
        [no, "signs", "in", "at", seat] => AcdInput::SignIn { agent: agent(no), seat: SeatNo::new(seat) },
        [no, "signs", "out"] => AcdInput::SignOut { agent: agent(no) },
        [no, "ready"] => AcdInput::Ready { agent: agent(no) },
        [no, "not", "ready", why] => AcdInput::NotReady { agent: agent(no), reason: reason(why) },
        [id, "asks", "for", queue, ref terms @ ..] => {
            let mut request = Request::of_caller(call(id), QueueName::new(queue), now);
            for term in terms.chunks(2) {
                match *term {
                    ["since", since] => request.since = seconds(since),
                    ["priority", value] => request.priority = Some(value.parse().expect("a priority")),
                    ["preferring", no] => request.preferred = Some(agent(no)),
                    ["for", "callback"] => request.waits = Waits::ForCallback,
                    _ => panic!("nobody asks {term:?}"),
                }
            }
            AcdInput::Enqueue(request)
        }
        [id, "moves", "to", queue] => AcdInput::Requeue { call: call(id), queue: queue.into() },
        [id, "is", "moved", "up"] => AcdInput::MoveUp { call: call(id) },
        [id, "not", "reached"] => AcdInput::NotReached { call: call(id) },
        [no, "extends", "wrap-up"] => AcdInput::ExtendWrapUp { agent: agent(no) },
        [by, "forces", no, ref to @ ..] => {
            let to = match to {
                ["ready"] => Forced::Ready,
                ["not", "ready"] => Forced::NotReady,
                ["out"] => Forced::SignOut,
                _ => panic!("nobody is forced {to:?}"),
            };
            AcdInput::Force { agent: agent(no), to, by: agent(by) }
        }
        ["dismiss", no] => AcdInput::Dismiss { agent: agent(no) },
        [id, "leaves", "while", "it", "rings"] => AcdInput::LeaveRinging { call: call(id) },
        ["seat", seat, "is", "quiet"] => AcdInput::SeatQuiet { seat: seat.into() },
        [id, "leaves"] => AcdInput::Leave { call: call(id) },
        [id, "answered"] => AcdInput::Answered { call: call(id) },
        [id, "held"] => AcdInput::Held { call: call(id) },
        [id, "resumed"] => AcdInput::Resumed { call: call(id) },
        [id, "seat", "dies"] => AcdInput::SeatDead { call: call(id) },
        [id, "talk", "ends"] => AcdInput::TalkEnded { call: call(id) },
        [id, "cannot", "ring", "until", when] => AcdInput::CannotRing { call: call(id), until: seconds(when) },
        [id, "offer", "fails", why] => AcdInput::OfferFailed { call: call(id), why: offer_end(why) },
        _ => panic!("nobody can do {what:?}"),
    }
}

fn describe(output: &AcdOutput, now: Instant) -> String {
    match output {
        AcdOutput::Relaxed { call, step } => format!("{} relaxed to step {step}", name(*call)),
        AcdOutput::OverflowDue { call } => format!("{} overflows", name(*call)),
        AcdOutput::Offer { call, agent, seat, chosen } => {
            let step = if chosen.step > 0 { format!(" by step {}", chosen.step) } else { String::new() };
            let preferred = if chosen.preferred { " as last time" } else { "" };
            let interpreter = if chosen.interpreter { " with interpreter" } else { "" };
            format!("ring {agent} at {seat} for {}{step}{preferred}{interpreter}", name(*call))
        }
        AcdOutput::OfferTimedOut { call, agent } => format!("{agent} did not pick up {}", name(*call)),
        AcdOutput::OfferWithdrawn { call, agent } => format!("stop ringing {agent} for {}", name(*call)),
        AcdOutput::QueueTimeout { call } => format!("{} waited too long", name(*call)),
        AcdOutput::Agent(event) => {
            assert_eq!(event.at, now, "{event:?}");
            assert_eq!(event.seat.is_none(), event.state == AgentState::LoggedOut, "{event:?}");
            let by = event.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            format!("{} {}{by}", event.agent, state(event.state))
        }
    }
}

fn state(state: AgentState) -> String {
    match state {
        AgentState::LoggedOut => "signed out".into(),
        AgentState::NotReady(why) => format!("not ready {}", lower(why)),
        AgentState::Ready => "ready".into(),
        AgentState::Reserved => "reserved".into(),
        AgentState::Talking => "talking".into(),
        AgentState::Hold => "on hold".into(),
        AgentState::WrapUp => "in wrap-up".into(),
        AgentState::Engaged => "engaged".into(),
    }
}

fn lower(value: impl std::fmt::Debug) -> String {
    format!("({})", format!("{value:?}").to_lowercase())
}

fn reason(text: &str) -> NotReadyReason {
    use NotReadyReason::*;
    let all = [Busy, Break, Training, NoAnswer, Declined, Unreachable, Forced];
    all.into_iter().find(|why| lower(why) == text).unwrap_or_else(|| panic!("{text} is no reason"))
}

fn offer_end(text: &str) -> OfferEnd {
    use OfferEnd::*;
    let all = [NoAnswer, Busy, Declined, Unreachable, Failed, Withdrawn];
    all.into_iter().find(|why| lower(why) == text).unwrap_or_else(|| panic!("{text} ends no offer"))
}

/// `hotline: mandarin 1, after 30 dialect 1 from reserve, priority 2, ring 15, wrap-up 20, full at 3, waits 60`
fn parse_queue(text: &str) -> QueueSettings {
    let (name, rest) = text.split_once(": ").expect("a colon");
    let mut terms = rest.split(", ");
    let mut skills = terms.next().expect("skills").split(" + ");
    let (skill, level) = skills.next().and_then(|first| first.split_once(' ')).expect("a skill and a level");
    let mut queue = queue(name, skill, level.parse().expect("a level"));
    queue.also = parse_skills(&skills.collect::<Vec<_>>().join(" + "));
    for term in terms {
        let number = |text: &str| text.parse::<u32>().unwrap_or_else(|_| panic!("queue {name}: {term}"));
        let time = |text: &str| Duration::from_secs(number(text).into());
        match term.split(' ').collect::<Vec<_>>()[..] {
            ["after", after, ..] => {
                let skills = term.splitn(3, ' ').nth(2).expect("skills").replace(" from reserve", "");
                queue.relax.push(Relaxation {
                    after: time(after),
                    skills: parse_skills(skills.trim_end_matches(" interpreted")),
                    use_reserve: term.contains(" from reserve"),
                    interpreter: term.contains(" interpreted"),
                });
            }
            ["priority", value] => queue.priority = number(value) as u8,
            ["ring", value] => queue.ring_timeout = time(value),
            ["wrap-up", value] => queue.wrap_up = time(value),
            ["extension", value] => queue.wrap_up_extension = time(value),
            ["full", "at", value] => queue.max_waiting = number(value),
            ["waits", value] => queue.max_wait = Some(time(value)),
            ["overflows", "after", value] => {
                queue.overflow = Some(Overflow { queue: "elsewhere".into(), after: Some(time(value)) })
            }
            ["least", "occupied"] => queue.strategy = Strategy::LeastOccupied,
            ["most", "skilled"] => queue.strategy = Strategy::MostSkilled,
            ["prefers", "last", "agent"] => queue.prefer_last_agent = true,
            ["forgives", value] => queue.rona = Rona::Tolerate(number(value) as u8),
            ["signs", "out"] => queue.rona = Rona::SignOut,
            _ => panic!("queue {name}: {term}?"),
        }
    }
    queue
}

/// `ageing 60, reserve english 2`
fn parse_rules(text: &str) -> DistributorSettings {
    let mut rules = DistributorSettings::default();
    for term in text.split(", ") {
        match term.split(' ').collect::<Vec<_>>()[..] {
            ["ageing", value] => rules.ageing = Duration::from_secs(value.parse().expect("seconds")),
            ["reserve", skill, keep] => drop(rules.reserve.insert(skill.into(), keep.parse().expect("a number"))),
            _ => panic!("{term} is no rule"),
        }
    }
    rules
}

/// `6632: mandarin 5, english 8, leader`
fn parse_agent(text: &str) -> AgentSettings {
    let (number, rest) = text.split_once(": ").expect("a colon");
    let mut agent = AgentSettings::new(number, []);
    for term in rest.split(", ") {
        match term.split(' ').collect::<Vec<_>>()[..] {
            ["leader"] => agent.leader = true,
            ["team", team] => agent.team = Some(team.into()),
            ["guest", from, "to", until] => {
                agent.guest = Some((from.parse().expect("seconds"), until.parse().expect("seconds")))
            }
            _ => agent.skills.extend(parse_skills(term)),
        }
    }
    agent
}

/// `mandarin 5 + english 8`
fn parse_skills(text: &str) -> BTreeMap<Skill, u8> {
    let skill = |term: &str| -> (Skill, u8) {
        let (skill, level) = term.trim().split_once(' ').unwrap_or_else(|| panic!("{term}: no level"));
        (skill.into(), level.parse().expect("a level"))
    };
    text.split(" + ").filter(|term| !term.is_empty()).map(skill).collect()
}

fn seconds(text: &str) -> Instant {
    let seconds: f64 = text.parse().unwrap_or_else(|_| panic!("{text} is no time"));
    Instant((seconds * 1e6) as u64)
}

fn call(text: &str) -> CallId {
    CallId(text.strip_prefix('c').and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{text} is no call")))
}

fn name(call: CallId) -> String {
    format!("c{}", call.0)
}

/// Runs of blanks as one.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
