//! What counts for which queue, and how many series there are.

use super::*;
use crate::config::settings::{AgentSettings, LineSettings};

/// As the head of `api::catalogue` says it.
#[test]
fn the_configuration_alone_bounds_the_number_of_series() {
    const PER_GATEWAY: usize = 474;
    let series = |core: &CoreSettings| {
        let (metrics, _page) = install(core, &[]).unwrap();
        metrics.exporter.render().lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count()
    };
    let formula = |core: &CoreSettings, tenants: usize, skills: usize| {
        let trunks = core.trunks.len();
        let with_accounts = core.trunks.iter().filter(|t| !t.accounts.is_empty()).count();
        let per_queue = 88 + 2 * EndCause::ALL.len();
        PER_GATEWAY + per_queue * core.queues.len() + (13 + 6 * tenants) * trunks + 5 * with_accounts + 8 * skills
    };
    let small = settings();
    let skills = |core: &CoreSettings| {
        let of_queues = core.queues.iter().flat_map(|q| q.steps()).flat_map(|step| step.skills.into_keys());
        of_queues.chain(core.agents.iter().flat_map(|a| a.skills.keys().cloned())).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(series(&small), formula(&small, 1, skills(&small)));
    let (hooked, _page) = install(&small, &["cases".into(), "wall".into()]).unwrap();
    let webhooks = hooked.exporter.render().lines().filter(|line| line.contains("{webhook=")).count();
    assert_eq!(webhooks, 5 * 2);
    let mut large = Settings::demo([1; 32]).core;
    let twin = |n: usize| TrunkSettings { name: TrunkName::new(format!("t{n}")), ..small.trunks[0].clone() };
    large.trunks.extend((0..7).map(twin));
    large.agents.extend((0..500).map(|n| AgentSettings::new(format!("a{n}"), [("mandarin", 1)])));
    large.lines.push(LineSettings {
        tenant: Some("province".into()),
        ..LineSettings::of_queue("taxi", "mandarin".into(), BTreeSet::new())
    });
    assert!(large.queues.len() > small.queues.len(), "another size");
    assert_eq!(series(&large), formula(&large, 2, skills(&large)), "agents and seats add none");
}

#[test]
fn r_is_the_answered_and_the_lost_and_nobody_is_both() {
    let mut rig = Rig::new();
    // Picked up, passed on, and hung up while waiting for the second agent: stays answered.
    rig.queue(0, 1, "mandarin", false);
    rig.answer(5_000, 1, "mandarin", 5_000);
    rig.call(20_000, 1, CallFact::Transferred { agent: "6632".into(), queue: "english".into() });
    rig.call(20_000, 1, moved("english", Why::Agent("6632".into())));
    rig.end(60_000, 1, Some("english"), EndCause::AbandonedInQueue, 5_000, 15);
    // Turned away at the door: a request all the same.
    rig.call(0, 2, arrived("unicom", false));
    rig.end(0, 2, Some("mandarin"), EndCause::QueueFull, 0, 0);
    // Hung up within N, and after.
    for (call, wait) in [(3, 15_000), (4, 16_000)] {
        rig.queue(0, call, "mandarin", false);
        rig.end(wait, call, Some("mandarin"), EndCause::AbandonedInQueue, wait, 0);
    }
    rig.call(0, 5, arrived("unicom", false));
    rig.end(0, 5, None, EndCause::UnknownNumber, 0, 0);
    rig.assert(&[
        (r#"rexian_calls_queued_total{queue="mandarin"}"#, 4.0),
        (r#"rexian_calls_answered_total{queue="mandarin"}"#, 1.0),
        (r#"rexian_calls_lost_total{queue="mandarin",cause="abandoned_in_queue"}"#, 2.0),
        (r#"rexian_calls_lost_total{queue="mandarin",cause="queue_full"}"#, 1.0),
        (r#"rexian_calls_lost_total{queue="english",cause="abandoned_in_queue"}"#, 0.0),
        (r#"rexian_calls_abandoned_within_total{queue="mandarin"}"#, 1.0),
        (r#"rexian_calls_total{queue="mandarin",cause="abandoned_in_queue"}"#, 3.0),
        (r#"rexian_trunk_requests_total{trunk="unicom",tenant="city",outcome="answered"}"#, 1.0),
        (r#"rexian_trunk_requests_total{trunk="unicom",tenant="city",outcome="abandoned"}"#, 2.0),
        (r#"rexian_trunk_requests_total{trunk="unicom",tenant="city",outcome="refused"}"#, 1.0),
        (r#"rexian_trunk_requests_total{trunk="unicom",tenant="city",outcome="fault"}"#, 0.0),
    ]);
}

#[test]
fn each_agents_talk_and_wrap_up_count_for_the_queue_they_were_for() {
    let mut rig = Rig::new();
    rig.queue(0, 1, "mandarin", false);
    rig.agent(5, "6632", AgentState::Talking);
    rig.answer(5_000, 1, "mandarin", 5_000);
    rig.call(10_000, 1, CallFact::Held);
    rig.call(14_000, 1, CallFact::Resumed);
    rig.call(20_000, 1, CallFact::Transferred { agent: "6632".into(), queue: "english".into() });
    rig.call(20_000, 1, moved("english", Why::Agent("6632".into())));
    rig.agent(20, "6632", AgentState::WrapUp);
    rig.agent(50, "6632", AgentState::Ready);
    let (agent, seat, queue) = ("6807".into(), "802".into(), "english".into());
    rig.agent(29, "6807", AgentState::Talking);
    let (wait, ring) = (Duration::from_secs(9), Duration::from_secs(1));
    rig.call(29_000, 1, CallFact::TakenOver { agent, seat, queue, wait, ring });
    rig.end(60_000, 1, Some("english"), EndCause::AgentHangUp, 5_000, 46);
    rig.agent(60, "6807", AgentState::WrapUp);
    rig.agent(70, "6807", AgentState::Ready);
    rig.assert(&[
        (r#"rexian_talk_seconds_sum{queue="mandarin"}"#, 15.0),
        (r#"rexian_hold_seconds_sum{queue="mandarin"}"#, 4.0),
        (r#"rexian_wrap_up_seconds_sum{queue="mandarin"}"#, 30.0),
        (r#"rexian_talk_seconds_sum{queue="english"}"#, 31.0),
        (r#"rexian_talk_seconds_count{queue="english"}"#, 1.0),
        (r#"rexian_wrap_up_seconds_sum{queue="english"}"#, 10.0),
    ]);
}

#[test]
fn what_a_caller_sends_never_becomes_a_label() {
    let mut rig = Rig::new();
    let before = rig.handle.render().lines().count();
    for call in 0..50 {
        rig.call(0, call, arrived(&format!("trunk-{call}"), false));
        let queue = format!("queue-{call}");
        rig.call(
            0,
            call,
            CallFact::Queued { queue: queue.as_str().into(), skill: "x".into(), position: 1, why: Why::Line },
        );
        rig.answer(1, call, &queue, 1);
        rig.end(2, call, Some(&queue), EndCause::CallerHangUp, 1, 1);
    }
    let text = rig.handle.render();
    assert_eq!(text.lines().count(), before, "no series was added");
    assert!(!text.contains("13812345678") && !text.contains("secret"));
    assert_eq!(rig.value(r#"rexian_calls_total{queue="none",cause="caller_hangup"}"#), 50.0, "still counted");
}
