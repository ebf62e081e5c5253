//! Header names and the typed values of the headers every element needs. SKELETON.

use super::Method;

/// Header names known to the index (compact forms included). Others are found by `Message::other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Via,
    From,
    To,
    CallId,
    CSeq,
    MaxForwards,
    Contact,
    Route,
    RecordRoute,
    ContentLength,
    ContentType,
    ContentEncoding,
    ContentDisposition,
    Expires,
    MinExpires,
    Require,
    ProxyRequire,
    Supported,
    Unsupported,
    Allow,
    Accept,
    Event,
    SubscriptionState,
    Authorization,
    WwwAuthenticate,
    ProxyAuthorization,
    ProxyAuthenticate,
    PAssertedIdentity,
    PPreferredIdentity,
    RemotePartyId,
    Privacy,
    Diversion,
    HistoryInfo,
    Reason,
    RSeq,
    RAck,
    SessionExpires,
    MinSe,
    ReferTo,
    ReferredBy,
    Replaces,
    RetryAfter,
    UserAgent,
    Server,
    Subject,
    Path,
    ServiceRoute,
    PChargingVector,
    PEarlyMedia,
    PAccessNetworkInfo,
    Warning,
    Date,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, ... as sent.
    pub transport: &'a [u8],
    /// sent-by host, IPv6 brackets kept.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    pub fn branch(&self) -> Option<&'a [u8]> {
        todo!()
    }
    /// `rport` present (with or without value).
    pub fn wants_rport(&self) -> bool {
        todo!()
    }
}

/// `"Display" <uri>;params` or `uri;params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// Display name without its quotes, escapes kept.
    pub display: Option<&'a [u8]>,
    pub uri: &'a [u8],
    /// Header parameters (after `>`; for the bare form everything after `;`).
    pub params: Params<'a>,
    /// The whole value as sent, for verbatim echo.
    pub raw: &'a [u8],
}

impl<'a> NameAddr<'a> {
    pub fn parse(_value: &'a [u8]) -> Result<NameAddr<'a>, &'static str> {
        todo!()
    }
    pub fn tag(&self) -> Option<&'a [u8]> {
        todo!()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    pub seq: u32,
    pub method: Method<'a>,
}

/// `;a=b;c;d="e"` left unparsed until asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params<'a>(pub &'a [u8]);

impl<'a> Params<'a> {
    /// `None`: absent; `Some(None)`: a flag; `Some(Some(v))`: value with quotes stripped. Names are case-insensitive.
    pub fn get(&self, _name: &str) -> Option<Option<&'a [u8]>> {
        todo!()
    }
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        std::iter::empty()
    }
}
