//! The forecast on a terminal: headings in Chinese and English, in columns. Not here: the figures (`sim::forecast`).

use super::options::{By, Options};
use super::out;
use super::{Forecast, Staff};
use crate::demo::width::{columns, fit};
use crate::event::EndCause;
use crate::sim::forecast::{Found, Headline, Interval, Kind, Outcome, Roster};
use jiff::civil::Date;
use std::time::Duration;

pub struct View {
    /// The JSON goes to stdout: no tables.
    silent: bool,
    date: Date,
    seed: u64,
    days: u32,
    what_if: String,
}

enum Cell {
    Left(usize),
    Right(usize),
}

impl View {
    pub fn new(options: &Options, date: Date, days: u32) -> View {
        let silent = options.json.as_ref().is_some_and(|path| path.as_os_str() == "-");
        View { silent, date, seed: options.seed, days, what_if: options.what_if.join(", ") }
    }

    pub fn day(&self, base: &Forecast, other: Option<&Forecast>, took: Duration) {
        if self.silent {
            return;
        }
        out::line(format_args!("{}", self.title(base, took)));
        match other {
            None => headlines(&base.outcome),
            Some(other) => compared(&base.outcome, &other.outcome),
        }
        let shown = other.unwrap_or(base);
        if other.is_some() {
            out::line(format_args!("\n以下为“假如” below: the day of the what-if ({})", self.what_if));
        }
        causes(&shown.outcome);
        hours(&shown.outcome);
        queues(&shown.outcome);
        skills(&shown.outcome);
        estimates(&shown.outcome);
    }

    pub fn found(&self, found: &Found, given: &Roster, options: &Options, took: Duration) {
        if self.silent {
            return;
        }
        let measure = match options.by {
            By::Connection => "接通率 connection rate A/R",
            By::Service => "N秒人工接通率 service level A_N/R",
        };
        out::line(format_args!(
            "热线 Rexian  最少座席 fewest seats  每小时 every hour: {measure} >= {:.1} %  {} 次试排 guesses x {} 天 days  {:.1} s",
            100.0 * options.target,
            found.guesses,
            options.seeds.unwrap_or(super::DAYS_PER_GUESS),
            took.as_secs_f64()
        ));
        let guessed = match options.by {
            By::Connection => "厄兰 Erlang-A",
            By::Service => "厄兰 Erlang-C",
        };
        let cells = [
            Cell::Left(7),
            Cell::Right(12),
            Cell::Right(14),
            Cell::Right(12),
            Cell::Right(14),
            Cell::Right(14),
            Cell::Right(12),
        ];
        out::line(format_args!(""));
        row(&cells, ["时 hour", "来电 calls", guessed, "原 given", "需要 needed", "达到 reached", "利用率 occ."]);
        let (manned, needed) = (given.manned(), found.roster.manned());
        for hour in 0..24 {
            let (part, staff) = &found.outcome.hours[hour];
            let reached = options.by.measure().of(part);
            let mark = if found.missed.contains(&hour) { " !" } else { "" };
            row(
                &cells,
                [
                    format!("{hour:02}"),
                    format!("{:.0}", part.counters.offered as f64 / found.outcome.days as f64),
                    found.guess[hour].to_string(),
                    manned[hour].to_string(),
                    format!("{}{mark}", needed[hour]),
                    percent(reached),
                    percent(staff.occupancy()),
                ],
            );
        }
        let sum = |hours: &[u32; 24]| hours.iter().sum::<u32>().to_string();
        row(
            &cells,
            [
                "合计 h".into(),
                String::new(),
                sum(&found.guess),
                sum(&manned),
                sum(&needed),
                String::new(),
                String::new(),
            ],
        );
        out::line(format_args!(
            "语种座席保持不变，只增减普通座席 the groups' seats are kept; only the other seats were added or taken"
        ));
        if !found.missed.is_empty() {
            out::line(format_args!(
                "! 增加座席也达不到目标 not reached: more seats did not help, or --guesses ran out"
            ));
        } else if found.cut_short {
            out::line(format_args!("试排次数用完，可能还能减少 --guesses ran out: fewer seats may do"));
        }
        out::line(format_args!(""));
    }

    fn title(&self, base: &Forecast, took: Duration) -> String {
        let calls = base.outcome.attempts / base.outcome.days.max(1) as u64;
        let seats = match &base.staff {
            Staff::Hourly(roster) => roster.manned().into_iter().max().unwrap_or(0).to_string(),
            Staff::Agents(posts) => format!("{} 人 agents", posts.len()),
        };
        format!(
            "热线 Rexian  预测 forecast  {}  来电 calls {calls}  座席 seats {seats}  种子 seed {}  {} 天 day(s)  {:.1} s\n",
            self.date,
            self.seed,
            self.days,
            took.as_secs_f64()
        )
    }
}

fn row<S: AsRef<str>, const N: usize>(cells: &[Cell; N], texts: [S; N]) {
    let shown = cells.iter().zip(texts).map(|(cell, text)| match cell {
        Cell::Left(width) => fit(text.as_ref(), *width),
        Cell::Right(width) => {
            let text = text.as_ref();
            format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
        }
    });
    out::line(format_args!("{}", shown.collect::<String>().trim_end()));
}

fn value(kind: Kind, value: Option<f64>) -> String {
    match (kind, value) {
        (_, None) => "-".into(),
        (Kind::Count, Some(n)) if n.fract() == 0.0 => format!("{n:.0}"),
        (Kind::Count, Some(n)) => format!("{n:.1}"),
        (Kind::Ratio, Some(r)) => percent(Some(r)),
        (Kind::Seconds, Some(s)) => format!("{s:.1} s"),
    }
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or("-".into(), |r| format!("{:.2} %", 100.0 * r))
}

fn interval(headline: &Headline, interval: Option<Interval>) -> String {
    match interval {
        None => "-".into(),
        Some(Interval { mean, half: None }) => value(headline.kind, Some(mean)),
        Some(Interval { mean, half: Some(half) }) => match headline.kind {
            Kind::Count => format!("{mean:.1} ± {half:.1}"),
            Kind::Ratio => format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * half),
            Kind::Seconds => format!("{mean:.1} ± {half:.1} s"),
        },
    }
}

fn named(headline: &Headline) -> String {
    format!("{} {}", headline.zh, headline.en)
}

fn headlines(outcome: &Outcome) {
    let cells = [Cell::Left(84), Cell::Left(32), Cell::Right(18)];
    row(&cells, ["指标 figure", "公式 formula", "数值 value"]);
    for (headline, over) in outcome.headlines() {
        row(&cells, [named(&headline), headline.formula.clone(), interval(&headline, over)]);
    }
    if outcome.days > 1 {
        out::line(format_args!("± 95 % 置信区间 confidence interval, {} 天 days", outcome.days));
    }
}

fn compared(base: &Outcome, other: &Outcome) {
    let cells = [Cell::Left(84), Cell::Right(18), Cell::Right(18), Cell::Right(16)];
    row(&cells, ["指标 figure", "现在 now", "假如 what if", "差 change"]);
    for ((headline, now), (_, then)) in base.headlines().into_iter().zip(other.headlines()) {
        let difference = now.zip(then).map(|(now, then)| then.mean - now.mean);
        let difference = match (headline.kind, difference) {
            (_, None) => "-".into(),
            (Kind::Count, Some(d)) => format!("{d:+.1}"),
            (Kind::Ratio, Some(d)) => format!("{:+.2} pp", 100.0 * d),
            (Kind::Seconds, Some(d)) => format!("{d:+.1} s"),
        };
        row(&cells, [named(&headline), interval(&headline, now), interval(&headline, then), difference]);
    }
}

/// What each cause is called in reports.
pub fn cause_name(cause: EndCause) -> &'static str {
    match cause {
        EndCause::CallerHangUp => "市民挂机",
        EndCause::AgentHangUp => "座席挂机",
        EndCause::MediaTimeout => "无声超时",
        EndCause::ShortAbandon => "速挂",
        EndCause::AbandonedInQueue => "排队放弃",
        EndCause::AbandonedRinging => "振铃放弃",
        EndCause::AbandonedBeforeQueue => "排队前挂机",
        EndCause::QueueFull => "队列满",
        EndCause::QueueTimeout => "超时溢出",
        EndCause::NoAgents => "无人值守",
        EndCause::CallbackTaken => "选择回拨",
        EndCause::Deflected => "听通知后挂机",
        EndCause::Closed => "非服务时间",
        EndCause::NotReached => "回拨未接",
        EndCause::UnknownNumber => "空号",
        EndCause::TrunkFault => "中继故障",
        EndCause::OurFault => "系统故障",
        EndCause::PartyHangUp => "对方挂机",
        EndCause::Joined => "并入来电",
        EndCause::TimeLimit => "转接超时",
    }
}

fn causes(outcome: &Outcome) {
    let lost = outcome.total.counters.lost.iter().chain(&outcome.without_request);
    let days = outcome.days as f64;
    let shown: Vec<String> = lost
        .map(|(cause, calls)| format!("{} {} {:.0}", cause_name(*cause), cause.as_str(), *calls as f64 / days))
        .chain(
            (outcome.turned_away > 0)
                .then(|| format!("线路占满 all channels busy {:.0}", outcome.turned_away as f64 / days)),
        )
        .collect();
    let shown = if shown.is_empty() { "无 none".into() } else { shown.join("，") };
    out::line(format_args!("\n未接通 not answered, a day: {shown}"));
}

fn hours(outcome: &Outcome) {
    let cells = [
        Cell::Left(8),
        Cell::Right(11),
        Cell::Right(14),
        Cell::Right(16),
        Cell::Right(13),
        Cell::Right(13),
        Cell::Right(11),
        Cell::Right(11),
        Cell::Right(14),
        Cell::Right(12),
        Cell::Right(13),
    ];
    out::line(format_args!(""));
    let n = outcome.total.within.map_or("N".to_owned(), |within| within.as_secs_f64().to_string());
    let (strict, timely) = (format!("{n}秒内 A_N/R"), "及时 A_N/A".to_string());
    row(
        &cells,
        [
            "时 hour",
            "来电 calls",
            "接通 answered",
            "接通率 connect",
            &strict,
            &timely,
            "平均 ASA",
            "九成 p90",
            "最长 longest",
            "座席 seats",
            "利用率 occ.",
        ],
    );
    let days = outcome.days as f64;
    for (hour, (part, staff)) in outcome.hours.iter().enumerate() {
        let c = &part.counters;
        let asa = (c.answered > 0).then(|| c.answered_wait.as_secs_f64() / c.answered as f64);
        row(
            &cells,
            [
                format!("{hour:02}-{:02}", hour + 1),
                value(Kind::Count, Some((c.offered as f64 / days * 10.0).round() / 10.0)),
                value(Kind::Count, Some((c.answered as f64 / days * 10.0).round() / 10.0)),
                percent(part.connection_rate()),
                percent(part.service_level()),
                percent((c.answered > 0).then(|| c.answered_within as f64 / c.answered as f64)),
                value(Kind::Seconds, asa),
                value(Kind::Seconds, part.wait(0.9)),
                value(Kind::Seconds, Some(c.longest_wait.as_secs_f64())),
                format!("{:.1}", staff.all()),
                percent(staff.occupancy()),
            ],
        );
    }
}

fn queues(outcome: &Outcome) {
    let cells = [
        Cell::Left(20),
        Cell::Right(11),
        Cell::Right(14),
        Cell::Right(16),
        Cell::Right(20),
        Cell::Right(13),
        Cell::Right(11),
        Cell::Right(11),
        Cell::Right(14),
        Cell::Right(11),
    ];
    out::line(format_args!(""));
    row(
        &cells,
        [
            "队列 queue",
            "请求 asked",
            "接通 answered",
            "接通率 connect",
            "N秒内 within A_N/R",
            "及时 A_N/A",
            "平均 ASA",
            "九成 p90",
            "最长 longest",
            "处理 AHT",
        ],
    );
    let days = outcome.days as f64;
    for (name, part) in &outcome.queues {
        let c = &part.counters;
        let mean = |sum: Duration, over: u64| (over > 0).then(|| sum.as_secs_f64() / over as f64);
        let aht = mean(c.talk, c.talks).map(|talk| talk + mean(c.wrap_up, c.wrap_ups).unwrap_or(0.0));
        row(
            &cells,
            [
                name.to_string(),
                value(Kind::Count, Some((c.offered as f64 / days * 10.0).round() / 10.0)),
                value(Kind::Count, Some((c.answered as f64 / days * 10.0).round() / 10.0)),
                percent(part.connection_rate()),
                percent(part.service_level()),
                percent((c.answered > 0).then(|| c.answered_within as f64 / c.answered as f64)),
                value(Kind::Seconds, mean(c.answered_wait, c.answered)),
                value(Kind::Seconds, part.wait(0.9)),
                value(Kind::Seconds, Some(c.longest_wait.as_secs_f64())),
                value(Kind::Seconds, aht),
            ],
        );
    }
}

fn skills(outcome: &Outcome) {
    let cells = [Cell::Left(20), Cell::Right(14), Cell::Right(14), Cell::Right(14), Cell::Right(14), Cell::Right(14)];
    out::line(format_args!(""));
    row(&cells, ["技能 skill", "在岗 seats", "通话 talking", "整理 wrap-up", "空闲 ready", "利用率 occ."]);
    let all = ("全部 all".to_owned(), &outcome.staff);
    for (name, staff) in outcome.skills.iter().map(|s| (s.skill.to_string(), &s.staff)).chain([all]) {
        let mean = |agents: f64| format!("{agents:.1}");
        row(
            &cells,
            [
                name,
                mean(staff.all()),
                mean(staff.talking),
                mean(staff.wrap_up),
                mean(staff.ready),
                percent(staff.occupancy()),
            ],
        );
    }
}

fn estimates(outcome: &Outcome) {
    let e = outcome.estimates;
    if e.judged == 0 {
        out::line(format_args!("\n等待时间播报 announced waits: {} 次 announced, 无可核对 none to judge", e.announced));
        return;
    }
    out::line(format_args!(
        "\n等待时间播报 announced waits: {} 次 announced, {} 次可核对（已接通）judged by callers who were answered; \
         平均误差 mean error {:+.1} s, 平均绝对误差 mean absolute error {:.1} s, 误差不超过 30 秒或 30 % within 30 s or 30 %: {}",
        e.announced,
        e.judged,
        e.mean,
        e.absolute,
        percent(Some(e.near))
    ));
}
