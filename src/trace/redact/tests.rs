//! What each secret leaves of itself.

use super::*;

fn hidden(secrecy: &mut Secrecy, text: &str) -> String {
    let wire = text.replace('\n', "\r\n");
    let mut bytes = wire.clone().into_bytes();
    secrecy.hide(&mut bytes);
    assert_eq!(bytes.len(), wire.len(), "lengths stay true");
    String::from_utf8(bytes).expect("still text").replace("\r\n", "\n")
}

#[test]
fn what_each_line_loses() {
    // a line of a message | what is left of it
    for (line, left) in [
        (
            r#"Authorization: Digest username="8001", realm="r", nonce="abc", uri="sip:r", response="6629fae4", cnonce="0a4f", nc=00000001, qop=auth, algorithm=MD5"#,
            r#"Authorization: Digest username="8001", realm="r", nonce="***", uri="sip:r", response="********", cnonce="****", nc=00000001, qop=auth, algorithm=MD5"#,
        ),
        (
            r#"proxy-authorization: Digest response=6629fae4,opaque="a\"b""#,
            r#"proxy-authorization: Digest response=********,opaque="****""#,
        ),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ***** ************"),
        (
            "WWW-Authenticate: Digest realm=\"r\",\n nonce=\"abc\"",
            "WWW-Authenticate: Digest realm=\"r\",\n nonce=\"***\"",
        ),
        ("P-Access-Network-Info: 3GPP-E-UTRAN; cell=460001", "P-Access-Network-Info: ************* ***********"),
        ("From: <sip:+8613812345678@x>;tag=1", "From: <sip:+8613812345678@x>;tag=1"),
        ("X-Other: response=\"1\"", "X-Other: response=\"1\""),
    ] {
        let message = format!("OPTIONS sip:x SIP/2.0\nCall-ID: a\n{line}\n\n");
        let want = format!("OPTIONS sip:x SIP/2.0\nCall-ID: a\n{left}\n\n");
        assert_eq!(hidden(&mut Secrecy::default(), &message), want, "{line}");
    }
}

#[test]
fn keys_in_bodies() {
    let text = "INFO sip:x SIP/2.0\nCall-ID: a\n\nSignal=5\nDuration=160\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVe|2^20\nk=base64:abc\na=crypto-less\n";
    let want = "INFO sip:x SIP/2.0\nCall-ID: a\n\nSignal=*\nDuration=160\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*************\nk=**********\na=crypto-less\n";
    assert_eq!(hidden(&mut Secrecy::default(), text), want);
}

#[test]
fn a_caller_who_asked_for_privacy_is_hidden_in_the_whole_call() {
    let mut secrecy = Secrecy::default();
    let invite = "INVITE sip:12345@x SIP/2.0\ni: one\nFrom: \"anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\nP-Asserted-Identity: \"Zhang San\" <sip:+8613812345678@ims>, <tel:13812345678>\nPrivacy: id\nContact: <sip:13812345678@10.0.0.1:5060>\n\n";
    let seen = hidden(&mut secrecy, invite);
    assert!(!seen.contains("1381234") && !seen.contains("Zhang"), "{seen}");
    assert!(
        seen.contains("sip:12345@x") && seen.contains("anonymous@anonymous.invalid") && seen.contains("10.0.0.1:5060")
    );
    let bye = "BYE sip:13812345678@10.0.0.1:5060 SIP/2.0\ni: one\nFrom: <sip:12345@x>;tag=2\n\n";
    assert!(!hidden(&mut secrecy, bye).contains("1381234"), "a later message says nothing of privacy, and is private");
    let other = bye.replace("one", "two");
    assert!(hidden(&mut secrecy, &other).contains("13812345678"), "another call is another matter");
    for (line, private) in [
        ("Privacy: none", false),
        ("Privacy: critical; id", true),
        ("Remote-Party-ID: <sip:13812345678@x>;privacy=full", true),
        ("Remote-Party-ID: <sip:13812345678@x>;privacy=off", false),
        ("f: <sip:anonymous@x>", true),
    ] {
        let text = format!("INVITE sip:1@x SIP/2.0\ni: a\nContact: <sip:13812345678@x>\n{line}\n\n");
        let seen = hidden(&mut Secrecy::default(), &text);
        assert_eq!(!seen.contains("13812345678"), private, "{line}");
    }
}

#[test]
fn no_bytes_break_it_and_memory_is_bounded() {
    let mut secrecy = Secrecy::default();
    for n in 0..MOST_PRIVATE + 100 {
        hidden(
            &mut secrecy,
            &format!("INVITE sip:1@x SIP/2.0\ni: {n}\nFrom: <sip:anonymous@x>\nm: <sip:13812345678@x>\n\n"),
        );
    }
    assert_eq!(secrecy.private.len(), MOST_PRIVATE);
    for bytes in [
        &b""[..],
        b"\n",
        b"\r\n\r\n",
        b":",
        b"a:\n b\n",
        b"Authorization: =",
        b"Authorization: a=\"\\",
        b"From: <sip:",
        b"i:\nPrivacy:id",
    ] {
        secrecy.hide(&mut bytes.to_vec());
    }
}
