//! Telephone numbers of China as trunks write them, made one. Belongs here: the forms and their rules (ITU-T E.164,
//! RFC 3966, the national numbering plan). Not here: which header holds the number (`caller`).
//!
//! What cannot be a full number stays as it was sent: a wrong guess would send a callback to a stranger.

use crate::sip::message::uri;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A domestic land line.
    Fixed,
    Mobile,
    International,
    /// Short and service codes: 110, 12345, 95588, 400-xxx-xxxx.
    Service,
    /// A 15-digit 700 number a platform puts in front of its customer's; it leads nowhere later.
    Privacy,
    /// No number was given: empty, or a word such as `anonymous`.
    None,
    /// Something, but no number we know the form of.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    /// `+` and at most 15 digits.
    pub e164: Option<String>,
    pub kind: Kind,
}

/// `raw`: the user part of a SIP URI or a tel number, with `;phone-context=` if it has one. `area_code` without its
/// leading 0 (`531`).
pub fn normalise_caller(raw: &[u8], area_code: &str) -> Normalised {
    let (number, context) = split(raw);
    if NO_NUMBER.contains(&number.as_str()) {
        return Normalised { e164: None, kind: Kind::None };
    }
    match prefix(&number, context.as_deref()) {
        Prefix::Foreign(digits) if (7..=15).contains(&digits.len()) => {
            full(String::new(), &digits, Kind::International)
        }
        Prefix::National(nsn) => national(&nsn),
        Prefix::Bare(digits) => bare(&digits, context_area(context.as_deref()).unwrap_or(area_code)),
        Prefix::Foreign(_) | Prefix::NotDigits => Normalised { e164: None, kind: Kind::Unknown },
    }
}

/// The one form under which called numbers are compared and reported: a service code alone (`12345`) however it
/// was prefixed, else E.164, else what was sent, without separators.
pub fn normalise_dnis(raw: &[u8], area_code: &str) -> String {
    let (number, context) = split(raw);
    let digits = match prefix(&number, context.as_deref()) {
        Prefix::National(nsn) => without_area(nsn, area_code),
        // `8653112345`, the plus dropped: no area code begins with 86, so this is the country. But up to eight
        // digits are a subscriber's number of this city, whatever they begin with.
        Prefix::Bare(digits) => match digits.strip_prefix("86").filter(|_| digits.len() > 8) {
            Some(nsn) => without_area(nsn.to_owned(), area_code),
            None => digits,
        },
        Prefix::Foreign(_) | Prefix::NotDigits => String::new(),
    };
    if is_short(&digits) {
        return digits;
    }
    normalise_caller(raw, area_code).e164.unwrap_or(number)
}

/// A service code without the area code in front of it; anything else unchanged.
fn without_area(nsn: String, area_code: &str) -> String {
    match nsn.strip_prefix(area_code) {
        Some(code) if is_short(code) => code.to_owned(),
        _ => nsn,
    }
}

pub fn same_dnis(a: &[u8], b: &[u8], area_code: &str) -> bool {
    normalise_dnis(a, area_code) == normalise_dnis(b, area_code)
}

/// As people here read and dial it: domestic numbers without +86, foreign ones with 00.
pub fn dialled(e164: &str) -> String {
    match e164.strip_prefix("+86") {
        Some(nsn) if is_mobile(nsn) || is_toll_free(nsn) => nsn.to_owned(),
        Some(nsn) => format!("0{nsn}"),
        None => format!("00{}", e164.trim_start_matches('+')),
    }
}

/// Words peers put where a number belongs (RFC 3323 s4.1.1.3 and habit).
const NO_NUMBER: [&str; 7] = ["", "anonymous", "unavailable", "unknown", "restricted", "private", "withheld"];

/// The number without escapes, separators and parameters, in lower case; and the phone-context.
fn split(raw: &[u8]) -> (String, Option<String>) {
    let text = String::from_utf8_lossy(&uri::unescape(raw)).to_lowercase();
    let (number, params) = text.split_once(';').unwrap_or((&text, ""));
    let context = params.split(';').find_map(|p| p.strip_prefix("phone-context=")).map(str::to_owned);
    (number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect(), context)
}

enum Prefix {
    /// After + or 00: another country's number, country code first.
    Foreign(String),
    /// China's national significant number: no 0 in front.
    National(String),
    Bare(String),
    NotDigits,
}

fn prefix(number: &str, context: Option<&str>) -> Prefix {
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Prefix::NotDigits;
    }
    let national = |nsn: &str| Prefix::National(nsn.strip_prefix('0').unwrap_or(nsn).to_owned());
    if let Some(after) = number.strip_prefix('+').or_else(|| number.strip_prefix("00")) {
        return after.strip_prefix("86").map_or_else(|| Prefix::Foreign(after.to_owned()), national);
    }
    if let Some(country) = context.and_then(|c| c.strip_prefix('+')).filter(|c| !c.starts_with("86")) {
        return Prefix::Foreign(format!("{country}{digits}"));
    }
    if let Some(nsn) = digits.strip_prefix('0') {
        return national(nsn);
    }
    // Gateways that drop the plus: longer than any national number, so the 86 cannot be part of one.
    match digits.strip_prefix("86").filter(|_| digits.len() >= 12 && !is_relay(digits)) {
        Some(nsn) => national(nsn),
        None => Prefix::Bare(digits.to_owned()),
    }
}

/// `+86531` -> `531`.
fn context_area(context: Option<&str>) -> Option<&str> {
    context?.strip_prefix("+86").filter(|area| (2..=3).contains(&area.len()))
}

fn national(nsn: &str) -> Normalised {
    match nsn.as_bytes() {
        _ if is_relay(nsn) => Normalised { e164: None, kind: Kind::Privacy },
        _ if is_mobile(nsn) => full("86".into(), nsn, Kind::Mobile),
        _ if is_toll_free(nsn) => full("86".into(), nsn, Kind::Service),
        // 10 Beijing, 2x other metropolises: two digits and eight; the rest: three digits and seven or eight.
        [b'1', b'0', ..] | [b'2', ..] if nsn.len() == 10 => full("86".into(), nsn, Kind::Fixed),
        [b'3'..=b'9', ..] if matches!(nsn.len(), 10 | 11) => full("86".into(), nsn, Kind::Fixed),
        _ if is_short(nsn) || is_short(nsn.get(3..).unwrap_or("")) => Normalised { e164: None, kind: Kind::Service },
        _ => Normalised { e164: None, kind: Kind::Unknown },
    }
}

fn bare(digits: &str, area_code: &str) -> Normalised {
    match digits.as_bytes() {
        // Subscriber numbers begin with 2 to 8 and have seven or eight digits, by city.
        [b'2'..=b'8', ..] if matches!(digits.len(), 7 | 8) => full(format!("86{area_code}"), digits, Kind::Fixed),
        _ if is_short(digits) => Normalised { e164: None, kind: Kind::Service },
        _ if matches!(digits.len(), 10 | 11 | 15) => national(digits),
        _ => Normalised { e164: None, kind: Kind::Unknown },
    }
}

fn full(country: String, rest: &str, kind: Kind) -> Normalised {
    Normalised { e164: Some(format!("+{country}{rest}")), kind }
}

fn is_mobile(nsn: &str) -> bool {
    nsn.len() == 11 && matches!(nsn.as_bytes(), [b'1', b'3'..=b'9', ..])
}

fn is_toll_free(nsn: &str) -> bool {
    nsn.len() == 10 && (nsn.starts_with("400") || nsn.starts_with("800"))
}

fn is_relay(nsn: &str) -> bool {
    nsn.len() == 15 && nsn.starts_with("700")
}

/// A service code: 110, 12345, 95588, 116114.
pub fn is_short(digits: &str) -> bool {
    (3..=6).contains(&digits.len()) && matches!(digits.as_bytes(), [b'1' | b'9', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers() {
        for (raw, e164, kind) in [
            // the same land line in every form met
            ("+8653182001234", "+8653182001234", Kind::Fixed),
            ("008653182001234", "+8653182001234", Kind::Fixed),
            ("8653182001234", "+8653182001234", Kind::Fixed),
            ("053182001234", "+8653182001234", Kind::Fixed),
            ("53182001234", "+8653182001234", Kind::Fixed),
            ("82001234", "+8653182001234", Kind::Fixed),
            ("+86053182001234", "+8653182001234", Kind::Fixed),
            ("0531-8200 1234", "+8653182001234", Kind::Fixed),
            ("(0531)8200.1234", "+8653182001234", Kind::Fixed),
            ("%2B8653182001234", "+8653182001234", Kind::Fixed),
            ("82001234;phone-context=+86531", "+8653182001234", Kind::Fixed),
            ("82001234;phone-context=+86532", "+8653282001234", Kind::Fixed),
            ("053182001234;phone-context=+86", "+8653182001234", Kind::Fixed),
            ("82001234;phone-context=sd.ims.example", "+8653182001234", Kind::Fixed),
            ("+8653182001234;cpc=ordinary", "+8653182001234", Kind::Fixed),
            // other cities: two-digit and three-digit area codes, seven-digit numbers
            ("01065001234", "+861065001234", Kind::Fixed),
            ("02161234567", "+862161234567", Kind::Fixed),
            ("07391234567", "+867391234567", Kind::Fixed),
            // mobiles
            ("13812345678", "+8613812345678", Kind::Mobile),
            ("013812345678", "+8613812345678", Kind::Mobile),
            ("+8613812345678", "+8613812345678", Kind::Mobile),
            ("008619912345678", "+8619912345678", Kind::Mobile),
            ("8613812345678", "+8613812345678", Kind::Mobile),
            // abroad: Germany, Sweden, Iran
            ("004930123456", "+4930123456", Kind::International),
            ("+46812345678", "+46812345678", Kind::International),
            ("00982112345678", "+982112345678", Kind::International),
            ("30123456;phone-context=+49", "+4930123456", Kind::International),
            // toll-free numbers are full ones; short codes are not
            ("4001234567", "+864001234567", Kind::Service),
            ("12345", "", Kind::Service),
            ("053112345", "", Kind::Service),
            ("110", "", Kind::Service),
            ("95588", "", Kind::Service),
            ("116114", "", Kind::Service),
            // platform privacy numbers
            ("700123456789012", "", Kind::Privacy),
            ("+86700123456789012", "", Kind::Privacy),
            // nothing there
            ("", "", Kind::None),
            ("anonymous", "", Kind::None),
            ("Anonymous", "", Kind::None),
            ("unavailable", "", Kind::None),
            ("Restricted", "", Kind::None),
            // no number
            ("alice", "", Kind::Unknown),
            ("+", "", Kind::Unknown),
            ("+49", "", Kind::Unknown),
            ("+1234567890123456", "", Kind::Unknown),
            ("*11", "", Kind::Unknown),
            ("8001", "", Kind::Unknown),
            ("12", "", Kind::Unknown),
            ("123456789012345678901234567890", "", Kind::Unknown),
            ("１３８１２３４５６７８", "", Kind::Unknown),
        ] {
            let got = normalise_caller(raw.as_bytes(), "531");
            let e164 = (!e164.is_empty()).then(|| e164.to_owned());
            assert_eq!(got, Normalised { e164, kind }, "{raw}");
        }
        assert_eq!(normalise_caller(b"\xff\xfe", "531").kind, Kind::Unknown);
    }

    #[test]
    fn called_numbers() {
        for (raw, wanted) in [
            ("12345", "12345"),
            ("053112345", "12345"),
            ("+8653112345", "12345"),
            ("8653112345", "12345"),
            ("008653112345", "12345"),
            ("+8612345", "12345"),
            ("0531-12345", "12345"),
            ("12345;phone-context=+86531", "12345"),
            // the pilot number
            ("82001234", "+8653182001234"),
            ("053182001234", "+8653182001234"),
            ("+8653182001234", "+8653182001234"),
            ("53112345", "+8653153112345"),
            ("86531110", "+8653186531110"),
            // another city's hotline is another number
            ("053212345", "053212345"),
            ("12345678", "12345678"),
            ("hotline", "hotline"),
            ("Hotline", "hotline"),
            ("", ""),
        ] {
            assert_eq!(normalise_dnis(raw.as_bytes(), "531"), wanted, "{raw}");
        }
        assert!(same_dnis(b"053112345", b"+8653112345", "531"));
        assert!(!same_dnis(b"053112345", b"053212345", "531"));
        // Beijing: a two-digit area code
        assert_eq!(normalise_dnis(b"01012345", "10"), "12345");
    }

    #[test]
    fn numbers_as_people_dial_them() {
        for (e164, wanted) in [
            ("+8613812345678", "13812345678"),
            ("+8653182001234", "053182001234"),
            ("+864001234567", "4001234567"),
            ("+4930123456", "004930123456"),
        ] {
            assert_eq!(dialled(e164), wanted);
        }
    }
}
