//! Where tickets are kept, as validated: an SQLite file or a PostgreSQL database.

use super::Secret;
use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseStoreSettings {
    Sqlite(PathBuf),
    Postgres(PostgresSettings),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresSettings {
    pub at: PostgresAt,
    pub user: String,
    pub database: String,
    /// None: the server knows us otherwise (by our system user, by our address).
    pub password: Option<Secret>,
    /// Most at once.
    pub connections: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostgresAt {
    Tcp {
        host: String,
        port: u16,
        encryption: Encryption,
    },
    /// The socket `.s.PGSQL.<port>` in this folder.
    Socket {
        folder: PathBuf,
        port: u16,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    None,
    /// Whoever answers is believed.
    Unverified,
    /// The server shows a certificate of this CA for its name.
    Verified {
        ca: PathBuf,
    },
}

/// As an URL, without the password.
impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PostgresSettings { user, database, .. } = self;
        match &self.at {
            PostgresAt::Tcp { host, port, .. } if host.contains(':') => {
                write!(f, "postgres://{user}@[{host}]:{port}/{database}")
            }
            PostgresAt::Tcp { host, port, .. } => write!(f, "postgres://{user}@{host}:{port}/{database}"),
            PostgresAt::Socket { folder, port } => {
                write!(f, "postgres://{user}@:{port}/{database}?host={}", folder.display())
            }
        }
    }
}

impl fmt::Display for CaseStoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CaseStoreSettings::Sqlite(path) => path.display().fmt(f),
            CaseStoreSettings::Postgres(settings) => settings.fmt(f),
        }
    }
}
