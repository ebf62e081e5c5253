//! Header names: the ones the index knows, their compact forms (RFC 3261 s7.3.3 and the registry of header fields),
//! and their recognition. Not here: what the values mean.

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
    PAssociatedUri "P-Associated-URI",
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
        if let [letter] = name {
            return compact(letter | 0x20);
        }
        let &candidate = Name::ALL.get(usize::from(CANDIDATES[slot(name)?]))?;
        let text = candidate.as_str().as_bytes();
        (name == text || name.eq_ignore_ascii_case(text)).then_some(candidate)
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

/// Per slot the one name that falls there; a collision would stop the build.
static CANDIDATES: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut i = 0;
    while i < TEXT.len() {
        let Some(slot) = slot(TEXT[i].as_bytes()) else { panic!("a one-letter name") };
        assert!(table[slot] == u8::MAX, "two header names in one slot: choose other factors in `slot`");
        table[slot] = i as u8;
        i += 1;
    }
    table
};

/// Length, first and third letter tell all known names apart; the factors were found by trying.
const fn slot(name: &[u8]) -> Option<usize> {
    if name.len() < 2 {
        return None;
    }
    let third = if name.len() > 2 { name[2] as usize | 0x20 } else { 0x20 };
    Some((name.len() + (name[0] as usize | 0x20) * 7 + third * 24) % 256)
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
