//! One pretend phone's audio over a real UDP socket: sends a tone of its own every 20 ms and listens for another's.
//! Belongs here: RTP as an end device sends and hears it (RFC 3550, G.711 A-law). Not here: who is connected to whom
//! (`stage`), the gateway's own RTP (`media`), which this must not share: it is what checks it.

use super::tone::{Listener, Singer};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

const PCMA: u8 = 8;
/// telephone-event, as our stations offer it, and its first codes in order (RFC 4733 s3.2).
const EVENT: u8 = 101;
const KEYS: &str = "0123456789*#";
/// Samples, bytes and timestamp units of one packet: 20 ms at 8 kHz.
const FRAME: usize = 160;

pub struct Voice {
    socket: UdpSocket,
    local: SocketAddr,
    remote: Option<SocketAddr>,
    sending: bool,
    singer: Singer,
    listener: Listener,
    seq: u16,
    timestamp: u32,
    ssrc: u32,
    run: Option<Run>,
    heard: Heard,
    key: Option<char>,
}

/// What arrived, over all RTP streams of the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub received: u64,
    /// Gaps in the sequence numbers.
    pub lost: u64,
    /// Not RTP A-law from where our audio goes.
    pub strange: u64,
}

/// One synchronisation source's run of sequence numbers (RFC 3550 s6.4.1: expected minus received).
struct Run {
    ssrc: u32,
    first: u64,
    highest: u64,
    received: u64,
}

impl Run {
    fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }
}

impl Voice {
    /// Binds a free port of `ip`. `tone`: what it sings, in Hz.
    pub fn new(ip: IpAddr, tone: f32, ssrc: u32) -> io::Result<Voice> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        Ok(Voice {
            socket,
            local,
            remote: None,
            sending: false,
            singer: Singer::new(tone),
            listener: Listener::default(),
            seq: (ssrc >> 8) as u16,
            timestamp: ssrc,
            ssrc,
            run: None,
            heard: Heard::default(),
            key: None,
        })
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// From now on audio goes to `remote`, if `sending`, and only what comes from there counts.
    pub fn connect(&mut self, remote: SocketAddr, sending: bool) {
        self.remote = Some(remote);
        self.sending = sending;
    }

    /// The call is over: silent, and what still comes is not counted to the next one.
    pub fn hang_up(&mut self) {
        self.remote = None;
        self.sending = false;
        self.listener = Listener::default();
        self.run = None;
        self.heard = Heard::default();
        self.key = None;
    }

    /// Listen for this tone from now on; what was heard of an earlier one is forgotten.
    pub fn listen_for(&mut self, hz: f32) {
        self.listener = Listener::new(hz);
    }

    /// The tone listened for was the main thing heard for at least 300 ms.
    pub fn heard_tone(&self) -> bool {
        self.listener.millis() >= 300
    }

    pub fn heard(&self) -> Heard {
        Heard { lost: self.heard.lost + self.run.as_ref().map_or(0, Run::lost), ..self.heard }
    }

    /// The key pressed last at the other end (RFC 4733).
    pub fn key(&self) -> Option<char> {
        self.key
    }

    /// Every 20 ms.
    pub fn tick(&mut self) {
        let (Some(remote), true) = (self.remote, self.sending) else { return };
        let mut packet = [0u8; 12 + FRAME];
        packet[0] = 2 << 6;
        packet[1] = PCMA;
        packet[2..4].copy_from_slice(&self.seq.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        self.singer.fill(&mut packet[12..]);
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        // A full socket buffer or a port just closed is a lost packet, as on any network; the other end counts it.
        let _ = self.socket.send_to(&packet, remote);
    }

    /// Reads everything waiting on the socket.
    pub fn drain(&mut self) {
        let mut buffer = [0u8; 2048];
        // An ICMP refusal surfaces as an error of its own between packets; only "nothing more" ends the loop.
        for _ in 0..256 {
            match self.socket.recv_from(&mut buffer) {
                Ok((n, from)) => self.hear(&buffer[..n], from),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => continue,
            }
        }
    }

    fn hear(&mut self, packet: &[u8], from: SocketAddr) {
        let rtp = packet.len() > 12 && packet[0] == 2 << 6 && packet[1] & 0x7f == PCMA;
        if !rtp || self.remote != Some(from) {
            // Telephone-events and RTCP are no fault, but no audio either.
            self.heard.strange += 1;
            let event = self.remote == Some(from) && packet.len() == 16 && packet[1] & 0x7f == EVENT;
            self.key = event.then(|| KEYS.chars().nth(packet[12].into())).flatten().or(self.key);
            return;
        }
        let seq = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        self.heard.received += 1;
        self.count(seq, ssrc);
        self.listener.hear(&packet[12..]);
    }

    fn count(&mut self, seq: u16, ssrc: u32) {
        match &mut self.run {
            Some(run) if run.ssrc == ssrc => {
                // Extended sequence number: the one nearest to the highest seen.
                let ahead = seq.wrapping_sub(run.highest as u16) as i16;
                run.highest = run.highest.max(run.highest.saturating_add_signed(i64::from(ahead)));
                run.received += 1;
            }
            other => {
                self.heard.lost += other.as_ref().map_or(0, Run::lost);
                // Room below the first for a packet that was overtaken.
                let first = u64::from(seq) + 0x1_0000;
                *other = Some(Run { ssrc, first, highest: first, received: 1 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn pair() -> (Voice, Voice) {
        let ip = Ipv4Addr::LOCALHOST.into();
        let mut a = Voice::new(ip, 600.0, 0x1111_fffe).unwrap();
        let mut b = Voice::new(ip, 1_000.0, 0x2222_0000).unwrap();
        a.connect(b.local(), true);
        b.connect(a.local(), true);
        a.listen_for(1_000.0);
        b.listen_for(600.0);
        (a, b)
    }

    #[test]
    fn two_voices_hear_each_other_and_lose_nothing() {
        let (mut a, mut b) = pair();
        for _ in 0..50 {
            a.tick();
            b.tick();
            a.drain();
            b.drain();
        }
        assert!(a.heard_tone() && b.heard_tone());
        assert_eq!(a.heard(), Heard { received: 50, lost: 0, strange: 0 });
        assert_eq!(b.heard(), Heard { received: 50, lost: 0, strange: 0 });
    }

    #[test]
    fn another_voice_is_not_mistaken_for_the_one_listened_for() {
        let (mut a, mut b) = pair();
        b.listen_for(640.0);
        for _ in 0..50 {
            a.tick();
            b.drain();
        }
        assert_eq!(b.heard().received, 50);
        assert!(!b.heard_tone());
    }

    #[test]
    fn gaps_are_loss_across_a_wrap_and_a_new_source_is_not() {
        let (_, mut b) = pair();
        for (seq, ssrc) in [(65_533, 1), (65_534, 1), (1, 1), (0, 1), (3, 1), (40_000, 2), (40_001, 2), (40_003, 2)] {
            b.count(seq, ssrc);
        }
        // 65535 and 2 of the first source, 40002 of the second.
        assert_eq!(b.heard().lost, 3);
    }

    #[test]
    fn strangers_are_not_heard() {
        let (_, mut b) = pair();
        let mut stranger = Voice::new(Ipv4Addr::LOCALHOST.into(), 600.0, 9).unwrap();
        stranger.connect(b.local(), true);
        for _ in 0..50 {
            stranger.tick();
            b.drain();
        }
        assert_eq!(b.heard(), Heard { received: 0, lost: 0, strange: 50 });
        assert!(!b.heard_tone());
    }
}
