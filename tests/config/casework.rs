//! `[casework]`: the limits of a ticket's life, and the hotline office's files.

use super::{Folder, GOOD, broken};
use rexian::casework::{Limits, Rules};
use rexian::config::{explain, load, report};
use std::path::Path;
use std::time::Duration;

fn shipped(folder: &Folder) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/casework");
    for name in ["holidays.csv", "categories.csv"] {
        folder.write(name, std::fs::read(root.join(name)).unwrap());
    }
}

fn rules(folder: &Folder, casework: &str) -> Rules {
    let path = folder.write("rexian.toml", format!("{GOOD}[casework]\n{casework}"));
    let settings = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    Rules::clone(&settings.world.casework)
}

#[test]
fn every_limit_can_be_changed_and_the_standards_are_the_defaults() {
    let folder = Folder::new();
    assert_eq!(rules(&folder, ""), Rules::default());
    let limits = rules(
        &folder,
        "transfer_days = 1\nreturn_days = 3\nreply_days = 7\nextension_days = 15\nextensions = 2\nredo = 0\ncloses = \"18:00\"\nrepeated_days = 90\n",
    )
    .limits;
    let expected = Limits {
        transfer_days: 1,
        return_days: 3,
        reply_days: 7,
        extension_days: 15,
        extensions: 2,
        redo: 0,
        closes: 18 * 60,
        repeated_within: Duration::from_secs(90 * 86_400),
    };
    assert_eq!(limits, expected);
}

#[test]
fn the_shipped_files_can_be_named() {
    let folder = Folder::new();
    shipped(&folder);
    let rules = rules(&folder, "calendar = \"holidays.csv\"\ncategories = \"categories.csv\"\n");
    assert_eq!(rules.calendar, Rules::default().calendar);
    assert!(rules.departments.contains("市城市管理局"), "departments come with the categories");
    let settings =
        load(&folder.write("x.toml", format!("{GOOD}[casework]\ncategories = \"categories.csv\"\n"))).unwrap();
    let said = explain(&settings);
    assert!(said.contains("to choose from, ") && said.contains(" departments\n"), "{said}");
}

#[test]
fn faults_of_the_files_are_told_with_their_lines() {
    let folder = Folder::new();
    shipped(&folder);
    folder.write("days.csv", "date,kind,name\n2027-01-01,holiday,元旦\n2027-01-04,workday,x\n");
    folder.write("tree.csv", "code,name,urgency,department\n01.01,x\n");
    folder.write("gbk.csv", b"date,kind,name\n2027-01-01,holiday,\xd4\xaa\xb5\xa9\n");
    let told = |casework: &str| folder.problems(&format!("{GOOD}[casework]\n{casework}"));
    assert_eq!(
        told("calendar = \"days.csv\"\ncategories = \"tree.csv\"\n"),
        [
            "days.csv:3: 2027-01-04 is worked anyway, it is no weekend day | remove the line, or mend the date: workday is for Saturdays and Sundays",
            "tree.csv:2: 01.01 is below 01, which is not there | add that line above this one",
        ]
    );
    assert_eq!(
        told("calendar = \"gbk.csv\"\n"),
        ["19: calendar in [casework]: gbk.csv is not UTF-8 | save it as CSV UTF-8"]
    );
    assert_eq!(
        told("categories = \"none.csv\"\n"),
        [
            "19: categories in [casework]: none.csv cannot be read: No such file or directory (os error 2) | name a file beside the configuration; deploy/casework has examples"
        ]
    );
    let few = folder.write("few.csv", "code,name,urgency,department\n01,供水,,水务集团\n");
    assert!(few.exists());
    assert_eq!(
        told("categories = \"few.csv\"\ndepartments = [\"水务\"]\n"),
        [
            "20: departments in [casework] lacks 水务集团, which categories pass tickets to | add it, or mend its name in the file of the categories"
        ]
    );
}

#[test]
fn values_out_of_range_are_refused() {
    broken(
        &[("", "[casework]\nreply_days = 0\ncloses = \"5pm\"\nreplydays = 5\n")],
        &[
            "19: reply_days = 0 in [casework] is not a whole number from 1 to 60 | choose one in that range, without quotes",
            "20: closes = \"5pm\" in [casework] is not a time of day | write it as \"17:30\"",
            "21: unknown key replydays in [casework] | did you mean reply_days?",
        ],
    );
}
