//! What of the distributor's rules is in force on a day, drawn from its seed: steps, reserve, overflow, strategies,
//! announcements, special lines, languages by key and country, callers passed on. Belongs here: the rules, and who
//! presses which key. Not here: the rest of the day's configuration (`scenario`).

use super::scenario::CITY;
use super::{Day, Event};
use crate::config::settings::{
    Announce, Closed, CoreSettings, DistributorSettings, Hours, LanguageChoice, LanguageSettings, LineSettings,
    Overflow, Relaxation, Strategy,
};
use crate::event::AgentState;
use crate::gateway::Input;
use crate::ids::QueueName;
use crate::plane::MediaEvent;
use crate::sim::rng::Rng;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ways {
    /// English after a while by lower levels, then by anybody with an interpreter.
    pub relaxes: bool,
    /// English speakers kept for English calls.
    pub reserve: u32,
    pub overflows: bool,
    pub prefers_last: bool,
    pub strategy: Strategy,
    pub announces: bool,
    /// Special lines, languages by key and country, agents who pass callers on.
    pub lines: bool,
}

/// Special lines: one that closes early, one with a notice before the queue.
pub const LINES: [(&str, f64); 3] = [("12347", 2.0), ("12348", 2.0), ("12349", 1.0)];
/// Minutes after midnight: a quarter of an hour into the day.
const CLOSES: u16 = 8 * 60 + 15;
const ENGLISH: char = '2';

impl Ways {
    pub const NONE: Ways = Ways {
        relaxes: false,
        reserve: 0,
        overflows: false,
        prefers_last: false,
        strategy: Strategy::LongestIdle,
        announces: false,
        lines: false,
    };

    pub fn from_seed(seed: u64) -> Ways {
        // Dice of its own: the rest of the day stays what the seed made of it.
        let mut rng = Rng::new(seed ^ 0x3a75_0000_0000_0000);
        Ways {
            relaxes: rng.chance(0.6),
            reserve: [0, 1, 3][rng.weighted(&[1.0, 1.0, 1.0])],
            overflows: rng.chance(0.4),
            prefers_last: rng.chance(0.5),
            strategy: [Strategy::LongestIdle, Strategy::LeastOccupied, Strategy::MostSkilled][rng.below(3) as usize],
            announces: rng.chance(0.5),
            lines: rng.chance(0.7),
        }
    }

    pub(super) fn apply(&self, core: &mut CoreSettings) {
        let [city, english] = ["citizens", "english"].map(QueueName::new);
        core.distributor = DistributorSettings {
            reserve: [("english".into(), self.reserve)].into_iter().filter(|(_, keep)| *keep > 0).collect(),
            ..DistributorSettings::default()
        };
        for queue in &mut core.queues {
            queue.strategy = self.strategy;
            queue.prefer_last_agent = self.prefers_last;
            if self.announces {
                queue.announce = Announce { every: Some(Duration::from_secs(12)), position: true, estimate: true };
            }
            let step = |after, skill: &str, level, interpreter| Relaxation {
                after: Duration::from_secs(after),
                skills: [(skill.into(), level)].into(),
                use_reserve: interpreter,
                interpreter,
            };
            if self.relaxes && queue.name == english {
                queue.relax = vec![step(6, "english", 1, false), step(20, "mandarin", 1, true)];
            }
            if self.relaxes && queue.name == city {
                // In need the reserve helps everybody.
                queue.relax = vec![Relaxation { use_reserve: true, ..step(25, "mandarin", 3, false) }];
            }
            if self.overflows && queue.name == english {
                queue.overflow = Some(Overflow { queue: city.clone(), after: Some(Duration::from_secs(15)) });
            }
        }
        if self.lines {
            core.languages = vec![LanguageSettings {
                tag: "en".into(),
                queue: english,
                countries: ["44".to_owned()].into(),
                key: Some(ENGLISH),
                invitation: Some("invite-en".into()),
            }];
            core.lines = lines(&city);
        }
    }
}

fn lines(city: &QueueName) -> Vec<LineSettings> {
    let choice = LanguageChoice { by_country: true, remembered: true, by_key: true };
    let line = |name: &str, number: &str| {
        let of_queue = LineSettings::of_queue(name, city.clone(), [number.to_owned()].into());
        LineSettings { choice, ..of_queue }
    };
    let hours = Hours { week: std::array::from_fn(|_| vec![(0, CLOSES)]), ..Hours::default() };
    let [early, notice, other] = ["12347", "12348", "12349"].map(|number| line(&format!("line-{number}"), number));
    vec![
        LineSettings { hours: Some(hours.clone()), ..early },
        LineSettings { notice: Some("notice".into()), ..notice },
        LineSettings { hours: Some(hours), closed: Closed::Queue(city.clone()), priority: Some(0), ..other },
    ]
}

impl Day<'_> {
    /// Whom this citizen calls, and with which number; and whether a key is pressed meanwhile.
    pub(super) fn special(&mut self, index: usize) -> Option<(&'static str, String)> {
        if !self.scenario.ways.lines || !self.rng.chance(0.3) {
            return None;
        }
        let rng = &mut self.rng;
        let number = LINES[rng.weighted(&LINES.map(|n| n.1))].0;
        // Few enough to call again, and some from abroad.
        let abroad = rng.chance(0.2);
        let caller = rng.below(200);
        let cli = if abroad { format!("004420{caller:08}") } else { format!("{CITY}{:08}", 81_000_000 + caller) };
        let presses = rng.chance(0.3);
        let after = rng.between(Duration::from_millis(200), Duration::from_secs(30));
        if presses {
            self.plan(after, Event::CallerPresses(index));
        }
        Some((number, cli))
    }

    pub(super) fn caller_presses(&mut self, index: usize) {
        let (rtp, key) = (self.carriers[index].rtp, [ENGLISH, ENGLISH, '9'][self.rng.below(3) as usize]);
        self.presses(rtp, key);
    }

    /// Now and then an agent in a talk finds that it is for the English queue.
    pub(super) fn may_pass_on(&mut self, seat: usize, state: AgentState) {
        if self.scenario.ways.lines && state == AgentState::Talking && self.rng.chance(0.05) {
            let after = self.rng.between(Duration::from_secs(1), Duration::from_secs(20));
            self.plan(after, Event::AgentPassesOn(seat));
        }
    }

    pub(super) fn agent_passes_on(&mut self, seat: usize) {
        let rtp = self.seats[seat].rtp;
        for key in ['*', ENGLISH] {
            self.presses(rtp, key);
        }
    }

    /// Nobody hears it where no leg is open.
    fn presses(&mut self, rtp: SocketAddr, digit: char) {
        if let Some(leg) = self.plane.leg_of(rtp) {
            self.input(Input::Media(MediaEvent::Digit { leg, digit }));
        }
    }
}
