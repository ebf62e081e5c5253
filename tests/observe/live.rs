//! A real Prometheus scrapes a gateway with calls: every rule and every dashboard query has data, and the figures are those
//! of the event log, counted again.

use crate::common::caller::{Street, answers};
use crate::common::{Hotline, until};
use crate::dashboards;
use crate::prometheus::{Prometheus, has};
use crate::recount::Recount;
use crate::rules::{record, recorded};
use rexian::demo::field::Who;
use rexian::event::EndCause;
use rexian::sim::ua::Plan;
use rexian::sla::{Summary, metrics};
use rexian::store::journal::Entry;
use std::time::Duration;

/// N, as every queue has it.
const WITHIN: Duration = Duration::from_secs(15);

/// Two queues, an agent's language nobody speaks, and a carrier that does not have us.
fn hotline() -> Hotline {
    let hotline = Hotline::new();
    let ims = hotline.seat_address(80);
    let more = format!(
        "\n[[queues]]\nname = \"korean\"\nnumbers = [\"66601004\"]\nskill = \"korean\"\nlanguage = \"ko\"\n\n\
         [[agents]]\nnumber = \"6699\"\nskills = {{ korean = 5 }}\n\n\
         [[trunks]]\nname = \"ims\"\npeers = [\"{ims}/32\"]\nprofile = \"generic\"\nhops = [\"{ims}:5060\"]\nprobe = \"1s\"\n\
         account = {{ user = \"053112345\", domain = \"ims.test\", password = \"observe-Zq7mW2xx\" }}\n\
         [[webhooks]]\nname = \"away\"\nurl = \"http://{ims}:1/hook\"\npassword = \"of the hook that is away\"\n"
    );
    Hotline { more, seats: 2, ..hotline }
}

/// Answered ones, one of them held and one on the other trunk; one given up in the queue and one at once.
fn play(street: &mut Street, hotline: &Hotline) {
    let hold = Some((Duration::from_millis(300), Duration::from_millis(700)));
    let holder = street.sign_in(hotline.seat_address(1), 1, Plan { hold, ..answers() });
    let other = street.sign_in(hotline.seat_address(2), 2, answers());
    let first = [street.call(), street.call_early()];
    street.wait_answered(Who::Phone(holder));
    street.wait_answered(Who::Phone(other));
    // Nobody is free: one is patient, one is not.
    let (patient, hasty) = (street.call(), street.call());
    street.run(Duration::from_millis(700));
    street.field.at_call(hasty, |c, now| c.hang_up(now));
    street.wait_ended(Who::Call(hasty));
    street.run(Duration::from_millis(5_500));
    street.field.at_call(patient, |c, now| c.hang_up(now));
    street.wait_ended(Who::Call(patient));
    // One who waits longer than N, and is served.
    let late = street.call();
    street.run(WITHIN + Duration::from_millis(500));
    street.field.at_call(first[0], |c, now| c.hang_up(now));
    street.wait_ended(Who::Call(first[0]));
    street.wait_for("the late call's answer", |_, f| matches!(f, rexian::sim::ua::UaFact::Answered(_)));
    street.run(Duration::from_millis(500));
    for call in [first[1], late] {
        street.field.at_call(call, |c, now| c.hang_up(now));
        street.wait_ended(Who::Call(call));
    }
    // The wrap-ups end, and the gateway tells its figures.
    street.run(Duration::from_secs(2));
}

#[test]
fn every_rule_and_every_dashboard_has_data_and_the_figures_are_those_of_the_event_log() {
    if !has("prometheus") {
        return;
    }
    let server = hotline().start();
    let http = server.hotline.http();
    let prometheus = Prometheus::start(server.hotline.seat_address(90), http);
    let mut street = Street::new(&server.hotline);
    play(&mut street, &server.hotline);
    until("the ends in the counters", || (server.metrics().sum("rexian_calls_total") == 5).then_some(()));
    prometheus.until("the last scrape", |p| {
        let ended = p.query("sum(rexian_calls_total)");
        let told = p.query("sum(rexian_wrap_up_seconds_count)");
        (ended.first()?.1 == 5.0 && told.first()?.1 == 3.0).then_some(())
    });
    let journal = server.directory.path().join("rexian-events.db");
    let count = until("the event log", || {
        let count = Recount::of(&journal, WITHIN);
        (count.answered + count.lost.values().sum::<u64>() == 5).then_some(count)
    });

    // Counters: exactly what is counted again.
    let abandoned = [EndCause::AbandonedInQueue, EndCause::AbandonedRinging, EndCause::ShortAbandon];
    let value = |expr: &str| prometheus.value(expr);
    assert_eq!((count.offered, count.answered, count.lost(&abandoned)), (5, 3, 2), "{count:?}");
    assert_eq!(count.within, 2, "one waited longer than N");
    assert_eq!(value("sum(rexian_calls_queued_total)"), count.offered as f64);
    assert_eq!(value("sum(rexian_calls_answered_total)"), count.answered as f64);
    assert_eq!(value("sum(rexian_calls_answered_within_total)"), count.within as f64);
    for (cause, calls) in &count.lost {
        assert_eq!(value(&format!("sum(rexian_calls_lost_total{{cause=\"{cause}\"}})")), *calls as f64, "{cause}");
    }
    assert_eq!(value("sum(rexian_calls_lost_total)"), count.lost.values().sum::<u64>() as f64);
    assert_eq!(value("sum(rexian_trunk_requests_total{outcome=\"answered\"})"), count.answered as f64);
    assert_eq!(value("sum(rexian_trunk_requests_total{trunk=\"early\", outcome=\"answered\"})"), 1.0);
    for (expr, time) in [
        ("sum(rexian_wait_seconds_sum)", count.wait),
        ("sum(rexian_talk_seconds_sum)", count.talk),
        ("sum(rexian_hold_seconds_sum)", count.hold),
        ("sum(rexian_wrap_up_seconds_sum)", count.wrap_up),
    ] {
        let (told, counted) = (value(expr), time.as_secs_f64());
        assert!(counted > 0.0 && (told - counted).abs() < 1e-3, "{expr}: {told}, by the event log {counted}");
    }
    let talking = count.states["talking"].as_secs_f64();
    assert!((value("rexian_agent_time_seconds_total{state=\"talking\"}") - talking).abs() <= 1.0, "{talking}");

    // The named figures: the rules', the reports' fold over the event log, and plain arithmetic.
    let settings = rexian::config::load(&server.directory.path().join("rexian.toml")).expect("the configuration");
    let mut summary = Summary::new(&settings.core.queues);
    for event in &count.events {
        match event {
            Entry::Call(event) => summary.observe(event),
            Entry::Agent(event) => summary.observe_agent(event),
            _ => {}
        }
    }
    let figures = summary.figures();
    for metric in &metrics::ALL {
        let by_report = figures.iter().find(|f| f.id == metric.id).and_then(|f| f.value).expect("a value");
        for window in ["5m", "1h", "24h"] {
            let rule = format!("{}{{window=\"{window}\"}}", record("total", metric));
            prometheus.until(&format!("{rule} is {by_report}"), |p| {
                let told = p.query(&rule).first()?.1;
                ((told - by_report).abs() <= 0.01 * by_report.abs().max(0.01)).then_some(())
            });
        }
    }
    let r = (count.answered + count.lost(&abandoned)) as f64;
    let rate = value("total:rexian_connection_rate:ratio{window=\"1h\"}");
    assert!((rate - count.answered as f64 / r).abs() < 1e-6, "{rate}");

    // Every rule and every query of every dashboard.
    for name in recorded() {
        if name != "rexian:local_midnight" {
            has_data(&prometheus, &name);
        }
    }
    for query in dashboards::queries() {
        // A day's figures are told at midnight; promtool's tests have them.
        if !query.contains("window=\"day\"") {
            has_data(&prometheus, &query);
        }
    }
    for name in
        ["up == 0", "lag_seconds > 0", "failed_attempts_total > 0", "dead_letters == 0", "events_delivered_total"]
    {
        has_data(&prometheus, &format!("rexian_webhook_{name}"));
    }
    // Of the alerts those that ought to: nobody speaks Korean, the carrier does not have us and is silent.
    for alert in ["RexianNoAgentForSkill", "RexianRegistrationLost"] {
        has_data(&prometheus, &format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}"));
    }
    let wrong = prometheus.query("rexian_queue_waiting_with_idle_agent > 0");
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(prometheus.query("ALERTS{alertname=~\"RexianDown|RexianStuck|RexianClockWrong|RexianStoreDown\"}"), []);
}

fn has_data(prometheus: &Prometheus, expr: &str) {
    prometheus.until(&format!("data of {expr}"), |p| p.query(expr).iter().any(|(_, v)| !v.is_nan()).then_some(()));
}
