//! What `rexian check` says of a good configuration.

use super::*;
use rexian::config::explain;
use rexian::config::settings::Srtp;

const ROUTING: &str = r#"
[[queues]]
name = "english"
numbers = ["66601002"]
skill = "english"
min_level = 8
relax = [
    { after = "1500ms", skills = { english = 5 }, use_reserve = true },
    { after = "90s", skills = { english = 3, law = 1 } },
    { after = "2m", skills = { mandarin = 1 }, interpreter = true },
]
callback = { after = "60s", key = "9", on_hang_up = true }
overflow = { queue = "all", after = "5m" }
max_wait = "1h"
[[queues]]
name = "all"
skill = "mandarin"
overflow = { queue = "mandarin" }
[[queues]]
name = "inspection"
numbers = ["66609999"]
skill = "mandarin"
test = true
[[lines]]
name = "hotline"
numbers = ["82001234", "82001235"]
queue = "mandarin"
by_country = true
by_key = true
[[lines]]
name = "taxi"
numbers = ["82001110"]
queue = "mandarin"
hours = { mon-fri = ["08:30-12:00", "13:30-17:30"], sun = ["09:00-24:00"], closed_on = ["2027-02-06"] }
closed = { queue = "all" }
priority = 3
tenant = "province"
notice = "greeting"
[[languages]]
tag = "en"
queue = "english"
countries = ["1", "44"]
key = "2"
[[languages]]
tag = "ja"
queue = "all"
[distributor]
reserve = { english = 1, law = 0 }
[callbacks]
trunk = "carrier"
hours = { mon-sun = ["08:00-21:00"] }
missed = { call_back = 9 }
[[agents]]
number = "6602"
skills = { english = 9 }
[[agents]]
number = "6603"
skills = { mandarin = 5, english = 6, law = 2 }
[[agents]]
number = "6604"
skills = { thai = 10 }
[[agents]]
number = "6605"
skills = {}
"#;

const WANTED: &str = "\
called numbers
  82001234  hotline -> mandarin  always open; language by country, key
  82001235  hotline -> mandarin  always open; language by country, key
  82001110  taxi -> mandarin     mon-fri 08:30-12:00 13:30-17:30, sun 09:00-24:00, not on 1 day, else queue all; priority 3; tenant province; notice greeting
  12345     mandarin             always open
  66601002  english              always open
  66609999  inspection           always open; test calls
languages
  en  -> english  callers from +1 +44; key 2
  ja  -> all
queues
  mandarin    at once       2 agents  mandarin 1
  english     at once       1 agent   english 8
              after 1500ms  2 agents  english 5, the reserve too
              after 90s     1 agent   english 3 and law 1
              after 2m      2 agents  mandarin 1, with an interpreter
              after 1m      callback  key 9 or hanging up
              after 5m      overflow  -> all -> mandarin
              after 1h      ends      longest wait
  all         at once       2 agents  mandarin 1
              if full       overflow  -> mandarin
  inspection  at once       2 agents  mandarin 1
over all queues
  reserve       english 1 of 2 agents
  reserve       law last in choice, none of 1 agent kept
  callbacks     by trunk carrier, 3 attempts, mon-sun 08:00-21:00
  missed calls  called back at priority 9
tickets
  working days  passed on in 2, returned in 2, answered in 5 (+10, 1 times); after 17:30 counts from the next
  calendar      2025 2026: 61 holidays, 11 weekend days worked
  categories    none: tickets are not classified
notice: no queue asks for what these agents can do: 6604 6605
";

#[test]
fn what_a_good_configuration_does_is_said() {
    let folder = Folder::new();
    let out =
        "peers = [\"127.0.0.0/8\"]\nhops = [\"127.0.0.1:5080\"]\ncall_out = { from = \"12345\", dial = \"e164\" }";
    let path = folder.write("rexian.toml", GOOD.replace("peers = [\"127.0.0.0/8\"]", out) + ROUTING);
    let settings = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    assert_eq!(explain(&settings), WANTED);
}

#[test]
fn keys_in_the_clear_are_noticed() {
    let folder = Folder::new();
    let srtp = GOOD.replace("peers = [\"127.0.0.0/8\"]", "peers = [\"127.0.0.0/8\"]\nsrtp = \"if-offered\"");
    let srtp = srtp.replace("default_agent = \"6601\"", "default_agent = \"6601\"\nsrtp = \"required\"");
    let settings = load(&folder.write("rexian.toml", &srtp)).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    assert_eq!((settings.core.trunks[0].srtp, settings.core.seats[0].srtp), (Srtp::IfOffered, Srtp::Required));
    let notice = "shows its keys to whoever reads that: trunk carrier, seat 8001\n";
    assert!(explain(&settings).ends_with(notice), "{}", explain(&settings));
}

#[test]
fn check_prints_it_before_its_verdict() {
    let folder = Folder::new();
    let path = folder.write("rexian.toml", GOOD);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_rexian"))
        .args(["check", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.starts_with("called numbers\n  12345  mandarin  always open\nqueues\n"), "{said}");
    assert!(said.contains("  missed calls  listed\ntickets\n"), "{said}");
    assert!(
        said.contains("\nnotice: no trunk has call_out, so a seat that dials 110 119 120 122 reaches nobody: "),
        "{said}"
    );
    assert!(said.ends_with("configuration is good\n"), "{said}");
}

/// What the example only shows as comments is right as well.
#[test]
fn the_examples_comments_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut example = std::fs::read_to_string(root.join("deploy/rexian.example.toml")).unwrap();
    for shown in [
        "dns = ",
        "hops = ",
        "probe = ",
        "calls_per_10s = ",
        "callers = ",
        "call_out = ",
        "callback = ",
        "trunk = ",
        "hours = { mon-sun",
        "max_wait = ",
    ] {
        assert!(example.contains(&format!("\n# {shown}")), "{shown}");
        example = example.replace(&format!("\n# {shown}"), &format!("\n{shown}"));
    }
    let folder = Folder::new();
    let path = folder.write("rexian.toml", example);
    let core = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems))).core;
    assert!(core.trunks[0].call_out.is_some() && !core.callbacks.trunks.is_empty() && core.callbacks.hours.is_some());
    assert!(core.queues.iter().all(|q| q.callback.is_some() && q.max_wait.is_some()));
}

/// Who works at such a seat must know it before the day it matters.
#[test]
fn seats_that_cannot_call_for_help_are_noticed() {
    let notice = "notice: no trunk has call_out, so a seat that dials 110 119 120 122 reaches nobody";
    let mut settings = rexian::config::settings::Settings::demo([7; 32]);
    assert!(settings.core.trunks.iter().all(|t| t.call_out.is_none()));
    assert!(explain(&settings).contains(notice), "{}", explain(&settings));
    let calls = rexian::config::settings::CallOut { from: "053112345".into(), dial: Default::default() };
    settings.core.trunks.last_mut().unwrap().call_out = Some(calls);
    assert!(!explain(&settings).contains("reaches nobody"));
    settings.core.trunks.last_mut().unwrap().call_out = None;
    settings.core.seats.clear();
    assert!(!explain(&settings).contains("reaches nobody"), "nobody is there to dial");
}
