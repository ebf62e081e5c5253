//! The forecast: a day of a hotline in virtual time, for shift leaders. The real [`crate::gateway::Gateway`] hears real
//! SIP from citizens and phones that are as plain as they can be, so that a day takes about a second.
//!
//! Belongs here: the pretend day (`demand`: who calls; `roster`: who works; `ground` and `world`: the gateway and what
//! happens around it), what
//! came of it (`record`, `outcome`) and the search for a roster (`seats`). Not here: files, tables and pictures
//! (`crate::simulate`), faults and audits (`super::day`).
//!
//! What is the product: SIP, trunks, distributor, call, tickets' order, figures (`sla`). What is pretended: citizens and
//! agents as distributions; a network, a spool and phones that never fail and take no time; RTP that always flows;
//! prompts of one length; agents who sign in, and end a wrap-up, by command instead of by phone.
//!
//! Deterministic: a citizen's traits are drawn before the day begins, so two rosters meet the very same citizens.

mod caller;
mod demand;
mod desk;
mod erlang;
mod ground;
mod outcome;
mod past;
mod record;
mod roster;
mod seats;
mod series;
mod world;

pub use demand::{Burst, Citizen, Demand, Language, Patience, Profile, Spread, WrapUp};
pub use outcome::{EstimateError, Headline, Interval, Kind, Outcome, Part, SkillTime};
pub use past::{PastCall, PastDay};
pub use record::{AgentSpan, CallRow, Day};
pub use roster::{Group, Hourly, Post, Roster};
pub use seats::{Aim, Found, Measure, find, run_days};
pub use series::{Slot, Staff, quantile};
pub use world::{Told, run, run_told};

use crate::config::settings::CoreSettings;
use crate::time::Instant;
use std::time::Duration;

pub const DAY: Duration = Duration::from_secs(86_400);

/// Everything a day is made of.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The gateway's own settings; its agents and seats are replaced by the posts.
    pub settings: CoreSettings,
    pub posts: Vec<Post>,
    pub demand: Demand,
    /// Local midnight at which the day begins.
    pub midnight: Instant,
}

impl Scene {
    /// Seconds; of the first queue where the queues say.
    pub fn mean_wrap_up(&self) -> f64 {
        match self.demand.profile().wrap_up {
            WrapUp::Drawn(spread) => spread.mean(),
            WrapUp::AsTheQueueSays => self.settings.queues.first().map_or(0.0, |queue| queue.wrap_up.as_secs_f64()),
        }
    }
}
