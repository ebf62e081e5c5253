//! The pretend media plane: obeys media commands, reports what real RTP would bring about, and checks the commands.
//! RTP itself is one fact per party: to which address it sends, or that it sends nothing.

use super::scenario::{GATEWAY_MEDIA, seat_at};
use crate::ids::{LegId, SeatNo};
use crate::plane::{LegStats, MediaCommand, MediaEvent, Negotiated, Source};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Plane {
    legs: BTreeMap<LegId, Line>,
    ports: BTreeMap<u16, LegId>,
    /// Which leg a party's RTP address belongs to now.
    parties: BTreeMap<SocketAddr, LegId>,
    /// Who sends RTP, and where to.
    streams: BTreeMap<SocketAddr, SocketAddr>,
    /// Pages whose audio is up, and whether anybody speaks there.
    pages: BTreeMap<SeatNo, bool>,
    ever_opened: BTreeSet<LegId>,
    /// Somebody may hear something else since the last look.
    changed: bool,
    /// Raised by every crash: what the dead process had planned does not happen.
    incarnation: u32,
    pub faults: Vec<String>,
}

#[derive(Debug)]
struct Line {
    end: End,
    opened_at: Instant,
    rtp_timeout: Option<Duration>,
    heard: bool,
    source: Source,
    /// Raised by every new source: a play that was replaced never ends.
    play: u32,
    /// Raised by every new connection: its watchdogs replace the old ones.
    connection: u32,
}

#[derive(Debug)]
enum End {
    Port {
        port: u16,
        remote: Option<Negotiated>,
    },
    /// The audio of this seat's page, while it is up.
    Page(SeatNo),
}

impl Line {
    fn new(end: End, opened_at: Instant) -> Line {
        let (rtp_timeout, heard, play, connection) = (None, false, 0, 0);
        Line { end, opened_at, rtp_timeout, heard, source: Source::Silence, play, connection }
    }

    fn remote(&self) -> Option<&Negotiated> {
        match &self.end {
            End::Port { remote, .. } => remote.as_ref(),
            End::Page(_) => None,
        }
    }

    fn is_citizens(&self) -> bool {
        self.remote().is_some_and(|remote| seat_at(remote.remote_rtp).is_none())
    }
}

/// Something the plane wants to look at later.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    incarnation: u32,
    leg: LegId,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    FirstRtp,
    Watchdog { connection: u32 },
    Silence { connection: u32 },
    PlayEnded { play: u32 },
    Closed { stats: LegStats },
}

/// What a command or notice leads to.
#[derive(Debug, Default)]
pub struct Reaction {
    pub later: Vec<(Duration, Notice)>,
    pub event: Option<MediaEvent>,
    /// The party at this RTP address hears the other one now.
    pub hears_human: Option<SocketAddr>,
}

/// Length of one prompt.
const PROMPT: Duration = Duration::from_millis(700);
const FIRST_PACKET: Duration = Duration::from_millis(25);

impl Plane {
    pub fn is_empty(&self) -> bool {
        self.legs.is_empty() && self.ports.is_empty()
    }

    /// The process died: its sockets with it. Parties send on, to nobody.
    pub fn crash(&mut self) {
        self.legs.clear();
        self.ports.clear();
        self.parties.clear();
        self.pages.clear();
        self.ever_opened.clear();
        self.incarnation += 1;
    }

    pub fn command(&mut self, now: Instant, command: &MediaCommand) -> Reaction {
        let mut reaction = Reaction::default();
        match command {
            MediaCommand::Open { leg, port } => self.open(now, *leg, *port),
            MediaCommand::Connect { leg, remote, expect_rtp_within, rtp_timeout, .. } => {
                self.connect(*leg, remote, *expect_rtp_within, *rtp_timeout, &mut reaction)
            }
            MediaCommand::SetSource { leg, source } => self.set_source(*leg, source, &mut reaction),
            MediaCommand::Close { leg } => self.close(now, *leg, &mut reaction),
            MediaCommand::OpenBrowser { leg, seat, expect_rtp_within, rtp_timeout } => {
                self.open_page(now, *leg, seat, *expect_rtp_within, *rtp_timeout, &mut reaction);
            }
            // Nothing is recorded, and its phones speak no WebRTC.
            MediaCommand::OpenWebRtc { .. } | MediaCommand::Record { .. } | MediaCommand::StopRecording { .. } => {}
        }
        reaction
    }

    /// The party at `from` sends RTP to `to` from now on, or nothing.
    pub fn stream(&mut self, from: SocketAddr, to: Option<SocketAddr>) -> Vec<(Duration, Notice)> {
        let before = match to {
            Some(to) => self.streams.insert(from, to),
            None => self.streams.remove(&from),
        };
        let Some(leg) = self.parties.get(&from).copied().filter(|_| before != to) else { return Vec::new() };
        let mut later = Vec::new();
        self.listen(leg, &mut later);
        later
    }

    /// The page of this seat is heard from now on (`Some`: does anybody speak?), or is gone.
    pub fn page(&mut self, seat: SeatNo, speaks: Option<bool>) -> Vec<(Duration, Notice)> {
        let leg =
            self.legs.iter().find(|(_, line)| matches!(&line.end, End::Page(s) if *s == seat)).map(|(leg, _)| *leg);
        match speaks {
            Some(speaks) => drop(self.pages.insert(seat, speaks)),
            None => drop(self.pages.remove(&seat)),
        }
        self.changed = true;
        let mut later = Vec::new();
        leg.into_iter().for_each(|leg| self.listen(leg, &mut later));
        later
    }

    pub fn notice(&mut self, notice: Notice) -> Reaction {
        let Notice { incarnation, leg, what } = notice;
        let mut reaction = Reaction::default();
        if incarnation != self.incarnation {
            return reaction;
        }
        if let What::Closed { stats } = what {
            reaction.event = Some(MediaEvent::Closed { leg, stats });
            return reaction;
        }
        let flowing = self.is_flowing(leg);
        let Some(line) = self.legs.get_mut(&leg) else { return reaction };
        let receives = match &line.end {
            End::Port { remote, .. } => remote.as_ref().is_some_and(|r| r.direction.receives()),
            End::Page(_) => true,
        };
        reaction.event = match what {
            What::FirstRtp if flowing && !line.heard => {
                line.heard = true;
                Some(MediaEvent::FirstRtp { leg })
            }
            What::Watchdog { connection } if connection == line.connection && !line.heard && receives => {
                Some(MediaEvent::NoRtp { leg })
            }
            What::Silence { connection } if connection == line.connection && line.heard && receives && !flowing => {
                Some(MediaEvent::RtpTimeout { leg })
            }
            What::PlayEnded { play } if play == line.play => {
                // Silence after a question is meant.
                if let Source::Play { then, .. } = &line.source
                    && **then != Source::Silence
                {
                    line.source = (**then).clone();
                }
                self.changed = true;
                reaction.hears_human = self.hears_human(leg);
                Some(MediaEvent::PlayEnded { leg })
            }
            _ => None,
        };
        reaction
    }

    /// To be called when the gateway has said all it had to say in one step.
    pub fn end_step(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        for (leg, line) in &self.legs {
            for other in line.source.heard().iter().filter(|other| !self.legs.contains_key(other)) {
                self.faults.push(format!("{leg:?} is left with {other:?} as its source, which was closed"));
            }
            if let Some(why) = self.dead_air(*leg, line) {
                self.faults.push(format!("{leg:?} hears {:?}: {why}", line.source));
            }
        }
    }

    /// Nobody is left with nothing to hear.
    fn dead_air(&self, leg: LegId, line: &Line) -> Option<&'static str> {
        let heard = match &line.source {
            Source::Play { .. } | Source::Music(_) | Source::RingBack => return None,
            now => now.heard(),
        };
        let gone = |other: &LegId| match self.legs.get(other).map(|line| &line.end) {
            Some(End::Page(seat)) => !self.pages.contains_key(seat),
            _ => false,
        };
        match heard {
            [] => line.is_citizens().then_some("silence for a citizen"),
            [own] if *own == leg => None,
            _ => heard.iter().all(gone).then_some("only pages that are gone"),
        }
    }

    fn open_page(
        &mut self,
        now: Instant,
        leg: LegId,
        seat: &SeatNo,
        expect: Option<Duration>,
        rtp_timeout: Option<Duration>,
        reaction: &mut Reaction,
    ) {
        if let Some((other, _)) = self.legs.iter().find(|(_, line)| matches!(&line.end, End::Page(s) if s == seat)) {
            self.faults.push(format!("{leg:?} takes the audio of {seat}, which {other:?} has"));
        }
        if !self.ever_opened.insert(leg) {
            self.faults.push(format!("{leg:?} is opened twice"));
        }
        self.legs.insert(leg, Line { rtp_timeout, ..Line::new(End::Page(seat.clone()), now) });
        let what = What::Watchdog { connection: 0 };
        reaction.later.extend(expect.map(|expect| (expect, Notice { incarnation: self.incarnation, leg, what })));
        self.changed = true;
        self.listen(leg, &mut reaction.later);
    }

    fn open(&mut self, now: Instant, leg: LegId, port: u16) {
        if !port.is_multiple_of(2) || !(20_000..20_800).contains(&port) {
            self.faults.push(format!("{leg:?} opens port {port}, which is not ours"));
        }
        if let Some(owner) = self.ports.insert(port, leg) {
            self.faults.push(format!("{leg:?} opens port {port}, which {owner:?} holds"));
        }
        if !self.ever_opened.insert(leg) {
            self.faults.push(format!("{leg:?} is opened twice"));
        }
        self.legs.insert(leg, Line::new(End::Port { port, remote: None }, now));
    }

    fn connect(
        &mut self,
        leg: LegId,
        remote: &Negotiated,
        expect: Option<Duration>,
        rtp_timeout: Option<Duration>,
        reaction: &mut Reaction,
    ) {
        let Some(line) = self.legs.get_mut(&leg) else {
            self.faults.push(format!("{leg:?} is connected, but not open"));
            return;
        };
        if remote.payload_type != 8 {
            self.faults.push(format!("{leg:?} settled on payload type {}", remote.payload_type));
        }
        let incarnation = self.incarnation;
        line.connection += 1;
        line.rtp_timeout = rtp_timeout;
        match &mut line.end {
            End::Port { remote: known, .. } => *known = Some(remote.clone()),
            End::Page(seat) => self.faults.push(format!("{leg:?} is in the browser of {seat}, and is connected")),
        }
        self.changed = true;
        self.parties.insert(remote.remote_rtp, leg);
        let connection = line.connection;
        if let Some(expect) = expect {
            reaction.later.push((expect, Notice { incarnation, leg, what: What::Watchdog { connection } }));
        }
        self.listen(leg, &mut reaction.later);
        reaction.hears_human = self.hears_human(leg);
    }

    fn set_source(&mut self, leg: LegId, source: &Source, reaction: &mut Reaction) {
        // Only who tries the headset hears themselves.
        let own = matches!(self.legs.get(&leg).map(|line| &line.end), Some(End::Page(_)));
        for other in source.heard().iter().filter(|other| (**other == leg && !own) || !self.legs.contains_key(other)) {
            self.faults.push(format!("{leg:?} is to hear {other:?}, which is not open"));
        }
        let Some(line) = self.legs.get_mut(&leg) else {
            self.faults.push(format!("{leg:?} gets a source, but is not open"));
            return;
        };
        let incarnation = self.incarnation;
        line.play += 1;
        line.source = source.clone();
        self.changed = true;
        if let Source::Play { prompts, .. } = source {
            let length = PROMPT * prompts.len() as u32;
            reaction.later.push((length, Notice { incarnation, leg, what: What::PlayEnded { play: line.play } }));
        }
        reaction.hears_human = self.hears_human(leg);
    }

    fn close(&mut self, now: Instant, leg: LegId, reaction: &mut Reaction) {
        let Some(line) = self.legs.remove(&leg) else {
            self.faults.push(format!("{leg:?} is closed, but not open"));
            return;
        };
        if let End::Port { port, .. } = &line.end {
            self.ports.remove(port);
        }
        self.changed = true;
        if let Some(remote) = line.remote()
            && self.parties.get(&remote.remote_rtp) == Some(&leg)
        {
            self.parties.remove(&remote.remote_rtp);
        }
        let incarnation = self.incarnation;
        let packets = (now - line.opened_at).as_millis() as u64 / 20;
        let received = if line.heard { packets } else { 0 };
        let stats = LegStats { received, sent: packets, ..LegStats::default() };
        reaction.later.push((Duration::from_millis(1), Notice { incarnation, leg, what: What::Closed { stats } }));
    }

    /// Arms what the presence or absence of RTP will bring.
    fn listen(&self, leg: LegId, later: &mut Vec<(Duration, Notice)>) {
        let (line, incarnation) = (&self.legs[&leg], self.incarnation);
        if self.is_flowing(leg) {
            if !line.heard {
                later.push((FIRST_PACKET, Notice { incarnation, leg, what: What::FirstRtp }));
            }
        } else if let Some(timeout) = line.rtp_timeout {
            later.push((timeout, Notice { incarnation, leg, what: What::Silence { connection: line.connection } }));
        }
    }

    /// The leg on which this party is heard.
    pub fn leg_of(&self, party: SocketAddr) -> Option<LegId> {
        self.parties.get(&party).copied().filter(|leg| self.is_flowing(*leg))
    }

    fn is_flowing(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|line| match &line.end {
            End::Port { port, remote } => {
                let from = remote.as_ref().map(|r| r.remote_rtp);
                from.and_then(|from| self.streams.get(&from)) == Some(&SocketAddr::new(GATEWAY_MEDIA, *port))
            }
            End::Page(seat) => self.pages.get(seat) == Some(&true),
        })
    }

    /// The party of `leg`, if what it is sent now is another connected leg.
    fn hears_human(&self, leg: LegId) -> Option<SocketAddr> {
        let line = self.legs.get(&leg)?;
        let heard = match &line.source {
            Source::Play { .. } => &[],
            now => now.heard(),
        };
        let is_there = |line: &Line| match &line.end {
            End::Port { remote, .. } => remote.is_some(),
            End::Page(seat) => self.pages.contains_key(seat),
        };
        let somebody = heard.iter().any(|other| self.legs.get(other).is_some_and(is_there));
        line.remote().map(|r| r.remote_rtp).filter(|_| somebody)
    }
}
