//! A phone that speaks SIP over secure WebSocket (RFC 7118) as JsSIP does: by its messages, with RTP of its own.

use crate::common::caller::{Street, answers};
use crate::common::pki::Pki;
use crate::common::{Hotline, SOON, Server, password, until};
use rexian::config::settings::Algorithm;
use rexian::demo::field::Who;
use rexian::sim::ua::UaFact;
use rexian::sip::digest::{Claim, response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::collections::VecDeque;
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{HandshakeError, Message, WebSocket, client};

const PAGE: &str = "https://phones.example";
/// The host names nothing: the connection is the way to it (s5.2.2).
const CONTACT: &str = "<sip:k3v@9p2tq.invalid;transport=ws>";

struct Phone {
    socket: WebSocket<StreamOwned<ClientConnection, TcpStream>>,
    rtp: UdpSocket,
    cseq: u32,
    /// Requests that came before an answer that was waited for.
    asked: VecDeque<String>,
}

impl Phone {
    /// `Err`: the status of the refused handshake.
    fn connect(server: &Server, origin: &str) -> Result<Phone, u16> {
        let at = server.hotline.wss();
        let ip = server.hotline.seat_address(1);
        let mut roots = RootCertStore::empty();
        let ca = &server.hotline.tls.as_ref().expect("a CA").ca;
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let session = ClientConnection::new(Arc::new(config), ServerName::from(at.ip())).unwrap();
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&std::net::SocketAddr::new(ip, 0).into()).unwrap();
        socket.connect(&at.into()).expect("connecting");
        let stream: TcpStream = socket.into();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut request = format!("wss://{at}/sip").into_client_request().unwrap();
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        request.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
        match client(request, StreamOwned::new(session, stream)) {
            Ok((socket, answer)) => {
                assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "sip");
                let rtp = UdpSocket::bind((ip, 0)).unwrap();
                rtp.set_read_timeout(Some(SOON)).unwrap();
                Ok(Phone { socket, rtp, cseq: 0, asked: VecDeque::new() })
            }
            Err(HandshakeError::Failure(tokio_tungstenite::tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn says(&mut self, text: String) {
        self.socket.send(Message::text(text)).expect("an open connection");
    }

    #[track_caller]
    fn hears(&mut self) -> String {
        loop {
            match self.socket.read().expect("a message") {
                Message::Text(text) if text.len() > 2 => return text.to_string(),
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn request(&mut self, method: &str, uri: &str, call: &str, more: &str, body: &str) -> String {
        self.cseq += u32::from(method != "ACK");
        let n = self.cseq;
        let to = if method == "REGISTER" { "sip:8001@hotline.test" } else { uri };
        // No Content-Length: the message has an end of its own (s5.4).
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WSS 9p2tq.invalid;branch=z9hG4bK{method}{n}\r\nMax-Forwards: 69\r\n\
             To: <{to}>\r\nFrom: <sip:8001@hotline.test>;tag=w\r\nCall-ID: {call}\r\nCSeq: {n} {method}\r\n\
             Contact: {CONTACT};+sip.instance=\"<urn:uuid:0b3b1d3e-5a0b-4a3c-9b59-3f2d1c0e9a11>\";reg-id=1\r\n{more}\r\n{body}"
        )
    }

    /// Once without a password, once with what the challenge wants; the final answer.
    #[track_caller]
    fn asks(&mut self, method: &str, uri: &str, call: &str, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let bare = self.request(method, uri, call, kind, body);
        self.says(bare);
        let challenge = self.final_answer();
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect(&challenge);
        if method == "INVITE" {
            let ack = self.request("ACK", uri, call, "", "");
            let to = challenge.lines().find(|line| line.starts_with("To:")).unwrap().to_owned();
            self.says(ack.replace(&format!("To: <{uri}>"), &to).replace("z9hG4bKACK", "z9hG4bKINVITE"));
        }
        let claim = Claim {
            username: b"8001",
            realm: b"hotline.test",
            method: method.as_bytes(),
            uri: uri.as_bytes(),
            nonce: nonce.as_bytes(),
            qop: Some((b"00000001", b"c", b"auth")),
        };
        let proof = response(Algorithm::Md5, &claim, &password(1_usize));
        let header = if challenge.contains("Proxy-Authenticate") { "Proxy-Authorization" } else { "Authorization" };
        let more = format!(
            "{header}: Digest username=\"8001\", realm=\"hotline.test\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{proof}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n{kind}"
        );
        let proved = self.request(method, uri, call, &more, body);
        self.says(proved);
        self.final_answer()
    }

    #[track_caller]
    fn final_answer(&mut self) -> String {
        loop {
            let heard = self.hears();
            if !heard.starts_with("SIP/2.0 ") {
                self.asked.push_back(heard);
            } else if !heard.starts_with("SIP/2.0 1") {
                return heard;
            }
        }
    }

    #[track_caller]
    fn hears_request(&mut self, method: &str) -> String {
        loop {
            let heard = self.asked.pop_front().unwrap_or_else(|| self.hears());
            if heard.starts_with(method) {
                return heard;
            }
        }
    }

    fn answers(&mut self, request: &str, status: &str, body: &str) {
        let line = |name: &str| request.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        let (via, from, to) = (line("Via:"), line("From:"), line("To:"));
        let to = if to.contains("tag=") { to } else { format!("{to};tag=here") };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        self.says(format!(
            "SIP/2.0 {status}\r\n{via}\r\n{from}\r\n{to}\r\n{}\r\n{}\r\nContact: {CONTACT}\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            line("Call-ID:"),
            line("CSeq:"),
            body.len()
        ));
    }

    fn registers(&mut self) {
        let call = format!("reg-{}-{}", self.rtp.local_addr().unwrap().port(), self.cseq);
        let answer = self.asks("REGISTER", "sip:hotline.test", &call, "");
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }

    /// A feature code, with plain audio, until its tone is over.
    #[track_caller]
    fn dials(&mut self, code: &str, call: &str) {
        let (uri, sdp) = (format!("sip:{code}@hotline.test"), self.sdp());
        let answer = self.asks("INVITE", &uri, call, &sdp);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let (ack, to) = (self.request("ACK", &uri, call, "", ""), header(&answer, "To:"));
        self.says(ack.replace(&format!("To: <{uri}>"), to).replace("z9hG4bKACK", "z9hG4bKack"));
        let bye = self.hears_request("BYE");
        self.answers(&bye, "200 OK", "");
    }

    fn sdp(&self) -> String {
        let at = self.rtp.local_addr().unwrap();
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP 8\r\n",
            at.port(),
            ip = at.ip()
        )
    }
}

fn registered(server: &Server) -> u64 {
    server.metrics().sum("rexian_seats_registered")
}

#[test]
fn a_phone_over_websocket_registers_is_rung_and_talks() {
    // Browsers' audio is served, and this phone, which offers plain RTP, is none.
    let server =
        Hotline { tls: Some(Pki::new()), web: vec![PAGE.to_owned()], browsers: true, ..Hotline::new() }.start();
    assert_eq!(Phone::connect(&server, "https://evil.example").err(), Some(403), "a page that nobody named");
    let mut phone = Phone::connect(&server, PAGE).expect("a page that is named");
    let answer = phone.asks("REGISTER", "sip:hotline.test", "reg", "");
    assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains("9p2tq.invalid"), "{answer}");
    until("a registered seat", || (registered(&server) == 1).then_some(()));

    // 签入 by its feature code, as at any desk phone.
    let sdp = phone.sdp();
    let signed_in = phone.asks("INVITE", "sip:*11@hotline.test", "sign-in", &sdp);
    let taken = signed_in.starts_with("SIP/2.0 2");
    let ack = phone.request("ACK", "sip:*11@hotline.test", "sign-in", "", "");
    let to = signed_in.lines().find(|line| line.starts_with("To:")).unwrap().to_owned();
    phone.says(
        ack.replace("To: <sip:*11@hotline.test>", &to)
            .replace("z9hG4bKACK", if taken { "z9hG4bKack" } else { "z9hG4bKINVITE" }),
    );
    if taken {
        let bye = phone.hears_request("BYE");
        phone.answers(&bye, "200 OK", "");
    }

    let mut street = Street::new(&server.hotline);
    let call = street.call();
    street.run(Duration::from_millis(300));
    let invite = phone.hears_request("INVITE");
    assert!(invite.starts_with("INVITE sip:k3v@9p2tq.invalid;transport=ws SIP/2.0\r\n"), "{invite}");
    let ours = server.hotline.wss();
    assert!(invite.contains(&format!("Via: SIP/2.0/WSS {ours};branch=")), "{invite}");
    assert!(
        invite.contains(&format!("@{ours};transport=ws>")) || invite.contains(&format!("<sip:{ours};transport=ws>")),
        "{invite}"
    );
    phone.answers(&invite, "180 Ringing", "");
    let sdp = phone.sdp();
    phone.answers(&invite, "200 OK", &sdp);
    phone.hears_request("ACK");
    street.run(Duration::from_millis(500));
    let mut packet = [0; 400];
    let (length, from) = phone.rtp.recv_from(&mut packet).expect("the caller's audio");
    assert_eq!((length, packet[0], packet[1] & 0x7f, from.ip()), (172, 0x80, 8, server.hotline.gateway));
    street.field.at_call(call, |c, now| c.hang_up(now));
    street.run(Duration::from_millis(300));
    let bye = phone.hears_request("BYE");
    phone.answers(&bye, "200 OK", "");

    drop(phone);
    until("no seat registered: its only way is gone", || (registered(&server) == 0).then_some(()));
}

/// As a browser describes itself, though nobody is there to begin a handshake.
fn webrtc() -> String {
    format!(
        "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 8 126\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:0123456789012345678901ab\r\na=fingerprint:sha-256 {}\r\na=setup:active\r\na=mid:0\r\na=rtcp-mux\r\n\
         a=rtpmap:126 telephone-event/8000\r\na=ssrc:99 cname:c\r\n",
        ["AB"; 32].join(":")
    )
}

/// With browsers' audio served, and the phone of seat 8001 registered.
fn with_browsers() -> (Server, Phone) {
    let server =
        Hotline { tls: Some(Pki::new()), web: vec![PAGE.to_owned()], browsers: true, ..Hotline::new() }.start();
    let mut phone = Phone::connect(&server, PAGE).expect("a page that is named");
    phone.registers();
    (server, phone)
}

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    message.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

#[test]
fn a_phone_that_understands_no_webrtc_is_asked_for_plain_audio_and_from_then_on_first() {
    let (server, mut phone) = with_browsers();
    let mut street = Street::new(&server.hotline);
    let desk = street.sign_in(server.hotline.seat_address(2), 2, answers());
    street.field.at_phone(desk, |p, now| p.dial(now, "8001"));
    street.run(Duration::from_millis(300));
    let first = phone.hears_request("INVITE");
    assert!(first.contains("UDP/TLS/RTP/SAVPF 8 0 101") && first.contains("a=setup:actpass"), "{first}");
    phone.answers(&first, "488 Not Acceptable Here", "");
    phone.hears_request("ACK");
    let second = phone.hears_request("INVITE");
    assert!(second.contains(" RTP/AVP 8 0 101") && !second.contains("ice-ufrag"), "{second}");
    assert_eq!(header(&first, "Call-ID:"), header(&second, "Call-ID:"));
    assert_eq!((header(&first, "CSeq:"), header(&second, "CSeq:")), ("CSeq: 1 INVITE", "CSeq: 2 INVITE"));
    let sdp = phone.sdp();
    phone.answers(&second, "200 OK", &sdp);
    phone.hears_request("ACK");
    let answered = UaFact::Dialled { code: "8001".into(), refused: None };
    street.wait_for("an answer", |who, fact| who == Who::Phone(desk) && *fact == answered);
    // The colleague soon hangs up.
    street.run(Duration::from_secs(4));
    let bye = phone.hears_request("BYE");
    phone.answers(&bye, "200 OK", "");

    // It is known now; and if it refuses that as well, the colleague hears of it.
    street.field.at_phone(desk, |p, now| p.dial(now, "8001"));
    street.run(Duration::from_millis(300));
    let plain = phone.hears_request("INVITE");
    assert!(plain.contains(" RTP/AVP 8 0 101"), "{plain}");
    phone.answers(&plain, "488 Not Acceptable Here", "");
    let other = phone.hears_request("INVITE");
    assert!(other.contains("UDP/TLS/RTP/SAVPF"), "{other}");
    phone.answers(&other, "488 Not Acceptable Here", "");
    street.wait_for("the refusal", |who, fact| {
        who == Who::Phone(desk) && matches!(fact, UaFact::Dialled { refused: Some(Some(488)), .. })
    });
}

/// Answers that no audio can come of: the agent's phone is to blame, and the caller waits on in the place it had.
fn caller_waits_on_after(answer: fn(&Phone) -> String) {
    let (server, mut phone) = with_browsers();
    // A code counts from where there is audio: it is dialled by a phone of plain RTP, on a connection of its own.
    let mut beside = Phone::connect(&server, PAGE).expect("a page that is named");
    beside.registers();
    beside.dials("*11", "sign-in");
    phone.registers();

    let mut street = Street::new(&server.hotline);
    street.call();
    street.run(Duration::from_millis(500));
    let invite = phone.hears_request("INVITE");
    assert!(invite.contains("UDP/TLS/RTP/SAVPF"), "{invite}");
    let sdp = answer(&phone);
    phone.answers(&invite, "200 OK", &sdp);
    phone.hears_request("ACK");
    let bye = phone.hears_request("BYE");
    phone.answers(&bye, "200 OK", "");
    until("the caller in line again", || (server.metrics().sum("rexian_queue_waiting") == 1).then_some(()));
}

/// It is hung up after 10 s.
#[test]
fn a_browser_that_never_connects_loses_no_caller() {
    caller_waits_on_after(|_| webrtc());
}

#[test]
fn a_browser_that_answers_with_what_was_not_offered_loses_no_caller() {
    caller_waits_on_after(Phone::sdp);
}
