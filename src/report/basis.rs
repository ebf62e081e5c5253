//! A report's title, and what its numbers stand on: which calls count where, how much of the period the record covers, what
//! the log lacks. Not here: the numbers (`tables`).

use super::model::Report;
use super::period::Kind;
use super::words::{Language, grouped, pick};
use crate::store::facts::MarkKind;

/// What the numbers stand on, a line each.
pub fn basis(report: &Report, language: Language) -> Vec<String> {
    let period = report.period;
    let at = |at| format!("{} {}", period.date_of(at), period.clock(at));
    let zh = language == Language::Zh;
    let mut lines = vec![if zh {
        "来电按请求人工的时刻计入当日当时段（未请求人工的按到达时刻），跨零点者整通计入请求当日；测试呼叫与回拨不计入各率。".into()
    } else {
        "A call counts on the day and half hour of its request for a human (of its arrival if it never asked), all of it \
         even if it ends after midnight; test calls and calls back are in no rate."
            .to_owned()
    }];
    let coverage = report.data.coverage;
    let (first, last) = (at(coverage.first), at(coverage.last));
    let partial = report.data.is_partial(period);
    lines.push(match (zh, partial) {
        (true, true) => format!("注意：记录自 {first} 至 {last}，本期不完整。"),
        (true, false) => format!("记录自 {first} 至 {last}，覆盖本期。"),
        (false, true) => format!("Note: the record runs from {first} to {last}: this period is not complete."),
        (false, false) => format!("The record runs from {first} to {last} and covers this period."),
    });
    if let Some(window) = report.worst.filter(|window| !report.data.reaches_back(window.ends)) {
        let ends = at(window.ends);
        lines.push(if zh {
            format!("注意：最低 24 小时窗口止于 {ends}，早于记录开始后 24 小时，窗口内数据不全。")
        } else {
            format!("Note: the worst 24 hours end at {ends}, before the record was 24 hours old.")
        });
    }
    let (missing, starts) = (report.data.missing(), report.data.starts());
    lines.push(match (zh, missing) {
        (true, 0) => "事件日志本期无缺失。".into(),
        (true, n) => format!("注意：事件日志缺 {} 条，缺者未计入。", grouped(n)),
        (false, 0) => "The event log of this period lacks nothing that it knows of.".into(),
        (false, n) => format!("Note: the event log lacks {} events; they are not counted.", grouped(n)),
    });
    if starts > 0 || report.total.cut_off > 0 {
        let n = report.total.cut_off;
        lines.push(if zh {
            format!("本期网关启动 {starts} 次；因进程中断或日志缺失而无结束记录的来电 {n} 通，时长计至最后一条记录。")
        } else {
            format!(
                "The gateway was started {starts} times; {n} calls have no recorded end (process died, events lost): \
                     timed to the last event known."
            )
        });
    }
    if report.total.unknown > 0 {
        let n = report.total.unknown;
        lines.push(if zh {
            format!("{n} 通来电缺开始记录，不计入任何指标。")
        } else {
            format!("{n} calls lack their beginning: in no figure.")
        });
    }
    if report.total.open > 0 {
        let n = report.total.open;
        lines.push(if zh { format!("{n} 通来电尚未结束。") } else { format!("{n} calls are not over yet.") });
    }
    if report.data.marks.iter().any(|mark| mark.kind == MarkKind::Replaced) {
        lines.push(if zh {
            "注意：事件日志在本期被更换或丢失了末尾。".into()
        } else {
            "Note: the event log was replaced, or lost its end, in this period.".into()
        });
    }
    lines
}

/// `2026-11-22`, `2026-11`, `2026-11-01 – 2026-11-15`.
pub fn period_name(report: &Report) -> String {
    let period = report.period;
    match period.kind {
        Kind::Day => period.first.to_string(),
        Kind::Month => period.first.strftime("%Y-%m").to_string(),
        Kind::Span => format!("{} – {}", period.first, period.last),
    }
}

pub fn title(report: &Report, language: Language) -> String {
    let hotline = &report.terms.report.hotline;
    let kind = match report.period.kind {
        Kind::Day => pick(language, "话务日报", "daily report"),
        Kind::Month => pick(language, "话务月报", "monthly report"),
        Kind::Span => pick(language, "话务报表", "report"),
    };
    format!("{hotline} {kind}")
}
