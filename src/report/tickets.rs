//! The work on tickets in a report: the case store, only read. Not here: what is counted (`casework::Tally`), what it must be
//! (`compliance`).

use super::compliance::TicketFigures;
use crate::cases::Cases;
use crate::cases::desk::Desk;
use crate::casework::Tally;
use crate::config::settings::CaseStoreSettings;
use crate::time::Instant;
use std::ops::Range;
use std::sync::Arc;

/// A store that cannot be read is no reason for no report; it is said on the page, and on the terminal.
pub fn figures(store: Option<&CaseStoreSettings>, period: Range<Instant>) -> TicketFigures {
    let Some(settings) = store else {
        let unnamed = ["请用 --config 指定网关配置", "name the gateway's configuration with --config"];
        return TicketFigures::Unknown(unnamed.map(str::to_owned));
    };
    match tally(settings, &period) {
        Ok(tally) => TicketFigures::Known(tally),
        Err(why) => {
            eprintln!("figures of tickets are left out: {why}");
            TicketFigures::Unknown([why.clone(), why])
        }
    }
}

fn tally(settings: &CaseStoreSettings, period: &Range<Instant>) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let cases = Cases::reading(settings).await.map_err(|e| e.to_string())?;
        Desk::new(cases, Arc::default()).tally(period).await.map_err(|e| e.to_string())
    })
}
