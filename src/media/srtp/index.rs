//! Which packet this is: the 48-bit index that 16 bits of sequence number stand for, and whether it was seen before.
//! (RFC 3711 s3.3.1, s3.3.2.)

/// How far back a packet may come and still be told from a repeated one: 2.5 s of audio.
const WIDTH: u64 = u128::BITS as u64;
/// s3.3.1: a rollover counter of 32 bits before the sequence number.
const END: u64 = 1 << 48;

/// The newest index, and which of those before it have been seen.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    newest: u64,
    /// Bit n: `newest - n`.
    seen: u128,
}

impl Window {
    pub fn starting_with(index: u64) -> Window {
        Window { newest: index, seen: 1 }
    }

    /// The index next to the newest that ends in `seq`; `None` if that is before the first or after the last.
    pub fn estimate(&self, seq: u16) -> Option<u64> {
        let ahead = seq.wrapping_sub(self.newest as u16) as i16;
        self.newest.checked_add_signed(ahead.into()).filter(|index| *index < END)
    }

    pub fn is_fresh(&self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            None => true,
            Some(back) => back < WIDTH && self.seen >> back & 1 == 0,
        }
    }

    /// Only for packets that have proved genuine.
    pub fn take(&mut self, index: u64) {
        match index.checked_sub(self.newest) {
            Some(ahead) => {
                self.seen = if ahead < WIDTH { self.seen << ahead } else { 0 } | 1;
                self.newest = index;
            }
            None if self.newest - index < WIDTH => self.seen |= 1 << (self.newest - index),
            None => {}
        }
    }
}
