//! `[[queues]]`, what `[queue_defaults]` gives all of them, and the `[distributor]`'s rules over them. Belongs here: a
//! queue's own settings and whether they agree with each other. Not here: who could serve it (`cross::skills`), what
//! leads to it (`cross::ways`).

use super::people::{identity, is_name};
use super::reader::{At, Form, Section};
use super::settings::{
    Announce, CallbackOffer, DistributorSettings, Overflow, QueueSettings, Relaxation, Rona, Strategy,
};
use crate::ids::{QueueName, Skill};
use std::collections::BTreeMap;
use std::time::Duration;

/// What `[queue_defaults]` may set for every queue that does not set it itself.
pub(super) const QUEUE_DEFAULTS: [&str; 18] = [
    "min_level",
    "priority",
    "strategy",
    "prefer_last_agent",
    "within",
    "short_abandon",
    "max_waiting",
    "max_wait",
    "ring_timeout",
    "rona",
    "wrap_up",
    "wrap_up_extension",
    "greeting",
    "music",
    "announce_agent",
    "announce",
    "callback",
    "test",
];

/// An announcement takes some seconds; those who wait want music between two of them.
const SOONEST_REPEAT: Duration = Duration::from_secs(15);

/// A queue and where its parts stood.
pub(super) struct QueueEntry {
    pub queue: QueueSettings,
    pub line: usize,
    pub numbers: Vec<At<String>>,
    /// `numbers` is there but cannot be read, which has been said.
    pub numbers_unread: bool,
    pub prompts: Vec<At<String>>,
    /// The skills of each step, the queue's own first.
    pub steps: Vec<Vec<At<Skill>>>,
    pub overflow: usize,
    pub callback: usize,
}

pub(super) struct DistributorEntry {
    pub distributor: DistributorSettings,
    pub reserve: Vec<At<(Skill, u32)>>,
}

pub(super) fn queues(sections: Vec<Section<'_>>, rules: &DistributorSettings) -> Vec<QueueEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| queue(section, rules, &mut taken)).collect()
}

/// Numbers as a trunk may send them; what they are is judged after normalisation.
pub(super) fn called_numbers(section: &Section<'_>) -> Option<Vec<At<String>>> {
    let called = |v: &toml_edit::Value| v.as_str().filter(|s| !s.trim().is_empty()).map(str::to_owned);
    section.list("numbers", "a called number", r#"write it as "12345", in quotes"#, called)
}

/// A text that is not empty: an empty one undoes a default.
pub(super) fn some_text(section: &Section<'_>, key: &'static str) -> Option<At<String>> {
    section.string(key).filter(|at| !at.value.is_empty())
}

fn queue(section: Section<'_>, rules: &DistributorSettings, taken: &mut BTreeMap<String, usize>) -> Option<QueueEntry> {
    let name = identity(&section, "name", "mandarin", is_name, taken);
    let numbers = called_numbers(&section);
    let numbers_unread = numbers.is_none() && section.has("numbers");
    let skill = some_text(&section, "skill");
    if skill.is_none() && !section.has("skill") {
        section.missing("skill", "\"mandarin\"");
    }
    let usual = QueueSettings::new("", "");
    let duration = |key, zero, usual| section.duration(key, zero).map_or(usual, |at| at.value);
    let strategies = [
        ("longest-idle", Strategy::LongestIdle),
        ("least-occupied", Strategy::LeastOccupied),
        ("most-skilled", Strategy::MostSkilled),
    ];
    let (greeting, music) = (some_text(&section, "greeting"), some_text(&section, "music"));
    let numbers = numbers.unwrap_or_default();
    let also = also(&section, skill.as_ref());
    let relax = relax(&section);
    let (overflow, announce, callback) = (overflow(&section), announce(&section), callback(&section));
    let settings = QueueSettings {
        name: QueueName::new(name.as_ref().map_or("", |at| &at.value)),
        numbers: numbers.iter().map(|at| at.value.clone()).collect(),
        skill: Skill::new(skill.as_ref().map_or("", |at| &at.value)),
        min_level: section.number("min_level", 1..=10).map_or(usual.min_level, |at| at.value as u8),
        also: also.iter().map(|at| at.value.clone()).collect(),
        relax: relax.iter().map(|step| step.relax.clone()).collect(),
        priority: section.number("priority", 0..=9).map_or(usual.priority, |at| at.value as u8),
        strategy: section.choice("strategy", &strategies).map_or(usual.strategy, |at| at.value),
        prefer_last_agent: section.boolean("prefer_last_agent").is_some_and(|at| at.value),
        within: duration("within", false, usual.within),
        short_abandon: duration("short_abandon", true, usual.short_abandon),
        max_waiting: section.number("max_waiting", 1..=1_000_000).map_or(usual.max_waiting, |at| at.value),
        max_wait: section.duration("max_wait", false).map(|at| at.value),
        overflow: overflow.as_ref().map(|at| at.value.clone()),
        ring_timeout: duration("ring_timeout", false, usual.ring_timeout),
        rona: rona(&section).unwrap_or(usual.rona),
        wrap_up: duration("wrap_up", true, usual.wrap_up),
        wrap_up_extension: duration("wrap_up_extension", false, usual.wrap_up_extension),
        greeting: greeting.as_ref().map(|at| at.value.as_str().into()),
        music: music.as_ref().map_or(usual.music, |at| at.value.as_str().into()),
        announce_agent: section.boolean("announce_agent").is_none_or(|at| at.value),
        language: some_text(&section, "language").map(|at| at.value),
        announce: announce.as_ref().map_or(usual.announce, |at| at.value),
        callback: callback.as_ref().map(|at| at.value.clone()),
        test: section.boolean("test").is_some_and(|at| at.value),
    };
    let line = section.line;
    judge_steps(&section, &settings, rules, &relax);
    judge_waiting(&section, &settings, overflow.as_ref(), announce.as_ref());
    section.done();
    let skill = skill.map(|at| At { value: Skill::new(at.value), line });
    name?;
    let own = [skill?].into_iter().chain(also.into_iter().map(|at| At { value: at.value.0, line: at.line }));
    let steps = std::iter::once(own.collect()).chain(relax.into_iter().map(|step| step.skills)).collect();
    Some(QueueEntry {
        queue: settings,
        line,
        numbers,
        numbers_unread,
        prompts: greeting.into_iter().chain(music).collect(),
        steps,
        overflow: overflow.map_or(line, |at| at.line),
        callback: callback.map_or(line, |at| at.line),
    })
}

fn also(section: &Section<'_>, skill: Option<&At<String>>) -> Vec<At<(Skill, u8)>> {
    let also = section.levels("also");
    if let Some(own) = also.iter().find(|at| skill.is_some_and(|skill| skill.value == at.value.0.as_str())) {
        let what = format!("also names {}, the queue's own skill", own.value.0);
        section.file.problem(own.line, what, "set its level with min_level, and name further skills in also");
    }
    also
}

struct Step {
    relax: Relaxation,
    line: usize,
    skills: Vec<At<Skill>>,
}

fn relax(section: &Section<'_>) -> Vec<Step> {
    let mut steps = vec![];
    for step in section.tables("relax") {
        let (after, levels) = (step.duration("after", false), step.levels("skills"));
        if after.is_none() && !step.has("after") {
            step.missing("after", "\"20s\"");
        }
        if !step.has("skills") {
            step.missing("skills", "{ mandarin = 1 }");
        }
        let flag = |key| step.boolean(key).is_some_and(|at| at.value);
        let (use_reserve, interpreter) = (flag("use_reserve"), flag("interpreter"));
        let line = step.line;
        step.done();
        let skills = levels.iter().map(|at| at.value.clone()).collect();
        if let Some(after) = after.map(|at| at.value) {
            let places = levels.into_iter().map(|at| At { value: at.value.0, line: at.line }).collect();
            steps.push(Step { relax: Relaxation { after, skills, use_reserve, interpreter }, line, skills: places });
        }
    }
    steps
}

/// Each step comes later than the one before and accepts somebody whom none before does.
fn judge_steps(section: &Section<'_>, queue: &QueueSettings, rules: &DistributorSettings, places: &[Step]) {
    let steps = queue.steps();
    for (k, place) in places.iter().enumerate() {
        let (step, earlier) = (&steps[k + 1], &steps[..=k]);
        let (name, after) = (&queue.name, step.after);
        let reach = |step: &Relaxation| (step.skills.clone(), step.use_reserve);
        if let Some(last) = earlier.last().filter(|last| last.after >= after) {
            let what = format!("queue {name} relaxes after {after:?}, but has done so after {:?} before", last.after);
            section.file.problem(place.line, what, "put the steps in the order of after, each later than the last");
        }
        if let Some(again) = earlier.iter().find(|earlier| reach(earlier) == reach(step)) {
            let what = format!(
                "queue {name} relaxes in a loop: after {after:?} it asks for {} as it did {}",
                needed(&step.skills),
                since(again)
            );
            section.file.problem(place.line, what, "ask for less at each step; remove the one that goes back");
        } else if let Some(wider) = earlier.iter().find(|earlier| covers(earlier, step, rules)) {
            let what = format!(
                "the step after {after:?} of queue {name} accepts nobody new: {} will do {}",
                needed(&wider.skills),
                since(wider)
            );
            section.file.problem(
                place.line,
                what,
                "a step widens the choice: lower a level, name another skill, or remove it",
            );
        }
        if let Some(max) = queue.max_wait.filter(|max| after >= *max) {
            let what = format!("queue {name} relaxes after {after:?}, when nobody waits: max_wait is {max:?}");
            section.file.problem(place.line, what, "relax sooner, or raise max_wait");
        }
    }
}

/// Whoever `later` accepts, `earlier` accepts already: it asks for no more, and agents whom a reserve keeps back from
/// it are kept back from `later` too.
fn covers(earlier: &Relaxation, later: &Relaxation, rules: &DistributorSettings) -> bool {
    let met = |(skill, level): (&Skill, &u8)| later.skills.get(skill).is_some_and(|l| l >= level);
    let takes_reserve = |step: &Relaxation| {
        step.use_reserve || step.skills.keys().any(|skill| rules.reserve.get(skill).is_some_and(|kept| *kept > 0))
    };
    earlier.skills.iter().all(met) && (takes_reserve(earlier) || !takes_reserve(later))
}

/// `english 5 and law 1`; `any agent` if nothing is needed.
pub(super) fn needed(skills: &BTreeMap<Skill, u8>) -> String {
    let each: Vec<String> = skills.iter().map(|(skill, level)| format!("{skill} {level}")).collect();
    if each.is_empty() { "any agent".into() } else { each.join(" and ") }
}

fn since(step: &Relaxation) -> String {
    if step.after.is_zero() { "at once".into() } else { format!("after {:?}", step.after) }
}

fn overflow(section: &Section<'_>) -> Option<At<Overflow>> {
    let table = section.inner("overflow")?;
    let (queue, after) = (table.string("queue"), table.duration("after", false).map(|at| at.value));
    if queue.is_none() && !table.has("queue") {
        table.missing("queue", "\"mandarin\"");
    }
    let line = table.line;
    table.done();
    queue.map(|at| At { value: Overflow { queue: QueueName::new(at.value), after }, line })
}

fn rona(section: &Section<'_>) -> Option<Rona> {
    let words = [("not-ready", Rona::NotReady), ("sign-out", Rona::SignOut)];
    match section.form("rona", &words, "{ tolerate = 2 }")?.value {
        Form::Word(word) => Some(word),
        Form::Table(table) => {
            let found = table.number("tolerate", 1..=100).map(|at| Rona::Tolerate(at.value as u8));
            if !table.has("tolerate") {
                table.missing("tolerate", 2);
            }
            table.done();
            found
        }
    }
}

fn announce(section: &Section<'_>) -> Option<At<Announce>> {
    let table = section.inner_unless_off("announce")?;
    let every = table.duration("every", false);
    if !table.has("every") {
        table.missing("every", "\"45s\"");
    }
    let flag = |key| table.boolean(key).is_some_and(|at| at.value);
    let (position, estimate, line) = (flag("position"), flag("estimate"), table.line);
    if let Some(bad) = every.as_ref().filter(|every| every.value < SOONEST_REPEAT) {
        let what = format!("every = {:?} in {} leaves no music between announcements", bad.value, table.name);
        table.file.problem(bad.line, what, format!("announce every {SOONEST_REPEAT:?} or less often"));
    }
    table.done();
    every.map(|every| At { value: Announce { every: Some(every.value), position, estimate }, line })
}

fn callback(section: &Section<'_>) -> Option<At<CallbackOffer>> {
    let table = section.inner_unless_off("callback")?;
    let after = table.duration("after", false);
    let key = phone_key(&table, "0123456789*#");
    for (name, example) in [("after", "\"60s\""), ("key", "\"1\"")] {
        if !table.has(name) {
            table.missing(name, example);
        }
    }
    let on_hang_up = table.boolean("on_hang_up").is_some_and(|at| at.value);
    let line = table.line;
    table.done();
    let (after, key) = after.zip(key)?;
    Some(At { value: CallbackOffer { after: after.value, key: key.value, on_hang_up }, line })
}

/// `key = "2"`, one of `keys`.
pub(super) fn phone_key(section: &Section<'_>, keys: &str) -> Option<At<char>> {
    let one = |text: &str| text.chars().next().filter(|c| text.chars().count() == 1 && keys.contains(*c));
    section.text("key", "a key of a telephone", &format!("write one of {keys}, in quotes"), one)
}

fn judge_waiting(
    section: &Section<'_>,
    queue: &QueueSettings,
    overflow: Option<&At<Overflow>>,
    announce: Option<&At<Announce>>,
) {
    let name = &queue.name;
    let over = overflow.and_then(|at| Some((at.line, at.value.after?)));
    if let Some(((line, after), max)) = over.zip(queue.max_wait).filter(|((_, after), max)| after >= max) {
        let what = format!("queue {name} overflows after {after:?}, when nobody waits: max_wait is {max:?}");
        section.file.problem(line, what, "let overflow.after be the shorter one, or leave max_wait out");
    }
    // With every announcement the callback is offered again.
    if let Some(at) = announce.filter(|at| !at.value.position && !at.value.estimate && queue.callback.is_none()) {
        let fix = "add position = true or estimate = true, or remove announce";
        section.file.problem(at.line, "announce of [[queues]] announces nothing", fix);
    }
    let offer = queue.callback.as_ref().map(|offer| offer.after);
    if let Some((after, max)) = offer.zip(queue.max_wait).filter(|(after, max)| after >= max) {
        let what = format!("queue {name} offers to call back after {after:?}, when nobody waits: max_wait is {max:?}");
        section.file.problem(section.line_of("callback"), what, "offer it sooner, or raise max_wait");
    }
}

pub(super) fn distributor(section: Section<'_>) -> DistributorEntry {
    let mut distributor = DistributorSettings::default();
    if let Some(ageing) = section.duration("ageing", false) {
        distributor.ageing = ageing.value;
    }
    let mut reserve = vec![];
    for (name, At { value, line }) in section.entries("reserve") {
        match value.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| (0..=100_000).contains(n)) {
            Some(kept) => reserve.push(At { value: (Skill::new(name), kept), line }),
            None => {
                let what = format!("reserve {name} = {} is not a number of agents", value.to_string().trim());
                section.file.problem(line, what, "write how many ready agents are kept; 0: last in choice, none kept");
            }
        }
    }
    section.done();
    distributor.reserve = reserve.iter().map(|at| at.value.clone()).collect();
    DistributorEntry { distributor, reserve }
}
