//! From a ticket's number to its call, where the case store is at hand.

use crate::cases::postgres::PostgresCases;
use crate::config::settings::CaseStoreSettings;
use crate::ids::CallId;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, Row};
use std::path::Path;

/// Waits for the disk or the server.
pub(super) fn call_of(ticket_no: &str, cases: &CaseStoreSettings) -> Result<Option<CallId>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    match cases {
        CaseStoreSettings::Sqlite(path) => runtime.block_on(in_file(ticket_no, path)),
        CaseStoreSettings::Postgres(at) => {
            let find = async { PostgresCases::new(at.clone(), "").call_of(ticket_no).await };
            runtime.block_on(find).map_err(|e| e.to_string())
        }
    }
}

async fn in_file(ticket_no: &str, path: &Path) -> Result<Option<CallId>, String> {
    if !path.is_file() {
        return Err(format!("there is no case store {}", path.display()));
    }
    let find = async {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
        let mut conn = options.connect().await?;
        let query = sqlx::query("SELECT call_id FROM tickets WHERE ticket_no = ?").bind(ticket_no);
        let row = conn.fetch_optional(query).await?;
        conn.close().await?;
        row.map(|row| row.try_get::<String, _>(0)).transpose()
    };
    let found = find.await.map_err(|e: sqlx::Error| format!("{}: {e}", path.display()))?;
    Ok(found.and_then(|id| u64::from_str_radix(&id, 16).ok()).map(CallId))
}
