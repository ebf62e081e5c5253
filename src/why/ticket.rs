//! From a ticket's number to its call, where the case store is at hand.

use crate::ids::CallId;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, Row};
use std::path::Path;

/// Waits for the disk.
pub(super) fn call_of(ticket_no: &str, cases: &Path) -> Result<Option<CallId>, String> {
    if !cases.is_file() {
        return Err(format!("there is no case store {}", cases.display()));
    }
    let find = async {
        let options = SqliteConnectOptions::new().filename(cases).read_only(true).disable_statement_logging();
        let mut conn = options.connect().await?;
        let query = sqlx::query("SELECT call_id FROM tickets WHERE ticket_no = ?").bind(ticket_no);
        let row = conn.fetch_optional(query).await?;
        conn.close().await?;
        row.map(|row| row.try_get::<String, _>(0)).transpose()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let found = runtime.block_on(find).map_err(|e: sqlx::Error| format!("{}: {e}", cases.display()))?;
    Ok(found.and_then(|id| u64::from_str_radix(&id, 16).ok()).map(CallId))
}
