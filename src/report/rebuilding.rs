//! `rexian report --rebuild`: the event log folded once more, and what differs. Not here: folding and comparing
//! (`store::facts`).

use super::words::{Language, grouped};
use super::{Found, Options, Period, date_of};
use crate::store::facts::{Difference, rebuild, rebuild_from_copy};
use crate::time::Instant;
use std::process::ExitCode;

/// Differences shown; the rest is counted.
const SHOWN: usize = 20;

/// Exit code 1: they differ.
pub fn run(found: &Found, options: &Options, language: Language) -> Result<ExitCode, String> {
    let replace = options.replace;
    let again = found.facts.with_extension("rebuilt");
    let clear = || {
        for end in ["", "-wal", "-shm"] {
            let mut name = again.clone().into_os_string();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    };
    clear();
    let rebuilt = match (&found.copy, &found.events) {
        (Some(copy), log) if options.copy => {
            let log = log.as_deref().filter(|log| log.is_file());
            rebuild_from_copy(copy, log, &found.facts, &again, replace)
        }
        (None, _) if options.copy => return Err("the event log is not copied: [storage] has no ship_events".into()),
        (_, Some(log)) => rebuild(log, &found.facts, &again, replace),
        (_, None) => return Err("no event log is kept: [storage] events is empty; name a file with --events".into()),
    };
    clear();
    let rebuilt = rebuilt.map_err(|e| e.to_string())?;
    let period = Period::day(date_of(rebuilt.from, found.terms.utc_offset), found.terms.utc_offset);
    let at = |at: Instant| format!("{} {}", period.date_of(at), period.clock(at));
    let (from, until) = (at(rebuilt.from), at(rebuilt.until));
    let (calls, quarters) = (grouped(rebuilt.calls), grouped(rebuilt.quarters));
    let n = rebuilt.differences.len();
    let zh = language == Language::Zh;
    if zh {
        let log = if options.copy { "事件日志副本" } else { "事件日志" };
        println!("由{log}重算 {from} 至 {until}：{calls} 通话记录，{quarters} 条座席时长");
        println!("{}", if n == 0 { "与保存的一致".into() } else { format!("不一致 {n} 处") });
    } else {
        let log = if options.copy { "event log's copy" } else { "event log" };
        println!("rebuilt from the {log}, {from} to {until}: {calls} call records, {quarters} rows of agents' times");
        println!("{}", if n == 0 { "equal to what is kept".into() } else { format!("{n} differ") });
    }
    for difference in rebuilt.differences.iter().take(SHOWN) {
        match difference {
            Difference::Call { call, kept, rebuilt } => {
                let text = |json: &Option<String>| json.clone().unwrap_or_else(|| "-".into());
                println!("call {call}\n  kept    {}\n  rebuilt {}", text(kept), text(rebuilt));
            }
            Difference::Time { agent, state, begins, kept, rebuilt } => {
                let begins = at(*begins);
                println!(
                    "agent {agent} {state} {begins}: kept {:.3} s, rebuilt {:.3} s",
                    kept.as_secs_f64(),
                    rebuilt.as_secs_f64()
                );
            }
        }
    }
    if n > 0 && replace {
        println!("{}", if zh { "已改为日志所记" } else { "what the log says is kept now" });
    }
    Ok(if n == 0 || replace { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
