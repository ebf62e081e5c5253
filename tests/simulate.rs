//! `rexian simulate` as shift leaders use it: the same seed gives the same bytes, the figures can be counted again from the
//! calls, fewer seats do worse, the roster that was found holds, and a past day is told from the event log.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

fn rexian(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rexian")).arg("simulate").args(args).output().expect("rexian runs")
}

fn simulate(args: &[&str]) -> String {
    let out = rexian(args);
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("UTF-8")
}

fn json(args: &[&str]) -> Value {
    let all = [args, &["--json", "-"]].concat();
    serde_json::from_str(&simulate(&all)).expect("JSON")
}

/// A headline figure of the day, or of the what-if.
fn figure(day: &Value, id: &str) -> f64 {
    let headlines = day["forecast"]["headlines"].as_array().expect("headlines");
    let found = headlines.iter().find(|h| h["id"] == id).unwrap_or_else(|| panic!("no figure {id}"));
    found["value"].as_f64().unwrap_or_else(|| panic!("{id} has no value"))
}

/// Rows of a CSV without quotes, by the heading's names.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).expect("the file was written");
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().expect("a heading").split(',').collect();
    lines.map(|l| heading.iter().map(ToString::to_string).zip(l.split(',').map(str::to_owned)).collect()).collect()
}

/// A small, busy day.
const SMALL: [&str; 4] = ["--calls", "2000", "--what-if", "seats=20"];

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let written = |folder: &Path, seed: &str| {
        let (csv, svg) = (folder.join("csv"), folder.join("day.svg"));
        let (csv, svg) = (csv.to_str().unwrap(), svg.to_str().unwrap());
        let out = json(&[&SMALL[..], &["--seed", seed, "--csv", csv, "--svg", svg]].concat()).to_string();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect(name);
        [out, read("csv/calls.csv"), read("csv/halfhours.csv"), read("csv/figures.csv"), read("day.svg")]
    };
    let first = written(folders[0].path(), "7");
    assert_eq!(first, written(folders[1].path(), "7"));
    let other = written(folders[2].path(), "8");
    assert!(first.iter().zip(&other).all(|(a, b)| a != b), "another seed is another day");
    for label in ["来电与接通", "座席状态", "Agents by state", "15 秒标准", "prefers-color-scheme:dark"] {
        assert!(first[4].contains(label), "the picture lacks {label}");
    }
}

#[test]
fn the_figures_can_be_counted_again_from_the_calls() {
    let folder = tempfile::tempdir().unwrap();
    // A rainy day with a burst, too few seats and few channels: every kind of loss occurs.
    let profile = folder.path().join("rain.toml");
    let text = "calls = 6000\n[surge]\nday = 1.2\nbursts = [{ at = \"15:30\", lasts = \"5m\", times = 12 }]\n";
    std::fs::write(&profile, text).unwrap();
    let day = json(&[
        "--profile",
        profile.to_str().unwrap(),
        "--roster",
        concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/simulate/shift.csv"),
        "--csv",
        folder.path().to_str().unwrap(),
    ]);
    let calls = rows(&folder.path().join("calls.csv"));
    let wait = |c: &BTreeMap<String, String>| c["wait_s"].parse::<f64>().unwrap();
    let count = |which: &dyn Fn(&BTreeMap<String, String>) -> bool| calls.iter().filter(|c| which(c)).count() as f64;
    let answered = count(&|c| !c["agent"].is_empty());
    let within = count(&|c| !c["agent"].is_empty() && wait(c) <= 15.0);
    let abandoned =
        count(&|c| ["short_abandon", "abandoned_in_queue", "abandoned_ringing"].contains(&c["cause"].as_str()));
    let turned_away = count(&|c| c["cause"].starts_with("sip_"));
    let full = count(&|c| c["cause"] == "queue_full");
    assert!(calls.len() > 7_200 && abandoned > 100.0, "{} calls, {abandoned} abandoned", calls.len());
    assert_eq!(answered + abandoned + turned_away + full, calls.len() as f64, "a call is lost");

    let requests = answered + abandoned + full;
    let waited: f64 = calls.iter().filter(|c| !c["agent"].is_empty()).map(wait).sum();
    let longest = calls.iter().map(wait).fold(0.0, f64::max);
    let mut waits: Vec<f64> = calls.iter().filter(|c| !c["agent"].is_empty()).map(wait).collect();
    waits.sort_by(f64::total_cmp);
    for (id, expected) in [
        ("attempts", calls.len() as f64),
        ("turned_away", turned_away),
        ("requests", requests),
        ("answered", answered),
        ("abandoned", abandoned),
        ("connection_rate", answered / requests),
        ("service_level", within / requests),
        ("timely_answer", within / answered),
        ("average_speed_of_answer", waited / answered),
        ("longest_wait", longest),
        ("wait_p90", waits[(0.9 * answered).ceil() as usize - 1]),
    ] {
        let shown = figure(&day, id);
        assert!((shown - expected).abs() < 0.001, "{id}: shown {shown}, counted {expected}");
    }
    for hour in 0..24 {
        let of_hour =
            |c: &BTreeMap<String, String>| c["arrival"][..2].parse() == Ok(hour) && !c["cause"].starts_with("sip_");
        let shown = &day["forecast"]["hours"][hour]["calls"]["counters"];
        assert_eq!(shown["offered"].as_f64(), Some(count(&of_hour)), "hour {hour}");
        assert_eq!(shown["answered"].as_f64(), Some(count(&|c| of_hour(c) && !c["agent"].is_empty())), "hour {hour}");
    }
    for queue in ["mandarin", "dialect", "english"] {
        let shown = &day["forecast"]["queues"][queue]["counters"]["answered"];
        assert_eq!(shown.as_f64(), Some(count(&|c| c["queue"] == queue && !c["agent"].is_empty())), "{queue}");
    }
    let halves = rows(&folder.path().join("halfhours.csv"));
    let sum = |name: &str| halves.iter().map(|row| row[name].parse::<f64>().unwrap()).sum::<f64>();
    assert_eq!((halves.len(), sum("calls"), sum("answered")), (48, calls.len() as f64, answered));
    let handled = sum("talking") + sum("wrap_up");
    assert!((figure(&day, "occupancy") - handled / (handled + sum("ready"))).abs() < 1e-3);
    // Whoever waits hears for how long, and it is near the truth.
    let announced = &day["forecast"]["announced_waits"];
    assert!(announced["judged"].as_u64().unwrap() > 50, "{announced}");
    assert!(announced["error"]["within_30_s_or_30_percent"].as_f64().unwrap() > 0.6, "{announced}");
}

#[test]
fn fewer_seats_do_worse_and_the_same_citizens_call() {
    let day = json(&["--calls", "6000", "--what-if", "seats=26,english=1"]);
    let (now, then) = (&day, &day["what_if"]);
    assert_eq!(figure(now, "attempts"), figure(then, "attempts"));
    assert!(figure(now, "connection_rate") > 0.97);
    assert!(figure(then, "connection_rate") < figure(now, "connection_rate") - 0.03);
    assert!(figure(then, "longest_wait") > figure(now, "longest_wait"));
    assert!(figure(then, "occupancy") > figure(now, "occupancy"));
}

#[test]
fn sixty_universal_seats_carry_the_hotlines_day() {
    let universal = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/simulate/universal.toml");
    let day = json(&["--roster", universal, "--what-if", "ring=0s"]);
    // Erlang A over the day's curve: 0.9989 of the patient; the hasty are lost only where they must wait.
    let rate = figure(&day["what_if"], "connection_rate");
    assert!((0.995..1.0).contains(&rate), "connection rate {rate}");
    let crowded = json(&["--roster", universal, "--calls", "16000", "--what-if", "ring=0s"]);
    let rate = figure(&crowded["what_if"], "connection_rate");
    assert!((0.88..0.93).contains(&rate), "Erlang A says 0.907, here {rate}");
}

#[test]
fn the_roster_that_was_found_holds_and_one_seat_less_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given.toml");
    std::fs::write(&given, "seats = 30\nskills = { mandarin = 8, dialect = 8 }\n").unwrap();
    let found = folder.path().join("found.toml");
    let (given, found) = (given.to_str().unwrap(), found.to_str().unwrap());
    let calls = ["--calls", "3000"];
    let aim = [
        "--find-seats",
        "--target",
        "0.9",
        "--by",
        "service",
        "--seeds",
        "3",
        "--roster",
        given,
        "--write-roster",
        found,
    ];
    let result = json(&[&calls[..], &aim].concat());
    let seats: Vec<u64> =
        result["find_seats"]["seats"].as_array().unwrap().iter().map(|s| s.as_u64().unwrap()).collect();
    let missed = |day: &Value, target: f64| -> Vec<usize> {
        let level = |hour: &Value| {
            let c = &hour["calls"]["counters"];
            let lost: f64 = c["lost"].as_object().unwrap().values().map(|n| n.as_f64().unwrap()).sum();
            c["answered_within"].as_f64().unwrap() / (c["answered"].as_f64().unwrap() + lost).max(1.0)
        };
        let hours = day["forecast"]["hours"].as_array().unwrap();
        (0..24).filter(|h| level(&hours[*h]) < target).collect()
    };
    assert_eq!(missed(&result, 0.9), Vec::<usize>::new(), "{seats:?}");
    assert!(seats[9] > 2 * seats[3], "{seats:?}");

    let again = |roster: &str, seed: &str, seeds: &str| {
        json(&[&calls[..], &["--roster", roster, "--seed", seed, "--seeds", seeds]].concat())
    };
    let elsewhere = again(found, "101", "8");
    assert!(figure(&elsewhere, "service_level") > 0.89, "other days: {}", figure(&elsewhere, "service_level"));
    assert_eq!(missed(&elsewhere, 0.8), Vec::<usize>::new(), "an hour of other days misses by far");

    let busiest = (0..24).max_by_key(|h| seats[*h]).unwrap();
    let mut fewer = seats.clone();
    fewer[busiest] -= 1;
    let less = folder.path().join("less.toml");
    std::fs::write(&less, format!("seats = {fewer:?}\nskills = {{ mandarin = 8, dialect = 8 }}\n")).unwrap();
    let worse = again(less.to_str().unwrap(), "1", "3");
    let hours = missed(&worse, 0.9);
    assert!(
        hours.contains(&busiest) || hours.contains(&(busiest + 1)),
        "one seat less at {busiest} o'clock still holds"
    );
}

#[test]
fn several_days_give_an_interval() {
    let day = json(&["--calls", "1500", "--seeds", "4"]);
    let headlines = day["forecast"]["headlines"].as_array().unwrap();
    let rate = headlines.iter().find(|h| h["id"] == "connection_rate").unwrap();
    let (mean, half) = (rate["value"].as_f64().unwrap(), rate["ci95"].as_f64().unwrap());
    assert!(mean > 0.9 && half > 0.0 && half < 0.05, "{rate}");
    assert!(simulate(&["--calls", "1500", "--seeds", "4"]).contains(" ± "));
}

#[test]
fn a_past_day_is_lived_again() {
    use rexian::event::{CallEvent, CallFact, EndCause, Purpose, Why};
    use rexian::ids::{AgentNo, CallId, LineName, QueueName, SeatNo, Skill, TrunkName};
    use rexian::store::journal::{self, JournalOptions};
    use rexian::time::Instant;
    use std::time::Duration;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let mut options = JournalOptions::new(&path, Duration::from_secs(365 * 86_400));
    options.prune_every = Duration::from_secs(86_400);
    let (mut log, _, writer) = journal::start(options).expect("the log opens");
    // 2026-11-20 09:00 in China; the last call is one of the day before.
    let nine = Instant::from_unix_secs(1_795_104_000 + 9 * 3_600);
    let seconds = Duration::from_secs;
    for n in 0..100u64 {
        let arrives = if n == 99 { Instant::from_unix_secs(1_795_104_000 - 60) } else { nine + seconds(20 * n) };
        let fact = |at, what| CallEvent { at, call: CallId(n), what };
        log.call(&fact(
            arrives,
            CallFact::Arrived {
                trunk: TrunkName::new("t"),
                dnis: "12345".into(),
                cli: None,
                sip_call_id: format!("{n}@carrier"),
                test_call: n == 98,
                tenant: "city".into(),
                line: Some(LineName::new("mandarin")),
                purpose: Purpose::Inbound,
            },
        ));
        let (queue, skill) = (QueueName::new("mandarin"), Skill::new("mandarin"));
        log.call(&fact(
            arrives,
            CallFact::Queued { queue: queue.clone(), skill: skill.clone(), position: 1, why: Why::Line },
        ));
        if n == 5 {
            // Pressed 2; an overflow after that is the simulation's own affair.
            for (queue, why) in [("english", Why::Key('2')), ("mandarin", Why::Overflow)] {
                let (queue, skill) = (QueueName::new(queue), Skill::new(queue));
                log.call(&fact(arrives, CallFact::Queued { queue, skill, position: 1, why }));
            }
        }
        let ended = |cause, wait, talk| CallFact::Ended {
            cause,
            queue: Some(queue.clone()),
            skill: Some(skill.clone()),
            wait,
            talk,
            hold: Duration::ZERO,
        };
        if n % 10 == 0 {
            // Gave up after 7 s on a day with too few seats; with enough of them this citizen is served.
            log.call(&fact(arrives + seconds(7), ended(EndCause::AbandonedInQueue, seconds(7), Duration::ZERO)));
        } else {
            let (wait, talk) = (seconds(2), seconds(60 + n));
            let (agent, seat) = (AgentNo::new("6601"), SeatNo::new("8001"));
            let answered = CallFact::Answered { agent, seat, queue: queue.clone(), wait, ring: wait, spooled: true };
            log.call(&fact(arrives + wait, answered));
            log.call(&fact(arrives + wait + talk, ended(EndCause::CallerHangUp, wait, talk)));
        }
    }
    drop(log);
    writer.join().expect("the log is written");

    let csv = folder.path().join("csv");
    let args = ["--log", path.to_str().unwrap(), "--day", "2026-11-20", "--csv", csv.to_str().unwrap()];
    let day = json(&args);
    let calls = rows(&csv.join("calls.csv"));
    assert_eq!((calls.len(), figure(&day, "attempts")), (98, 98.0));
    assert_eq!(calls[1]["arrival"], "09:00:20.000");
    let english: Vec<usize> = (0..98).filter(|n| calls[*n]["queue"] == "english").collect();
    assert_eq!(english, [5], "who pressed a language's key calls that language");
    assert_eq!(calls[1]["talk_s"], "61.000", "an answered call talks as long as it did");
    assert!(figure(&day, "connection_rate") > 0.95, "sixty seats serve nearly all of them");
    let few = folder.path().join("few.toml");
    std::fs::write(&few, "seats = 1\nskills = { mandarin = 8 }\n").unwrap();
    json(&[&args[..], &["--roster", few.to_str().unwrap()]].concat());
    let calls = rows(&csv.join("calls.csv"));
    assert_eq!((calls[10]["cause"].as_str(), calls[10]["wait_s"].as_str()), ("abandoned_in_queue", "7.000"));

    let empty = rexian(&["--log", path.to_str().unwrap(), "--day", "2026-11-25"]);
    let said = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert!(empty.status.code() == Some(2) && said.contains("no call on 2026-11-25"), "{said}");
}

#[test]
fn what_cannot_be_used_is_told_with_its_place_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let short = file("short.toml", "calls = 100\ncurve = [1, 2]\n");
    let unknown = file("unknown.toml", "\ncals = 100\n");
    let neither = file("neither.toml", "[talk]\nmu = 4.7\n");
    let both = file("both.toml", "seats = 4\n[[agents]]\nnumber = \"1\"\nhours = [\"08:00-16:00\"]\n");
    let agents = file("agents.csv", "agent,from,until,skills\n6601,00:00,24:00,mandarin=8\n");
    let eternal = file("eternal.toml", "[talk]\nmean = \"3h\"\n");
    let hurried = file("hurried.toml", "[patience]\nmean = \"0s\"\n");
    let negative = file("negative.toml", "[foreign]\nfactor = -1\n");
    let endless = file("endless.toml", "[ring]\nmean = \"3s\"\ncv = inf\n");
    let cases: [(&[&str], &[&str]); 16] = [
        (&["--profile", "nowhere.toml"], &["nowhere.toml:", "cannot be read", "--profile"]),
        (&["--profile", &short], &["short.toml:2:", "2 numbers", "give 24"]),
        (&["--profile", &unknown], &["unknown.toml:2:", "cals"]),
        (&["--profile", &neither], &["neither.toml:1:", "[talk]", "mean and cv"]),
        (&["--roster", &both], &["both.toml:1:", "either seats", "keep"]),
        (&["--roster", &agents, "--find-seats"], &["--find-seats", "seats per hour"]),
        (&["--what-if", "seets=5"], &["seets=5", "english"]),
        (&["--what-if", "seats=none"], &["seats=none", "whole number"]),
        (&["--what-if", "seats=12"], &["seats=12", "groups alone are 19", "19 or more"]),
        (&["--what-if", "seats=30", "--find-seats"], &["--what-if seats", "leave one out"]),
        (&["--profile", &eternal], &["eternal.toml:1:", "10800 s", "at most 2h"]),
        (&["--profile", &hurried], &["hurried.toml:2:", "no time at all"]),
        (&["--profile", &negative], &["negative.toml:2:", "factor = -1", "0 or more"]),
        (&["--profile", &endless], &["endless.toml:1:", "no distribution"]),
        (&["--target", "95", "--find-seats"], &["0.95"]),
        (&["--log", "nowhere.db", "--day", "2026-11-20"], &["nowhere.db", "--log"]),
    ];
    for (args, says) in cases {
        let out = rexian(args);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {said}");
        for words in says {
            assert!(said.contains(words), "{args:?} does not say {words:?}:\n{said}");
        }
    }
}

/// `rexian simulate | head`: the reader went away, the files are written all the same.
#[test]
fn a_closed_pipe_ends_the_tables_quietly() {
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rexian"))
        .args(["simulate", "--calls", "200", "--csv"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rexian runs");
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.is_empty(), "{said}");
    assert_eq!(rows(&folder.path().join("calls.csv")).len(), 200);
}

#[test]
fn a_skill_nobody_asks_for_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("typo.toml");
    std::fs::write(&roster, "seats = 5\nskills = { mandarin = 8, englsh = 8 }\n").unwrap();
    let out = rexian(&["--calls", "100", "--roster", roster.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.contains("no queue asks for these skills of the roster: englsh"), "{said}");
}
