//! `rexian demo` as a newcomer's script would use it: one JSON object, figures that fit, nothing left behind.

use serde_json::Value;
use std::net::UdpSocket;
use std::process::Command;

#[test]
fn a_short_demo_moves_off_a_taken_port_and_its_figures_fit() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let scratch = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rexian"))
        .args(["demo", "--calls", "8", "--seats", "5", "--rate", "3", "--json", "--port", &port.to_string()])
        .env("TMPDIR", scratch.path())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    assert!(stderr.contains(&format!("port {port} is taken, using ")), "{stderr}");

    assert_eq!(stdout.lines().count(), 1, "one object and nothing else: {stdout}");
    let figures: Value = serde_json::from_str(&stdout).unwrap();
    let n = |name: &str| figures[name].as_u64().unwrap_or_else(|| panic!("{name} is no count in {figures}"));
    assert_eq!(n("offered"), 8);
    // The eighth caller hangs up before anybody could answer.
    assert!(n("abandoned") >= 1 && n("answered") >= 4, "{figures}");
    assert_eq!(n("answered") + n("abandoned"), 8, "{figures}");
    assert_eq!((n("tickets"), n("audio_ok")), (n("answered"), n("answered")), "{figures}");
    assert!(n("within_n") <= n("answered") && n("rtp_received") > 1_000, "{figures}");
    assert!(figures["rtp_loss"].as_f64().is_some_and(|loss| loss < 0.05), "{figures}");
    assert_eq!(figures["problems"], Value::Array(vec![]));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "its files are removed");
}

#[test]
fn an_address_that_is_not_ours_is_refused_in_words() {
    let output = Command::new(env!("CARGO_BIN_EXE_rexian"))
        .args(["demo", "--json", "--listen", "198.51.100.1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("198.51.100.1") && said.contains("--listen"), "{said}");
}
