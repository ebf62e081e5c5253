//! Calls of today and of the last 24 hours in memory, which further events only add to, so that who asks every second costs
//! nothing. Belongs here: which counts a call is in. Not here: how they are shown (`queues`, `wallboard`).

use super::V1;
use super::events::unreadable;
use super::problem::Problem;
use super::sla::{STANDARD, midnight};
use crate::api::logs::{Log, LogError};
use crate::config::settings::QueueSettings;
use crate::host::Clock;
use crate::ids::{QueueName, Skill};
use crate::record::{CallRecord, Segment};
use crate::sla::{Part, WINDOW};
use crate::store::facts::{Broken, Live, Told};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

pub(super) struct Board {
    pub(super) live: Live,
    over: Counts,
    commits: watch::Receiver<u64>,
}

/// Whose counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    All,
    /// 技能组: queues of one leading skill.
    Skill(Skill),
    Queue(QueueName),
}

#[derive(Clone)]
pub(super) struct Counts {
    midnight: Instant,
    /// Of each queue, its N and its leading skill.
    queues: BTreeMap<QueueName, (Duration, Skill)>,
    today: BTreeMap<Of, Part>,
    /// Of the last 24 hours: when, which queue was asked first, and whether somebody answered.
    requests: Vec<(Instant, QueueName, bool)>,
}

/// Does `show` with today's counts, calls that are up included.
pub(super) async fn with<T>(api: &V1, show: impl FnOnce(&Live, &Counts, Instant) -> T) -> Result<T, Problem> {
    let clock = Clock::start().now();
    // One brings it up to date, and the others have the answer then.
    let mut place = api.board.lock().await;
    let kept = match place.take().filter(|board| board.over.midnight == midnight(clock)) {
        Some(mut board) => board.go_on(api).await?.is_ok().then_some(board),
        None => None,
    };
    let board = match kept {
        Some(board) => board,
        None => {
            let mut board = Board::begin(api, clock).await?;
            // Broken at once: the facts are folded of this log later; until then they are what there is.
            let _ = board.go_on(api).await?;
            board
        }
    };
    let at = clock.max(board.live.at());
    let mut counts = board.over.clone();
    board.live.calls().for_each(|record| counts.count(record));
    let answer = show(&board.live, &counts, at);
    *place = Some(board);
    Ok(answer)
}

/// The event log, and a count of its commits.
fn journal(api: &V1) -> Result<(PathBuf, watch::Receiver<u64>), Problem> {
    match api.log()? {
        Log::Calls { path, changed } => Ok((path, changed)),
        Log::Tickets { .. } => Err(Problem::unavailable("no event log is kept")),
    }
}

impl Board {
    async fn begin(api: &V1, now: Instant) -> Result<Board, Problem> {
        let (_, mut commits) = journal(api)?;
        commits.mark_changed();
        let mut over = Counts::new(&api.sources.queues, midnight(now));
        let begun = api.facts(move |facts| {
            let live =
                Live::begin(facts, Instant(now.0.saturating_sub(WINDOW.as_micros() as u64)), |told| over.tell(told))?;
            Ok((live, over))
        });
        let (live, over) = begun.await?;
        Ok(Board { live, over, commits })
    }

    async fn go_on(&mut self, api: &V1) -> Result<Result<(), Broken>, Problem> {
        if !self.commits.has_changed().unwrap_or(true) {
            return Ok(Ok(()));
        }
        self.commits.mark_unchanged();
        let (log, _) = journal(api)?;
        let over = &mut self.over;
        let read = self.live.go_on(&log, |told| over.tell(told)).await;
        let at = self.live.at();
        self.over.requests.retain(|(asked, ..)| *asked + WINDOW > at);
        read.map_err(|e| unreadable(&LogError::Calls(e)))
    }
}

impl Counts {
    fn new(settings: &[QueueSettings], midnight: Instant) -> Counts {
        let queues: BTreeMap<_, _> =
            settings.iter().map(|queue| (queue.name.clone(), (queue.within, queue.skill.clone()))).collect();
        let of = |queue: &QueueSettings| [Of::Skill(queue.skill.clone()), Of::Queue(queue.name.clone())];
        let all = settings.iter().flat_map(of).chain([Of::All]);
        Counts { midnight, queues, today: all.map(|of| (of, Part::new(&[]))).collect(), requests: vec![] }
    }

    fn tell(&mut self, told: Told<'_>) {
        match told {
            Told::Over(record) => self.count(record),
            Told::WrappedUp(record, segment, time) => {
                if record.is_judged() && record.counted_at() >= self.midnight && segment.agent().is_some() {
                    self.each(segment.queue.as_ref(), |part| part.wrapped_up(time));
                }
            }
        }
    }

    fn count(&mut self, record: &CallRecord) {
        let asked = record.asked.as_ref().map(|asked| &asked.queue);
        if let (Some(answered), Some(queue)) = (record.verdict(), asked) {
            self.requests.push((record.counted_at(), queue.clone(), answered));
        }
        if record.counted_at() < self.midnight {
            return;
        }
        let within = asked.and_then(|queue| self.queues.get(queue)).map_or(STANDARD, |(within, _)| *within);
        self.each(asked, |part| part.request(record, within));
        let judged = |_: &&Segment| record.is_judged();
        for segment in record.segments.iter().filter(judged) {
            self.each(segment.queue.as_ref(), |part| part.conversation(segment));
        }
    }

    /// What happens for a queue counts for its skill and for all.
    fn each(&mut self, queue: Option<&QueueName>, mut count: impl FnMut(&mut Part)) {
        let known = queue.and_then(|queue| Some((queue, &self.queues.get(queue)?.1)));
        let of = known.map(|(queue, skill)| [Of::Skill(skill.clone()), Of::Queue(queue.clone())]);
        for of in of.into_iter().flatten().chain([Of::All]) {
            count(self.today.entry(of).or_default());
        }
    }

    pub(super) fn today(&self, of: &Of) -> Option<&Part> {
        self.today.get(of)
    }

    pub(super) fn skills(&self) -> impl Iterator<Item = &Skill> {
        self.today.keys().filter_map(|of| match of {
            Of::Skill(skill) => Some(skill),
            _ => None,
        })
    }

    pub(super) fn includes(&self, of: &Of, queue: &QueueName) -> bool {
        match of {
            Of::All => true,
            Of::Skill(skill) => self.queues.get(queue).is_some_and(|(_, of)| of == skill),
            Of::Queue(name) => name == queue,
        }
    }

    /// N, if all queues of it share one.
    pub(super) fn within(&self, of: &Of) -> Option<Duration> {
        let mut all = self.queues.iter().filter(|(queue, _)| self.includes(of, queue)).map(|(_, (within, _))| *within);
        let first = all.next()?;
        all.all(|within| within == first).then_some(first)
    }

    /// A and R of the 24 hours that end `at`.
    pub(super) fn last_day(&self, of: &Of, at: Instant) -> (u64, u64) {
        let inside = |asked: Instant| asked <= at && asked + WINDOW > at;
        let requests = self.requests.iter().filter(|(asked, queue, _)| inside(*asked) && self.includes(of, queue));
        requests.fold((0, 0), |(answered, all), (.., yes)| (answered + u64::from(*yes), all + 1))
    }
}

/// The queue that a caller waits in, and since when: a wait goes on after a move, and begins anew after a pickup.
pub(super) fn waits(record: &CallRecord) -> Option<(&QueueName, Instant)> {
    let asked = record.asked.as_ref().filter(|_| record.ended.is_none())?;
    let entered = record.moves.last().unwrap_or(asked);
    match record.segments.last() {
        None => Some((&entered.queue, asked.at)),
        Some(last) => {
            let over = last.until.filter(|over| entered.at >= *over)?;
            Some((&entered.queue, over))
        }
    }
}

/// Callers who wait in queues of `of`, ringing included, and for how long the first.
pub(super) fn waiting(live: &Live, counts: &Counts, of: &Of, at: Instant) -> (usize, Duration) {
    let here = live.calls().filter_map(waits).filter(|(queue, _)| counts.includes(of, queue));
    here.fold((0, Duration::ZERO), |(n, longest), (_, since)| (n + 1, longest.max(at.since(since))))
}
