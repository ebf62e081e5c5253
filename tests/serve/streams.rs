//! TCP peers as nobody wants them: those that do not read, and those that guess. From outside, over real sockets.

use crate::common::{Hotline, SOON, Server, password, until};
use rexian::config::settings::Algorithm;
use rexian::sip::digest::{Claim, response};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

struct Peer {
    stream: TcpStream,
    cseq: u32,
}

impl Peer {
    fn connect(server: &Server, from: IpAddr, receive_buffer: Option<usize>) -> Peer {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("a small buffer");
        }
        socket.bind(&SocketAddr::new(from, 0).into()).expect("binding the peer's address");
        let sip = server.hotline.sip();
        socket.connect(&sip.into()).expect("connecting");
        let stream: TcpStream = socket.into();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        Peer { stream, cseq: 0 }
    }

    fn request(&mut self, method: &str, uri: &str, more: &str) -> String {
        self.cseq += 1;
        let (n, local) = (self.cseq, self.stream.local_addr().unwrap());
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP {local};branch=z9hG4bKs{n};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:8001@hotline.test>;tag=s\r\nTo: <sip:8001@hotline.test>\r\nCall-ID: s-{local}\r\nCSeq: {n} {method}\r\n\
             Contact: <sip:8001@{local};transport=tcp>\r\n{more}Content-Length: 0\r\n\r\n"
        )
    }

    /// The answer; empty: the gateway has closed.
    fn ask(&mut self, method: &str, uri: &str, more: &str) -> String {
        let request = self.request(method, uri, more);
        let _ = self.stream.write_all(request.as_bytes());
        self.hears()
    }

    fn hears(&mut self) -> String {
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\n") {
            let mut bytes = [0; 2_048];
            match self.stream.read(&mut bytes) {
                Ok(0) => break,
                Ok(n) => said.extend_from_slice(&bytes[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => break,
                Err(e) => panic!("neither an answer nor the end: {e}"),
            }
        }
        String::from_utf8(said).unwrap()
    }

    /// Asks as seat 8001 with this password: once without, once with what the challenge wants.
    fn register(&mut self, password: &str) -> String {
        let challenge = self.ask("REGISTER", "sip:hotline.test", "");
        let Some(nonce) = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()) else {
            return challenge;
        };
        let claim = Claim {
            username: b"8001",
            realm: b"hotline.test",
            method: b"REGISTER",
            uri: b"sip:hotline.test",
            nonce: nonce.as_bytes(),
            qop: Some((b"00000001", b"c", b"auth")),
        };
        let proof = response(Algorithm::Md5, &claim, password);
        let line = format!(
            "Authorization: Digest username=\"8001\", realm=\"hotline.test\", nonce=\"{nonce}\", uri=\"sip:hotline.test\", \
             response=\"{proof}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n"
        );
        self.ask("REGISTER", "sip:hotline.test", &line)
    }
}

/// It costs its own connection: in seconds, and without a heap of answers kept for it.
#[test]
fn a_peer_that_does_not_read_is_cut_off_and_may_come_again() {
    let server = Hotline::new().start();
    let carrier = server.hotline.carrier;
    let mut deaf = Peer::connect(&server, carrier, Some(4_096));
    let (began, mut asked) = (Instant::now(), 0);
    let end = loop {
        let options = deaf.request("OPTIONS", "sip:12345@hotline.test", "");
        if let Err(e) = deaf.stream.write_all(options.as_bytes()) {
            break e;
        }
        asked += 1;
        assert!(began.elapsed() < SOON, "{asked} requests, no answer read, and it is served on");
    };
    assert!(matches!(end.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{end}");
    println!("cut off after {asked} requests and {:?}", began.elapsed());
    let mut again = Peer::connect(&server, carrier, None);
    assert!(again.ask("OPTIONS", "sip:12345@hotline.test", "").starts_with("SIP/2.0 200 "), "the loop goes on");
}

#[test]
fn a_ban_closes_what_its_address_has_open_and_lets_a_call_for_help_in() {
    let server = Hotline { more: "\n[guard]\nfailures = 2\n".into(), ..Hotline::new() }.start();
    let (stranger, phone) = (server.hotline.seat_address(77), server.hotline.seat_address(1));
    let mut at_home = Peer::connect(&server, phone, None);
    assert!(at_home.register(&password(1usize)).starts_with("SIP/2.0 200 "));

    let (mut guesser, mut other) = (Peer::connect(&server, stranger, None), Peer::connect(&server, stranger, None));
    assert!(other.ask("REGISTER", "sip:hotline.test", "").starts_with("SIP/2.0 401 "), "an accomplice");
    assert!(guesser.register("guess").starts_with("SIP/2.0 403 "));
    // The pause after a first wrong password: until it is over nothing is answered.
    std::thread::sleep(Duration::from_millis(1_100));
    let last = guesser.register("guess again");
    assert!(last.is_empty() || last.starts_with("SIP/2.0 403 "), "{last}");
    assert_eq!((guesser.hears(), other.hears()), (String::new(), String::new()), "both are closed");
    until("a word about it in the log", || server.log().contains("address banned").then_some(()));

    // One at a time, and for one purpose.
    let mut third = Peer::connect(&server, stranger, None);
    let mut fourth = Peer::connect(&server, stranger, None);
    assert_eq!(fourth.hears(), "", "a second one is closed at the door");
    let made_up = format!(
        "Authorization: Digest username=\"8001\", realm=\"hotline.test\", nonce=\"{}\", uri=\"sip:110@hotline.test\", \
         response=\"{}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n",
        "0".repeat(64),
        "0".repeat(32)
    );
    let help = third.ask("INVITE", "sip:110@hotline.test", &made_up);
    assert!(help.starts_with("SIP/2.0 401 "), "a seat that calls 110 is asked for its password: {help}");
    assert_eq!(third.register(&password(1usize)), "", "anything else closes it");
    assert!(at_home.ask("REGISTER", "sip:hotline.test", "").starts_with("SIP/2.0 401 "), "others go on");
}
