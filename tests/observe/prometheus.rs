//! A Prometheus of the test's own, asked over its HTTP API; and promtool.

use crate::common::SOON;
use crate::{deploy, read};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Is it here? Where the tests' programs are required a missing one is a failure, elsewhere a loud skip.
pub fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let required = std::env::var_os("CI").is_some() || std::env::var_os("REXIAN_REQUIRE_CLIENTS").is_some();
    assert!(found || !required, "{program} is not installed and required: run tests/run, which installs it");
    if !found {
        eprintln!("SKIPPED: {program} is not installed, so nothing was tested; tests/run installs it");
    }
    found
}

/// Runs promtool in `deploy/prometheus`; what it says, if it is content.
pub fn promtool(args: &[&str], stdin: Option<&str>) -> String {
    let mut tool = Command::new("promtool")
        .args(args)
        .current_dir(deploy("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    tool.stdin.take().expect("its input").write_all(stdin.unwrap_or_default().as_bytes()).expect("writing to it");
    let Output { status, stdout, stderr } = tool.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert!(status.success(), "promtool {args:?}: {status}\n{said}");
    said
}

pub struct Prometheus {
    address: SocketAddr,
    child: Child,
    directory: tempfile::TempDir,
}

impl Prometheus {
    /// Configured by the shipped files, but for the pace: everything every second, alerts at once.
    pub fn start(ip: IpAddr, gateway: SocketAddr) -> Prometheus {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("rules")).expect("a folder for the rules");
        let config = read("prometheus/prometheus.yml");
        assert!(config.contains("localhost:8080"), "the example's target");
        let config = quicker(&config).replace("localhost:8080", &gateway.to_string());
        let config = config
            .lines()
            .filter(|l| !l.contains("alertmanager:9093"))
            .fold(String::new(), |text, line| text + line + "\n");
        std::fs::write(directory.path().join("prometheus.yml"), config).expect("writing the configuration");
        for rules in ["rules/rexian-figures.rules.yml", "rules/rexian-alerts.rules.yml"] {
            let text = quicker(&read(&format!("prometheus/{rules}")));
            std::fs::write(directory.path().join(rules), text).expect("writing the rules");
        }
        let address = SocketAddr::new(ip, 19_090);
        let log = std::fs::File::create(directory.path().join("log")).expect("the log");
        let child = Command::new("prometheus")
            .current_dir(directory.path())
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("starting prometheus");
        let prometheus = Prometheus { address, child, directory };
        prometheus.until("up", |p| p.try_query("up == 1").ok().filter(|found| !found.is_empty()));
        prometheus
    }

    /// Asks until there is an answer.
    pub fn until<T>(&self, what: &str, mut ask: impl FnMut(&Prometheus) -> Option<T>) -> T {
        // Scrapes, rules and the alerts that wait for both come one after the other.
        let deadline = Instant::now() + 3 * SOON;
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(Instant::now() < deadline, "not within three times {SOON:?}: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The samples an expression has now: labels and value.
    pub fn query(&self, expr: &str) -> Vec<(Value, f64)> {
        self.try_query(expr).unwrap_or_else(|e| panic!("{expr}: {e}"))
    }

    /// The value of an expression that has one.
    pub fn value(&self, expr: &str) -> f64 {
        match &self.query(expr)[..] {
            [(_, value)] => *value,
            other => panic!("{expr} has {} values: {other:?}", other.len()),
        }
    }

    fn try_query(&self, expr: &str) -> Result<Vec<(Value, f64)>, String> {
        let mut encoded = String::new();
        for byte in expr.bytes() {
            let _ = write!(encoded, "%{byte:02X}");
        }
        let answer = self.get(&format!("/api/v1/query?query={encoded}")).map_err(|e| e.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|e| format!("{e}: {answer}"))?;
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        let number = |value: &Value| value[1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        let result = &answer["data"]["result"];
        Ok(match answer["data"]["resultType"].as_str() {
            Some("vector") => {
                let samples = result.as_array().into_iter().flatten();
                samples.map(|sample| (sample["metric"].clone(), number(&sample["value"]))).collect()
            }
            _ => vec![(Value::Null, number(result))],
        })
    }

    /// HTTP 1.0, so that the answer comes in one piece.
    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(Path::new(self.directory.path()).join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Without the production's pace.
fn quicker(text: &str) -> String {
    let mut quick = String::new();
    for line in text.lines() {
        let key = line.trim_start();
        if key.starts_with("interval:") || key.starts_with("for:") {
            continue;
        }
        let pace =
            ["scrape_interval:", "evaluation_interval:", "scrape_timeout:"].iter().find(|k| key.starts_with(**k));
        match pace {
            Some(pace) => {
                let _ = writeln!(quick, "{}{pace} 1s", &line[..line.len() - key.len()]);
            }
            None => quick = quick + line + "\n",
        }
    }
    quick
}
