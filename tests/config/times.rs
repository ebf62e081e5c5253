//! Hours, dates, shifts and guests: what cannot be, and what is meant.

use super::*;

const LINE: &str = "[[lines]]\nname = \"taxi\"\nnumbers = [\"82001110\"]\nqueue = \"mandarin\"\n";
const SPAN: &str = "in hours of [[lines]] is not a span of time | write it as \"08:30-12:00\", at most until 24:00; \
                    what passes midnight is two: \"22:00-24:00\" and \"00:00-06:00\"";

/// Hours of a line, in line 22.
#[track_caller]
fn hours(hours: &str, wanted: &[&str]) {
    broken(&[("", &format!("{LINE}hours = {hours}\n"))], wanted);
}

#[test]
fn hours_that_cannot_be() {
    hours("{ mon-sun = [\"00:00-24:00\"] }", &[]);
    hours("{ mon-sun = [\"22:00-06:00\"] }", &[&format!("22: mon-sun = \"22:00-06:00\" {SPAN}")]);
    hours(
        "{ sat = [\"8-12\", \"13:00-24:30\"] }",
        &[&format!("22: sat = \"13:00-24:30\" {SPAN}"), &format!("22: sat = \"8-12\" {SPAN}")],
    );
    hours(
        "{ mon-fri = [\"13:00-17:00\", \"08:30-12:00\", \"11:30-13:00\"] }",
        &[
            "22: 08:30-12:00 and 11:30-13:00 on mon-fri overlap in hours of [[lines]] | join them, or let one begin when the other ends",
        ],
    );
    hours(
        "{ mon-fri = [\"08:30-12:00\"], wed = [\"13:00-14:00\"] }",
        &[
            "22: wed is named twice in hours of [[lines]], first in line 22 | give each day once: mon-thu and fri, not mon-fri and fri",
        ],
    );
    hours(
        "{ mon-fri = \"08:30-12:00\" }",
        &[
            "22: mon-fri = \"08:30-12:00\" in hours of [[lines]] is not a list | write mon-fri = [ ... ], each element a span of time",
        ],
    );
    hours(
        "{ monday = [\"08:30-12:00\"], sut = [], fri-mon = [] }",
        &[
            "22: unknown key fri-mon in hours of [[lines]] | name days mon to sun, alone or as mon-fri; or closed_on",
            "22: unknown key monday in hours of [[lines]] | name days mon to sun, alone or as mon-fri; or closed_on",
            "22: unknown key sut in hours of [[lines]] | did you mean sat?",
        ],
    );
    hours(
        "{ mon-fri = [], closed_on = [\"2027-02-29\", \"2027-02-06\"] }",
        &[
            "22: closed_on = \"2027-02-29\" in hours of [[lines]] is not a date | write an existing day as \"2027-02-06\"",
            "22: hours of [[lines]] is never open | add days, as in mon-fri = [\"08:30-17:30\"]; without hours it is always open",
        ],
    );
    hours("\"always\"", &["22: hours = \"always\" in [[lines]] is not a table | write hours = { name = value }"]);
}

#[test]
fn hours_as_they_are_meant() {
    let folder = Folder::new();
    let table = "[lines.hours]\nmon-thu = [\"13:30-17:30\", \"08:30-12:00\"]\nsun = [\"00:00-24:00\"]\nclosed_on = [\"2026-11-20\"]\n\
                 [callbacks.hours]\nmon-sun = [\"08:00-21:00\"]\n";
    let path = folder.write("rexian.toml", format!("{GOOD}{LINE}{table}"));
    let core = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems))).core;
    let hours = core.lines[0].hours.clone().unwrap();
    let day = vec![(510, 720), (810, 1_050)];
    assert_eq!(hours.week, [day.clone(), day.clone(), day.clone(), day, vec![], vec![], vec![(0, 1_440)]]);
    assert_eq!(hours.closed_on, [20_777].into());
    assert_eq!(core.callbacks.hours.unwrap().week, std::array::from_fn(|_| vec![(480, 1_260)]));
}

#[test]
fn shifts_and_guests() {
    let agent = |more: &str| format!("skills = {{ mandarin = 10 }}\n{more}");
    let shift = ("", "[[shifts]]\nname = \"early\"\nhours = { mon-sun = [\"06:00-14:00\"] }\n");
    let skills = "skills = { mandarin = 10 }";
    broken(&[(skills, &agent("shifts = [\"early\"]\nteam = \"A\"\nleader = true")), shift], &[]);
    broken(
        &[(skills, &agent("shifts = [\"early\", \"erly\", \"night\"]")), shift],
        &[
            "14: there is no shift \"erly\", in which agent 6601 works | did you mean \"early\"?",
            "14: there is no shift \"night\", in which agent 6601 works | add it under [[shifts]], or leave shifts out: any time",
        ],
    );
    broken(
        &[("", "[[shifts]]\nname = \"early\"\n[[shifts]]\nname = \"early\"\nhours = {}\n")],
        &[
            "18: [[shifts]] has no hours | add hours = { mon-sun = [\"08:00-16:00\"] }",
            "21: name = \"early\" in [[shifts]] is there twice, first in line 19 | give this one another or remove it",
            "22: hours of [[shifts]] is never open | add days, as in mon-fri = [\"08:30-17:30\"]; without hours it is always open",
        ],
    );
    let guest = |from: &str, until: &str| agent(&format!("guest = {{ from = \"{from}\", until = \"{until}\" }}"));
    broken(
        &[(skills, &guest("2026-11-25 08:30", "2026-11-25 08:30"))],
        &["14: guest in [[agents]] leaves before coming | let until be later than from"],
    );
    let fix = "write local time as \"2026-11-25 08:30\"";
    broken(
        &[(skills, &guest("2026-11-31 08:30", "tomorrow"))],
        &[
            &format!("14: from = \"2026-11-31 08:30\" in guest of [[agents]] is not a moment | {fix}"),
            &format!("14: until = \"tomorrow\" in guest of [[agents]] is not a moment | {fix}"),
        ],
    );
    broken(
        &[(skills, &agent("guest = { from = \"2026-11-25 08:30\" }"))],
        &["14: guest of [[agents]] has no until | add until = \"2026-11-25 08:30\""],
    );
    broken(
        &[("", "[service]\nutc_offset = \"8\"\n")],
        &[
            "19: utc_offset = \"8\" in [service] is not an offset from UTC | write how far local time is ahead of UTC, as \"+08:00\"",
        ],
    );
}

#[test]
fn a_guest_comes_by_local_time() {
    let folder = Folder::new();
    let guest = "skills = { mandarin = 10 }\nguest = { from = \"2026-11-25 08:30\", until = \"2026-11-25 12:00\" }\nteam = \"B\"\nshifts = [\"day\"]\nleader = true";
    let rest = "[[shifts]]\nname = \"day\"\nhours = { sat = [\"09:00-10:00\"] }\n";
    let path = folder.write("rexian.toml", GOOD.replace("skills = { mandarin = 10 }", guest) + rest);
    let core = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems))).core;
    // 00:30 and 04:00 UTC.
    assert_eq!(core.agents[0].guest, Some((1_795_566_600, 1_795_579_200)));
    assert_eq!((core.agents[0].team.as_deref(), core.agents[0].leader), (Some("B"), true));
    assert_eq!(core.agents[0].shifts, ["day".to_owned()].into());
    assert_eq!((core.shifts[0].name.as_str(), &core.shifts[0].hours.week[5]), ("day", &vec![(540, 600)]));
}
