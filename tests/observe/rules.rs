//! The shipped rules by themselves: promtool is content, no name of a figure is missing, every alert can be acted upon.

use crate::common::Hotline;
use crate::prometheus::{has, promtool};
use crate::read;
use rexian::demo::records;
use rexian::sla::Unit;
use rexian::sla::metrics::{ALL, Metric};
use std::collections::BTreeSet;

/// As the recording rules name it.
pub fn record(level: &str, metric: &Metric) -> String {
    let kind = match metric.unit {
        Unit::Ratio => "ratio",
        Unit::Seconds => "seconds",
    };
    format!("{level}:rexian_{}:{kind}", metric.id)
}

/// Characters that are not English; a term of the field may be among English ones.
fn foreign(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii()).count()
}

/// The values of a key, in order.
fn all<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.lines()
        .filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix(key))
        .map(str::trim)
        .collect()
}

/// Every name the rules record.
pub fn recorded() -> BTreeSet<String> {
    all(&read("prometheus/rules/rexian-figures.rules.yml"), "record:").into_iter().map(str::to_owned).collect()
}

#[test]
fn promtool_accepts_configuration_rules_and_their_tests() {
    if !has("promtool") {
        return;
    }
    promtool(&["check", "config", "prometheus.yml"], None);
    promtool(&["check", "rules", "rules/rexian-figures.rules.yml", "rules/rexian-alerts.rules.yml"], None);
    promtool(&["test", "rules", "tests/figures.yml", "tests/day.yml", "tests/alerts.yml"], None);
}

#[test]
fn promtool_has_nothing_to_say_against_the_metrics() {
    if !has("promtool") {
        return;
    }
    let server = Hotline::new().start();
    let (_, metrics) = records::get(server.hotline.http(), "/metrics").expect("/metrics");
    assert_eq!(promtool(&["check", "metrics"], Some(&metrics)), "");
}

#[test]
fn every_named_figure_is_recorded_per_queue_and_in_total() {
    let recorded = recorded();
    for metric in &ALL {
        for level in ["queue", "total"] {
            let name = record(level, metric);
            assert!(recorded.contains(&name), "no rule records {name}");
        }
    }
}

#[test]
fn every_alert_is_tested_and_says_in_both_languages_what_to_do() {
    let (text, tests) = (read("prometheus/rules/rexian-alerts.rules.yml"), read("prometheus/tests/alerts.yml"));
    let alerts: Vec<&str> = text.split("      - alert: ").skip(1).collect();
    assert!(alerts.len() > 30);
    for alert in alerts {
        let name = alert.lines().next().unwrap_or_default();
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name} is never seen to fire");
        for key in ["summary:", "description:", "runbook:"] {
            let english = all(alert, key).concat();
            let chinese = all(alert, &key.replace(':', "_zh:")).concat();
            assert!(english.len() > 10 && 9 * foreign(&english) < english.len(), "{name}: {key} {english}");
            assert!(foreign(&chinese) >= 4, "{name}: {key} {chinese}");
        }
        assert!(["critical", "warning", "info"].iter().any(|s| alert.contains(&format!("severity: {s},"))), "{name}");
    }
}
