//! Challenges and their answers: published vectors, vectors computed elsewhere, and our own server side as the judge.

use super::super::{Digest, Verdict};
use super::*;
use crate::sip::message::{Builder, Framing, Method};
use crate::time::Instant;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const NOW: Instant = Instant(1_000_000);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn login(user: &str, password: &str) -> Login {
    Login::new(user, Secret(password.into()))
}

/// A refusal with these challenges, one header line each.
fn refusal(status: u16, challenges: &[&str]) -> Vec<u8> {
    let header = if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
    let lines: String = challenges.iter().map(|c| format!("{header}: {c}\r\n")).collect();
    format!(
        "SIP/2.0 {status} x\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:a@b>;tag=t\r\n\
         Call-ID: c\r\nCSeq: 1 REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn take_up(login: &mut Login, rounds: &mut Rounds, status: u16, challenges: &[&str]) -> Result<(), Unmet> {
    let bytes = refusal(status, challenges);
    let msg = Message::parse(&bytes, Framing::Datagram).unwrap();
    login.take_up(rounds, &mut Tokens::new([1; 32]), &msg)
}

fn shown(answers: Vec<(Name, Vec<u8>)>) -> Vec<String> {
    answers.into_iter().map(|(n, v)| format!("{}: {}", n.as_str(), String::from_utf8(v).unwrap())).collect()
}

/// The parameter as it stands in the only answer.
fn parameter(answers: &[(Name, Vec<u8>)], name: &str) -> String {
    let [(_, value)] = answers else { panic!("{} answers", answers.len()) };
    let found = Parameters::of(value).unwrap().flatten().find(|(n, _)| *n == name.as_bytes());
    found.map_or_else(String::new, |(_, v)| String::from_utf8(v.to_vec()).unwrap())
}

/// RFC 7616 s3.9.1 and RFC 2617 s3.5 as printed there; the others were computed from the formulas by another program.
#[test]
fn published_and_computed_answers() {
    let rfc_7616 = r#"realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (challenge, use_no, wanted) in [
        ("algorithm=MD5, qop=\"auth, auth-int\"", 1, "8ca523f5e9506fed4657c9700eebdbec"),
        ("qop=\"auth-int,AUTH\"", 1, "8ca523f5e9506fed4657c9700eebdbec"),
        ("algorithm=SHA-256, qop=auth", 1, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("algorithm=MD5-sess, qop=\"auth\"", 1, "e783283f46242139c486a698fec7211d"),
        ("algorithm=SHA-256-sess, qop=\"auth\"", 2, "6bb0010aa4bdf46422a798c509ea32e256f27bd37de5cc3bdf8ed51e1d77d650"),
    ] {
        let mut login = login("Mufasa", "Circle of Life");
        take_up(&mut login, &mut Rounds::default(), 401, &[&format!("Digest {rfc_7616}, {challenge}")]).unwrap();
        login.spaces[0].cnonce = cnonce.into();
        login.spaces[0].uses = use_no - 1;
        let answers = login.answers(b"GET", b"/dir/index.html");
        assert_eq!(parameter(&answers, "response"), wanted, "{challenge}");
        assert_eq!(parameter(&answers, "nc"), format!("{use_no:08x}"));
    }
    let mut old = login("Mufasa", "Circle Of Life");
    let challenge = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
    take_up(&mut old, &mut Rounds::default(), 407, &[challenge]).unwrap();
    assert_eq!(
        shown(old.answers(b"GET", b"/dir/index.html")),
        [
            r#"Proxy-Authorization: Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="670fd8c2df070c60b045671b8b24ff02""#
        ]
    );
    let mut chinese = login("+8653112345@sd.ctcims.cn", "密码x9");
    let challenge = r#"digest  QOP = "auth" ,Nonce="a\"b",realm="济南\"12345""#;
    take_up(&mut chinese, &mut Rounds::default(), 401, &[challenge]).unwrap();
    chinese.spaces[0].cnonce = "c0ffee".into();
    let answers = chinese.answers(b"REGISTER", b"sip:sd.ctcims.cn");
    assert_eq!(parameter(&answers, "response"), "fd92acf2d59a23d71e31915017158d23");
    assert_eq!(parameter(&answers, "realm"), r#"济南\"12345"#, "echoed as sent");
}

#[test]
fn the_strongest_challenge_is_answered_and_the_reason_given_if_none_can_be() {
    let md5 = r#"Digest realm="r", nonce="1", algorithm=MD5, qop="auth""#;
    let sha = r#"Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth""#;
    let aka = r#"Digest realm="r", nonce="3", algorithm=AKAv1-MD5, qop="auth""#;
    let long = r#"Digest realm="r", nonce="4", algorithm=SHA-512-256, qop="auth""#;
    let int = r#"Digest realm="r", nonce="5", qop="auth-int""#;
    for (challenges, wanted) in [
        (&[md5][..], Ok("1")),
        (&[md5, sha], Ok("2")),
        (&[sha, md5], Ok("2")),
        (&[aka, long, int, md5], Ok("1")),
        (&[aka], Err(Unmet::Sim)),
        (&[long], Err(Unmet::Algorithm("SHA-512-256".into()))),
        (&[int], Err(Unmet::AuthInt)),
        (&["Basic realm=\"r\""], Err(Unmet::NoDigest)),
        (&[], Err(Unmet::NoDigest)),
        (&["Digest nonce=\"1\""], Err(Unmet::Malformed)),
        (&["Digest realm=\"r\", nonce=\"1\", nonce=\"2\""], Err(Unmet::Malformed)),
        // folded inside a quotation: it would break our own line
        (&["Digest realm=\"a\r\n b\", nonce=\"1\""], Err(Unmet::Malformed)),
    ] {
        let mut login = login("u", "p");
        let taken = take_up(&mut login, &mut Rounds::default(), 401, challenges);
        let nonce = taken.map(|()| parameter(&login.answers(b"REGISTER", b"sip:r"), "nonce"));
        assert_eq!(nonce, wanted.map(str::to_owned), "{challenges:?}");
    }
}

/// A password refused once is not tried again, be the nonce never so new; a stale nonce is no refusal.
#[test]
fn one_answer_for_each_realm_of_a_request() {
    let nonce = |n: u32, more: &str| format!(r#"Digest realm="r", nonce="{n}", qop="auth"{more}"#);
    let (mut login, mut rounds) = (login("u", "p"), Rounds::default());
    assert_eq!(take_up(&mut login, &mut rounds, 401, &[&nonce(1, "")]), Ok(()));
    assert_eq!(take_up(&mut login, &mut rounds, 401, &[&nonce(2, ", stale=TRUE")]), Ok(()));
    assert_eq!(take_up(&mut login, &mut rounds, 407, &[&nonce(3, "")]), Ok(()), "a proxy of that name is another");
    assert_eq!(login.answers(b"INVITE", b"sip:x").len(), 2, "both are answered");
    assert_eq!(take_up(&mut login, &mut rounds, 401, &[&nonce(4, ", stale=false")]), Err(Unmet::WrongPassword));
    assert_eq!(login.answers(b"INVITE", b"sip:x").len(), 1, "what was refused is not said again");
    // A later request is a new one.
    assert_eq!(take_up(&mut login, &mut Rounds::default(), 401, &[&nonce(5, "")]), Ok(()));
    let mut rounds = Rounds::default();
    let endless = (0..20).find_map(|n| take_up(&mut login, &mut rounds, 401, &[&nonce(n, ", stale=true")]).err());
    assert_eq!(endless, Some(Unmet::Endless));
    for n in 0..20 {
        let realm = format!(r#"Digest realm="r{n}", nonce="1""#);
        take_up(&mut login, &mut Rounds::default(), 407, &[&realm]).unwrap();
    }
    assert_eq!(login.answers(b"INVITE", b"sip:x").len(), MOST_SPACES);
}

#[test]
fn the_next_nonce_is_taken_where_it_is_clear_whose() {
    let ok = |info: &str| {
        let bytes = String::from_utf8(refusal(200, &[])).unwrap().replace("CSeq", &format!("{info}\r\nCSeq"));
        bytes.into_bytes()
    };
    let mut login = login("u", "p");
    take_up(&mut login, &mut Rounds::default(), 401, &[r#"Digest realm="r", nonce="1", qop="auth""#]).unwrap();
    login.answers(b"REGISTER", b"sip:r");
    let second = login.answers(b"REGISTER", b"sip:r");
    assert_eq!((parameter(&second, "nonce"), parameter(&second, "nc")), ("1".into(), "00000002".into()));
    let bytes = ok("Authentication-Info: nextnonce=\"2\", qop=auth");
    login.learn(&Message::parse(&bytes, Framing::Datagram).unwrap());
    let third = login.answers(b"REGISTER", b"sip:r");
    assert_eq!((parameter(&third, "nonce"), parameter(&third, "nc")), ("2".into(), "00000001".into()));
    let bytes = ok("Proxy-Authentication-Info: nextnonce=\"3\"");
    login.learn(&Message::parse(&bytes, Framing::Datagram).unwrap());
    assert_eq!(parameter(&login.answers(b"REGISTER", b"sip:r"), "nonce"), "2");
}

/// Our own server side is the other half: what it challenges is answered, over and over with one nonce.
#[test]
fn the_server_side_accepts_what_the_client_answers() {
    for algorithms in [&[Algorithm::Md5][..], &[Algorithm::Sha256, Algorithm::Md5]] {
        let mut server = Digest::new("city", [3; 32], Duration::from_secs(60)).offering(algorithms);
        let mut login = login("8001", "mT4vQz7Lk2");
        let mut ask = |login: &mut Login| {
            let answers = login.answers(b"REGISTER", b"sip:city");
            let request = Builder::request(Method::Register, b"sip:city")
                .header(Name::Via, b"SIP/2.0/UDP h;branch=z9hG4bK1")
                .header(Name::From, b"<sip:8001@city>;tag=f")
                .header(Name::To, b"<sip:8001@city>")
                .header(Name::CallId, b"c")
                .header(Name::CSeq, b"1 REGISTER");
            let request = answers.iter().fold(request, |b, (name, value)| b.header(*name, value)).finish();
            let msg = Message::parse(&request, Framing::Datagram).unwrap();
            server.verify(NOW, HERE, &msg, |user| (user == "8001").then(|| Secret("mT4vQz7Lk2".into())))
        };
        assert_eq!(ask(&mut login), Verdict::Missing);
        let challenges =
            Digest::new("city", [3; 32], Duration::from_secs(60)).offering(algorithms).challenge(NOW, HERE, false);
        let texts: Vec<_> = challenges.iter().map(|c| std::str::from_utf8(c).unwrap()).collect();
        take_up(&mut login, &mut Rounds::default(), 401, &texts).unwrap();
        for n in 0..20 {
            assert_eq!(ask(&mut login), Verdict::Accepted { user: "8001".into() }, "use {n}");
        }
        login.password = Secret("another".into());
        assert!(matches!(ask(&mut login), Verdict::Refused));
    }
}
