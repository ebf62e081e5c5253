//! `[trace]`: ladders in the log and the export to Homer. Belongs here: reading it. Not here: tracing (`trace`).

use super::cross::Entries;
use super::reader::{At, File, Section, closest};
use super::settings::{Cidr, HepSettings, Secret, TraceSettings, Traced};

/// As read: names are not looked up yet.
pub(super) struct TraceEntry {
    ladder: Vec<At<String>>,
    hep: Option<HepSettings>,
}

const EVERYTHING: &str = "all";

pub(super) fn trace(section: Section<'_>) -> TraceEntry {
    let fix = r#"write trunks, networks and numbers: ["unicom-1", "10.1.0.0/16", "13812345678"], or ["all"]"#;
    let ladder = section.list("ladder", "a trunk, a network or a number", fix, |v| v.as_str().map(str::to_owned));
    let hep = section.inner("hep").and_then(hep);
    section.done();
    TraceEntry { ladder: ladder.unwrap_or_default(), hep }
}

fn hep(table: Section<'_>) -> Option<HepSettings> {
    let to = table.socket("to");
    if !table.has("to") {
        table.missing("to", "\"10.0.0.9:9060\"");
    }
    let agent = table.number("agent", 1..=u32::MAX).map_or(12_345, |at| at.value);
    let password = table.password("password").map(|at| Secret(at.value.into()));
    table.done();
    Some(HepSettings { to: to?.value, agent, password })
}

impl TraceEntry {
    /// Trunks become their peers' networks.
    pub fn resolved(self, file: &File, entries: &Entries) -> TraceSettings {
        let names = || entries.trunks.iter().map(|t| t.trunk.name.as_str());
        let (mut networks, mut numbers, mut everything) = (vec![], vec![], false);
        for At { value, line } in self.ladder {
            let trunk = entries.trunks.iter().find(|t| t.trunk.name.as_str() == value);
            let network: Option<Cidr> = super::trunks::cidr(&value);
            let digits = value.trim_start_matches('+');
            if value == EVERYTHING {
                everything = true;
            } else if let Some(trunk) = trunk {
                networks.extend(&trunk.trunk.peers);
            } else if let Some(network) = network {
                networks.push(network);
            } else if digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit()) {
                numbers.push(value);
            } else {
                let near = closest(&value, names()).map(|near| format!("did you mean {near:?}?"));
                let fix = "name one of [[trunks]], a network or a number of at least three digits";
                let what = format!("ladder in [trace] names {value:?}, which is no trunk, network or number");
                file.problem(line, what, near.unwrap_or_else(|| fix.into()));
            }
        }
        let ladder = match (everything, networks.is_empty() && numbers.is_empty()) {
            (true, _) => Traced::Everything,
            (false, true) => Traced::Nothing,
            (false, false) => Traced::Some { networks, numbers },
        };
        TraceSettings { ladder, hep: self.hep }
    }
}
