//! From facts to a report: one walk over the period's records. Belongs here: which record counts where. Not here: what it
//! counts as (`sla::Part`).
//!
//! A call counts at the moment of its request for a human (its arrival, if it never asked), with all its talk, also when it
//! ends after midnight. An agent's calls are those picked up in the period, and an agent's time is by the clock.

use super::compliance;
use super::compliance::TicketFigures;
use super::model::{AgentRow, Data, Day, Missed, Report, STANDARD, Slot, Staff, Terms};
use super::period::{HALF_HOURS, Period};
use crate::event::{OfferEnd, Party};
use crate::record::{CELL, CallRecord, Kind, Offered, With};
use crate::sla::{Part, WINDOW, Window, worst};
use crate::store::facts::{FactsError, FactsReader};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// `None`: no event has ever been folded.
pub fn gather(facts: &mut FactsReader, period: Period, terms: Terms) -> Result<Option<Report>, FactsError> {
    let (from, until) = (period.from(), period.until());
    let Some(coverage) = facts.coverage()? else { return Ok(None) };
    let marks = facts.marks(from, until)?;
    let part = Part::new(&terms.report.within);
    let day = |date| Day { date, part: part.clone(), staff: Staff::default(), worst: None };
    let mut report = Report {
        period,
        data: Data { coverage, marks },
        total: part.clone(),
        half_hours: vec![Slot { part: part.clone(), staff: Staff::default() }; HALF_HOURS],
        hours: vec![part.clone(); 24],
        fifteen: Part::new(&[STANDARD]),
        days: period.dates().map(day).collect(),
        queues: terms.within.keys().map(|queue| (queue.clone(), part.clone())).collect(),
        skills: BTreeMap::new(),
        trunks: BTreeMap::new(),
        tenants: BTreeMap::new(),
        agents: BTreeMap::new(),
        worst: None,
        quarters: 0,
        staffed: 0,
        missed: Missed::default(),
        emergencies: 0,
        rules: vec![],
        terms,
    };
    let mut callers = Callers::default();
    for record in facts.carried_over(from)? {
        report.agents_of(&record);
    }
    facts.each_call(from, until, |record| {
        report.count(&record, &part);
        report.agents_of(&record);
        callers.count(&record);
    })?;
    report.missed = callers.missed();
    // What has not happened yet is no part of any figure.
    let known = until.min(Instant(coverage.last.0 + 1));
    let mut staffed = BTreeSet::new();
    for ((agent, cell, state), time) in facts.times(from, until)? {
        staffed.insert(cell);
        report.agents.entry(agent).or_default().staff.add(state, time);
        report.half_hours[period.half_hour_of(cell.begins())].staff.add(state, time);
        if let Some(day) = report.days.get_mut(period.day_of(cell.begins())) {
            day.staff.add(state, time);
        }
    }
    report.staffed = staffed.len() as u64;
    let quarters = known.since(from.max(coverage.first)).as_micros().div_ceil(CELL.as_micros());
    report.quarters = (quarters as u64).max(report.staffed);
    let before = Instant(from.0.saturating_sub(WINDOW.as_micros() as u64));
    let requests = facts.verdicts(before, until)?;
    report.worst = worst_known(&requests, coverage.first, from, known);
    for day in &mut report.days {
        let begins = period.midnight(day.date);
        let ends = (begins + WINDOW).min(known);
        let first = requests.partition_point(|(at, _)| *at + WINDOW < begins);
        let last = requests.partition_point(|(at, _)| *at < ends);
        day.worst = worst_known(&requests[first..last], coverage.first, begins, ends);
    }
    let unread = ["未指定", "none is named"].map(str::to_owned);
    report.rules = compliance::judge(&report, &TicketFigures::Unknown(unread));
    Ok(Some(report))
}

/// Of the windows of which every moment is known. Where there are none, what is known at the end of it.
fn worst_known(requests: &[(Instant, bool)], first: Instant, from: Instant, until: Instant) -> Option<Window> {
    let whole = from.max(first + WINDOW);
    match from < until {
        true if whole < until => worst(requests, whole, until),
        true => worst(requests, Instant(until.0 - 1), until),
        false => None,
    }
}

impl Report {
    fn count(&mut self, record: &CallRecord, empty: &Part) {
        let asked = record.asked.as_ref();
        let within = self.terms.within(asked.map(|asked| &asked.queue));
        let at = record.counted_at();
        self.total.count(record, within);
        self.fifteen.count(record, STANDARD);
        let half_hour = self.period.half_hour_of(at);
        self.half_hours[half_hour].part.count(record, within);
        self.hours[half_hour / 2].count(record, within);
        if let Some(day) = self.days.get_mut(self.period.day_of(at)) {
            day.part.count(record, within);
        }
        if let Some(trunk) = &record.trunk {
            self.trunks.entry(trunk.clone()).or_insert_with(|| empty.clone()).count(record, within);
        }
        if !record.tenant.is_empty() {
            self.tenants.entry(record.tenant.clone()).or_insert_with(|| empty.clone()).count(record, within);
        }
        let emergency = |with: &With| matches!(with, With::Party(Party::Emergency(_)));
        self.emergencies += record.segments.iter().filter(|segment| emergency(&segment.with)).count() as u64;
        if !record.is_judged() {
            return;
        }
        if let Some(asked) = asked {
            self.queues.entry(asked.queue.clone()).or_insert_with(|| empty.clone()).request(record, within);
            if let Some(skill) = &asked.skill {
                self.skills.entry(skill.clone()).or_insert_with(|| empty.clone()).count(record, within);
            }
        }
        for segment in &record.segments {
            if let Some(queue) = &segment.queue {
                self.queues.entry(queue.clone()).or_insert_with(|| empty.clone()).conversation(segment);
            }
        }
    }

    fn agents_of(&mut self, record: &CallRecord) {
        let here = self.period.from()..self.period.until();
        for segment in record.segments.iter().filter(|segment| here.contains(&segment.from)) {
            let Some(agent) = segment.agent() else { continue };
            let row = self.agents.entry(agent.clone()).or_default();
            match &record.kind {
                Kind::Inbound => {
                    row.calls += 1;
                    row.talks += u64::from(segment.until.is_some());
                    row.talk += segment.talk();
                    row.hold += segment.hold;
                    row.wrap_up += segment.wrap_up;
                    row.passed_on += u64::from(segment.passed_on);
                }
                Kind::Callback { .. } | Kind::MissedCall { .. } => row.back += 1,
                Kind::Dialled { .. } => row.own += 1,
                Kind::Test | Kind::Unknown => {}
            }
        }
        if record.kind == Kind::Test {
            return;
        }
        for offer in record.offers.iter().filter(|offer| here.contains(&offer.at)) {
            let row: &mut AgentRow = self.agents.entry(offer.agent.clone()).or_default();
            row.offered += 1;
            match offer.outcome {
                Some(Offered::Ended(OfferEnd::NoAnswer)) => row.missed += 1,
                Some(Offered::Ended(OfferEnd::Busy | OfferEnd::Declined)) => row.declined += 1,
                Some(Offered::Ended(OfferEnd::Unreachable | OfferEnd::Failed)) => row.unreachable += 1,
                Some(Offered::Ended(OfferEnd::Withdrawn) | Offered::Answered) | None => {}
            }
        }
    }
}

/// Who was not answered, by number, and what became of it within the period.
#[derive(Default)]
struct Callers(BTreeMap<String, Fate>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Missed,
    Tried,
    Served,
}

impl Callers {
    /// Records come in the order of counting.
    fn count(&mut self, record: &CallRecord) {
        let Some(number) = &record.src else { return };
        let answered = record.pickup().is_some();
        match record.kind {
            Kind::Inbound if record.verdict() == Some(false) => {
                self.0.insert(number.clone(), Fate::Missed);
            }
            Kind::Inbound | Kind::Callback { .. } | Kind::MissedCall { .. } => {
                if let Some(fate) = self.0.get_mut(number) {
                    match (answered, &record.kind) {
                        (true, _) => *fate = Fate::Served,
                        (false, Kind::Inbound) => {}
                        (false, _) if *fate == Fate::Missed => *fate = Fate::Tried,
                        (false, _) => {}
                    }
                }
            }
            Kind::Test | Kind::Dialled { .. } | Kind::Unknown => {}
        }
    }

    fn missed(&self) -> Missed {
        let of = |fate: Fate| self.0.values().filter(|known| **known == fate).count() as u64;
        Missed { callers: self.0.len() as u64, served: of(Fate::Served), tried: of(Fate::Tried) }
    }
}
