//! Events in, the scraped text out.

use super::*;
use crate::config::settings::{Account, Settings};
use crate::event::{AgentState, CallbackGone, Chosen, NotReadyReason, Why};
use crate::gateway::Refusals;
use crate::ids::LegId;
use crate::plane::LegStats;
use crate::sip::endpoint::EndpointCounters;

mod folds;

/// Two queues, two agents, one trunk.
fn settings() -> CoreSettings {
    let mut core = Settings::demo([1; 32]).core;
    core.queues.retain(|q| ["mandarin", "english"].contains(&q.name.as_str()));
    core.queues[0].within = Duration::from_secs(15);
    core.queues[1].within = Duration::from_secs(30);
    core.agents.truncate(2);
    (core.agents[0].number, core.agents[1].number) = ("6632".into(), "6807".into());
    core.tenant = "city".into();
    core.trunks.truncate(1);
    core.trunks[0].name = "unicom".into();
    core.trunks[0].accounts = vec![Account::new("053112345", "ims", "secret")];
    core
}

/// Metrics on a recorder of this test's own.
struct Rig {
    metrics: Metrics,
    handle: PrometheusHandle,
}

impl Rig {
    fn new() -> Self {
        let (metrics, _) = install(&settings(), &[]).unwrap();
        Rig { handle: metrics.exporter.clone(), metrics }
    }

    fn call(&mut self, at_ms: u64, call: u64, what: CallFact) {
        self.metrics.call_event(&CallEvent { at: Instant(at_ms * 1_000), call: CallId(call), what });
    }

    /// Arrived and queued at `at_ms`.
    fn queue(&mut self, at_ms: u64, call: u64, queue: &str, test_call: bool) {
        self.call(at_ms, call, arrived("unicom", test_call));
        self.call(
            at_ms,
            call,
            CallFact::Queued { queue: queue.into(), skill: "mandarin".into(), position: 1, why: Why::Line },
        );
    }

    fn answer(&mut self, at_ms: u64, call: u64, queue: &str, wait_ms: u64) {
        let what = CallFact::Answered {
            agent: "6632".into(),
            seat: "801".into(),
            queue: queue.into(),
            wait: Duration::from_millis(wait_ms),
            ring: Duration::from_secs(2),
            spooled: true,
        };
        self.call(at_ms, call, what);
    }

    fn end(&mut self, at_ms: u64, call: u64, queue: Option<&str>, cause: EndCause, wait_ms: u64, talk_s: u64) {
        let what = CallFact::Ended {
            cause,
            queue: queue.map(QueueName::new),
            skill: None,
            wait: Duration::from_millis(wait_ms),
            talk: Duration::from_secs(talk_s),
            hold: Duration::ZERO,
        };
        self.call(at_ms, call, what);
    }

    fn agent(&mut self, at_s: u64, agent: &str, state: AgentState) {
        let at = Instant::from_unix_secs(at_s);
        self.metrics.agent_event(&AgentEvent { at, agent: agent.into(), seat: None, state, by: None });
    }

    fn figures(&mut self, at_ms: u64, sip: EndpointCounters) {
        let figures = Figures {
            at: Instant(at_ms * 1_000),
            calls: 0,
            legs: 0,
            waiting: 0,
            longest_wait: Duration::ZERO,
            stranded: vec![("english".into(), 2)],
            skills: [("english".into(), [(AgentState::Ready, 1)].into())].into(),
            seats_registered: 3,
            connections: [0, 2, 0, 5],
            sip,
            guard: crate::guard::Watch { bans: 3, banned_now: 2, seats_guessed_at: 1 },
            refusals: Refusals { overload: 6, ..Default::default() },
            trunks: Vec::new(),
            accounts: vec![
                ("unicom".into(), "registered"),
                ("unicom".into(), "registered"),
                ("unicom".into(), "refused"),
            ],
            ports_in_use: 4,
            callbacks_pending: [(CallbackKind::Promised, 3), (CallbackKind::Missed, 5)],
            draining: true,
        };
        self.metrics.figures(&figures, 9);
    }

    /// The value of the one series written exactly so.
    fn value(&self, series: &str) -> f64 {
        let text = self.handle.render();
        let line = text.lines().find(|l| l.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    fn assert(&self, expected: &[(&str, f64)]) {
        for (series, value) in expected {
            assert_eq!(self.value(series), *value, "{series}");
        }
    }
}

fn arrived(trunk: &str, test_call: bool) -> CallFact {
    CallFact::Arrived {
        trunk: trunk.into(),
        dnis: "12345".into(),
        cli: Some("13812345678".into()),
        sip_call_id: "secret@x".into(),
        test_call,
        tenant: "city".into(),
        line: None,
        purpose: Default::default(),
    }
}

#[test]
fn every_configured_series_is_there_before_the_first_call() {
    let rig = Rig::new();
    rig.assert(&[
        (r#"rexian_calls_offered_total{trunk="unicom"}"#, 0.0),
        (r#"rexian_calls_answered_total{queue="english"}"#, 0.0),
        (r#"rexian_calls_total{queue="mandarin",cause="queue_full"}"#, 0.0),
        (r#"rexian_calls_total{queue="none",cause="unknown_number"}"#, 0.0),
        (r#"rexian_queue_waiting{queue="mandarin"}"#, 0.0),
        (r#"rexian_agents{state="logged_out"}"#, 2.0),
        (r#"rexian_agents{state="ready"}"#, 0.0),
    ]);
}

#[test]
fn an_answered_call_counts_once_and_by_its_wait() {
    let mut rig = Rig::new();
    // Exactly N seconds is within N; N differs by queue.
    for (call, queue, wait_ms) in [(1, "mandarin", 15_000), (2, "mandarin", 15_001), (3, "english", 29_000)] {
        rig.queue(0, call, queue, false);
        rig.answer(wait_ms, call, queue, wait_ms);
        rig.end(wait_ms + 60_000, call, Some(queue), EndCause::CallerHangUp, wait_ms, 60);
    }
    rig.assert(&[
        (r#"rexian_calls_offered_total{trunk="unicom"}"#, 3.0),
        (r#"rexian_calls_queued_total{queue="mandarin"}"#, 2.0),
        (r#"rexian_calls_answered_total{queue="mandarin"}"#, 2.0),
        (r#"rexian_calls_answered_within_total{queue="mandarin"}"#, 1.0),
        (r#"rexian_calls_answered_within_total{queue="english"}"#, 1.0),
        (r#"rexian_calls_total{queue="mandarin",cause="caller_hangup"}"#, 2.0),
        (r#"rexian_wait_seconds_bucket{queue="mandarin",le="15"}"#, 1.0),
        (r#"rexian_wait_seconds_bucket{queue="mandarin",le="20"}"#, 2.0),
        (r#"rexian_wait_seconds_bucket{queue="english",le="20"}"#, 0.0),
        (r#"rexian_wait_seconds_bucket{queue="english",le="30"}"#, 1.0),
        (r#"rexian_talk_seconds_sum{queue="mandarin"}"#, 120.0),
        (r#"rexian_trunk_calls{trunk="unicom"}"#, 0.0),
    ]);
    let text = rig.handle.render();
    for le in ["10", "15", "20", "30"] {
        assert!(text.contains(&format!(r#"rexian_wait_seconds_bucket{{queue="mandarin",le="{le}"}}"#)), "{le}");
    }
}

#[test]
fn each_cause_is_kept_apart() {
    let mut rig = Rig::new();
    for (n, cause) in EndCause::ALL.into_iter().enumerate() {
        rig.queue(0, n as u64, "mandarin", false);
        rig.end(7_000, n as u64, Some("mandarin"), cause, 7_000, 0);
    }
    for cause in EndCause::ALL {
        let series = format!(r#"rexian_calls_total{{queue="mandarin",cause="{}"}}"#, cause.as_str());
        assert_eq!(rig.value(&series), 1.0, "{series}");
    }
    assert_eq!(rig.value(r#"rexian_lost_wait_seconds_count{queue="mandarin"}"#), 20.0, "nobody was answered");
    assert_eq!(rig.value(r#"rexian_queue_waiting{queue="mandarin"}"#), 0.0);
}

#[test]
fn the_longest_wait_is_the_oldest_callers_who_still_waits() {
    let mut rig = Rig::new();
    rig.queue(1_000, 1, "mandarin", false);
    rig.queue(3_000, 2, "mandarin", false);
    let longest = |rig: &mut Rig, now_ms: u64| {
        rig.figures(now_ms, EndpointCounters::default());
        (
            rig.value(r#"rexian_queue_waiting{queue="mandarin"}"#),
            rig.value(r#"rexian_queue_longest_wait_seconds{queue="mandarin"}"#),
        )
    };
    assert_eq!(longest(&mut rig, 9_000), (2.0, 8.0));
    rig.answer(9_000, 1, "mandarin", 8_000);
    assert_eq!(longest(&mut rig, 10_000), (1.0, 7.0));
    rig.end(11_000, 2, Some("mandarin"), EndCause::AbandonedInQueue, 8_000, 0);
    assert_eq!(longest(&mut rig, 12_000), (0.0, 0.0));
}

#[test]
fn test_calls_use_channels_and_count_in_no_judged_figure() {
    let mut rig = Rig::new();
    rig.queue(0, 1, "mandarin", true);
    assert_eq!(rig.value(r#"rexian_trunk_calls{trunk="unicom"}"#), 1.0);
    rig.answer(1_000, 1, "mandarin", 1_000);
    rig.end(9_000, 1, Some("mandarin"), EndCause::AgentHangUp, 1_000, 8);
    rig.assert(&[
        ("rexian_test_calls_total", 1.0),
        (r#"rexian_trunk_calls{trunk="unicom"}"#, 0.0),
        (r#"rexian_calls_offered_total{trunk="unicom"}"#, 0.0),
        (r#"rexian_calls_queued_total{queue="mandarin"}"#, 0.0),
        (r#"rexian_calls_answered_total{queue="mandarin"}"#, 0.0),
        (r#"rexian_calls_total{queue="mandarin",cause="agent_hangup"}"#, 0.0),
    ]);
}

fn moved(queue: &str, why: Why) -> CallFact {
    CallFact::Moved { queue: queue.into(), skill: "english".into(), position: 1, why }
}

#[test]
fn who_is_moved_waits_there_since_the_beginning_and_counts_where_they_asked_first() {
    let mut rig = Rig::new();
    rig.queue(1_000, 1, "mandarin", false);
    rig.call(4_000, 1, moved("english", Why::Key('2')));
    rig.figures(9_000, EndpointCounters::default());
    rig.assert(&[
        (r#"rexian_moves_total{reason="key"}"#, 1.0),
        (r#"rexian_queue_waiting{queue="mandarin"}"#, 0.0),
        (r#"rexian_queue_waiting{queue="english"}"#, 1.0),
        (r#"rexian_queue_longest_wait_seconds{queue="english"}"#, 8.0),
    ]);
    rig.answer(21_000, 1, "english", 20_000);
    rig.end(30_000, 1, Some("english"), EndCause::CallerHangUp, 20_000, 9);
    rig.assert(&[
        (r#"rexian_queue_waiting{queue="english"}"#, 0.0),
        (r#"rexian_calls_answered_total{queue="mandarin"}"#, 1.0),
        (r#"rexian_calls_answered_within_total{queue="mandarin"}"#, 0.0),
        (r#"rexian_calls_total{queue="mandarin",cause="caller_hangup"}"#, 1.0),
        (r#"rexian_calls_queued_total{queue="english"}"#, 0.0),
    ]);
}

#[test]
fn who_is_passed_on_after_the_pickup_waits_a_second_time() {
    let mut rig = Rig::new();
    rig.queue(0, 1, "mandarin", false);
    rig.answer(5_000, 1, "mandarin", 5_000);
    rig.call(20_000, 1, CallFact::Transferred { agent: "6632".into(), queue: "english".into() });
    rig.call(20_000, 1, moved("english", Why::Agent("6632".into())));
    rig.figures(27_000, EndpointCounters::default());
    rig.assert(&[
        (r#"rexian_queue_waiting{queue="english"}"#, 1.0),
        (r#"rexian_queue_longest_wait_seconds{queue="english"}"#, 7.0),
        ("rexian_transfers_total", 1.0),
        ("rexian_transfers_taken_over_total", 0.0),
    ]);
    let (agent, seat, queue) = ("6807".into(), "802".into(), "english".into());
    let (wait, ring) = (Duration::from_secs(9), Duration::from_secs(1));
    rig.call(29_000, 1, CallFact::TakenOver { agent, seat, queue, wait, ring });
    rig.end(60_000, 1, Some("english"), EndCause::AgentHangUp, 5_000, 46);
    rig.assert(&[
        (r#"rexian_queue_waiting{queue="english"}"#, 0.0),
        ("rexian_transfers_taken_over_total", 1.0),
        (r#"rexian_calls_answered_total{queue="mandarin"}"#, 1.0),
        (r#"rexian_calls_answered_total{queue="english"}"#, 0.0),
    ]);
}

#[test]
fn offers_tell_by_which_step_and_why_the_agent_was_chosen() {
    let mut rig = Rig::new();
    rig.queue(0, 1, "english", false);
    for (step, preferred, interpreter) in [(0, true, false), (3, false, true), (9, false, true)] {
        let chosen = Chosen { step, preferred, interpreter };
        rig.call(1, 1, CallFact::Offered { agent: "6632".into(), seat: "801".into(), leg: LegId(1), chosen });
    }
    rig.assert(&[
        (r#"rexian_offers_total{step="0",preferred="true"}"#, 1.0),
        (r#"rexian_offers_total{step="0",preferred="false"}"#, 0.0),
        (r#"rexian_offers_total{step="3",preferred="false"}"#, 1.0),
        (r#"rexian_offers_total{step="5+",preferred="false"}"#, 1.0),
        ("rexian_offers_with_interpreter_total", 2.0),
    ]);
}

#[test]
fn calls_of_ours_have_figures_of_their_own() {
    let mut rig = Rig::new();
    for (call, reached) in [(1, true), (2, false), (3, false)] {
        let purpose = Purpose::Callback { of: CallId(90) };
        let CallFact::Arrived { trunk, dnis, cli, sip_call_id, test_call, tenant, line, .. } = arrived("unicom", false)
        else {
            unreachable!()
        };
        let fact = CallFact::Arrived { trunk, dnis, cli, sip_call_id, test_call, tenant, line, purpose };
        rig.call(0, call, fact);
        let (queue, skill) = ("mandarin".into(), "mandarin".into());
        rig.call(0, call, CallFact::Queued { queue, skill, position: 1, why: Why::Callback });
        if call < 3 {
            rig.answer(4_000, call, "mandarin", 4_000);
        }
        let cause = if reached { EndCause::CallerHangUp } else { EndCause::NotReached };
        rig.end(9_000, call, Some("mandarin"), cause, 4_000, 5);
    }
    rig.metrics.callback(&CallbackChange::Gone { of: CallId(90), why: CallbackGone::Reached });
    rig.figures(9_000, EndpointCounters::default());
    rig.assert(&[
        (r#"rexian_callbacks_made_total{kind="promised"}"#, 3.0),
        (r#"rexian_callbacks_reached_total{kind="promised"}"#, 1.0),
        (r#"rexian_callbacks_made_total{kind="missed"}"#, 0.0),
        (r#"rexian_callbacks_closed_total{reason="reached"}"#, 1.0),
        (r#"rexian_callbacks_pending{kind="missed"}"#, 5.0),
        (r#"rexian_calls_offered_total{trunk="unicom"}"#, 0.0),
        (r#"rexian_trunk_calls{trunk="unicom"}"#, 0.0),
        (r#"rexian_calls_queued_total{queue="mandarin"}"#, 0.0),
        (r#"rexian_calls_answered_total{queue="mandarin"}"#, 0.0),
        (r#"rexian_calls_total{queue="mandarin",cause="not_reached"}"#, 0.0),
        (r#"rexian_queue_waiting{queue="mandarin"}"#, 0.0),
    ]);
}

#[test]
fn agents_are_in_one_state_each_and_their_time_is_counted() {
    let mut rig = Rig::new();
    rig.agent(100, "6632", AgentState::Ready);
    rig.agent(100, "6807", AgentState::NotReady(NotReadyReason::Break));
    rig.agent(130, "6632", AgentState::Talking);
    rig.agent(190, "6632", AgentState::WrapUp);
    rig.agent(190, "6807", AgentState::NotReady(NotReadyReason::Training));
    rig.assert(&[
        (r#"rexian_agents{state="logged_out"}"#, 0.0),
        (r#"rexian_agents{state="ready"}"#, 0.0),
        (r#"rexian_agents{state="talking"}"#, 0.0),
        (r#"rexian_agents{state="wrap_up"}"#, 1.0),
        (r#"rexian_agents{state="not_ready"}"#, 1.0),
        (r#"rexian_agent_state_seconds_sum{state="ready"}"#, 30.0),
        (r#"rexian_agent_state_seconds_sum{state="talking"}"#, 60.0),
        (r#"rexian_agent_state_seconds_sum{state="not_ready"}"#, 90.0),
    ]);
    // The states that still run are in the time, and grow with it.
    rig.figures(200_000, EndpointCounters::default());
    rig.assert(&[
        (r#"rexian_agent_time_seconds_total{state="ready"}"#, 30.0),
        (r#"rexian_agent_time_seconds_total{state="wrap_up"}"#, 10.0),
        (r#"rexian_agent_time_seconds_total{state="not_ready"}"#, 100.0),
        (r#"rexian_agent_time_seconds_total{state="logged_out"}"#, 0.0),
    ]);
}

#[test]
fn media_and_sip_figures() {
    let mut rig = Rig::new();
    let stats = LegStats { received: 490, lost: 10, remote_lost: 3, jitter_us: 1_500, ..Default::default() };
    rig.call(0, 1, arrived("unicom", false));
    rig.call(1, 1, CallFact::NoAudio { leg: LegId(2) });
    rig.call(1, 1, CallFact::LegClosed { leg: LegId(1), stats });
    rig.call(1, 1, CallFact::LegClosed { leg: LegId(2), stats: LegStats::default() });
    let sip = EndpointCounters { received: 10, retransmissions_out: 4, refused_full: 1, ..Default::default() };
    rig.figures(0, sip);
    rig.figures(1, sip);
    rig.assert(&[
        ("rexian_rtp_packets_remote_lost_total", 3.0),
        ("rexian_legs_without_audio_total", 1.0),
        (r#"rexian_rtp_jitter_seconds_bucket{le="0.002"}"#, 1.0),
        ("rexian_rtp_jitter_seconds_count", 1.0),
        ("rexian_sip_messages_received_total", 10.0),
        (r#"rexian_sip_retransmissions_total{direction="sent"}"#, 4.0),
        ("rexian_sip_requests_refused_total", 1.0),
        (r#"rexian_sip_requests_total{direction="sent",method="other"}"#, 0.0),
        (r#"rexian_sip_responses_total{direction="received",method="INVITE",class="5xx"}"#, 0.0),
        (r#"rexian_rtp_loss_ratio_bucket{le="0.02"}"#, 1.0),
        (r#"rexian_rtp_loss_ratio_bucket{le="0.01"}"#, 0.0),
        (r#"rexian_trunk_channel_limit{trunk="unicom"}"#, 200.0),
        (r#"rexian_queue_waiting_with_idle_agent{queue="english"}"#, 2.0),
        (r#"rexian_queue_info{queue="english",skill="english",language="en"}"#, 1.0),
        (r#"rexian_queue_within_seconds{queue="english"}"#, 30.0),
        (r#"rexian_skill_agents{skill="english",state="ready"}"#, 1.0),
        (r#"rexian_skill_agents{skill="english",state="talking"}"#, 0.0),
        ("rexian_seats_registered", 3.0),
        ("rexian_sip_connections{transport=\"wss\"}", 5.0),
        (r#"rexian_refusals_total{reason="overload"}"#, 6.0),
        (r#"rexian_trunk_accounts{trunk="unicom",state="registered"}"#, 2.0),
        (r#"rexian_trunk_accounts{trunk="unicom",state="refused"}"#, 1.0),
        (r#"rexian_trunk_accounts{trunk="unicom",state="leaving"}"#, 0.0),
        ("rexian_rtp_port_pairs_in_use", 4.0),
        ("rexian_draining", 1.0),
        ("rexian_events_missed_total", 9.0),
    ]);
}
