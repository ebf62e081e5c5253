//! Shift leaders: on an agent's call by their own seat, over agents' states and skills, over the line; and whatever a
//! leader does or fails to do, the citizen and the agent talk on.

use crate::dialling::{answer, last, seconds};
use crate::referring::{THE_OTHER_SIDE, colleague, desks, in_conversation, then};
use crate::world::{World, invite};
use rexian::acd::Forced;
use rexian::call::Mode;
use rexian::config::settings::CoreSettings;
use rexian::event::{AgentState, CallFact, EndCause, LeaderAct, NotReadyReason};
use rexian::gateway::{AgentOrder, LeaderOrder};
use rexian::ids::{AgentNo, CallId, QueueName};
use rexian::screen::{AgentScreen, FloorAgent, Stage};
use rexian::sim::ua::Reaction;

/// 6602 at 8002 leads.
const LEADER: &str = "6602";

fn led(core: &mut CoreSettings) {
    core.agents[1].leader = true;
}

fn lead(world: &mut World, order: LeaderOrder) -> Result<(), &'static str> {
    world.order(LEADER, AgentOrder::Lead(order))
}

fn screen(world: &World, agent: &str) -> AgentScreen {
    world.gateway.agent_screen(&AgentNo::new(agent)).expect("on the roster")
}

fn on_floor(world: &World, agent: &str) -> FloorAgent {
    let floor = world.gateway.floor();
    floor.agents.into_iter().find(|one| one.agent.as_str() == agent).expect("on the roster")
}

/// 6601 in conversation, the leader's phone picked up: all three legs are up.
fn listening(talk: u64) -> World {
    let mut world = in_conversation(&[0, 1], talk, led);
    colleague(&mut world, Reaction::Answer { after: seconds(2) });
    assert_eq!(lead(&mut world, LeaderOrder::Listen("6601".into())), Ok(()));
    assert_eq!((world.talking_legs(), world.state(1)), (2, AgentState::Engaged), "the leader's phone rings");
    world.restart();
    world.run(seconds(3));
    world
}

#[test]
fn a_leader_listens_whispers_and_speaks_to_all() {
    let mut world = listening(60);
    assert_eq!((world.heard_by_last().as_str(), world.talking_legs()), ("2 others", 2), "both go on as before");
    let shown = screen(&world, LEADER).listening.expect("listens");
    assert_eq!((shown.agent.as_str(), shown.mode), ("6601", "listen"));
    assert_eq!(screen(&world, "6601").listening, None, "the agent is not told");
    let heard = on_floor(&world, "6601");
    assert_eq!(heard.listened_by.map(|by| by.agent.to_string()), Some(LEADER.to_owned()));
    assert_eq!(lead(&mut world, LeaderOrder::Speak(Mode::Whisper)), Ok(()));
    assert_eq!(world.seat_hears(), "2 others");
    assert!(world.caller_hears().ends_with(THE_OTHER_SIDE), "the citizen hears the agent alone");
    world.restart();
    assert_eq!(lead(&mut world, LeaderOrder::Speak(Mode::Barge)), Ok(()));
    assert_eq!((world.seat_hears(), world.caller_hears()), ("2 others".into(), "2 others".into()));
    assert_eq!(lead(&mut world, LeaderOrder::Speak(Mode::Listen)), Ok(()));
    assert_eq!(world.talking_legs(), 2);
    assert_eq!(lead(&mut world, LeaderOrder::EndListening), Ok(()));
    world.run(seconds(1));
    assert_eq!((world.talking_legs(), world.state(0)), (2, AgentState::Talking));
    assert_eq!(screen(&world, LEADER).listening, None);
    assert_eq!(lead(&mut world, LeaderOrder::EndListening), Err("not_listening"));
    assert_eq!(world.state(1), AgentState::Ready, "no longer engaged");
    world.until(seconds(60), |w| w.ended().is_some());
    let acts = ["6602 listen", "6602 whisper", "6602 barge", "6602 listen", "6602 left", "caller_hangup"];
    assert_eq!(then(&world), acts);
    world.nothing_is_left();
}

/// Refuses, does not answer, hangs up, loses the audio; or the call ends, the agent goes, first.
#[test]
fn a_leader_who_goes_disturbs_nobody_and_goes_with_the_call() {
    for (reaction, after) in
        [(Reaction::Refuse { after: seconds(1), status: 603 }, 5), (Reaction::Ignore, 65), (Reaction::Silent, 65)]
    {
        let mut world = in_conversation(&[0, 1], 120, led);
        colleague(&mut world, reaction);
        assert_eq!(lead(&mut world, LeaderOrder::Listen("6601".into())), Ok(()));
        world.run(seconds(after));
        assert_eq!((world.talking_legs(), world.state(0)), (2, AgentState::Talking), "{reaction:?}");
        assert_eq!(then(&world), ["6602 listen", "6602 left"], "{reaction:?}");
        world.until(seconds(120), |w| w.ended().is_some());
        world.nothing_is_left();
    }
    for how in ["leader hangs up", "leader's audio", "caller", "agent", "transfer", "leader's own page"] {
        let mut world = listening(120);
        let now = world.now;
        match how {
            "leader hangs up" => world.phones[1].0.hang_up(now),
            "leader's audio" => world.party_is_silent(),
            "leader's own page" => assert_eq!(world.order(LEADER, AgentOrder::HangUp), Ok(())),
            "caller" => world.caller_leaves(),
            "agent" => assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(())),
            _ => assert_eq!(world.order("6601", AgentOrder::ToQueue(QueueName::new("mandarin"))), Ok(())),
        }
        world.run(seconds(1));
        let talks_on = how.starts_with("leader");
        assert_eq!(world.state(0) == AgentState::Talking, talks_on, "{how}");
        assert!(then(&world).contains(&"6602 left".to_owned()), "{how}: {:?}", then(&world));
        assert_eq!(screen(&world, LEADER).listening, None, "{how}");
        world.until(seconds(130), |w| w.ended().is_some());
        world.nothing_is_left();
    }
}

#[test]
fn a_leader_takes_the_call_over_the_same_call_and_ticket() {
    for listens_before in [true, false] {
        let mut world = if listens_before {
            listening(60)
        } else {
            let mut world = in_conversation(&[0, 1], 60, led);
            colleague(&mut world, Reaction::Answer { after: seconds(2) });
            world
        };
        assert_eq!(lead(&mut world, LeaderOrder::TakeOver("6601".into())), Ok(()));
        world.until(seconds(5), |w| w.state(1) == AgentState::Talking);
        assert_eq!((world.state(0), world.talking_legs()), (AgentState::Ready, 2));
        assert!(world.caller_hears().contains("digit-2"), "the new agent's number is said");
        world.restart();
        world.until(seconds(60), |w| w.ended().is_some());
        let story = then(&world);
        let from = story.iter().position(|s| s == "6602 take_over").expect("an act of its own");
        let on = ["6601 passing on to 8002", "6601 passed on to 8002", "reached", "taken over 6602", "caller_hangup"];
        assert_eq!(story[from + 1..], on);
        assert_eq!((world.tickets.len(), world.tickets[0].agent.as_str()), (1, "6601"));
        world.nothing_is_left();
        assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Ready));
    }
}

#[test]
fn a_leader_hears_a_consultation_too_and_takes_nothing_over_then() {
    let mut world = listening(120);
    assert_eq!(world.order("6601", AgentOrder::Emergency), Ok(()));
    let outside = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&outside, "200 OK", "", true));
    assert_eq!(world.hear(3), 1, "the leader hears all three");
    assert_eq!(lead(&mut world, LeaderOrder::TakeOver("6601".into())), Err("not_now"));
    assert_eq!(lead(&mut world, LeaderOrder::Speak(Mode::Barge)), Ok(()));
    assert_eq!(world.hear(3), 4, "everybody hears everybody");
    world.restart();
    world.caller_leaves();
    let bye = last(&world.outside, "BYE").clone();
    world.outside_says(&answer(&bye, "200 OK", "", false));
    world.nothing_is_left();
}

#[test]
fn a_leader_ends_a_call() {
    let mut world = listening(120);
    let why = " threats\r\nto the agent ".to_owned();
    // The agent may have another caller by the time the order comes.
    let other = LeaderOrder::Disconnect { agent: "6601".into(), call: Some(CallId(1)), why: String::new() };
    assert_eq!(lead(&mut world, other), Err("no_call"));
    assert_eq!(lead(&mut world, LeaderOrder::Disconnect { agent: "6601".into(), call: None, why }), Ok(()));
    assert_eq!(world.ended(), Some(EndCause::AgentHangUp));
    let told = world.facts.iter().find_map(|fact| match fact {
        CallFact::Supervised { by, agent: Some(agent), why: Some(why), .. } => {
            Some((by.to_string(), agent.to_string(), why.clone()))
        }
        _ => None,
    });
    assert_eq!(
        told,
        Some((LEADER.into(), "6601".into(), "threatsto the agent".into())),
        "by whom, whose, why; one line"
    );
    world.nothing_is_left();
}

#[test]
fn only_leaders_and_only_what_can_be() {
    let mut world = in_conversation(&[0, 1], 200, led);
    let orders = [
        LeaderOrder::Listen("6602".into()),
        LeaderOrder::Speak(Mode::Barge),
        LeaderOrder::EndListening,
        LeaderOrder::TakeOver("6602".into()),
        LeaderOrder::Disconnect { agent: "6601".into(), call: None, why: String::new() },
        LeaderOrder::Force { agent: "6602".into(), to: Forced::SignOut, why: String::new() },
        LeaderOrder::MoveUp { call: world.last_call(), why: String::new() },
        LeaderOrder::MoveCall { call: world.last_call(), queue: QueueName::new("english"), why: String::new() },
        LeaderOrder::SetSkills { agent: "6602".into(), skills: Default::default(), why: String::new() },
    ];
    let before = world.events.len();
    for order in orders {
        assert_eq!(world.order("6601", AgentOrder::Lead(order.clone())), Err("not_leader"), "{order:?}");
    }
    assert_eq!((world.events.len(), world.leaders.len()), (before, 0), "nothing has happened");
    assert_eq!((world.state(0), world.state(1)), (AgentState::Talking, AgentState::Ready));
    assert_eq!(lead(&mut world, LeaderOrder::Listen("6603".into())), Err("no_call"));
    assert_eq!(lead(&mut world, LeaderOrder::Listen("6602".into())), Err("no_call"), "one's own");
    let up = LeaderOrder::MoveUp { call: world.last_call(), why: String::new() };
    assert_eq!(lead(&mut world, up), Err("not_now"), "it waits no more");
    assert_eq!(lead(&mut world, LeaderOrder::Listen("6601".into())), Ok(()));
    assert_eq!(lead(&mut world, LeaderOrder::Listen("6601".into())), Err("busy"), "rings already");
    world.run(seconds(5));
    assert_eq!(world.order(LEADER, AgentOrder::SignOut), Ok(()));
    assert_eq!(lead(&mut world, LeaderOrder::EndListening), Err("not_listening"), "who signs out hears no more");
    world.run(seconds(1));
    assert_eq!(lead(&mut world, LeaderOrder::Listen("6601".into())), Err("not_signed_in"));
}

#[test]
fn states_skills_and_the_line_are_the_leaders() {
    let mut world = in_conversation(&[0, 1, 2], 500, led);
    let third = world.gateway.acd().agent_at(&"8003".into()).cloned().expect("signed in");
    let force = |to| LeaderOrder::Force { agent: third.clone(), to, why: "lunch".into() };
    assert_eq!(lead(&mut world, force(Forced::NotReady)), Ok(()));
    assert_eq!(world.state(2), AgentState::NotReady(NotReadyReason::Forced));
    let told: Vec<_> = world.leaders.iter().map(|e| (e.by.as_str(), &e.agent, &e.act, e.why.as_deref())).collect();
    assert_eq!(told, [(LEADER, &third, &LeaderAct::ForcedNotReady, Some("lunch"))]);
    assert_eq!(world.order(LEADER, AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
    // Two wait; the second is moved to the front, then into another queue.
    world.other_sends(&invite(1));
    world.run(seconds(3));
    world.other_sends(&invite(2));
    let second = world.last_call();
    let line = |world: &World| world.gateway.floor().waiting.iter().map(|call| call.call).collect::<Vec<_>>();
    assert_eq!((line(&world).len(), line(&world)[1]), (2, second));
    let up = |world: &World| world.gateway.floor().waiting.iter().map(|call| call.moved_up).collect::<Vec<_>>();
    assert_eq!(up(&world), [false, false]);
    assert_eq!(lead(&mut world, LeaderOrder::MoveUp { call: second, why: "a child".into() }), Ok(()));
    assert_eq!((up(&world), line(&world)[1] != second), (vec![true, false], true));
    assert_eq!((line(&world)[0], world.story().last().cloned()), (second, Some("6602 move_up".into())));
    let to = QueueName::new("english");
    assert_eq!(lead(&mut world, LeaderOrder::MoveCall { call: second, queue: to.clone(), why: String::new() }), Ok(()));
    assert!(
        world.story().ends_with(&["moved english supervisor".into(), "6602 move_call".into()]),
        "{:?}",
        world.story()
    );
    let floor = world.gateway.floor();
    let waits: Vec<_> = floor.queues.iter().filter(|q| q.queue.waiting > 0).map(|q| q.queue.name.to_string()).collect();
    assert_eq!(waits, ["english", "mandarin"]);
    // Ready again, and able to speak English: both callers are served.
    let skills = [("english".into(), 5)].into();
    assert_eq!(lead(&mut world, LeaderOrder::SetSkills { agent: third.clone(), skills, why: String::new() }), Ok(()));
    assert_eq!(on_floor(&world, third.as_str()).skills.len(), 1);
    assert_eq!(lead(&mut world, force(Forced::Ready)), Ok(()));
    world.until(seconds(10), |w| w.state(2) == AgentState::Talking);
    assert_eq!(
        on_floor(&world, third.as_str()).call.map(|call| (call.call, call.stage)),
        Some((second, Stage::Talking))
    );
    assert_eq!(lead(&mut world, force(Forced::SignOut)), Ok(()), "after the call");
    assert_eq!(screen(&world, third.as_str()).doing.then, Some("logged_out"));
}

#[test]
fn a_call_for_the_leader_is_seen_until_it_is_over() {
    let mut world = World::of(&[0, 1], |core| {
        desks(core);
        led(core);
    });
    assert_eq!(world.order("6601", AgentOrder::AskHelp(true)), Err("no_call"));
    let mut world = in_conversation(&[0, 1], 60, led);
    assert_eq!(world.order("6601", AgentOrder::AskHelp(true)), Ok(()));
    let since = on_floor(&world, "6601").help.expect("on the console");
    assert_eq!(screen(&world, "6601").help, Some(since));
    world.run(seconds(5));
    assert_eq!(world.order("6601", AgentOrder::AskHelp(true)), Ok(()), "as before");
    assert_eq!(on_floor(&world, "6601").help, Some(since));
    assert_eq!(world.order("6601", AgentOrder::AskHelp(false)), Ok(()));
    assert_eq!(on_floor(&world, "6601").help, None);
    assert_eq!(world.order("6601", AgentOrder::AskHelp(true)), Ok(()));
    world.until(seconds(60), |w| w.ended().is_some());
    assert_eq!((on_floor(&world, "6601").help, screen(&world, "6601").help), (None, None));
    assert_eq!(then(&world), ["6601 asks help", "6601 no help", "6601 asks help", "6601 no help", "caller_hangup"]);
    world.nothing_is_left();
}
