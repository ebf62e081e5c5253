//! `/v1/sla`: the named figures of a period. Not here: how they are computed (`sla`).

use super::V1;
use super::extract::Asked;
use super::memo::Memo;
use super::problem::Problem;
use super::time::{Moment, seconds};
use crate::config::settings::QueueSettings;
use crate::host::Clock;
use crate::ids::QueueName;
use crate::sla::{Figure, Part, Unit};
use crate::time::Instant;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Which period; by default today, in China, so far.
#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlaQuery {
    from: Option<Moment>,
    until: Option<Moment>,
}

#[derive(Serialize, JsonSchema)]
pub struct Sla {
    from: Moment,
    until: Moment,
    total: Figures,
    /// By the queue asked first.
    queues: BTreeMap<String, Figures>,
}

#[derive(Serialize, JsonSchema)]
struct Figures {
    counts: Counts,
    figures: Vec<NamedFigure>,
}

/// Raw counts: test calls, and calls of ours, are in none but their own.
#[derive(Serialize, JsonSchema)]
struct Counts {
    offered: u64,
    answered: u64,
    answered_within: u64,
    abandoned: u64,
    abandoned_within: u64,
    short_abandons: u64,
    refused: u64,
    timed_out: u64,
    callbacks_taken: u64,
    faults: u64,
    /// R: what the connection rate is of.
    requests: u64,
    longest_wait_s: f64,
}

/// A figure with its names and its formula: reports mix formulas of like names.
#[derive(Serialize, JsonSchema)]
pub(super) struct NamedFigure {
    id: &'static str,
    zh: String,
    en: String,
    formula: &'static str,
    /// ratio (0 to 1) or seconds.
    unit: &'static str,
    /// `null`: nothing to divide by.
    value: Option<f64>,
}

const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// N of a call that asked for nobody, or for a queue that is no more.
pub(super) const STANDARD: Duration = Duration::from_secs(15);

/// The periods asked for lately: a busy day is tens of thousands of records, read for each.
pub(super) type Periods = Memo<SlaQuery, Arc<Sla>>;

pub(super) fn periods() -> Periods {
    Memo::new(Duration::from_secs(2), 16)
}

pub async fn of_period(State(api): State<Arc<V1>>, Asked(asked): Asked<SlaQuery>) -> Result<Json<Arc<Sla>>, Problem> {
    api.periods.answer(asked, recount(&api, asked)).await.map(Json)
}

async fn recount(api: &V1, asked: SlaQuery) -> Result<Arc<Sla>, Problem> {
    let (from, until) = period(asked.from, asked.until, LONGEST)?;
    let settings = api.sources.queues.clone();
    let answer = api.facts(move |facts| {
        let within: BTreeMap<QueueName, Duration> =
            settings.iter().map(|queue| (queue.name.clone(), queue.within)).collect();
        let mut queues: BTreeMap<QueueName, Part> =
            settings.iter().map(|queue| (queue.name.clone(), Part::new(&[]))).collect();
        let mut total = Part::new(&[]);
        facts.each_call(from, until, |record| {
            let asked = record.asked.as_ref().map(|asked| asked.queue.clone());
            let n = asked.as_ref().and_then(|queue| within.get(queue)).copied().unwrap_or(STANDARD);
            total.count(&record, n);
            if let Some(queue) = asked {
                queues.entry(queue).or_insert_with(|| Part::new(&[])).request(&record, n);
            }
            for segment in record.segments.iter().filter(|_| record.is_judged()) {
                if let Some(queue) = &segment.queue {
                    queues.entry(queue.clone()).or_insert_with(|| Part::new(&[])).conversation(segment);
                }
            }
        })?;
        let n = |queue: &QueueName| within.get(queue).copied().unwrap_or(STANDARD);
        let queues = queues.iter().map(|(name, part)| (name.to_string(), Figures::of(part, Some(n(name)))));
        let queues = queues.collect();
        let total = Figures::of(&total, shared(&settings));
        Ok(Arc::new(Sla { from: Moment(from), until: Moment(until), total, queues }))
    });
    answer.await
}

/// N, if all queues share one.
fn shared(queues: &[QueueSettings]) -> Option<Duration> {
    let first = queues.first()?.within;
    queues.iter().all(|queue| queue.within == first).then_some(first)
}

impl Figures {
    fn of(part: &Part, within: Option<Duration>) -> Figures {
        let c = &part.counters;
        let counts = Counts {
            offered: c.offered,
            answered: c.answered,
            answered_within: c.answered_within,
            abandoned: c.abandoned(),
            abandoned_within: c.abandoned_within,
            short_abandons: c.short_abandons(),
            refused: c.refused(),
            timed_out: c.timed_out(),
            callbacks_taken: c.callbacks(),
            faults: c.faults(),
            requests: c.requests(),
            longest_wait_s: seconds(c.longest_wait),
        };
        Figures { counts, figures: part.figures(within).into_iter().map(NamedFigure::from).collect() }
    }
}

impl From<Figure> for NamedFigure {
    fn from(Figure { id, zh, en, formula, unit, value }: Figure) -> NamedFigure {
        let unit = match unit {
            Unit::Ratio => "ratio",
            Unit::Seconds => "seconds",
        };
        NamedFigure { id, zh, en, formula, unit, value }
    }
}

/// The day's begin in China.
pub(super) fn midnight(at: Instant) -> Instant {
    const DAY: u64 = 86_400;
    const CHINA: u64 = 8 * 3_600;
    let days = (at.as_unix_micros() / 1_000_000 + CHINA) / DAY;
    Instant::from_unix_secs((days * DAY).saturating_sub(CHINA))
}

/// By default from midnight until now.
pub(super) fn period(
    from: Option<Moment>,
    until: Option<Moment>,
    longest: Duration,
) -> Result<(Instant, Instant), Problem> {
    let now = Clock::start().now();
    let until = until.map_or(now, |Moment(until)| until);
    let from = from.map_or_else(|| midnight(until.min(now)), |Moment(from)| from);
    if from > until {
        return Err(Problem::bad_request("from is later than until"));
    }
    if until - from > longest {
        return Err(Problem::bad_request(format!("the period is longer than {} days", longest.as_secs() / 86_400)));
    }
    Ok((from, until))
}
