//! Writes requests and responses into one buffer. SKELETON.
//! A value containing CR, LF or NUL is never written raw: such bytes become spaces (header injection).

use super::{Message, Method, Name};
use std::fmt;

pub struct Builder {
    buf: Vec<u8>,
}

impl Builder {
    pub fn request(_method: Method<'_>, _uri: &[u8]) -> Builder {
        todo!()
    }
    /// A response with Via (all), From, To, Call-ID, CSeq copied verbatim (RFC 3261 s8.2.6), Record-Route too when the
    /// status is 101-299; `to_tag` is added to To if it has none. The top Via gets `received`/`rport` from `source`.
    pub fn response(
        _request: &Message<'_>,
        _status: u16,
        _reason: &str,
        _to_tag: Option<&[u8]>,
        _source: std::net::SocketAddr,
    ) -> Builder {
        todo!()
    }
    pub fn header(self, _name: Name, _value: &[u8]) -> Builder {
        todo!()
    }
    pub fn header_fmt(self, _name: Name, _value: fmt::Arguments<'_>) -> Builder {
        todo!()
    }
    pub fn other(self, _name: &str, _value: &[u8]) -> Builder {
        todo!()
    }
    /// Ends the message: Content-Type, Content-Length and the body.
    pub fn body(self, _content_type: &str, _body: &[u8]) -> Vec<u8> {
        todo!()
    }
    /// Ends the message with `Content-Length: 0`.
    pub fn finish(self) -> Vec<u8> {
        todo!()
    }
}

/// Standard reason phrase of a status code.
pub fn reason_phrase(_status: u16) -> &'static str {
    todo!()
}
