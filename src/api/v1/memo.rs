//! Answers that are kept for a moment: many screens ask the same thing every second, and one of them has it computed. Belongs here:
//! which are kept, and for how long. Not here: what they are made of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// By what was asked, the latest asked last.
pub(super) struct Memo<K, V> {
    life: Duration,
    most: usize,
    kept: Mutex<Vec<(K, Place<V>)>>,
}

/// Who computes holds it; the others have the answer then.
type Place<V> = Arc<tokio::sync::Mutex<Option<(Instant, V)>>>;

impl<K: PartialEq, V: Clone> Memo<K, V> {
    /// Each answer serves for `life`; of more than `most` the one that was not asked for the longest is forgotten.
    pub(super) fn new(life: Duration, most: usize) -> Memo<K, V> {
        Memo { life, most, kept: Mutex::default() }
    }

    /// What is kept, or else what `compute` finds. A failure is not kept.
    pub(super) async fn answer<E>(&self, key: K, compute: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let place = self.place(key);
        let mut kept = place.lock().await;
        match &*kept {
            Some((since, answer)) if since.elapsed() < self.life => Ok(answer.clone()),
            _ => {
                let answer = compute.await?;
                *kept = Some((Instant::now(), answer.clone()));
                Ok(answer)
            }
        }
    }

    fn place(&self, key: K) -> Place<V> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(known, _)| *known == key);
        let place = known.map(|at| kept.remove(at).1).unwrap_or_default();
        if kept.len() >= self.most {
            kept.remove(0);
        }
        kept.push((key, place.clone()));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(3_600);

    #[derive(Default)]
    struct Work(AtomicU32);

    impl Work {
        /// Lets others run meanwhile, as reading a day does; says how often it was done.
        async fn done(&self) -> Result<u32, ()> {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            Ok(self.0.fetch_add(1, Ordering::Relaxed) + 1)
        }
    }

    #[tokio::test]
    async fn ten_at_once_have_one_answer_until_its_life_is_over() {
        for (life, answers) in [(LONG, [1; 10]), (Duration::ZERO, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])] {
            let (memo, work) = (Arc::new(Memo::new(life, 4)), Arc::new(Work::default()));
            let mut asking = tokio::task::JoinSet::new();
            for _ in 0..10 {
                let (memo, work) = (memo.clone(), work.clone());
                asking.spawn(async move { memo.answer("today", work.done()).await.unwrap() });
            }
            let mut given = asking.join_all().await;
            given.sort_unstable();
            assert_eq!(given, answers, "{life:?}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_and_the_next_who_waits_tries() {
        let (memo, work) = (Memo::new(LONG, 4), Work::default());
        let fails = async {
            tokio::task::yield_now().await;
            Err(())
        };
        let answers = tokio::join!(memo.answer("today", fails), memo.answer("today", work.done()));
        assert_eq!(answers, (Err(()), Ok(1)));
    }

    #[tokio::test]
    async fn each_question_has_its_answer_and_so_many_are_kept() {
        let (memo, work) = (Memo::new(LONG, 2), Work::default());
        for (asked, answer) in [(1, 1), (2, 2), (1, 1), (3, 3), (1, 1), (2, 4)] {
            assert_eq!(memo.answer(asked, work.done()).await, Ok(answer), "{asked}");
            assert!(memo.kept.lock().unwrap().len() <= 2);
        }
    }
}
