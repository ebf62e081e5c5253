//! The figures of one day or several: per hour, per queue, per skill, and how good the announced waits were. Formulas are
//! those of `sla`. Not here: printing them.

use super::record::{CallRow, Day};
use super::series::{Staff, quantile};
use crate::event::EndCause;
use crate::ids::{QueueName, Skill};
use crate::sla::{Counters, Figure, Unit, metrics};
use std::collections::BTreeMap;
use std::time::Duration;

/// Of all days together.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub days: usize,
    /// Attempts of citizens, those the gateway turned away included.
    pub attempts: u64,
    /// Never became a call: SIP 503 and the like.
    pub turned_away: u64,
    /// Calls that ended before they asked for a human.
    pub without_request: BTreeMap<EndCause, u64>,
    pub total: Part,
    pub hours: Vec<(Part, Staff)>,
    pub queues: Vec<(QueueName, Part)>,
    pub skills: Vec<SkillTime>,
    pub staff: Staff,
    pub estimates: EstimateError,
    /// Every headline figure of each day, in one order.
    pub headlines: Vec<Vec<Headline>>,
}

/// Requests for a human of one kind.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub counters: Counters,
    /// N of "within N seconds", if all share it.
    pub within: Option<Duration>,
    /// Of those answered, seconds, in order.
    pub waits: Vec<f64>,
}

/// What those who have a skill did.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillTime {
    pub skill: Skill,
    /// Agents on average over the day.
    pub staff: Staff,
}

/// Announced waits against the real ones. Only callers who were answered can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EstimateError {
    pub announced: u64,
    pub judged: u64,
    /// Seconds, announced minus real.
    pub mean: f64,
    pub absolute: f64,
    /// Off by at most 30 % or 30 s.
    pub near: f64,
}

/// One figure of one day.
#[derive(Clone, Debug, PartialEq)]
pub struct Headline {
    pub id: String,
    pub zh: String,
    pub en: String,
    pub formula: String,
    pub kind: Kind,
    pub value: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Count,
    Ratio,
    Seconds,
}

/// Over several days: the mean, and half the width of its 95 % confidence interval (`None` for a single day).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub mean: f64,
    pub half: Option<f64>,
}

impl Part {
    pub fn figures(&self) -> Vec<Figure> {
        metrics::figures(&self.counters, self.within)
    }

    pub fn connection_rate(&self) -> Option<f64> {
        ratio(self.counters.answered, self.counters.requests())
    }

    pub fn service_level(&self) -> Option<f64> {
        ratio(self.counters.answered_within, self.counters.requests())
    }

    pub fn wait(&self, share: f64) -> Option<f64> {
        quantile(&self.waits, share)
    }

    fn take(&mut self, counters: &Counters) {
        let ours = &mut self.counters;
        ours.offered += counters.offered;
        ours.answered += counters.answered;
        ours.answered_within += counters.answered_within;
        ours.abandoned_within += counters.abandoned_within;
        for (cause, calls) in &counters.lost {
            *ours.lost.entry(*cause).or_default() += calls;
        }
        ours.answered_wait += counters.answered_wait;
        ours.longest_wait = ours.longest_wait.max(counters.longest_wait);
        ours.talks += counters.talks;
        ours.talk += counters.talk;
        ours.hold += counters.hold;
        ours.wrap_ups += counters.wrap_ups;
        ours.wrap_up += counters.wrap_up;
    }
}

impl Outcome {
    pub fn of(days: &[Day]) -> Outcome {
        let shared = days.first().and_then(Day::shared_within);
        let part = |within| Part { within, ..Part::default() };
        let mut outcome = Outcome {
            days: days.len(),
            attempts: 0,
            turned_away: 0,
            without_request: BTreeMap::new(),
            total: part(shared),
            hours: vec![(part(shared), Staff::default()); 24],
            queues: Vec::new(),
            skills: Vec::new(),
            staff: Staff::default(),
            estimates: estimates(days),
            headlines: days.iter().map(headline).collect(),
        };
        if let Some(first) = days.first() {
            outcome.queues = first.queues.iter().map(|(name, within)| (name.clone(), part(Some(*within)))).collect();
        }
        for day in days {
            outcome.take(day, 1.0 / days.len() as f64);
        }
        let parts = outcome.hours.iter_mut().map(|(part, _)| part).chain(outcome.queues.iter_mut().map(|(_, p)| p));
        for part in parts.chain([&mut outcome.total]) {
            part.waits.sort_by(f64::total_cmp);
        }
        outcome
    }

    fn take(&mut self, day: &Day, weight: f64) {
        self.attempts += day.calls.len() as u64;
        self.turned_away += day.calls.iter().filter(|c| c.turned_away.is_some()).count() as u64;
        for (cause, calls) in day.total.without_request() {
            *self.without_request.entry(*cause).or_default() += calls;
        }
        self.total.take(day.total.total());
        for ((part, _), hour) in self.hours.iter_mut().zip(&day.hours) {
            part.take(hour.total());
        }
        for (name, part) in &mut self.queues {
            if let Some(counters) = day.total.queue(name) {
                part.take(counters);
            }
        }
        for call in day.calls.iter().filter(|call| call.is_answered()) {
            let wait = call.wait.as_secs_f64();
            self.total.waits.push(wait);
            self.hours[hour_of(call)].0.waits.push(wait);
            if let Some((_, part)) = self.queues.iter_mut().find(|(name, _)| Some(name) == call.queue.as_ref()) {
                part.waits.push(wait);
            }
        }
        for (slot, (_, staff)) in day.slots(Duration::from_secs(3_600)).iter().zip(&mut self.hours) {
            add(staff, &slot.staff, weight);
            add(&mut self.staff, &slot.staff, weight / 24.0);
        }
        for (skill, staff) in day.staff_by_skill() {
            match self.skills.iter_mut().find(|time| time.skill == skill) {
                Some(time) => add(&mut time.staff, &staff, weight),
                None => {
                    let mut time = SkillTime { skill, staff: Staff::default() };
                    add(&mut time.staff, &staff, weight);
                    self.skills.push(time);
                }
            }
        }
    }

    /// Each headline figure over all days.
    pub fn headlines(&self) -> Vec<(Headline, Option<Interval>)> {
        let Some(first) = self.headlines.first() else { return Vec::new() };
        let over = |i: usize| Interval::of(self.headlines.iter().filter_map(|day| day[i].value).collect());
        first.iter().enumerate().map(|(i, headline)| (headline.clone(), over(i))).collect()
    }

    pub fn headline(&self, id: &str) -> Option<f64> {
        self.headlines().into_iter().find(|(h, _)| h.id == id).and_then(|(_, interval)| Some(interval?.mean))
    }
}

impl Day {
    /// N of this queue.
    pub fn within_of(&self, queue: Option<&QueueName>) -> Duration {
        let named = self.queues.iter().find(|(name, _)| Some(name) == queue);
        named.map_or(self.within, |(_, within)| *within)
    }

    fn shared_within(&self) -> Option<Duration> {
        self.queues.iter().all(|(_, within)| *within == self.within).then_some(self.within)
    }

    fn staff_by_skill(&self) -> BTreeMap<Skill, Staff> {
        let mut skills: BTreeMap<Skill, Staff> = BTreeMap::new();
        for span in &self.spans {
            let agents = (span.until - span.from).as_secs_f64() / super::DAY.as_secs_f64();
            for skill in &self.posts[span.post] {
                skills.entry(skill.clone()).or_default().add(span.state, agents);
            }
        }
        skills
    }
}

impl Interval {
    /// Student's t; nothing of nothing.
    pub fn of(values: Vec<f64>) -> Option<Interval> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        match values.len() {
            0 => None,
            1 => Some(Interval { mean, half: None }),
            count => {
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
                Some(Interval { mean, half: Some(t_975(count - 1) * (variance / n).sqrt()) })
            }
        }
    }
}

/// 97.5 % point of Student's t.
fn t_975(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    TABLE.get(freedom.saturating_sub(1)).copied().unwrap_or(1.96 + 2.4 / freedom as f64)
}

fn headline(day: &Day) -> Vec<Headline> {
    let line = |id: &str, zh: &str, en: &str, formula: &str, kind, value| Headline {
        id: id.into(),
        zh: zh.into(),
        en: en.into(),
        formula: formula.into(),
        kind,
        value,
    };
    let counters = day.total.total();
    let turned_away = day.calls.iter().filter(|c| c.turned_away.is_some()).count();
    let mut waits: Vec<f64> = day.calls.iter().filter(|c| c.is_answered()).map(|c| c.wait.as_secs_f64()).collect();
    waits.sort_by(f64::total_cmp);
    let count = |n: u64| Some(n as f64);
    let mut lines = vec![
        line("attempts", "来电", "calls", "", Kind::Count, count(day.calls.len() as u64)),
        line("turned_away", "线路占满", "all channels busy", "SIP 503", Kind::Count, count(turned_away as u64)),
        line("requests", "人工请求", "requests for a human", "R", Kind::Count, count(counters.requests())),
        line("answered", "接通", "answered", "A", Kind::Count, count(counters.answered)),
        line("abandoned", "放弃", "abandoned", "Ab", Kind::Count, count(counters.abandoned())),
    ];
    lines.extend(day.total.figures().into_iter().map(|f| Headline {
        id: f.id.into(),
        zh: f.zh,
        en: f.en,
        formula: f.formula.into(),
        kind: if f.unit == Unit::Ratio { Kind::Ratio } else { Kind::Seconds },
        value: f.value,
    }));
    let mut staff = Staff::default();
    for slot in day.slots(super::DAY) {
        add(&mut staff, &slot.staff, 1.0);
    }
    let longest = counters.longest_wait.as_secs_f64();
    lines.extend([
        line("wait_p50", "等待中位数", "median wait", "answered", Kind::Seconds, quantile(&waits, 0.5)),
        line(
            "wait_p90",
            "等待九成以内",
            "nine in ten waited at most",
            "answered",
            Kind::Seconds,
            quantile(&waits, 0.9),
        ),
        line("longest_wait", "最长等待", "longest wait", "anybody", Kind::Seconds, Some(longest)),
        line("occupancy", "工时利用率", "occupancy", "handle / (handle + idle)", Kind::Ratio, staff.occupancy()),
        line("seats", "平均在岗座席", "seats manned on average", "", Kind::Count, Some(staff.all())),
    ]);
    lines
}

fn estimates(days: &[Day]) -> EstimateError {
    let mut error = EstimateError::default();
    for call in days.iter().flat_map(|day| &day.calls) {
        error.announced += call.estimates.len() as u64;
        if !call.is_answered() {
            continue;
        }
        for (at, estimate) in &call.estimates {
            let real = (call.asked + call.wait).as_secs_f64() - at.as_secs_f64();
            let off = estimate.as_secs_f64() - real;
            error.judged += 1;
            error.mean += off;
            error.absolute += off.abs();
            error.near += f64::from(off.abs() <= (0.3 * real).max(30.0));
        }
    }
    let judged = error.judged.max(1) as f64;
    EstimateError { mean: error.mean / judged, absolute: error.absolute / judged, near: error.near / judged, ..error }
}

fn add(sum: &mut Staff, more: &Staff, weight: f64) {
    sum.talking += more.talking * weight;
    sum.wrap_up += more.wrap_up * weight;
    sum.ringing += more.ringing * weight;
    sum.ready += more.ready * weight;
    sum.not_ready += more.not_ready * weight;
}

fn hour_of(call: &CallRow) -> usize {
    (call.at.as_secs() / 3_600).min(23) as usize
}

fn ratio(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        let i = Interval::of(vec![1.0, 2.0, 3.0]).expect("three values");
        // t(2) = 4.303, s = 1: 4.303 / sqrt(3).
        assert!((i.mean - 2.0).abs() < 1e-9 && (i.half.expect("several") - 2.484).abs() < 1e-3, "{i:?}");
        assert_eq!(Interval::of(vec![5.0]), Some(Interval { mean: 5.0, half: None }));
        assert_eq!(Interval::of(vec![]), None);
    }
}
