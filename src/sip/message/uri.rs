//! SIP, SIPS and tel URIs (RFC 3261 s19.1, RFC 3966). SKELETON.

use super::Params;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme<'a> {
    Sip,
    Sips,
    Tel,
    Other(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    pub scheme: Scheme<'a>,
    /// User part as sent (escapes kept), without password; for tel: the number.
    pub user: Option<&'a [u8]>,
    /// Host (IPv6 brackets stripped); empty for tel.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: Params<'a>,
    /// After `?`, unparsed.
    pub headers: &'a [u8],
}

impl<'a> Uri<'a> {
    pub fn parse(_uri: &'a [u8]) -> Result<Uri<'a>, &'static str> {
        todo!()
    }
    /// `host` as an IP address, if it is one.
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        todo!()
    }
    /// Equality by RFC 3261 s19.1.4.
    pub fn equivalent(&self, _other: &Uri<'_>) -> bool {
        todo!()
    }
}

/// `%41` -> `A`. Invalid escapes are kept as they are.
pub fn unescape(_user: &[u8]) -> Vec<u8> {
    todo!()
}
