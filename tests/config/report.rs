//! `[report]` and where the facts are kept.

use super::{Folder, GOOD, broken};
use rexian::config::settings::{FactsFile, ReportSettings, Settings};
use rexian::config::{load, report};
use std::path::Path;
use std::time::Duration;

fn settings(more: &str) -> Settings {
    let path = Folder::new();
    let path = path.write("rexian.toml", format!("{GOOD}{more}"));
    load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems)))
}

#[test]
fn the_standards_numbers_unless_told_otherwise() {
    assert_eq!(settings("").world.report, ReportSettings::default());
    let read = settings(
        "[report]\nhotline = \"济南12345\"\nwithin = [\"5s\", \"1m\"]\nconnection_rate = 98\nwithin_share = 85\n",
    );
    let within = vec![Duration::from_secs(5), Duration::from_secs(60)];
    let hotline = "济南12345".into();
    assert_eq!(read.world.report, ReportSettings { hotline, within, connection_rate: 98, within_share: 85 });
}

#[test]
fn facts_are_beside_the_log_unless_told_otherwise() {
    let place = |file: &FactsFile, log: &str| file.path(Path::new(log)).map(|path| path.display().to_string());
    let usual = settings("").world.facts;
    assert_eq!(place(&usual, "/var/lib/rexian/rexian-events.db"), Some("/var/lib/rexian/rexian-facts.db".into()));
    assert_eq!(place(&usual, "day.db"), Some("day-facts.db".into()), "another log has other facts");
    assert_eq!(place(&settings("[storage]\nfacts = \"f.db\"\n").world.facts, "x/e.db"), Some("f.db".into()));
    assert_eq!(place(&settings("[storage]\nfacts = \"\"\n").world.facts, "x/e.db"), None);
}

#[test]
fn what_is_not_understood() {
    broken(
        &[(
            "",
            "[storage]\nfacts = \"rexian-spool.db\"\n[report]\nconnection_rate = 120\nwithin = [\"soon\"]\nwithinn = 1\n",
        )],
        &[
            "18: facts in [storage] is the file of something else, rexian-spool.db | name a file of its own",
            "21: connection_rate = 120 in [report] is not a whole number from 1 to 100 | choose one in that range, without quotes",
            "22: within = \"soon\" in [report] is not a duration | write it as \"15s\"",
            "23: unknown key withinn in [report] | did you mean within?",
        ],
    );
}
