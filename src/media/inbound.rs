//! The receive side of a leg: a datagram in, what it means out. Belongs here: the order of the checks and the counting.
//! Not here: each check's own rules (`rtp`, `latch`, `sequence`, `dtmf`), where the audio goes (`outbound`).

use super::dtmf::{DtmfReader, Event};
use super::dtmf_inband::ToneKeys;
use super::latch::{Admission, Latch};
use super::rtp::{COMFORT_NOISE, Packet};
use super::sequence::{Place, Sequence};
use crate::plane::{Codec, Negotiated};
use crate::time::Instant;
use std::net::SocketAddr;

/// Longest audio payload passed on, in octets: 200 ms. Nothing negotiated here comes near.
pub const MAX_AUDIO: usize = 1_600;

#[derive(Clone, Debug, Default)]
pub struct Inbound {
    pub sequence: Sequence,
    pub dtmf: DtmfReader,
    /// Listened to where no telephone-events are agreed.
    pub tones: ToneKeys,
    pub received: u64,
    pub refused: u64,
}

/// A valid packet of the party we listen to.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'p> {
    /// `None` for a packet that came before or belongs nowhere: counted, but nothing to pass on.
    pub part: Option<Part<'p>>,
    pub digits: [Option<char>; 2],
}

/// One packet's place in the stream, and its content.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// Numbers and timestamps of different epochs have nothing to do with one another.
    pub epoch: u32,
    pub number: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub content: Content<'p>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'p> {
    Audio(Codec, &'p [u8]),
    /// An RFC 4733 event's payload.
    Event(&'p [u8]),
    /// Comfort noise, or an empty keep-alive.
    Nothing,
}

impl Inbound {
    /// `None`: refused (and counted).
    pub fn receive<'p>(
        &mut self,
        now: Instant,
        from: SocketAddr,
        agreed: &Negotiated,
        latch: &mut Latch,
        datagram: &'p [u8],
    ) -> Option<Heard<'p>> {
        let heard = self.check(now, from, agreed, latch, datagram);
        match heard {
            Some(_) => self.received += 1,
            None => self.refused += 1,
        }
        heard
    }

    fn check<'p>(
        &mut self,
        now: Instant,
        from: SocketAddr,
        agreed: &Negotiated,
        latch: &mut Latch,
        datagram: &'p [u8],
    ) -> Option<Heard<'p>> {
        let packet = Packet::parse(datagram)?;
        let content = content(&packet, agreed)?;
        // Only now: a packet that is useless otherwise must not take the lock.
        let mut digits = [None; 2];
        match latch.admit(now, from, packet.ssrc) {
            Admission::Refused => return None,
            Admission::Known => {}
            Admission::NewStream => {
                self.sequence.restart(packet.ssrc, packet.seq);
                digits[0] = self.dtmf.restart(now);
            }
        }
        let number = match self.sequence.place(packet.ssrc, packet.seq) {
            Place::New(number) => number,
            Place::Repeated => return Some(Heard { part: None, digits }),
            Place::Wild => return None,
        };
        if agreed.direction.receives() {
            match content {
                Content::Event(payload) => {
                    let event = Event::parse(payload)?;
                    let [lost, this] = self.dtmf.event(now, packet.timestamp, event);
                    digits = [digits[0].or(lost), this];
                }
                Content::Audio(codec, payload) => {
                    self.sequence.time(now, packet.timestamp);
                    digits[0] = digits[0].or(self.dtmf.audio(now, packet.timestamp));
                    if agreed.dtmf.is_none() {
                        digits[1] = self.tones.audio(codec, payload);
                    }
                }
                Content::Nothing => {}
            }
        }
        let Packet { timestamp, marker, .. } = packet;
        Some(Heard { part: Some(Part { epoch: self.sequence.epoch(), number, timestamp, marker, content }), digits })
    }
}

fn content<'p>(packet: &Packet<'p>, agreed: &Negotiated) -> Option<Content<'p>> {
    if packet.payload_type == agreed.payload_type {
        return match packet.payload.len() {
            0 => Some(Content::Nothing),
            1..=MAX_AUDIO => Some(Content::Audio(agreed.codec, packet.payload)),
            _ => None,
        };
    }
    if Some(packet.payload_type) == agreed.dtmf {
        return Event::parse(packet.payload).map(|_| Content::Event(&packet.payload[..4]));
    }
    COMFORT_NOISE.contains(&packet.payload_type).then_some(Content::Nothing)
}
