//! Who may order what: a row for every order there is. A new one without a row does not compile, and one without a sample fails.

use crate::world::World;
use rexian::acd::Forced;
use rexian::call::Mode;
use rexian::event::NotReadyReason;
use rexian::gateway::{AgentOrder, LeaderOrder};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Of themselves and the call in their hands.
    Agents,
    Leaders,
}

fn row(order: &AgentOrder) -> (&'static str, By) {
    use AgentOrder as A;
    use LeaderOrder as L;
    match order {
        A::SignIn(_) => ("sign_in", By::Agents),
        A::SignOut => ("sign_out", By::Agents),
        A::Ready => ("ready", By::Agents),
        A::NotReady(_) => ("not_ready", By::Agents),
        A::ExtendWrapUp => ("extend_wrap_up", By::Agents),
        A::HangUp => ("hang_up", By::Agents),
        A::Answer => ("answer", By::Agents),
        A::Hold => ("hold", By::Agents),
        A::Resume => ("resume", By::Agents),
        A::Dial(_) => ("dial", By::Agents),
        A::TestCall => ("test_call", By::Agents),
        A::EndTestCall => ("end_test_call", By::Agents),
        A::ToQueue(_) => ("to_queue", By::Agents),
        A::Consult(_) => ("consult", By::Agents),
        A::EndConsult => ("end_consult", By::Agents),
        A::Transfer(_) => ("transfer", By::Agents),
        A::ThreeWay => ("three_way", By::Agents),
        A::Emergency => ("emergency", By::Agents),
        A::Survey => ("survey", By::Agents),
        A::AskHelp(_) => ("ask_help", By::Agents),
        A::Lead(L::Listen(_)) => ("listen", By::Leaders),
        A::Lead(L::Speak(_)) => ("speak", By::Leaders),
        A::Lead(L::EndListening) => ("end_listening", By::Leaders),
        A::Lead(L::TakeOver(_)) => ("take_over", By::Leaders),
        A::Lead(L::Disconnect { .. }) => ("disconnect", By::Leaders),
        A::Lead(L::Force { .. }) => ("force", By::Leaders),
        A::Lead(L::MoveUp { .. }) => ("move_up", By::Leaders),
        A::Lead(L::MoveCall { .. }) => ("move_call", By::Leaders),
        A::Lead(L::SetSkills { .. }) => ("set_skills", By::Leaders),
    }
}

/// Arms of `row`.
const ROWS: usize = 29;

fn orders(call: CallId) -> Vec<AgentOrder> {
    use AgentOrder as A;
    use LeaderOrder as L;
    let (agent, why) = (AgentNo::new("6603"), String::new);
    vec![
        A::SignIn(SeatNo::new("8001")),
        A::SignOut,
        A::Ready,
        A::NotReady(NotReadyReason::Break),
        A::ExtendWrapUp,
        A::HangUp,
        A::Answer,
        A::Hold,
        A::Resume,
        A::Dial("8002".into()),
        A::TestCall,
        A::EndTestCall,
        A::ToQueue(QueueName::new("mandarin")),
        A::Consult("8002".into()),
        A::EndConsult,
        A::Transfer(None),
        A::ThreeWay,
        A::Emergency,
        A::Survey,
        A::AskHelp(true),
        A::Lead(L::Listen(agent.clone())),
        A::Lead(L::Speak(Mode::Barge)),
        A::Lead(L::EndListening),
        A::Lead(L::TakeOver(agent.clone())),
        A::Lead(L::Disconnect { agent: agent.clone(), call: None, why: why() }),
        A::Lead(L::Force { agent: agent.clone(), to: Forced::SignOut, why: why() }),
        A::Lead(L::MoveUp { call, why: why() }),
        A::Lead(L::MoveCall { call, queue: QueueName::new("english"), why: why() }),
        A::Lead(L::SetSkills { agent, skills: BTreeMap::new(), why: why() }),
    ]
}

/// 6603 talks with a citizen, 6601 and 6602 (who leads) are there.
fn shift() -> World {
    let mut world = World::of(&[2, 1, 0], |core| core.agents[1].leader = true);
    for agent in ["6601", "6602"] {
        assert_eq!(world.order(agent, AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
    }
    world.call(std::time::Duration::from_secs(60), std::time::Duration::from_secs(60));
    world.until(std::time::Duration::from_secs(20), |w| w.gateway.acd().agent(&"6603".into()).unwrap().call.is_some());
    world.run(std::time::Duration::from_secs(5));
    world
}

#[test]
fn every_order_by_every_role() {
    let orders = orders(CallId(1));
    let known: BTreeMap<&str, By> = orders.iter().map(row).collect();
    assert_eq!((orders.len(), known.len()), (ROWS, ROWS), "a sample of each order, and each once");
    let mut world = shift();
    for order in orders {
        let (name, by) = row(&order);
        let said = |world: &World| (world.events.len(), world.leaders.len());
        let before = said(&world);
        // An operator of the hotline office, a clerk, a screen on the wall: none of them is on the roster.
        for nobody in ["", "office", "wallboard", "9999"] {
            assert!(world.order(nobody, order.clone()).is_err(), "{name} by {nobody:?}");
        }
        assert_eq!(said(&world), before, "{name} by nobody changes nothing");
        if by == By::Leaders {
            assert_eq!(world.order("6601", order.clone()), Err("not_leader"), "{name} by an agent");
            assert_eq!(said(&world), before, "{name} by an agent changes nothing");
            // A leader of a shift before this one.
            assert_eq!(world.order("6603", order.clone()), Err("not_leader"), "{name} by whom it is about");
            let led = shift().order("6602", order);
            assert_ne!(led, Err("not_leader"), "{name} by a leader");
        } else {
            assert_ne!(shift().order("6601", order), Err("not_leader"), "{name} by an agent");
        }
    }
}
