//! The sessions of all browsers on their one port. Belongs here: which session a datagram belongs to, which leg hears it, one
//! timer each, beginnings and ends. Not here: what is in a datagram (`session`), other legs (`shard`).

use super::legs::{News, OnSeat};
use super::session::{Broken, Common, Happens, Said, Session};
use super::{MOST, negotiated, stun};
use crate::config::settings::{BrowserSettings, MediaSettings, WorldSettings};
use crate::host::Clock;
use crate::ids::SeatNo;
use crate::media::{EventSink, MediaStartError, ports};
use crate::plane::MediaEvent;
use crate::plane::browser::{BrowserEvent, Lost};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// From the answer to the first key: far longer than any handshake.
pub(super) const CONNECTS_WITHIN: Duration = Duration::from_secs(30);
/// A silent session is kept so long, in case it comes back by itself.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// Addresses of one session, newest last: Wi-Fi, cable and telephone, each by both families, are six.
const ADDRESSES: usize = 16;
/// A session that was heard so shortly before keeps its addresses.
const HELD: Duration = Duration::from_secs(5);
/// A session is not woken more often.
const SHORTEST: Duration = Duration::from_millis(1);
/// All browsers' packets wait in one buffer while the thread does something else.
const BUFFER: usize = 4 << 20;
const LONGEST: usize = 2_048;

pub struct Browsers {
    sockets: Vec<Socket>,
    pub(super) common: Arc<Common>,
    silence: Duration,
    clock: Clock,
    pub(super) sessions: Vec<Option<Entry>>,
    pub(super) seats: BTreeMap<SeatNo, u32>,
    pub(super) names: HashMap<String, u32>,
    pub(super) addresses: HashMap<SocketAddr, u32>,
    pub(super) due: BTreeSet<(Instant, u32)>,
    /// By slot, from `first_slot` on.
    pub(super) legs: Vec<Option<OnSeat>>,
    pub(super) first_slot: u32,
    pub(super) news: VecDeque<News>,
    pub(super) events: EventSink,
    incoming: Vec<u8>,
}

struct Socket {
    socket: UdpSocket,
    /// As browsers know it.
    address: SocketAddr,
}

pub(super) struct Entry {
    /// `None`: one call of a third-party phone's, whose leg is told, and ends it.
    pub(super) seat: Option<SeatNo>,
    pub(super) session: Session,
    /// Its ICE user name.
    pub(super) name: String,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) life: Life,
    /// When its session wants to be woken, and when it will be looked at: no later.
    pub(super) wanted: Instant,
    pub(super) due: Instant,
    /// Slot of the leg that is on the seat.
    pub(super) leg: Option<u32>,
    /// Packets the browser told us it missed, over all its calls.
    pub(super) missed: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Life {
    Beginning {
        until: Instant,
    },
    Up {
        heard: Instant,
    },
    /// Reported as down.
    Silent {
        until: Instant,
    },
}

/// What came in one datagram.
pub enum Came {
    Nothing,
    /// Nobody's.
    Stray,
    /// Something that is no leg's.
    Other,
    /// RTP for the leg in this slot, as long as that.
    Rtp {
        slot: u32,
        len: usize,
    },
}

impl Browsers {
    /// Binds the port and makes the certificate; the [`Common`] is for the door.
    pub fn open(
        settings: BrowserSettings,
        media: &MediaSettings,
        world: &WorldSettings,
        clock: Clock,
        events: EventSink,
    ) -> Result<(Browsers, Arc<Common>), MediaStartError> {
        let families = [(world.media_bind_v4, media.address_v4), (world.media_bind_v6, media.address_v6)];
        let mut sockets = Vec::new();
        for (bind, address) in families.into_iter().filter_map(|(bind, address)| Some((bind?, address?))) {
            let socket = ports::bind_one(bind, settings.port)?;
            // Only a wish.
            let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER);
            sockets.push(Socket { socket, address: SocketAddr::new(address, settings.port) });
        }
        if sockets.is_empty() {
            return Err(MediaStartError::NoAddress);
        }
        let common = Common::new(sockets.iter().map(|s| s.address).collect()).ok_or(MediaStartError::NoCertificate)?;
        let common = Arc::new(common);
        let browsers = Browsers {
            sockets,
            common: common.clone(),
            silence: settings.silence,
            clock,
            sessions: Vec::new(),
            seats: BTreeMap::new(),
            names: HashMap::new(),
            addresses: HashMap::new(),
            due: BTreeSet::new(),
            legs: (0..MOST).map(|_| None).collect(),
            first_slot: media.pairs.into(),
            news: VecDeque::new(),
            events,
            incoming: vec![0; LONGEST],
        };
        Ok((browsers, common))
    }

    /// To be watched; [`Browsers::receive`] is told which.
    pub fn sockets(&self) -> impl Iterator<Item = &UdpSocket> {
        self.sockets.iter().map(|s| &s.socket)
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    pub fn news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    // ---- packets ----

    /// Takes one datagram; RTP of a leg is left in `rtp`.
    pub fn receive(&mut self, nth: usize, now: Instant, rtp: &mut [u8]) -> Came {
        let mut incoming = std::mem::take(&mut self.incoming);
        let came = match self.sockets[nth].socket.recv_from(&mut incoming) {
            Ok((len, from)) => {
                let to = self.sockets[nth].address;
                match self.whose(from, &incoming[..len]) {
                    Some(at) => {
                        let happens = Happens::Datagram { from, to, datagram: &incoming[..len] };
                        self.happen(at, now, happens, rtp).map_or(Came::Other, |(slot, len)| Came::Rtp { slot, len })
                    }
                    None => Came::Stray,
                }
            }
            Err(_) => Came::Nothing,
        };
        self.incoming = incoming;
        came
    }

    /// A check goes to the session it names, all else to the session whose address that is.
    fn whose(&self, from: SocketAddr, datagram: &[u8]) -> Option<u32> {
        if stun::is_stun(datagram) {
            stun::named(datagram).and_then(|name| self.names.get(name).copied())
        } else {
            self.addresses.get(&from).copied()
        }
    }

    /// Sends a leg's packet to the browser of its seat, if one is there.
    pub fn send(&mut self, now: Instant, slot: u32, packet: &[u8]) {
        let Some(OnSeat { leg, session: Some(at), .. }) = self.leg(slot) else { return };
        let (leg, at) = (*leg, *at);
        self.happen(at, now, Happens::Send { leg, packet }, &mut []);
    }

    // ---- time ----

    /// Wakes those whose time has come.
    pub fn advance(&mut self, now: Instant) {
        while let Some(&(at, index)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, index));
            let Some(entry) = self.sessions[index as usize].as_mut() else { continue };
            match entry.life {
                Life::Beginning { until } | Life::Silent { until } if until <= now && entry.seat.is_none() => {
                    entry.life = entry.life.longer(now);
                    self.schedule(index, now);
                    self.tell_phone(index, false);
                }
                Life::Beginning { until } if until <= now => self.end(index, Lost::NeverConnected),
                Life::Silent { until } if until <= now => self.end(index, Lost::Silent),
                Life::Up { heard } if now.since(heard) >= self.silence => {
                    entry.life = Life::Silent { until: now + FORGOTTEN_AFTER };
                    let seat = entry.seat.clone();
                    self.schedule(index, now);
                    match seat {
                        Some(seat) => self.tell(BrowserEvent::Down { seat, why: Lost::Silent }),
                        None => self.tell_phone(index, false),
                    }
                }
                _ if entry.wanted <= now => {
                    entry.due = now + FORGOTTEN_AFTER;
                    self.due.insert((entry.due, index));
                    self.happen(index, now, Happens::Time, &mut []);
                }
                _ => self.schedule(index, now),
            }
        }
    }

    /// Puts a session back into the queue, after it was taken out of it.
    fn schedule(&mut self, index: u32, now: Instant) {
        let silence = self.silence;
        let Some(entry) = self.sessions[index as usize].as_mut() else { return };
        entry.due = entry.wanted.min(entry.life.ends(silence)).max(now + SHORTEST);
        self.due.insert((entry.due, index));
    }

    /// Hands something to a session and does what it says. Returns slot and length of RTP that was put into `rtp`.
    pub(super) fn happen(
        &mut self,
        index: u32,
        now: Instant,
        happens: Happens<'_>,
        rtp: &mut [u8],
    ) -> Option<(u32, usize)> {
        let Browsers { sockets, sessions, addresses, events, clock, .. } = self;
        let Entry { seat, session, leg, .. } = sessions[index as usize].as_mut()?;
        let (mut alive, mut up, mut closed, mut heard, mut missed) = (false, false, false, None, None);
        let mut new_address = None;
        let wanted = session.take(now, clock.system(now), happens, |said| match said {
            Said::Send { to, datagram, .. } => {
                if let Some(s) = sockets.iter().find(|s| s.address.is_ipv4() == to.is_ipv4()) {
                    // Lost like any datagram; ICE and DTLS send again.
                    let _ = s.socket.send_to(datagram, to);
                }
            }
            Said::Alive { at } => {
                alive = true;
                new_address = at.filter(|at| addresses.get(at) != Some(&index)).or(new_address);
            }
            Said::Up => up = true,
            Said::Rtp(packet) => heard = leg.and_then(|slot| Some((slot, packet.write(rtp)?))),
            Said::Quality(quality) => {
                missed = Some(quality.remote_lost);
                if let Some(seat) = seat {
                    events(MediaEvent::Browser(BrowserEvent::Quality { seat: seat.clone(), quality }));
                }
            }
            Said::Closed => closed = true,
        });
        if let Some(at) = new_address {
            self.learn(index, now, at);
        }
        if let (Some(missed), Some(entry)) = (missed, self.sessions[index as usize].as_mut()) {
            let more = missed.saturating_sub(std::mem::replace(&mut entry.missed, missed));
            if let Some(on) = entry.leg.and_then(|slot| self.leg_mut(slot)) {
                on.missed += more;
            }
        }
        match wanted {
            Err(Broken) => self.end(index, Lost::Broken),
            Ok(_) if closed => self.end(index, Lost::Closed),
            Ok(wanted) => self.settle(index, now, self.clock.of_system(wanted), alive, up),
        }
        heard
    }

    /// A check from there was proved. Whoever has it now keeps it while alive: an address can be forged where no answer
    /// is waited for, and what comes from it would be nobody's.
    fn learn(&mut self, index: u32, now: Instant, at: SocketAddr) {
        let holder = self.addresses.get(&at).and_then(|other| self.sessions[*other as usize].as_ref());
        if holder.is_some_and(|entry| matches!(entry.life, Life::Up { heard } if now.since(heard) < HELD)) {
            return;
        }
        let Some(entry) = self.sessions[index as usize].as_mut() else { return };
        if entry.addresses.len() == ADDRESSES {
            let oldest = entry.addresses.remove(0);
            if self.addresses.get(&oldest) == Some(&index) {
                self.addresses.remove(&oldest);
            }
        }
        entry.addresses.retain(|known| *known != at);
        entry.addresses.push(at);
        self.addresses.insert(at, index);
    }

    /// After something happened: is it up, and when is it to be woken?
    fn settle(&mut self, index: u32, now: Instant, wanted: Instant, alive: bool, up: bool) {
        let silence = self.silence;
        let Some(entry) = self.sessions[index as usize].as_mut() else { return };
        entry.wanted = wanted.max(now + SHORTEST);
        let comes_up = match entry.life {
            Life::Beginning { .. } => up,
            Life::Silent { .. } => alive,
            Life::Up { .. } => false,
        };
        if comes_up || (alive && matches!(entry.life, Life::Up { .. })) {
            entry.life = Life::Up { heard: now };
        }
        // Only forward: who is woken too early is put back, which costs less than keeping the queue exact.
        let due = entry.wanted.min(entry.life.ends(silence));
        if due < entry.due {
            self.due.remove(&(entry.due, index));
            entry.due = due;
            self.due.insert((due, index));
        }
        if comes_up && entry.seat.is_none() {
            self.tell_phone(index, true);
        } else if comes_up && let Some(seat) = entry.seat.clone() {
            let (slot, agreed) = (entry.leg, entry.session.agreed);
            self.tell(BrowserEvent::Up { seat });
            if let Some((slot, on)) = slot.and_then(|slot| Some((slot, self.leg(slot)?))) {
                let OnSeat { expect_rtp_within, rtp_timeout, .. } = *on;
                self.news.push_back(News { slot, remote: negotiated(Some(agreed)), expect_rtp_within, rtp_timeout });
            }
        }
    }

    pub(super) fn tell(&self, event: BrowserEvent) {
        (self.events)(MediaEvent::Browser(event));
    }

    /// Tells of the leg whose phone's session this is.
    pub(super) fn tell_phone(&self, index: u32, there: bool) {
        let slot = self.sessions[index as usize].as_ref().and_then(|entry| entry.leg);
        if let Some(OnSeat { leg, .. }) = slot.and_then(|slot| self.leg(slot)) {
            (self.events)(MediaEvent::PhoneAudio { leg: *leg, there });
        }
    }
}

impl Life {
    /// A phone's session ends with its leg and no sooner: a caller on hold is not lost by a machine asleep.
    pub(super) fn longer(self, now: Instant) -> Life {
        match self {
            Life::Beginning { .. } => Life::Beginning { until: now + CONNECTS_WITHIN },
            Life::Silent { .. } => Life::Silent { until: now + FORGOTTEN_AFTER },
            up @ Life::Up { .. } => up,
        }
    }

    /// When it is to be looked at for its own sake.
    fn ends(self, silence: Duration) -> Instant {
        match self {
            Life::Beginning { until } | Life::Silent { until } => until,
            Life::Up { heard } => heard + silence,
        }
    }
}
