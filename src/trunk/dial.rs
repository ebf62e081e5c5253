//! A number as a trunk wants it dialled, and the addresses of a call of ours. Belongs here: `DialForm`, the URIs of an
//! outgoing INVITE. Not here: reading numbers (`number`), sending the INVITE (`sip::session`).

use super::hops::Node;
use super::number::dialled;
use crate::config::settings::{CallOut, DialForm, Hop, Host, NumberUri, OwnIdentity};
use crate::sip::session::Subscriber;
use std::net::IpAddr;

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

/// `local`: our signalling address on this trunk. The host is the hop as configured: a name stays a name, whatever
/// address it has today (RFC 3263 s4).
pub fn addresses(e164: &str, out: &CallOut, form: NumberUri, area_code: &str, hop: &Hop, local: IpAddr) -> Addresses {
    let called = number(e164, out.dial, area_code);
    let transport = if form == NumberUri::Tel { "" } else { transport_of(hop) };
    let request_uri = uri(form, &called, &place_of(hop)) + transport;
    // To names no port and no transport (RFC 3261 table 1).
    let to = format!("<{}>", uri(form, &called, &host_of(hop)));
    Addresses { request_uri, to, from: format!("<{}>", uri(form, &out.from, &bracketed(local))) }
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

/// The header that says who we are, if the carrier wants one.
pub fn identity_header(own: OwnIdentity, subscriber: Option<&Subscriber>) -> Option<&'static str> {
    match own {
        OwnIdentity::FromAlone => None,
        // RFC 3325 s9.2: a subscriber prefers, the carrier asserts.
        OwnIdentity::Asserted if subscriber.is_none() => Some("P-Asserted-Identity"),
        OwnIdentity::Asserted | OwnIdentity::Preferred => Some("P-Preferred-Identity"),
    }
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

/// The hop itself, as a URI: who is asked whether it lives.
pub fn hop_uri(hop: &Hop, node: &Node) -> String {
    match hop.host {
        // Each of a name's addresses is asked for itself.
        Host::Name { .. } => format!("sip:{}{}", node.address, transport_of(hop)),
        Host::Address(_) => format!("sip:{}{}", place_of(hop), transport_of(hop)),
    }
}

fn place_of(hop: &Hop) -> String {
    let host = host_of(hop);
    hop.port.map_or(host.clone(), |port| format!("{host}:{port}"))
}

fn host_of(hop: &Hop) -> String {
    match &hop.host {
        Host::Address(address) => bracketed(*address),
        Host::Name { name, .. } => name.clone(),
    }
}

fn transport_of(hop: &Hop) -> &'static str {
    hop.transport.uri_parameter()
}

/// As it stands in a URI.
pub fn bracketed(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Transport;

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
        let out = |dial| CallOut { from: "+8653112345".into(), dial };
        let hop = Hop::from("10.1.0.1:5060".parse::<std::net::SocketAddr>().unwrap());
        for (form, dial, request_uri, from) in [
            (NumberUri::Sip, DialForm::Local, "sip:88881234@10.1.0.1:5060", "<sip:+8653112345@10.0.0.5>"),
            (NumberUri::Tel, DialForm::E164, "tel:+8653188881234", "<tel:+8653112345>"),
            (NumberUri::Tel, DialForm::National, "tel:053188881234;phone-context=+86", "<tel:+8653112345>"),
        ] {
            let made = addresses("+8653188881234", &out(dial), form, "531", &hop, "10.0.0.5".parse().unwrap());
            assert_eq!((made.request_uri.as_str(), made.from.as_str()), (request_uri, from));
        }
    }

    #[test]
    fn short_numbers_are_dialled_as_they_are() {
        for form in [DialForm::Local, DialForm::National, DialForm::E164] {
            assert_eq!(number("110", form, "531"), "110");
        }
    }

    #[test]
    fn addresses_by_hop() {
        let out = |dial| CallOut { from: "053112345".into(), dial };
        let address = |text: &str| Hop::from(text.parse::<std::net::SocketAddr>().unwrap());
        let (local, e164) = (out(DialForm::Local), out(DialForm::E164));
        let v4 =
            addresses("+8613812345678", &local, PHONE, "531", &address("10.1.0.1:5060"), "10.0.0.5".parse().unwrap());
        assert_eq!(v4.request_uri, "sip:13812345678@10.1.0.1:5060;user=phone");
        assert_eq!(v4.to, "<sip:13812345678@10.1.0.1;user=phone>");
        assert_eq!(v4.from, "<sip:053112345@10.0.0.5;user=phone>");
        let v6 =
            addresses("+8653188881234", &e164, PHONE, "531", &address("[fd00::1]:5062"), "fd00::5".parse().unwrap());
        assert_eq!(v6.request_uri, "sip:+8653188881234@[fd00::1]:5062;user=phone");
        assert_eq!(v6.to, "<sip:+8653188881234@[fd00::1];user=phone>");
        assert_eq!(v6.from, "<sip:053112345@[fd00::5];user=phone>");
        let host = Host::Name { name: "sbc.carrier.cn".into(), fallback: vec![] };
        let named = Hop::new(Transport::Tls, host, None);
        let tls = addresses("+8653188881234", &e164, PHONE, "531", &named, "10.0.0.5".parse().unwrap());
        assert_eq!(tls.request_uri, "sip:+8653188881234@sbc.carrier.cn;user=phone;transport=tls");
        assert_eq!(tls.to, "<sip:+8653188881234@sbc.carrier.cn;user=phone>");
    }
}
