//! What a good configuration does with a call, in a few lines that `rexian check` prints: each called number and where
//! it leads, each queue and who answers it when. Belongs here: the wording. Not here: finding faults (`cross`).

use super::hours::{day_names, shown};
use super::queues::needed;
use super::settings::*;
use crate::casework;
use crate::ids::QueueName;
use std::time::Duration;

/// Ends in a line feed.
pub fn explain(settings: &Settings) -> String {
    let core = &settings.core;
    let mut text = block("called numbers", numbers(core));
    text += &block("languages", core.languages.iter().map(language).collect());
    text += &block("queues", core.queues.iter().flat_map(|queue| steps(core, queue)).collect());
    text += &block("over all queues", rules(core));
    text += &block("tickets", tickets(&settings.world.casework));
    let serves =
        |agent: &AgentSettings| core.queues.iter().flat_map(QueueSettings::steps).any(|step| agent.meets(&step.skills));
    let idle: Vec<&str> = core.agents.iter().filter(|a| !serves(a)).map(|a| a.number.as_str()).collect();
    if !idle.is_empty() {
        text += &format!("notice: no queue asks for what these agents can do: {}\n", idle.join(" "));
    }
    text + &no_way_to_help(core) + &bare_keys(settings)
}

/// A notice and no fault: a hotline that only answers may have another telephone for this, and must know that it needs one.
fn no_way_to_help(core: &CoreSettings) -> String {
    if core.seats.is_empty() || core.trunks.iter().any(|trunk| trunk.call_out.is_some()) {
        return String::new();
    }
    let numbers: Vec<&str> = core.dialling.emergency.iter().map(String::as_str).collect();
    let numbers = numbers.join(" ");
    format!(
        "notice: no trunk has call_out, so a seat that dials {numbers} reaches nobody: have another telephone there\n"
    )
}

/// Keys in the SDP protect the audio from those who cannot read the signalling. A notice and no fault: a VPN around both
/// may be all that is wanted, and encrypted audio then still keeps who taps the voice network alone from listening.
fn bare_keys(settings: &Settings) -> String {
    let (core, tls) = (&settings.core, settings.world.sip_streams().any(|(by, _)| by.is_encrypted()));
    let bare = |trunk: &&TrunkSettings| {
        trunk.srtp != Srtp::Never && (!tls || trunk.hops.iter().any(|hop| hop.transport != Transport::Tls))
    };
    let trunks = core.trunks.iter().filter(bare).map(|t| format!("trunk {}", t.name));
    let seats = core.seats.iter().filter(|s| s.srtp != Srtp::Never && !tls).map(|s| format!("seat {}", s.number));
    let named: Vec<String> = trunks.chain(seats).collect();
    if named.is_empty() {
        return String::new();
    }
    let who = named.join(", ");
    format!("notice: srtp over signalling without TLS shows its keys to whoever reads that: {who}\n")
}

/// Rows below a heading, all cells but the last padded to one width; nothing without rows.
fn block(heading: &str, rows: Vec<Vec<String>>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| wide(column).unwrap_or(0)).collect();
    let mut text = if rows.is_empty() { String::new() } else { format!("{heading}\n") };
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("  {cell:width$}"));
        text += cells.collect::<String>().trim_end();
        text += "\n";
    }
    text
}

/// Number, where it leads, on what terms.
fn numbers(core: &CoreSettings) -> Vec<Vec<String>> {
    let mut rows = vec![];
    let own = core.queues.iter().map(|q| LineSettings::of_queue(q.name.as_str(), q.name.clone(), q.numbers.clone()));
    for line in core.lines.iter().cloned().chain(own) {
        let way = match line.name.as_str() == line.queue.as_str() {
            true => line.queue.to_string(),
            false => format!("{} -> {}", line.name, line.queue),
        };
        let test = core.queues.iter().any(|q| q.name == line.queue && q.test);
        for number in &line.numbers {
            rows.push(vec![number.clone(), way.clone(), terms(&line, test)]);
        }
    }
    rows
}

fn terms(line: &LineSettings, test_queue: bool) -> String {
    let mut terms = vec![match &line.hours {
        None => "always open".to_owned(),
        Some(hours) => {
            let closed = match &line.closed {
                Closed::Message => "a message".to_owned(),
                Closed::Prompt(prompt) => format!("prompt {prompt}"),
                Closed::Queue(queue) => format!("queue {queue}"),
            };
            format!("{}, else {closed}", week(hours))
        }
    }];
    let LanguageChoice { by_country, remembered, by_key } = line.choice;
    let choice = [(by_country, "country"), (remembered, "memory"), (by_key, "key")];
    let choice: Vec<&str> = choice.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    if !choice.is_empty() {
        terms.push(format!("language by {}", choice.join(", ")));
    }
    terms.extend(line.priority.map(|priority| format!("priority {priority}")));
    terms.extend(line.tenant.as_ref().map(|tenant| format!("tenant {tenant}")));
    terms.extend(line.notice.as_ref().map(|notice| format!("notice {notice}")));
    if line.test || test_queue {
        terms.push("test calls".into());
    }
    terms.join("; ")
}

/// `mon-fri 08:30-12:00 13:30-17:30, sat 09:00-12:00, not on 2 days`
fn week(hours: &Hours) -> String {
    let mut parts = vec![];
    let mut day = 0;
    while day < 7 {
        let last = (day..7).take_while(|d| hours.week[*d] == hours.week[day]).last().unwrap_or(day);
        if !hours.week[day].is_empty() {
            let spans: Vec<String> = hours.week[day].iter().map(|span| shown(*span)).collect();
            parts.push(format!("{} {}", day_names(day, last), spans.join(" ")));
        }
        day = last + 1;
    }
    if !hours.closed_on.is_empty() {
        parts.push(format!("not on {}", counted(hours.closed_on.len(), "day")));
    }
    parts.join(", ")
}

fn language(language: &LanguageSettings) -> Vec<String> {
    let mut ways = vec![];
    if !language.countries.is_empty() {
        let codes: Vec<String> = language.countries.iter().map(|code| format!("+{code}")).collect();
        ways.push(format!("callers from {}", codes.join(" ")));
    }
    ways.extend(language.key.map(|key| format!("key {key}")));
    vec![language.tag.clone(), format!("-> {}", language.queue), ways.join("; ")]
}

/// A queue's name, then a row for each step and for each other way out.
fn steps(core: &CoreSettings, queue: &QueueSettings) -> Vec<Vec<String>> {
    let mut rows = vec![];
    let mut row = |when: String, who: String, what: String| rows.push(vec![String::new(), when, who, what]);
    for step in queue.steps() {
        let able = core.agents.iter().filter(|a| a.meets(&step.skills)).count();
        let who = if able == 0 { "nobody".to_owned() } else { counted(able, "agent") };
        let mut what = needed(&step.skills);
        for (on, text) in [(step.use_reserve, ", the reserve too"), (step.interpreter, ", with an interpreter")] {
            what += if on { text } else { "" };
        }
        row(since(step.after), who, what);
    }
    if let Some(offer) = &queue.callback {
        let hang_up = if offer.on_hang_up { " or hanging up" } else { "" };
        row(since(offer.after), "callback".into(), format!("key {}{hang_up}", offer.key));
    }
    if let Some(over) = &queue.overflow {
        let when = over.after.map_or("if full".to_owned(), since);
        row(when, "overflow".into(), chain(core, over.queue.clone()));
    }
    if let Some(max) = queue.max_wait {
        row(since(max), "ends".into(), "longest wait".into());
    }
    rows[0][0] = queue.name.to_string();
    rows
}

/// Where the overflow leads, and that queue's, to the end.
fn chain(core: &CoreSettings, first: QueueName) -> String {
    let mut names = vec![first];
    while let Some(queue) = core.queues.iter().find(|q| q.name == names[names.len() - 1]) {
        match &queue.overflow {
            Some(over) if !names.contains(&over.queue) => names.push(over.queue.clone()),
            _ => break,
        }
    }
    names.iter().map(|name| format!("-> {name}")).collect::<Vec<_>>().join(" ")
}

/// What a ticket's life is held to.
fn tickets(casework: &casework::Rules) -> Vec<Vec<String>> {
    let casework::Rules { limits, calendar, categories, departments } = casework;
    let row = |name: &str, what: String| vec![name.to_owned(), what];
    let closes = format!("{:02}:{:02}", limits.closes / 60, limits.closes % 60);
    let (holidays, worked) = calendar.counts();
    let years: Vec<String> = calendar.years().iter().map(i16::to_string).collect();
    let days = format!(
        "passed on in {}, returned in {}, answered in {} (+{}, {} times); after {closes} counts from the next",
        limits.transfer_days, limits.return_days, limits.reply_days, limits.extension_days, limits.extensions
    );
    let classes = match categories.leaves() {
        0 => "none: tickets are not classified".to_owned(),
        leaves => format!("{leaves} to choose from, {}", counted(departments.len(), "department")),
    };
    vec![
        row("working days", days),
        row("calendar", format!("{}: {holidays} holidays, {worked} weekend days worked", years.join(" "))),
        row("categories", classes),
    ]
}

fn rules(core: &CoreSettings) -> Vec<Vec<String>> {
    let mut rows = vec![];
    let mut row = |name: &str, what: String| rows.push(vec![name.to_owned(), what]);
    for (skill, kept) in &core.distributor.reserve {
        let having = core.agents.iter().filter(|a| a.skills.contains_key(skill)).count();
        let what = match kept {
            0 => format!("{skill} last in choice, none of {} kept", counted(having, "agent")),
            _ => format!("{skill} {kept} of {}", counted(having, "agent")),
        };
        row("reserve", what);
    }
    let callbacks = &core.callbacks;
    let names: Vec<&str> = callbacks.trunks.iter().map(|trunk| trunk.as_str()).collect();
    let by = match names.join(", then ") {
        names if !names.is_empty() => format!("by trunk {names}, {}", counted(callbacks.attempts.into(), "attempt")),
        _ => "none, no trunk is named for them".into(),
    };
    row("callbacks", by + &callbacks.hours.as_ref().map_or(String::new(), |hours| format!(", {}", week(hours))));
    let missed = match callbacks.missed {
        MissedCalls::Ignore => "forgotten".into(),
        MissedCalls::List => "listed".into(),
        MissedCalls::CallBack { priority } => format!("called back at priority {priority}"),
    };
    row("missed calls", missed);
    rows
}

fn since(after: Duration) -> String {
    if after.is_zero() { "at once".into() } else { format!("after {}", as_written(after)) }
}

/// As the file has it: `90s`, `2m`, `1h`, `500ms`.
fn as_written(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let (size, unit) = units.into_iter().find(|(size, _)| millis.is_multiple_of(*size)).unwrap_or((1, "ms"));
    format!("{}{unit}", millis / size)
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
