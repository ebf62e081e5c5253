//! SIP over TLS from outside: what is refused, what renewing a certificate does, and that a peer is served.

use crate::common::pki::{Issued, Pki};
use crate::common::{Hotline, Server, until};
use rexian::config::settings::{ClientCertificates, TlsSettings};
use rexian::net::tls::Tls;
use rexian::sip::flow::{Flow, Transport, connection_to};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Secured = StreamOwned<ClientConnection, TcpStream>;

/// From the carrier's address: a trunk is known by it.
fn connect(server: &Server) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::new(server.hotline.carrier, 0).into()).expect("binding the carrier's address");
    socket.connect(&server.hotline.sips().into()).expect("connecting to the TLS port");
    let stream: TcpStream = socket.into();
    stream.set_read_timeout(Some(Duration::from_secs(15))).expect("setting a timeout");
    stream
}

/// A handshake with the gateway, and its first answer: with TLS 1.3 a client learns only then that it is refused.
fn shake_hands(server: &Server, trust: &str, ours: Option<&Issued>, name: &str) -> io::Result<Secured> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trust.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let config = match ours {
        None => config.with_no_client_auth(),
        Some(Issued { certificate, key }) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            config.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    };
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let session = ClientConnection::new(Arc::new(config), name).expect("a client's session");
    let mut stream = StreamOwned::new(session, connect(server));
    options(server, &mut stream)?;
    Ok(stream)
}

/// Asks, and must be answered.
fn options(server: &Server, stream: &mut Secured) -> io::Result<()> {
    let sip = server.hotline.sips();
    let local = stream.sock.local_addr()?;
    write!(
        stream,
        "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/TLS {local};branch=z9hG4bKo1;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:peer@{local}>;tag=1\r\nTo: <sip:{sip}>\r\nCall-ID: o-1\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut bytes = [0; 2_048];
        match stream.read(&mut bytes)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => answer.extend_from_slice(&bytes[..n]),
        }
    }
    assert!(answer.starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// Until the gateway closes; what it said, and how long that took.
fn read_to_end(mut stream: TcpStream) -> (Vec<u8>, Duration) {
    let began = Instant::now();
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock) => panic!("still open after {:?}", began.elapsed()),
        _ => (said, began.elapsed()),
    }
}

/// Of TLS 1.`minor - 1`, with suites of 1.1 and 1.2, on P-256.
fn client_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![0x16, 3, 1, 0, 71, 1, 0, 0, 67, 3, minor];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x09, 0xc0, 0x2b, 1, 0]);
    let (signatures, groups, points) = ([0, 13, 0, 4, 0, 2, 4, 3], [0, 10, 0, 4, 0, 2, 0, 23], [0, 11, 0, 2, 1, 0]);
    hello.extend([0, 22].into_iter().chain(signatures).chain(groups).chain(points));
    hello
}

fn with_tls(tls_more: &'static str) -> Server {
    Hotline { tls: Some(Pki::new()), tls_more, ..Hotline::new() }.start()
}

#[test]
fn a_peer_is_served_over_tls_and_only_by_the_name_and_the_ca_of_the_certificate() {
    let server = with_tls("");
    let ca = &server.hotline.tls.as_ref().unwrap().ca;
    shake_hands(&server, ca, None, &server.hotline.gateway.to_string()).expect("by its address");
    shake_hands(&server, ca, None, server.hotline.domain()).expect("by its name");
    for (trust, name) in [(ca, "other.test"), (&Pki::new().ca, server.hotline.domain())] {
        let refused = shake_hands(&server, trust, None, name).expect_err("a certificate that proves nothing");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{refused}");
    }
}

#[test]
fn what_is_not_todays_tls_is_closed() {
    let server = with_tls("");

    let mut plain = connect(&server);
    let before = Instant::now();
    plain.write_all(b"OPTIONS sip:12345@hotline.test SIP/2.0\r\nContent-Length: 0\r\n\r\n").unwrap();
    let (said, _) = read_to_end(plain);
    assert!(!said.windows(3).any(|w| w == b"SIP"), "plain SIP got an answer");
    assert!(before.elapsed() < Duration::from_secs(4), "at once, not at the handshake's deadline");

    // TLS 1.1 gets an alert: fatal (2), protocol_version (70). The same ClientHello of 1.2 gets a handshake (0x16).
    let mut old = connect(&server);
    old.write_all(&client_hello(2)).unwrap();
    let (said, _) = read_to_end(old);
    assert_eq!((said.first(), &said[said.len() - 2..]), (Some(&0x15), &[2, 70][..]), "{said:?}");
    let mut todays = connect(&server);
    todays.write_all(&client_hello(3)).unwrap();
    let mut first = [0];
    todays.read_exact(&mut first).unwrap();
    assert_eq!(first, [0x16]);
}

#[test]
fn a_handshake_that_is_not_finished_is_closed_and_counts_until_then() {
    let server = with_tls("");
    // As many as one address may have open.
    let half_open: Vec<TcpStream> = (0..64).map(|_| connect(&server)).collect();
    let (said, took) = read_to_end(connect(&server));
    assert!(said.is_empty() && took < Duration::from_secs(3), "one too many is closed at once, not after {took:?}");
    for stream in half_open {
        let (_, took) = read_to_end(stream);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    let ca = &server.hotline.tls.as_ref().unwrap().ca;
    shake_hands(&server, ca, None, server.hotline.domain()).expect("there is room again");
}

#[test]
fn clients_show_the_certificates_that_are_asked_for() {
    let stranger = Pki::new().issue(&["carrier.test"]);
    for (tls_more, without) in [
        ("clients = \"required\"\nclient_ca = \"ca.pem\"", false),
        ("clients = \"optional\"\nclient_ca = \"ca.pem\"", true),
    ] {
        let server = with_tls(tls_more);
        let pki = server.hotline.tls.as_ref().unwrap();
        let name = server.hotline.domain();
        let carrier = pki.issue(&["carrier.test"]);
        shake_hands(&server, &pki.ca, Some(&carrier), name).expect("a certificate of the right CA");
        assert_eq!(shake_hands(&server, &pki.ca, None, name).is_ok(), without, "{tls_more}, none shown");
        shake_hands(&server, &pki.ca, Some(&stranger), name).expect_err("a certificate of another CA");
    }
}

#[test]
fn a_renewed_certificate_is_taken_over_and_nobody_is_cut_off() {
    let server = with_tls("");
    let ca = &server.hotline.tls.as_ref().unwrap().ca;
    let expiry = || server.metrics().sum("rexian_tls_certificate_expiry_timestamp_seconds");
    let mut old = shake_hands(&server, ca, None, server.hotline.domain()).unwrap();
    assert_eq!(expiry(), 3_786_912_000, "2090-01-01");
    server.renew_certificate(2080);
    until("the new certificate's end in the metrics", || (expiry() == 3_471_292_800).then_some(()));
    let new = shake_hands(&server, ca, None, server.hotline.domain()).unwrap();
    assert_ne!(old.conn.peer_certificates(), new.conn.peer_certificates());
    options(&server, &mut old).expect("the old connection goes on");

    // What cannot be used is told, and changes nothing.
    server.renew_certificate(2021);
    until("a word about it in the log", || server.log().contains("ran out on 2021-01-01").then_some(()));
    let still = shake_hands(&server, ca, None, server.hotline.domain()).unwrap();
    assert_eq!(still.conn.peer_certificates(), new.conn.peer_certificates());
    assert!(!server.log().contains("PRIVATE"), "no key in the log");
}

/// Both sides in this process: our connector, whose hops are called sbc.test and other.test, and a peer's listener with a
/// certificate for `names`.
fn reach(pki: &Pki, names: &[&str], trusted: &Pki, known_as: Option<&str>) -> io::Result<()> {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let hops = ["sbc.test", "other.test"];
    let open = |who: &str, issued: Issued| {
        let certificate = file(&format!("{who}.crt"), &issued.certificate);
        let key = file(&format!("{who}.key"), &issued.key);
        let trust = Some(file(&format!("{who}.ca"), &trusted.ca));
        Tls::open(TlsSettings { certificate, key, trust, clients: ClientCertificates::None }, hops).unwrap()
    };
    let (we, peer) = (open("we", trusted.issue(&["hotline.test"])), open("peer", pki.issue(names)));
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let there = listener.local_addr()?;
        let connection = known_as.map_or(0, connection_to);
        let flow = Flow { transport: Transport::Tls, local: there, remote: there, connection };
        let stream = tokio::net::TcpStream::connect(there).await?;
        let (theirs, _) = listener.accept().await?;
        let (ours, _) = tokio::join!(we.connect(stream, flow), peer.accept(theirs));
        ours.map(drop)
    })
}

#[test]
fn we_connect_only_to_who_proves_the_name_its_hop_has() {
    let (carriers, other) = (Pki::new(), Pki::new());
    reach(&carriers, &["127.0.0.1"], &carriers, None).expect("known by its address");
    reach(&carriers, &["sbc.test"], &carriers, Some("sbc.test")).expect("known by its name");
    for (pki, names, known_as, what) in [
        (&carriers, "sbc.test", None, "a name where the address is to be proved"),
        (&carriers, "127.0.0.1", Some("sbc.test"), "the address where the name is to be proved"),
        // Both may be at this very address: each call of ours is for one of them.
        (&carriers, "other.test", Some("sbc.test"), "the name of another hop"),
        (&carriers, "sbc.test", Some("third.test"), "a name of no hop"),
        (&other, "sbc.test", Some("sbc.test"), "another CA"),
    ] {
        let refused = reach(pki, &[names], &carriers, known_as).expect_err(what);
        let wanted = if known_as == Some("third.test") { io::ErrorKind::Other } else { io::ErrorKind::InvalidData };
        assert_eq!(refused.kind(), wanted, "{what}: {refused}");
    }
}
