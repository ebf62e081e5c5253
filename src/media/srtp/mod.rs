//! SRTP and SRTCP: what leaves a leg is sealed, what comes in is opened, in place and without allocating (RFC 3711,
//! RFC 7714). Belongs here: one leg's contexts, one for each direction; which streams they have seen. Not here: the
//! agreement on keys (`sdp`), whose packets are listened to (`latch`).
//!
//! Security. Nothing is kept for a packet before it has proved genuine. No index is sealed twice under one key: the
//! second packet is not sent. Replayed packets are refused.

mod cipher;
mod index;

use crate::plane::srtp::{Keys, MasterKey, Suite};
use cipher::{Cipher, Kind};
use index::Window;
use std::fmt;

/// Streams of one sender that are remembered; the one heard least recently makes room.
const STREAMS: usize = 8;
/// Indices of SRTCP end here; at a report in five seconds no call comes near.
const LAST_REPORT: u32 = i32::MAX as u32;

/// Both directions of a leg.
pub struct Protection {
    keys: Keys,
    pub sender: Sender,
    pub receiver: Receiver,
}

impl Protection {
    pub fn new(keys: Keys) -> Protection {
        let Keys { suite, ours, theirs } = keys;
        Protection { keys, sender: Sender::new(suite, &ours), receiver: Receiver::new(suite, &theirs) }
    }

    /// What a further agreement makes of it: a direction whose key is the same counts on.
    pub fn renewed(self, keys: Keys) -> Protection {
        let Keys { suite, ours, theirs } = keys;
        let same_suite = self.keys.suite == suite;
        let sender = match same_suite && self.keys.ours == ours {
            true => self.sender,
            false => Sender::new(suite, &ours),
        };
        let receiver = match same_suite && self.keys.theirs == theirs {
            true => self.receiver,
            false => Receiver { before: self.receiver.rtp_streams, ..Receiver::new(suite, &theirs) },
        };
        Protection { keys, sender, receiver }
    }
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ***", self.keys.suite)
    }
}

/// Seals one stream: a leg sends with one SSRC for life.
pub struct Sender {
    rtp: Cipher,
    rtcp: Cipher,
    sent: Option<Window>,
    next_report: u32,
}

impl Sender {
    pub fn new(suite: Suite, key: &MasterKey) -> Sender {
        let (rtp, rtcp) = (Cipher::derive(suite, Kind::Rtp, key), Cipher::derive(suite, Kind::Rtcp, key));
        // From 1, as others begin, though s3.4 would have 0.
        Sender { rtp, rtcp, sent: None, next_report: 1 }
    }

    /// Seals the packet in the first `len` octets. Returns its length then; `None`: it must not be sent.
    pub fn seal_rtp(&mut self, len: usize, buffer: &mut [u8]) -> Option<usize> {
        let head = Head::read(buffer.get(..len)?)?;
        let index = match &self.sent {
            None => head.seq.into(),
            Some(sent) => sent.estimate(head.seq).filter(|index| sent.is_fresh(*index))?,
        };
        let sealed = self.rtp.seal_rtp(index, head.ssrc, head.len, len, buffer)?;
        self.sent.get_or_insert(Window::starting_with(index)).take(index);
        Some(sealed)
    }

    pub fn seal_rtcp(&mut self, len: usize, buffer: &mut [u8]) -> Option<usize> {
        let index = self.next_report;
        if index == LAST_REPORT {
            return None;
        }
        self.next_report += 1;
        self.rtcp.seal_rtcp(index, len, buffer)
    }
}

/// Opens whatever streams the far end sends under its key.
pub struct Receiver {
    rtp: Cipher,
    rtcp: Cipher,
    rtp_streams: Streams,
    rtcp_streams: Streams,
    /// How far the streams had come under the key before.
    before: Streams,
}

impl Receiver {
    pub fn new(suite: Suite, key: &MasterKey) -> Receiver {
        let (rtp, rtcp) = (Cipher::derive(suite, Kind::Rtp, key), Cipher::derive(suite, Kind::Rtcp, key));
        let none = Streams::default;
        Receiver { rtp, rtcp, rtp_streams: none(), rtcp_streams: none(), before: none() }
    }

    /// Opens a datagram. Returns the RTP packet's length in it; `None`: not genuine, or seen before.
    pub fn open_rtp(&mut self, datagram: &mut [u8]) -> Option<usize> {
        let Head { ssrc, seq, len: header } = Head::read(datagram)?;
        let mut open = |index| self.rtp.open_rtp(index, ssrc, header, datagram).map(|len| (index, len));
        let (index, len) = match self.rtp_streams.get(ssrc) {
            Some(window) => window.estimate(seq).filter(|index| window.is_fresh(*index)).and_then(&mut open)?,
            None => self.first_indices(ssrc, seq).into_iter().flatten().find_map(&mut open)?,
        };
        self.rtp_streams.take(ssrc, index);
        Some(len)
    }

    pub fn open_rtcp(&mut self, datagram: &mut [u8]) -> Option<usize> {
        let ssrc = u32::from_be_bytes(datagram.get(4..8)?.try_into().ok()?);
        let index = self.rtcp.rtcp_index(datagram)?;
        if self.rtcp_streams.get(ssrc).is_some_and(|window| !window.is_fresh(index.into())) {
            return None;
        }
        let len = self.rtcp.open_rtcp(index, datagram)?;
        self.rtcp_streams.take(ssrc, index.into());
        Some(len)
    }

    /// Where a stream may be when we hear it first. Its counter begins at nought, but may have rolled over before we had
    /// the key: phones that begin near 65,535 speak before their 200 is here. And after a new key some count on.
    fn first_indices(&self, ssrc: u32, seq: u16) -> [Option<u64>; 3] {
        let rolled_over = (seq < 1 << 15).then_some(1 << 16 | u64::from(seq));
        let counted_on =
            self.before.get(ssrc).and_then(|window| window.estimate(seq)).filter(|index| *index > u16::MAX.into());
        [Some(seq.into()), rolled_over, counted_on]
    }
}

/// By SSRC, the one heard last at the end.
#[derive(Default)]
struct Streams(Vec<(u32, Window)>);

impl Streams {
    fn get(&self, ssrc: u32) -> Option<&Window> {
        self.0.iter().rev().find(|(s, _)| *s == ssrc).map(|(_, window)| window)
    }

    /// Notes a genuine packet.
    fn take(&mut self, ssrc: u32, index: u64) {
        match self.0.iter().rposition(|(s, _)| *s == ssrc) {
            Some(at) => {
                self.0[at].1.take(index);
                self.0[at..].rotate_left(1);
            }
            None => {
                if self.0.len() == STREAMS {
                    self.0.remove(0);
                }
                self.0.push((ssrc, Window::starting_with(index)));
            }
        }
    }
}

/// What of an RTP header matters here.
struct Head {
    ssrc: u32,
    seq: u16,
    /// Octets before the payload, CSRCs and extension included.
    len: usize,
}

impl Head {
    fn read(packet: &[u8]) -> Option<Head> {
        let (fixed, rest) = packet.split_first_chunk::<12>()?;
        let contributors = 4 * usize::from(fixed[0] & 15);
        let extension = match fixed[0] & 0x10 {
            0 => 0,
            _ => {
                let words = rest.get(contributors + 2..contributors + 4)?;
                4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]))
            }
        };
        let len = 12 + contributors + extension;
        let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
        let seq = u16::from_be_bytes([fixed[2], fixed[3]]);
        (fixed[0] >> 6 == 2 && len <= packet.len()).then_some(Head { ssrc, seq, len })
    }
}

#[cfg(test)]
mod tests;
