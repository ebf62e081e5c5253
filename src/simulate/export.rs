//! The forecast as files: CSV for spreadsheets, JSON for programs. Not here: the tables (`table`), the picture's drawing
//! (`picture`).

use super::options::Options;
use super::{Forecast, picture};
use crate::ids::Skill;
use crate::sim::forecast::{Day, Found, Kind, Outcome, Part, Roster, Slot, Staff, Told, run_told};
use crate::store::journal::{Entry, write_all};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

pub fn write(
    options: &Options,
    date: Date,
    base: &Forecast,
    other: Option<&Forecast>,
    found: Option<&Found>,
) -> Result<(), String> {
    // Files are about what was asked for: the what-if if there is one.
    let shown = other.unwrap_or(base);
    if let Some(folder) = &options.csv {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|e| {
            format!("{}: cannot be made: {e}\n    name a folder you may write to with --csv", folder.display())
        })?;
        put(&folder.join("calls.csv"), "--csv", &calls(&shown.day))?;
        put(&folder.join("halfhours.csv"), "--csv", &half_hours(&shown.day))?;
        put(&folder.join("figures.csv"), "--csv", &figures(&base.outcome, other.map(|o| &o.outcome)))?;
    }
    if let Some(file) = &options.json {
        let mut all = json!({ "date": date.to_string(), "seed": options.seed, "days": base.outcome.days, "forecast": outcome(base) });
        if let Some(other) = other {
            all["what_if"] = json!({ "changes": options.what_if, "forecast": outcome(other) });
        }
        if let Some(found) = found {
            all["find_seats"] = json!({
                "target": options.target,
                "seats": found.roster.manned(),
                "erlang": found.guess,
                "guesses": found.guesses,
                "missed_hours": found.missed,
            });
        }
        let text =
            serde_json::to_string_pretty(&all).map_err(|e| format!("cannot write the figures as JSON: {e}"))? + "\n";
        match file.as_os_str() == "-" {
            true => super::out::text(&text),
            false => put(file, "--json", &text)?,
        }
    }
    if let (Some(file), Some(found)) = (&options.write_roster, found) {
        put(file, "--write-roster", &roster(found, options.target))?;
    }
    if let Some(file) = &options.write_log {
        log(file, shown, options.seed)?;
    }
    if let Some(file) = &options.svg {
        put(file, "--svg", &picture::draw(date, &shown.day, &options.what_if.join(", ")))?;
    }
    Ok(())
}

/// The same day once more, every event of it.
fn log(file: &Path, shown: &Forecast, seed: u64) -> Result<(), String> {
    if file.exists() {
        return Err(format!("{}: there is a file already\n    name a new one with --write-log", file.display()));
    }
    let mut events = vec![(shown.scene.midnight, Entry::Started)];
    run_told(&shown.scene, seed, &mut |told| {
        events.push(match told {
            Told::Call(event) => (event.at, Entry::Call(event.clone())),
            Told::Agent(event) => (event.at, Entry::Agent(event.clone())),
        });
    });
    write_all(file, &events).map_err(|e| format!("{e}\n    name a file you may write to with --write-log"))
}

fn put(path: &Path, option: &str, text: &str) -> Result<(), String> {
    let done = std::fs::write(path, text);
    done.map_err(|e| {
        format!("{}: cannot be written: {e}\n    name a file you may write to with {option}", path.display())
    })
}

/// As `--roster` reads it.
fn roster(found: &Found, target: f64) -> String {
    let skills = |skills: &BTreeMap<Skill, u8>| {
        let each: Vec<String> = skills.iter().map(|(skill, level)| format!("{:?} = {level}", skill.as_str())).collect();
        format!("skills = {{ {} }}\n", each.join(", "))
    };
    let Roster { skills: common, groups, .. } = &found.roster;
    let manned = found.roster.manned();
    let mut text =
        format!("# Found by `rexian simulate --find-seats --target {target}`.\nseats = {manned:?}\n{}", skills(common));
    for group in groups {
        let _ = write!(text, "\n[[groups]]\n{}seats = {:?}\n", skills(&group.skills), group.seats);
    }
    text
}

/// `09:30:15.123`.
fn clock(at: Duration) -> String {
    let ms = at.as_millis();
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000)
}

/// What a spreadsheet would take for a border is put in quotes.
fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// One row a call.
fn calls(day: &Day) -> String {
    let mut csv = String::from("id,arrival,language,dialled,queue,why,wait_s,agent,step,cause,talk_s,estimates\n");
    for (id, call) in day.calls.iter().enumerate() {
        let cause = match (call.cause, call.turned_away) {
            (Some(cause), _) => cause.as_str().to_owned(),
            (None, Some(status)) => format!("sip_{status}"),
            (None, None) => "still_up".into(),
        };
        let estimates: Vec<String> =
            call.estimates.iter().map(|(at, e)| format!("{}>{}", clock(*at), e.as_secs())).collect();
        let _ = writeln!(
            csv,
            "{id},{},{},{},{},{},{:.3},{},{},{cause},{:.3},{}",
            clock(call.at),
            cell(&call.language),
            cell(&call.dialled),
            cell(call.queue.as_ref().map_or("", |q| q.as_str())),
            call.why,
            call.wait.as_secs_f64(),
            call.agent.as_ref().map_or("", |a| a.as_str()),
            call.step,
            call.talk.as_secs_f64(),
            estimates.join(" ")
        );
    }
    csv
}

fn half_hours(day: &Day) -> String {
    let mut csv = String::from(
        "from,calls,answered,within_n,short_abandon,abandoned,other,connection_share,asa_s,p50_s,p90_s,longest_s,talk_s,\
         seats,talking,wrap_up,ringing,ready,not_ready,occupancy\n",
    );
    for slot in day.slots(Duration::from_secs(1_800)) {
        let Slot { offered, answered, within, short, abandoned, other, waits, longest, talk, staff, .. } = &slot;
        let number = |n: Option<f64>| n.map_or(String::new(), |n| format!("{n:.3}"));
        let share = (*offered > 0).then(|| f64::from(*answered) / f64::from(*offered));
        let asa = (*answered > 0).then(|| waits.iter().sum::<f64>() / f64::from(*answered));
        let (p50, p90) = (crate::sim::forecast::quantile(waits, 0.5), crate::sim::forecast::quantile(waits, 0.9));
        let Staff { talking, wrap_up, ringing, ready, not_ready } = staff;
        let _ = writeln!(
            csv,
            "{},{offered},{answered},{within},{short},{abandoned},{other},{},{},{},{},{longest:.3},{:.3},\
             {:.3},{talking:.3},{wrap_up:.3},{ringing:.3},{ready:.3},{not_ready:.3},{}",
            &clock(slot.from)[..5],
            number(share),
            number(asa),
            number(p50),
            number(p90),
            talk.as_secs_f64(),
            staff.all(),
            number(staff.occupancy())
        );
    }
    csv
}

fn figures(base: &Outcome, other: Option<&Outcome>) -> String {
    let mut csv = String::from("id,zh,en,formula,unit,value,ci95,what_if,what_if_ci95\n");
    let others = other.map(Outcome::headlines).unwrap_or_default();
    for (i, (headline, over)) in base.headlines().into_iter().enumerate() {
        let number = |n: Option<f64>| n.map_or(String::new(), |n| format!("{n:.6}"));
        let then = others.get(i).and_then(|(_, interval)| *interval);
        let _ = writeln!(
            csv,
            "{},{},{},{},{},{},{},{},{}",
            headline.id,
            cell(&headline.zh),
            cell(&headline.en),
            cell(&headline.formula),
            unit(headline.kind),
            number(over.map(|i| i.mean)),
            number(over.and_then(|i| i.half)),
            number(then.map(|i| i.mean)),
            number(then.and_then(|i| i.half))
        );
    }
    csv
}

fn unit(kind: Kind) -> &'static str {
    match kind {
        Kind::Count => "count",
        Kind::Ratio => "ratio",
        Kind::Seconds => "seconds",
    }
}

/// Counters are sums over all days; staff are means.
fn outcome(forecast: &Forecast) -> Value {
    let o = &forecast.outcome;
    let headlines: Vec<Value> = o
        .headlines()
        .into_iter()
        .map(|(h, i)| {
            json!({ "id": h.id, "zh": h.zh, "en": h.en, "formula": h.formula, "unit": unit(h.kind),
                "value": i.map(|i| i.mean), "ci95": i.and_then(|i| i.half) })
        })
        .collect();
    let hours: Vec<Value> = o.hours.iter().map(|(p, s)| json!({ "calls": part(p), "staff": staff(s) })).collect();
    let queues: serde_json::Map<String, Value> = o.queues.iter().map(|(name, p)| (name.to_string(), part(p))).collect();
    let skills: serde_json::Map<String, Value> =
        o.skills.iter().map(|s| (s.skill.to_string(), staff(&s.staff))).collect();
    let causes: serde_json::Map<String, Value> =
        o.without_request.iter().map(|(cause, calls)| (cause.as_str().to_owned(), json!(calls))).collect();
    let e = o.estimates;
    let judged = (e.judged > 0).then(
        || json!({ "mean_error_s": e.mean, "mean_absolute_error_s": e.absolute, "within_30_s_or_30_percent": e.near }),
    );
    json!({
        "agents": forecast.scene.posts.len(),
        "headlines": headlines,
        "attempts": o.attempts,
        "turned_away": o.turned_away,
        "without_request": causes,
        "total": part(&o.total),
        "hours": hours,
        "queues": queues,
        "skills": skills,
        "staff": staff(&o.staff),
        "announced_waits": { "announced": e.announced, "judged": e.judged, "error": judged },
    })
}

fn part(part: &Part) -> Value {
    json!({ "counters": part.counters, "figures": part.figures(),
        "wait_p50_s": part.wait(0.5), "wait_p90_s": part.wait(0.9) })
}

fn staff(staff: &Staff) -> Value {
    json!({ "seats": staff.all(), "talking": staff.talking, "wrap_up": staff.wrap_up, "ringing": staff.ringing,
        "ready": staff.ready, "not_ready": staff.not_ready, "occupancy": staff.occupancy() })
}
