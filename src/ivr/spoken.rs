//! Announcements, from what is to be said to the names of prompts, by language. Belongs here: how each language puts a
//! number into a sentence. Not here: the words themselves (`media/prompts/texts.txt`), when they are said (`call`).
//!
//! A language is a BCP 47 tag, of which the first part counts; one without prompts is spoken to in Chinese. Names are
//! `<what>-<language>`. Nothing is said that would need a number beyond 20.

use crate::plane::PromptId;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Zh,
    En,
    Ja,
    Ko,
    Fr,
    Ru,
    De,
}

/// The largest number with a word of its own.
const LARGEST: u64 = 20;

/// The caller's place in the line, from 1.
pub fn position(language: &str, n: usize) -> Vec<PromptId> {
    let language = Language::of(language);
    match n as u64 {
        0 | 1 => language.say(["next"]),
        n if n > LARGEST => language.say(["many"]),
        n => {
            let mut said = language.say(["position-lead"]);
            said.extend(language.number(n));
            if matches!(language, Language::Zh | Language::En | Language::Ja | Language::Ko) {
                said.extend(language.say(["position-tail"]));
            }
            said
        }
    }
}

/// How long the caller will probably wait, in minutes begun. One minute is said as less than one.
pub fn estimate(language: &str, wait: Duration) -> Vec<PromptId> {
    let language = Language::of(language);
    match wait.as_millis().div_ceil(60_000) as u64 {
        0 | 1 => language.say(["less-than-a-minute"]),
        n if n > LARGEST => language.say(["more-than-20"]),
        n => {
            let mut said = language.say(["estimate-lead"]);
            said.extend(language.minutes(n));
            said
        }
    }
}

/// To be called back without losing the place: press the key, or hang up after this; or stay on the line.
pub fn callback_offer(language: &str, key: char) -> Vec<PromptId> {
    let language = Language::of(language);
    let mut said = language.say(["callback-lead"]);
    said.extend(language.key(key));
    said.extend(language.say(["callback-or-hang-up", "callback-stay"]));
    said
}

/// As [`callback_offer`] where hanging up does not accept it.
pub fn callback_offer_by_key(language: &str, key: char) -> Vec<PromptId> {
    let language = Language::of(language);
    let mut said = language.say(["callback-lead"]);
    said.extend(language.key(key));
    // The verb stands after the key.
    if matches!(language, Language::Ja | Language::Ko) {
        said.extend(language.say(["callback-press"]));
    }
    said.extend(language.say(["callback-stay"]));
    said
}

/// The callback is noted; good-bye.
pub fn callback_promised(language: &str) -> Vec<PromptId> {
    Language::of(language).say(["callback-promised"])
}

/// Somebody will be there soon.
pub fn please_wait(language: &str) -> Vec<PromptId> {
    Language::of(language).say(["please-wait"])
}

/// How was the call? A key from 5, very good, to 1.
pub fn survey(language: &str) -> Vec<PromptId> {
    Language::of(language).say(["survey"])
}

/// For having said so; good-bye.
pub fn survey_thanks(language: &str) -> Vec<PromptId> {
    Language::of(language).say(["survey-thanks"])
}

/// The line is closed now.
pub fn closed(language: &str) -> Vec<PromptId> {
    Language::of(language).say(["closed"])
}

impl Language {
    fn of(tag: &str) -> Language {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        let known = [
            ("en", Language::En),
            ("ja", Language::Ja),
            ("ko", Language::Ko),
            ("fr", Language::Fr),
            ("ru", Language::Ru),
            ("de", Language::De),
        ];
        known.iter().find(|(name, _)| first.eq_ignore_ascii_case(name)).map_or(Language::Zh, |(_, language)| *language)
    }

    fn suffix(self) -> &'static str {
        match self {
            Language::Zh => "zh",
            Language::En => "en",
            Language::Ja => "ja",
            Language::Ko => "ko",
            Language::Fr => "fr",
            Language::Ru => "ru",
            Language::De => "de",
        }
    }

    fn say<const N: usize>(self, what: [&str; N]) -> Vec<PromptId> {
        what.iter().map(|what| self.name(what)).collect()
    }

    fn name(self, what: &str) -> PromptId {
        format!("{what}-{}", self.suffix()).into()
    }

    /// 1 to 20.
    fn number(self, n: u64) -> Vec<PromptId> {
        match (self, n) {
            (Language::Zh | Language::Ja | Language::Ko, 11..=19) => {
                vec![self.name("number-10"), self.name(&format!("number-{}", n - 10))]
            }
            _ => vec![self.name(&format!("number-{n}"))],
        }
    }

    /// 2 to 20, with the word for minutes.
    fn minutes(self, n: u64) -> Vec<PromptId> {
        let mut said = match (self, n) {
            // The counter's sound changes with the number: にふん, さんぷん.
            (Language::Ja, 11..=19) => vec![self.name("number-10"), self.name(&format!("minutes-{}", n - 10))],
            (Language::Ja, _) => vec![self.name(&format!("minutes-{n}"))],
            // 两分钟, две минуты: not the number by itself.
            (Language::Zh | Language::Ru, 2) => vec![self.name("number-2-minutes")],
            _ => self.number(n),
        };
        said.push(self.name(match (self, n) {
            (Language::Ja, _) => "estimate-tail",
            (Language::Ru, 2..=4) => "minutes-few",
            _ => "minutes",
        }));
        said
    }

    fn key(self, key: char) -> Vec<PromptId> {
        match key {
            // As agents' numbers are read: 1 is yāo.
            '0'..='9' if self == Language::Zh => vec![format!("digit-{key}").into()],
            '1'..='9' => self.number(u64::from(key as u8 - b'0')),
            '0' => vec![self.name("key-0")],
            '*' => vec![self.name("key-star")],
            '#' => vec![self.name("key-hash")],
            // No such key on a telephone.
            _ => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(prompts: Vec<PromptId>) -> String {
        prompts.join(" ")
    }

    #[test]
    fn a_place_in_each_grammar() {
        assert_eq!(said(position("zh-CN", 1)), "next-zh");
        assert_eq!(said(position("zh-CN", 12)), "position-lead-zh number-10-zh number-2-zh position-tail-zh");
        assert_eq!(said(position("en-GB", 12)), "position-lead-en number-12-en position-tail-en");
        assert_eq!(said(position("DE", 20)), "position-lead-de number-20-de");
        assert_eq!(said(position("fr", 21)), "many-fr");
        assert_eq!(said(position("vi", 3)), said(position("zh", 3)), "a language without prompts");
    }

    #[test]
    fn minutes_are_rounded_up_and_agree_with_their_number() {
        let wait = |language, seconds| said(estimate(language, Duration::from_secs(seconds)));
        assert_eq!([wait("zh", 0), wait("en", 60)], ["less-than-a-minute-zh", "less-than-a-minute-en"]);
        assert_eq!(wait("en", 61), "estimate-lead-en number-2-en minutes-en");
        assert_eq!(wait("zh", 120), "estimate-lead-zh number-2-minutes-zh minutes-zh");
        assert_eq!(wait("ru", 120), "estimate-lead-ru number-2-minutes-ru minutes-few-ru");
        assert_eq!(wait("ru", 300), "estimate-lead-ru number-5-ru minutes-ru");
        assert_eq!(wait("ja", 780), "estimate-lead-ja number-10-ja minutes-3-ja estimate-tail-ja");
        assert_eq!(
            [wait("de", 1_200), wait("de", 1_201)],
            ["estimate-lead-de number-20-de minutes-de", "more-than-20-de"]
        );
    }

    #[test]
    fn the_key_is_spoken_where_the_language_wants_it() {
        assert_eq!(said(callback_offer("zh", '1')), "callback-lead-zh digit-1 callback-or-hang-up-zh callback-stay-zh");
        assert_eq!(
            said(callback_offer_by_key("ja", '9')),
            "callback-lead-ja number-9-ja callback-press-ja callback-stay-ja"
        );
        assert_eq!(said(callback_offer_by_key("de", '*')), "callback-lead-de key-star-de callback-stay-de");
    }
}
