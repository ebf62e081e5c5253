//! Who works when. Belongs here: seats by the hour and what their agents speak, made into posts. Not here: files.

use crate::ids::Skill;
use std::collections::BTreeMap;
use std::time::Duration;

/// A number for each hour from midnight.
pub type Hourly = [u32; 24];

/// Seats by the hour: a number in all, and of them groups with further skills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// What everybody has.
    pub skills: BTreeMap<Skill, u8>,
    /// All seats, the groups' included. Where the groups are more, they count.
    pub seats: Hourly,
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Beside the common ones, or instead where a common one is named again.
    pub skills: BTreeMap<Skill, u8>,
    pub seats: Hourly,
}

/// One agent at a seat of their own, with the times of the day on duty: `[from, until)` since midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    pub agent: String,
    pub skills: BTreeMap<Skill, u8>,
    pub duty: Vec<(Duration, Duration)>,
}

impl Roster {
    /// Seats of the groups together, in each hour.
    pub fn in_groups(&self) -> Hourly {
        std::array::from_fn(|hour| self.groups.iter().map(|group| group.seats[hour]).sum())
    }

    /// Seats that are manned, in each hour.
    pub fn manned(&self) -> Hourly {
        let groups = self.in_groups();
        std::array::from_fn(|hour| self.seats[hour].max(groups[hour]))
    }

    /// Agents numbered from 6001: whoever is in no group, then the groups. In each an earlier number works whenever a
    /// later one does, so the fewest people move.
    pub fn posts(&self) -> Vec<Post> {
        let (manned, groups) = (self.manned(), self.in_groups());
        let rest: Hourly = std::array::from_fn(|hour| manned[hour] - groups[hour]);
        let general = Group { skills: BTreeMap::new(), seats: rest };
        let mut posts = Vec::new();
        for group in std::iter::once(&general).chain(&self.groups) {
            for place in 0..group.seats.iter().copied().max().unwrap_or(0) {
                let mut skills = self.skills.clone();
                skills.extend(group.skills.clone());
                let duty = runs(|hour| place < group.seats[hour]);
                posts.push(Post { agent: (6_001 + posts.len()).to_string(), skills, duty });
            }
        }
        posts
    }

    /// Makes `seats` the number of seats who have `skill` in every hour in which anybody has it. False: nobody has it, or
    /// the other groups who have it are more already.
    pub fn set_speakers(&mut self, skill: &Skill, seats: u32) -> bool {
        let mut having: Vec<&mut Group> = self.groups.iter_mut().filter(|g| g.skills.contains_key(skill)).collect();
        let Some((first, others)) = having.split_first_mut() else { return false };
        for hour in 0..24 {
            let elsewhere: u32 = others.iter().map(|group| group.seats[hour]).sum();
            if first.seats[hour] + elsewhere == 0 {
                continue;
            }
            let Some(left) = seats.checked_sub(elsewhere) else { return false };
            first.seats[hour] = left;
        }
        true
    }
}

/// The runs of hours in which `on` holds.
fn runs(on: impl Fn(usize) -> bool) -> Vec<(Duration, Duration)> {
    let hour = |h: usize| Duration::from_secs(3_600 * h as u64);
    let mut runs: Vec<(Duration, Duration)> = Vec::new();
    for h in (0..24).filter(|h| on(*h)) {
        match runs.last_mut() {
            Some((_, until)) if *until == hour(h) => *until = hour(h + 1),
            _ => runs.push((hour(h), hour(h + 1))),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_the_rest_and_the_groups_in_runs_of_hours() {
        let mut seats = [2; 24];
        seats[9..11].fill(4);
        let mut english = [0; 24];
        english[8..20].fill(1);
        let roster = Roster {
            skills: [(Skill::new("mandarin"), 5)].into(),
            seats,
            groups: vec![Group { skills: [(Skill::new("english"), 8)].into(), seats: english }],
        };
        let posts = roster.posts();
        let hours = |post: &Post| -> Vec<(u64, u64)> {
            post.duty.iter().map(|(from, until)| (from.as_secs() / 3_600, until.as_secs() / 3_600)).collect()
        };
        let shown: Vec<_> = posts.iter().map(|p| (p.agent.as_str(), p.skills.len(), hours(p))).collect();
        assert_eq!(
            shown,
            [
                ("6001", 1, vec![(0, 24)]),
                ("6002", 1, vec![(0, 8), (9, 11), (20, 24)]),
                ("6003", 1, vec![(9, 11)]),
                ("6004", 2, vec![(8, 20)]),
            ]
        );
    }

    #[test]
    fn more_speakers_than_seats_are_all_manned() {
        let group = Group { skills: [(Skill::new("english"), 8)].into(), seats: [3; 24] };
        let mut roster = Roster { skills: BTreeMap::new(), seats: [2; 24], groups: vec![group] };
        assert_eq!((roster.manned()[0], roster.posts().len()), (3, 3));
        assert!(roster.set_speakers(&Skill::new("english"), 1) && !roster.set_speakers(&Skill::new("latin"), 1));
        assert_eq!(roster.posts().len(), 2);
    }
}
