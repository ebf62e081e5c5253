//! What counts of a ticket's life, and in which period.

use super::*;
use std::ops::Range;

fn days(from: &str, until: &str) -> Range<Instant> {
    at(from, 0)..at(until, 0)
}

fn tally(worlds: &[World], period: Range<Instant>) -> Tally {
    let mut tally = Tally::default();
    worlds.iter().for_each(|world| tally.count(&world.history, &period));
    tally
}

#[test]
fn a_rating_is_the_tickets_once_and_counts_whatever_the_stage() {
    let mut world = World::new(false);
    let rate = |rating| Command::Rate { rating };
    world.goes("2026-11-23", Role::System, rate(Satisfaction::Dissatisfied));
    world.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Accept);
    let again = world.apply(at("2026-11-23", 1), &actor(Role::System), rate(Satisfaction::VerySatisfied));
    assert_eq!(again, Err(Refusal::NothingChanges));
    let agent = world.apply(at("2026-11-23", 1), &actor(Role::Operator), rate(Satisfaction::VerySatisfied));
    assert!(matches!(agent, Err(Refusal::NotYours { .. })), "nobody rates for the caller");
    assert_eq!(world.ticket.case.rating, Some(Satisfaction::Dissatisfied));
    assert_eq!(world.ticket.case.status.stage(), Stage::Accepted);
    assert_eq!(tally(&[world], days("2026-11-23", "2026-11-24")).satisfied_with_call, share(0, 1));
}

fn share(part: u64, of: u64) -> Share {
    Share { part, of }
}

/// Passed on the way to the callback on these days: dispatched, settled, called back.
fn passed(dispatched: &str, settled: &str, heard_on: &str) -> World {
    use Satisfaction::*;
    let mut world = World::new(false);
    world.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Accept);
    world.goes("2026-11-23", Role::Operator, pass());
    world.goes(dispatched, Role::HotlineOffice, DISPATCH).goes(dispatched, Role::Clerk, Command::SignFor);
    world.goes(dispatched, Role::Clerk, Command::Start);
    world.goes(settled, Role::Clerk, Command::Settle { result: words("已修复") });
    world.goes(heard_on, Role::Operator, Command::AskCallback);
    world.goes(heard_on, Role::Operator, heard(Fair, Dissatisfied, false));
    world
}

#[test]
fn each_deadline_counts_once_when_it_is_kept_or_missed() {
    // Due: dispatch on the 25th, reply on the 30th.
    let kept = passed("2026-11-25", "2026-11-30", "2026-12-01");
    let raise = |deadline| Command::RaiseDeadline { deadline };
    let mut raised = World::new(false);
    raised.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Accept);
    raised.goes("2026-11-26", Role::System, raise(Deadline::Transfer)).goes("2026-11-26", Role::Operator, pass());
    raised.goes("2026-11-27", Role::HotlineOffice, DISPATCH);
    // Nobody raised it: no gateway was at work. It was late all the same.
    let late = passed("2026-11-26", "2026-12-01", "2026-12-01");
    let mut answered = World::new(false);
    answered.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Accept);
    answered.goes("2026-11-23", Role::Operator, Command::AnswerNow { answer: words("周一至周五九点开门") });
    let mut test_call = World::new(true);
    test_call.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Accept);
    test_call.goes("2026-11-23", Role::Operator, Command::AnswerNow { answer: words("测试") });
    let worlds = [kept, raised, late, answered, test_call];

    let all = tally(&worlds, days("2026-11-23", "2026-12-02"));
    assert_eq!((all.transferred, all.replied), (share(1, 3), share(2, 3)));
    assert_eq!((all.answered_now, all.reached), (share(1, 4), share(2, 2)));
    assert_eq!((all.satisfied_with_process, all.satisfied_with_result), (share(2, 2), share(0, 2)));
    // What came before a period decides and does not count; the parts make the whole.
    let first = tally(&worlds, days("2026-11-23", "2026-11-26"));
    let second = tally(&worlds, days("2026-11-26", "2026-12-02"));
    assert_eq!((first.transferred, first.replied), (share(1, 1), share(1, 1)));
    assert_eq!((second.transferred, second.replied), (share(0, 2), share(1, 2)));
    assert_eq!((second.answered_now, second.reached), (share(0, 1), share(2, 2)));
}

#[test]
fn extensions_returns_and_what_is_kept_confidential() {
    let mut world = at_stage(Stage::SignedFor);
    let back = Command::Return { reason: words("不属本单位") };
    world.goes("2026-11-24", Role::Clerk, back);
    world.goes("2026-11-25", Role::HotlineOffice, DISPATCH).goes("2026-11-25", Role::Clerk, Command::SignFor);
    let ask = Command::AskExtension { days: 10, reason: words("待施工") };
    world.goes("2026-11-25", Role::Clerk, ask).goes("2026-11-26", Role::HotlineOffice, Command::GrantExtension);
    world.goes("2026-12-10", Role::Clerk, Command::Start);
    world.goes("2026-12-10", Role::Clerk, Command::Settle { result: words("已修复") });
    let confide = Command::FillIn(Box::new(Fill { confidential: Some(true), ..Fill::default() }));
    world.goes("2026-12-10", Role::Operator, confide);
    let tally = tally(&[world], days("2026-11-23", "2027-01-01"));
    assert_eq!((tally.returned, tally.extended), (share(1, 1), share(1, 1)));
    assert_eq!(tally.transferred, share(2, 2), "once more after the return");
    assert_eq!((tally.replied, tally.confidential), (share(1, 1), 1), "as extended");
}
