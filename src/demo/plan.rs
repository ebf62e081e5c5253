//! The demo's day, decided before it starts: who calls when, in which language, how patient, and what each
//! pretend agent knows and does wrong. Belongs here: the seeded plan as data. Not here: carrying it out (`stage`),
//! the gateway's configuration for it (`house`).

use crate::sim::rng::Rng;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    Mandarin,
    Dialect,
    English,
    Japanese,
    Korean,
    French,
}

impl Language {
    pub const ALL: [Language; 6] = [
        Language::Mandarin,
        Language::Dialect,
        Language::English,
        Language::Japanese,
        Language::Korean,
        Language::French,
    ];

    /// Queue and skill name.
    pub fn name(self) -> &'static str {
        match self {
            Language::Mandarin => "mandarin",
            Language::Dialect => "dialect",
            Language::English => "english",
            Language::Japanese => "japanese",
            Language::Korean => "korean",
            Language::French => "french",
        }
    }

    pub fn in_chinese(self) -> &'static str {
        match self {
            Language::Mandarin => "普通话",
            Language::Dialect => "方言",
            Language::English => "英语",
            Language::Japanese => "日语",
            Language::Korean => "韩语",
            Language::French => "法语",
        }
    }

    /// The number dialled: the language is known from it alone, without a menu.
    pub fn number(self) -> &'static str {
        match self {
            Language::Mandarin => "12345",
            Language::Dialect => "66601001",
            Language::English => "66601002",
            Language::Japanese => "66601003",
            Language::Korean => "66601004",
            Language::French => "66601005",
        }
    }

    /// 工号 is announced to callers of these; the caller hears the agent this much later. Mandarin goes without in the
    /// demo, so that the most calls are the shortest.
    pub fn announced(self) -> bool {
        self != Language::Mandarin
    }

    /// The built-in greeting's name; heard while waiting.
    pub fn greeting(self) -> &'static str {
        match self {
            Language::Mandarin | Language::Dialect => "greeting",
            Language::English => "greeting-en",
            Language::Japanese => "greeting-ja",
            Language::Korean => "greeting-ko",
            Language::French => "greeting-fr",
        }
    }

    /// The calling number's prefix and how many digits follow, in the forms trunks really send.
    fn caller_prefix(self) -> (&'static str, u32) {
        match self {
            Language::Mandarin => ("138", 8),
            Language::Dialect => ("0531", 8),
            Language::English => ("0044", 10),
            Language::Japanese => ("0081", 10),
            Language::Korean => ("0082", 10),
            Language::French => ("0033", 9),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCall {
    /// After the start of the day.
    pub at: Duration,
    pub language: Language,
    pub from: String,
    /// Which of the two pretend carriers brings it.
    pub carrier: Carrier,
    /// Hangs up if no agent has picked up this long after dialling.
    pub patience: Duration,
    /// From pickup to hang-up.
    pub talk: Duration,
    pub ends_by: Side,
    /// The agent puts this caller on hold for a moment.
    pub held: bool,
}

/// One carrier is answered at once, the other only when an agent picks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    OnQueue,
    OnPickup,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Caller,
    Agent,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlannedSeat {
    pub seat: String,
    pub agent: String,
    pub languages: Vec<Language>,
    /// What this agent does on its first offer; later ones are answered.
    pub first_offer: FirstOffer,
    /// From the ring to the pickup.
    pub answers_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstOffer {
    Answer,
    /// Lets it ring out: the agent goes not-ready (RONA) and comes back a moment later.
    Ignore,
    /// 486: the phone says busy.
    Busy,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub calls: Vec<PlannedCall>,
    pub seats: Vec<PlannedSeat>,
}

/// Shares in a run of 24 calls, spread so that every language is heard early.
const MIX: [Language; 24] = {
    use Language::*;
    [
        Mandarin, English, Mandarin, Dialect, Mandarin, Japanese, Mandarin, Mandarin, Korean, Mandarin, Dialect,
        French, Mandarin, English, Mandarin, Mandarin, Dialect, Mandarin, Mandarin, English, Mandarin, Mandarin,
        Dialect, Mandarin,
    ]
};

impl Plan {
    /// `rate`: calls per second, at which the carriers dial.
    pub fn new(calls: u32, seats: u32, rate: f64, seed: u64) -> Plan {
        let mut rng = Rng::new(seed);
        let mut at = Duration::ZERO;
        let calls = (0..calls)
            .map(|n| {
                at += rng.exponential(Duration::from_secs_f64(1.0 / rate)).min(Duration::from_secs_f64(4.0 / rate));
                planned_call(n, at, &mut rng)
            })
            .collect();
        Plan { calls, seats: (0..seats).map(|n| planned_seat(n, seats, &mut rng)).collect() }
    }
}

fn planned_call(n: u32, at: Duration, rng: &mut Rng) -> PlannedCall {
    let language = MIX[n as usize % MIX.len()];
    let (prefix, digits) = language.caller_prefix();
    // The call's number in the last digits: unique, so that both ends of a call can be told to belong together.
    let subscriber = u64::from(n) + 1_000_000 + rng.below(90) * 1_000_000;
    let from = format!("{prefix}{subscriber:0width$}", width = digits as usize);
    // Every 20th hangs up before any agent could have answered; the others wait for some seconds.
    let patience = if n % 20 == 7 {
        rng.between(Duration::from_millis(150), Duration::from_millis(350))
    } else {
        Duration::from_secs(6) + rng.exponential(Duration::from_secs(12))
    };
    PlannedCall {
        at,
        language,
        from,
        carrier: if n % 3 == 2 { Carrier::OnPickup } else { Carrier::OnQueue },
        patience,
        talk: lead_in(language)
            + Duration::from_millis(1_800)
            + rng.exponential(Duration::from_millis(1_400)).min(Duration::from_secs(5)),
        ends_by: if rng.below(2) == 0 { Side::Caller } else { Side::Agent },
        held: n % 10 == 4,
    }
}

/// The seat and agent kept for a real phone: the next after the pretend ones, knowing every language.
pub fn spare_seat(seats: u32) -> PlannedSeat {
    PlannedSeat {
        seat: format!("{}", 8001 + seats),
        agent: format!("{}", 6601 + seats),
        languages: Language::ALL.to_vec(),
        first_offer: FirstOffer::Answer,
        answers_after: Duration::ZERO,
    }
}

/// From pickup until both hear each other: 工号 takes about 3.5 s to say.
pub fn lead_in(language: Language) -> Duration {
    if language.announced() { Duration::from_millis(3_600) } else { Duration::ZERO }
}

fn planned_seat(n: u32, of: u32, rng: &mut Rng) -> PlannedSeat {
    // Linguists are taken from the end; with few seats one agent knows several languages, and none is left out.
    let share = |language: Language| match language {
        Language::Mandarin => of,
        Language::Dialect | Language::English => of.div_ceil(4),
        _ => of.div_ceil(12),
    };
    let mut taken = 0;
    let mut languages = vec![Language::Mandarin];
    for language in &Language::ALL[1..] {
        let (first, count) = (taken, share(*language));
        taken += count;
        if (first..first + count).any(|slot| of - 1 - slot % of == n) {
            languages.push(*language);
        }
    }
    let first_offer = match n {
        1 => FirstOffer::Ignore,
        4 => FirstOffer::Busy,
        _ => FirstOffer::Answer,
    };
    PlannedSeat {
        seat: format!("{}", 8001 + n),
        agent: format!("{}", 6601 + n),
        languages,
        first_offer,
        answers_after: rng.between(Duration::from_millis(450), Duration::from_millis(1_100)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_language_is_called_and_spoken_whatever_the_size() {
        for (calls, seats) in [(12, 1), (24, 2), (60, 12), (500, 60)] {
            let plan = Plan::new(calls, seats, 3.0, 1);
            let called: BTreeSet<Language> = plan.calls.iter().map(|c| c.language).collect();
            let spoken: BTreeSet<Language> = plan.seats.iter().flat_map(|s| s.languages.clone()).collect();
            assert_eq!(called.len(), 6, "{calls} calls");
            assert_eq!(spoken.len(), 6, "{seats} seats");
            assert!(plan.seats.iter().all(|s| s.languages.contains(&Language::Mandarin)));
        }
    }

    #[test]
    fn callers_are_told_apart_by_number_and_the_plan_by_its_seed() {
        let plan = Plan::new(2_000, 60, 50.0, 7);
        let numbers: BTreeSet<&str> = plan.calls.iter().map(|c| &c.from[c.from.len() - 6..]).collect();
        assert_eq!(numbers.len(), 2_000);
        assert_eq!(plan, Plan::new(2_000, 60, 50.0, 7));
        assert_ne!(plan, Plan::new(2_000, 60, 50.0, 8));
        assert!(plan.calls.windows(2).all(|w| w[0].at <= w[1].at));
    }

    #[test]
    fn the_day_is_as_long_as_the_rate_says() {
        let plan = Plan::new(600, 12, 3.0, 1);
        let last = plan.calls.last().unwrap().at.as_secs_f64();
        assert!((150.0..250.0).contains(&last), "600 calls at 3/s took {last} s");
    }
}
