//! Header names: the ones the index knows, their compact forms (RFC 3261 s7.3.3 and the registry of header fields),
//! and their recognition by length and first letter. Not here: what the values mean.

macro_rules! names {
    ($($variant:ident $text:literal),* $(,)?) => {
        /// Header names known to the index (compact forms included). Others are found by `Message::other`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Name { $($variant),* }

        const TEXT: &[&str] = &[$($text),*];

        impl Name {
            pub const ALL: &[Name] = &[$(Name::$variant),*];
        }
    };
}

names! {
    Via "Via",
    From "From",
    To "To",
    CallId "Call-ID",
    CSeq "CSeq",
    MaxForwards "Max-Forwards",
    Contact "Contact",
    Route "Route",
    RecordRoute "Record-Route",
    ContentLength "Content-Length",
    ContentType "Content-Type",
    ContentEncoding "Content-Encoding",
    ContentDisposition "Content-Disposition",
    Expires "Expires",
    MinExpires "Min-Expires",
    Require "Require",
    ProxyRequire "Proxy-Require",
    Supported "Supported",
    Unsupported "Unsupported",
    Allow "Allow",
    Accept "Accept",
    Event "Event",
    SubscriptionState "Subscription-State",
    Authorization "Authorization",
    WwwAuthenticate "WWW-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyAuthenticate "Proxy-Authenticate",
    PAssertedIdentity "P-Asserted-Identity",
    PPreferredIdentity "P-Preferred-Identity",
    RemotePartyId "Remote-Party-ID",
    Privacy "Privacy",
    Diversion "Diversion",
    HistoryInfo "History-Info",
    Reason "Reason",
    RSeq "RSeq",
    RAck "RAck",
    SessionExpires "Session-Expires",
    MinSe "Min-SE",
    ReferTo "Refer-To",
    ReferredBy "Referred-By",
    Replaces "Replaces",
    RetryAfter "Retry-After",
    UserAgent "User-Agent",
    Server "Server",
    Subject "Subject",
    Path "Path",
    ServiceRoute "Service-Route",
    PChargingVector "P-Charging-Vector",
    PEarlyMedia "P-Early-Media",
    PAccessNetworkInfo "P-Access-Network-Info",
    Warning "Warning",
    Date "Date",
    Timestamp "Timestamp",
}

impl Name {
    /// How many names there are; `name as usize` is below it.
    pub(super) const COUNT: usize = TEXT.len();

    /// The name as we write it.
    pub fn as_str(self) -> &'static str {
        TEXT[self as usize]
    }

    /// The name of a header line, full or compact, any case.
    pub fn recognise(name: &[u8]) -> Option<Name> {
        use Name::*;
        let (&first, rest) = name.split_first()?;
        let first = first | 0x20;
        if rest.is_empty() {
            return compact(first);
        }
        // Length and first letter leave one candidate, except where a further letter is looked at.
        let third = name.get(2).copied().unwrap_or_default() | 0x20;
        let candidate = match (name.len(), first) {
            (2, b't') => To,
            (3, b'v') => Via,
            (4, b'f') => From,
            (4, b'c') => CSeq,
            (4, b'r') if third == b'e' => RSeq,
            (4, b'r') => RAck,
            (4, b'p') => Path,
            (4, b'd') => Date,
            (5, b'r') => Route,
            (5, b'a') => Allow,
            (5, b'e') => Event,
            (6, b'a') => Accept,
            (6, b'm') => MinSe,
            (6, b'r') => Reason,
            (6, b's') => Server,
            (7, b'c') if third == b'l' => CallId,
            (7, b'c') => Contact,
            (7, b'e') => Expires,
            (7, b'r') => Require,
            (7, b'p') => Privacy,
            (7, b's') => Subject,
            (7, b'w') => Warning,
            (8, b'r') if third == b'f' => ReferTo,
            (8, b'r') => Replaces,
            (9, b's') => Supported,
            (9, b'd') => Diversion,
            (9, b't') => Timestamp,
            (10, b'u') => UserAgent,
            (11, b'm') => MinExpires,
            (11, b'u') => Unsupported,
            (11, b'r') if third == b'f' => ReferredBy,
            (11, b'r') => RetryAfter,
            (12, b'm') => MaxForwards,
            (12, b'r') => RecordRoute,
            (12, b'c') => ContentType,
            (12, b'h') => HistoryInfo,
            (13, b'p') if third == b'o' => ProxyRequire,
            (13, b'p') => PEarlyMedia,
            (13, b'a') => Authorization,
            (13, b's') => ServiceRoute,
            (14, b'c') => ContentLength,
            (15, b's') => SessionExpires,
            (15, b'r') => RemotePartyId,
            (16, b'c') => ContentEncoding,
            (16, b'w') => WwwAuthenticate,
            (17, b'p') => PChargingVector,
            (18, b's') => SubscriptionState,
            (18, b'p') => ProxyAuthenticate,
            (19, b'c') => ContentDisposition,
            (19, b'p') if name[1] == b'-' => PAssertedIdentity,
            (19, b'p') => ProxyAuthorization,
            (20, b'p') => PPreferredIdentity,
            (21, b'p') => PAccessNetworkInfo,
            _ => return None,
        };
        name.eq_ignore_ascii_case(candidate.as_str().as_bytes()).then_some(candidate)
    }

    /// A second line of these cannot be combined with the first (RFC 3261 s7.3.1): which one a peer believes would be
    /// its choice, so the message is refused.
    pub(super) fn single(self) -> bool {
        use Name::*;
        matches!(
            self,
            From | To
                | CallId
                | CSeq
                | MaxForwards
                | ContentLength
                | ContentType
                | ContentDisposition
                | Expires
                | MinExpires
                | Event
                | SubscriptionState
                | RSeq
                | RAck
                | SessionExpires
                | MinSe
                | ReferTo
                | ReferredBy
                | Replaces
                | Timestamp
        )
    }
}

fn compact(letter: u8) -> Option<Name> {
    Some(match letter {
        b'v' => Name::Via,
        b'f' => Name::From,
        b't' => Name::To,
        b'i' => Name::CallId,
        b'm' => Name::Contact,
        b'l' => Name::ContentLength,
        b'c' => Name::ContentType,
        b'e' => Name::ContentEncoding,
        b's' => Name::Subject,
        b'k' => Name::Supported,
        b'o' => Name::Event,
        b'r' => Name::ReferTo,
        b'b' => Name::ReferredBy,
        b'x' => Name::SessionExpires,
        _ => return None,
    })
}

/// The compact form of a registered name that [`Name`] does not list.
pub(super) fn compact_of_other(name: &[u8]) -> Option<u8> {
    const FORMS: [(&str, u8); 6] = [
        ("Accept-Contact", b'a'),
        ("Reject-Contact", b'j'),
        ("Request-Disposition", b'd'),
        ("Allow-Events", b'u'),
        ("Identity", b'y'),
        ("Identity-Info", b'n'),
    ];
    FORMS.iter().find(|(full, _)| name.eq_ignore_ascii_case(full.as_bytes())).map(|&(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_recognised_in_any_case_and_nothing_near_it() {
        for &name in Name::ALL {
            let text = name.as_str();
            assert_eq!(Name::recognise(text.as_bytes()), Some(name), "{text}");
            assert_eq!(Name::recognise(text.to_ascii_uppercase().as_bytes()), Some(name), "{text}");
            assert_eq!(Name::recognise(text.to_ascii_lowercase().as_bytes()), Some(name), "{text}");
            let mut near = text.as_bytes().to_vec();
            *near.last_mut().unwrap() = b'~';
            assert_eq!(Name::recognise(&near), None, "{text}");
        }
        for (short, name) in
            [("v", Name::Via), ("M", Name::Contact), ("l", Name::ContentLength), ("x", Name::SessionExpires)]
        {
            assert_eq!(Name::recognise(short.as_bytes()), Some(name));
        }
        for unknown in ["", "z", "X-Ray", "Vias", "C%6Fntact", "\u{0}rom"] {
            assert_eq!(Name::recognise(unknown.as_bytes()), None, "{unknown:?}");
        }
    }
}
