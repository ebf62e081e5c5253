//! `[[lines]]`, `[[languages]]` and `[callbacks]`: the ways to a queue. Belongs here: each entry's own settings. Not
//! here: whether what they name exists, and what leads where (`cross::ways`, `cross::callbacks`).

use super::hours::hours;
use super::people::{identity, is_name};
use super::queues::{called_numbers, phone_key, some_text};
use super::reader::{At, Form, Section};
use super::settings::{CallbackSettings, Closed, LanguageChoice, LanguageSettings, LineSettings, MissedCalls};
use crate::ids::{LineName, QueueName, TrunkName};
use std::collections::BTreeMap;

/// A line and where its parts stood.
pub(super) struct LineEntry {
    pub settings: LineSettings,
    pub line: usize,
    pub numbers: Vec<At<String>>,
    pub prompts: Vec<At<String>>,
    /// The queue it leads to and the one out of hours.
    pub queues: Vec<At<QueueName>>,
    pub by_country: usize,
    pub remembered: usize,
    pub by_key: usize,
}

pub(super) struct LanguageEntry {
    pub settings: LanguageSettings,
    pub queue: At<QueueName>,
    pub countries: Vec<At<String>>,
    pub key: Option<At<char>>,
    pub invitation: Option<At<String>>,
}

pub(super) struct CallbacksEntry {
    pub settings: CallbackSettings,
    pub trunks: Vec<At<TrunkName>>,
    pub missed: usize,
}

pub(super) fn lines(sections: Vec<Section<'_>>) -> Vec<LineEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| line(section, &mut taken)).collect()
}

fn line(section: Section<'_>, taken: &mut BTreeMap<String, usize>) -> Option<LineEntry> {
    let name = identity(&section, "name", "taxi-drivers", is_name, taken);
    let numbers = called_numbers(&section);
    if numbers.as_ref().map_or(!section.has("numbers"), Vec::is_empty) {
        section.missing("numbers", "[\"82001234\"]");
    }
    let queue = queue(&section);
    let flag = |key| section.boolean(key).filter(|at| at.value);
    let (by_country, remembered, by_key) = (flag("by_country"), flag("remembered"), flag("by_key"));
    let (greeting, notice) = (some_text(&section, "greeting"), some_text(&section, "notice"));
    let closed = closed(&section);
    let (mut prompts, mut queues) = (vec![], vec![]);
    prompts.extend([&greeting, &notice].into_iter().flatten().cloned());
    match &closed {
        Some(At { value: Closed::Prompt(prompt), line }) => prompts.push(At { value: prompt.to_string(), line: *line }),
        Some(At { value: Closed::Queue(queue), line }) => queues.push(At { value: queue.clone(), line: *line }),
        Some(At { value: Closed::Message, .. }) | None => {}
    }
    let numbers = numbers.unwrap_or_default();
    let settings = LineSettings {
        name: LineName::new(name.as_ref().map_or("", |at| &at.value)),
        numbers: numbers.iter().map(|at| at.value.clone()).collect(),
        queue: queue.as_ref().map_or(QueueName::new(""), |at| at.value.clone()),
        tenant: some_text(&section, "tenant").map(|at| at.value),
        greeting: greeting.map(|at| at.value.as_str().into()),
        priority: section.number("priority", 0..=9).map(|at| at.value as u8),
        hours: hours(&section).map(|at| at.value),
        closed: closed.map_or(Closed::default(), |at| at.value),
        notice: notice.map(|at| at.value.as_str().into()),
        choice: LanguageChoice {
            by_country: by_country.is_some(),
            remembered: remembered.is_some(),
            by_key: by_key.is_some(),
        },
        test: section.boolean("test").is_some_and(|at| at.value),
    };
    let line = section.line;
    section.done();
    name?;
    queues.extend(queue);
    let place = |at: Option<At<bool>>| at.map_or(line, |at| at.line);
    let (by_country, remembered, by_key) = (place(by_country), place(remembered), place(by_key));
    Some(LineEntry { settings, line, numbers, prompts, queues, by_country, remembered, by_key })
}

/// The queue that is led to; said if it is missing.
fn queue(section: &Section<'_>) -> Option<At<QueueName>> {
    let queue = some_text(section, "queue");
    if !section.has("queue") {
        section.missing("queue", "\"mandarin\"");
    }
    queue.map(|at| At { value: QueueName::new(at.value), line: at.line })
}

fn closed(section: &Section<'_>) -> Option<At<Closed>> {
    let example = r#"{ prompt = "..." } or { queue = "..." }"#;
    let At { value, line } = section.form("closed", &[("message", ())], example)?;
    let Form::Table(table) = value else { return Some(At { value: Closed::Message, line }) };
    let (prompt, queue) = (some_text(&table, "prompt"), some_text(&table, "queue"));
    if prompt.is_some() == queue.is_some() {
        let what = format!("{} names {}", table.name, if prompt.is_some() { "two ways out" } else { "no way out" });
        table.file.problem(line, what, format!("write closed = \"message\", {example}"));
    }
    table.done();
    let to_queue = queue.map(|at| At { value: Closed::Queue(QueueName::new(at.value)), line: at.line });
    to_queue.or(prompt.map(|at| At { value: Closed::Prompt(at.value.as_str().into()), line: at.line }))
}

pub(super) fn languages(sections: Vec<Section<'_>>) -> Vec<LanguageEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| language(section, &mut taken)).collect()
}

fn language(section: Section<'_>, taken: &mut BTreeMap<String, usize>) -> Option<LanguageEntry> {
    let tag = identity(&section, "tag", "en", is_tag, taken);
    let queue = queue(&section);
    let fix = r#"write it without + or 0 in front, as "81"; 86 is this country"#;
    let countries =
        section.list("countries", "a country code", fix, |v| v.as_str().and_then(country)).unwrap_or_default();
    // `*` and `#` belong to agents.
    let key = phone_key(&section, "0123456789");
    let invitation = some_text(&section, "invitation");
    section.done();
    let (tag, queue) = tag.zip(queue)?;
    let settings = LanguageSettings {
        tag: tag.value,
        queue: queue.value.clone(),
        countries: countries.iter().map(|at| at.value.clone()).collect(),
        key: key.as_ref().map(|at| at.value),
        invitation: invitation.as_ref().map(|at| at.value.as_str().into()),
    };
    Some(LanguageEntry { settings, queue, countries, key, invitation })
}

/// In the shape of BCP 47: `en`, `zh-CN`, `zh-jinan`.
fn is_tag(tag: &str) -> bool {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    tag.split('-').all(part) && matches!(tag.split('-').next(), Some(first) if first.len() >= 2)
}

/// E.164: one to three digits; up to four, since islands of +1 have codes of their own (1242).
fn country(text: &str) -> Option<String> {
    let good = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    (good && text != "86").then(|| text.to_owned())
}

pub(super) fn callbacks(section: Section<'_>) -> CallbacksEntry {
    let mut settings = CallbackSettings::default();
    let name = |v: &toml_edit::Value| v.as_str().filter(|name| !name.is_empty()).map(TrunkName::new);
    let trunks = section.one_or_more("trunk", "the name of a trunk", "write it as \"unicom-1\", or list several", name);
    let trunks = trunks.unwrap_or_default();
    settings.trunks = trunks.iter().map(|at| at.value.clone()).collect();
    settings.hours = hours(&section).map(|at| at.value);
    let durations = [
        ("ring_timeout", &mut settings.ring_timeout),
        ("retry_after", &mut settings.retry_after),
        ("keep", &mut settings.keep),
    ];
    for (key, slot) in durations {
        if let Some(found) = section.duration(key, false) {
            *slot = found.value;
        }
    }
    if let Some(attempts) = section.number("attempts", 1..=20) {
        settings.attempts = attempts.value as u8;
    }
    let own = |v: &toml_edit::Value| v.as_str().and_then(|s| if s == "86" { Some(s.to_owned()) } else { country(s) });
    let fix = r#"write it without + or 0 in front: ["86"], ["86", "852"]"#;
    if let Some(countries) = section.list("countries", "a country code", fix, own) {
        settings.countries = countries.into_iter().map(|at| at.value).collect();
    }
    if let Some(most) = section.number("max_pending", 1..=1_000_000) {
        settings.max_pending = most.value;
    }
    let missed = missed(&section);
    if let Some(found) = &missed {
        settings.missed = found.value;
    }
    if settings.attempts > 1 && settings.keep <= settings.retry_after {
        let (keep, retry) = (settings.keep, settings.retry_after);
        let what = format!("keep = {keep:?} in [callbacks] ends before a second attempt, retry_after = {retry:?}");
        section.file.problem(section.line_of("keep"), what, "keep them longer, or set attempts = 1");
    }
    let line = section.line;
    section.done();
    CallbacksEntry { settings, trunks, missed: missed.map_or(line, |at| at.line) }
}

fn missed(section: &Section<'_>) -> Option<At<MissedCalls>> {
    let words = [("ignore", MissedCalls::Ignore), ("list", MissedCalls::List)];
    let At { value, line } = section.form("missed", &words, "{ call_back = 9 }")?;
    let value = match value {
        Form::Word(word) => Some(word),
        Form::Table(table) => {
            let found = table.number("call_back", 0..=9).map(|at| MissedCalls::CallBack { priority: at.value as u8 });
            if !table.has("call_back") {
                table.missing("call_back", 9);
            }
            table.done();
            found
        }
    };
    value.map(|value| At { value, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_country_codes() {
        let tags = ["en", "zh-CN", "zh-jinan", "", "e", "en_US", "en-", "english language", "日本語"];
        assert_eq!(tags.map(is_tag), [true, true, true, false, false, false, false, false, false]);
        let codes = ["81", "1", "1242", "86", "081", "+81", "", "12345", "JP"];
        assert_eq!(codes.map(|c| country(c).is_some()), [true, true, true, false, false, false, false, false, false]);
    }
}
