//! Do the configured databases answer, and do they fit? A notice and no fault: the gateway takes calls without it, and
//! whoever checks a configuration may sit where the database cannot be reached from.

use crate::cases::postgres::{PostgresCases, Version};
use crate::config::settings::{CaseStoreSettings, Settings};
use crate::store::copy::CopyTable;
use std::fmt::Display;
use std::time::Duration;
use tokio::runtime;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(3);

/// A line each for `rexian check`; nothing to say of files.
pub fn notices(settings: &Settings) -> Vec<String> {
    let Ok(world) = runtime::Builder::new_current_thread().enable_all().build() else { return vec![] };
    let mut notices = vec![];
    if let CaseStoreSettings::Postgres(at) = &settings.world.cases {
        let cases = PostgresCases::new(at.clone(), "");
        let asked = world.block_on(async { timeout(PATIENCE, cases.version()).await });
        notices.push(notice(&format!("case store {at}"), "tickets would wait in the spool", asked));
    }
    if let Some(at) = &settings.world.ship_events {
        let copy = CopyTable::new(at.clone());
        let asked = world.block_on(async { timeout(PATIENCE, copy.version()).await });
        notices.push(notice(&format!("event log's copy {at}"), "events would wait in the log", asked));
    }
    notices
}

fn notice(what: &str, else_: &str, asked: Result<Result<Version, impl Display>, Elapsed>) -> String {
    match asked {
        Ok(Ok(ours @ Version::Ours(_))) => format!("{what} answers, {ours}"),
        Ok(Ok(older @ Version::Older { .. })) => {
            format!("notice: {what} answers; {older}: the start brings them up to date, or `rexian migrate`")
        }
        Ok(Ok(newer)) => format!("warning: {what} answers, but {newer}"),
        Ok(Err(error)) => format!("warning: {error}: {else_}"),
        Err(_) => format!("warning: {what} did not answer within {PATIENCE:?}: {else_}"),
    }
}
