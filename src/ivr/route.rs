//! Where a call goes and why, without asking the caller anything. Belongs here: the order of the reasons. Not here:
//! whether the queue takes the call (`acd`).

use crate::config::settings::{Closed, LanguageSettings, LineSettings, QueueSettings};
use crate::event::Why;
use crate::ids::QueueName;
use crate::plane::PromptId;
use crate::time::Instant;

/// What a caller is led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Queue(QueueName, Why),
    /// Out of hours: told so, with this prompt or the usual message, and let go.
    Closed(Option<PromptId>),
}

/// `caller`: E.164, `None` if withheld or unknown. `remembered`: the queue this caller was served in last.
/// `utc_offset`: minutes.
pub fn way(
    line: &LineSettings,
    now: Instant,
    utc_offset: i16,
    caller: Option<&str>,
    remembered: Option<&QueueName>,
    languages: &[LanguageSettings],
) -> Way {
    if line.hours.as_ref().is_some_and(|hours| !hours.open_at(now, utc_offset)) {
        return match &line.closed {
            Closed::Message => Way::Closed(None),
            Closed::Prompt(prompt) => Way::Closed(Some(prompt.clone())),
            Closed::Queue(queue) => Way::Queue(queue.clone(), Why::Closed),
        };
    }
    let (queue, why) = language(line, caller, remembered, languages);
    Way::Queue(queue.clone(), why)
}

/// The queue of the caller's language: by the number called, the country code, the memory, in this order.
pub fn language<'a>(
    line: &'a LineSettings,
    caller: Option<&str>,
    remembered: Option<&'a QueueName>,
    languages: &'a [LanguageSettings],
) -> (&'a QueueName, Why) {
    let speaks = |queue: &QueueName| languages.iter().any(|l| l.queue == *queue);
    if speaks(&line.queue) {
        return (&line.queue, Why::Line);
    }
    if line.choice.by_country
        && let Some((language, code)) = caller.and_then(|caller| of_country(caller, languages))
    {
        return (&language.queue, Why::Country(code.to_owned()));
    }
    match remembered.filter(|queue| line.choice.remembered && caller.is_some() && speaks(queue)) {
        Some(queue) => (queue, Why::Remembered),
        None => (&line.queue, Why::Line),
    }
}

/// The longest country code wins: +1 242 is not +1. A call from within China says nothing of the language.
fn of_country<'a>(caller: &str, languages: &'a [LanguageSettings]) -> Option<(&'a LanguageSettings, &'a str)> {
    let digits = caller.strip_prefix('+').filter(|digits| !digits.starts_with("86"))?;
    let codes = languages.iter().rev().flat_map(|l| l.countries.iter().map(move |code| (l, code.as_str())));
    // Of equals the last counts, which is the first configured.
    codes.filter(|(_, code)| !code.is_empty() && digits.starts_with(code)).max_by_key(|(_, code)| code.len())
}

/// The language a key stands for.
pub fn of_key(key: char, languages: &[LanguageSettings]) -> Option<&LanguageSettings> {
    languages.iter().find(|l| l.key == Some(key))
}

/// "For English press 2", in English, and so on; nothing on lines without the choice.
pub fn invitations(line: &LineSettings, languages: &[LanguageSettings]) -> Vec<PromptId> {
    if !line.choice.by_key {
        return vec![];
    }
    languages.iter().filter(|l| l.key.is_some()).filter_map(|l| l.invitation.clone()).collect()
}

/// Where a call goes on to that `queue` refuses or keeps waiting, unless it has `been` there.
pub fn onward<'a>(queue: &'a QueueSettings, been: &[QueueName]) -> Option<&'a QueueName> {
    queue.overflow.as_ref().map(|o| &o.queue).filter(|next| !been.contains(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{Hours, LanguageChoice};
    use std::collections::BTreeSet;

    fn line(queue: &str, choice: LanguageChoice) -> LineSettings {
        LineSettings { choice, ..LineSettings::of_queue("12345", queue.into(), BTreeSet::new()) }
    }

    fn language_of(tag: &str, queue: &str, countries: &[&str], key: Option<char>) -> LanguageSettings {
        LanguageSettings {
            tag: tag.into(),
            queue: queue.into(),
            countries: countries.iter().map(|c| (*c).to_owned()).collect(),
            key,
            invitation: Some(format!("invitation-{tag}").into()),
        }
    }

    fn languages() -> Vec<LanguageSettings> {
        vec![
            language_of("en", "english", &["1", "44", "8"], Some('2')),
            language_of("es", "spanish", &["1787", "34"], None),
            language_of("ja", "japanese", &["81", "44"], Some('3')),
        ]
    }

    const ALL: LanguageChoice = LanguageChoice { by_country: true, remembered: true, by_key: true };

    #[test]
    fn language_without_a_menu() {
        let none = LanguageChoice::default();
        // line's queue, choice, caller, remembered -> queue and why
        for (queue, choice, caller, remembered, want) in [
            ("mandarin", ALL, Some("+8613812345678"), None, "mandarin line"),
            ("mandarin", ALL, Some("+81312345678"), None, "japanese country 81"),
            ("mandarin", ALL, Some("+12125550100"), None, "english country 1"),
            ("mandarin", ALL, Some("+17875550100"), None, "spanish country 1787"),
            // Two languages of one country: the first configured.
            ("mandarin", ALL, Some("+442071234567"), None, "english country 44"),
            ("mandarin", ALL, Some("+33123456789"), None, "mandarin line"),
            // The country before the memory.
            ("mandarin", ALL, Some("+81312345678"), Some("english"), "japanese country 81"),
            ("mandarin", ALL, Some("+8613812345678"), Some("english"), "english remembered"),
            // Served in a queue that is no language's.
            ("mandarin", ALL, Some("+8613812345678"), Some("taxi"), "mandarin line"),
            // The number called before everything.
            ("english", ALL, Some("+81312345678"), Some("spanish"), "english line"),
            // Nobody's number is known: neither country nor memory.
            ("mandarin", ALL, None, Some("english"), "mandarin line"),
            ("mandarin", none, Some("+81312345678"), Some("english"), "mandarin line"),
        ] {
            let remembered = remembered.map(QueueName::new);
            let (line, languages) = (line(queue, choice), languages());
            let (to, why) = language(&line, caller, remembered.as_ref(), &languages);
            let why = match &why {
                Why::Country(code) => format!("country {code}"),
                why => why.as_str().to_owned(),
            };
            assert_eq!(format!("{to} {why}"), want, "{queue} {caller:?} {remembered:?}");
        }
    }

    #[test]
    fn out_of_hours() {
        let mut mornings = Hours::default();
        mornings.week.fill(vec![(8 * 60, 12 * 60)]);
        let at = |hour: u64| Instant::from_unix_secs(1_795_104_000 + hour * 3_600);
        let way = |line: &LineSettings, hour| super::way(line, at(hour), 480, Some("+81312345678"), None, &languages());
        let mut line = LineSettings { hours: Some(mornings), ..line("mandarin", ALL) };
        assert_eq!(way(&line, 9), Way::Queue("japanese".into(), Why::Country("81".into())));
        assert_eq!(way(&line, 13), Way::Closed(None));
        line.closed = Closed::Prompt("taxi-closed".into());
        assert_eq!(way(&line, 13), Way::Closed(Some("taxi-closed".into())));
        line.closed = Closed::Queue("duty".into());
        assert_eq!(way(&line, 13), Way::Queue("duty".into(), Why::Closed));
        line.hours = None;
        assert_eq!(way(&line, 13), Way::Queue("japanese".into(), Why::Country("81".into())));
    }

    #[test]
    fn only_what_has_a_key_is_invited_to_and_only_where_keys_count() {
        let languages = languages();
        let invited = |choice| invitations(&line("mandarin", choice), &languages).join(" ");
        assert_eq!(invited(ALL), "invitation-en invitation-ja");
        assert_eq!(invited(LanguageChoice { by_key: false, ..ALL }), "");
        assert_eq!(of_key('3', &languages).map(|l| l.queue.as_str()), Some("japanese"));
        assert_eq!(of_key('9', &languages), None);
    }
}
