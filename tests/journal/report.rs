//! `rexian report` and `rexian export`, as people run them.

use super::day;
use rexian::record::CallRecord;
use rexian::store::facts::FactsReader;
use rexian::time::Instant;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub fn rexian(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rexian"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("LANG", "zh_CN.UTF-8")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn good(folder: &Path, args: &[&str]) -> String {
    let (code, out, errors) = rexian(folder, args);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{args:?}: {out}");
    out
}

fn kept() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    day::write(&dir.path().join("rexian-events.db"), &day::events(&day::scene(250, 2), 7));
    dir
}

const DAY: &str = "2026-11-22";

#[test]
fn one_days_report_in_every_form_has_the_same_numbers() {
    let dir = kept();
    let json: Value = serde_json::from_str(&good(dir.path(), &["report", "--day", DAY, "--json"])).unwrap();
    let counters = &json["total"]["counters"];
    let (offered, answered) = (counters["offered"].as_u64().unwrap(), counters["answered"].as_u64().unwrap());
    assert!(offered > 200 && answered > 100 && answered < offered, "{counters}");
    let figures = json["total"]["figures"].as_array().unwrap();
    let rate = figures.iter().find(|f| f["id"] == "connection_rate").unwrap();
    assert_eq!((rate["zh"].as_str(), rate["formula"].as_str()), (Some("接通率"), Some("A / R")));
    let percent = format!("{:.2}%", (rate["value"].as_f64().unwrap() * 10_000.0).floor() / 100.0);

    let text = good(dir.path(), &["report", "--day", DAY]);
    for wanted in [
        "12345 话务日报  2026-11-22",
        "排队放弃",
        "振铃放弃",
        "速挂",
        "队列满",
        "超时溢出",
        "座席未应答",
        "09:00-09:30",
        "6001",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    let line = |text: &str, name: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line(&text, "接通率 ").contains(&percent), "{percent}: {}", line(&text, "接通率 "));
    assert!(line(&text, "接通率 ").contains("A / R"), "the formula stands beside the percentage");

    let english = good(dir.path(), &["report", "--day", DAY, "--lang", "en"]);
    assert!(line(&english, "connection rate").contains(&percent));

    let csv = good(dir.path(), &["report", "--day", DAY, "--csv"]);
    assert!(csv.starts_with('\u{feff}') && csv.contains(&format!("接通率,{percent},A / R")), "{csv}");
    assert!(csv.contains(&format!("请求人工,{offered},")), "no grouping in numbers for a spreadsheet");

    let page = good(dir.path(), &["report", "--day", DAY, "--html", "--output", "day.html"]);
    assert_eq!(page, "");
    let page = std::fs::read_to_string(dir.path().join("day.html")).unwrap();
    assert!(page.contains("<svg") && page.contains(&percent) && page.contains("GB/T 33358-2016"));
    for foreign in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "the page needs nothing else: {foreign}");
    }
}

#[test]
fn a_month_is_its_days() {
    let dir = kept();
    let of = |args: &[&str]| -> Value { serde_json::from_str(&good(dir.path(), args)).unwrap() };
    let day = of(&["report", "--day", DAY, "--json"]);
    let month = of(&["report", "--month", "2026-11", "--json"]);
    let span = of(&["report", "--from", "2026-11-21", "--to", "2026-11-23", "--json"]);
    for other in [&month, &span] {
        assert_eq!(other["total"]["counters"], day["total"]["counters"]);
        assert_eq!(other["complete"], false, "the record is of one day");
    }
    assert_eq!(month["days"].as_array().unwrap().len(), 30);
    assert_eq!(month["days"][21]["part"]["counters"], day["total"]["counters"]);
    assert!(good(dir.path(), &["report", "--month", "2026-11"]).contains("话务月报  2026-11\n"));
}

#[test]
fn the_page_of_rules_says_what_nothing_measures() {
    let dir = kept();
    let rules: Value =
        serde_json::from_str(&good(dir.path(), &["report", "--day", DAY, "--compliance", "--json"])).unwrap();
    let verdict = |id: &str| {
        rules.as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict("connection_rate"), "fail", "two seats for 250 calls");
    assert_eq!(verdict("answered_in_time"), "fail");
    assert_eq!(verdict("always_staffed"), "pass");
    for unmeasured in ["other_media", "mailbox", "transfer", "reply", "extension", "return", "languages"] {
        assert_eq!(verdict(unmeasured), "no_data", "{unmeasured}");
    }
    let text = good(dir.path(), &["report", "--day", DAY, "--compliance"]);
    assert!(text.contains("任意连续 24 小时接通率不低于 95%") && text.contains("最低窗口止于"), "{text}");
    assert!(!text.contains("按座席"), "that page alone");
}

#[test]
fn exports_are_the_same_calls_in_the_forms_tools_read() {
    let dir = kept();
    let json: Value = serde_json::from_str(&good(dir.path(), &["report", "--day", DAY, "--json"])).unwrap();
    let total = &json["total"];
    let count =
        |text: &str, what: &str| text.lines().filter(|line| line.split('|').nth(4) == Some(what)).count() as u64;

    let log = good(dir.path(), &["export", "queue-log", "--from", DAY, "--to", "2026-11-23"]);
    assert_eq!(count(&log, "CONNECT"), total["counters"]["answered"].as_u64().unwrap());
    assert_eq!(count(&log, "ABANDON"), total["abandoned"].as_u64().unwrap());
    assert_eq!(count(&log, "COMPLETECALLER") + count(&log, "COMPLETEAGENT"), count(&log, "CONNECT"));
    assert_eq!(count(&log, "ADDMEMBER"), 2);
    for line in log.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        assert!(fields.len() >= 5 && fields[0].parse::<f64>().is_ok(), "{line}");
        let data = match fields[4] {
            "ENTERQUEUE" | "CONNECT" | "ABANDON" | "COMPLETECALLER" | "COMPLETEAGENT" | "EXITWITHTIMEOUT" => 3,
            "RINGNOANSWER" | "RINGCANCELED" | "PAUSE" => 1,
            _ => continue,
        };
        assert_eq!(fields.len(), 5 + data, "{line}");
    }

    let csv = good(dir.path(), &["export", "cdr", "--from", DAY]);
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(
        head[..10],
        ["src", "dst", "start", "answer", "end", "duration", "billsec", "disposition", "uniqueid", "linkedid"]
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == head.len()));
    let mut records: Vec<CallRecord> = vec![];
    let mut facts = FactsReader::open(&dir.path().join("rexian-facts.db")).unwrap();
    facts.each_call(day::MIDNIGHT, Instant(u64::MAX), |record| records.push(record)).unwrap();
    assert_eq!(rows.len(), records.len(), "nobody was passed on: a line for each call");
    let answered = rows.iter().filter(|row| row[7] == "ANSWERED").count() as u64;
    assert_eq!(answered, total["counters"]["answered"].as_u64().unwrap());
    let talk: f64 = rows.iter().map(|row| row[6].parse::<f64>().unwrap()).sum();
    assert!((talk - total["counters"]["talk_seconds"].as_f64().unwrap()).abs() < 1.0, "{talk}");
}

#[test]
fn the_rebuilt_facts_are_equal() {
    let dir = kept();
    good(dir.path(), &["report", "--day", DAY, "--json"]);
    let told = good(dir.path(), &["report", "--rebuild"]);
    assert!(told.contains("与保存的一致"), "{told}");
    assert!(good(dir.path(), &["report", "--rebuild", "--lang", "en"]).contains("equal to what is kept"));
    assert_eq!(
        std::fs::read_dir(dir.path())
            .unwrap()
            .filter(|e| { e.as_ref().unwrap().file_name().to_string_lossy().contains("rebuilt") })
            .count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn what_cannot_be_reported_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, errors) = rexian(dir.path(), &["report"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("rexian-events.db") && errors.contains("--config"), "{errors}");
    let (code, _, errors) = rexian(dir.path(), &["report", "--from", "2026-11-22", "--to", "2026-11-20"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("before --from"), "{errors}");
}
