//! Bringing a schema up to date: of the ticket stores and of the event log. Not here: the schemas themselves.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// Version, name, SQL; each runs once in the life of a store.
pub(crate) type Steps = &'static [(i64, &'static str, &'static str)];

/// A file of ours that others read while it is written, made if it is not there. `patience`: for whoever holds it.
/// synchronous=NORMAL: a process that dies loses nothing committed, a machine that loses power perhaps the last moments.
pub(crate) async fn open(path: &Path, steps: Steps, patience: Duration) -> Result<SqliteConnection, sqlx::Error> {
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(patience)
        .disable_statement_logging()
        .connect()
        .await?;
    migrate(&mut conn, steps).await?;
    Ok(conn)
}

/// Under the write lock, so that two gateways started together do not both try.
pub(crate) async fn migrate(conn: &mut SqliteConnection, steps: Steps) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    // `run` is generic over `Acquire`, which no future that must be `Send` can use on a borrowed connection.
    migrator(steps).run_direct(None, &mut *tx, false).await?;
    tx.commit().await
}

/// For a transaction that has its own lock.
pub(super) fn migrator(steps: Steps) -> Migrator {
    let all: Vec<Migration> = steps
        .iter()
        .map(|&(version, name, sql)| {
            Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(all);
    migrator.set_locking(false);
    migrator
}
