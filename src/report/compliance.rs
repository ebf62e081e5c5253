//! The rules a government hotline is held to, each with its figure. Belongs here: which rule, how it is measured, whether
//! it holds. Not here: counting (`gather`), layout (`tables`).
//!
//! GB/T 33358-2016 (政府热线服务规范); State Council 2020 no. 53 and 2025 no. 66. What nothing here measures is said to be
//! so: a page that passes everything by silence is worth nothing.

use super::model::Report;
use crate::casework::{Share, Tally};
use crate::event::CallbackKind;
use crate::ids::Skill;
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: &'static str,
    pub source: &'static str,
    /// Chinese, English.
    pub text: [String; 2],
    pub formula: [&'static str; 2],
    /// Where the number comes from.
    pub from: [String; 2],
    pub figure: Figure,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    None,
    Share { part: u64, of: u64 },
    Count(u64),
    Names(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
    /// Nothing measures it here.
    NoData,
    /// The rule sets no limit that a number could break.
    Noted,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::NoData => "no_data",
            Verdict::Noted => "noted",
        }
    }
}

/// What the work on tickets tells of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketFigures {
    Known(Tally),
    /// Why not: Chinese, English.
    Unknown([String; 2]),
}

const STANDARD: &str = "GB/T 33358-2016";
const ONE_NUMBER: &str = "国办发〔2020〕53号";
const MISSED_CALLS: &str = "国办发〔2025〕66号";
const RECORDS: [&str; 2] = ["通话记录（事件日志）", "call records (event log)"];
const STATES: [&str; 2] = ["座席状态（事件日志）", "agents' states (event log)"];
const TICKETS: [&str; 2] = ["工单库", "ticket store"];
const ELSEWHERE: [&str; 2] = ["不经本系统", "not handled by this system"];

pub fn judge(report: &Report, tickets: &TicketFigures) -> Vec<Rule> {
    let mut rules = vec![answered_in_time(report), connected(report)];
    rules.extend([
        unmeasured("other_media", "短信及其他媒体 3 分钟内应答", "SMS and other media answered within 3 min"),
        unmeasured("mailbox", "信箱来件 24 小时内受理", "mailbox answered within 24 h"),
    ]);
    rules.extend(on_tickets(tickets));
    rules.extend([
        always_staffed(report),
        languages(report),
        no_menu(report),
        called_back(report),
        emergencies(report),
    ]);
    rules
}

fn rule(id: &'static str, source: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Rule {
    Rule {
        id,
        source,
        text: [zh.into(), en.into()],
        formula: ["", ""],
        from: RECORDS.map(str::to_owned),
        figure: Figure::None,
        verdict: Verdict::NoData,
    }
}

/// At least so many percent.
fn held(part: u64, of: u64, percent: u32) -> Verdict {
    match of {
        0 => Verdict::NoData,
        _ if u128::from(part) * 100 >= u128::from(of) * u128::from(percent) => Verdict::Pass,
        _ => Verdict::Fail,
    }
}

fn share(part: u64, of: u64) -> Figure {
    if of == 0 { Figure::None } else { Figure::Share { part, of } }
}

fn answered_in_time(report: &Report) -> Rule {
    let quota = report.terms.report.within_share;
    let standard = Duration::from_secs(15);
    // The rule's own 15 s, whatever N the queues have.
    let answered = report.fifteen.levels.iter().find(|level| level.n == standard).map_or(0, |level| level.answered);
    let requests = report.fifteen.counters.requests();
    Rule {
        formula: ["A_15 / R", "A_15 / R"],
        figure: share(answered, requests),
        verdict: held(answered, requests, quota),
        ..rule(
            "answered_in_time",
            STANDARD,
            format!("15 秒内应答（考核比例 {quota}%）"),
            format!("answered within 15 s (share asked for: {quota} %)"),
        )
    }
}

fn connected(report: &Report) -> Rule {
    let floor = report.terms.report.connection_rate;
    let (part, of) = report.worst.map_or((0, 0), |window| (window.answered, window.requests));
    Rule {
        formula: ["min A / R，(t - 24 h, t]", "min over t of A / R in (t - 24 h, t]"],
        figure: share(part, of),
        verdict: held(part, of, floor),
        ..rule(
            "connection_rate",
            STANDARD,
            format!("任意连续 24 小时接通率不低于 {floor}%"),
            format!("connection rate of at least {floor} % over any continuous 24 h"),
        )
    }
}

fn unmeasured(id: &'static str, zh: &str, en: &str) -> Rule {
    Rule { from: ELSEWHERE.map(str::to_owned), formula: ["–", "–"], ..rule(id, STANDARD, zh, en) }
}

/// Judged where the standard sets a limit, shown where it asks for the figure only.
fn on_tickets(figures: &TicketFigures) -> Vec<Rule> {
    type Judged = (&'static str, &'static str, &'static str, [&'static str; 2], Share);
    let (tally, from) = match figures {
        TicketFigures::Known(tally) => (*tally, TICKETS.map(str::to_owned)),
        TicketFigures::Unknown([zh, en]) => {
            (Tally::default(), [format!("{}未读：{zh}", TICKETS[0]), format!("{} not read: {en}", TICKETS[1])])
        }
    };
    let kept = ["按期数 / 期内到期或办理数", "in time / decided in the period, kept or missed"];
    let judged: [Judged; 4] = [
        (
            "transfer",
            "2 个工作日内转派承办单位",
            "passed to a department within 2 working days",
            kept,
            tally.transferred,
        ),
        ("reply", "5 个工作日内答复市民", "citizen has a reply within 5 working days", kept, tally.replied),
        (
            "extension",
            "延期一般不超过 10 个工作日",
            "extended by 10 working days at most",
            ["不超过 10 个工作日的延期 / 全部延期", "extensions of at most 10 working days / extensions"],
            tally.extended,
        ),
        (
            "return",
            "派单有误的 2 个工作日内退回",
            "a wrongly assigned case is returned within 2 working days",
            ["按期退回数 / 退回数", "returned in time / returned"],
            tally.returned,
        ),
    ];
    let shown: [Judged; 5] = [
        (
            "answered_on_the_spot",
            "直接办理",
            "answered on the spot",
            ["直办数 / 已确定办理方式数", "answered on the spot / disposed of"],
            tally.answered_now,
        ),
        (
            "called_back_tickets",
            "办结后回访市民",
            "the citizen is called back about the ticket",
            ["回访成功数 / 回访数", "reached / callbacks"],
            tally.reached,
        ),
        (
            "satisfied_process",
            "满意度：办理过程",
            "satisfaction with how it was handled",
            ["基本满意及以上 / 回访成功数", "fairly satisfied or better / reached"],
            tally.satisfied_with_process,
        ),
        (
            "satisfied_result",
            "满意度：办理结果",
            "satisfaction with what came of it",
            ["基本满意及以上 / 回访成功数", "fairly satisfied or better / reached"],
            tally.satisfied_with_result,
        ),
        (
            "satisfied_call",
            "满意度：通话（按键评价）",
            "satisfaction with the call, by key",
            ["基本满意及以上 / 评价数", "fairly satisfied or better / rated"],
            tally.satisfied_with_call,
        ),
    ];
    let row = |(id, zh, en, formula, Share { part, of }): Judged, verdict: Verdict| Rule {
        from: from.clone(),
        formula,
        figure: share(part, of),
        verdict,
        ..rule(id, STANDARD, zh, en)
    };
    let judged = judged.into_iter().map(|all| row(all, held(all.4.part, all.4.of, 100)));
    let shown = shown.into_iter().map(|all| row(all, if all.4.of > 0 { Verdict::Noted } else { Verdict::NoData }));
    let known = matches!(figures, TicketFigures::Known(_));
    let confidential = Rule {
        from: from.clone(),
        formula: ["期内标为保密的工单数", "tickets made confidential"],
        figure: if known { Figure::Count(tally.confidential) } else { Figure::None },
        verdict: if known { Verdict::Noted } else { Verdict::NoData },
        ..rule("confidential", STANDARD, "按市民要求保密", "confidential on request")
    };
    judged.chain(shown).chain([confidential]).collect()
}

/// Quarters of an hour in which somebody was signed in.
fn always_staffed(report: &Report) -> Rule {
    let (part, of) = (report.staffed, report.quarters);
    Rule {
        from: STATES.map(str::to_owned),
        formula: ["有座席签入的刻钟数 / 刻钟数", "quarters of an hour with an agent signed in / quarters"],
        figure: share(part, of),
        verdict: held(part, of, 100),
        ..rule("always_staffed", ONE_NUMBER, "7×24 小时人工服务", "human service 7 days, 24 hours")
    }
}

/// Each skill that a queue asks for: was somebody with it signed in?
fn languages(report: &Report) -> Rule {
    let terms = &report.terms;
    let at_work = report.agents.iter().filter(|(_, row)| !row.staff.signed_in().is_zero());
    let manned: BTreeSet<&Skill> = at_work.filter_map(|(agent, _)| terms.skills.get(agent)).flatten().collect();
    let without: Vec<String> =
        terms.asked_for.iter().filter(|skill| !manned.contains(skill)).map(Skill::to_string).collect();
    let verdict = match (terms.asked_for.is_empty(), without.is_empty()) {
        (true, _) => Verdict::NoData,
        (false, true) => Verdict::Pass,
        (false, false) => Verdict::Fail,
    };
    let figure = if without.is_empty() {
        share(terms.asked_for.len() as u64, terms.asked_for.len() as u64)
    } else {
        Figure::Names(without)
    };
    Rule {
        from: ["配置与座席签入（需 --config）", "configuration and sign-ins (needs --config)"].map(str::to_owned),
        formula: ["有座席签入的技能数 / 队列所需技能数", "skills of queues with an agent signed in / skills of queues"],
        figure,
        verdict,
        ..rule(
            "languages",
            STANDARD,
            "设方言、少数民族语言、外语座席",
            "dialect, minority-language and foreign-language seats",
        )
    }
}

fn no_menu(report: &Report) -> Rule {
    Rule {
        from: ["系统设计：无前置菜单，按键可选且静默", "by design: no menu; a silent key press is optional"]
            .map(str::to_owned),
        formula: ["必须按键才能转人工的来电数", "calls that had to press a key"],
        figure: Figure::Count(0),
        verdict: if report.total.arrived > 0 { Verdict::Pass } else { Verdict::NoData },
        ..rule("no_menu", STANDARD, "不宜设置语音菜单", "an IVR menu should not be used")
    }
}

fn called_back(report: &Report) -> Rule {
    let missed = report.missed;
    let made = report.total.back(CallbackKind::Missed).made + report.total.back(CallbackKind::Promised).made;
    let cared_for = missed.served + missed.tried;
    let verdict = if missed.callers > 0 && made == 0 && missed.served == 0 {
        Verdict::Fail
    } else {
        held(cared_for, missed.callers, 100)
    };
    Rule {
        formula: ["(其后接通 + 已回拨) / 未接通号码数", "(got through later + called back) / numbers not answered"],
        figure: share(cared_for, missed.callers),
        verdict,
        ..rule("called_back", MISSED_CALLS, "漏接来电回拨", "missed calls are called back")
    }
}

fn emergencies(report: &Report) -> Rule {
    Rule {
        formula: ["转接 110、119、120、122 的来电数", "calls passed on to 110, 119, 120, 122"],
        figure: Figure::Count(report.emergencies),
        verdict: Verdict::Noted,
        ..rule("emergencies", MISSED_CALLS, "紧急诉求即时转接", "emergencies are transferred at once")
    }
}
