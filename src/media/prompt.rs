//! Prompts by name, loaded once to A-law and shared by all legs. Belongs here: the library, the built-in set, how an
//! agent's number is spelt. Not here: reading WAV (`wav`), playing (`source`).

#[path = "prompts/speech.rs"]
mod speech;

use super::{music, wav};
use speech::SPEECH;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

/// Immutable once made.
#[derive(Clone, Debug)]
pub struct PromptLibrary {
    clips: BTreeMap<String, Arc<[u8]>>,
}

/// The same sound by a further name: the hotline's own language needs no suffix.
const ALIASES: [(&str, &str); 3] =
    [("greeting-zh", "greeting"), ("please-wait-zh", "please-wait"), ("closed", "closed-zh")];

/// Makes a clip.
type Maker = fn() -> Vec<u8>;
/// Sounds made at start.
const MADE: [(&str, Maker); 3] =
    [("music", music::music), ("beep-ok", music::beep_ok), ("beep-error", music::beep_error)];

/// A prompt that cannot be used: whose file, and what is wrong with it.
#[derive(Debug)]
pub struct PromptError {
    pub prompt: String,
    pub file: PathBuf,
    pub fault: wav::WavFault,
}

impl PromptLibrary {
    /// The built-in set alone.
    pub fn built_in() -> Self {
        let speech = SPEECH.iter().map(|(name, file)| -> (String, Arc<[u8]>) {
            let alaw = wav::to_alaw(*file).unwrap_or_else(|e| panic!("built-in prompt {name} {e}"));
            (name.to_string(), alaw.into())
        });
        let made = MADE.iter().map(|(name, make)| (name.to_string(), make().into()));
        let mut clips: BTreeMap<String, Arc<[u8]>> = speech.chain(made).collect();
        for (name, of) in ALIASES {
            clips.insert(name.into(), clips[of].clone());
        }
        PromptLibrary { clips }
    }

    /// The built-in set with the configured files over it.
    ///
    /// # Errors
    /// All files that cannot be used, not just the first.
    pub fn load(files: &BTreeMap<String, PathBuf>) -> Result<Self, Vec<PromptError>> {
        let mut library = Self::built_in();
        let mut errors = Vec::new();
        for (prompt, file) in files {
            let opened = File::open(file).map_err(wav::WavFault::Missing);
            match opened.and_then(|f| wav::to_alaw(BufReader::new(f))) {
                Ok(alaw) => drop(library.clips.insert(prompt.clone(), alaw.into())),
                Err(fault) => errors.push(PromptError { prompt: prompt.clone(), file: file.clone(), fault }),
            }
        }
        if errors.is_empty() { Ok(library) } else { Err(errors) }
    }

    /// A library of ready A-law clips and nothing else. Empty clips are left out.
    pub fn from_alaw(mut clips: BTreeMap<String, Arc<[u8]>>) -> Self {
        clips.retain(|_, clip| !clip.is_empty());
        PromptLibrary { clips }
    }

    /// 8 kHz A-law, never empty.
    pub fn get(&self, name: &str) -> Option<Arc<[u8]>> {
        self.clips.get(name).cloned()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.clips.keys().map(String::as_str)
    }

    /// Names of the built-in set, without making it: what a configuration may refer to.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        let spoken = SPEECH.iter().map(|(name, _)| *name);
        spoken.chain(MADE.iter().map(|(name, _)| *name)).chain(ALIASES.iter().map(|(name, _)| *name))
    }
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "prompt \"{}\": {} {}", self.prompt, self.file.display(), self.fault)
    }
}

impl std::error::Error for PromptError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::announcement;
    use crate::ids::AgentNo;

    #[test]
    fn the_built_in_set_speaks() {
        let library = PromptLibrary::built_in();
        let names: Vec<&str> = library.names().collect();
        let mut promised: Vec<&str> = PromptLibrary::built_in_names().collect();
        promised.sort_unstable();
        assert_eq!(names, promised);
        for name in names {
            let clip = library.get(name).unwrap();
            let seconds = clip.len() as f32 / 8_000.0;
            assert!((0.15..30.0).contains(&seconds), "{name} lasts {seconds} s");
            let loudest = clip.iter().map(|a| super::super::g711::alaw_to_linear(*a).unsigned_abs()).max().unwrap();
            assert!(loudest > 1_500, "{name} is too soft to hear: {loudest}");
        }
    }

    #[test]
    fn every_part_of_an_announcement_exists() {
        let parts = announcement(&AgentNo::new("6807"));
        assert_eq!(
            parts.iter().map(|p| &**p).collect::<Vec<_>>().join(" "),
            "agent-number digit-6 digit-8 digit-0 digit-7 at-your-service"
        );
        let names: Vec<&str> = PromptLibrary::built_in_names().collect();
        assert!(announcement(&AgentNo::new("1234567890")).iter().all(|p| names.contains(&&**p)));
    }

    /// Whatever a caller may be told, in any language, exists.
    #[test]
    fn everything_the_gateway_can_say_exists() {
        use crate::ivr::spoken;
        let names: std::collections::BTreeSet<&str> = PromptLibrary::built_in_names().collect();
        for language in ["zh-CN", "zh-jinan", "en", "en-GB", "ja", "ko", "fr", "ru", "de", "tlh"] {
            let mut said: Vec<_> = (0..100).flat_map(|n| spoken::position(language, n)).collect();
            said.extend((0..2_000).flat_map(|s| spoken::estimate(language, std::time::Duration::from_secs(s))));
            for key in "0123456789*#".chars() {
                said.extend(spoken::callback_offer(language, key));
                said.extend(spoken::callback_offer_by_key(language, key));
            }
            said.extend(spoken::please_wait(language));
            said.extend(spoken::closed(language));
            said.extend(spoken::callback_promised(language));
            for prompt in said {
                assert!(names.contains(&*prompt), "{language}: no prompt {prompt}");
            }
        }
        for language in ["en", "ja", "ko", "fr", "ru", "de"] {
            for what in ["greeting", "invite"] {
                assert!(names.contains(&*format!("{what}-{language}")), "{what}-{language}");
            }
        }
    }

    #[test]
    fn all_unusable_files_are_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "not audio").unwrap();
        let missing = folder.path().join("gone.wav");
        let files = BTreeMap::from([("greeting".to_string(), text), ("music".to_string(), missing)]);
        let errors: Vec<String> = PromptLibrary::load(&files).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 2);
        assert!(errors[0].contains("\"greeting\"") && errors[0].contains("notes.txt is not a sound WAV"), "{errors:?}");
        assert!(errors[1].contains("\"music\"") && errors[1].contains("gone.wav cannot be opened"), "{errors:?}");
    }
}
