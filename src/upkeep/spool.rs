//! `rexian spool list` and `rexian spool retry`: the tickets that the case store refused, and delivering them once more when
//! the reason is gone. With the gateway running or not.

use super::failed;
use crate::config::settings::Settings;
use crate::store::SetAside;
use crate::store::door::{Answer, Question, ask};
use crate::time::Instant;
use crate::why::local;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Command {
    /// The tickets set aside, and why. Callers' numbers are shown with --json only.
    List {
        /// Everything of each, as JSON, one per line.
        #[arg(long)]
        json: bool,
    },
    /// Deliver tickets that were set aside once more.
    Retry {
        /// Their numbers, as `list` shows them.
        #[arg(value_name = "NUMBER", required_unless_present = "all")]
        numbers: Vec<i64>,
        #[arg(long, conflicts_with = "numbers")]
        all: bool,
    },
}

pub fn run(command: &Command, settings: &Settings) -> ExitCode {
    let spool = &settings.world.spool;
    let done = match command {
        Command::List { json } => listed(spool).and_then(|found| show(&found, *json, settings.core.utc_offset, spool)),
        Command::Retry { numbers, all } => retry(spool, numbers, *all),
    };
    done.map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn listed(spool: &Path) -> Result<Vec<SetAside>, String> {
    match ask(spool, &Question::SetAside)? {
        Answer::SetAside(found) => Ok(found),
        Answer::Failed(why) => Err(why),
        Answer::PutBack(_) => Err("the gateway answered another question".into()),
    }
}

fn retry(spool: &Path, numbers: &[i64], all: bool) -> Result<(), String> {
    let numbers = match all {
        true => listed(spool)?.iter().map(|found| found.seq).collect(),
        false => numbers.to_vec(),
    };
    match ask(spool, &Question::Retry(numbers.clone()))? {
        Answer::PutBack(count) => {
            println!(
                "{count} of {} put back into the spool; refused again, they are listed under new numbers",
                numbers.len()
            );
            Ok(())
        }
        Answer::Failed(why) => Err(why),
        Answer::SetAside(_) => Err("the gateway answered another question".into()),
    }
}

fn show(found: &[SetAside], json: bool, utc_offset: i16, spool: &Path) -> Result<(), String> {
    if json {
        for one in found {
            println!("{}", serde_json::to_string(one).map_err(|e| e.to_string())?);
        }
        return Ok(());
    }
    if found.is_empty() {
        println!("no ticket is set aside in {}", spool.display());
        return Ok(());
    }
    println!("{:>8}  {:<19}  {:<16}  {:<6}  {:<12}  why", "number", "set aside", "call", "agent", "queue");
    let at = |ms| local(Instant(ms * 1_000), utc_offset, "%Y-%m-%d %H:%M:%S");
    for one in found {
        // Of an entry that cannot be read there is nothing to show but why.
        let ticket: serde_json::Value = serde_json::from_str(&one.ticket).unwrap_or_default();
        let text = |key: &str| ticket[key].as_str().unwrap_or("?").to_owned();
        let call = ticket["call"].as_u64().map_or("?".into(), |call| format!("{call:016x}"));
        let (since, agent, queue) = (at(one.set_aside_at), text("agent"), text("queue"));
        println!("{:>8}  {since}  {call:<16}  {agent:<6}  {queue:<12}  {}", one.seq, one.why);
    }
    Ok(())
}
