//! The offer to who waits, and what becomes of calls nobody answered.

use crate::world::{World, s};
use rexian::callback::State;
use rexian::config::settings::{CallbackOffer, CoreSettings, MissedCalls};
use rexian::event::{AgentState, CallFact, CallbackGone, CallbackKind, EndCause};
use rexian::plane::Source;
use rexian::sim::ua::{Cli, Plan, Reaction};

const CITIZEN: &str = "+8613812345678";

fn offered(world: &World) -> usize {
    world.facts(|f| matches!(f, CallFact::CallbackOffered))
}

/// The prompts the caller hears now; music is none.
fn prompts(world: &World, caller: usize) -> Vec<String> {
    match world.hears_caller(caller) {
        Some(Source::Play { prompts, .. }) => prompts.iter().map(|p| p.to_string()).collect(),
        _ => vec![],
    }
}

#[test]
fn the_key_takes_it_and_the_citizen_is_called_in_his_old_place() {
    let mut world = World::new(0, |_| {});
    let caller = world.call("13812345678", s(600));
    world.presses(caller, '1');
    world.run(s(29));
    assert_eq!((offered(&world), world.list()), (0, vec![]), "a key nobody has been told of does nothing");
    world.until("the offer", s(2), |w| offered(w) == 1);
    assert_eq!(prompts(&world, caller), ["callback-lead-zh", "digit-1", "callback-or-hang-up-zh", "callback-stay-zh"]);
    let began = world.log[0].at;

    world.presses(caller, '2');
    assert_eq!(world.list(), [], "another key is no yes");
    world.presses(caller, '1');
    assert_eq!(world.list(), [(CITIZEN.into(), CallbackKind::Promised, State::Due)]);
    assert_eq!(prompts(&world, caller), ["callback-promised-zh"]);
    assert_eq!(world.kept.values().map(|e| (e.since, &*e.queue.0)).collect::<Vec<_>>(), [(began, "mandarin")]);
    world.citizen_will(Reaction::Answer { after: s(2) }, Some(s(10)));
    world.agent_arrives();
    world.until("told", s(5), |w| w.caller_is_gone(caller));
    assert_eq!(world.ends()[0], EndCause::CallbackTaken);
    world.until("called", s(10), |w| w.rung() == 1);
    world.until("reached", s(10), |w| w.gone == [CallbackGone::Reached]);
    world.until("over", s(20), |w| w.ends().len() == 2);
    world.nothing_is_left();
}

#[test]
fn the_promise_is_on_its_way_to_the_disk_before_the_citizen_hears_of_it() {
    use rexian::gateway::Output;
    use rexian::plane::{MediaCommand, MediaEvent};
    let mut world = World::new(0, |_| {});
    let caller = world.call("13812345678", s(600));
    world.until("the offer", s(40), |w| offered(w) == 1);
    let leg = world.leg(caller);
    let now = world.now;
    world.gateway.handle(now, rexian::gateway::Input::Media(MediaEvent::Digit { leg, digit: '1' }));
    let outputs: Vec<Output> = std::iter::from_fn(|| world.gateway.next_output()).collect();
    let at = |what: &dyn Fn(&Output) -> bool| outputs.iter().position(what).expect("it is put out");
    let kept = at(&|o| matches!(o, Output::Callback(_)));
    let told = at(&|o| matches!(o, Output::Media(MediaCommand::SetSource { .. })));
    assert!(kept < told, "{outputs:?}");
}

#[test]
fn hanging_up_takes_it_once_the_offer_was_heard_to_its_end() {
    for (after, takes) in [(s(31), false), (s(33), true)] {
        let mut world = World::new(0, |_| {});
        let caller = world.call("13812345678", s(600));
        world.run(after);
        assert_eq!(offered(&world), 1);
        world.hangs_up(caller);
        let (cause, kind, state) = match takes {
            true => (EndCause::CallbackTaken, CallbackKind::Promised, State::Due),
            // Missed calls are listed.
            false => (EndCause::AbandonedInQueue, CallbackKind::Missed, State::Listed),
        };
        assert_eq!(world.ends()[0], cause, "hung up after {after:?}");
        assert_eq!(world.kept.values().map(|e| e.kind).collect::<Vec<_>>(), [kind]);
        let listed = world.list();
        assert!(matches!((listed[0].2, state), (State::InLine(_), State::Due)) || listed[0].2 == state, "{listed:?}");
    }
}

#[test]
fn hanging_up_does_not_count_where_only_the_key_does() {
    let mut world = World::new(0, |core| {
        core.callbacks.missed = MissedCalls::Ignore;
        for queue in &mut core.queues {
            queue.callback = Some(CallbackOffer { after: s(30), key: '9', on_hang_up: false });
        }
    });
    let caller = world.call("13812345678", s(600));
    world.run(s(31));
    assert_eq!(prompts(&world, caller), ["callback-lead-zh", "digit-9", "callback-stay-zh"]);
    world.run(s(10));
    world.hangs_up(caller);
    assert_eq!((world.ends(), world.list()), (vec![EndCause::AbandonedInQueue], vec![]));
}

#[test]
fn the_key_counts_while_a_seat_rings_too() {
    let mut world = World::new(0, |_| {});
    let caller = world.call("13812345678", s(600));
    world.run(s(35));
    world.agent_arrives_who(Plan::answer_after(s(10)));
    assert_eq!(world.state(0), AgentState::Reserved);
    world.presses(caller, '1');
    assert_eq!(world.facts(|f| matches!(f, CallFact::OfferEnded { .. })), 1);
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.until("told", s(5), |w| w.ends() == [EndCause::CallbackTaken]);
    world.until("and called", s(30), |w| w.gone == [CallbackGone::Reached]);
}

#[test]
fn offered_again_with_every_announcement() {
    let mut world = World::new(0, |core| {
        for queue in &mut core.queues {
            queue.announce.every = Some(s(20));
            queue.announce.position = true;
        }
    });
    let caller = world.call("13812345678", s(600));
    world.run(s(21));
    assert_eq!((offered(&world), prompts(&world, caller)), (0, vec!["next-zh".to_owned()]));
    world.run(s(10));
    assert_eq!(offered(&world), 1);
    assert_eq!(prompts(&world, caller)[1], "callback-lead-zh", "after the place, not over it");
    world.run(s(40));
    assert_eq!(offered(&world), 3);
}

#[test]
fn who_cannot_be_called_back_is_offered_nothing() {
    let no_trunk = |core: &mut CoreSettings| core.callbacks.trunks.clear();
    let full = |core: &mut CoreSettings| core.callbacks.max_pending = 0;
    let test = |core: &mut CoreSettings| core.queues.iter_mut().for_each(|q| q.test = true);
    type Shape<'a> = &'a dyn Fn(&mut CoreSettings);
    let shown = || Cli::Shown("13812345678".into());
    let cases: [(&str, Shape<'_>, Cli); 6] = [
        ("withheld", &|_| {}, Cli::Withheld("13812345678".into())),
        ("no number", &|_| {}, Cli::Absent),
        ("a number that leads nowhere", &|_| {}, Cli::Shown("700123456789012".into())),
        ("no trunk to call by", &no_trunk, shown()),
        ("the list is full", &full, shown()),
        ("a test call", &test, shown()),
    ];
    for (why, shape, cli) in cases {
        let mut world = World::new(0, |core| shape(core));
        let caller = world.call_on("12345", cli, s(120));
        world.run(s(60));
        assert_eq!((offered(&world), prompts(&world, caller)), (0, vec![]), "{why}");
        world.presses(caller, '1');
        world.hangs_up(caller);
        assert_eq!(world.ends(), [EndCause::AbandonedInQueue], "{why}");
        // A missed call may be listed, for people.
        let promised = world.list().iter().filter(|(_, kind, _)| *kind == CallbackKind::Promised).count();
        assert_eq!(promised, 0, "{why}");
        assert!(world.list().is_empty() || why == "no trunk to call by", "{why}: {:?}", world.list());
    }
}

#[test]
fn the_list_is_bounded_and_a_number_is_on_it_once() {
    let mut world = World::new(0, |core| {
        core.callbacks.max_pending = 2;
        core.callbacks.missed = MissedCalls::Ignore;
    });
    for n in 1..=4 {
        let caller = world.call(&format!("1381234000{n}"), s(600));
        world.run(s(40));
        world.presses(caller, '1');
        world.run(s(10));
    }
    assert_eq!(world.list().len(), 2, "two are promised a call, two wait on: {:?}", world.list());
    assert_eq!(world.ends(), [EndCause::CallbackTaken; 2]);
    let since = world.kept.values().next().unwrap().since;
    // One of the two calls again and takes it again: the promise stands once, from the first time.
    let caller = world.call("13812340001", s(600));
    world.run(s(40));
    world.presses(caller, '1');
    assert_eq!((world.list().len(), world.kept.values().next().unwrap().since), (2, since));
}

/// A citizen who waits so long and hangs up.
fn in_vain(world: &mut World, number: &str, wait: u64) {
    let caller = world.call(number, s(600));
    world.run(s(wait));
    world.hangs_up(caller);
}

#[test]
fn missed_calls_are_listed_once_each_and_leave_the_list_when_the_citizen_gets_through() {
    let mut world = World::new(0, |_| {});
    in_vain(&mut world, "13812345678", 10);
    in_vain(&mut world, "053187650001", 10);
    in_vain(&mut world, "13812345678", 10);
    in_vain(&mut world, "13800000009", 2);
    let kept: Vec<_> = world.kept.values().map(|e| (&*e.number, e.missed)).collect();
    assert_eq!(kept, [(CITIZEN, 2), ("+8653187650001", 1)], "a call of two seconds was no call");
    world.run(s(600));
    assert!(world.list().iter().all(|(.., state)| *state == State::Listed), "people work them off");

    world.call("13812345678", s(600));
    world.agent_arrives();
    world.until("answered", s(20), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    assert_eq!(world.gone, [CallbackGone::GotThrough]);
    assert_eq!(world.list().len(), 1);
    world.run(s(25 * 3_600));
    assert_eq!((world.gone.last(), world.list().len()), (Some(&CallbackGone::Expired), 0));
}

#[test]
fn every_way_of_not_being_answered_is_a_missed_call() {
    let queue = |shape: fn(&mut rexian::config::settings::QueueSettings)| {
        move |core: &mut CoreSettings| core.queues.iter_mut().for_each(shape)
    };
    let mut world = World::new(0, queue(|q| q.max_wait = Some(s(20))));
    world.call("13812345678", s(600));
    world.run(s(30));
    assert_eq!((world.ends(), world.list().len()), (vec![EndCause::QueueTimeout], 1));

    let mut world = World::new(0, queue(|q| q.max_waiting = 0));
    world.call("13812345678", s(600));
    world.run(s(1));
    assert_eq!((world.ends(), world.list().len()), (vec![EndCause::QueueFull], 1));

    let mut world = World::new(1, |_| {});
    world.plan(0, Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None });
    let caller = world.call("13812345678", s(600));
    world.run(s(10));
    world.hangs_up(caller);
    assert_eq!((world.ends(), world.list().len()), (vec![EndCause::AbandonedRinging], 1));
}

#[test]
fn missed_calls_are_called_back_when_nobody_waits() {
    let mut world = World::new(0, |core| core.callbacks.missed = MissedCalls::CallBack { priority: 9 });
    in_vain(&mut world, "13812345678", 10);
    world.run(s(1));
    assert!(matches!(world.list()[0], (_, CallbackKind::Missed, State::InLine(_))), "{:?}", world.list());
    world.call("053187650002", s(600));
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.agent_arrives();
    world.until("the caller first", s(10), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    assert_eq!(world.rung(), 0, "a waiting caller goes before a missed call of low priority");
    world.until("then the missed one", s(60), |w| w.gone == [CallbackGone::Reached]);
}

#[test]
fn who_was_missed_and_then_takes_a_promise_is_called_once() {
    let mut world = World::new(0, |_| {});
    in_vain(&mut world, "13812345678", 10);
    let hung_up_in = world.kept.values().next().unwrap().since;
    in_vain(&mut world, "13812345678", 40);
    let (list, entry) = (world.list(), world.kept.values().next().unwrap().clone());
    assert_eq!((list.len(), entry.kind), (1, CallbackKind::Promised));
    assert!(entry.since > hung_up_in, "the place is that of the call in which it was promised");
    in_vain(&mut world, "13812345678", 10);
    assert_eq!(
        world.kept.values().next().unwrap().kind,
        CallbackKind::Promised,
        "and the promise outlives a further try"
    );
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.agent_arrives();
    world.until("called", s(20), |w| w.gone == [CallbackGone::Reached]);
    world.run(s(2_000));
    assert_eq!(world.rung(), 1);
}

#[test]
fn no_number_abroad_and_none_of_ours_is_called_at_our_cost() {
    for number in ["0081312345678", "053112345"] {
        let mut world = World::new(0, |_| {});
        let caller = world.call(number, s(60));
        world.run(s(50));
        assert_eq!(world.facts(|f| matches!(f, CallFact::CallbackOffered)), 0, "{number} was offered a call");
        world.presses(caller, '1');
        world.run(s(60));
        assert!(world.list().is_empty(), "{number} is on the list: {:?}", world.list());
    }
}
