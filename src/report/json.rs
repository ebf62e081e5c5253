//! The report for programs: raw counters beside every figure, so that nothing need be believed. Not here: counting
//! (`gather`).

use super::basis::{basis, period_name};
use super::compliance::Figure as Measured;
use super::model::{Report, Staff};
use super::period::half_hour_name;
use super::words::Language;
use crate::event::CallbackKind;
use crate::record::{Ending, STATES};
use crate::sla::{Part, Window};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

pub fn whole(report: &Report) -> Value {
    let terms = &report.terms;
    let one = terms.one_within();
    let named = |parts: Vec<(String, &Part, Option<Duration>)>| -> Value {
        parts.into_iter().map(|(name, p, within)| (name, part(p, within))).collect::<Map<_, _>>().into()
    };
    let agents: Map<String, Value> = report
        .agents
        .iter()
        .map(|(agent, row)| {
            let value = json!({
                "calls": row.calls, "talks": row.talks, "talk_seconds": row.talk.as_secs_f64(),
                "hold_seconds": row.hold.as_secs_f64(), "wrap_up_seconds": row.wrap_up.as_secs_f64(),
                "handle_time": row.handle_time(), "passed_on": row.passed_on, "callbacks": row.back,
                "own_calls": row.own, "offers": row.offered, "missed": row.missed, "declined": row.declined,
                "unreachable": row.unreachable, "occupancy": row.staff.occupancy(), "state_seconds": staff(&row.staff),
            });
            (agent.to_string(), value)
        })
        .collect();
    json!({
        "hotline": terms.report.hotline,
        "period": period_name(report),
        "from": report.period.from().as_unix_millis(),
        "until": report.period.until().as_unix_millis(),
        "utc_offset_minutes": terms.utc_offset,
        "basis": { "zh": basis(report, Language::Zh), "en": basis(report, Language::En) },
        "complete": !report.data.is_partial(report.period),
        "events_missing": report.data.missing(),
        "gateway_starts": report.data.starts(),
        "total": part(&report.total, one),
        "worst_24h": report.worst.map(window),
        "half_hours": report.half_hours.iter().enumerate().map(|(index, slot)| {
            json!({ "from": half_hour_name(index), "part": part(&slot.part, one), "state_seconds": staff(&slot.staff),
                "occupancy": slot.staff.occupancy() })
        }).collect::<Vec<_>>(),
        "hours": report.hours.iter().map(|p| part(p, one)).collect::<Vec<_>>(),
        "days": report.days.iter().map(|day| {
            json!({ "date": day.date.to_string(), "part": part(&day.part, one), "worst_24h": day.worst.map(window),
                "state_seconds": staff(&day.staff) })
        }).collect::<Vec<_>>(),
        "queues": named(report.queues.iter().map(|(n, p)| (n.to_string(), p, Some(terms.within(Some(n))))).collect()),
        "skills": named(report.skills.iter().map(|(n, p)| (n.to_string(), p, one)).collect()),
        "trunks": named(report.trunks.iter().map(|(n, p)| (n.to_string(), p, one)).collect()),
        "tenants": named(report.tenants.iter().map(|(n, p)| (n.clone(), p, one)).collect()),
        "agents": agents,
        "missed_callers": { "numbers": report.missed.callers, "served": report.missed.served, "tried": report.missed.tried },
        "compliance": compliance(report),
    })
}

pub fn compliance(report: &Report) -> Value {
    let figure = |figure: &Measured| match figure {
        Measured::None => Value::Null,
        Measured::Share { part, of } => json!({ "part": part, "of": of, "share": *part as f64 / *of as f64 }),
        Measured::Count(n) => json!({ "count": n }),
        Measured::Names(names) => json!({ "missing": names }),
    };
    let rules = report.rules.iter().map(|rule| {
        json!({ "id": rule.id, "source": rule.source, "zh": rule.text[0], "en": rule.text[1], "formula_zh": rule.formula[0], "formula_en": rule.formula[1],
            "from_zh": rule.from[0], "from_en": rule.from[1], "figure": figure(&rule.figure),
            "verdict": rule.verdict.as_str() })
    });
    rules.collect::<Vec<_>>().into()
}

fn part(part: &Part, within: Option<Duration>) -> Value {
    let endings = |all: &BTreeMap<Ending, u64>| -> Map<String, Value> {
        all.iter().map(|(ending, n)| (ending.as_str().to_owned(), json!(n))).collect()
    };
    json!({
        "arrived": part.arrived,
        "test_calls": part.test_calls,
        "dialled": part.dialled,
        "open": part.open,
        "cut_off": part.cut_off,
        "without_beginning": part.unknown,
        "counters": part.counters,
        "requests": part.counters.requests(),
        "abandoned": part.counters.abandoned(),
        "unanswered": endings(&part.unanswered),
        "without_request": endings(&part.without_request),
        "callbacks": { "promised": part.back(CallbackKind::Promised), "missed": part.back(CallbackKind::Missed) },
        "within_n_seconds": within.map(|within| within.as_secs_f64()),
        "figures": part.figures(within),
        "levels": part.levels.iter().map(|level| {
            json!({ "n": level.n.as_secs_f64(), "answered": level.answered, "abandoned": level.abandoned,
                "figures": part.figures_within(*level) })
        }).collect::<Vec<_>>(),
    })
}

fn window(window: Window) -> Value {
    json!({ "ends": window.ends.as_unix_millis(), "requests": window.requests, "answered": window.answered,
        "connection_rate": window.rate() })
}

fn staff(staff: &Staff) -> Map<String, Value> {
    STATES.iter().zip(staff.0).map(|((_, word), time)| ((*word).to_owned(), json!(time.as_secs_f64()))).collect()
}
