//! A floor of two languages, told twice: by the distributor, and by the plain list below, which knows only what a shift
//! leader would say of it. The same callers must get the same agents at the same moments.
//!
//! The house: most agents speak Mandarin, a few English too, at levels. English callers want level 6; after 20 s level 3
//! will do, after 60 s any English, after 120 s anybody, with an interpreter. Mandarin callers get the linguists last, and one
//! linguist is kept free for English until a Mandarin caller has waited 45 s. English goes before Mandarin by a minute.

use crate::figures::over_seeds;
use crate::floor::{Caller, Crowd, Fate, House, START};
use rexian::config::settings::{AgentSettings, DistributorSettings, QueueSettings, Relaxation};
use rexian::ids::AgentNo;
use rexian::sim::rng::Rng;
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

const ENGLISH: usize = 1;
/// Level of English of each agent; 0 is none. All speak Mandarin.
const LEVELS: [u8; 9] = [0, 0, 8, 0, 5, 0, 2, 0, 0];
const MINUTE: Duration = Duration::from_secs(60);

fn house() -> House {
    let step = |after, skill: &str, level, use_reserve, interpreter| Relaxation {
        after: Duration::from_secs(after),
        skills: BTreeMap::from([(skill.into(), level)]),
        use_reserve,
        interpreter,
    };
    let queue = |name: &str, min_level, priority, relax| QueueSettings {
        min_level,
        priority,
        relax,
        max_waiting: u32::MAX,
        wrap_up: Duration::ZERO,
        ..QueueSettings::new(name, name)
    };
    let english = vec![
        step(20, "english", 3, false, false),
        step(60, "english", 1, false, false),
        step(120, "mandarin", 1, false, true),
    ];
    let agent = |(i, level): (usize, &u8)| {
        let english = (*level > 0).then_some(("english", *level));
        AgentSettings::new((6000 + i).to_string(), [("mandarin", 5)].into_iter().chain(english))
    };
    House {
        queues: vec![
            queue("mandarin", 1, 5, vec![step(45, "mandarin", 1, true, false)]),
            queue("english", 6, 4, english),
        ],
        agents: LEVELS.iter().enumerate().map(agent).collect(),
        rules: DistributorSettings { ageing: MINUTE, reserve: BTreeMap::from([("english".into(), 1)]) },
    }
}

/// The list: who has sat there since when without a call, and who waits.
struct List<'a> {
    callers: &'a [Caller],
    /// Free since; `None`: on a call.
    free: [Option<Instant>; 9],
    waiting: Vec<usize>,
    talks: Vec<(Instant, usize)>,
    fates: Vec<Option<Fate>>,
    /// How much earlier an English caller counts as having come.
    lead: Duration,
}

fn by_list(callers: &[Caller], lead: Duration) -> Vec<Fate> {
    let (fates, talks) = (vec![None; callers.len()], Vec::new());
    let mut list = List { callers, free: [Some(START); 9], waiting: Vec::new(), talks, fates, lead };
    let (mut now, mut next) = (START, 0);
    loop {
        // Whatever comes next: a caller, the end of a talk, somebody's patience, or a moment at which more will do.
        let gives_up = |i: usize| callers[i].at + callers[i].patience.expect("everybody has a limit");
        let moments = |i: &usize| [20, 45, 60, 120].map(|s| callers[*i].at + Duration::from_secs(s));
        let waiters = list.waiting.iter().flat_map(|i| moments(i).into_iter().chain([gives_up(*i)]));
        let came = callers.get(next).map(|c| c.at);
        let all = waiters.chain(list.talks.iter().map(|(at, _)| *at)).chain(came);
        let Some(then) = all.filter(|at| *at > now).min() else { break };
        now = then;
        for (_, agent) in list.talks.extract_if(.., |(at, _)| *at == now) {
            list.free[agent] = Some(now);
        }
        for i in list.waiting.extract_if(.., |i| gives_up(*i) == now) {
            list.fates[i] = Some(Fate::Left);
        }
        if came == Some(now) {
            list.waiting.push(next);
            next += 1;
        }
        while list.serve_one(now) {}
    }
    list.fates.into_iter().map(|fate| fate.expect("served or gone")).collect()
}

impl List<'_> {
    /// The first caller for whom somebody is free.
    fn serve_one(&mut self, now: Instant) -> bool {
        let place = |i: &usize| {
            let lead = if self.callers[*i].queue == ENGLISH { self.lead } else { Duration::ZERO };
            (self.callers[*i].at.as_unix_micros() - lead.as_micros() as u64, *i)
        };
        self.waiting.sort_by_key(place);
        let found = self.waiting.iter().enumerate().find_map(|(at, i)| Some((at, *i, self.somebody_for(*i, now)?)));
        let Some((at, i, (agent, step))) = found else { return false };
        self.waiting.remove(at);
        self.free[agent] = None;
        self.talks.push((now + self.callers[i].talk, agent));
        let interpreter = self.callers[i].queue == ENGLISH && step == 3;
        self.fates[i] =
            Some(Fate::Served { at: now, agent: AgentNo::new((6000 + agent).to_string()), step, interpreter });
        true
    }

    fn somebody_for(&self, i: usize, now: Instant) -> Option<(usize, u8)> {
        let waited = (now - self.callers[i].at).as_micros();
        let after = |seconds: u128| waited >= seconds * 1_000_000;
        let english = |least: u8| self.longest_idle(|level| level >= least);
        let linguists_free = (0..9).filter(|a| LEVELS[*a] > 0 && self.free[*a].is_some()).count();
        // Those without English first; a linguist only if another stays.
        let mandarin = || {
            let spared = || self.longest_idle(|level| level > 0).filter(|_| linguists_free > 1);
            self.longest_idle(|level| level == 0).or_else(spared)
        };
        if self.callers[i].queue == ENGLISH {
            let some = |who: Option<usize>, step| who.map(|who| (who, step));
            some(english(6), 0)
                .or_else(|| some(english(3).filter(|_| after(20)), 1))
                .or_else(|| some(english(1).filter(|_| after(60)), 2))
                .or_else(|| some(mandarin().filter(|_| after(120)), 3))
        } else {
            let last_linguist = || self.longest_idle(|level| level > 0).filter(|_| after(45));
            mandarin().map(|who| (who, 0)).or_else(|| last_linguist().map(|who| (who, 1)))
        }
    }

    /// The agents sit in the order of their numbers, so the first of equals is the lowest.
    fn longest_idle(&self, speaks: impl Fn(u8) -> bool) -> Option<usize> {
        (0..9).filter(|a| self.free[*a].is_some() && speaks(LEVELS[*a])).min_by_key(|a| self.free[*a])
    }
}

fn callers(mut rng: Rng, count: usize) -> Vec<Caller> {
    let seconds = Duration::from_secs;
    // A little more than nine agents can do.
    let crowd = Crowd { per_second: 1.1 * 9.0 / 165.0, talk: seconds(165), patience: Some(seconds(300)) };
    let mut callers = crowd.draw(&mut rng, count);
    callers.iter_mut().for_each(|caller| caller.queue = usize::from(rng.chance(0.3)));
    callers
}

#[test]
fn two_languages_are_served_as_the_list_says_call_by_call() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let days = over_seeds(1, 20, |rng| {
        let callers = callers(rng, 5_000);
        (house().run(&callers), by_list(&callers, MINUTE), callers)
    });
    for (seed, (ours, listed, callers)) in days.iter().enumerate() {
        for (i, (ours, listed)) in ours.iter().zip(listed).enumerate() {
            assert_eq!(ours, listed, "seed {seed}: caller {i}, {:?}", callers[i]);
            let kind = match ours {
                Fate::Served { step, .. } => format!("{} step {step}", house().queues[callers[i].queue].name),
                Fate::Left => "left".into(),
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    println!("{kinds:?}");
    // Every way to be served was taken, so that none was proved by nothing happening.
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    assert!(kinds.values().all(|times| *times > 50), "{kinds:?}");
}

/// The control: a list that lets English callers go before by a second more than the house does.
#[test]
fn a_slightly_different_order_is_found_out() {
    let callers = callers(Rng::new(1), 5_000);
    let odd = by_list(&callers, MINUTE + Duration::from_secs(1));
    assert_ne!(house().run(&callers), odd);
}
