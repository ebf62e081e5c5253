//! Messages by method and class, for /metrics. Belongs here: counting each under one of a fixed set of names, whatever a
//! peer wrote. Not here: what becomes of a message.

use crate::sip::message::{Message, Method};
use memchr::{memchr, memmem};
use serde::{Deserialize, Serialize};

/// Every method we know, then all others together.
pub const METHODS: [&str; 15] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "REGISTER",
    "OPTIONS",
    "INFO",
    "PRACK",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
    "PUBLISH",
    "other",
];
pub const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"];

/// In one direction, since start; repeats count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    requests: [u64; METHODS.len()],
    /// By the method of the request they answer.
    responses: [[u64; CLASSES.len()]; METHODS.len()],
}

impl Tally {
    /// In the order of [`METHODS`].
    pub fn requests(&self) -> &[u64; METHODS.len()] {
        &self.requests
    }

    /// In the order of [`METHODS`] and [`CLASSES`].
    pub fn responses(&self) -> &[[u64; CLASSES.len()]; METHODS.len()] {
        &self.responses
    }

    pub(super) fn received(&mut self, msg: &Message<'_>) {
        match (msg.method(), msg.status()) {
            (Some(method), _) => self.requests[place(method)] += 1,
            (None, Some(status)) => self.response(msg.cseq().method, status / 100),
            (None, None) => {}
        }
    }

    /// One of our own, so it is as we write them.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        if let Some(rest) = bytes.strip_prefix(b"SIP/2.0 ") {
            let class = rest.first().map_or(0, |digit| digit.wrapping_sub(b'0'));
            self.response(cseq_method(rest), class.into());
        } else if bytes.first().is_some_and(u8::is_ascii_uppercase) {
            let token = &bytes[..memchr(b' ', bytes).unwrap_or(0)];
            self.requests[place(Method::parse(token))] += 1;
        }
    }

    fn response(&mut self, method: Method<'_>, class: u16) {
        if let Some(count) = usize::from(class).checked_sub(1).and_then(|at| self.responses[place(method)].get_mut(at))
        {
            *count += 1;
        }
    }
}

fn cseq_method(head: &[u8]) -> Method<'_> {
    let value = memmem::find(head, b"\r\nCSeq: ").map_or(&[][..], |at| &head[at + 8..]);
    let line = &value[..memchr(b'\r', value).unwrap_or(value.len())];
    Method::parse(line.rsplit(|byte| *byte == b' ').next().unwrap_or_default())
}

fn place(method: Method<'_>) -> usize {
    match method {
        Method::Other(_) => METHODS.len() - 1,
        known => METHODS.iter().position(|name| name.as_bytes() == known.as_bytes()).unwrap_or(METHODS.len() - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> usize {
        METHODS.iter().position(|method| *method == name).unwrap()
    }

    #[test]
    fn every_method_has_its_own_place_and_strange_ones_share_the_last() {
        for (at, name) in METHODS[..14].iter().enumerate() {
            assert_eq!(place(Method::parse(name.as_bytes())), at, "{name}");
            assert!(!matches!(Method::parse(name.as_bytes()), Method::Other(_)), "{name}");
        }
        assert_eq!(place(Method::parse(b"invite")), 14);
        assert_eq!(place(Method::parse(b"13812345678")), 14);
    }

    #[test]
    fn what_is_sent_counts_by_its_first_line_and_its_cseq() {
        let mut tally = Tally::default();
        tally.sent(b"BYE sip:x@y SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n");
        tally.sent(b"SIP/2.0 486 Busy Here\r\nVia: x\r\nCSeq: 1 INVITE\r\n\r\n");
        tally.sent(b"SIP/2.0 200 OK\r\nCSeq: 1 FROBNICATE\r\n\r\n");
        tally.sent(b"\r\n\r\n");
        assert_eq!(tally.requests().iter().sum::<u64>(), 1);
        assert_eq!(tally.requests()[of("BYE")], 1);
        assert_eq!(tally.responses().iter().flatten().sum::<u64>(), 2);
        assert_eq!((tally.responses()[of("INVITE")][3], tally.responses()[of("other")][1]), (1, 1));
    }
}
