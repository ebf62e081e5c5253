//! The hotline that is forecast when no configuration is given: the program's own defaults, with the trunk channels, the
//! announcements and the help between languages of a city's hotline.

use crate::config::settings::{Announce, CoreSettings, Relaxation, Settings};
use crate::ids::Skill;
use std::time::Duration;

/// Seven E1.
const CHANNELS: u32 = 210;
const ANNOUNCE_EVERY: Duration = Duration::from_secs(45);

pub fn settings() -> CoreSettings {
    // No phone but the forecast's own ever sees these passwords.
    let mut core = Settings::demo([0; 32]).core;
    core.limits.max_calls = CHANNELS;
    core.media.pairs = 2 * CHANNELS as u16 + 80;
    for trunk in &mut core.trunks {
        trunk.max_calls = CHANNELS;
    }
    let mandarin = Skill::new("mandarin");
    for queue in &mut core.queues {
        queue.announce = Announce { every: Some(ANNOUNCE_EVERY), position: true, estimate: true };
        match queue.skill.as_str() {
            // Somebody who speaks plain Mandarin is better than nobody for dialect; for neither is anybody kept back longer.
            "mandarin" | "dialect" => {
                queue.relax = vec![Relaxation { use_reserve: true, ..relaxed(&mandarin, 30, false) }];
            }
            _ => queue.relax = vec![relaxed(&mandarin, 60, true)],
        }
    }
    // Asked for every day as English is; of the other languages nobody is kept idle while Mandarin callers wait.
    core.distributor.reserve.insert(Skill::new("dialect"), 1);
    core
}

fn relaxed(skill: &Skill, after: u64, interpreter: bool) -> Relaxation {
    Relaxation {
        after: Duration::from_secs(after),
        skills: [(skill.clone(), 1)].into(),
        use_reserve: false,
        interpreter,
    }
}
