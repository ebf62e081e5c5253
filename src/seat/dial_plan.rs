//! What a phone dialled, and whether its seat may call that. Belongs here: reading the Request-URI of a phone's INVITE
//! (RFC 3261 s19.1, RFC 3966), the classes of numbers, the seat's rules. Not here: calling (`call::own`).
//!
//! Security: only the user part is looked at, never the host; what it says must be, after one unescaping, a seat, a code
//! or a number whose form is known in full. Nothing is completed, shortened or guessed, so digits after a number, access
//! codes before one and escapes within one lead nowhere. Abroad is never part of a class.

use super::feature::Feature;
use crate::config::settings::{DialPlan, FeatureCodes, Reach};
use crate::event::Party;
use crate::ids::SeatNo;
use crate::sip::message::uri::{Scheme, Uri, unescape};
use crate::trunk::number::{Kind, is_short, normalise_caller, normalise_dnis};
use std::collections::BTreeSet;

/// Longer than any number with its separators.
const LONGEST: usize = 32;

/// Satellite telephones: mobile numbers by form, dear by minute. Only by their own prefix.
const SATELLITE: [&str; 2] = ["+861349", "+86174"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    Feature(Feature),
    Call(Party),
    /// `*` and a language's key: into that language's queue.
    Language(char),
    /// A number of the hotline's own, in the form in which called numbers are compared.
    Ours(String),
    Refused(Refused),
}

/// Why a seat may not call what it dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No user part, escapes that hide something, letters, parameters, too long.
    Unreadable,
    /// Digits, but no number of a form we know.
    UnknownNumber,
    /// The seat's plan does not have it.
    NotInPlan,
}

/// What is where.
pub struct Ground<'a> {
    pub codes: &'a FeatureCodes,
    pub emergency: &'a BTreeSet<String>,
    pub area_code: &'a str,
    /// Of a language.
    pub is_key: &'a dyn Fn(char) -> bool,
    pub is_seat: &'a dyn Fn(&SeatNo) -> bool,
    /// Of a called number as `normalise_dnis` writes it.
    pub is_ours: &'a dyn Fn(&str) -> bool,
}

/// `plan`: the seat's; `None`: seats only.
pub fn read(uri: &[u8], plan: Option<&DialPlan>, ground: &Ground<'_>) -> Dialled {
    let Some(user) = user(uri) else { return Dialled::Refused(Refused::Unreadable) };
    if let Some(feature) = Feature::parse(ground.codes, &user) {
        return Dialled::Feature(feature);
    }
    if let Some(key) = language_key(&user).filter(|key| (ground.is_key)(*key)) {
        return Dialled::Language(key);
    }
    let digits = digits(&user);
    let called = digits.as_ref().map(|digits| normalise_dnis(digits.as_bytes(), ground.area_code));
    if let Some(called) = called.as_ref().filter(|called| ground.emergency.contains(*called)) {
        return Dialled::Call(Party::Emergency(called.clone()));
    }
    let seat = SeatNo::new(&user);
    if (ground.is_seat)(&seat) {
        return allowed(Party::Seat(seat), plan, |reach| *reach == Reach::Seats);
    }
    let (Some(digits), Some(called)) = (digits, called) else { return Dialled::Refused(Refused::Unreadable) };
    if (ground.is_ours)(&called) {
        return Dialled::Ours(called);
    }
    if is_short(&called) {
        let is_hotline = called.len() == 5 && called.starts_with("123");
        return allowed(Party::Outside(called.clone()), plan, |reach| match reach {
            Reach::Hotlines => is_hotline,
            Reach::Code(code) => *code == called,
            _ => false,
        });
    }
    let known = normalise_caller(digits.as_bytes(), ground.area_code);
    let Some(e164) = known.e164 else { return Dialled::Refused(Refused::UnknownNumber) };
    if known.kind == Kind::Fixed && !is_subscriber(&e164) {
        return Dialled::Refused(Refused::UnknownNumber);
    }
    let in_city = e164.strip_prefix("+86").is_some_and(|nsn| nsn.starts_with(ground.area_code));
    let satellite = SATELLITE.iter().any(|prefix| e164.starts_with(prefix));
    allowed(Party::Outside(e164.clone()), plan, |reach| match reach {
        Reach::Prefix(prefix) => e164.starts_with(prefix.as_str()),
        Reach::City => known.kind == Kind::Fixed && in_city,
        Reach::National => known.kind == Kind::Fixed && !in_city,
        Reach::Mobile => known.kind == Kind::Mobile && !satellite,
        Reach::TollFree => known.kind == Kind::Service,
        Reach::Seats | Reach::Hotlines | Reach::Code(_) => false,
    })
}

fn language_key(user: &str) -> Option<char> {
    let mut keys = user.strip_prefix('*')?.chars();
    let key = keys.next()?;
    keys.next().is_none().then_some(key)
}

/// Is this a call for help, whoever makes it? `emergency`: the numbers for it.
pub fn is_for_help(uri: &[u8], emergency: &BTreeSet<String>, area_code: &str) -> bool {
    let digits = user(uri).and_then(|user| digits(&user));
    digits.is_some_and(|digits| emergency.contains(&normalise_dnis(digits.as_bytes(), area_code)))
}

/// Without what people write between them; `None` if it is no number.
fn digits(user: &str) -> Option<String> {
    let digits: String = user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(digits)
}

/// After the area code (10, 2x, or three digits) a land line's own number begins with 2 to 8: 1 and 9 are services, some
/// of them dear.
fn is_subscriber(e164: &str) -> bool {
    let nsn = e164.trim_start_matches("+86");
    let area = if nsn.starts_with("10") || nsn.starts_with('2') { 2 } else { 3 };
    nsn.as_bytes().get(area).is_some_and(|first| (b'2'..=b'8').contains(first))
}

fn allowed(party: Party, plan: Option<&DialPlan>, has: impl Fn(&Reach) -> bool) -> Dialled {
    let may = match plan {
        Some(plan) => plan.may_call.iter().any(&has) && !plan.never.iter().any(&has),
        None => has(&Reach::Seats),
    };
    if may { Dialled::Call(party) } else { Dialled::Refused(Refused::NotInPlan) }
}

/// The user part, unescaped once; `None` if it holds what no dialled number and no seat does.
fn user(uri: &[u8]) -> Option<String> {
    let uri = Uri::parse(uri).ok()?;
    let tel_parameters = uri.scheme == Scheme::Tel && !uri.params.0.is_empty();
    if matches!(uri.scheme, Scheme::Other(_)) || uri.password.is_some() || tel_parameters {
        return None;
    }
    let user = unescape(uri.user?);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"+-.()*#_".contains(b);
    let fine = user.len() <= LONGEST && user.iter().all(plain);
    fine.then(|| String::from_utf8(user).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::CoreSettings;

    fn dial(uri: &str, may_call: &[Reach], never: &[Reach]) -> Dialled {
        let core = CoreSettings::bare();
        let ground = Ground {
            codes: &core.feature_codes,
            emergency: &core.dialling.emergency,
            area_code: "531",
            is_key: &|key| key == '2',
            is_seat: &|seat| ["8001", "8002", "front-desk"].contains(&seat.as_str()),
            is_ours: &|number| ["12345", "+8653182001234"].contains(&number),
        };
        let plan = DialPlan { name: "p".into(), may_call: may_call.to_vec(), never: never.to_vec() };
        read(uri.as_bytes(), (!may_call.is_empty()).then_some(&plan), &ground)
    }

    fn everything() -> Vec<Reach> {
        use Reach::{City, Hotlines, Mobile, National, Seats, TollFree};
        vec![Seats, City, National, Mobile, TollFree, Hotlines]
    }

    fn outside(number: &str) -> Dialled {
        Dialled::Call(Party::Outside(number.into()))
    }

    #[test]
    fn classes_of_numbers() {
        use Reach::*;
        for (dialled, number, class) in [
            ("82001111", "+8653182001111", City),
            ("053182001111", "+8653182001111", City),
            ("%2B8653182001111", "+8653182001111", City),
            ("0531-8200.1111", "+8653182001111", City),
            ("053288881234", "+8653288881234", National),
            ("01065001234", "+861065001234", National),
            ("13812345678", "+8613812345678", Mobile),
            ("013812345678", "+8613812345678", Mobile),
            ("4001234567", "+864001234567", TollFree),
            ("12330", "12330", Hotlines),
            ("053112319", "12319", Hotlines),
            ("95588", "95588", Code("95588".into())),
            ("0081312345678", "+81312345678", Prefix("+81".into())),
            ("+81312345678", "+81312345678", Prefix("+81".into())),
            ("13491234567", "+8613491234567", Prefix("+861349".into())),
        ] {
            let uri = format!("sip:{dialled}@12345.example");
            assert_eq!(dial(&uri, std::slice::from_ref(&class), &[]), outside(number), "{dialled}");
            // Without its class nothing helps, and what is never to be called is not.
            let others: Vec<Reach> = everything().into_iter().filter(|c| *c != class).collect();
            let no = Dialled::Refused(Refused::NotInPlan);
            assert_eq!(dial(&uri, &others, &[]), no, "{dialled}");
            let all = [everything(), vec![class.clone()]].concat();
            assert_eq!(dial(&uri, &all, &[class]), no, "{dialled}");
            assert_eq!(dial(&uri, &[], &[]), no, "{dialled} without a plan");
        }
    }

    #[test]
    fn for_help_from_every_seat() {
        for dialled in ["110", "119", "120", "122", "0531110", "+86110", "1-1-0", "%3110"] {
            let wanted = &dialled[dialled.len().saturating_sub(3)..].replace("1-0", "110");
            let uri = format!("sip:{dialled}@x");
            let got = dial(&uri, &[], &[Reach::Code("110".into())]);
            assert_eq!(got, Dialled::Call(Party::Emergency(wanted.clone())), "{dialled}");
        }
        assert_eq!(dial("tel:110", &[], &[]), Dialled::Call(Party::Emergency("110".into())));
    }

    #[test]
    fn seats_codes_and_the_hotline_itself() {
        let seat = |n: &str| Dialled::Call(Party::Seat(n.into()));
        assert_eq!(dial("sip:8002@x", &[], &[]), seat("8002"));
        assert_eq!(dial("sip:front-desk@x", &[Reach::Seats], &[]), seat("front-desk"));
        assert_eq!(dial("sip:8002@x", &[Reach::City], &[]), Dialled::Refused(Refused::NotInPlan));
        assert_eq!(dial("sip:*13@x", &[], &[]), Dialled::Feature(Feature::Ready));
        assert_eq!(dial("sip:%2A13@x", &[], &[]), Dialled::Feature(Feature::Ready));
        assert_eq!(dial("sip:*2@x", &[], &[]), Dialled::Language('2'));
        assert_eq!(dial("sip:*3@x", &[], &[]), Dialled::Refused(Refused::Unreadable));
        assert_eq!(dial("sip:053112345@x", &[], &[]), Dialled::Ours("12345".into()));
    }

    /// Forms in which stolen passwords are turned into money, and tries to get past the rules.
    #[test]
    fn toll_fraud_leads_nowhere() {
        let generous = everything();
        for uri in [
            // abroad, however it is written
            "sip:0081312345678@x",
            "sip:+81312345678@x",
            "sip:%2B81312345678@x",
            "sip:%30081312345678@x",
            "sip:00-81-312345678@x",
            "sip:000081312345678@x",
            "sip:+860081312345678@x",
            "sip:00860081312345678@x",
            "sip:011441234567890@x",
            "tel:+882161234567",
            "sip:+1900555123@x",
            "sip:+@x",
            "sip:00@x",
            // access codes of carriers before a number, and digits after one
            "sip:179510081312345678@x",
            "sip:17909008131234567@x",
            "sip:900813123456@x",
            "sip:9,0081312345678@x",
            "sip:138123456780081@x",
            "sip:13812345678,,,0081@x",
            "sip:13812345678;postd=0081@x",
            "sip:13812345678w0081@x",
            // dear numbers
            "sip:16812345@x",
            "sip:16012345@x",
            "sip:053116812345@x",
            "sip:12590@x",
            "sip:96121@x",
            "sip:118114@x",
            "sip:13491234567@x",
            "sip:17401234567@x",
            "sip:700123456789012@x",
            // services of another city, and codes that redirect
            "sip:053212345@x",
            "sip:**21*0081312345678%23@x",
            "sip:*720081312345678@x",
            "sip:*110081312345678@x",
            "sip:%2A72%230081@x",
            // escapes twice over, what ends strings elsewhere, other scripts
            "sip:%2531%2533812345678@x",
            "sip:13812345678%00@x",
            "sip:13812345678%0D%0ARoute%3A@x",
            "sip:13812345678%40evil.example@x",
            "sip:%EF%BC%91%EF%BC%93812345678@x",
            "sip:0%2081312345678@x",
            // hidden behind other parts
            "sip:13812345678:0081@x",
            "sip:x",
            "sip:0081312345678@8001",
            "tel:13812345678;phone-context=+81",
            "tel:82001111;phone-context=evil.example",
            "sips:+81312345678@x",
            "http://13812345678@x",
            "urn:service:sos",
            "sip:alice@evil.example",
            "sip:8001%20@x",
            "sip:@x",
            "",
        ] {
            let got = dial(uri, &generous, &[]);
            assert!(matches!(got, Dialled::Refused(_)), "{uri}: {got:?}");
        }
        let long = format!("sip:{}@x", "1".repeat(5_000));
        assert_eq!(dial(&long, &generous, &[]), Dialled::Refused(Refused::Unreadable));
    }
}
