//! Words and numbers as people read them, in either language. Not here: where they stand (`tables`).

use crate::event::{AgentState, EndCause, NotReadyReason};
use crate::record::{Ending, Lost};
pub use crate::why::Language;
use std::time::Duration;

/// Of the two, the one in this language.
pub fn pick(language: Language, zh: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

pub fn ending(language: Language, ending: Ending) -> &'static str {
    let (zh, en) = match ending {
        Ending::Lost(Lost::Process) => ("进程中断", "process died"),
        Ending::Lost(Lost::Gap) => ("日志缺失", "end not recorded"),
        Ending::Cause(cause) => match cause {
            EndCause::CallerHangUp => ("市民挂机", "caller hung up"),
            EndCause::AgentHangUp => ("座席挂机", "agent hung up"),
            EndCause::MediaTimeout => ("无声超时", "audio gone"),
            EndCause::ShortAbandon => ("速挂", "short abandon"),
            EndCause::AbandonedInQueue => ("排队放弃", "hung up in queue"),
            EndCause::AbandonedRinging => ("振铃放弃", "hung up while ringing"),
            EndCause::AbandonedBeforeQueue => ("排队前挂机", "hung up before the queue"),
            EndCause::QueueFull => ("队列满", "queue full"),
            EndCause::QueueTimeout => ("超时溢出", "waited too long"),
            EndCause::NoAgents => ("无人值守", "no agents"),
            EndCause::CallbackTaken => ("选择回拨", "callback taken"),
            EndCause::Deflected => ("听通知后挂机", "served by a notice"),
            EndCause::Closed => ("非服务时间", "line closed"),
            EndCause::NotReached => ("回拨未接", "not reached"),
            EndCause::UnknownNumber => ("空号", "unknown number"),
            EndCause::TrunkFault => ("中继故障", "trunk fault"),
            EndCause::OurFault => ("系统故障", "our fault"),
            EndCause::PartyHangUp => ("对方挂机", "party hung up"),
            EndCause::Joined => ("并入来电", "joined a call"),
            EndCause::TimeLimit => ("转接超时", "passed on too long"),
        },
    };
    pick(language, zh, en)
}

pub fn state(language: Language, state: AgentState) -> &'static str {
    let (zh, en) = match state {
        AgentState::LoggedOut => ("签出", "signed out"),
        AgentState::Ready => ("空闲", "ready"),
        AgentState::Reserved => ("预占用", "ringing"),
        AgentState::Talking => ("通话", "talking"),
        AgentState::Hold => ("保持", "hold"),
        AgentState::WrapUp => ("话后整理", "wrap-up"),
        AgentState::Engaged => ("外呼/咨询", "own call"),
        AgentState::NotReady(reason) => match reason {
            NotReadyReason::Busy => ("示忙", "busy"),
            NotReadyReason::Break => ("小休", "break"),
            NotReadyReason::Training => ("培训", "training"),
            NotReadyReason::NoAnswer => ("未应答", "no answer"),
            NotReadyReason::Declined => ("拒接", "declined"),
            NotReadyReason::Unreachable => ("话机离线", "unreachable"),
            NotReadyReason::Forced => ("强制示忙", "forced"),
        },
    };
    pick(language, zh, en)
}

pub fn percent(ratio: Option<f64>) -> String {
    // Never rounded up to what was not reached: 94.996 % is 94.99 %.
    ratio.map_or("–".into(), |r| format!("{:.2}%", (r * 10_000.0 + 1e-7).floor() / 100.0))
}

pub fn secs(seconds: Option<f64>) -> String {
    seconds.map_or("–".into(), |s| format!("{s:.1}"))
}

/// `7:03:21`.
pub fn hms(time: Duration) -> String {
    let s = (time.as_secs_f64()).round() as u64;
    format!("{}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// `12,345`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
