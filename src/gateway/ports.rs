//! Which RTP port is free. The media plane has them all bound; this decides who uses which.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ports {
    /// Longest unused first, so that late packets of an old call find nobody.
    free: VecDeque<u16>,
    total: usize,
}

impl Ports {
    /// `pairs` RTP/RTCP pairs from the even port `first`.
    pub fn new(first: u16, pairs: u16) -> Ports {
        let free: VecDeque<u16> = (0..pairs).map_while(|i| first.checked_add(i.checked_mul(2)?)).collect();
        Ports { total: free.len(), free }
    }

    pub fn take(&mut self) -> Option<u16> {
        self.free.pop_front()
    }

    pub fn give_back(&mut self, port: u16) {
        self.free.push_back(port);
    }

    pub fn free(&self) -> usize {
        self.free.len()
    }

    pub fn in_use(&self) -> usize {
        self.total - self.free.len()
    }

    pub fn total(&self) -> usize {
        self.total
    }
}
