//! `rexian simulate`: what a day would be like, for those who plan shifts. Belongs here: files in, the course of a
//! forecast, tables, files and the picture out. Not here: the pretend world itself (`sim::forecast`), figures' formulas
//! (`sla`).

mod export;
mod hotline;
mod log;
mod options;
mod out;
mod picture;
mod profile;
mod roster;
mod table;
mod toml;
mod whatif;

pub use options::{By, Options};

use crate::config::{self, settings::CoreSettings};
use crate::ids::Skill;
use crate::sim::forecast::{self, Aim, Day, Demand, Found, Outcome, PastDay, Scene};
use crate::time::Instant;
use jiff::civil::Date;
use profile::Draft;
use roster::Staff;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Days for each guess of a search unless `--seeds` says otherwise.
const DAYS_PER_GUESS: u32 = 5;
/// An ordinary Friday.
const USUAL_DAY: Date = jiff::civil::date(2026, 11, 20);

/// Exit code 0: it ran. 1: it ran, and no roster holds the target. 2: something given cannot be used.
pub fn run(options: Options) -> ExitCode {
    match forecast(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::from(2)
        }
    }
}

/// One set of terms and what came of it.
struct Forecast {
    scene: Scene,
    staff: Staff,
    outcome: Outcome,
    /// The first day.
    day: Day,
}

fn forecast(options: &Options) -> Result<bool, String> {
    let started = std::time::Instant::now();
    let settings = settings(options)?;
    let date = options.day.unwrap_or(USUAL_DAY);
    let midnight = midnight(date, settings.utc_offset)?;
    let mut draft = profile::read(options.profile.as_deref()).map_err(|p| p.to_string())?;
    if let Some(calls) = options.calls {
        draft.profile.calls = calls;
    }
    let mut staff = match (&options.roster, &options.config) {
        (None, Some(_)) => roster::of_settings(&settings, midnight),
        (path, _) => roster::read(path.as_deref()).map_err(|p| p.to_string())?,
    };
    if staff.posts().is_empty() {
        return Err(format!("nobody of the configuration works on {date}\n    give --roster, or another --day"));
    }
    let unasked = unasked(&staff, &settings);
    if !unasked.is_empty() {
        eprintln!("名册技能无队列需要 no queue asks for these skills of the roster: {}", unasked.join(", "));
    }
    let past = match &options.log {
        None => None,
        Some(_) if options.calls.is_some() => {
            return Err("--calls and --log\n    the log has its own calls: leave --calls out".into());
        }
        Some(path) => Some(past_day(path, midnight, date, &settings)?),
    };
    let seeds = options.seeds.unwrap_or(if options.find_seats { DAYS_PER_GUESS } else { 1 });
    let now = Terms { settings: &settings, past: past.as_ref(), midnight };
    let view = table::View::new(options, date, seeds);

    if options.find_seats {
        if whatif::names(&options.what_if, "seats") {
            return Err(
                "--what-if seats and --find-seats\n    --find-seats chooses the seats itself: leave one out".into()
            );
        }
        whatif::apply(&options.what_if, &mut draft, &mut staff).map_err(|e| format!("--what-if {e}"))?;
        let found = now.find(options, &draft, &staff, seeds)?;
        let holds = found.missed.is_empty();
        let Staff::Hourly(given) = &staff else { return Err(NOT_HOURLY.into()) };
        view.found(&found, given, options, started.elapsed());
        let staff = Staff::Hourly(found.roster.clone());
        let result = now.play(&draft, staff, options.seed, seeds)?;
        view.day(&result, None, started.elapsed());
        export::write(options, date, &result, None, Some(&found))?;
        return Ok(holds);
    }
    let base = now.play(&draft, staff.clone(), options.seed, seeds)?;
    let other = match options.what_if.is_empty() {
        true => None,
        false => {
            if past.is_some() && ["calls", "surge"].into_iter().any(|key| whatif::names(&options.what_if, key)) {
                return Err(
                    "--what-if calls or surge, and --log\n    the log has its own calls: change something else".into(),
                );
            }
            whatif::apply(&options.what_if, &mut draft, &mut staff).map_err(|e| format!("--what-if {e}"))?;
            Some(now.play(&draft, staff, options.seed, seeds)?)
        }
    };
    view.day(&base, other.as_ref(), started.elapsed());
    export::write(options, date, &base, other.as_ref(), None)?;
    Ok(true)
}

/// Skills on the roster that no step of any queue names.
fn unasked(staff: &Staff, settings: &CoreSettings) -> Vec<String> {
    let asked: BTreeSet<Skill> =
        settings.queues.iter().flat_map(|q| q.steps()).flat_map(|step| step.skills.into_keys()).collect();
    let held: BTreeSet<Skill> = staff.posts().into_iter().flat_map(|post| post.skills.into_keys()).collect();
    held.difference(&asked).map(ToString::to_string).collect()
}

const NOT_HOURLY: &str =
    "--find-seats and a roster of single agents\n    give --roster a file with seats per hour, or leave it out";

/// What stays the same whatever is asked.
struct Terms<'a> {
    settings: &'a CoreSettings,
    past: Option<&'a PastDay>,
    midnight: Instant,
}

impl Terms<'_> {
    fn scene(&self, draft: &Draft, staff: &Staff) -> Result<Scene, String> {
        let (profile, unserved) = draft.meet(self.settings)?;
        if !unserved.is_empty() {
            let names = unserved.join(", ");
            eprintln!("无此语种队列，其来电拨主号码 no queue for {names}: they call the main number");
        }
        let demand = match self.past {
            Some(past) => Demand::Past(past.clone(), profile),
            None => Demand::Profile(profile),
        };
        Ok(Scene { settings: self.settings.clone(), posts: staff.posts(), demand, midnight: self.midnight })
    }

    fn play(&self, draft: &Draft, staff: Staff, seed: u64, days: u32) -> Result<Forecast, String> {
        let scene = self.scene(draft, &staff)?;
        let days = forecast::run_days(&scene, seed, days);
        let outcome = Outcome::of(&days);
        let day = days.into_iter().next().ok_or("no day was simulated")?;
        Ok(Forecast { scene, staff, outcome, day })
    }

    fn find(&self, options: &Options, draft: &Draft, staff: &Staff, days: u32) -> Result<Found, String> {
        let Staff::Hourly(roster) = staff else { return Err(NOT_HOURLY.into()) };
        let aim = Aim {
            target: options.target,
            by: options.by.measure(),
            days,
            seed: options.seed,
            guesses: options.guesses,
        };
        let scene = self.scene(draft, staff)?;
        Ok(forecast::find(&scene, roster, aim, |guess, seats| {
            let hours: u32 = seats.iter().sum();
            eprintln!("第 {guess} 次试排 guess {guess}: {hours} 座席小时 seat-hours");
        }))
    }
}

fn settings(options: &Options) -> Result<CoreSettings, String> {
    let mut settings = match &options.config {
        None => hotline::settings(),
        Some(path) => config::load(path).map_err(|problems| config::report(&problems).trim_end().to_owned())?.core,
    };
    if let Some(within) = options.within {
        for queue in &mut settings.queues {
            queue.within = Duration::from_secs(within);
        }
    }
    if settings.trunks.is_empty() || settings.queues.is_empty() {
        return Err(
            "the configuration has no trunk or no queue, so nobody can call\n    add [[trunks]] and [[queues]]".into(),
        );
    }
    Ok(settings)
}

fn midnight(date: Date, utc_offset: i16) -> Result<Instant, String> {
    let midnight = jiff::tz::Offset::from_seconds(i32::from(utc_offset) * 60)
        .and_then(|offset| offset.to_timestamp(date.at(0, 0, 0, 0)))
        .map_err(|e| format!("--day {date}: {e}"))?;
    let seconds = u64::try_from(midnight.as_second());
    seconds.map(Instant::from_unix_secs).map_err(|_| format!("--day {date} lies before 1970\n    choose a later day"))
}

fn past_day(path: &Path, midnight: Instant, date: Date, settings: &CoreSettings) -> Result<PastDay, String> {
    let past = PastDay::dialling(&log::events(path, midnight)?, midnight, |name| {
        let queue = settings.queues.iter().find(|queue| queue.name == *name)?;
        profile::number_of(settings, queue)
    });
    match past.calls.is_empty() {
        true => Err(format!("{}: no call on {date}\n    choose another --day", path.display())),
        false => Ok(past),
    }
}
