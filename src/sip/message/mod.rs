//! The zero-copy message layer: an index over the raw bytes of one SIP message.
//! SKELETON: signatures agreed between authors; bodies are written by the message layer's owner.

mod builder;
mod header;
pub mod uri;

pub use builder::{Builder, reason_phrase};
pub use header::{CSeq, Name, NameAddr, Params, Via};

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
    pub fn parse(_token: &'a [u8]) -> Method<'a> {
        todo!()
    }
    pub fn as_bytes(&self) -> &'a [u8] {
        todo!()
    }
}

#[derive(Clone, Debug)]
pub struct Message<'a> {
    raw: &'a [u8],
}

/// Why a message is refused. What could still be read is kept, so that 400, 405, 505, ... can be answered.
#[derive(Debug)]
pub struct Malformed<'a> {
    /// The status an element should answer a *request* with (400, 414, 416, 505, ...), were it answerable.
    pub status: u16,
    /// Names the header or line and the fault; goes into the reason phrase and the log.
    pub reason: &'static str,
    /// Present if at least Via, From, To, Call-ID and CSeq could be indexed, so that a response can be built.
    pub partial: Option<Message<'a>>,
}

impl<'a> Message<'a> {
    /// Indexes and validates one message. No allocation.
    pub fn parse(_raw: &'a [u8], _framing: Framing) -> Result<Message<'a>, Malformed<'a>> {
        todo!()
    }
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }
    pub fn is_request(&self) -> bool {
        todo!()
    }
    /// Request method (`None` for a response; see `cseq()` for the method a response belongs to).
    pub fn method(&self) -> Option<Method<'a>> {
        todo!()
    }
    pub fn request_uri(&self) -> Option<&'a [u8]> {
        todo!()
    }
    /// Response status code.
    pub fn status(&self) -> Option<u16> {
        todo!()
    }
    pub fn reason_phrase(&self) -> Option<&'a [u8]> {
        todo!()
    }
    /// First header of this name, unfolded is not needed: surrounding white space trimmed, folds kept raw.
    pub fn header(&self, _name: Name) -> Option<&'a [u8]> {
        todo!()
    }
    /// Every header line of this name, in order.
    pub fn headers(&self, _name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        std::iter::empty()
    }
    /// Every comma-separated value over all lines of this name (quotes and angle brackets respected).
    pub fn values(&self, _name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        std::iter::empty()
    }
    /// First header of a name that [`Name`] does not list; ASCII case-insensitive.
    pub fn other(&self, _name: &str) -> Option<&'a [u8]> {
        todo!()
    }
    /// Topmost Via. Parsed and checked by `parse`, so it cannot fail here (likewise From, To, Call-ID, CSeq).
    pub fn via(&self) -> Via<'a> {
        todo!()
    }
    pub fn from(&self) -> NameAddr<'a> {
        todo!()
    }
    pub fn to(&self) -> NameAddr<'a> {
        todo!()
    }
    pub fn from_tag(&self) -> Option<&'a [u8]> {
        todo!()
    }
    pub fn to_tag(&self) -> Option<&'a [u8]> {
        todo!()
    }
    pub fn call_id(&self) -> &'a [u8] {
        todo!()
    }
    pub fn cseq(&self) -> CSeq<'a> {
        todo!()
    }
    /// Contact values; `Err` names a malformed one. `Contact: *` is yielded as a NameAddr whose `uri` is `*`.
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr<'a>, &'static str>> + '_ {
        std::iter::empty()
    }
    pub fn expires(&self) -> Option<u32> {
        todo!()
    }
    pub fn max_forwards(&self) -> Option<u32> {
        todo!()
    }
    /// True if a token of a comma list header (Require, Supported, Allow, ...) equals `token`, case-insensitive.
    pub fn lists(&self, _name: Name, _token: &str) -> bool {
        todo!()
    }
    pub fn body(&self) -> &'a [u8] {
        todo!()
    }
}
