//! `[trace]`: whose calls are drawn, and where messages are exported to.

use super::{Folder, GOOD, broken};
use rexian::config::settings::{Cidr, HepSettings, Secret, TraceSettings, Traced};
use rexian::config::{load, report};

fn settings(trace: &str) -> TraceSettings {
    let path = Folder::new();
    let path = path.write("rexian.toml", format!("{GOOD}[trace]\n{trace}"));
    load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems))).world.trace
}

#[test]
fn off_unless_asked_for() {
    assert!(settings("").is_off());
    assert!(settings("ladder = []").is_off());
}

#[test]
fn whose_calls_are_drawn() {
    assert_eq!(settings("ladder = [\"13812345678\", \"all\"]").ladder, Traced::Everything);
    let network = |a: &str, prefix| Cidr { address: a.parse().unwrap(), prefix };
    let networks = vec![network("127.0.0.0", 8), network("10.1.0.0", 16)];
    let numbers = vec!["+8613812345678".into(), "8001".into()];
    let read = settings("ladder = [\"carrier\", \"10.1.0.0/16\", \"+8613812345678\", \"8001\"]");
    assert_eq!(read, TraceSettings { ladder: Traced::Some { networks, numbers }, hep: None });
    let hep = HepSettings { to: "10.0.0.9:9060".parse().unwrap(), agent: 7, password: Some(Secret("homer-7".into())) };
    let read = settings("hep = { to = \"10.0.0.9:9060\", agent = 7, password = \"homer-7\" }");
    assert_eq!(read, TraceSettings { ladder: Traced::Nothing, hep: Some(hep) });
}

#[test]
fn what_is_not_understood() {
    broken(
        &[("", "[trace]\nladder = [\"carier\", \"12\", 5]\nhep = { too = \"10.0.0.9:9060\" }\n")],
        &[
            "19: ladder = 5 in [trace] is not a trunk, a network or a number | write trunks, networks and numbers: [\"unicom-1\", \"10.1.0.0/16\", \"13812345678\"], or [\"all\"]",
            "19: ladder in [trace] names \"12\", which is no trunk, network or number | name one of [[trunks]], a network or a number of at least three digits",
            "19: ladder in [trace] names \"carier\", which is no trunk, network or number | did you mean \"carrier\"?",
            "20: hep of [trace] has no to | add to = \"10.0.0.9:9060\"",
            "20: unknown key too in hep of [trace] | did you mean to?",
        ],
    );
}
