//! The report as tables: what each column is called, says and is computed by. Terminal, CSV and HTML all show these. Not
//! here: how a table is drawn (`text`, `csv`, `html`).

mod people;
mod rules;

use super::model::{Report, Staff};
use super::period::{Kind, half_hour_name};
use super::words::{self, Language, grouped, percent, pick, secs};
use crate::record::STATES;
use crate::sla::metrics::{ALL, Metric, Unit};
use crate::sla::{Level, Part};
use std::time::Duration;

pub struct Table {
    /// Stable, for programs.
    pub id: &'static str,
    pub title: &'static str,
    /// How it is to be read.
    pub note: String,
    pub head: Vec<String>,
    /// Columns from this one on hold numbers.
    pub numbers_from: usize,
    pub rows: Vec<Vec<String>>,
    /// The last row is a sum.
    pub total: bool,
}

/// All but the compliance page.
pub fn tables(report: &Report, language: Language) -> Vec<Table> {
    let t = Words { report, language };
    let mut all = vec![t.figures(), t.levels(), t.causes()];
    if report.period.kind != Kind::Day {
        all.push(t.days());
    }
    all.extend([t.half_hours(), t.queues(), t.skills(), t.trunks(), t.tenants(), t.agents(), t.states(), t.back()]);
    all.retain(|table| !table.rows.is_empty());
    all
}

/// By the hour too: for files, where length is no matter.
pub fn hours(report: &Report, language: Language) -> Table {
    Words { report, language }.hours()
}

pub fn compliance_table(report: &Report, language: Language) -> Table {
    Words { report, language }.compliance()
}

struct Words<'r> {
    report: &'r Report,
    language: Language,
}

impl Words<'_> {
    fn t(&self, zh: &'static str, en: &'static str) -> &'static str {
        pick(self.language, zh, en)
    }

    fn metric(&self, metric: &Metric, within: Option<Duration>) -> String {
        let name = self.t(metric.zh, metric.en);
        within.map_or(name.to_owned(), |n| name.replace('N', &n.as_secs_f64().to_string()))
    }

    fn value(metric: &Metric, part: &Part) -> String {
        shown(metric.unit, (metric.of)(&part.counters))
    }

    fn figures(&self) -> Table {
        let total = &self.report.total;
        let c = &total.counters;
        let no_rate = self.t("不计入以下各率", "in no rate below");
        let counts = [
            (self.t("来电", "calls of citizens"), total.arrived, self.t("含测试呼叫", "test calls too")),
            (self.t("其中测试呼叫", "of those, test calls"), total.test_calls, no_rate),
            (self.t("未请求人工", "never asked for a human"), total.without_request.values().sum(), no_rate),
            (self.t("请求人工", "requests for a human"), c.offered, "offered"),
            (self.t("人工接通", "answered"), c.answered, "A"),
            (self.t("市民放弃", "abandoned"), c.abandoned(), "Ab"),
            (self.t("其中速挂", "of those, short"), c.short_abandons(), "short"),
            (self.t("超时溢出", "waited too long"), c.timed_out(), "timeouts"),
            (self.t("队列满/无人值守", "refused"), c.refused(), "refused"),
            (self.t("选择回拨", "callbacks taken"), c.callbacks(), no_rate),
            (self.t("中继/系统故障", "faults"), c.faults(), no_rate),
            (self.t("计率请求", "requests that count"), c.requests(), "R = A + Ab + timeouts + refused"),
        ];
        let mut rows: Vec<Vec<String>> =
            counts.into_iter().map(|(name, n, formula)| vec![name.into(), grouped(n), formula.into()]).collect();
        let within = self.report.terms.one_within();
        rows.extend(ALL.iter().map(|m| vec![self.metric(m, within), Self::value(m, total), m.formula.into()]));
        let longest = c.longest_wait.as_secs_f64();
        rows.push(vec![self.t("最长等待", "longest wait").into(), shown(Unit::Seconds, Some(longest)), String::new()]);
        let staff = self.staff();
        rows.push(vec![
            self.t("工时利用率", "occupancy").into(),
            percent(staff.occupancy()),
            "(talk + hold + wrap-up) / (talk + hold + wrap-up + ready)".into(),
        ]);
        Table {
            id: "figures",
            title: self.t("总体指标", "Figures"),
            note: self
                .t(
                    "计时自请求人工（进入队列）起，含排队与振铃，至座席接通止。只有市民自己挂机才算放弃。",
                    "The clock runs from the request for a human (entering the queue) through waiting and ringing until an \
                     agent is connected. Only a caller's own hang-up is an abandon.",
                )
                .into(),
            head: [self.t("指标", "figure"), self.t("数值", "value"), self.t("公式", "formula")]
                .map(Into::into)
                .into(),
            numbers_from: 1,
            rows,
            total: false,
        }
    }

    fn staff(&self) -> Staff {
        let mut sum = Staff::default();
        for row in self.report.agents.values() {
            for ((state, _), time) in STATES.iter().zip(row.staff.0) {
                sum.add(*state, time);
            }
        }
        sum
    }

    fn levels(&self) -> Table {
        let ids = [
            "service_level",
            "service_level_without_short",
            "timely_answer",
            "service_level_positive",
            "service_level_negative",
            "service_level_ignore",
        ];
        let metrics: Vec<&Metric> = ids.iter().filter_map(|id| ALL.iter().find(|metric| metric.id == *id)).collect();
        let levels = &self.report.total.levels;
        let value = |metric: &Metric, level: &Level| {
            let figures = self.report.total.figures_within(*level);
            percent(figures.iter().find(|figure| figure.id == metric.id).and_then(|figure| figure.value))
        };
        let row = |metric: &&Metric| {
            let named = [self.t(metric.zh, metric.en).to_owned(), metric.formula.to_owned()];
            named.into_iter().chain(levels.iter().map(|level| value(metric, level))).collect()
        };
        let counts = |name: &str, letters: &str, of: fn(&Level) -> u64| -> Vec<String> {
            let named = [name.to_owned(), letters.to_owned()];
            named.into_iter().chain(levels.iter().map(|level| grouped(of(level)))).collect()
        };
        let mut rows = vec![
            counts(self.t("N秒内接通", "answered within N s"), "A_N", |level| level.answered),
            counts(self.t("N秒内放弃", "abandoned within N s"), "Ab_N", |level| level.abandoned),
        ];
        rows.extend(metrics.iter().map(row));
        let mut head = vec![self.t("指标", "figure").to_owned(), self.t("公式", "formula").to_owned()];
        head.extend(levels.iter().map(|level| format!("N = {} s", level.n.as_secs_f64())));
        Table {
            id: "levels",
            title: self.t("不同 N 秒的服务水平", "Service level for several N"),
            note: self
                .t(
                    "“人工接通率”以全部请求为分母，“应答及时率”只以接通者为分母，二者不可混用。",
                    "The strict figure divides by all requests, the answered-only one by the answered: never mix them.",
                )
                .into(),
            head,
            numbers_from: 2,
            rows,
            total: false,
        }
    }

    fn causes(&self) -> Table {
        let total = &self.report.total;
        let asked = total.counters.offered as f64;
        let mut rows: Vec<(u64, Vec<String>)> = total
            .unanswered
            .iter()
            .map(|(ending, n)| {
                let of_asked = percent((asked > 0.0).then(|| *n as f64 / asked));
                let name = words::ending(self.language, *ending).to_owned();
                (*n, vec![name, ending.as_str().into(), grouped(*n), of_asked])
            })
            .collect();
        rows.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        let mut rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
        for (ending, n) in &total.without_request {
            let name = format!("{}（{}）", words::ending(self.language, *ending), self.t("未请求人工", "not asked"));
            rows.push(vec![name, ending.as_str().into(), grouped(*n), "–".into()]);
        }
        let missed: u64 = self.report.agents.values().map(|row| row.missed).sum();
        let missed_name = self.t("座席未应答（次，来电仍在排队）", "offers not answered (the caller keeps the place)");
        rows.push(vec![missed_name.into(), "offers_no_answer".into(), grouped(missed), "–".into()]);
        Table {
            id: "causes",
            title: self.t("未接通原因", "Not answered, by cause"),
            note: String::new(),
            head: [
                self.t("原因", "cause"),
                self.t("代码", "code"),
                self.t("数量", "number"),
                self.t("占请求", "of requests"),
            ]
            .map(Into::into)
            .into(),
            numbers_from: 2,
            rows,
            total: false,
        }
    }

    fn part_head(&self, first: &str) -> Vec<String> {
        let n = self.report.terms.one_within().map_or("N".to_owned(), |n| n.as_secs_f64().to_string());
        let (strict, timely) = (
            format!("{n}{}", self.t("秒人工接通率", " s service level")),
            format!("{n}{}", self.t("秒应答及时率", " s timely answer")),
        );
        let words = [
            first,
            self.t("请求", "asked"),
            self.t("接通", "answered"),
            self.t("排队放弃", "hung up queued"),
            self.t("振铃放弃", "hung up ringing"),
            self.t("速挂", "short"),
            self.t("溢出/满", "timeout/full"),
            self.t("其他", "other"),
            self.t("接通率", "connection"),
            &strict,
            &timely,
            self.t("平均应答s", "ASA s"),
            self.t("最长等待s", "longest s"),
            self.t("平均处理s", "AHT s"),
        ];
        words.map(str::to_owned).into()
    }

    fn part_row(name: String, part: &Part) -> Vec<String> {
        use crate::event::EndCause::{AbandonedInQueue, AbandonedRinging};
        let c = &part.counters;
        let lost = |cause| c.lost.get(&cause).copied().unwrap_or(0);
        let share = |id: &str| percent(part.value(id));
        vec![
            name,
            grouped(c.offered),
            grouped(c.answered),
            grouped(lost(AbandonedInQueue)),
            grouped(lost(AbandonedRinging)),
            grouped(c.short_abandons()),
            grouped(c.timed_out() + c.refused()),
            grouped(c.callbacks() + c.faults()),
            share("connection_rate"),
            share("service_level"),
            share("timely_answer"),
            secs(part.value("average_speed_of_answer")),
            secs((c.offered > 0).then_some(c.longest_wait.as_secs_f64())),
            secs(part.value("handle_time")),
        ]
    }

    fn parts(
        &self,
        id: &'static str,
        title: &'static str,
        first: &str,
        parts: Vec<(String, &Part)>,
        total: bool,
    ) -> Table {
        let mut rows: Vec<_> = parts.into_iter().map(|(name, part)| Self::part_row(name, part)).collect();
        if total {
            rows.push(Self::part_row(self.t("合计", "total").into(), &self.report.total));
        }
        Table { id, title, note: String::new(), head: self.part_head(first), numbers_from: 1, rows, total }
    }

    fn days(&self) -> Table {
        let report = self.report;
        let days = report.days.iter().map(|day| (day.date.to_string(), &day.part)).collect();
        let mut table = self.parts("days", self.t("按日", "By day"), self.t("日期", "day"), days, true);
        table.head.push(self.t("最低24小时接通率", "worst 24 h").into());
        let worst = report.days.iter().map(|day| day.worst).chain([report.worst]);
        for (row, window) in table.rows.iter_mut().zip(worst) {
            row.push(percent(window.map(|window| window.rate())));
        }
        table
    }

    fn half_hours(&self) -> Table {
        let slots = &self.report.half_hours;
        let named = slots.iter().enumerate().map(|(index, slot)| (half_hour_name(index), &slot.part)).collect();
        let mut table =
            self.parts("half_hours", self.t("按半小时", "By half hour"), self.t("时段", "from"), named, true);
        table.head.extend([self.t("平均在席", "signed in").to_owned(), self.t("利用率", "occupancy").to_owned()]);
        let days = self.report.period.days().max(1) as f64;
        let all = self.staff();
        let staff = slots.iter().map(|slot| (slot.staff, 1_800.0)).chain([(all, 86_400.0)]);
        for (row, (staff, length)) in table.rows.iter_mut().zip(staff) {
            row.push(format!("{:.1}", staff.signed_in().as_secs_f64() / length / days));
            row.push(percent(staff.occupancy()));
        }
        table
    }

    fn hours(&self) -> Table {
        let named = self.report.hours.iter().enumerate();
        let named = named.map(|(hour, part)| (format!("{hour:02}:00-{:02}:00", hour + 1), part)).collect();
        self.parts("hours", self.t("按小时", "By hour"), self.t("时段", "from"), named, true)
    }

    fn queues(&self) -> Table {
        let named = self.report.queues.iter().map(|(name, part)| {
            let n = self.report.terms.within(Some(name)).as_secs_f64();
            (format!("{name} (N={n})"), part)
        });
        let mut table =
            self.parts("queues", self.t("按队列", "By queue"), self.t("队列", "queue"), named.collect(), true);
        table.note = self
            .t(
                "来电计入最先请求的队列；转接后的通话时长计入转入的队列。",
                "A call counts for the queue it asked first; talk after a transfer for the queue of the transfer.",
            )
            .into();
        table
    }

    fn skills(&self) -> Table {
        let named = self.report.skills.iter().map(|(name, part)| (name.to_string(), part)).collect();
        self.parts("skills", self.t("按技能", "By skill"), self.t("技能", "skill"), named, false)
    }

    fn trunks(&self) -> Table {
        let named = self.report.trunks.iter().map(|(name, part)| (name.to_string(), part)).collect();
        self.parts("trunks", self.t("按中继", "By trunk"), self.t("中继", "trunk"), named, false)
    }

    fn tenants(&self) -> Table {
        let named = self.report.tenants.iter().map(|(name, part)| (name.clone(), part)).collect();
        self.parts("tenants", self.t("按租户", "By tenant"), self.t("租户", "tenant"), named, false)
    }
}

fn shown(unit: Unit, value: Option<f64>) -> String {
    match unit {
        Unit::Ratio => percent(value),
        Unit::Seconds => value.map_or("–".into(), |s| format!("{s:.1} s")),
    }
}
