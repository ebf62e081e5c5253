use super::*;
use crate::api::recorder;
use crate::config::settings::*;
use crate::ids::LegId;
use metrics_exporter_prometheus::PrometheusHandle;

/// Two queues, two agents, one trunk.
fn settings() -> CoreSettings {
    let queue = |name: &str, within| QueueSettings {
        name: name.into(),
        numbers: ["12345".to_owned()].into(),
        skill: "mandarin".into(),
        min_level: 1,
        priority: 0,
        within: Duration::from_secs(within),
        short_abandon: Duration::from_secs(5),
        max_waiting: 100,
        max_wait: None,
        ring_timeout: Duration::from_secs(15),
        wrap_up: Duration::from_secs(30),
        greeting: None,
        music: "music".into(),
        announce_agent: true,
        language: None,
        test: false,
    };
    let agent = |number: &str| AgentSettings { number: number.into(), skills: BTreeMap::new() };
    CoreSettings {
        domain: "rexian.test".into(),
        tenant: "jinan".into(),
        area_code: "531".into(),
        media: MediaSettings {
            address_v4: None,
            address_v6: None,
            first_port: 20_000,
            pairs: 10,
            expect_rtp_within: Duration::from_secs(5),
            rtp_timeout: Duration::from_secs(30),
        },
        trunks: vec![TrunkSettings {
            name: "unicom".into(),
            peers: Vec::new(),
            max_calls: 10,
            profile: Profile {
                name: "generic".into(),
                answer: AnswerMode::OnQueue,
                codecs: Vec::new(),
                dtmf_payload_type: 101,
                caller_from: Vec::new(),
                called_from: CalledSource::RequestUri,
            },
        }],
        queues: vec![queue("mandarin", 15), queue("english", 30)],
        agents: vec![agent("6632"), agent("6807")],
        seats: Vec::new(),
        feature_codes: FeatureCodes {
            sign_in: "*11".into(),
            sign_out: "*12".into(),
            ready: "*13".into(),
            not_ready: "*14".into(),
        },
        limits: Limits {
            max_calls: 100,
            max_transactions: 1_000,
            spool_patience: Duration::from_millis(200),
            registration_expiry: Duration::from_secs(300),
            min_registration_expiry: Duration::from_secs(60),
            nonce_lifetime: Duration::from_secs(60),
        },
    }
}

/// Metrics on a recorder of this test's own.
struct Rig {
    metrics: Metrics,
    handle: PrometheusHandle,
}

impl Rig {
    fn new() -> Self {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        Rig { metrics: ::metrics::with_local_recorder(&recorder, || Metrics::new(&settings())), handle }
    }

    fn call(&mut self, at_ms: u64, call: u64, what: CallFact) {
        self.metrics.call(&CallEvent { at: Instant(at_ms * 1_000), call: CallId(call), what });
    }

    /// Arrived and queued at `at_ms`.
    fn queue(&mut self, at_ms: u64, call: u64, queue: &str, test_call: bool) {
        self.call(at_ms, call, arrived("unicom", test_call));
        self.call(at_ms, call, CallFact::Queued { queue: queue.into(), skill: "mandarin".into(), position: 1 });
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
        self.metrics.agent(&AgentEvent { at, agent: agent.into(), seat: None, state });
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
    assert_eq!(rig.value(r#"rexian_lost_wait_seconds_count{queue="mandarin"}"#), 10.0, "all but the answered three");
    assert_eq!(rig.value(r#"rexian_queue_waiting{queue="mandarin"}"#), 0.0);
}

#[test]
fn the_longest_wait_is_the_oldest_callers_who_still_waits() {
    let mut rig = Rig::new();
    rig.queue(1_000, 1, "mandarin", false);
    rig.queue(3_000, 2, "mandarin", false);
    let longest = |rig: &Rig, now_ms: u64| {
        rig.metrics.tick(Instant(now_ms * 1_000), &EndpointCounters::default());
        (rig.value(r#"rexian_queue_waiting{queue="mandarin"}"#), rig.value(r#"rexian_queue_longest_wait_seconds{queue="mandarin"}"#))
    };
    assert_eq!(longest(&rig, 9_000), (2.0, 8.0));
    rig.answer(9_000, 1, "mandarin", 8_000);
    assert_eq!(longest(&rig, 10_000), (1.0, 7.0));
    rig.end(11_000, 2, Some("mandarin"), EndCause::AbandonedInQueue, 8_000, 0);
    assert_eq!(longest(&rig, 12_000), (0.0, 0.0));
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
}

#[test]
fn what_a_caller_sends_never_becomes_a_label() {
    let mut rig = Rig::new();
    let before = rig.handle.render().lines().count();
    for call in 0..50 {
        rig.call(0, call, arrived(&format!("trunk-{call}"), false));
        let queue = format!("queue-{call}");
        rig.call(0, call, CallFact::Queued { queue: queue.as_str().into(), skill: "x".into(), position: 1 });
        rig.answer(1, call, &queue, 1);
        rig.end(2, call, Some(&queue), EndCause::CallerHangUp, 1, 1);
    }
    let text = rig.handle.render();
    assert_eq!(text.lines().count(), before, "no series was added");
    assert!(!text.contains("13812345678") && !text.contains("secret"));
    assert_eq!(rig.value(r#"rexian_calls_total{queue="none",cause="caller_hangup"}"#), 50.0, "still counted");
}

#[test]
fn media_and_sip_figures() {
    let mut rig = Rig::new();
    let stats = LegStats { received: 500, sent: 499, lost: 3, refused: 2, jitter_us: 1_500 };
    rig.call(0, 1, arrived("unicom", false));
    rig.call(1, 1, CallFact::LegClosed { leg: LegId(1), stats });
    rig.call(1, 1, CallFact::LegClosed { leg: LegId(2), stats: LegStats::default() });
    let sip = EndpointCounters { received: 10, retransmissions_out: 4, refused_full: 1, ..Default::default() };
    rig.metrics.tick(Instant::ZERO, &sip);
    rig.metrics.tick(Instant::ZERO, &sip);
    rig.assert(&[
        (r#"rexian_rtp_packets_total{direction="received"}"#, 500.0),
        (r#"rexian_rtp_packets_total{direction="sent"}"#, 499.0),
        ("rexian_rtp_packets_lost_total", 3.0),
        ("rexian_rtp_packets_refused_total", 2.0),
        (r#"rexian_rtp_jitter_seconds_bucket{le="0.002"}"#, 1.0),
        ("rexian_rtp_jitter_seconds_count", 1.0),
        ("rexian_sip_messages_received_total", 10.0),
        (r#"rexian_sip_retransmissions_total{direction="sent"}"#, 4.0),
        ("rexian_sip_requests_refused_total", 1.0),
    ]);
}
