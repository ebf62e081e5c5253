//! The best first: the highest level in the queue's leading skill. Whoever lacks it (a relaxed step) comes last.

use crate::ids::Skill;
use std::collections::BTreeMap;

pub(super) fn merit(skills: &BTreeMap<Skill, u8>, leading: &Skill) -> u32 {
    u32::from(u8::MAX - skills.get(leading).copied().unwrap_or(0))
}
