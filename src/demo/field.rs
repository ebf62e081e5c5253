//! Pretend carriers and phones over real sockets: the simulation's user agents with UDP and RTP under them, on one
//! thread. Belongs here: sockets, timers and audio of user agents. Not here: who calls and what they do (`stage`, and
//! tests, which use this too).

mod party;

pub use party::{Audio, NewCall, NewPhone};

use super::voice::Voice;
use crate::sim::ua::{CarrierCall, CarrierParams, Phone, PhoneParams, Station, UaFact};
use crate::time::Instant;
use party::{Call, Desk};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime};

const PTIME: Duration = Duration::from_millis(20);
/// Later than this the audio clock gives up catching up: a suspended machine must not send a burst.
const LATEST: Duration = Duration::from_millis(200);

/// Whom a fact is about: an index in the order of `place` or `install`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Call(usize),
    Phone(usize),
}

pub struct Field {
    gateway: SocketAddr,
    epoll: OwnedFd,
    started: (Instant, std::time::Instant),
    next_frame: Instant,
    carriers: Vec<UdpSocket>,
    calls: Vec<Call>,
    by_call_id: BTreeMap<String, usize>,
    /// Calls whose machine still has something to do.
    live: BTreeSet<usize>,
    phones: Vec<Desk>,
    /// SIP Call-IDs of the calls a phone has answered and got an ACK for: the gateway has reported the pickup.
    acknowledged: BTreeSet<String>,
    facts: VecDeque<(Who, UaFact)>,
}

enum Key {
    Carrier(usize),
    Phone(usize),
    CallVoice(usize),
    PhoneVoice(usize),
}

impl Key {
    fn pack(self) -> epoll::EventData {
        let (kind, n) = match self {
            Key::Carrier(n) => (0u64, n),
            Key::Phone(n) => (1, n),
            Key::CallVoice(n) => (2, n),
            Key::PhoneVoice(n) => (3, n),
        };
        epoll::EventData::new_u64(kind << 32 | n as u64)
    }

    fn unpack(data: epoll::EventData) -> Key {
        let n = data.u64() as u32 as usize;
        match data.u64() >> 32 {
            0 => Key::Carrier(n),
            1 => Key::Phone(n),
            2 => Key::CallVoice(n),
            _ => Key::PhoneVoice(n),
        }
    }
}

impl Field {
    /// Everybody here speaks to the gateway at this address.
    pub fn new(gateway: SocketAddr) -> io::Result<Field> {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Instant(unix.as_micros() as u64);
        Ok(Field {
            gateway,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            started: (now, std::time::Instant::now()),
            next_frame: now + PTIME,
            carriers: Vec::new(),
            calls: Vec::new(),
            by_call_id: BTreeMap::new(),
            live: BTreeSet::new(),
            phones: Vec::new(),
            acknowledged: BTreeSet::new(),
            facts: VecDeque::new(),
        })
    }

    pub fn now(&self) -> Instant {
        self.started.0 + self.started.1.elapsed()
    }

    /// A carrier that sends from a free port of `ip`; its number for [`Field::place`].
    pub fn open_carrier(&mut self, ip: IpAddr) -> io::Result<usize> {
        let socket = bind(ip)?;
        let n = self.carriers.len();
        self.watch(&socket, Key::Carrier(n))?;
        self.carriers.push(socket);
        Ok(n)
    }

    /// A phone on a free port of `ip`; it registers at once.
    pub fn install(&mut self, ip: IpAddr, phone: NewPhone) -> io::Result<usize> {
        let socket = bind(ip)?;
        let n = self.phones.len();
        let voice = Voice::new(ip, phone.tone, 0x5ea7_0000 + n as u32)?;
        self.watch(&socket, Key::Phone(n))?;
        self.watch(&voice.fd(), Key::PhoneVoice(n))?;
        let params = PhoneParams {
            station: self.station(socket.local_addr()?, voice.local()),
            seed: self.seed(n as u64),
            account: phone.account,
            domain: phone.domain,
            expires: Duration::from_secs(300),
            plan: phone.plan,
        };
        let machine = Phone::start(self.now(), params);
        self.phones.push(Desk::new(socket, machine, voice));
        self.settle_phone(n);
        Ok(n)
    }

    /// A call from this carrier.
    pub fn place(&mut self, carrier: usize, call: NewCall) -> io::Result<usize> {
        let sip = self.carriers[carrier].local_addr()?;
        let n = self.calls.len();
        let voice = Voice::new(sip.ip(), call.tone, 0xca11_0000 + n as u32)?;
        self.watch(&voice.fd(), Key::CallVoice(n))?;
        let params = CarrierParams {
            station: self.station(sip, voice.local()),
            seed: self.seed(1 << 32 | n as u64),
            dnis: call.dnis,
            cli: call.cli,
            patience: call.patience,
            talk: call.talk,
            pickup: call.pickup,
            fault: call.fault,
        };
        let machine = CarrierCall::start(self.now(), params);
        self.by_call_id.insert(machine.sip_call_id().to_string(), n);
        self.calls.push(Call::new(carrier, machine, voice));
        self.live.insert(n);
        self.settle_call(n);
        Ok(n)
    }

    /// What anybody saw next; `None` when `deadline` comes first.
    pub fn next_fact(&mut self, deadline: Instant) -> io::Result<Option<(Who, UaFact)>> {
        loop {
            if let Some(fact) = self.facts.pop_front() {
                return Ok(Some(fact));
            }
            if self.now() >= deadline {
                return Ok(None);
            }
            self.wait(deadline)?;
            self.on_time();
        }
    }

    pub fn sip_call_id(&self, call: usize) -> &str {
        self.calls[call].machine.sip_call_id()
    }

    /// Calls answered by a phone whose answer the gateway acknowledged, by the SIP Call-ID of the phone's leg.
    pub fn acknowledged(&self) -> impl Iterator<Item = &str> {
        self.acknowledged.iter().map(String::as_str)
    }

    pub fn is_registered(&self, phone: usize) -> bool {
        self.phones[phone].machine.is_registered()
    }

    /// The caller has a human on the line: both start to listen for each other's tone.
    pub fn join(&mut self, call: usize, caller_tone: f32, phone: usize, phone_tone: f32) {
        let now = self.now();
        self.calls[call].machine.heard_human(now);
        self.listen_at_call(call, phone_tone);
        self.listen_at_phone(phone, caller_tone);
        self.settle_call(call);
    }

    pub fn listen_at_call(&mut self, call: usize, tone: f32) {
        if let Some(voice) = &mut self.calls[call].voice {
            voice.listen_for(tone);
        }
    }

    pub fn listen_at_phone(&mut self, phone: usize, tone: f32) {
        self.phones[phone].voice.listen_for(tone);
    }

    /// Does something at a caller's phone.
    pub fn at_call(&mut self, call: usize, act: impl FnOnce(&mut CarrierCall, Instant)) {
        let now = self.now();
        act(&mut self.calls[call].machine, now);
        self.settle_call(call);
    }

    /// Does something at a seat's phone.
    pub fn at_phone(&mut self, phone: usize, act: impl FnOnce(&mut Phone, Instant)) {
        let now = self.now();
        act(&mut self.phones[phone].machine, now);
        self.settle_phone(phone);
    }

    /// What the caller heard so far, or in all once the call has ended.
    pub fn heard_by_call(&self, call: usize) -> Audio {
        self.calls[call].heard()
    }

    /// What the seat hears in its present call.
    pub fn hears_at_phone(&self, phone: usize) -> Audio {
        Audio::of(&self.phones[phone].voice)
    }

    /// What the seat heard in its last ended call.
    pub fn heard_by_phone(&self, phone: usize) -> Audio {
        self.phones[phone].heard
    }

    fn wait(&mut self, deadline: Instant) -> io::Result<()> {
        let calls = self.live.iter().filter_map(|&n| self.calls[n].machine.next_timeout());
        let phones = self.phones.iter().filter_map(|p| p.machine.next_timeout());
        let until = calls.chain(phones).chain([deadline, self.next_frame]).min().unwrap_or(deadline);
        let pause = until.since(self.now());
        let pause = Timespec { tv_sec: pause.as_secs() as i64, tv_nsec: i64::from(pause.subsec_nanos()) };
        let mut events = Vec::with_capacity(64);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&pause)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        for event in events {
            match Key::unpack(event.data) {
                Key::Carrier(n) => self.read_carrier(n),
                Key::Phone(n) => self.read_phone(n),
                Key::PhoneVoice(n) => self.phones[n].voice.drain(),
                Key::CallVoice(n) => {
                    if let Some(voice) = &mut self.calls[n].voice {
                        voice.drain();
                    }
                }
            }
        }
        Ok(())
    }

    fn on_time(&mut self) {
        let now = self.now();
        for n in self.live.clone() {
            if self.calls[n].machine.next_timeout().is_some_and(|at| at <= now) {
                self.calls[n].machine.on_timeout(now);
                self.settle_call(n);
            }
            if self.calls[n].machine.is_gone() {
                self.live.remove(&n);
            }
        }
        for n in 0..self.phones.len() {
            if self.phones[n].machine.next_timeout().is_some_and(|at| at <= now) {
                self.phones[n].machine.on_timeout(now);
                self.settle_phone(n);
            }
        }
        if now.since(self.next_frame) > LATEST {
            self.next_frame = now;
        }
        while self.next_frame <= now {
            self.next_frame = self.next_frame + PTIME;
            let calling = self.live.iter().filter_map(|&n| self.calls[n].voice.as_ref().map(|_| n)).collect::<Vec<_>>();
            for n in calling {
                self.calls[n].voice.as_mut().expect("filtered").tick();
            }
            self.phones.iter_mut().for_each(|p| p.voice.tick());
        }
    }

    fn read_carrier(&mut self, carrier: usize) {
        let now = self.now();
        let mut buffer = [0u8; 65_536];
        while let Ok((n, _)) = self.carriers[carrier].recv_from(&mut buffer) {
            let Some(call) = call_id(&buffer[..n]).and_then(|id| self.by_call_id.get(id).copied()) else { continue };
            self.calls[call].machine.on_message(now, &buffer[..n]);
            self.settle_call(call);
        }
    }

    fn read_phone(&mut self, phone: usize) {
        let now = self.now();
        let mut buffer = [0u8; 65_536];
        while let Ok((n, _)) = self.phones[phone].socket.recv_from(&mut buffer) {
            if let Some(answered) = &self.phones[phone].answered
                && buffer.starts_with(b"ACK ")
                && call_id(&buffer[..n]) == Some(answered)
            {
                self.acknowledged.insert(answered.clone());
            }
            self.phones[phone].machine.on_message(now, &buffer[..n]);
            self.settle_phone(phone);
        }
    }

    /// Sends what the call's machine has to send, follows its media and passes on its facts.
    fn settle_call(&mut self, n: usize) {
        let call = &mut self.calls[n];
        let socket = &self.carriers[call.carrier];
        call.settle(
            |bytes| drop(socket.send_to(&bytes, self.gateway)),
            |fact| self.facts.push_back((Who::Call(n), fact)),
        );
    }

    fn settle_phone(&mut self, n: usize) {
        self.phones[n].settle(self.gateway, |fact| self.facts.push_back((Who::Phone(n), fact)));
    }

    fn station(&self, sip: SocketAddr, rtp: SocketAddr) -> Station {
        Station { sip, gateway: self.gateway, rtp, payload_types: vec![8], dtmf: Some(101) }
    }

    /// Differs between runs too: a gateway that stays up must not see a Call-ID again.
    fn seed(&self, n: u64) -> u64 {
        self.started.0.as_unix_micros().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n
    }

    fn watch(&self, fd: &impl AsFd, key: Key) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, key.pack(), epoll::EventFlags::IN)?)
    }
}

fn bind(ip: IpAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The Call-ID's value, read without the product's parser; both header forms.
fn call_id(message: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(message).ok()?;
    text.lines().take_while(|l| !l.is_empty()).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim_end();
        (name.eq_ignore_ascii_case("Call-ID") || name.eq_ignore_ascii_case("i")).then(|| value.trim())
    })
}
