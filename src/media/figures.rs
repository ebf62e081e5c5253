//! The media plane's figures for `/metrics`. Belongs here: totals since start, and how a media thread publishes them.
//! Not here: one leg's figures (`plane::LegStats`), formatting (`api`).

use crate::plane::LegStats;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Totals of packets since start, except `legs_open`. At most a tenth of a second old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub legs_open: u64,
    pub received: u64,
    pub sent: u64,
    /// Of those sent, the ones that came from another leg.
    pub relayed: u64,
    pub lost: u64,
    /// Wrong source, not RTP, unknown payload type.
    pub refused: u64,
    /// Came to a port that no call uses.
    pub stray: u64,
    /// The kernel did not take them: no route, no buffer.
    pub send_failed: u64,
}

/// One thread's figures as others see them: written by that thread alone; and whether it has ended.
#[derive(Debug, Default)]
struct Board([AtomicU64; 8], AtomicBool);

/// Where to read them from any thread.
#[derive(Clone, Debug, Default)]
pub struct FigureReader(Vec<Arc<Board>>);

/// Where one media thread writes them.
#[derive(Debug)]
pub struct FigureWriter(Arc<Board>);

impl FigureReader {
    pub fn with_writers(threads: usize) -> (Self, Vec<FigureWriter>) {
        let boards: Vec<Arc<Board>> = (0..threads).map(|_| Arc::default()).collect();
        let writers = boards.iter().cloned().map(FigureWriter).collect();
        (FigureReader(boards), writers)
    }

    /// Every media thread runs.
    pub fn all_up(&self) -> bool {
        self.0.iter().all(|board| !board.1.load(Relaxed))
    }

    pub fn read(&self) -> Figures {
        self.0.iter().fold(Figures::default(), |sum, board| {
            sum.plus(&Figures::from_array(board.0.each_ref().map(|a| a.load(Relaxed))))
        })
    }
}

impl FigureWriter {
    /// Totals never go back, though a leg's loss does when a late packet turns up; only `legs_open` may.
    pub fn write(&self, figures: &Figures) {
        let [legs, totals @ ..] = figures.to_array();
        self.0.0[0].store(legs, Relaxed);
        for (shown, total) in self.0.0[1..].iter().zip(totals) {
            if total > shown.load(Relaxed) {
                shown.store(total, Relaxed);
            }
        }
    }
}

impl Drop for FigureWriter {
    /// By order or by a panic: the thread is gone.
    fn drop(&mut self) {
        self.0.1.store(true, Relaxed);
    }
}

impl Figures {
    /// Adds one leg's packets.
    pub fn add_leg(&mut self, leg: &LegStats) {
        self.received += leg.received;
        self.sent += leg.sent;
        self.lost += leg.lost;
        self.refused += leg.refused;
    }

    fn plus(&self, other: &Figures) -> Figures {
        let mut sum = self.to_array();
        sum.iter_mut().zip(other.to_array()).for_each(|(a, b)| *a += b);
        Figures::from_array(sum)
    }

    fn to_array(self) -> [u64; 8] {
        let Figures { legs_open, received, sent, relayed, lost, refused, stray, send_failed } = self;
        [legs_open, received, sent, relayed, lost, refused, stray, send_failed]
    }

    fn from_array([legs_open, received, sent, relayed, lost, refused, stray, send_failed]: [u64; 8]) -> Self {
        Figures { legs_open, received, sent, relayed, lost, refused, stray, send_failed }
    }
}
