//! A call's story in Chinese.

use super::story::{Before, Remark, span};
use crate::event::{
    CallFact, Chosen, ConsultEnd, EndCause, ForwardReason, Forwarded, OfferEnd, Party, Purpose, Supervision, Why,
};
use std::time::Duration;

pub(super) fn fact(fact: &CallFact, before: &Before) -> Option<String> {
    Some(match fact {
        CallFact::Arrived { trunk, dnis, cli, test_call, tenant, line, purpose, .. } => {
            let caller = cli.as_deref().unwrap_or("号码保密");
            let test = if *test_call { "；测试呼叫，不计入指标" } else { "" };
            match (purpose, line) {
                (Purpose::Callback { of }, _) => format!("经中继 {trunk} 回电 {caller}，来电 {of} 中已承诺"),
                (Purpose::MissedCall { of }, _) => format!("漏接回拨：经中继 {trunk} 致电 {caller}，来电 {of} 未接通"),
                (_, Some(line)) => {
                    format!("来电进入专线 {line}（{dnis}，{tenant}），中继 {trunk}，主叫 {caller}{test}")
                }
                (_, None) => format!("来电拨打 {dnis}，不是本系统号码，中继 {trunk}，主叫 {caller}{test}"),
            }
        }
        CallFact::Queued { queue, skill, position, why } => {
            format!("进入队列 {queue}（{skill}），第 {position} 位：{}", reason(why))
        }
        CallFact::Moved { queue, skill, position, why } => {
            format!("转入队列 {queue}（{skill}），第 {position} 位，保留原到达时间：{}", reason(why))
        }
        CallFact::Relaxed { step } => format!("等了 {} 仍无人空闲：放宽到第 {step} 步的座席", time(before.in_queue)),
        CallFact::Announced { position, estimate } => {
            let place = position.map(|n| format!("第 {n} 位"));
            let wait = estimate.map(|e| format!("预计等待约 {}", time(e)));
            format!("向来电人播报：{}", [place, wait].into_iter().flatten().collect::<Vec<_>>().join("，"))
        }
        CallFact::CallbackOffered => "提供回电选择".into(),
        CallFact::Offered { agent, seat, chosen, .. } => {
            format!("分配给工号 {agent}（座席 {seat}；{}）", choice(chosen))
        }
        CallFact::OfferEnded { agent, why } => {
            let why = match why {
                OfferEnd::NoAnswer => "未应答",
                OfferEnd::Busy => "占线",
                OfferEnd::Declined => "拒接",
                OfferEnd::Unreachable => "不可达",
                OfferEnd::Failed => "已应答但接续失败",
                OfferEnd::Withdrawn => "停止振铃：分配已撤回",
            };
            format!("工号 {agent} {why}（{} 后）；来电人保留原位", time(before.ringing))
        }
        CallFact::Answered { agent, seat, wait, ring, spooled, .. } => {
            let ticket = if *spooled { "" } else { "；当时工单尚未落盘" };
            format!("工号 {agent} 接听（座席 {seat}）：等待 {}，其中振铃 {}{ticket}", time(*wait), time(*ring))
        }
        CallFact::Held => "保持".into(),
        CallFact::Resumed => "恢复通话".into(),
        CallFact::Transferred { agent, queue } => format!("工号 {agent} 将来电人转至队列 {queue}"),
        CallFact::TakenOver { agent, seat, wait, ring, .. } => {
            format!("工号 {agent} 接续（座席 {seat}）：又等待 {}，其中振铃 {}", time(*wait), time(*ring))
        }
        CallFact::Digit(_) => "来电人按了一个键".into(),
        CallFact::NoAudio { leg } => format!("通路 {leg} 没有收到声音：单通"),
        CallFact::Forwarded(Forwarded { by, called, why }) => {
            let why = match why {
                Some(ForwardReason::Always) => "无条件转移",
                Some(ForwardReason::Busy) => "遇忙转移",
                Some(ForwardReason::NoAnswer) => "无应答转移",
                Some(ForwardReason::Unreachable) => "不可及转移",
                Some(ForwardReason::Deflected) => "振铃中转移",
                None => "转移",
            };
            let unknown = "未知号码";
            let (by, called) = (by.as_deref().unwrap_or(unknown), called.as_deref().unwrap_or(unknown));
            format!("由 {by} {why}而来，来电人原拨 {called}")
        }
        CallFact::FarEndCause { leg, status, q850 } => {
            let status = status.map(|s| format!("SIP {s}"));
            let said = [status, q850.map(|c| format!("Q.850 原因值 {c}"))];
            format!("通路 {leg} 的对端告知：{}", said.into_iter().flatten().collect::<Vec<_>>().join("，"))
        }
        CallFact::Ended { cause, wait, talk, hold, .. } => {
            let hold = if hold.is_zero() { String::new() } else { format!("（其中保持 {}）", time(*hold)) };
            let talk = if talk.is_zero() { String::new() } else { format!("，通话 {}{hold}", time(*talk)) };
            format!("结束：{}；等待 {}{talk}", ending(*cause), time(*wait))
        }
        CallFact::Dialled { seat, agent: Some(agent), to, .. } => {
            format!("工号 {agent}（座席 {seat}）拨打 {}", party(to))
        }
        CallFact::Dialled { seat, agent: None, to, .. } => format!("座席 {seat}（无人签入）拨打 {}", party(to)),
        // Who was consulted before.
        CallFact::Reached { ring } if ring.is_zero() => "对方此前已接通".into(),
        CallFact::Reached { ring } => format!("对方应答，振铃 {}", time(*ring)),
        CallFact::PassingOn { agent, to } => format!("工号 {agent} 正将来电人转接至 {}", party(to)),
        CallFact::PassedOn { agent, to } => format!("工号 {agent} 退出，来电人转至 {}", party(to)),
        CallFact::NotPassedOn { agent, to, status } => {
            format!("工号 {agent} 转接 {} 未成（{status}）", party(to))
        }
        CallFact::Consulting { agent, to } => format!("工号 {agent} 咨询 {}", party(to)),
        CallFact::Consulted { ring } => format!("被咨询方应答，振铃 {}", time(*ring)),
        CallFact::ThreeWay => "三方通话".into(),
        CallFact::ConsultOver { to, why, .. } => {
            let why = match why {
                ConsultEnd::NotReached { status } => format!("未接通（{status}）"),
                ConsultEnd::Returned => "由座席结束".into(),
                ConsultEnd::PartyHangUp => "已挂断".into(),
                ConsultEnd::PartyLost => "通路或语音中断".into(),
                ConsultEnd::CallOver => "随座席通话一同结束".into(),
            };
            format!("与 {} 的咨询{why}", party(to))
        }
        CallFact::Help { agent, asked: true } => format!("工号 {agent} 求助班长"),
        CallFact::Help { agent, asked: false } => format!("工号 {agent} 取消求助"),
        CallFact::Supervised { by, act, agent, why } => {
            let act = match act {
                Supervision::Listen => "监听",
                Supervision::Whisper => "密语",
                Supervision::Barge => "强插",
                Supervision::Left => "退出",
                Supervision::TakeOver => "拦截",
                Supervision::Disconnect => "强拆",
                Supervision::MoveUp => "将来电提前",
                Supervision::MoveCall => "将来电改队列",
            };
            let with = agent.as_ref().map(|agent| format!("（工号 {agent}）")).unwrap_or_default();
            let why = why.as_ref().map(|why| format!("：{}", why.escape_debug())).unwrap_or_default();
            format!("班长 {by} {act}{with}{why}")
        }
        CallFact::Surveyed { agent } => format!("工号 {agent} 退出，来电人转满意度评价"),
        CallFact::Rated { score } => format!("来电人评分 {score}（满分 5）"),
        CallFact::LegClosed { .. } | CallFact::Recorded(_) => return None,
    })
}

pub(super) fn remark(remark: &Remark) -> String {
    match remark {
        Remark::Title { call, day, offset } => format!("来电 {call}，{day}，时间为 UTC{offset}"),
        Remark::Missed(events) => format!("（此处日志缺 {events} 条事件，可能与本来电有关）"),
        Remark::Restarted => "（系统在此处重新启动）".into(),
        Remark::Unknown => "（较新版本写入的记录）".into(),
        Remark::NoEnd => "没有结束记录：仍在进行，或随进程一起中断。".into(),
    }
}

fn reason(why: &Why) -> String {
    match why {
        Why::Line => "所拨号码对应该队列".into(),
        Why::Country(code) => format!("主叫国家码为 {code}"),
        Why::Remembered => "此前以该语言服务过".into(),
        Why::Key(key) => format!("来电人按了 {key} 键"),
        Why::Agent(agent) => format!("工号 {agent} 转来"),
        Why::Full => "原队列已满".into(),
        Why::NoAgents => "原队列所需技能无人具备".into(),
        Why::Overflow => "在原队列等待已到溢出时间".into(),
        Why::Closed => "专线不在服务时间".into(),
        Why::Callback => "需给市民回电".into(),
        Why::Supervisor(agent) => format!("班长 {agent} 指定"),
        Why::SeatLost => "通话座席的话机或网页失联，按来电时间回到队列".into(),
    }
}

fn choice(chosen: &Chosen) -> String {
    let why = if chosen.preferred { "上次服务该来电人" } else { "按队列策略轮到" };
    let step = match chosen.step {
        0 => "满足全部要求".into(),
        step => format!("满足放宽第 {step} 步"),
    };
    let interpreter = if chosen.interpreter { "，需三方翻译" } else { "" };
    format!("{why}，{step}{interpreter}")
}

fn ending(cause: EndCause) -> &'static str {
    match cause {
        EndCause::CallerHangUp => "来电人挂机",
        EndCause::AgentHangUp => "座席挂机",
        EndCause::MediaTimeout => "一方长时间无声音",
        EndCause::ShortAbandon => "速挂",
        EndCause::AbandonedInQueue => "排队放弃",
        EndCause::AbandonedRinging => "振铃放弃",
        EndCause::AbandonedBeforeQueue => "进入排队前挂机",
        EndCause::QueueFull => "队列满",
        EndCause::QueueTimeout => "超时溢出",
        EndCause::NoAgents => "无人具备所需技能",
        EndCause::CallbackTaken => "来电人选择回电",
        EndCause::Deflected => "听完提示音后挂机，无需座席",
        EndCause::Closed => "专线不在服务时间",
        EndCause::NotReached => "对方未接听",
        EndCause::UnknownNumber => "所拨号码不是本系统号码",
        EndCause::TrunkFault => "运营商侧故障",
        EndCause::OurFault => "本系统故障",
        EndCause::PartyHangUp => "对方挂机",
        EndCause::Joined => "并入所转接的来电",
        EndCause::TimeLimit => "转接至外线的通话达到时长上限",
    }
}

fn party(party: &Party) -> String {
    match party {
        Party::Seat(seat) => format!("座席 {seat}"),
        Party::Outside(number) => number.clone(),
        Party::Emergency(number) => format!("紧急号码 {number}"),
    }
}

fn time(time: Duration) -> String {
    match span(time) {
        (0, seconds) => format!("{seconds} 秒"),
        (minutes, seconds) => format!("{minutes} 分 {seconds} 秒"),
    }
}
