//! What callers who are passed on, or lost on the way, count as.

use super::*;

#[test]
fn a_transferred_call_is_answered_once_and_talks_twice() {
    let mut day = Day::new(&[("hotline", 15), ("english", 15)]);
    let transferred = || CallFact::Transferred { agent: "6632".into(), queue: "english".into() };
    let taken_over = |wait| CallFact::TakenOver {
        agent: "6606".into(),
        seat: "802".into(),
        queue: "english".into(),
        wait: Duration::from_secs(wait),
        ring: SECOND,
    };
    day.asks("hotline");
    day.now = 10;
    day.picked_up("hotline", 10.0);
    day.now = 50;
    day.fact(CallFact::Held);
    day.now = 65;
    day.fact(CallFact::Resumed);
    day.now = 70;
    day.fact(transferred());
    day.now = 90;
    day.fact(taken_over(20));
    day.now = 130;
    day.ends("english", EndCause::CallerHangUp, 10.0, 100, 15);

    let of = |day: &Day, queue: &str| {
        let c = day.summary.queue(&queue.into()).unwrap().clone();
        (c.offered, c.answered, c.talks, c.talk.as_secs(), c.hold.as_secs(), c.transferred)
    };
    assert_eq!(of(&day, "hotline"), (1, 1, 1, 60, 15, 1));
    assert_eq!(of(&day, "english"), (0, 0, 1, 40, 0, 0));
    assert_eq!(
        value(&day.summary.figures(), "average_speed_of_answer"),
        Some(10.0),
        "the second wait is not the first"
    );

    // Who hangs up in the second wait was answered all the same.
    day.now = 200;
    day.asks("hotline");
    day.picked_up("hotline", 0.0);
    day.now = 230;
    day.fact(transferred());
    day.now = 260;
    day.ends("english", EndCause::AbandonedInQueue, 0.0, 30, 0);
    assert_eq!(of(&day, "hotline"), (2, 2, 2, 90, 15, 2));
    let total = day.summary.total();
    assert_eq!((total.answered, total.requests(), total.abandoned(), day.summary.open()), (2, 2, 0, 0));
}

/// 10 s waited, 60 s with the first agent, who leaves; 20 s it rings at a colleague's, 40 s with them.
#[test]
fn a_caller_passed_on_to_a_colleague_talks_twice_and_one_who_comes_back_once() {
    let mut day = Day::new(&[("hotline", 15)]);
    let to = || Party::Seat("8002".into());
    let passing = || CallFact::PassingOn { agent: "6632".into(), to: to() };
    let passed = || CallFact::PassedOn { agent: "6632".into(), to: to() };
    let refused = || CallFact::NotPassedOn { agent: "6632".into(), to: to(), status: 486 };
    let taken = |wait| CallFact::TakenOver {
        agent: "6606".into(),
        seat: "8002".into(),
        queue: "hotline".into(),
        wait: Duration::from_secs(wait),
        ring: SECOND * 20,
    };
    let of = |day: &Day| {
        let c = day.summary.queue(&"hotline".into()).unwrap().clone();
        (c.offered, c.answered, c.talks, c.talk.as_secs(), c.transferred)
    };
    day.asks("hotline");
    day.now = 10;
    day.picked_up("hotline", 10.0);
    day.now = 70;
    day.fact(passing());
    day.fact(passed());
    assert_eq!(of(&day), (1, 1, 1, 60, 1));
    day.now = 90;
    day.fact(taken(20));
    day.now = 130;
    day.ends("hotline", EndCause::CallerHangUp, 10.0, 100, 0);
    assert_eq!(of(&day), (1, 1, 2, 100, 1));

    // Given back to the agent: one talk, with what it rang meanwhile.
    day.now = 200;
    day.asks("hotline");
    day.picked_up("hotline", 0.0);
    day.now = 220;
    day.fact(passing());
    day.now = 240;
    day.fact(refused());
    day.now = 250;
    day.ends("hotline", EndCause::AgentHangUp, 0.0, 50, 0);
    assert_eq!(of(&day), (2, 2, 3, 150, 1));

    // To somebody outside: that talk is no agent's.
    day.now = 300;
    day.asks("hotline");
    day.picked_up("hotline", 0.0);
    day.now = 320;
    day.fact(passing());
    day.fact(passed());
    day.now = 400;
    day.ends("hotline", EndCause::PartyHangUp, 0.0, 20, 0);
    assert_eq!(of(&day), (3, 3, 4, 170, 2));
    let total = day.summary.total();
    assert_eq!((total.requests(), total.abandoned(), total.faults(), day.summary.open()), (3, 0, 0, 0));
}

/// Talks from 70 with somebody at a seat where no agent sits, who is lost at 100; a colleague has the caller from 110 to 150.
#[test]
fn a_caller_lost_at_a_seat_talks_with_the_next_agent_from_the_answer() {
    let mut day = Day::new(&[("hotline", 15)]);
    let to = || Party::Seat("8002".into());
    day.asks("hotline");
    day.now = 10;
    day.picked_up("hotline", 10.0);
    day.now = 60;
    day.fact(CallFact::PassedOn { agent: "6632".into(), to: to() });
    day.now = 70;
    day.fact(CallFact::Reached { ring: SECOND * 10 });
    day.now = 100;
    day.fact(CallFact::NotPassedOn { agent: "6632".into(), to: to(), status: 480 });
    day.now = 110;
    let (agent, seat, queue) = ("6606".into(), "8003".into(), "hotline".into());
    day.fact(CallFact::TakenOver { agent, seat, queue, wait: SECOND * 10, ring: SECOND });
    day.now = 150;
    day.ends("hotline", EndCause::CallerHangUp, 10.0, 90, 0);
    let counters = day.summary.queue(&"hotline".into()).unwrap();
    assert_eq!((counters.answered, counters.talks, counters.talk.as_secs()), (1, 2, 50 + 40));
}
