//! The tables in PostgreSQL and their version. Belongs here: finding out the version, migrating. Not here: what is done
//! with the tables (`postgres`).
//!
//! A gateway whose role may not create tables works as long as the version is its own: then nothing but a SELECT is
//! needed. Who owns the tables runs `rexian migrate` before a new version of the program starts.

use crate::cases::migrate::{Steps, migrator};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::fmt;

/// As of the SQLite store: the same versions, names and columns. One that has shipped is never edited.
const MIGRATIONS: Steps = &[
    (1, "tickets", include_str!("../migrations/postgres/0001_tickets.sql")),
    (2, "route", include_str!("../migrations/postgres/0002_route.sql")),
    (3, "casework", include_str!("../migrations/postgres/0003_casework.sql")),
    (4, "casework_lists", include_str!("../migrations/postgres/0004_casework_lists.sql")),
];

const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Of the advisory lock: `rexian` in ASCII. Two gateways started together do not both migrate.
const LOCK: i64 = 0x7265_7869_616e;

/// How the tables fit this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Ours,
    /// 0: no tables at all.
    Older(i64),
    Newer(i64),
}

pub(super) async fn version(conn: &mut PgConnection) -> Result<Version, sqlx::Error> {
    let row = conn.fetch_one("SELECT to_regclass('_sqlx_migrations') IS NULL").await?;
    let newest = match row.try_get(0)? {
        true => 0,
        false => {
            conn.fetch_one("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success").await?.try_get(0)?
        }
    };
    Ok(match newest {
        NEWEST => Version::Ours,
        older if older < NEWEST => Version::Older(older),
        newer => Version::Newer(newer),
    })
}

/// All missing steps in one transaction, or none; takes as long as it takes.
pub(super) async fn migrate(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let encoding: String = conn.fetch_one("SHOW server_encoding").await?.try_get(0)?;
    if encoding != "UTF8" {
        let what = format!("the database's encoding is {encoding}; create it anew with ENCODING 'UTF8'");
        return Err(sqlx::Error::Configuration(what.into()));
    }
    let mut tx = conn.begin().await?;
    tx.execute("SET LOCAL statement_timeout = 0").await?;
    tx.execute(sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK)).await?;
    migrator(MIGRATIONS).run_direct(None, &mut *tx, false).await?;
    tx.commit().await
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Ours => write!(f, "its tables are up to date (version {NEWEST})"),
            Version::Older(0) => write!(f, "it has no tables yet"),
            Version::Older(found) => write!(f, "its tables are of version {found}, this program's of {NEWEST}"),
            Version::Newer(found) => write!(
                f,
                "its tables are of version {found}, newer than this program's {NEWEST}: run the newer program here too"
            ),
        }
    }
}
