//! The zero-copy message layer: an index over the raw bytes of one SIP message (RFC 3261 s7, s25).
//! Belongs here: what a message says and how one is written. Not here: cutting streams (`sip::framing`), what a
//! message means to a transaction or dialog.
//!
//! `name` header names; `scan` the grammar's bytes; `header` typed values; `uri`; `parse` bytes -> index;
//! `builder` values -> bytes. Architecture invariant: `parse` allocates nothing, and what it accepted cannot fail in
//! an accessor. Header values are the sender's bytes, folds included; the body may be anything.

mod builder;
mod header;
mod name;
mod parse;
mod scan;
pub mod uri;

pub use builder::{Builder, reason_phrase};
pub use header::{CSeq, NameAddr, Param, Params, Via};
pub use name::Name;
use scan::{CommaList, decimal, trim};
use std::fmt;

/// The largest message taken, bytes: also the largest UDP datagram.
pub const MAX_MESSAGE: usize = 65_535;
/// The largest header section taken (start line and headers), bytes. Real ones stay below 4 KiB.
pub const MAX_HEADER_SECTION: usize = 32 * 1024;
/// The most header lines taken. Real messages have 15 to 40.
pub const MAX_HEADER_LINES: usize = 128;

/// How the end of the message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One UDP datagram: without Content-Length the body runs to the datagram's end.
    Datagram,
    /// One message cut from a TCP/TLS stream by [`super::framing`]: Content-Length is required.
    Stream,
}

/// A request method. Known ones are compared by value; an unknown one keeps its bytes (methods are case-sensitive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method<'a> {
    Invite,
    Ack,
    Bye,
    Cancel,
    Register,
    Options,
    Info,
    Prack,
    Update,
    Refer,
    Notify,
    Subscribe,
    Message,
    Publish,
    Other(&'a [u8]),
}

impl<'a> Method<'a> {
    pub fn parse(token: &'a [u8]) -> Method<'a> {
        match token {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"REGISTER" => Method::Register,
            b"OPTIONS" => Method::Options,
            b"INFO" => Method::Info,
            b"PRACK" => Method::Prack,
            b"UPDATE" => Method::Update,
            b"REFER" => Method::Refer,
            b"NOTIFY" => Method::Notify,
            b"SUBSCRIBE" => Method::Subscribe,
            b"MESSAGE" => Method::Message,
            b"PUBLISH" => Method::Publish,
            other => Method::Other(other),
        }
    }

    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Method::Invite => b"INVITE",
            Method::Ack => b"ACK",
            Method::Bye => b"BYE",
            Method::Cancel => b"CANCEL",
            Method::Register => b"REGISTER",
            Method::Options => b"OPTIONS",
            Method::Info => b"INFO",
            Method::Prack => b"PRACK",
            Method::Update => b"UPDATE",
            Method::Refer => b"REFER",
            Method::Notify => b"NOTIFY",
            Method::Subscribe => b"SUBSCRIBE",
            Method::Message => b"MESSAGE",
            Method::Publish => b"PUBLISH",
            Method::Other(bytes) => bytes,
        }
    }
}

#[derive(Clone, Copy)]
enum Start<'a> {
    Request { method: Method<'a>, uri: &'a [u8] },
    Response { status: u16, reason: &'a [u8] },
}

/// One header line, as offsets into the message.
#[derive(Clone, Copy)]
struct Line {
    name_start: u16,
    value_start: u16,
    value_end: u16,
    name_len: u8,
    /// `Name as u8`, or `Line::OTHER`.
    name: u8,
}

impl Line {
    const OTHER: u8 = u8::MAX;
    const EMPTY: Line = Line { name_start: 0, value_start: 0, value_end: 0, name_len: 0, name: Line::OTHER };
}

/// One indexed message, borrowing its bytes.
#[derive(Clone)]
pub struct Message<'a> {
    raw: &'a [u8],
    start: Start<'a>,
    via: Via<'a>,
    from: NameAddr<'a>,
    to: NameAddr<'a>,
    call_id: &'a [u8],
    cseq: CSeq<'a>,
    body: &'a [u8],
    count: u8,
    /// Per name, the number of its first line, counted from 1; 0: none.
    first: [u8; Name::COUNT],
    lines: [Line; MAX_HEADER_LINES],
}

impl fmt::Debug for Message<'_> {
    /// The bytes as text: the index is derived from them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message(\"{}\")", self.raw.escape_ascii())
    }
}

/// Why a message is refused. What could still be read is kept, so that 400, 405, 505, ... can be answered.
#[derive(Debug)]
pub struct Malformed<'a> {
    /// The status an element should answer a *request* with (400, 505, 513, ...), were it answerable.
    pub status: u16,
    /// Names the header or line and the fault; goes into the reason phrase and the log.
    pub reason: &'static str,
    /// Present if at least Via, From, To, Call-ID and CSeq could be indexed, so that a response can be built. The one
    /// at fault reads as empty (CSeq: 0 and the request's method) but is echoed as sent.
    pub partial: Option<Message<'a>>,
}

impl<'a> Message<'a> {
    /// Indexes and validates one message. No allocation.
    // The index stands in the value itself, in both arms: a box would be an allocation a hostile sender controls.
    #[allow(clippy::result_large_err)]
    pub fn parse(raw: &'a [u8], framing: Framing) -> Result<Message<'a>, Malformed<'a>> {
        parse::parse(raw, framing)
    }

    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// Request method (`None` for a response; see `cseq()` for the method a response belongs to).
    pub fn method(&self) -> Option<Method<'a>> {
        match self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    pub fn request_uri(&self) -> Option<&'a [u8]> {
        match self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// Response status code.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    pub fn reason_phrase(&self) -> Option<&'a [u8]> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(reason),
        }
    }

    /// First header of this name: surrounding white space trimmed, folds kept raw.
    pub fn header(&self, name: Name) -> Option<&'a [u8]> {
        let first = self.first[name as usize];
        (first != 0).then(|| self.value(&self.lines[usize::from(first) - 1]))
    }

    /// Every header line of this name, in order.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        let from = match self.first[name as usize] {
            0 => usize::from(self.count),
            first => usize::from(first) - 1,
        };
        self.lines[from..usize::from(self.count)].iter().filter(move |l| l.name == name as u8).map(|l| self.value(l))
    }

    /// Every comma-separated value over all lines of this name (quotes and angle brackets respected).
    pub fn values(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.headers(name).flat_map(CommaList)
    }

    /// First header of a name that [`Name`] does not list; ASCII case-insensitive.
    pub fn other(&self, name: &str) -> Option<&'a [u8]> {
        let short = name::compact_of_other(name.as_bytes());
        self.all().find_map(|(n, value)| {
            let same = n.eq_ignore_ascii_case(name.as_bytes())
                || (n.len() == 1 && short.is_some_and(|c| n[0].eq_ignore_ascii_case(&c)));
            same.then_some(value)
        })
    }

    /// Every header line in order, names as sent.
    pub fn all(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.lines[..usize::from(self.count)].iter().map(|l| {
            let start = usize::from(l.name_start);
            (&self.raw[start..start + usize::from(l.name_len)], self.value(l))
        })
    }

    /// Topmost Via. Parsed and checked by `parse`, so it cannot fail here (likewise From, To, Call-ID, CSeq).
    pub fn via(&self) -> Via<'a> {
        self.via
    }

    pub fn from(&self) -> NameAddr<'a> {
        self.from
    }

    pub fn to(&self) -> NameAddr<'a> {
        self.to
    }

    pub fn from_tag(&self) -> Option<&'a [u8]> {
        self.from.tag()
    }

    pub fn to_tag(&self) -> Option<&'a [u8]> {
        self.to.tag()
    }

    pub fn call_id(&self) -> &'a [u8] {
        self.call_id
    }

    pub fn cseq(&self) -> CSeq<'a> {
        self.cseq
    }

    /// Contact values; `Err` names a malformed one. `Contact: *` is yielded as a NameAddr whose `uri` is `*`.
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr<'a>, &'static str>> + '_ {
        self.values(Name::Contact).map(|v| if v == b"*" { Ok(NameAddr::star(v)) } else { NameAddr::parse(v) })
    }

    /// Expires in seconds; one above 2^32-1 reads as that, one that is no number as absent (RFC 3261 s20.19).
    pub fn expires(&self) -> Option<u32> {
        self.header(Name::Expires).and_then(delta_seconds)
    }

    pub fn max_forwards(&self) -> Option<u32> {
        self.header(Name::MaxForwards).and_then(|v| decimal(v).ok())
    }

    /// True if a token of a comma list header (Require, Supported, Allow, ...) equals `token`, case-insensitive.
    pub fn lists(&self, name: Name, token: &str) -> bool {
        self.values(name).any(|v| {
            let end = memchr::memchr(b';', v).unwrap_or(v.len());
            trim(&v[..end]).eq_ignore_ascii_case(token.as_bytes())
        })
    }

    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    fn value(&self, line: &Line) -> &'a [u8] {
        &self.raw[usize::from(line.value_start)..usize::from(line.value_end)]
    }
}

/// Seconds as headers and parameters give them (`expires`): too large reads as 2^32-1, not a number as `None`.
pub fn delta_seconds(value: &[u8]) -> Option<u32> {
    match decimal(value) {
        Ok(n) => Some(n),
        Err(true) => Some(u32::MAX),
        Err(false) => None,
    }
}
