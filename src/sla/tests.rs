//! Figures worked out by hand.

mod passed_on;

use super::*;
use crate::event::{AgentState, NotReadyReason, Party};
use crate::ids::{AgentNo, QueueName, SeatNo, TrunkName};

const SECOND: Duration = Duration::from_secs(1);

/// Feeds the events of calls; times are seconds.
struct Day {
    summary: Summary,
    calls: u64,
    now: u64,
}

impl Day {
    fn new(thresholds: &[(&str, u64)]) -> Day {
        let thresholds = thresholds.iter().map(|(queue, n)| (QueueName::new(queue), *n as u32 * SECOND));
        Day { summary: Summary::with_thresholds(thresholds), calls: 0, now: 0 }
    }

    fn fact(&mut self, what: CallFact) {
        self.summary.observe(&CallEvent { at: Instant::from_unix_secs(self.now), call: CallId(self.calls), what });
    }

    fn arrives(&mut self, test_call: bool) {
        self.arrives_for(Purpose::Inbound, test_call);
    }

    fn arrives_for(&mut self, purpose: Purpose, test_call: bool) {
        self.calls += 1;
        let (trunk, dnis, sip_call_id) = (TrunkName::new("unicom"), "12345".into(), "x".into());
        self.fact(CallFact::Arrived {
            trunk,
            dnis,
            cli: None,
            sip_call_id,
            test_call,
            tenant: "city".into(),
            line: None,
            purpose,
        });
    }

    fn asks(&mut self, queue: &str) {
        self.arrives(false);
        self.fact(CallFact::Queued {
            queue: queue.into(),
            skill: "mandarin".into(),
            position: 1,
            why: crate::event::Why::Line,
        });
    }

    fn picked_up(&mut self, queue: &str, wait: f64) {
        let (agent, seat, queue) = ("6632".into(), "801".into(), queue.into());
        let wait = Duration::from_secs_f64(wait);
        self.fact(CallFact::Answered { agent, seat, queue, wait, ring: SECOND, spooled: true });
    }

    fn ends(&mut self, queue: &str, cause: EndCause, wait: f64, talk: u64, hold: u64) {
        let (queue, wait) = (Some(queue.into()), Duration::from_secs_f64(wait));
        let (talk, hold) = (Duration::from_secs(talk), Duration::from_secs(hold));
        self.fact(CallFact::Ended { cause, queue, skill: None, wait, talk, hold });
    }

    fn answered(&mut self, queue: &str, wait: f64, talk: u64, hold: u64) {
        self.asks(queue);
        self.picked_up(queue, wait);
        self.ends(queue, EndCause::CallerHangUp, wait, talk, hold);
    }

    fn lost(&mut self, queue: &str, wait: f64, cause: EndCause) {
        self.asks(queue);
        self.ends(queue, cause, wait, 0, 0);
    }

    fn agent(&mut self, at: u64, state: AgentState) {
        let (agent, seat) = (AgentNo::new("6632"), Some(SeatNo::new("801")));
        self.summary.observe_agent(&AgentEvent { at: Instant::from_unix_secs(at), agent, seat, state, by: None });
    }
}

/// Percent, or seconds, to two places.
fn value(figures: &[Figure], id: &str) -> Option<f64> {
    let figure = figures.iter().find(|figure| figure.id == id).unwrap_or_else(|| panic!("no figure {id}"));
    let scale = if figure.unit == Unit::Ratio { 100.0 } else { 1.0 };
    figure.value.map(|value| (value * scale * 100.0).round() / 100.0)
}

/// A city published 94.84 % "within 15 s" next to a connection rate of 88.94 %. That is no contradiction, but the
/// answered-only formula: by the strict one the same day has 84.35 %.
#[test]
fn the_two_formulas_of_within_n_differ() {
    let mut day = Day::new(&[("hotline", 15)]);
    for call in 0..10_000 {
        match call {
            0..8_435 => day.answered("hotline", 9.0, 160, 0),
            8_435..8_894 => day.answered("hotline", 40.0, 160, 0),
            _ => day.lost("hotline", 90.0, EndCause::AbandonedInQueue),
        }
    }
    let figures = day.summary.figures();
    assert_eq!(value(&figures, "connection_rate"), Some(88.94));
    assert_eq!(value(&figures, "timely_answer"), Some(94.84));
    assert_eq!(value(&figures, "service_level"), Some(84.35));
    assert_eq!(figures.iter().find(|f| f.id == "timely_answer").unwrap().zh, "15秒应答及时率");
    assert_eq!(figures.iter().find(|f| f.id == "service_level").unwrap().zh, "15秒人工接通率");
}

#[test]
fn every_figure_of_a_small_day() {
    let mut day = Day::new(&[("hotline", 15)]);
    day.answered("hotline", 4.0, 100, 0);
    day.answered("hotline", 15.0, 200, 20); // N itself is within N
    day.answered("hotline", 15.5, 300, 40);
    day.lost("hotline", 2.0, EndCause::ShortAbandon);
    day.lost("hotline", 10.0, EndCause::AbandonedRinging);
    day.lost("hotline", 70.0, EndCause::AbandonedInQueue);
    day.lost("hotline", 600.0, EndCause::QueueTimeout);
    day.lost("hotline", 8.0, EndCause::TrunkFault);
    day.arrives(false);
    day.ends("hotline", EndCause::QueueFull, 0.0, 0, 0);
    day.asks("hotline"); // still waiting

    let total = day.summary.total();
    assert_eq!((total.offered, total.answered, total.abandoned(), total.requests()), (10, 3, 3, 8));
    assert_eq!((total.timed_out(), total.refused(), total.faults(), total.waiting()), (1, 1, 1, 1));
    assert_eq!((total.answered_within, total.abandoned_within), (2, 2));
    assert_eq!(total.longest_wait, 600 * SECOND);
    let figures = day.summary.figures();
    let expected = [
        ("connection_rate", 37.5),                // 3 / 8
        ("connection_rate_without_short", 42.86), // 3 / 7
        ("service_level", 25.0),                  // 2 / 8
        ("service_level_without_short", 28.57),   // 2 / 7
        ("timely_answer", 66.67),                 // 2 / 3
        ("service_level_positive", 66.67),        // (2 + 2) / (3 + 3)
        ("service_level_negative", 33.33),        // 2 / (3 + 3)
        ("service_level_ignore", 50.0),           // 2 / (3 + 3 - 2)
        ("abandon_rate", 30.0),                   // 3 / 10
        ("average_speed_of_answer", 11.5),        // 34.5 / 3
        ("handle_time", 200.0),                   // 600 / 3
        ("talk_time", 180.0),                     // (600 - 60) / 3
        ("hold_time", 20.0),                      // 60 / 3
        ("wrap_up_time", 0.0),
    ];
    for (id, hand) in expected {
        assert_eq!(value(&figures, id), Some(hand), "{id}");
    }
    assert_eq!(expected.len(), metrics::ALL.len());
}

#[test]
fn queues_have_their_own_n_and_the_total_is_their_sum() {
    let mut day = Day::new(&[("hotline", 15), ("english", 30)]);
    day.answered("hotline", 20.0, 10, 0);
    day.answered("english", 20.0, 10, 0);
    day.lost("english", 25.0, EndCause::AbandonedInQueue);
    let of = |queue: &str, id| value(&day.summary.queue_figures(&queue.into()), id);
    assert_eq!((of("hotline", "service_level"), of("english", "service_level")), (Some(0.0), Some(50.0)));
    assert_eq!((of("hotline", "connection_rate"), of("english", "connection_rate")), (Some(100.0), Some(50.0)));
    let figures = day.summary.figures();
    assert_eq!(value(&figures, "service_level"), Some(33.33));
    assert_eq!(figures[2].zh, "N秒人工接通率", "no one N holds for all");
    assert_eq!(day.summary.queue_figures(&"english".into())[2].zh, "30秒人工接通率");
    let sum: u64 = day.summary.queues().map(|(_, counters)| counters.offered).sum();
    assert_eq!(sum, day.summary.total().offered);
}

#[test]
fn test_calls_and_calls_without_a_request_are_kept_apart() {
    let mut day = Day::new(&[("hotline", 15)]);
    day.arrives(true);
    day.fact(CallFact::Queued {
        queue: "hotline".into(),
        skill: "mandarin".into(),
        position: 1,
        why: crate::event::Why::Line,
    });
    day.picked_up("hotline", 3.0);
    day.ends("hotline", EndCause::CallerHangUp, 3.0, 60, 0);
    day.arrives(true);
    day.ends("hotline", EndCause::QueueFull, 0.0, 0, 0);
    day.arrives(false);
    day.ends("hotline", EndCause::AbandonedBeforeQueue, 0.0, 0, 0);
    day.arrives(false);
    day.ends("hotline", EndCause::UnknownNumber, 0.0, 0, 0);
    day.fact(CallFact::LegClosed { leg: crate::ids::LegId(1), stats: Default::default() });

    assert_eq!(*day.summary.total(), Counters::default());
    assert_eq!((day.summary.arrived(), day.summary.test_calls(), day.summary.open()), (4, 2, 0));
    let apart = BTreeMap::from([(EndCause::AbandonedBeforeQueue, 1), (EndCause::UnknownNumber, 1)]);
    assert_eq!(*day.summary.without_request(), apart);
    assert!(day.summary.figures().iter().all(|figure| figure.value.is_none()), "nothing to divide by");
}

/// Overflow on the way: one request, judged by the N of the queue asked first.
#[test]
fn a_moved_call_counts_once_for_the_queue_it_asked_first() {
    let mut day = Day::new(&[("english", 15), ("hotline", 60)]);
    day.asks("english");
    let (queue, skill) = ("hotline".into(), "mandarin".into());
    day.fact(CallFact::Moved { queue, skill, position: 1, why: crate::event::Why::Overflow });
    day.picked_up("hotline", 40.0);
    day.ends("hotline", EndCause::CallerHangUp, 40.0, 100, 0);
    let english = day.summary.queue(&"english".into()).unwrap();
    assert_eq!((english.offered, english.answered, english.answered_within, english.talks), (1, 1, 0, 1));
    assert_eq!(*day.summary.queue(&"hotline".into()).unwrap(), Counters::default());
}

/// 10 s waited, 60 s with the first agent (15 of them on hold), 20 s waited again, 40 s with the second.

#[test]
fn calling_back_is_in_no_percentage() {
    let mut day = Day::new(&[("hotline", 15)]);
    day.lost("hotline", 70.0, EndCause::CallbackTaken);
    let total = day.summary.total();
    assert_eq!(
        (total.offered, total.callbacks(), total.requests(), total.abandoned(), total.faults()),
        (1, 1, 0, 0, 0)
    );
    let before = total.clone();
    let of = CallId(1);
    for (purpose, answered, cause) in [
        (Purpose::Callback { of }, true, EndCause::AgentHangUp),
        (Purpose::Callback { of }, true, EndCause::NotReached),
        (Purpose::MissedCall { of }, false, EndCause::NotReached),
    ] {
        day.arrives_for(purpose, false);
        let (queue, skill) = ("hotline".into(), "mandarin".into());
        day.fact(CallFact::Queued { queue, skill, position: 1, why: crate::event::Why::Callback });
        if answered {
            day.picked_up("hotline", 9.0);
        }
        day.ends("hotline", cause, 9.0, 60, 0);
    }
    assert_eq!(day.summary.calls_back(CallbackKind::Promised), CallsBack { made: 2, reached: 1 });
    assert_eq!(day.summary.calls_back(CallbackKind::Missed), CallsBack { made: 1, reached: 0 });
    assert_eq!((day.summary.total(), day.summary.arrived()), (&before, 1));
    assert_eq!(serde_json::to_value(&day.summary).unwrap()["calls_back"]["promised"]["made"], 2);
}

/// Served by the notice, or called out of hours: nobody was asked for.
#[test]
fn deflected_and_closed_calls_made_no_request() {
    let mut day = Day::new(&[("hotline", 15)]);
    for cause in [EndCause::Deflected, EndCause::Closed] {
        day.arrives(false);
        day.ends("hotline", cause, 0.0, 0, 0);
    }
    assert_eq!(*day.summary.total(), Counters::default());
    let apart = BTreeMap::from([(EndCause::Deflected, 1), (EndCause::Closed, 1)]);
    assert_eq!(*day.summary.without_request(), apart);
}

/// A talk that a fault cuts short was answered all the same, and a repeated fact counts once.
#[test]
fn an_answered_call_stays_answered() {
    let mut day = Day::new(&[("hotline", 15)]);
    day.asks("hotline");
    day.picked_up("hotline", 3.0);
    day.picked_up("hotline", 3.0);
    day.ends("hotline", EndCause::OurFault, 3.0, 60, 0);
    let total = day.summary.total();
    assert_eq!((total.offered, total.answered, total.talks, total.requests(), total.faults()), (1, 1, 1, 1, 0));
}

#[test]
fn wrap_up_and_occupancy_come_from_the_agents() {
    let mut day = Day::new(&[("hotline", 15)]);
    day.agent(0, AgentState::NotReady(NotReadyReason::Busy));
    day.agent(10, AgentState::Ready);
    day.agent(70, AgentState::Reserved);
    day.asks("hotline");
    day.picked_up("hotline", 5.0);
    day.agent(75, AgentState::Talking);
    day.agent(155, AgentState::Hold);
    day.agent(175, AgentState::Talking);
    day.ends("hotline", EndCause::CallerHangUp, 5.0, 120, 20);
    day.agent(195, AgentState::WrapUp);
    assert_eq!(value(&day.summary.figures(), "handle_time"), Some(120.0), "a wrap-up counts when it is over");
    day.agent(225, AgentState::Ready);
    day.agent(265, AgentState::LoggedOut);
    day.agent(999, AgentState::NotReady(NotReadyReason::Busy));

    let figures = day.summary.figures();
    let times: Vec<_> = ["handle_time", "talk_time", "hold_time", "wrap_up_time"].map(|id| value(&figures, id)).into();
    assert_eq!(times, [Some(150.0), Some(100.0), Some(20.0), Some(30.0)]);
    // 150 s handled, 60 + 40 s idle.
    assert_eq!(day.summary.occupancy(Instant::from_unix_secs(999)), Some(0.6));
    let agents = day.summary.agents();
    assert_eq!((agents.idle, agents.ringing, agents.not_ready), (100 * SECOND, 5 * SECOND, 10 * SECOND));
}

#[test]
fn the_export_names_each_formula() {
    let mut day = Day::new(&[("hotline", 15)]);
    day.answered("hotline", 4.0, 100, 0);
    day.lost("hotline", 2.5, EndCause::ShortAbandon);
    let json = serde_json::to_value(&day.summary).unwrap();
    assert_eq!(json["total"]["counters"]["answered"], 1);
    assert_eq!(json["queues"]["hotline"]["counters"]["lost"]["short_abandon"], 1);
    assert_eq!(json["queues"]["hotline"]["counters"]["answered_wait_seconds"], 4.0);
    let rate = &json["queues"]["hotline"]["figures"][0];
    assert_eq!((&rate["zh"], &rate["formula"], &rate["value"]), (&"接通率".into(), &"A / R".into(), &0.5.into()));
    let mut ids: Vec<_> = metrics::ALL.iter().map(|metric| metric.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), metrics::ALL.len());
}
