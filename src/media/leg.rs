//! One leg's media: the two directions, what feeds it, its watchdog and its reports, put together. Belongs here: what
//! a packet, a tick and a command do to a leg. Not here: sockets and other legs (`shard`). No I/O: bytes in, bytes out.

use super::inbound::{Content, Inbound, Part};
use super::latch::Latch;
use super::outbound::Outbound;
use super::ports::Use;
use super::prompt::PromptLibrary;
use super::rtcp::{Closing, MAX_REPORT, Reporter};
use super::source::{After, Player};
use super::srtp::{Protection, Receiver};
use super::tone::FRAME;
use super::watchdog::{Alarm, Watchdog};
use crate::ids::LegId;
use crate::plane::{Codec, Direction, LegStats, MediaEvent, Negotiated, Source};
use crate::time::Instant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A leg that is to hear another, silent one still gets a packet this often: NATs and carriers' watchdogs (RFC 6263).
const KEEP_ALIVE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Leg {
    id: LegId,
    agreed: Option<Agreed>,
    inbound: Inbound,
    outbound: Outbound,
    player: Player,
    watchdog: Watchdog,
    reporter: Reporter,
}

/// From the first `Connect` on.
#[derive(Debug)]
struct Agreed {
    media: Negotiated,
    latch: Latch,
    /// `None`: plain RTP.
    protection: Option<Box<Protection>>,
    /// Where their RTCP comes from, once some came.
    rtcp_from: Option<SocketAddr>,
}

/// Random numbers a leg begins with.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    pub stream: u64,
    pub name: u64,
}

impl Leg {
    pub fn new(now: Instant, id: LegId, seeds: Seeds) -> Self {
        let Seeds { stream, name } = seeds;
        // Far from its end: an SRTP receiver that misses our first packets could not know of a rollover (RFC 3711 s3.3.1).
        let first_seq = (stream >> 32) as u16 >> 1;
        Leg {
            id,
            agreed: None,
            inbound: Inbound::default(),
            outbound: Outbound::new(stream as u32, first_seq, (name ^ stream.rotate_left(17)) as u32),
            player: Player::default(),
            watchdog: Watchdog::default(),
            reporter: Reporter::new(now, name),
        }
    }

    pub fn id(&self) -> LegId {
        self.id
    }

    /// Applies what was negotiated, now or again.
    pub fn connect(
        &mut self,
        now: Instant,
        media: Negotiated,
        also_from: Option<IpAddr>,
        first_within: Option<Duration>,
        timeout: Option<Duration>,
    ) {
        // Whoever holds may fall silent (a phone on hold often does): only a conversation is watched.
        self.watchdog.set(now, media.direction == Direction::SendRecv, first_within, timeout);
        let protection = self.agreed.as_mut().and_then(|agreed| agreed.protection.take());
        let protection = media.srtp.map(|keys| match protection {
            Some(before) => Box::new(before.renewed(keys)),
            None => Box::new(Protection::new(keys)),
        });
        match &mut self.agreed {
            Some(agreed) if agreed.latch.is_for(media.remote_rtp, also_from) => {
                (agreed.media, agreed.protection) = (media, protection);
            }
            _ => {
                let latch = Latch::new(media.remote_rtp, also_from);
                self.agreed = Some(Agreed { latch, media, protection, rtcp_from: None });
            }
        }
    }

    pub fn set_source(&mut self, source: Source, prompts: &PromptLibrary) {
        self.player.set(source, prompts);
    }

    /// The leg that feeds this one; `None`: the player does, frame by frame.
    pub fn fed_by(&self) -> Option<LegId> {
        self.player.fed_by()
    }

    /// The legs this one hears, one or several.
    pub fn speakers(&self) -> impl Iterator<Item = LegId> {
        self.player.speakers()
    }

    /// A leg that this one hears is gone.
    pub fn forget(&mut self, speaker: LegId) {
        self.player.forget(speaker);
    }

    /// A datagram on the RTP port that is not RTCP; it is opened in place. What comes back is for the legs that listen to
    /// this one.
    pub fn receive<'p>(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &'p mut [u8],
        report: &dyn Fn(MediaEvent),
    ) -> Option<Part<'p>> {
        let opened =
            self.agreed.as_mut().and_then(|agreed| Some((agreed.open(from, datagram, Receiver::open_rtp)?, agreed)));
        let Some((len, agreed)) = opened else {
            self.inbound.refused += 1;
            return None;
        };
        let datagram = &datagram[..len];
        let heard = self.inbound.receive(now, from, &agreed.media, &mut agreed.latch, datagram)?;
        if self.watchdog.heard(now) {
            report(MediaEvent::FirstRtp { leg: self.id });
        }
        heard.digits.into_iter().flatten().for_each(|digit| report(MediaEvent::Digit { leg: self.id, digit }));
        heard.part.filter(|_| agreed.media.direction.receives())
    }

    /// An RTCP datagram, on whichever port; only one on the RTCP port tells where ours must go.
    pub fn receive_rtcp(&mut self, now: Instant, from: SocketAddr, on: Use, datagram: &mut [u8]) {
        let ssrc = self.outbound.ssrc();
        let opened =
            self.agreed.as_mut().and_then(|agreed| Some((agreed.open(from, datagram, Receiver::open_rtcp)?, agreed)));
        match opened {
            Some((len, agreed)) if self.reporter.receive(now, ssrc, &datagram[..len]) => {
                if on == Use::Rtcp {
                    agreed.rtcp_from = Some(from);
                }
                self.watchdog.alive(now);
            }
            _ => self.inbound.refused += 1,
        }
    }

    /// Something the leg `from` said. Returns the packet's length in `out` and its destination; nothing if it is heard
    /// together with others, at the next tick.
    pub fn relay(&mut self, now: Instant, from: LegId, part: &Part<'_>, out: &mut [u8]) -> Option<(usize, SocketAddr)> {
        if self.player.mix_in(from, part) {
            return None;
        }
        let Some((media, to)) = sendable(&self.agreed) else {
            self.outbound.pause();
            return None;
        };
        let len = self.outbound.relay(now, from, part, media, out)?;
        Some((self.sealed(len, out)?, to))
    }

    /// 20 ms of what this leg is played, due at `at`. Prompts go on although the direction forbids to send: the call's
    /// progress must not depend on the caller's hold key. Before `Connect` nothing moves. The sound itself is left in `frame`.
    pub fn tick(
        &mut self,
        at: Instant,
        frame: &mut [u8; FRAME],
        out: &mut [u8],
    ) -> (Option<(usize, SocketAddr)>, After) {
        if self.agreed.is_none() {
            return (None, After::More);
        }
        let after = self.player.next(frame);
        let played = sendable(&self.agreed)
            .and_then(|(media, to)| self.outbound.play(at, frame, media, out).map(|len| (len, to)));
        (played.and_then(|(len, to)| Some((self.sealed(len, out)?, to))), after)
    }

    /// This frame as something that others said: `None` if it was played.
    pub fn mixed<'f>(&self, at: Instant, frame: &'f [u8; FRAME]) -> Option<Part<'f>> {
        // An even stream by our own clock.
        let timestamp = (at.as_unix_micros() / 125) as u32;
        let content = Content::Audio(Codec::Pcma, frame);
        let part = Part { epoch: 0, number: 0, timestamp, marker: false, content };
        self.player.is_mixing().then_some(part)
    }

    /// What time brings, to be called about ten times a second: alarms and late key presses are reported; a keep-alive
    /// may have to be sent.
    pub fn time(&mut self, now: Instant, out: &mut [u8], report: &dyn Fn(MediaEvent)) -> Option<(usize, SocketAddr)> {
        let leg = self.id;
        match self.watchdog.check(now) {
            Some(Alarm::NoRtp) => report(MediaEvent::NoRtp { leg }),
            Some(Alarm::RtpTimeout) => report(MediaEvent::RtpTimeout { leg }),
            None => {}
        }
        if let Some(digit) = self.inbound.dtmf.time(now) {
            report(MediaEvent::Digit { leg, digit });
        }
        self.fed_by()?;
        let quiet = self.outbound.last_sent().is_none_or(|at| now.since(at) >= KEEP_ALIVE);
        let (media, to) = sendable(&self.agreed).filter(|_| quiet)?;
        let silence = [super::g711::ALAW_SILENCE; FRAME];
        let len = self.outbound.play(now, &silence, media, out)?;
        Some((self.sealed(len, out)?, to))
    }

    /// The packet as it goes out; `None`: not at all.
    fn sealed(&mut self, len: usize, out: &mut [u8]) -> Option<usize> {
        match self.agreed.as_mut().and_then(|agreed| agreed.protection.as_mut()) {
            Some(protection) => protection.sender.seal_rtp(len, out),
            None => Some(len),
        }
    }

    /// The RTCP report, if one is due (or the last one, at the leg's end). `bool`: to be sent from the RTP port.
    pub fn report(
        &mut self,
        now: Instant,
        closing: Closing,
        out: &mut [u8; MAX_REPORT],
    ) -> Option<(usize, SocketAddr, bool)> {
        let agreed = self.agreed.as_mut()?;
        if closing == Closing::No && !self.reporter.is_due(now) {
            return None;
        }
        let mux = agreed.media.rtcp_mux;
        let to = if mux { agreed.latch.target() } else { agreed.rtcp_from.unwrap_or(agreed.media.remote_rtcp) };
        let (sender, block) = (self.outbound.sender_info(now), self.inbound.sequence.report());
        let len = self.reporter.compose(now, self.outbound.ssrc(), sender, block, closing, out);
        let len = match &mut agreed.protection {
            Some(protection) => protection.sender.seal_rtcp(len, out)?,
            None => len,
        };
        reachable(to).then_some((len, to, mux))
    }

    pub fn stats(&self) -> LegStats {
        LegStats {
            received: self.inbound.received,
            sent: self.outbound.packets(),
            lost: self.inbound.sequence.lost(),
            remote_lost: self.reporter.remote_lost().into(),
            refused: self.inbound.refused,
            jitter_us: self.inbound.sequence.jitter_us(),
        }
    }
}

impl Agreed {
    /// What a datagram says, if it may be listened to at all: a stranger costs us no cipher, and what is not genuine
    /// never comes as far as the lock.
    fn open(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        open: impl Fn(&mut Receiver, &mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        let allowed = self.latch.allows(from.ip());
        match &mut self.protection {
            _ if !allowed => None,
            Some(protection) => open(&mut protection.receiver, datagram),
            None => Some(datagram.len()),
        }
    }
}

/// The agreement and the address, if this leg may be sent anything.
fn sendable(agreed: &Option<Agreed>) -> Option<(&Negotiated, SocketAddr)> {
    let agreed = agreed.as_ref().filter(|a| a.media.direction.sends())?;
    let to = agreed.latch.target();
    reachable(to).then_some((&agreed.media, to))
}

/// `c=IN IP4 0.0.0.0` is how old phones say hold (RFC 3264 s8.4): there is nobody to send to.
fn reachable(to: SocketAddr) -> bool {
    !to.ip().is_unspecified() && to.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::rtp::Packet;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use std::cell::RefCell;

    const THEM: &str = "10.0.0.5:4000";

    fn ms(n: u64) -> Instant {
        Instant(1_000_000_000 + n * 1_000)
    }

    fn connected(id: u64) -> Leg {
        let mut leg = Leg::new(ms(0), LegId(id), Seeds { stream: 0x1234_0000_ABCD, name: 7 });
        let remote = THEM.parse().unwrap();
        let media = Negotiated {
            remote_rtp: remote,
            remote_rtcp: remote,
            rtcp_mux: true,
            codec: Codec::Pcma,
            payload_type: 8,
            dtmf: Some(101),
            direction: Direction::SendRecv,
            srtp: None,
            webrtc: None,
        };
        leg.connect(ms(0), media, None, Some(Duration::from_secs(5)), Some(Duration::from_secs(30)));
        leg
    }

    #[test]
    fn whatever_arrives_is_counted_and_harms_nothing() {
        let mut random = ChaCha8Rng::seed_from_u64(12_345);
        let (mut leg, mut other) = (connected(1), connected(2));
        let (events, from, mut out) = (RefCell::new(0u32), THEM.parse().unwrap(), [0; 2_048]);
        let count = |_| *events.borrow_mut() += 1;
        let mut valid = [0xD5; 172];
        let base = Packet { payload_type: 8, marker: false, seq: 1, timestamp: 160, ssrc: 9, payload: &[0xD5; 160] };
        base.write(&mut valid).unwrap();
        const N: u64 = 200_000;
        let mut rtcp = 0;
        for n in 0..N {
            let mut datagram = valid;
            for _ in 0..1 + random.next_u32() % 5 {
                // Mostly the header and the beginning of the payload.
                let at = random.next_u32() as usize % if n % 2 == 0 { 16 } else { 172 };
                datagram[at] = random.next_u32() as u8;
            }
            if n % 5 == 0 {
                datagram[1] = [101, 229, 13, 200, 201, 203][n as usize / 5 % 6];
            }
            let datagram = &mut datagram[..172 - random.next_u32() as usize % 173 * usize::from(n % 3 == 0)];
            if crate::media::rtp::is_rtcp(datagram) {
                rtcp += 1;
                leg.receive_rtcp(ms(n), from, Use::Rtp, datagram);
            } else if let Some(part) = leg.receive(ms(n), from, datagram, &count) {
                other.relay(ms(n), LegId(1), &part, &mut out);
            }
            if n % 100 == 0 {
                leg.time(ms(n), &mut out, &count);
                leg.report(ms(n), Closing::No, &mut [0; MAX_REPORT]);
            }
        }
        let stats = leg.stats();
        let counted = stats.received + stats.refused;
        assert!((N - rtcp..=N).contains(&counted), "{counted} of {N} counted, {rtcp} were RTCP");
        assert!(stats.received > N / 100 && stats.refused > N / 100, "{stats:?}");
        // 200 s of flood: no more key presses than a hand could make.
        assert!(*events.borrow() < 5_000, "{} events", events.borrow());
    }

    #[test]
    fn tones_are_keys_only_where_no_events_are_agreed() {
        use crate::media::g711::linear_to_alaw;
        use crate::media::tone::ToneGenerator;
        for (dtmf, wanted) in [(None, "5"), (Some(101), "")] {
            let mut leg = connected(1);
            let media = Negotiated { dtmf, ..leg.agreed.as_ref().unwrap().media.clone() };
            leg.connect(ms(0), media, None, None, None);
            let (mut low, mut high) = (ToneGenerator::new(770.0, -12.0), ToneGenerator::new(1_336.0, -12.0));
            let keys = RefCell::new(String::new());
            let report = |event| {
                if let MediaEvent::Digit { digit, .. } = event {
                    keys.borrow_mut().push(digit);
                }
            };
            for n in 0..5u16 {
                let audio: [u8; FRAME] = std::array::from_fn(|_| linear_to_alaw((low.sample() + high.sample()) as i16));
                let timestamp = u32::from(n) * 160;
                let packet = Packet { payload_type: 8, marker: n == 0, seq: n, timestamp, ssrc: 9, payload: &audio };
                let mut datagram = [0; 172];
                packet.write(&mut datagram).unwrap();
                leg.receive(ms(u64::from(n) * 20), THEM.parse().unwrap(), &mut datagram, &report);
            }
            assert_eq!(*keys.borrow(), wanted, "{dtmf:?}");
        }
    }

    #[test]
    fn who_hears_a_silent_leg_is_still_sent_something() {
        let (mut leg, mut out, quiet) = (connected(1), [0; 256], |_| {});
        leg.set_source(Source::Leg(LegId(2)), &PromptLibrary::from_alaw(Default::default()));
        let sent: Vec<u64> = (1..=160).filter(|n| leg.time(ms(n * 100), &mut out, &quiet).is_some()).collect();
        assert_eq!(sent, [1, 51, 101, 151], "every 5 s, in tenths of a second");
    }

    #[test]
    fn hold_by_address_zero_sends_nothing() {
        let (mut leg, mut out) = (connected(1), [0; 256]);
        assert!(leg.tick(ms(20), &mut [0; FRAME], &mut out).0.is_some());
        let media =
            Negotiated { remote_rtp: "0.0.0.0:4000".parse().unwrap(), ..leg.agreed.as_ref().unwrap().media.clone() };
        leg.connect(ms(30), media, None, None, None);
        assert!(leg.tick(ms(40), &mut [0; FRAME], &mut out).0.is_none());
    }
}
