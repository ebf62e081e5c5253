//! `--what-if seats=55,english=3,calls=16000`: the same day under other terms. Belongs here: the keys and what each
//! changes. Not here: comparing the two days (`table`).

use super::profile::Draft;
use super::roster::Staff;
use super::toml::time;
use crate::ids::Skill;
use crate::sim::forecast::{Roster, WrapUp};
use std::time::Duration;

/// Changes both; the error says what to do.
pub fn apply(changes: &[String], draft: &mut Draft, staff: &mut Staff) -> Result<(), String> {
    for change in changes.iter().map(|c| c.trim()).filter(|c| !c.is_empty()) {
        let (key, value) = change
            .split_once('=')
            .ok_or_else(|| format!("{change:?} changes nothing\n    write KEY=VALUE, as in seats=55"))?;
        one(key.trim(), value.trim(), draft, staff).map_err(|fix| format!("{change}: {fix}"))?;
    }
    match staff {
        // In the end: another change may make a group smaller.
        Staff::Hourly(roster) if names(changes, "seats") => room_for_groups(roster),
        _ => Ok(()),
    }
}

/// Whether one of the changes is of this key.
pub fn names(changes: &[String], key: &str) -> bool {
    changes.iter().any(|change| change.split('=').next().is_some_and(|name| name.trim() == key))
}

/// The groups are part of the seats: fewer seats than that would leave the groups' as they are.
fn room_for_groups(roster: &Roster) -> Result<(), String> {
    let needed = |hour: &usize| roster.groups.iter().map(|group| group.seats[*hour]).sum::<u32>();
    let (seats, hour) = (roster.seats.iter().copied().max().unwrap_or(0), (0..24).max_by_key(needed).unwrap_or(0));
    let needed = needed(&hour);
    if seats >= needed {
        return Ok(());
    }
    Err(format!(
        "seats={seats}: the roster's groups alone are {needed} seats at {hour} o'clock\n    give {needed} or more, or a --roster with smaller groups"
    ))
}

fn one(key: &str, value: &str, draft: &mut Draft, staff: &mut Staff) -> Result<(), String> {
    let profile = &mut draft.profile;
    match key {
        "calls" => profile.calls = whole(value, 500_000)?,
        "surge" => profile.surge = factor(value)?,
        "foreign" => draft.foreign_factor = factor(value)?,
        "talk" => profile.talk = profile.talk.with_mean(talk_time(value)?),
        "ring" => profile.ring = profile.ring.with_mean(any_time(value)?),
        "patience" => profile.patience.mean = some_time(value)?,
        "wrap_up" => match profile.wrap_up {
            WrapUp::Drawn(spread) => profile.wrap_up = WrapUp::Drawn(spread.with_mean(any_time(value)?)),
            WrapUp::AsTheQueueSays => {
                return Err(
                    "the profile leaves the wrap-up to the queues\n    give [wrap_up] a mean and a cv there".into()
                );
            }
        },
        "seats" => {
            let seats = whole(value, 2_000)?;
            // A day with fewer seats at night keeps its shape: what is more than this goes down to it, the busiest hours
            // go up to it.
            let roster = hourly(staff)?;
            let most = roster.seats.iter().copied().max().unwrap_or(0);
            for hour in &mut roster.seats {
                *hour = if *hour == most { seats } else { (*hour).min(seats) };
            }
        }
        skill => {
            let roster = hourly(staff)?;
            let seats = whole(value, 2_000)?;
            let name = Skill::new(skill);
            let known: Vec<String> =
                roster.groups.iter().flat_map(|g| g.skills.keys()).map(ToString::to_string).collect();
            if !roster.groups.iter().any(|group| group.skills.contains_key(&name)) {
                let known = known.into_iter().collect::<std::collections::BTreeSet<_>>();
                let known: Vec<_> = known.into_iter().collect();
                return Err(format!(
                    "unknown\n    use calls, surge, seats, talk, wrap_up, ring, patience, foreign, or a skill of the roster's groups: {}",
                    known.join(", ")
                ));
            }
            if !roster.set_speakers(&name, seats) {
                return Err(
                    "other groups of the roster have more of them already\n    change those groups in the roster file"
                        .into(),
                );
            }
        }
    }
    if draft.special_share() >= 1.0 {
        return Err("leaves nobody who speaks the main language\n    choose a smaller factor".into());
    }
    Ok(())
}

fn hourly(staff: &mut Staff) -> Result<&mut Roster, String> {
    match staff {
        Staff::Hourly(roster) => Ok(roster),
        Staff::Agents(_) => {
            Err("the roster names agents one by one\n    give --roster a file with seats per hour".into())
        }
    }
}

fn whole(value: &str, most: u32) -> Result<u32, String> {
    let number = value.parse().ok().filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| format!("not a whole number\n    write one from 1 to {most}"))
}

fn factor(value: &str) -> Result<f64, String> {
    let number = value.parse().ok().filter(|n| *n > 0.0 && *n <= 200.0);
    number.ok_or_else(|| "not a factor\n    write a number above 0, as in 1.55".into())
}

fn any_time(value: &str) -> Result<Duration, String> {
    time(value).ok_or_else(|| "not a time\n    write seconds, or \"30s\", \"2m\"".into())
}

fn some_time(value: &str) -> Result<Duration, String> {
    any_time(value).and_then(|t| if t.is_zero() { Err("no time at all\n    write more than 0".into()) } else { Ok(t) })
}

fn talk_time(value: &str) -> Result<Duration, String> {
    let most = super::profile::LONGEST_MEAN;
    some_time(value)
        .and_then(|t| if t > most { Err("too long for a mean\n    write at most \"2h\"".into()) } else { Ok(t) })
}
