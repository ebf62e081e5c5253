//! Does the configured database answer, and does it fit? A notice and no fault: the gateway takes calls without it, and
//! whoever checks a configuration may sit where the database cannot be reached from.

use crate::cases::postgres::{PostgresCases, Version};
use crate::config::settings::{CaseStoreSettings, Settings};
use std::time::Duration;
use tokio::runtime;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(3);

/// A line for `rexian check`; nothing to say of files.
pub fn notice(settings: &Settings) -> Option<String> {
    let CaseStoreSettings::Postgres(at) = &settings.world.cases else { return None };
    let world = runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let asked = async {
        let cases = PostgresCases::new(at.clone(), "");
        timeout(PATIENCE, cases.version()).await
    };
    Some(match world.block_on(asked) {
        Ok(Ok(Version::Ours)) => format!("case store {at} answers, {}", Version::Ours),
        Ok(Ok(older @ Version::Older(_))) => {
            format!("notice: case store {at} answers; {older}: the start brings them up to date, or `rexian migrate`")
        }
        Ok(Ok(newer)) => format!("warning: case store {at} answers, but {newer}"),
        Ok(Err(error)) => format!("warning: {error}: tickets would wait in the spool"),
        Err(_) => {
            format!("warning: case store {at} did not answer within {PATIENCE:?}: tickets would wait in the spool")
        }
    })
}
