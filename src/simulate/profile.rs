//! Profile files: the statistics of a day, as written by people. Belongs here: reading, judging, and how a profile meets a
//! configuration's queues. Not here: drawing citizens from it (`sim::forecast`).

use super::toml::{self, Time, clock};
use crate::config::Problem;
use crate::config::settings::{CoreSettings, QueueSettings};
use crate::sim::forecast::{Burst, Language, Patience, Profile, Spread, WrapUp};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const SHIPPED: &str = include_str!("../../deploy/simulate/profile.toml");

/// Of talks, rings and wrap-ups.
pub const LONGEST_MEAN: Duration = Duration::from_secs(2 * 3_600);

/// As the file says it; what it leaves out comes from the shipped one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    calls: Option<u32>,
    curve: Option<Vec<f64>>,
    main: Option<String>,
    languages: Option<BTreeMap<String, f64>>,
    foreign: Foreign,
    talk: Option<Shape>,
    wrap_up: Option<Shape>,
    ring: Option<Shape>,
    patience: PatienceFile,
    surge: Surge,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Foreign {
    share: Option<f64>,
    factor: Option<f64>,
    mix: Option<BTreeMap<String, f64>>,
}

/// A lognormal by its mean and spread, or by mu and sigma.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shape {
    mu: Option<f64>,
    sigma: Option<f64>,
    mean: Option<Time>,
    cv: Option<f64>,
    as_queue: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PatienceFile {
    hasty: Option<f64>,
    hasty_within: Option<Time>,
    mean: Option<Time>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Surge {
    day: Option<f64>,
    bursts: Option<Vec<BurstFile>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BurstFile {
    at: String,
    lasts: Time,
    times: f64,
}

/// A profile that has not met a configuration yet: languages are words, not queues.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Everything but the languages.
    pub profile: Profile,
    pub main: String,
    pub languages: BTreeMap<String, f64>,
    pub foreign_share: f64,
    pub foreign_factor: f64,
    pub foreign_mix: BTreeMap<String, f64>,
}

pub fn read(path: Option<&Path>) -> Result<Draft, Problem> {
    let shipped = Path::new("deploy/simulate/profile.toml");
    let (base, text) = (toml::parse::<File>(shipped, SHIPPED)?, SHIPPED.to_owned());
    let (path, given, text) = match path {
        None => (shipped, File::default(), text),
        Some(path) => {
            let text = toml::text(path, "--profile")?;
            (path, toml::parse::<File>(path, &text)?, text)
        }
    };
    let judge = Judge { path, text: &text };
    let zero = Shape::default();
    let curve = given.curve.or(base.curve).unwrap_or_default();
    let curve: [f64; 24] = curve.try_into().map_err(|wrong: Vec<f64>| {
        judge.problem(
            "curve",
            format!("curve has {} numbers", wrong.len()),
            "give 24, the first from midnight to 1 o'clock",
        )
    })?;
    judge.hold(
        curve.iter().all(|share| *share >= 0.0 && share.is_finite()) && curve.iter().sum::<f64>() > 0.0,
        "curve",
        || {
            (
                "curve has a number below zero or without end, or nothing above zero".into(),
                "give each hour its share of the day's calls",
            )
        },
    )?;
    let bursts = given.surge.bursts.or(base.surge.bursts).unwrap_or_default();
    let bursts = bursts.into_iter().map(|b| judge.burst(b)).collect::<Result<_, _>>()?;
    let patience = Patience {
        hasty: judge.share("hasty", given.patience.hasty.or(base.patience.hasty).unwrap_or(0.0))?,
        hasty_within: given.patience.hasty_within.or(base.patience.hasty_within).map_or(Duration::ZERO, |t| t.0),
        mean: given.patience.mean.or(base.patience.mean).map_or(Duration::ZERO, |t| t.0),
    };
    judge.hold(!patience.mean.is_zero(), "mean", || {
        ("[patience] mean is no time at all".into(), "write how long citizens wait before they give up: \"3m\"")
    })?;
    let wrap_up = given.wrap_up.or(base.wrap_up).unwrap_or(zero);
    let profile = Profile {
        calls: given.calls.or(base.calls).unwrap_or(0),
        curve,
        talk: judge.spread("talk", given.talk.or(base.talk).unwrap_or(zero))?,
        wrap_up: match wrap_up.as_queue {
            true => WrapUp::AsTheQueueSays,
            false => WrapUp::Drawn(judge.spread("wrap_up", wrap_up)?),
        },
        ring: judge.spread("ring", given.ring.or(base.ring).unwrap_or(zero))?,
        patience,
        languages: vec![],
        surge: judge.positive("day", given.surge.day.or(base.surge.day).unwrap_or(1.0))?,
        bursts,
    };
    let languages = given.languages.or(base.languages).unwrap_or_default();
    for (name, share) in &languages {
        judge.share(name, *share)?;
    }
    let foreign_mix = given.foreign.mix.or(base.foreign.mix).unwrap_or_default();
    judge.hold(foreign_mix.values().all(|part| *part >= 0.0 && part.is_finite()), "mix", || {
        ("mix has a part below zero or without end".into(), "give each foreign language its part, any scale")
    })?;
    let foreign_factor = given.foreign.factor.or(base.foreign.factor).unwrap_or(1.0);
    judge.hold(foreign_factor >= 0.0 && foreign_factor.is_finite(), "factor", || {
        (format!("factor = {foreign_factor} cannot multiply calls"), "write 0 or more: 5 for five times the usual")
    })?;
    let draft = Draft {
        profile,
        main: given.main.or(base.main).unwrap_or_default(),
        foreign_share: judge.share("share", given.foreign.share.or(base.foreign.share).unwrap_or(0.0))?,
        foreign_factor,
        foreign_mix,
        languages,
    };
    judge.hold(draft.special_share() < 1.0, "factor", || {
        ("the languages' shares together are not below 1".into(), "lower [languages], or [foreign] share or factor")
    })?;
    Ok(draft)
}

struct Judge<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Judge<'_> {
    fn problem(&self, key: &str, what: String, fix: &str) -> Problem {
        Problem { file: self.path.to_owned(), line: toml::line_of(self.text, key), what, fix: fix.into() }
    }

    fn hold(&self, good: bool, key: &str, say: impl Fn() -> (String, &'static str)) -> Result<(), Problem> {
        if good {
            return Ok(());
        }
        let (what, fix) = say();
        Err(self.problem(key, what, fix))
    }

    fn share(&self, key: &str, share: f64) -> Result<f64, Problem> {
        let say = || (format!("{key} = {share} is no share"), "write a number from 0 to 1: 0.08 for 8 %");
        self.hold((0.0..=1.0).contains(&share), key, say).map(|()| share)
    }

    fn positive(&self, key: &str, number: f64) -> Result<f64, Problem> {
        let say = || (format!("{key} = {number} cannot multiply calls"), "write a number above 0, at most 50");
        self.hold(number > 0.0 && number <= 50.0, key, say).map(|()| number)
    }

    fn burst(&self, burst: BurstFile) -> Result<Burst, Problem> {
        let at = clock(&burst.at).filter(|at| *at < Duration::from_secs(86_400)).ok_or_else(|| {
            self.problem("bursts", format!("a burst at {:?}", burst.at), "write the time of day as \"09:30\"")
        })?;
        Ok(Burst { at, length: burst.lasts.0, times: self.positive("bursts", burst.times)? })
    }

    fn spread(&self, table: &str, shape: Shape) -> Result<Spread, Problem> {
        let good = |number: f64| number >= 0.0 && number.is_finite();
        let spread = match shape {
            Shape { mu: Some(mu), sigma: Some(sigma), mean: None, cv: None, as_queue: false }
                if mu.is_finite() && good(sigma) =>
            {
                Some(Spread { mu, sigma })
            }
            Shape { mu: None, sigma: None, mean: Some(mean), cv, as_queue: false } if good(cv.unwrap_or(0.0)) => {
                Some(Spread::of(mean.0, cv.unwrap_or(0.0)))
            }
            _ => None,
        };
        let refused = |what: String, fix: &str| {
            let line = self.text.lines().position(|l| l.trim() == format!("[{table}]")).map_or(0, |i| i + 1);
            Problem { file: self.path.to_owned(), line, what, fix: fix.into() }
        };
        let spread = spread.ok_or_else(|| {
            let fix = "give mean and cv, or mu and sigma (cv and sigma not below 0)";
            refused(format!("[{table}] is no distribution"), fix)
        })?;
        // Rounding must not refuse a mean of exactly so much.
        match spread.mean() <= LONGEST_MEAN.as_secs_f64() + 0.001 {
            true => Ok(spread),
            false => {
                let what = format!("[{table}] lasts {:.0} s in the mean", spread.mean());
                Err(refused(what, "give a mean of at most 2h; mu is of the logarithm of seconds: 4.8 for 2 minutes"))
            }
        }
    }
}

impl Draft {
    /// Of all calls, those of any language but the main one.
    pub fn special_share(&self) -> f64 {
        self.languages.values().sum::<f64>() + self.foreign_share * self.foreign_factor
    }

    /// Finds each language's queue. The second part: languages without one, whose callers call the main number.
    pub fn meet(&self, settings: &CoreSettings) -> Result<(Profile, Vec<String>), String> {
        let first = settings.queues.first();
        let main = queue_of(settings, &self.main).or(first).and_then(|queue| number_of(settings, queue));
        let main = main.ok_or("no queue of the configuration has a number that citizens could call")?;
        let mut unserved = Vec::new();
        let mix: f64 = self.foreign_mix.values().sum();
        let foreign = self
            .foreign_mix
            .iter()
            .map(|(name, part)| (name, self.foreign_share * self.foreign_factor * part / mix.max(f64::MIN_POSITIVE)));
        let mut languages =
            vec![Language { name: self.main.clone(), share: 1.0 - self.special_share(), number: main.clone() }];
        for (name, share) in self.languages.iter().map(|(name, share)| (name, *share)).chain(foreign) {
            let own = queue_of(settings, name).and_then(|queue| number_of(settings, queue));
            if own.is_none() && share > 0.0 {
                unserved.push(name.clone());
            }
            languages.push(Language { name: name.clone(), share, number: own.unwrap_or_else(|| main.clone()) });
        }
        Ok((Profile { languages, ..self.profile.clone() }, unserved))
    }
}

fn queue_of<'s>(settings: &'s CoreSettings, word: &str) -> Option<&'s QueueSettings> {
    let by = |is: fn(&QueueSettings, &str) -> bool| settings.queues.iter().find(|queue| is(queue, word));
    by(|queue, word| queue.name.as_str() == word)
        .or_else(|| by(|queue, word| queue.skill.as_str() == word))
        .or_else(|| by(|queue, word| queue.language.as_deref() == Some(word)))
}

/// By which citizens reach this queue.
pub fn number_of(settings: &CoreSettings, queue: &QueueSettings) -> Option<String> {
    let line = settings.lines.iter().find(|line| line.queue == queue.name && !line.test);
    queue.numbers.first().or_else(|| line.and_then(|line| line.numbers.first())).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profile_is_the_hotlines_day() {
        let draft = read(None).expect("the shipped profile is good");
        let profile = &draft.profile;
        assert_eq!((profile.calls, profile.curve[9], profile.surge), (10_000, 9.4, 1.0));
        assert_eq!(profile.talk, Spread { mu: 4.759, sigma: 0.833 });
        assert!((profile.talk.mean() - 165.0).abs() < 1.0);
        let WrapUp::Drawn(wrap_up) = profile.wrap_up else { panic!("drawn") };
        assert!((wrap_up.mean() - 30.0).abs() < 1e-6);
        let (met, unserved) = draft.meet(&super::super::hotline::settings()).expect("the shipped queues");
        assert_eq!((unserved.len(), met.languages.len()), (0, 8));
        assert!((met.languages.iter().map(|l| l.share).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
