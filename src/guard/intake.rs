//! In which order messages are served when more come than can be, and when new calls are turned away unread. Belongs
//! here: telling kinds of messages apart by a look at the raw bytes, the queue of what can wait, the lateness at which
//! new calls get 503. Not here: reading sockets (`runtime`), what a message means (`sip`).
//!
//! The order: what belongs to calls in progress and what phones send is served as it is read. A trunk's new requests
//! wait behind it, and strangers behind these. A CANCEL waits with the INVITEs, or it would overtake its own.

use crate::time::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// Messages of one class kept waiting; a peer repeats what is dropped beyond.
const NEW_CALLS: usize = 4_096;
const STRANGERS: usize = 512;
/// One in so many turns goes to whoever is last, so that nobody starves.
const FAIRNESS: u32 = 8;

/// New calls are turned away when one has waited for so long, until none waits longer than the second.
pub const LATE: Duration = Duration::from_millis(50);
pub const IN_TIME: Duration = Duration::from_millis(10);

/// What a message is, as far as a look tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Response,
    Ack,
    Cancel,
    /// Has a To tag.
    InDialog,
    Register,
    /// Anything else; `proves`: it brings credentials.
    New {
        proves: bool,
    },
}

/// Who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// From where a phone is registered.
    Phone,
    Trunk,
    Stranger,
}

/// When it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    AtOnce,
    NewCall,
    Stranger,
}

impl Class {
    pub fn of(sender: Sender, kind: Kind) -> Class {
        match (sender, kind) {
            (Sender::Stranger, _) => Class::Stranger,
            (Sender::Phone, _) | (_, Kind::Response | Kind::Ack | Kind::InDialog) => Class::AtOnce,
            (Sender::Trunk, _) => Class::NewCall,
        }
    }
}

/// A look at the method and at two headers; wrong on purpose-made messages, which then merely wait longer.
pub fn kind(bytes: &[u8]) -> Kind {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let bytes = &bytes[start..];
    let end = memchr::memchr(b' ', &bytes[..bytes.len().min(32)]).unwrap_or(0);
    match &bytes[..end] {
        b"SIP/2.0" => return Kind::Response,
        b"ACK" => return Kind::Ack,
        b"CANCEL" => return Kind::Cancel,
        b"REGISTER" => return Kind::Register,
        _ => {}
    }
    let mut proves = false;
    for line in lines(bytes).skip(1).take_while(|line| !line.is_empty()) {
        match line[0] | 0x20 {
            b't' if (is(line, b"To") || is(line, b"t")) && has_tag(line) => return Kind::InDialog,
            b'a' if is(line, b"Authorization") => proves = true,
            _ => {}
        }
    }
    Kind::New { proves }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn is(line: &[u8], name: &[u8]) -> bool {
    let Some((start, rest)) = line.split_at_checked(name.len()) else { return false };
    let next = rest.iter().find(|b| !matches!(b, b' ' | b'\t'));
    start.eq_ignore_ascii_case(name) && next == Some(&b':')
}

fn has_tag(line: &[u8]) -> bool {
    memchr::memchr_iter(b';', line).any(|at| {
        let rest = line[at + 1..].trim_ascii_start();
        rest.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(b"tag"))
    })
}

/// What can wait, in order within each class.
#[derive(Debug)]
pub struct Backlog<T> {
    new_calls: VecDeque<(Instant, T)>,
    strangers: VecDeque<(Instant, T)>,
    turn: u32,
    /// Not taken because too much waited already.
    pub dropped: u64,
}

impl<T> Default for Backlog<T> {
    fn default() -> Backlog<T> {
        Backlog { new_calls: VecDeque::new(), strangers: VecDeque::new(), turn: 0, dropped: 0 }
    }
}

impl<T> Backlog<T> {
    /// Drops what finds no room.
    pub fn push(&mut self, now: Instant, class: Class, item: T) {
        let (queue, room) = match class {
            Class::Stranger => (&mut self.strangers, STRANGERS),
            Class::NewCall | Class::AtOnce => (&mut self.new_calls, NEW_CALLS),
        };
        if queue.len() < room {
            queue.push_back((now, item));
        } else {
            self.dropped += 1;
        }
    }

    /// The next to serve, and since when it waits.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        self.turn = (self.turn + 1) % FAIRNESS;
        let strangers_turn = self.turn == 0 || self.new_calls.is_empty();
        let first = if strangers_turn { self.strangers.pop_front() } else { None };
        first.or_else(|| self.new_calls.pop_front())
    }

    pub fn is_empty(&self) -> bool {
        self.new_calls.is_empty() && self.strangers.is_empty()
    }

    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.new_calls.retain(|(_, item)| keep(item));
        self.strangers.retain(|(_, item)| keep(item));
    }
}

/// Whether new calls are turned away, with hysteresis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shedding {
    on: bool,
}

impl Shedding {
    /// `lag`: how late the message in hand is.
    pub fn sheds(&mut self, lag: Duration) -> bool {
        self.on = if self.on { lag > IN_TIME } else { lag > LATE };
        self.on
    }
}
