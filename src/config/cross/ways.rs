//! What leads where. Belongs here: called numbers, lines, languages, overflow and the queues at their ends, the keys
//! callers press on the way, the prompts they hear. Not here: who answers at the end (`skills`).

use super::*;
use crate::ids::QueueName;
use crate::media::PromptLibrary;
use crate::trunk::number::normalise_dnis;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn ways(file: &File, entries: &Entries, core: &CoreSettings) {
    numbers(file, entries, core);
    queues_exist(file, entries);
    overflow_ends(file, entries);
    reachable(file, entries);
    languages(file, entries);
    keys(file, entries);
}

/// A called number leads to one place.
fn numbers(file: &File, entries: &Entries, core: &CoreSettings) {
    let queues = entries.queues.iter().map(|q| (q.queue.name.as_str(), &q.numbers));
    let lines = entries.lines.iter().map(|l| (l.settings.name.as_str(), &l.numbers));
    let mut taken: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for (owner, numbers) in queues.chain(lines) {
        for At { value, line } in numbers {
            let number = normalise_dnis(value.as_bytes(), &core.area_code);
            match taken.get(&number) {
                Some((owner, first)) => {
                    let what = format!("number {value:?} ({number}) leads to {owner} already, line {first}");
                    file.problem(*line, what, "a called number leads to one queue; remove it from the other");
                }
                None => {
                    taken.insert(number, (owner, *line));
                }
            }
        }
    }
    for entry in &entries.lines {
        let name = entry.settings.name.as_str();
        if let Some(queue) = entries.queues.iter().find(|q| q.queue.name.as_str() == name && !q.numbers.is_empty()) {
            let what = format!("line {name} is also a queue with numbers of its own, line {}", queue.line);
            file.problem(entry.line, what, "rename the line, or move the queue's numbers to it");
        }
    }
}

fn queues_exist(file: &File, entries: &Entries) {
    let names = || entries.queues.iter().map(|q| q.queue.name.as_str());
    let check = |at: &At<QueueName>, who: String| {
        if names().all(|name| name != at.value.as_str()) {
            let what = format!("there is no queue {:?}, to which {who}", at.value.as_str());
            unknown(file, at.line, what, at.value.as_str(), names(), "add it under [[queues]], or name another");
        }
    };
    for entry in &entries.lines {
        entry.queues.iter().for_each(|at| check(at, format!("line {} leads", entry.settings.name)));
    }
    for entry in &entries.languages {
        check(&entry.queue, format!("language {} leads", entry.settings.tag));
    }
    for entry in &entries.queues {
        if let Some(over) = &entry.queue.overflow {
            let at = At { value: over.queue.clone(), line: entry.overflow };
            check(&at, format!("queue {} overflows", entry.queue.name));
        }
    }
}

fn overflow_of<'e>(entries: &'e Entries, queue: &QueueName) -> Option<&'e QueueName> {
    let entry = entries.queues.iter().find(|q| q.queue.name == *queue)?;
    entry.queue.overflow.as_ref().map(|over| &over.queue)
}

/// A caller passed in a ring would never be told that nobody is there. Each loop is told once, where it is entered
/// first.
fn overflow_ends(file: &File, entries: &Entries) {
    let mut told: BTreeSet<&QueueName> = BTreeSet::new();
    for entry in &entries.queues {
        let start = &entry.queue.name;
        let mut chain = vec![start];
        while let Some(next) = overflow_of(entries, chain[chain.len() - 1]) {
            if next == start {
                chain.push(next);
                break;
            }
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        if chain.len() < 2 || chain[chain.len() - 1] != start || told.contains(start) {
            continue;
        }
        let what = match chain.len() {
            2 => format!("queue {start} overflows to itself"),
            _ => {
                let names: Vec<&str> = chain.iter().map(|name| name.as_str()).collect();
                format!("queues overflow in a loop: {}", names.join(" -> "))
            }
        };
        file.problem(entry.overflow, what, "let the last of a chain have no overflow");
        told.extend(chain);
    }
}

/// These queues and all that their callers may overflow to.
fn with_overflow<'e>(entries: &'e Entries, queues: impl IntoIterator<Item = &'e QueueName>) -> BTreeSet<&'e QueueName> {
    let mut reached = BTreeSet::new();
    for queue in queues {
        let mut next = Some(queue);
        while let Some(queue) = next.filter(|queue| reached.insert(*queue)) {
            next = overflow_of(entries, queue);
        }
    }
    reached
}

fn reachable(file: &File, entries: &Entries) {
    let numbered = entries.queues.iter().filter(|q| !q.numbers.is_empty()).map(|q| &q.queue.name);
    let lines = entries.lines.iter().flat_map(|l| &l.queues).map(|at| &at.value);
    let languages = entries.languages.iter().map(|l| &l.queue.value);
    let reached = with_overflow(entries, numbered.chain(lines).chain(languages));
    for entry in entries.queues.iter().filter(|q| !q.numbers_unread && !reached.contains(&q.queue.name)) {
        let what = format!("no call reaches queue {}", entry.queue.name);
        let fix = r#"add numbers = ["12345"], or lead a line, a language or another queue's overflow to it"#;
        file.problem(entry.line, what, fix);
    }
}

/// A country and a key stand for one language each.
fn languages(file: &File, entries: &Entries) {
    let mut countries: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    let mut keys: BTreeMap<char, (&str, usize)> = BTreeMap::new();
    for entry in &entries.languages {
        let tag = entry.settings.tag.as_str();
        for At { value, line } in &entry.countries {
            if let Some((other, first)) = countries.get(value.as_str()) {
                let what = format!("country code {value} of language {tag} is there already: {other}, line {first}");
                file.problem(*line, what, "callers of one country are taken to speak one language; remove the other");
            }
            countries.entry(value).or_insert((tag, *line));
        }
        if let Some(At { value, line }) = &entry.key {
            if let Some((other, first)) = keys.get(value) {
                let what = format!("key {value} of language {tag} is taken by language {other}, line {first}");
                file.problem(*line, what, "give each language a key of its own");
            }
            keys.entry(*value).or_insert((tag, *line));
        }
    }
    let any = |has: fn(&LanguageEntry) -> bool| entries.languages.iter().any(has);
    for entry in &entries.lines {
        let choice = entry.settings.choice;
        let idle = [
            (choice.by_country, any(|l| !l.countries.is_empty()), entry.by_country, "by_country", "with countries"),
            (choice.by_key, any(|l| l.key.is_some()), entry.by_key, "by_key", "with a key"),
            (choice.remembered, any(|_| true), entry.remembered, "remembered", "at all"),
        ];
        for (_, _, line, key, lacking) in idle.into_iter().filter(|(asked, possible, ..)| *asked && !possible) {
            let what = format!("{key} of line {} chooses nothing: there is no language {lacking}", entry.settings.name);
            file.problem(line, what, format!("add [[languages]] {lacking}, or remove {key}").replace(" at all", ""));
        }
    }
}

/// While a caller waits, the keys of languages and of the callback are heard at the same time.
fn keys(file: &File, entries: &Entries) {
    let by_key = entries.lines.iter().filter(|l| l.settings.choice.by_key);
    let mut entered: Vec<&QueueName> = by_key.flat_map(|l| &l.queues).map(|at| &at.value).collect();
    if !entered.is_empty() {
        entered.extend(entries.languages.iter().filter(|l| l.key.is_some()).map(|l| &l.queue.value));
    }
    let entered = with_overflow(entries, entered);
    for entry in entries.queues.iter().filter(|q| entered.contains(&q.queue.name)) {
        let Some(offer) = &entry.queue.callback else { continue };
        if let Some(language) = entries.languages.iter().find(|l| l.settings.key == Some(offer.key)) {
            let (key, tag) = (offer.key, &language.settings.tag);
            let what = format!("key {key} asks to be called back and chooses language {tag}");
            file.problem(entry.callback, what, "give the callback another key: both may be pressed while waiting");
        }
    }
}

pub(super) fn prompts(file: &File, entries: &Entries, world: &WorldSettings) {
    let mut known: Vec<&str> = PromptLibrary::built_in_names().collect();
    known.extend(world.prompts.keys().map(|name| &**name));
    let queues = entries.queues.iter().flat_map(|q| &q.prompts);
    let lines = entries.lines.iter().flat_map(|l| &l.prompts);
    let languages = entries.languages.iter().filter_map(|l| l.invitation.as_ref());
    for At { value, line } in queues.chain(lines).chain(languages).filter(|at| !known.contains(&at.value.as_str())) {
        let what = format!("there is no prompt {value:?}");
        unknown(file, *line, what, value, known.iter().copied(), format!("add {value} = \"file.wav\" to [prompts]"));
    }
}
