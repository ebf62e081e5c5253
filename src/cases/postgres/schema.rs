//! A schema in PostgreSQL and its version. Belongs here: finding out the version, migrating, which steps the ticket tables
//! have. Not here: what is done with the tables (`postgres`).
//!
//! A gateway whose role may not create tables works as long as the version is its own: then nothing but a SELECT is
//! needed. Who owns the tables runs `rexian migrate` before a new version of the program starts.

use crate::cases::migrate::{Steps, migrator};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::fmt;

/// Tables that are brought up to date together.
pub(crate) struct Schema {
    /// Where its version is noted.
    pub versions: &'static str,
    pub steps: Steps,
    /// Of the advisory lock: two gateways started together do not both migrate.
    pub lock: i64,
}

/// As of the SQLite store: the same versions, names and columns. One that has shipped is never edited. Lock: `rexian` in
/// ASCII.
pub(super) const TICKETS: Schema = Schema {
    versions: "_sqlx_migrations",
    steps: &[
        (1, "tickets", include_str!("../migrations/postgres/0001_tickets.sql")),
        (2, "route", include_str!("../migrations/postgres/0002_route.sql")),
        (3, "casework", include_str!("../migrations/postgres/0003_casework.sql")),
        (4, "casework_lists", include_str!("../migrations/postgres/0004_casework_lists.sql")),
        (5, "outcomes", include_str!("../migrations/postgres/0005_outcomes.sql")),
    ],
    lock: 0x7265_7869_616e,
};

/// How the tables fit this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Ours(i64),
    /// Found 0: no tables at all.
    Older {
        found: i64,
        ours: i64,
    },
    Newer {
        found: i64,
        ours: i64,
    },
}

impl Schema {
    pub async fn version(&self, conn: &mut PgConnection) -> Result<Version, sqlx::Error> {
        let known = sqlx::query("SELECT to_regclass($1) IS NULL").bind(self.versions);
        let found = match conn.fetch_one(known).await?.try_get(0)? {
            true => 0,
            false => {
                let newest = format!("SELECT coalesce(max(version), 0) FROM {} WHERE success", self.versions);
                conn.fetch_one(sqlx::AssertSqlSafe(newest)).await?.try_get(0)?
            }
        };
        let ours = self.steps.last().map_or(0, |(version, ..)| *version);
        Ok(match found {
            found if found == ours => Version::Ours(ours),
            found if found < ours => Version::Older { found, ours },
            found => Version::Newer { found, ours },
        })
    }

    /// All missing steps in one transaction, or none; takes as long as it takes.
    pub async fn migrate(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let encoding: String = conn.fetch_one("SHOW server_encoding").await?.try_get(0)?;
        if encoding != "UTF8" {
            let what = format!("the database's encoding is {encoding}; create it anew with ENCODING 'UTF8'");
            return Err(sqlx::Error::Configuration(what.into()));
        }
        let mut tx = conn.begin().await?;
        tx.execute("SET LOCAL statement_timeout = 0").await?;
        tx.execute(sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(self.lock)).await?;
        let mut migrator = migrator(self.steps);
        migrator.dangerous_set_table_name(self.versions);
        migrator.run_direct(None, &mut *tx, false).await?;
        tx.commit().await
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Version::Ours(ours) => write!(f, "its tables are up to date (version {ours})"),
            Version::Older { found: 0, .. } => write!(f, "it has no tables yet"),
            Version::Older { found, ours } => {
                write!(f, "its tables are of version {found}, this program's of {ours}")
            }
            Version::Newer { found, ours } => write!(
                f,
                "its tables are of version {found}, newer than this program's {ours}: run the newer program here too"
            ),
        }
    }
}
