//! Bringing an SQLite file's schema up to date: of the ticket store and of the event log. Not here: the schemas themselves.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};

/// Version, name, SQL; each runs once in the life of a file.
pub(crate) type Steps = &'static [(i64, &'static str, &'static str)];

/// Under the write lock, so that two gateways started together do not both try.
pub(crate) async fn migrate(conn: &mut SqliteConnection, steps: Steps) -> Result<(), sqlx::Error> {
    let all: Vec<Migration> = steps
        .iter()
        .map(|&(version, name, sql)| {
            Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    // `run` is generic over `Acquire`, which no future that must be `Send` can use on a borrowed connection.
    Migrator::with_migrations(all).run_direct(None, &mut *tx, false).await?;
    tx.commit().await
}
