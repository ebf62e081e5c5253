//! A number as a trunk wants it dialled, and the addresses of a call of ours. Belongs here: `DialForm`, the URIs of an
//! outgoing INVITE. Not here: reading numbers (`number`), sending the INVITE (`sip::session`).

use super::number::dialled;
use crate::config::settings::{CallOut, DialForm, NumberUri};
use std::net::{IpAddr, SocketAddr};

/// `e164`: `+` and digits, or a short number. Mobile numbers of other provinces are dialled like our own: carriers find the way.
pub fn number(e164: &str, form: DialForm, area_code: &str) -> String {
    match form {
        // A service's short number (110, 12330) has one form.
        _ if !e164.starts_with('+') => e164.to_owned(),
        DialForm::E164 => e164.to_owned(),
        DialForm::National => dialled(e164),
        DialForm::Local => {
            let national = dialled(e164);
            let own_city = national.strip_prefix('0').and_then(|n| n.strip_prefix(area_code));
            // A foreign number begins with 00, and no area code does with 0.
            own_city.filter(|n| matches!(n.len(), 7 | 8)).map(str::to_owned).unwrap_or(national)
        }
    }
}

/// Who is called and who calls, in the carrier's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub request_uri: String,
    /// Name-addrs.
    pub to: String,
    pub from: String,
}

/// `local`: our signalling address on this trunk.
pub fn addresses(e164: &str, out: &CallOut, form: NumberUri, area_code: &str, local: IpAddr) -> Addresses {
    let called = number(e164, out.dial, area_code);
    let request_uri = uri(form, &called, &out.address.to_string());
    let host = match local.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let to = format!("<{}>", uri(form, &called, &host_of(out.address)));
    Addresses { request_uri, to, from: format!("<{}>", uri(form, &out.from, &host)) }
}

/// As a subscriber calls: by the carrier's domain, which its proxies know, and under the name it knows us by (RFC 3325
/// s9.2: an identity of ours is preferred, the carrier asserts it). `identity`: a URI.
pub fn subscriber_addresses(
    e164: &str,
    out: &CallOut,
    form: NumberUri,
    area_code: &str,
    identity: &str,
    domain: &str,
) -> Addresses {
    let request_uri = uri(form, &number(e164, out.dial, area_code), domain);
    Addresses { to: format!("<{request_uri}>"), from: format!("<{identity}>"), request_uri }
}

fn uri(form: NumberUri, number: &str, host: &str) -> String {
    match form {
        NumberUri::SipPhone => format!("sip:{number}@{host};user=phone"),
        NumberUri::Sip => format!("sip:{number}@{host}"),
        // RFC 3966 s5.1.5: what is no global number says where it is one.
        NumberUri::Tel if number.starts_with('+') => format!("tel:{number}"),
        NumberUri::Tel => format!("tel:{number};phone-context=+86"),
    }
}

/// To names no port (RFC 3261 table 1).
fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(a) => a.ip().to_string(),
        SocketAddr::V6(a) => format!("[{}]", a.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_the_carriers_form() {
        // E.164 | within the city | with the area code | E.164
        for (e164, local, national) in [
            ("+8653188881234", "88881234", "053188881234"),
            ("+865318888123", "8888123", "05318888123"),
            ("+8653288881234", "053288881234", "053288881234"),
            ("+861088881234", "01088881234", "01088881234"),
            ("+8613812345678", "13812345678", "13812345678"),
            // begins like our area code, but it is a mobile number
            ("+8615312345678", "15312345678", "15312345678"),
            ("+864008123456", "4008123456", "4008123456"),
            ("+81312345678", "0081312345678", "0081312345678"),
            ("+5318888123", "005318888123", "005318888123"),
        ] {
            assert_eq!(number(e164, DialForm::Local, "531"), local, "{e164}");
            assert_eq!(number(e164, DialForm::National, "531"), national, "{e164}");
            assert_eq!(number(e164, DialForm::E164, "531"), e164);
        }
        for form in [DialForm::Local, DialForm::National, DialForm::E164] {
            assert_eq!(number("110", form, "531"), "110");
        }
        assert_eq!(number("+861088881234", DialForm::Local, "10"), "88881234", "Beijing: a two-digit area code");
    }

    const PHONE: NumberUri = NumberUri::SipPhone;

    #[test]
    fn addresses_in_other_forms() {
        let out = |dial| CallOut { address: "10.1.0.1:5060".parse().unwrap(), from: "+8653112345".into(), dial };
        for (form, dial, request_uri, from) in [
            (NumberUri::Sip, DialForm::Local, "sip:88881234@10.1.0.1:5060", "<sip:+8653112345@10.0.0.5>"),
            (NumberUri::Tel, DialForm::E164, "tel:+8653188881234", "<tel:+8653112345>"),
            (NumberUri::Tel, DialForm::National, "tel:053188881234;phone-context=+86", "<tel:+8653112345>"),
        ] {
            let made = addresses("+8653188881234", &out(dial), form, "531", "10.0.0.5".parse().unwrap());
            assert_eq!((made.request_uri.as_str(), made.from.as_str()), (request_uri, from));
        }
    }

    #[test]
    fn addresses_by_either_family() {
        let out = |address: &str, dial| CallOut { address: address.parse().unwrap(), from: "053112345".into(), dial };
        let v4 = addresses(
            "+8613812345678",
            &out("10.1.0.1:5060", DialForm::Local),
            PHONE,
            "531",
            "10.0.0.5".parse().unwrap(),
        );
        assert_eq!(v4.request_uri, "sip:13812345678@10.1.0.1:5060;user=phone");
        assert_eq!(v4.to, "<sip:13812345678@10.1.0.1;user=phone>");
        assert_eq!(v4.from, "<sip:053112345@10.0.0.5;user=phone>");
        let v6 = addresses(
            "+8653188881234",
            &out("[fd00::1]:5062", DialForm::E164),
            PHONE,
            "531",
            "fd00::5".parse().unwrap(),
        );
        assert_eq!(v6.request_uri, "sip:+8653188881234@[fd00::1]:5062;user=phone");
        assert_eq!(v6.to, "<sip:+8653188881234@[fd00::1];user=phone>");
        assert_eq!(v6.from, "<sip:053112345@[fd00::5];user=phone>");
    }
}
