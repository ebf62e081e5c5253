//! A PostgreSQL of the tests' own: Debian's programs on a free port and a folder of their own, away when the test process
//! is, however that ends.
#![allow(dead_code, reason = "each test binary uses its part")]

use rexian::config::settings::{Encryption, PostgresAt, PostgresSettings, Secret};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Executor};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A shell that starts the server, kills and starts it as it is told, and clears all away when its input ends, which
/// it does with the process that holds the other end.
const KEEPER: &str = r#"
dir=$1 bin=$2 who=$3
as() { if [ -n "$who" ]; then setpriv --reuid="$who" --regid="$(id -g "$who")" --clear-groups "$@"; else "$@"; fi; }
pid() { head -n 1 "$dir/data/postmaster.pid" 2>/dev/null; }
launch() { for _ in 1 2 3 4 5 6 7 8 9 10; do
    as "$bin/postgres" -D "$dir/data" >>"$dir/log" 2>&1 & shell=$!
    sleep 0.3; kill -0 $shell 2>/dev/null && return
done; }
trap '' INT
if [ -n "$who" ]; then chown -R "$who" "$dir"; fi
[ ! -e "$dir/server.key" ] || chmod 600 "$dir/server.key"
as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1
cat "$dir/conf" >>"$dir/data/postgresql.conf"
cat "$dir/hba" >"$dir/data/pg_hba.conf"
launch
while read -r command; do case $command in
    kill) p=$(pid); kill -9 $p $(cat /proc/$p/task/$p/children); wait $shell; rm -f "$dir/data/postmaster.pid" ;;
    launch) launch ;;
esac; done
kill -QUIT $(pid) 2>/dev/null; wait; rm -rf "$dir"
"#;

pub struct Postgres {
    folder: PathBuf,
    port: u16,
    orders: Option<Mutex<ChildStdin>>,
    keeper: Child,
}

/// Password of the role `rexian`, which TCP connections must know.
pub const PASSWORD: &str = "Zq-db-7919-mW2";

/// Where the programs are; `None`: not installed. CI and `tests/run` insist.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|v| v.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    let required = std::env::var_os("CI").is_some() || std::env::var_os("REXIAN_REQUIRE_CLIENTS").is_some();
    assert!(found.is_some() || !required, "no PostgreSQL: apt-get install postgresql, or run tests/run");
    found
}

pub fn available() -> bool {
    let found = programs().is_some();
    if !found {
        eprintln!("skipped: PostgreSQL is not installed");
    }
    found
}

/// One for all tests of this process.
pub fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(|| Postgres::start(""))
}

/// As the superuser, whom the socket lets in unasked.
pub fn socket(folder: &Path, port: u16, database: &str) -> PostgresSettings {
    PostgresSettings {
        at: PostgresAt::Socket { folder: folder.into(), port },
        user: "postgres".into(),
        database: database.into(),
        password: None,
        connections: 4,
    }
}

impl Postgres {
    /// `more` is appended to its configuration; `{dir}` in it is a folder to put files into.
    pub fn start(more: &str) -> Postgres {
        Postgres::start_with(more, |_| ())
    }

    pub fn start_with(more: &str, files: impl FnOnce(&Path)) -> Postgres {
        Postgres::in_folder(&std::env::temp_dir(), more, files)
    }

    /// In a folder within `place`.
    pub fn start_in(place: &Path, more: &str) -> Postgres {
        Postgres::in_folder(place, more, |_| ())
    }

    fn in_folder(place: &Path, more: &str, files: impl FnOnce(&Path)) -> Postgres {
        let folder = tempfile::Builder::new().prefix("rexian-pg-").tempdir_in(place).unwrap().keep();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shown = folder.display();
        let conf = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{shown}'\nfsync = off\n\
             max_connections = 200\nshared_buffers = '64MB'\nlog_min_messages = warning\n{}\n",
            more.replace("{dir}", &shown.to_string())
        );
        std::fs::write(folder.join("conf"), conf).unwrap();
        let hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(folder.join("hba"), hba).unwrap();
        files(&folder);
        // A server refuses to run as root.
        let who = if rustix::process::geteuid().is_root() { "nobody" } else { "" };
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .args([folder.as_os_str(), programs().expect("asked before").as_os_str(), who.as_ref()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = keeper.stdin.take().map(Mutex::new);
        let server = Postgres { folder, port, orders, keeper };
        server.wait_ready();
        server
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// All its processes at once; nothing is said to anybody.
    pub fn kill(&self) {
        self.order("kill");
        let gone = self.folder.join("data/postmaster.pid");
        self.wait("its end", || !gone.exists());
    }

    pub fn start_again(&self) {
        self.order("launch");
        self.wait_ready();
    }

    fn order(&self, order: &str) {
        let mut orders = self.orders.as_ref().expect("until dropped").lock().unwrap();
        orders.write_all(format!("{order}\n").as_bytes()).unwrap();
    }

    fn wait_ready(&self) {
        let pid = self.folder.join("data/postmaster.pid");
        let status = || std::fs::read_to_string(&pid).unwrap_or_default();
        self.wait("PostgreSQL's start", || status().lines().nth(7).is_some_and(|line| line.trim() == "ready"));
    }

    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !done() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "not within a minute: {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The name of an empty database.
    pub async fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}")).await;
        name
    }

    /// As the superuser, by the socket.
    pub fn local(&self, database: &str) -> PostgresSettings {
        socket(&self.folder, self.port, database)
    }

    /// As `rexian`, with its password.
    pub fn remote(&self, database: &str, host: &str, encryption: Encryption) -> PostgresSettings {
        PostgresSettings {
            at: PostgresAt::Tcp { host: host.into(), port: self.port, encryption },
            user: "rexian".into(),
            password: Some(Secret(PASSWORD.into())),
            ..self.local(database)
        }
    }

    pub async fn connect(&self, database: &str) -> PgConnection {
        let options = PgConnectOptions::new_without_pgpass().socket(&self.folder).port(self.port).username("postgres");
        options.database(database).connect().await.expect("a connection to the tests' PostgreSQL")
    }

    pub async fn sql(&self, database: &str, text: &str) {
        let mut conn = self.connect(database).await;
        conn.execute(sqlx::AssertSqlSafe(text.to_owned())).await.unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.keeper.wait();
    }
}
