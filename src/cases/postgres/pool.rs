//! A few connections to one PostgreSQL. Belongs here: opening them, lending them out, giving up on them. Not here: what is
//! said on them (`postgres`, `schema`).
//!
//! Who works with a connection owns it meanwhile, and it comes back only in a known state: a dropped future, a broken
//! line or a silent server closes it, the server rolls back, and the next who asks gets another.

use crate::config::settings::{Encryption, PostgresAt, PostgresSettings};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;

const CONNECT: Duration = Duration::from_secs(5);
/// Told to the server: a statement that takes longer is ended there, its locks are free again.
const STATEMENT: Duration = Duration::from_secs(10);
/// A server that says nothing for so long is gone, and so is the network to it.
const SILENCE: Duration = Duration::from_secs(15);
/// After a rest a connection may be dead without our knowing.
const RESTED: Duration = Duration::from_secs(5);

/// `$1`: milliseconds. What an operator's defaults may not take from us: answers in time, numbers without gaps under READ
/// COMMITTED, and that `Ok` means durable.
const SETUP: &str = "SELECT set_config('statement_timeout', $1, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

pub(crate) struct Pool {
    settings: PostgresSettings,
    free: Semaphore,
    /// The one used last is on top.
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

impl Pool {
    /// Opens no connection yet.
    pub fn new(settings: PostgresSettings) -> Self {
        Pool { free: Semaphore::new(settings.connections as usize), idle: Mutex::default(), settings }
    }

    pub fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    /// Runs `work` on a connection.
    pub async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let done = async {
            let _turn = self.free.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let mut conn = self.take().await?;
            let result = work(&mut conn).await;
            if result.as_ref().err().is_none_or(leaves_usable) {
                self.idle.lock().expect("nothing panics with it").push((conn, Instant::now()));
            }
            result
        };
        timeout(SILENCE, done).await.unwrap_or_else(|_| Err(silent(SILENCE)))
    }

    async fn take(&self) -> Result<PgConnection, sqlx::Error> {
        loop {
            let Some((mut conn, since)) = self.idle.lock().expect("nothing panics with it").pop() else { break };
            if since.elapsed() < RESTED || conn.ping().await.is_ok() {
                return Ok(conn);
            }
        }
        self.connect().await
    }

    /// One for the asker alone, not counted.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let opened = async {
            let mut conn = options(&self.settings).connect().await?;
            conn.execute(sqlx::query(SETUP).bind(STATEMENT.as_millis().to_string())).await?;
            Ok(conn)
        };
        timeout(CONNECT, opened).await.unwrap_or_else(|_| Err(silent(CONNECT)))
    }
}

/// Everything said outright: nothing is left to environment variables but what nobody set here.
fn options(settings: &PostgresSettings) -> PgConnectOptions {
    let mut options = PgConnectOptions::new_without_pgpass()
        .username(&settings.user)
        .database(&settings.database)
        .application_name("rexian")
        .disable_statement_logging();
    if let Some(password) = &settings.password {
        options = options.password(&password.0);
    }
    match &settings.at {
        PostgresAt::Socket { folder, port } => options.socket(folder).port(*port).ssl_mode(PgSslMode::Disable),
        PostgresAt::Tcp { host, port, encryption } => {
            let options = options.host(host).port(*port);
            match encryption {
                Encryption::None => options.ssl_mode(PgSslMode::Disable),
                Encryption::Unverified => options.ssl_mode(PgSslMode::Require),
                Encryption::Verified { ca } => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
            }
        }
    }
}

fn silent(after: Duration) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {after:?}")))
}

/// The server has refused one statement and waits for the next.
fn leaves_usable(e: &sqlx::Error) -> bool {
    super::sqlstate(e).is_some_and(|code| matches!(code.get(..2), Some("22" | "23" | "42" | "54")))
}
