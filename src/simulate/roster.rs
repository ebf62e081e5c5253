//! Roster files: who works when, TOML or CSV, or the agents of a configuration by their shifts. Belongs here: reading and
//! judging. Not here: what a roster is (`sim::forecast`).

use super::toml::{self, clock};
use crate::config::Problem;
use crate::config::settings::{AgentSettings, CoreSettings};
use crate::ids::Skill;
use crate::sim::forecast::{Group, Hourly, Post, Roster};
use crate::time::Instant;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

const SHIPPED: &str = include_str!("../../deploy/simulate/roster.toml");
/// Of a skill named without one.
const LEVEL: u8 = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staff {
    /// Seats by the hour: can be searched and asked "what if".
    Hourly(Roster),
    /// One by one.
    Agents(Vec<Post>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    seats: Option<Seats>,
    #[serde(default)]
    skills: BTreeMap<String, u8>,
    #[serde(default)]
    groups: Vec<GroupFile>,
    #[serde(default)]
    agents: Vec<AgentFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    skills: BTreeMap<String, u8>,
    seats: Seats,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentFile {
    number: String,
    #[serde(default)]
    skills: BTreeMap<String, u8>,
    hours: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Seats {
    Always(u32),
    Hourly(Vec<u32>),
}

impl Staff {
    pub fn posts(&self) -> Vec<Post> {
        match self {
            Staff::Hourly(roster) => roster.posts(),
            Staff::Agents(posts) => posts.clone(),
        }
    }
}

pub fn read(path: Option<&Path>) -> Result<Staff, Problem> {
    let Some(path) = path else { return from_toml(Path::new("deploy/simulate/roster.toml"), SHIPPED) };
    let text = toml::text(path, "--roster")?;
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => from_csv(path, &text),
        _ => from_toml(path, &text),
    }
    .and_then(|staff| judged(path, staff))
}

/// The agents of a configuration, at work as their shifts say on the day that begins at `midnight`.
pub fn of_settings(settings: &CoreSettings, midnight: Instant) -> Staff {
    let post = |agent: &AgentSettings| Post {
        agent: agent.number.to_string(),
        skills: agent.skills.clone(),
        duty: duty(agent, settings, midnight),
    };
    Staff::Agents(settings.agents.iter().map(post).filter(|post| !post.duty.is_empty()).collect())
}

fn duty(agent: &AgentSettings, settings: &CoreSettings, midnight: Instant) -> Vec<(Duration, Duration)> {
    let shifts: Vec<_> = settings.shifts.iter().filter(|shift| agent.shifts.contains(&shift.name)).collect();
    let works = |minute: u64| {
        let at = midnight + Duration::from_secs(60 * minute);
        let seconds = at.as_unix_micros() / 1_000_000;
        agent.guest.is_none_or(|(from, until)| (from..until).contains(&seconds))
            && (agent.shifts.is_empty() || shifts.iter().any(|s| s.hours.open_at(at, settings.utc_offset)))
    };
    let mut runs: Vec<(Duration, Duration)> = Vec::new();
    for minute in (0..1_440).filter(|minute| works(*minute)) {
        let (from, until) = (Duration::from_secs(60 * minute), Duration::from_secs(60 * (minute + 1)));
        match runs.last_mut() {
            Some((_, end)) if *end == from => *end = until,
            _ => runs.push((from, until)),
        }
    }
    runs
}

fn from_toml(path: &Path, text: &str) -> Result<Staff, Problem> {
    let file: File = toml::parse(path, text)?;
    let problem = |key: &str, what: String, fix: &str| Problem {
        file: path.to_owned(),
        line: toml::line_of(text, key),
        what,
        fix: fix.into(),
    };
    let hourly = |seats: &Seats| match seats {
        Seats::Always(seats) => Ok([*seats; 24]),
        Seats::Hourly(hours) => Hourly::try_from(hours.clone()).map_err(|hours| {
            problem("seats", format!("seats has {} numbers", hours.len()), "give one number, or 24 from midnight")
        }),
    };
    let skills = named(&file.skills);
    match (&file.seats, file.agents.is_empty()) {
        (Some(seats), true) => {
            let group = |g: &GroupFile| Ok(Group { skills: named(&g.skills), seats: hourly(&g.seats)? });
            let groups = file.groups.iter().map(group).collect::<Result<_, Problem>>()?;
            Ok(Staff::Hourly(Roster { skills, seats: hourly(seats)?, groups }))
        }
        (None, false) if file.groups.is_empty() => {
            let post = |agent: &AgentFile| {
                let hours = agent.hours.iter().map(|h| span(h).ok_or(h)).collect::<Result<Vec<_>, _>>();
                let duty = hours.map_err(|h| {
                    problem("hours", format!("{h:?} of agent {} is no time of work", agent.number), SPAN)
                })?;
                let mut all = skills.clone();
                all.extend(named(&agent.skills));
                Ok(Post { agent: agent.number.clone(), skills: all, duty: duty.concat() })
            };
            Ok(Staff::Agents(file.agents.iter().map(post).collect::<Result<_, Problem>>()?))
        }
        _ => Err(problem(
            "seats",
            "a roster gives either seats (and groups), or agents one by one".into(),
            "keep seats and [[groups]], or keep [[agents]]",
        )),
    }
}

const SPAN: &str = "write \"08:00-16:00\"; over midnight is fine";

/// `08:00-16:00`; one over midnight is two.
fn span(text: &str) -> Option<Vec<(Duration, Duration)>> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (clock(from)?, clock(until)?);
    let day = Duration::from_secs(86_400);
    match from.cmp(&until) {
        std::cmp::Ordering::Less => Some(vec![(from, until)]),
        std::cmp::Ordering::Greater => {
            Some([(Duration::ZERO, until), (from, day)].into_iter().filter(|(from, until)| from < until).collect())
        }
        std::cmp::Ordering::Equal => None,
    }
}

/// Two kinds: `hour,seats,english,...` with a row for each hour, or `agent,from,until,skills`.
fn from_csv(path: &Path, text: &str) -> Result<Staff, Problem> {
    let mut rows = text.trim_start_matches('\u{feff}').lines().enumerate();
    let rows =
        rows.by_ref().map(|(i, line)| (i + 1, line.trim())).filter(|(_, l)| !l.is_empty() && !l.starts_with('#'));
    let mut rows = rows.map(|(i, line)| (i, line.split(',').map(str::trim).collect::<Vec<_>>()));
    let problem = |line: usize, what: String, fix: &str| Problem { file: path.to_owned(), line, what, fix: fix.into() };
    match rows.next() {
        Some((_, heading)) if heading.starts_with(&["hour", "seats"]) => {
            let mut seats = [0; 24];
            let columns = &heading[2..];
            let group = |name: &&str| Group { skills: [(Skill::new(name), LEVEL)].into(), seats: [0; 24] };
            let mut groups: Vec<Group> = columns.iter().map(group).collect();
            let mut seen = BTreeSet::new();
            for (line, row) in rows {
                let numbers: Option<Vec<u32>> = row.iter().map(|cell| cell.parse().ok()).collect();
                let numbers = numbers.filter(|n| n.len() == heading.len() && n[0] < 24).ok_or_else(|| {
                    problem(
                        line,
                        format!("{:?} does not fit {}", row.join(","), heading.join(",")),
                        "write whole numbers, hours 0 to 23",
                    )
                })?;
                let hour = numbers[0] as usize;
                if !seen.insert(hour) {
                    return Err(problem(line, format!("hour {hour} stands here twice"), "keep one of its rows"));
                }
                seats[hour] = numbers[1];
                for (group, seats) in groups.iter_mut().zip(&numbers[2..]) {
                    group.seats[hour] = *seats;
                }
            }
            if let Some(missing) = (0..24).find(|hour| !seen.contains(hour)) {
                return Err(problem(0, format!("hour {missing} has no row"), "give a row for each hour from 0 to 23"));
            }
            let skills = [(Skill::new("mandarin"), LEVEL)].into();
            Ok(Staff::Hourly(Roster { skills, seats, groups }))
        }
        Some((_, heading)) if heading == ["agent", "from", "until", "skills"] => {
            let mut posts: Vec<Post> = Vec::new();
            for (line, row) in rows {
                let [agent, from, until, skills] = row[..] else {
                    return Err(problem(line, format!("{} cells", row.len()), "write agent,from,until,skills"));
                };
                let duty = span(&format!("{from}-{until}"))
                    .ok_or_else(|| problem(line, format!("{from} to {until} is no time of work"), SPAN))?;
                let skills: Option<BTreeMap<Skill, u8>> =
                    skills.split([';', ' ']).filter(|s| !s.is_empty()).map(levelled).collect();
                let skills = skills.ok_or_else(|| {
                    problem(line, "a skill's level is no number from 1 to 10".into(), "write mandarin=8;english=6")
                })?;
                match posts.iter_mut().find(|post| post.agent == agent) {
                    Some(post) if post.skills != skills => {
                        let what = format!("agent {agent} has other skills in an earlier row");
                        return Err(problem(line, what, "give all rows of an agent the same skills"));
                    }
                    Some(post) => post.duty.extend(duty),
                    None => posts.push(Post { agent: agent.to_owned(), skills, duty }),
                }
            }
            Ok(Staff::Agents(posts))
        }
        other => {
            let what = match other {
                Some((_, heading)) => format!("unknown heading {:?}", heading.join(",")),
                None => "the file is empty".into(),
            };
            Err(problem(1, what, "begin with hour,seats,english,... or with agent,from,until,skills"))
        }
    }
}

fn levelled(text: &str) -> Option<(Skill, u8)> {
    match text.split_once(['=', ':']) {
        None => Some((Skill::new(text), LEVEL)),
        Some((name, level)) => Some((Skill::new(name.trim()), level.trim().parse().ok()?)),
    }
}

fn named(skills: &BTreeMap<String, u8>) -> BTreeMap<Skill, u8> {
    skills.iter().map(|(name, level)| (Skill::new(name), *level)).collect()
}

/// What holds for every roster, however it was written.
fn judged(path: &Path, mut staff: Staff) -> Result<Staff, Problem> {
    let problem = |what: String, fix: &str| Err(Problem { file: path.to_owned(), line: 0, what, fix: fix.into() });
    let posts = staff.posts();
    if posts.is_empty() {
        return problem("nobody works on this roster".into(), "give at least one hour a seat");
    }
    if posts.len() > 2_000 {
        return problem(format!("{} agents at once", posts.len()), "a forecast holds 2000; give fewer seats");
    }
    for post in &posts {
        if let Some((skill, level)) = post.skills.iter().find(|(_, level)| !(1..=10).contains(*level)) {
            return problem(format!("level {level} of {skill}"), "levels go from 1 to 10");
        }
        if post.skills.is_empty() {
            return problem(format!("agent {} has no skills", post.agent), "add skills = { mandarin = 8 }");
        }
    }
    if let Staff::Agents(posts) = &mut staff {
        let mut seen = BTreeSet::new();
        for post in posts {
            if !seen.insert(post.agent.clone()) {
                return problem(format!("agent {} stands here twice", post.agent), "give all hours in one entry");
            }
            post.duty.sort();
            // Times that touch or overlap are one, or its middle would sign the agent out.
            let mut merged: Vec<(Duration, Duration)> = Vec::new();
            for (from, until) in post.duty.drain(..) {
                match merged.last_mut() {
                    Some((_, end)) if *end >= from => *end = until.max(*end),
                    _ => merged.push((from, until)),
                }
            }
            post.duty = merged;
        }
    }
    Ok(staff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Result<Staff, Problem> {
        let path = Path::new("roster.csv");
        from_csv(path, text).and_then(|staff| judged(path, staff))
    }

    #[test]
    fn hours_and_agents_from_csv() {
        let Ok(Staff::Hourly(roster)) = csv(include_str!("../../deploy/simulate/shift.csv")) else { panic!("hourly") };
        assert_eq!((roster.seats[9], roster.groups[1].seats[9], roster.seats[3]), (60, 3, 8));
        let agents = csv(
            "agent,from,until,skills\n6601,22:00,06:00,mandarin=9;english\n6602,08:00,12:00,mandarin\n6602,12:00,16:00,mandarin\n",
        );
        let Ok(Staff::Agents(posts)) = agents else { panic!("agents") };
        let hours = |s: u64| Duration::from_secs(3_600 * s);
        assert_eq!(posts[0].duty, [(hours(0), hours(6)), (hours(22), hours(24))]);
        assert_eq!(posts[1].duty, [(hours(8), hours(16))]);
        assert_eq!(posts[0].skills[&Skill::new("english")], LEVEL);
    }

    #[test]
    fn faults_name_their_place() {
        for (text, line, what) in [
            ("", 1, "empty"),
            ("hour,places\n", 1, "unknown heading"),
            ("hour,seats\n0,4\n0,4\n", 3, "twice"),
            ("hour,seats\n0,4\n", 0, "hour 1 has no row"),
            ("hour,seats\n0,four\n", 2, "does not fit"),
            ("agent,from,until,skills\n6601,8,16,mandarin\n", 2, "no time of work"),
            ("agent,from,until,skills\n6601,08:00,16:00,mandarin=lots\n", 2, "level"),
            ("agent,from,until,skills\n6601,08:00,16:00,\n", 0, "no skills"),
            ("agent,from,until,skills\n6,08:00,12:00,a\n6,13:00,16:00,b\n", 3, "other skills"),
        ] {
            let problem = csv(text).expect_err(text);
            assert!(problem.line == line && problem.what.contains(what), "{text}: {problem}");
        }
    }
}
