//! `rexian why CALL`: one call's story from the event log, in plain words. Belongs here: the command line and finding the
//! call. Not here: the log (`store::journal`), the words (`english`, `chinese`), the walk through the facts (`story`).

mod chinese;
mod english;
mod story;
mod ticket;

pub(crate) use story::local;
pub use story::{Language, tell};

use crate::config;
use crate::config::settings::CaseStoreSettings;
use crate::ids::CallId;
use crate::store::journal::of_call;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The call: the 16 digits that logs, tickets and the phone's X-Rexian-Call header show; or a ticket number.
    #[arg(value_name = "CALL")]
    pub call: String,
    /// The event log. Without it: the one of the configuration, or rexian-events.db in the working directory.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// The gateway's configuration: names the event log, the case store and the local time.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Language of the story: zh or en. Without it: the locale's.
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Option<Language>,
}

/// Where to look, and what time it is there.
struct Place {
    events: Option<PathBuf>,
    cases: CaseStoreSettings,
    /// Minutes ahead of UTC.
    utc_offset: i16,
}

/// Configuration at fault, as `check` has it.
const BAD_CONFIG: u8 = 2;

pub fn run(options: &Options) -> ExitCode {
    let place = match place(options) {
        Ok(place) => place,
        Err(code) => return code,
    };
    match look_up(options, &place) {
        Ok(story) => {
            print!("{story}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn place(options: &Options) -> Result<Place, ExitCode> {
    let cases = CaseStoreSettings::Sqlite("rexian-cases.db".into());
    let usual = Place { events: Some("rexian-events.db".into()), cases, utc_offset: 480 };
    let mut place = match &options.config {
        None => usual,
        Some(path) => {
            let settings = config::load(path).map_err(|problems| {
                problems.iter().for_each(|problem| eprintln!("{problem}"));
                ExitCode::from(BAD_CONFIG)
            })?;
            let (events, cases) = (settings.world.events, settings.world.cases);
            Place { events, cases, utc_offset: settings.core.utc_offset }
        }
    };
    place.events = options.events.clone().or(place.events);
    Ok(place)
}

fn look_up(options: &Options, place: &Place) -> Result<String, String> {
    let Some(events) = &place.events else {
        return Err("no event log is kept: [storage] events is empty; name a file with --events".into());
    };
    let call = call_id(&options.call, &place.cases)?;
    let recorded = of_call(events, call).map_err(|e| e.to_string())?;
    if recorded.is_empty() {
        let file = events.display();
        return Err(format!(
            "no call {call} in {file}: is it older than [storage] keep_events, or another gateway's? A call's id is the 16 \
             digits in logs, in tickets (call_id) and in the phone's X-Rexian-Call header."
        ));
    }
    let language = options.lang.unwrap_or_else(Language::of_environment);
    Ok(tell(&recorded, language, place.utc_offset))
}

/// Hexadecimal digits are a call; anything else may be a ticket's number.
fn call_id(text: &str, cases: &CaseStoreSettings) -> Result<CallId, String> {
    let digits = text.strip_prefix("call-").unwrap_or(text);
    if !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return u64::from_str_radix(digits, 16).map(CallId).map_err(|e| e.to_string());
    }
    match ticket::call_of(text, cases) {
        Ok(Some(call)) => Ok(call),
        Ok(None) => Err(format!("{text} is no call's id (16 hexadecimal digits), and {cases} has no such ticket")),
        Err(why) => Err(format!(
            "{text} is no call's id (16 hexadecimal digits), and as a ticket it cannot be looked up: {why}"
        )),
    }
}
