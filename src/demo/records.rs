//! Reads what the gateway left behind without going through the gateway: the case store by SQL of its own, the metrics
//! over HTTP as any monitoring would. Belongs here: two small readers for checks. Not here: writing either.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// The SIP Call-ID of each ticket's trunk leg, sorted; one entry per ticket.
pub fn ticketed_calls(cases: &Path) -> Result<Vec<String>, String> {
    query(cases, "SELECT sip_call_id FROM tickets ORDER BY 1")
}

/// The SIP Call-ID of each ticket's seat leg, sorted; one entry per ticket.
pub fn ticketed_seat_legs(cases: &Path) -> Result<Vec<String>, String> {
    query(cases, "SELECT legs ->> 1 FROM tickets ORDER BY 1")
}

/// Of each ticket with recordings: its call, where they are, and what they are known by; with a blank between any two.
pub fn recorded(cases: &Path) -> Result<Vec<String>, String> {
    query(
        cases,
        "SELECT call_id || ' ' || recording_ref || ' ' || recording_sha256 FROM tickets WHERE recording_ref IS NOT NULL",
    )
}

fn query(cases: &Path, sql: &'static str) -> Result<Vec<String>, String> {
    let failed = |e: sqlx::Error| format!("cannot read the tickets in {}: {e}", cases.display());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start a runtime for the query: {e}"))?;
    runtime.block_on(async {
        let mut connection =
            SqliteConnectOptions::new().filename(cases).read_only(true).connect().await.map_err(failed)?;
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.map_err(failed)?;
        let column = rows.iter().map(|r| r.try_get(0)).collect::<Result<_, _>>().map_err(failed);
        connection.close().await.map_err(failed)?;
        column
    })
}

/// One counter or gauge of a Prometheus exposition: its labels as written, and its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    pub fn fetch(http: SocketAddr) -> io::Result<Metrics> {
        Ok(Metrics::parse(&get(http, "/metrics")?.1))
    }

    pub fn parse(text: &str) -> Metrics {
        let series = text.lines().filter(|l| !l.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_string(), value.parse().ok()?))
        });
        Metrics(series.collect())
    }

    /// All series of this name, added up.
    pub fn sum(&self, name: &str) -> u64 {
        self.series(name).map(|(_, v)| v).sum::<f64>() as u64
    }

    /// The series of this name added up by the value of one label.
    pub fn by(&self, name: &str, label: &str) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for (labels, value) in self.series(name) {
            let start = format!("{label}=\"");
            let key = labels.split(',').find_map(|l| l.strip_prefix(&start)?.strip_suffix('"')).unwrap_or("");
            *sums.entry(key.to_string()).or_default() += value as u64;
        }
        sums
    }

    fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.iter().filter_map(move |(series, value)| {
            let rest = series.strip_prefix(name)?;
            let labels = match rest {
                "" => "",
                _ => rest.strip_prefix('{')?.strip_suffix('}')?,
            };
            Some((labels, *value))
        })
    }
}

/// Status and body of one GET.
pub fn get(http: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&http, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let bad = || io::Error::new(io::ErrorKind::InvalidData, format!("not an HTTP answer from {http}: {answer:.80}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(bad)?;
    Ok((status, body.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_and_split_by_label() {
        let metrics = Metrics::parse(
            "# HELP x y\n# TYPE calls_total counter\ncalls_total{queue=\"a\",cause=\"b\"} 3\ncalls_total{queue=\"c\",cause=\"b\"} 4\ncalls_total_more 9\nup 1\n",
        );
        assert_eq!((metrics.sum("calls_total"), metrics.sum("up"), metrics.sum("none")), (7, 1, 0));
        assert_eq!(metrics.by("calls_total", "queue"), [("a".to_string(), 3), ("c".to_string(), 4)].into());
        assert_eq!(metrics.by("calls_total", "cause"), [("b".to_string(), 7)].into());
    }
}
