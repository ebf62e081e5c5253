//! A call's messages as a ladder: one rung a message, one post a party, all legs of a call on one ladder.
//! Not here: hiding what must not be seen (`redact`); messages come here hidden already.
//!
//! ```text
//!                10.1.0.7:5060            rexian          10.0.0.81:5060
//!   0.000              |--INVITE 12345 (sdp)->|                  |
//!   0.001              |<-100 Trying----------|                  |
//!   0.012              |                      |--INVITE (sdp)--->|
//! ```

use super::seen::{Seen, Way, lines};
use crate::config::settings::{Cidr, Traced};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// Ladders under way; the one silent for longest gives way.
const MOST: usize = 2_048;
/// Of one ladder; of more, the number is told.
const MOST_RUNGS: usize = 400;
const MOST_POSTS: usize = 6;
/// A ladder is told so long after a BYE, a CANCEL or a refusal has been answered: repeats still come.
const AFTER_END: Duration = Duration::from_secs(5);
/// One that never ended as far as we saw: longer than any transaction, and told again if it goes on.
const SILENT: Duration = Duration::from_secs(600);
const NARROWEST: usize = 22;

#[derive(Clone, Debug)]
pub struct Ladder {
    /// Ours, if we know it: else the SIP Call-ID.
    pub call: String,
    pub began: Instant,
    posts: Vec<SocketAddr>,
    rungs: Vec<Rung>,
    /// Rungs there was no room for.
    left_out: usize,
    chosen: bool,
    latest: Instant,
    ended: Option<Instant>,
    /// SIP Call-IDs of its legs.
    legs: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Rung {
    at: Instant,
    post: usize,
    way: Way,
    label: String,
}

#[derive(Debug)]
pub struct Ladders {
    which: Traced,
    next: u64,
    ladders: BTreeMap<u64, Ladder>,
    by_leg: BTreeMap<Vec<u8>, u64>,
    by_call: BTreeMap<String, u64>,
    /// By when each was last touched.
    by_age: BTreeSet<(Instant, u64)>,
}

impl Ladders {
    pub fn new(which: Traced) -> Ladders {
        let (ladders, by_leg, by_call, by_age) = Default::default();
        Ladders { which, next: 0, ladders, by_leg, by_call, by_age }
    }

    pub fn message(&mut self, seen: &Seen) {
        if self.which == Traced::Nothing {
            return;
        }
        let Some(sip_call_id) = seen.sip_call_id().map(<[u8]>::to_vec) else { return };
        // Our INVITEs to seats say of which call they are.
        let call = seen.header("X-Rexian-Call", None).map(|c| String::from_utf8_lossy(c).into_owned());
        let known = self.by_leg.get(&sip_call_id).or(call.as_ref().and_then(|c| self.by_call.get(c))).copied();
        let id = match known {
            Some(id) => id,
            // A ladder begins with a call, not with the registrations and pings of its parties.
            None if seen.first_line().starts_with(b"INVITE ") => self.begin(seen, call, &sip_call_id),
            None => return,
        };
        if self.by_leg.insert(sip_call_id.clone(), id).is_none()
            && let Some(ladder) = self.ladders.get_mut(&id)
        {
            ladder.legs.push(sip_call_id);
        }
        let Some(ladder) = self.ladders.get_mut(&id) else { return };
        self.by_age.remove(&(ladder.latest, id));
        ladder.chosen |= chooses(&self.which, seen);
        ladder.add(seen);
        self.by_age.insert((ladder.latest, id));
    }

    /// The dialog is a leg of this call.
    pub fn named(&mut self, call: String, sip_call_id: &[u8]) {
        if let Some(&id) = self.by_leg.get(sip_call_id)
            && let Some(ladder) = self.ladders.get_mut(&id)
            && ladder.call != call
        {
            self.by_call.remove(&std::mem::replace(&mut ladder.call, call.clone()));
            self.by_call.insert(call, id);
        }
    }

    /// Ours of the call this message belongs to, if known.
    pub fn call_of(&self, seen: &Seen) -> Option<&str> {
        let id = self.by_leg.get(seen.sip_call_id()?)?;
        self.ladders.get(id).map(|l| l.call.as_str())
    }

    /// Ladders to be told now.
    pub fn finished(&mut self, now: Instant) -> Vec<Ladder> {
        let mut done: Vec<u64> = vec![];
        for &(latest, id) in &self.by_age {
            let Some(ladder) = self.ladders.get(&id) else { continue };
            let over = ladder.ended.is_some_and(|at| now >= at + AFTER_END) || now >= latest + SILENT;
            if over || self.ladders.len() - done.len() > MOST {
                done.push(id);
            } else if now < latest + AFTER_END {
                break;
            }
        }
        done.into_iter().filter_map(|id| self.take(id)).filter(|l| l.chosen).collect()
    }

    /// What is left at the end.
    pub fn all(&mut self) -> Vec<Ladder> {
        let ids: Vec<u64> = self.ladders.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.take(id)).filter(|l| l.chosen).collect()
    }

    fn begin(&mut self, seen: &Seen, call: Option<String>, sip_call_id: &[u8]) -> u64 {
        self.next += 1;
        let named = call.clone();
        let call = call.unwrap_or_else(|| String::from_utf8_lossy(sip_call_id).into_owned());
        let ladder = Ladder {
            call,
            began: seen.at,
            posts: vec![],
            rungs: vec![],
            left_out: 0,
            chosen: false,
            latest: seen.at,
            ended: None,
            legs: vec![],
        };
        self.ladders.insert(self.next, ladder);
        self.by_call.extend(named.map(|call| (call, self.next)));
        self.next
    }

    fn take(&mut self, id: u64) -> Option<Ladder> {
        let ladder = self.ladders.remove(&id)?;
        self.by_age.remove(&(ladder.latest, id));
        self.by_call.remove(&ladder.call);
        for leg in &ladder.legs {
            self.by_leg.remove(leg);
        }
        Some(ladder)
    }
}

impl Ladder {
    fn add(&mut self, seen: &Seen) {
        self.latest = self.latest.max(seen.at);
        let remote = seen.flow.remote;
        let post = match self.posts.iter().position(|p| *p == remote) {
            Some(post) => post,
            None if self.posts.len() < MOST_POSTS => {
                self.posts.push(remote);
                self.posts.len() - 1
            }
            None => return self.left_out += 1,
        };
        let label = label(seen);
        self.ended = ends(seen).then_some(seen.at).or(self.ended.filter(|_| !begins(seen)));
        if self.rungs.len() >= MOST_RUNGS {
            return self.left_out += 1;
        }
        let rung = Rung { at: seen.at, post, way: seen.way, label };
        let again = self.rungs.iter().any(|r| (r.post, r.way, &r.label) == (post, rung.way, &rung.label));
        let label = if again && !rung.label.starts_with("ACK") { format!("{} again", rung.label) } else { rung.label };
        self.rungs.push(Rung { label, ..rung });
    }

    /// The drawing, a line each.
    pub fn draw(&self) -> Vec<String> {
        let width = self.rungs.iter().map(|r| r.label.chars().count() + 6).max().unwrap_or(0).max(NARROWEST);
        // The first party, mostly the carrier, to the left of us; the others to the right.
        let columns: Vec<String> = self
            .posts
            .iter()
            .take(1)
            .map(ToString::to_string)
            .chain(["rexian".into()])
            .chain(self.posts.iter().skip(1).map(ToString::to_string))
            .collect();
        let at = |column: usize| 12 + column * width;
        let mut head = vec![' '; at(columns.len())];
        for (column, name) in columns.iter().enumerate() {
            let start = at(column).saturating_sub(name.len() / 2);
            name.chars().enumerate().for_each(|(i, c)| {
                if let Some(slot) = head.get_mut(start + i) {
                    *slot = c
                }
            });
        }
        let mut drawn = vec![head.into_iter().collect::<String>().trim_end().to_owned()];
        for rung in &self.rungs {
            let mut line = vec![' '; at(columns.len() - 1) + 1];
            (0..columns.len()).for_each(|column| line[at(column)] = '|');
            let theirs = if rung.post == 0 { 0 } else { rung.post + 1 };
            let (left, right) = (at(theirs.min(1)), at(theirs.max(1)));
            line[left + 1..right].iter_mut().for_each(|c| *c = if *c == '|' { '+' } else { '-' });
            // To the right: out to a party on the right, or in from the one on the left.
            let rightward = (rung.way == Way::Out) == (theirs > 1);
            line[if rightward { right - 1 } else { left + 1 }] = if rightward { '>' } else { '<' };
            rung.label.chars().enumerate().for_each(|(i, c)| line[left + 3 + i] = c);
            let offset = format!("{:>9.3}", rung.at.since(self.began).as_secs_f64());
            drawn.push(offset + line[9..].iter().collect::<String>().trim_end());
        }
        if self.left_out > 0 {
            drawn.push(format!("  and {} messages more", self.left_out));
        }
        drawn
    }
}

/// One log line a rung, so that it survives every log format; `call` finds them.
pub fn log(ladder: &Ladder) {
    for line in ladder.draw() {
        tracing::info!(target: "rexian::ladder", call = %ladder.call, "{line}");
    }
}

/// `INVITE 12345 (sdp)`, `183 Session Progress (sdp)`, `BYE (Q.850 16)`.
fn label(seen: &Seen) -> String {
    let first = String::from_utf8_lossy(seen.first_line()).into_owned();
    let mut words = first.splitn(3, ' ');
    let (first, second, third) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
    let mut label = if first.starts_with("SIP/") {
        format!("{second} {third}")
    } else if first == "INVITE" && seen.way == Way::In {
        let user = second.split_once(':').map_or("", |(_, rest)| rest).split(['@', ';']).next().unwrap_or("");
        format!("{first} {user}")
    } else {
        first.to_owned()
    };
    let body = seen.header("Content-Type", Some(b'c')).is_some_and(|kind| memchr::memmem::find(kind, b"sdp").is_some());
    let described = body && lines(&seen.bytes).any(|line| line.starts_with(b"m=audio"));
    label += if described { " (sdp)" } else { "" };
    if let Some(cause) = seen.header("Reason", None).and_then(cause) {
        label += &format!(" ({cause})");
    }
    label.chars().filter(|c| !c.is_control()).take(48).collect::<String>().trim().to_owned()
}

/// `Q.850 16`, `SIP 200`.
fn cause(reason: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(reason);
    let (protocol, params) = text.split_once(';')?;
    let cause = params.split(';').find_map(|p| p.trim().strip_prefix("cause="))?;
    Some(format!("{} {}", protocol.trim(), cause.trim()))
}

fn begins(seen: &Seen) -> bool {
    seen.first_line().starts_with(b"INVITE ")
}

/// A message after which a leg is over: the answer to BYE, or a refusal of an INVITE that is no challenge.
fn ends(seen: &Seen) -> bool {
    let Some(status) = seen.first_line().strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.first()) else { return false };
    let cseq = seen.header("CSeq", None).unwrap_or_default();
    (*status >= b'2' && cseq.ends_with(b"BYE")) || (*status >= b'3' && cseq.ends_with(b"INVITE"))
}

fn chooses(which: &Traced, seen: &Seen) -> bool {
    match which {
        Traced::Nothing => false,
        Traced::Everything => true,
        Traced::Some { networks, numbers } => {
            let ip = seen.flow.remote.ip();
            networks.iter().any(|net: &Cidr| net.contains(ip)) || numbers.iter().any(|number| names(seen, number))
        }
    }
}

/// Does a message name this number, in whatever form? Compared by their last digits.
fn names(seen: &Seen, number: &str) -> bool {
    let digits = |text: &[u8]| text.iter().copied().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
    let wanted = digits(number.as_bytes());
    let user = |value: &[u8]| {
        let start = memchr::memchr(b':', value).map_or(0, |at| at + 1);
        let end = value[start..].iter().position(|b| b"@;>".contains(b)).map_or(value.len(), |at| start + at);
        digits(&value[start..end])
    };
    let request_uri = seen.first_line().split(|&b| b == b' ').nth(1).unwrap_or_default();
    let headers = [("From", Some(b'f')), ("To", Some(b't')), ("P-Asserted-Identity", None)];
    let named = headers.into_iter().filter_map(|(name, compact)| seen.header(name, compact)).chain([request_uri]);
    // The shorter of the two may lack a country or area code.
    named.map(user).any(|theirs| theirs.ends_with(&wanted) || (theirs.len() >= 7 && wanted.ends_with(&theirs)))
}

#[cfg(test)]
mod tests;
