//! Every point of RFC 4475 in a message of our own, each with what must come of it; the RFC's bytes must fare alike.

use super::{rfc_4475_bytes, wire};
use rexian::sip::message::uri::{Scheme, Uri, unescape};
use rexian::sip::message::{Builder, Framing, Message, Method, Name, reason_phrase};

enum Outcome {
    /// Parses; the check looks at what our own message must be understood as.
    Understood(fn(&Message<'_>)),
    /// A request answered with this status; the reason names the place.
    Refused(u16, &'static str),
    /// A response dropped.
    Dropped(&'static str),
    /// Refused, and too little is there to answer.
    Unanswerable(&'static str),
}
use Outcome::*;

struct Point {
    /// Section of RFC 4475 and the name the RFC gives its message.
    section: &'static str,
    name: &'static str,
    message: &'static [u8],
    outcome: Outcome,
}

#[test]
fn our_messages() {
    assert_eq!(POINTS.len(), 49);
    for (p, message) in POINTS.iter().zip(messages()) {
        examine(p, &message, true);
    }
}

#[test]
fn the_rfcs_bytes() {
    for (name, bytes) in rfc_4475_bytes() {
        let point = POINTS.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("{name}: no such point"));
        examine(point, &bytes, false);
    }
}

/// Our messages, one for each point.
pub fn messages() -> Vec<Vec<u8>> {
    let one = |p: &Point| {
        let message = if p.name == "longreq" { &long_request() } else { p.message };
        wire(message, p.name != "mpart01")
    };
    POINTS.iter().map(one).collect()
}

/// The same by the RFC's names, with a description where it has one, so that it can be answered too.
pub fn named() -> Vec<(String, Vec<u8>)> {
    const SDP: &str = "v=0\no=- 1 1 IN IP4 192.0.2.99\ns=-\nc=IN IP4 192.0.2.99\nt=0 0\nm=audio 49217 RTP/AVP 8\n";
    let one = |p: &Point| {
        let message = if p.name == "longreq" { long_request() } else { p.message.to_vec() };
        let message = match message.strip_suffix(b"\n\nv=0\n") {
            Some(head) => [head, b"\n\n", SDP.as_bytes()].concat(),
            None => message,
        };
        (p.name.to_owned(), wire(&message, p.name != "mpart01"))
    };
    POINTS.iter().map(one).collect()
}

fn examine(p: &Point, bytes: &[u8], ours: bool) {
    let place = format!("{} {} ({})", p.section, p.name, if ours { "ours" } else { "the RFC's" });
    match (Message::parse(bytes, Framing::Datagram), &p.outcome) {
        (Ok(msg), Understood(check)) => {
            if ours {
                check(&msg);
            }
            if msg.is_request() {
                answered(&place, &msg, 200);
            }
        }
        (Err(e), Refused(status, reason)) => {
            assert_eq!((e.status, e.reason), (*status, *reason), "{place}");
            let partial = e.partial.unwrap_or_else(|| panic!("{place}: cannot be answered"));
            assert!(partial.is_request(), "{place}");
            answered(&place, &partial, *status);
        }
        (Err(e), Dropped(reason)) => {
            assert_eq!(e.reason, *reason, "{place}");
            assert!(e.partial.is_none_or(|m| !m.is_request()), "{place}");
        }
        (Err(e), Unanswerable(reason)) => {
            assert_eq!(e.reason, *reason, "{place}");
            assert!(e.partial.is_none(), "{place}");
        }
        (Ok(_), _) => panic!("{place}: was taken"),
        (Err(e), _) => panic!("{place}: refused, {} {}", e.status, e.reason),
    }
}

/// The answer echoes what it must, byte for byte.
fn answered(place: &str, request: &Message<'_>, status: u16) {
    let source = "192.0.2.99:5060".parse().unwrap();
    let bytes = Builder::response(request, status, reason_phrase(status), None, source).finish();
    let lines: Vec<Vec<u8>> = [(Name::From, "From"), (Name::To, "To"), (Name::CallId, "Call-ID"), (Name::CSeq, "CSeq")]
        .map(|(name, text)| [text.as_bytes(), b": ", request.header(name).unwrap(), b"\r\n"].concat())
        .into();
    for line in lines {
        assert!(bytes.windows(line.len()).any(|w| w == line), "{place}: {}", String::from_utf8_lossy(&line));
    }
    assert!(bytes.starts_with(format!("SIP/2.0 {status} ").as_bytes()), "{place}");
}

fn uri<'a>(bytes: &'a [u8]) -> Uri<'a> {
    Uri::parse(bytes).unwrap_or_else(|e| panic!("{}: {e}", String::from_utf8_lossy(bytes)))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const POINTS: &[Point] = &[
    Point {
        section: "3.1.1.1",
        name: "wsinv",
        message: b"INVITE sip:6632@seat.example.com;novel SIP/2.0
TO :
 sip:6632@seat.example.com ;\t tag   = 77a
from   : \"Li \\\\\\\"\"     <sip:li@example.com>
  ;
  tag = 9x
mAx-fORwards: 0070
Call-ID: ws.1@192.0.2.1
Content-Length   : @
cseq: 0012
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=old1
s :
Novel:   one
 two
Odd: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:edge.example.com;lr;a=b;c>
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:\"Quoted \\\"\\\"\" <sip:li@example.com> ; p =
      v ;
  second ; q = 0.33

v=0
",
        outcome: Understood(|m| {
            assert_eq!((m.to_tag(), m.from_tag()), (Some(&b"77a"[..]), Some(&b"9x"[..])));
            assert_eq!((m.to().uri, m.from().uri), (&b"sip:6632@seat.example.com"[..], &b"sip:li@example.com"[..]));
            assert_eq!(text(m.from().display.unwrap()), r#"Li \\\""#);
            assert_eq!((m.max_forwards(), m.cseq().seq, m.cseq().method), (Some(70), 12, Method::Invite));
            assert_eq!((m.via().host, m.via().branch()), (&b"192.0.2.2"[..], Some(&b"old1"[..])));
            assert_eq!(m.values(Name::Via).count(), 3);
            assert_eq!(m.header(Name::Subject), Some(&b""[..]));
            assert_eq!(m.other("novel").map(text), Some("one\r\n two"));
            let contact = m.contacts().next().unwrap().unwrap();
            assert_eq!(contact.params.get("Q"), Some(Some(&b"0.33"[..])));
            assert_eq!(contact.params.get("second"), Some(None));
            assert_eq!(m.body(), b"v=0\r\n");
        }),
    },
    Point {
        section: "3.1.1.2",
        name: "intmeth",
        message: b"!odd-Method0_*+`.%'~ sip:1_odd.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0
Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~
To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f\" <sip:1_odd.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>
From: t1~` t2'+_ t3*%!.- <sip:mundane@example.com>;p''~+*_!.-%=\"\xd1\x80\";tag=_t~1`'
Call-ID: odd.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{
CSeq: 139122385 !odd-Method0_*+`.%'~
Max-Forwards: 255
extension-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7
Content-Length: 0

",
        outcome: Understood(|m| {
            assert_eq!(m.method(), Some(Method::Other(b"!odd-Method0_*+`.%'~")));
            assert_eq!(m.from_tag(), Some(&b"_t~1`'"[..]));
            assert_eq!(uri(m.request_uri().unwrap()).host, b"example.com");
            assert_eq!(m.other("Extension-!.%*+_`'~"), Some(&b"\xef\xbb\xbf\xe5\xa4\xa7"[..]));
            assert_eq!(m.call_id(), b"odd.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
        }),
    },
    Point {
        section: "3.1.1.3",
        name: "esc01",
        message: b"INVITE sip:sips%3Ali%40example.com@example.net SIP/2.0
To: sip:%75se%72@example.com
From: <sip:I%20am%20Li@example.net>;tag=938
i: esc.1
CSeq: 234234 INVITE
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
C: application/sdp
Contact:
  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: @

v=0
",
        outcome: Understood(|m| {
            assert_eq!(unescape(uri(m.request_uri().unwrap()).user.unwrap()), b"sips:li@example.com");
            assert!(uri(m.to().uri).equivalent(&uri(b"sip:user@example.com")));
            assert_eq!(unescape(uri(m.from().uri).user.unwrap()), b"I am Li");
            let contact = m.contacts().next().unwrap().unwrap();
            assert_eq!(uri(contact.uri).params.iter().count(), 2);
            assert_eq!(m.header(Name::ContentType), Some(&b"application/sdp"[..]));
        }),
    },
    Point {
        section: "3.1.1.4",
        name: "escnull",
        message: b"REGISTER sip:example.com SIP/2.0
To: sip:nul-%00-nul@example.com
From: sip:nul-%00-nul@example.com;tag=8399
Max-Forwards: 70
Call-ID: nul.1
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
Contact: <sip:%00@host5.example.com>
Contact: <sip:%00%00@host5.example.com>
L:0

",
        outcome: Understood(|m| {
            assert_eq!(unescape(uri(m.to().uri).user.unwrap()), b"nul-\0-nul");
            let users: Vec<_> = m.contacts().map(|c| unescape(uri(c.unwrap().uri).user.unwrap())).collect();
            assert_eq!(users, [&b"\0"[..], b"\0\0"]);
            assert_eq!(m.header(Name::ContentLength), Some(&b"0"[..]));
        }),
    },
    Point {
        section: "3.1.1.5",
        name: "esc02",
        message: b"IN%56ITE sip:registrar.example.com SIP/2.0
To: \"%Z%45\" <sip:resource@example.com>
From: \"%Z%45\" <sip:resource@example.com>;tag=f232
Call-ID: esc.2
Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
CSeq: 29344 IN%56ITE
Max-Forwards: 70
Contact: <sip:alias1@host1.example.com>
C%6Fntact: <sip:alias2@host2.example.com>
Contact: <sip:alias3@host3.example.com>
l: 0

",
        outcome: Understood(|m| {
            // Percent signs escape nothing outside URIs.
            assert_eq!(m.method(), Some(Method::Other(b"IN%56ITE")));
            assert_eq!(m.contacts().count(), 2);
            assert_eq!(m.via().branch(), Some(&b"z9hG4bK209%fzsnel234"[..]));
        }),
    },
    Point {
        section: "3.1.1.6",
        name: "lwsdisp",
        message: b"OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: li<sip:li@example.com>;tag=323
Max-Forwards: 70
Call-ID: lws.1
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw
l: 0

",
        outcome: Understood(|m| {
            assert_eq!((m.from().display, m.from().uri), (Some(&b"li"[..]), &b"sip:li@example.com"[..]));
        }),
    },
    Point {
        section: "3.1.1.7",
        name: "longreq",
        message: b"", // see long_request
        outcome: Understood(|m| {
            assert_eq!(m.from_tag().unwrap().len(), 200);
            assert_eq!(m.values(Name::Via).count(), 34);
            assert_eq!(m.from().display.unwrap().len(), 300);
            assert_eq!(uri(m.to().uri).user.unwrap().len(), 250);
            assert_eq!(m.body(), b"v=0\r\n");
        }),
    },
    Point {
        section: "3.1.1.8",
        name: "dblreq",
        message: b"REGISTER sip:example.com SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=43251
Max-Forwards: 8
I: dbl.1
Contact: sip:j.user@host.example.com
CSeq: 8 REGISTER
Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
Content-Length: 0

INVITE sip:joe@example.com SIP/2.0
t: sip:joe@example.com
",
        outcome: Understood(|m| {
            assert_eq!((m.method(), m.body()), (Some(Method::Register), &b""[..]));
        }),
    },
    Point {
        section: "3.1.1.9",
        name: "semiuri",
        message: b"OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0
To: sip:j_user@example.com
From: sip:li@example.org;tag=33242
Max-Forwards: 3
Call-ID: semi.1
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
l: 0

",
        outcome: Understood(|m| {
            let u = uri(m.request_uri().unwrap());
            assert_eq!((unescape(u.user.unwrap()), u.host), (b"user;par=u@example.net".to_vec(), &b"example.com"[..]));
            assert_eq!(m.values(Name::Accept).count(), 4);
            assert!(m.lists(Name::Accept, "multipart/mixed") && !m.lists(Name::Accept, "multipart"));
        }),
    },
    Point {
        section: "3.1.1.10",
        name: "transports",
        message: b"OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: <sip:li@example.com>;tag=323
Max-Forwards: 70
Call-ID:  transports.1
CSeq: 60 OPTIONS
Via: SIP/2.0/WSS t0.example.com;branch=z9hG4bK0
Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bK1
Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bK2
Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK3
Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bK4
Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK5
l: 0

",
        outcome: Understood(|m| {
            assert_eq!((m.via().transport, m.values(Name::Via).count()), (&b"WSS"[..], 6));
            assert_eq!(m.call_id(), b"transports.1");
        }),
    },
    Point {
        section: "3.1.1.11",
        name: "mpart01",
        message: b"MESSAGE sip:kumiko@example.org SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d;rport
Max-Forwards: 70
Route: <sip:127.0.0.1:5080>
Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk==
Contact: <sip:fluffy@127.0.0.1:5070>
To: <sip:kumiko@example.org>
From: <sip:fluffy@example.com>;tag=2fb0dcc9
Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
CSeq: 1 MESSAGE
Content-Transfer-Encoding: binary
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
Content-Length: @

--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n0\x82\x01\x00\r\r\n\n\xff\r\n--7a9cbec02ceef655--\r\n",
        outcome: Understood(|m| {
            assert_eq!(m.body().len(), 95);
            assert!(m.body().windows(6).any(|w| w == b"\x82\x01\x00\r\r\n"));
            assert!(m.via().wants_rport());
            assert_eq!(m.other("y"), None);
            assert!(m.other("identity").is_some());
        }),
    },
    Point {
        section: "3.1.1.12",
        name: "unreason",
        message: b"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xe5\xa5\xbd
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Call-ID: unreason.1
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: 0

",
        outcome: Understood(|m| {
            assert_eq!((m.status(), m.method()), (Some(200), None));
            assert_eq!(m.reason_phrase().map(text), Some("= 2**3 * 5**2 но 好"));
            assert_eq!(m.cseq().method, Method::Invite);
        }),
    },
    Point {
        section: "3.1.1.13",
        name: "noreason",
        message: b"SIP/2.0 180\x20
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: noreason.1
CSeq: 35 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0

",
        outcome: Understood(|m| assert_eq!((m.status(), m.reason_phrase()), (Some(180), Some(&b""[..])))),
    },
    Point {
        section: "3.1.2.1",
        name: "badinv01",
        message: b"INVITE sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:li@example.net;tag=134161461246
Call-ID: badinv.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;;,;,,
Contact: \"Joe\" <sip:joe@example.org>;;;;
Content-Length: 0

",
        outcome: Refused(400, "Via parameter malformed"),
    },
    Point {
        section: "3.1.2.2",
        name: "clerr",
        message: b"INVITE sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:li@example.net;tag=93942939o2
Contact: <sip:li@hungry.example.net>
Call-ID: clerr.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523
Content-Type: application/sdp
Content-Length: 9999

v=0
",
        outcome: Refused(400, "Content-Length larger than the message"),
    },
    Point {
        section: "3.1.2.3",
        name: "ncl",
        message: b"INVITE sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:li@example.net;tag=32394234
Call-ID: ncl.1
CSeq: 0 INVITE
Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw
Contact: <sip:li@host53.example.net>
Content-Length: -999

v=0
",
        outcome: Refused(400, "Content-Length malformed"),
    },
    Point {
        section: "3.1.2.4",
        name: "scalar02",
        message: b"REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
To: <sip:user@example.com>
From: <sip:user@example.com>;tag=239232jh3
CSeq: 2147483648 REGISTER
Call-ID: scalar.2
Max-Forwards: 300
Expires: 100000000000000000000000000000000000
Contact: <sip:user@host129.example.com>
  ;expires=280297596632815
Content-Length: 0

",
        outcome: Refused(400, "CSeq number is 2^31 or more"),
    },
    Point {
        section: "3.1.2.5",
        name: "scalarlg",
        message: b"SIP/2.0 503 Service Unavailable
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
To: <sip:user@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.1
Retry-After: 949302838503028349304023988
Warning: 1812 overture \"In Progress\"
Content-Length: 0

",
        outcome: Dropped("CSeq number is 2^31 or more"),
    },
    Point {
        section: "3.1.2.6",
        name: "quotbal",
        message: b"INVITE sip:user@example.com SIP/2.0
To: \"Mr. J. User <sip:j.user@example.com>
From: sip:li@example.net;tag=93334
Max-Forwards: 10
Call-ID: quotbal.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234
Content-Length: 0

",
        outcome: Refused(400, "To malformed"),
    },
    Point {
        section: "3.1.2.7",
        name: "ltgtruri",
        message: b"INVITE <sip:user@example.com> SIP/2.0
To: sip:user@example.com
From: sip:li@example.net;tag=39291
Call-ID: ltgt.1
CSeq: 1 INVITE
Via: SIP/2.0/UDP 192.0.2.5
Content-Length: 0

",
        outcome: Refused(400, "URI with a character that must be escaped"),
    },
    Point {
        section: "3.1.2.8",
        name: "lwsruri",
        message: b"INVITE sip:user@example.com; lr SIP/2.0
To: sip:user@example.com;tag=3xfe-9921883-z9f
From: sip:li@example.net;tag=231413434
Call-ID: lwsruri.1
CSeq: 2130706432 INVITE
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395
Content-Length: 0

",
        outcome: Refused(400, "White space in the request line"),
    },
    Point {
        section: "3.1.2.9",
        name: "lwsstart",
        message: b"INVITE  sip:user@example.com  SIP/2.0
To: sip:user@example.com
From: <sip:li@example.net>;tag=8814
Call-ID: lwsstart.1
CSeq: 1893884 INVITE
Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923
Content-Length: 0

",
        outcome: Refused(400, "White space in the request line"),
    },
    Point {
        section: "3.1.2.10",
        name: "trws",
        message: b"OPTIONS sip:remote-target@example.com SIP/2.0\x20\x20
Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK299342093
To: <sip:remote-target@example.com>
From: <sip:local-resource@example.com>;tag=329429089
Call-ID: trws.1
CSeq: 2238 OPTIONS
Content-Length: 0

",
        outcome: Refused(400, "White space in the request line"),
    },
    Point {
        section: "3.1.2.11",
        name: "escruri",
        message: b"INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0
To: sip:user@example.com
From: sip:li@example.net;tag=341518
Contact: <sip:li@host39923.example.net>
Call-ID: escruri.1
CSeq: 149209342 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
Content-Length: 0

",
        outcome: Refused(400, "Request-URI with headers"),
    },
    Point {
        // The RFC lets an element ignore it: nothing here hangs on Date, and a switch whose clock says CST is no
        // reason to turn a citizen away.
        section: "3.1.2.12",
        name: "baddate",
        message: b"INVITE sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:li@example.net;tag=2234923
Call-ID: baddate.1
CSeq: 1392934 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
Date: Sun, 22 Nov 2026 16:00:00 CST
Content-Length: 0

",
        outcome: Understood(|m| assert_eq!(m.header(Name::Date), Some(&b"Sun, 22 Nov 2026 16:00:00 CST"[..]))),
    },
    Point {
        section: "3.1.2.13",
        name: "regbadct",
        message: b"REGISTER sip:example.com SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=998332
Call-ID: regbadct.1
CSeq: 1 REGISTER
Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw
Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E
l: 0

",
        outcome: Refused(400, "Contact malformed"),
    },
    Point {
        section: "3.1.2.14",
        name: "badaspec",
        message: b"OPTIONS sip:user@example.org SIP/2.0
Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234
From: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423
To: \"Watson, Thomas\" < sip:t.watson@example.org >
Call-ID: badaspec.1
CSeq: 3923239 OPTIONS
l: 0

",
        outcome: Refused(400, "To malformed"),
    },
    Point {
        section: "3.1.2.15",
        name: "baddn",
        message: b"OPTIONS sip:t.watson@example.org SIP/2.0
Via: SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw
From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43
To: Watson, Thomas <sip:t.watson@example.org>
Call-ID: baddn.1
CSeq: 31 OPTIONS
l: 0

",
        outcome: Refused(400, "From malformed"),
    },
    Point {
        section: "3.1.2.16",
        name: "badvers",
        message: b"OPTIONS sip:t.watson@example.org SIP/7.0
Via: SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw
From: A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe
To: T. Watson <sip:t.watson@example.org>
Call-ID: badvers.1
CSeq: 1 OPTIONS
l: 0

",
        outcome: Refused(505, "Version Not Supported"),
    },
    Point {
        section: "3.1.2.17",
        name: "mismatch01",
        message: b"OPTIONS sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:li@example.net;tag=34525
Call-ID: mismatch.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
l: 0

",
        outcome: Refused(400, "CSeq method is not the request's"),
    },
    Point {
        section: "3.1.2.18",
        name: "mismatch02",
        message: b"NOVEL sip:user@example.com SIP/2.0
To: sip:j.user@example.com
From: sip:li@example.net;tag=34525
Call-ID: mismatch.2
CSeq: 8 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
l: 0

",
        outcome: Refused(400, "CSeq method is not the request's"),
    },
    Point {
        section: "3.1.2.19",
        name: "bigcode",
        message: b"SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: bigcode.1
CSeq: 353494 INVITE
From: <sip:user@example.com>;tag=39ansfi3
To: <sip:user@example.edu>;tag=902jndnke3
Content-Length: 0

",
        outcome: Dropped("Status code not 100-699"),
    },
    Point {
        // The transaction layer treats it as RFC 2543 would.
        section: "3.2.1",
        name: "badbranch",
        message: b"OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:li@example.org;tag=33242
Max-Forwards: 3
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK
Call-ID: badbranch.1
CSeq: 8 OPTIONS
l: 0

",
        outcome: Understood(|m| assert_eq!(m.via().branch(), Some(&b"z9hG4bK"[..]))),
    },
    Point {
        section: "3.3.1",
        name: "insuf",
        message: b"INVITE sip:user@example.com SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
Content-Type: application/sdp
l: @

v=0
",
        outcome: Unanswerable("From missing"),
    },
    Point {
        // 416 is its receiver's to say.
        section: "3.3.2",
        name: "unkscm",
        message: b"OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0
To: sip:user@example.com
From: sip:li@example.net;tag=384
Call-ID: unkscm.1
CSeq: 3923423 OPTIONS
Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
Content-Length: 0

",
        outcome: Understood(|m| {
            assert_eq!(uri(m.request_uri().unwrap()).scheme, Scheme::Other(b"nobodyKnowsThisScheme"));
        }),
    },
    Point {
        section: "3.3.3",
        name: "novelsc",
        message: b"OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0
To: sip:user@example.com
From: sip:li@example.net;tag=384
Call-ID: novelsc.1
CSeq: 3923423 OPTIONS
Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
Content-Length: 0

",
        outcome: Understood(|m| {
            assert_eq!(uri(m.request_uri().unwrap()).scheme, Scheme::Other(b"soap.beep"));
        }),
    },
    Point {
        section: "3.3.4",
        name: "unksm2",
        message: b"REGISTER sip:example.com SIP/2.0
To: isbn:2983792873
From: <http://www.example.com>;tag=3234233
Call-ID: unksm2.1
CSeq: 234902 REGISTER
Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw
Contact: <name:John_Smith>
l: 0

",
        outcome: Understood(|m| {
            assert_eq!((m.to().uri, m.from().uri), (&b"isbn:2983792873"[..], &b"http://www.example.com"[..]));
        }),
    },
    Point {
        // 420 is its receiver's to say.
        section: "3.3.5",
        name: "bext01",
        message: b"OPTIONS sip:user@example.com SIP/2.0
To: sip:j_user@example.com
From: sip:li@example.net;tag=242etr
Call-ID: bext.1
Require: nobodyDoesThis, norThis
Proxy-Require: noProxyDoes
CSeq: 8 OPTIONS
Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw
Content-Length: 0

",
        outcome: Understood(|m| {
            let required: Vec<_> = m.values(Name::Require).map(text).collect();
            assert_eq!(required, ["nobodyDoesThis", "norThis"]);
            assert!(m.lists(Name::ProxyRequire, "NOPROXYDOES"));
        }),
    },
    Point {
        // 415 is its receiver's to say.
        section: "3.3.6",
        name: "invut",
        message: b"INVITE sip:user@example.com SIP/2.0
Contact: <sip:li@host5.example.net>
To: sip:j.user@example.com
From: sip:li@example.net;tag=8392034
Call-ID: invut.1
CSeq: 235448 INVITE
Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw
Content-Type: application/unknownformat
Content-Length: @

<audio/>
",
        outcome: Understood(|m| {
            assert_eq!(m.header(Name::ContentType), Some(&b"application/unknownformat"[..]));
            assert_eq!(m.body(), b"<audio/>\r\n");
        }),
    },
    Point {
        section: "3.3.7",
        name: "regaut01",
        message: b"REGISTER sip:example.com SIP/2.0
To: sip:j.user@example.com
From: sip:j.user@example.com;tag=87321hj23128
Call-ID: regaut.1
CSeq: 9338 REGISTER
Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw
Authorization: NoOneKnowsThisScheme opaque-data=here
Content-Length:0

",
        outcome: Understood(|m| {
            assert_eq!(m.header(Name::Authorization), Some(&b"NoOneKnowsThisScheme opaque-data=here"[..]));
        }),
    },
    Point {
        section: "3.3.8",
        name: "multi01",
        message: b"INVITE sip:user@company.com SIP/2.0
Contact: <sip:li@host25.example.net>
Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
Max-Forwards: 70
CSeq: 5 INVITE
Call-ID: multi.1
CSeq: 59 INVITE
Call-ID: multi.2
From: sip:li@example.com;tag=3413415
To: sip:user@example.com
To: sip:other@example.net
From: sip:li@example.net;tag=2923420123
l: 0
Max-Forwards: 5

",
        outcome: Refused(400, "Second CSeq header"),
    },
    Point {
        section: "3.3.9",
        name: "mcl01",
        message: b"OPTIONS sip:user@example.com SIP/2.0
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423
To: sip:user@example.com
From: sip:other@example.net;tag=3923942
Call-ID: mcl.1
CSeq: 15932 OPTIONS
Content-Length: 13
l: 5

There's no way to know how many octets are supposed to be here.
",
        outcome: Refused(400, "Second Content-Length header"),
    },
    Point {
        // Not ours by its second Via: the transaction layer drops it.
        section: "3.3.10",
        name: "bcast",
        message: b"SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.1
CSeq: 35 INVITE
From: sip:user@example.com;tag=11141343
To: sip:user@example.edu;tag=2229
Content-Length: 0

",
        outcome: Understood(|m| assert_eq!(m.values(Name::Via).count(), 2)),
    },
    Point {
        section: "3.3.11",
        name: "zeromf",
        message: b"OPTIONS sip:user@example.com SIP/2.0
To: sip:user@example.com
From: sip:li@example.net;tag=3ghsd41
Call-ID: zeromf.1
CSeq: 39234321 OPTIONS
Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i
Max-Forwards: 0
Content-Length: 0

",
        outcome: Understood(|m| assert_eq!(m.max_forwards(), Some(0))),
    },
    Point {
        section: "3.3.12",
        name: "cparam01",
        message: b"REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
From: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe
To: sip:watson@example.com
Call-ID: cparam.1
CSeq: 2 REGISTER
Contact: sip:+19725552222@gw1.example.net;unknownparam
l: 0

",
        outcome: Understood(|m| {
            let c = m.contacts().next().unwrap().unwrap();
            assert_eq!((c.uri, c.params.get("unknownparam")), (&b"sip:+19725552222@gw1.example.net"[..], Some(None)));
        }),
    },
    Point {
        section: "3.3.13",
        name: "cparam02",
        message: b"REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
From: sip:watson@example.com;tag=838293
To: sip:watson@example.com
Call-ID: cparam.2
CSeq: 3 REGISTER
Contact: <sip:+19725552222@gw1.example.net;unknownparam>
l: 0

",
        outcome: Understood(|m| {
            let c = m.contacts().next().unwrap().unwrap();
            assert_eq!(c.params.get("unknownparam"), None);
            assert_eq!(uri(c.uri).params.get("unknownparam"), Some(None));
        }),
    },
    Point {
        section: "3.3.14",
        name: "regescrt",
        message: b"REGISTER sip:example.com SIP/2.0
To: sip:user@example.com
From: sip:user@example.com;tag=8
Call-ID: regescrt.1
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>
L:0

",
        outcome: Understood(|m| {
            let c = m.contacts().next().unwrap().unwrap();
            assert_eq!(uri(c.uri).headers, b"Route=%3Csip:sip.example.com%3E");
        }),
    },
    Point {
        // 406 is its receiver's to say.
        section: "3.3.15",
        name: "sdp01",
        message: b"INVITE sip:user@example.com SIP/2.0
To: sip:j_user@example.com
Contact: <sip:li@host15.example.net>
From: sip:li@example.net;tag=234
Max-Forwards: 5
Call-ID: sdp.1
Accept: text/nobodyKnowsThis
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw
Content-Length: @
Content-Type: application/sdp

v=0
",
        outcome: Understood(|m| assert!(!m.lists(Name::Accept, "application/sdp"))),
    },
    Point {
        section: "3.4.1",
        name: "inv2543",
        message: b"INVITE sip:UserB@example.com SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+13035551111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+16505552222@ss1.example.net;user=phone
Call-ID: inv2543.1
CSeq: 56 INVITE
Content-Type: application/sdp

v=0
",
        outcome: Understood(|m| {
            // No tag, no branch, no Max-Forwards, no Content-Length.
            assert_eq!((m.from_tag(), m.via().branch(), m.max_forwards()), (None, None, None));
            assert_eq!(m.to().params.get("user"), Some(Some(&b"phone"[..])));
            assert_eq!(m.body(), b"v=0\r\n");
        }),
    },
];

/// 34 Via values, a 200-character tag, a 300-character display name, a 250-character user.
fn long_request() -> Vec<u8> {
    let mut text = format!(
        "INVITE sip:user@example.com SIP/2.0\nTo: \"x\" <sip:{}@example.com>\nF: {} <sip:li@example.net>;tag={}\n\
         Call-ID: longreq.1\nCSeq: 3882340 INVITE\n",
        "amazing~1/".repeat(25),
        "longname12".repeat(30),
        "12982982-a".repeat(20)
    );
    for i in 0..17 {
        text += &format!("Via: SIP/2.0/TCP sip{i}.example.com\nv: SIP/2.0/TCP edge{i}.example.com;branch=z9hG4bK{i}\n");
    }
    (text + "Content-Type: application/sdp\nl: @\n\nv=0\n").into_bytes()
}
