//! `[dialling]` and `[[dial_plans]]`: what phones may call. Belongs here: each entry's own settings. Not here: whether
//! what they name exists (`cross::people`).

use super::people::{identity, is_name};
use super::queues::some_text;
use super::reader::{At, Section};
use super::settings::{DialPlan, DiallingSettings, Reach};
use crate::ids::TrunkName;
use crate::trunk::number::{is_short, normalise_dnis};
use std::collections::BTreeMap;

pub(super) struct DiallingEntry {
    pub settings: DiallingSettings,
    pub trunk: Option<At<TrunkName>>,
    /// Where emergency numbers are named, or would be.
    pub emergency: usize,
    /// Lines of the plans.
    pub plans: Vec<usize>,
}

pub(super) fn dialling(section: Section<'_>, plans: Vec<Section<'_>>, area_code: &str) -> DiallingEntry {
    let mut settings = DiallingSettings::default();
    let trunk = some_text(&section, "trunk").map(|at| At { value: TrunkName::new(at.value), line: at.line });
    settings.trunk = trunk.as_ref().map(|at| at.value.clone());
    let short = |v: &toml_edit::Value| v.as_str().filter(|s| is_code(s)).map(str::to_owned);
    let fix = r#"write short numbers: ["110", "119", "120", "122"]"#;
    if let Some(numbers) = section.list("emergency", "a service's number", fix, short) {
        settings.emergency = numbers.into_iter().map(|at| at.value).collect();
    }
    if let Some(found) = section.duration("ring_timeout", false) {
        settings.ring_timeout = found.value;
    }
    if let Some(found) = section.duration("passed_on_at_most", false) {
        settings.passed_on_at_most = found.value;
    }
    if let Some(found) = section.number("passed_on_per_seat", 0..=100) {
        settings.passed_on_per_seat = found.value;
    }
    let emergency = section.line_of("emergency");
    section.done();
    let (mut taken, mut lines) = (BTreeMap::new(), vec![]);
    for section in plans {
        let line = section.line;
        if let Some(plan) = plan(section, area_code, &mut taken) {
            settings.plans.push(plan);
            lines.push(line);
        }
    }
    DiallingEntry { settings, trunk, emergency, plans: lines }
}

fn plan(section: Section<'_>, area_code: &str, taken: &mut BTreeMap<String, usize>) -> Option<DialPlan> {
    let name = identity(&section, "name", "desk", is_name, taken);
    let read = |v: &toml_edit::Value| v.as_str().and_then(|text| reach(text, area_code));
    let fix =
        r#"write classes ("seats", "city", "national", "mobile", "toll_free", "hotlines") or numbers ("+81", "12110")"#;
    let list = |key| section.list(key, "something to call", fix, read).unwrap_or_default();
    let (may_call, never) = (list("may_call"), list("never"));
    if !section.has("may_call") {
        section.missing("may_call", r#"["seats", "city", "hotlines"]"#);
    }
    section.done();
    let values = |all: Vec<At<Reach>>| all.into_iter().map(|at| at.value).collect();
    Some(DialPlan { name: name?.value, may_call: values(may_call), never: values(never) })
}

fn reach(text: &str, area_code: &str) -> Option<Reach> {
    Some(match text {
        "seats" => Reach::Seats,
        "city" => Reach::City,
        "national" => Reach::National,
        "mobile" => Reach::Mobile,
        "toll_free" => Reach::TollFree,
        "hotlines" => Reach::Hotlines,
        _ => {
            let digits = text.strip_prefix('+').unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let code = normalise_dnis(text.as_bytes(), area_code);
            match text.starts_with('+') {
                _ if is_code(&code) => Reach::Code(code),
                // All of China is said by classes, and all the world by nothing.
                true if digits != "86" && digits != "8" && (1..=15).contains(&digits.len()) => {
                    Reach::Prefix(text.to_owned())
                }
                _ => return None,
            }
        }
    })
}

fn is_code(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && is_short(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plans_name() {
        for (text, wanted) in [
            ("city", Some(Reach::City)),
            ("+81", Some(Reach::Prefix("+81".into()))),
            ("+8653182", Some(Reach::Prefix("+8653182".into()))),
            ("12110", Some(Reach::Code("12110".into()))),
            ("+8612330", Some(Reach::Code("12330".into()))),
            ("053112330", Some(Reach::Code("12330".into()))),
            ("+", None),
            ("+86", None),
            ("81", None),
            ("*", None),
            ("international", None),
            ("", None),
        ] {
            assert_eq!(reach(text, "531"), wanted, "{text}");
        }
    }
}
