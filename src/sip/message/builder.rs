//! Writes requests and responses into one buffer (RFC 3261 s7, s8.2.6, s18.2.1; RFC 3581).
//! A value containing CR, LF or NUL is never written raw: such bytes become spaces (header injection).

use super::scan::{CommaList, TOKEN, host_ip, run, trim_end};
use super::{Message, Method, Name};
use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

/// Room for what a response adds to the echoed headers: Contact, Allow, Supported, an SDP body of one stream.
const ROOM: usize = 640;

pub struct Builder {
    buf: Vec<u8>,
}

impl Builder {
    pub fn request(method: Method<'_>, uri: &[u8]) -> Builder {
        let mut b = Builder { buf: Vec::with_capacity(2 * ROOM) };
        b.push_safe(method.as_bytes());
        b.buf.push(b' ');
        b.push_safe(uri);
        b.push(b" SIP/2.0\r\n");
        b
    }

    /// A response with Via (all), From, To, Call-ID, CSeq copied verbatim (RFC 3261 s8.2.6), Record-Route too when the
    /// status is 101-299, Timestamp too when it is 100; `to_tag` is added to To if it has none. The top Via gets
    /// `received`/`rport` from `source`.
    pub fn response(
        request: &Message<'_>,
        status: u16,
        reason: &str,
        to_tag: Option<&[u8]>,
        source: SocketAddr,
    ) -> Builder {
        let echoed = [Name::Via, Name::RecordRoute, Name::From, Name::To, Name::CallId, Name::CSeq];
        let echoed: usize = echoed.iter().flat_map(|&n| request.headers(n)).map(|v| v.len() + 16).sum();
        let mut b = Builder { buf: Vec::with_capacity(echoed + ROOM) };
        b.push(b"SIP/2.0 ");
        b.push_number(u32::from(status));
        b.buf.push(b' ');
        b.push_safe(reason.as_bytes());
        b.push(b"\r\n");
        let mut vias = request.headers(Name::Via);
        if let Some(top) = vias.next() {
            b.push(b"Via: ");
            b.push_top_via(request, top, source);
            b.push(b"\r\n");
        }
        for via in vias {
            b.raw_header(b"Via: ", via);
        }
        if (101..300).contains(&status) {
            for route in request.headers(Name::RecordRoute) {
                b.raw_header(b"Record-Route: ", route);
            }
        }
        b.raw_header(b"From: ", request.header(Name::From).unwrap_or_default());
        b.push(b"To: ");
        b.push(request.header(Name::To).unwrap_or_default());
        if let (None, Some(tag)) = (request.to_tag(), to_tag) {
            b.push(b";tag=");
            b.push_safe(tag);
        }
        b.raw_header(b"\r\nCall-ID: ", request.call_id());
        b.raw_header(b"CSeq: ", request.header(Name::CSeq).unwrap_or_default());
        if status == 100
            && let Some(timestamp) = request.header(Name::Timestamp)
        {
            b.raw_header(b"Timestamp: ", timestamp);
        }
        b
    }

    pub fn header(self, name: Name, value: &[u8]) -> Builder {
        self.other(name.as_str(), value)
    }

    pub fn header_fmt(mut self, name: Name, value: fmt::Arguments<'_>) -> Builder {
        self.push(name.as_str().as_bytes());
        self.push(b": ");
        // Writing to a Vec cannot fail; a Display that does leaves a shorter value.
        let _ = Safe(&mut self.buf).write_fmt(value);
        self.push(b"\r\n");
        self
    }

    pub fn other(mut self, name: &str, value: &[u8]) -> Builder {
        self.push_safe(name.as_bytes());
        self.push(b": ");
        self.push_safe(value);
        self.push(b"\r\n");
        self
    }

    /// Copies every line of `name` from `message` as sent, folds included: Route sets, Diversion, History-Info.
    pub fn copy(mut self, message: &Message<'_>, name: Name) -> Builder {
        for value in message.headers(name) {
            self.push(name.as_str().as_bytes());
            self.raw_header(b": ", value);
        }
        self
    }

    /// Ends the message: Content-Type, Content-Length and the body.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Vec<u8> {
        self.push(b"Content-Type: ");
        self.push_safe(content_type.as_bytes());
        self.push(b"\r\nContent-Length: ");
        self.push_number(body.len() as u32);
        self.push(b"\r\n\r\n");
        self.push(body);
        self.buf
    }

    /// Ends the message with `Content-Length: 0`.
    pub fn finish(mut self) -> Vec<u8> {
        self.push(b"Content-Length: 0\r\n\r\n");
        self.buf
    }

    /// `lead` (name and colon) and a value that an index handed out: its only line breaks are folds.
    fn raw_header(&mut self, lead: &[u8], value: &[u8]) {
        self.push(lead);
        self.push(value);
        self.push(b"\r\n");
    }

    /// s18.2.1: `received` unless the source is the sent-by address; RFC 3581 s4: where `rport` was asked, always, with
    /// the source port. What the sender itself wrote into these two is not believed.
    fn push_top_via(&mut self, request: &Message<'_>, line: &[u8], source: SocketAddr) {
        let via = request.via();
        let source_ip = source.ip().to_canonical();
        let plain = || {
            let same_host = host_ip(via.host).is_some_and(|ip| ip.to_canonical() == source_ip);
            same_host && via.params.get("received").is_none()
        };
        // A Via that could not be read is echoed: rewriting it would be guessing.
        if via.host.is_empty() || (!via.wants_rport() && plain()) {
            return self.push(line);
        }
        let mut values = CommaList(line);
        let top = values.next().unwrap_or_default();
        // The parameters run to the end of the value.
        self.push(trim_end(&top[..top.len() - trim_end(via.params.0).len()]));
        for segment in via.params.segments() {
            let name = &segment[..run(segment, TOKEN)];
            if !name.eq_ignore_ascii_case(b"received") && !name.eq_ignore_ascii_case(b"rport") {
                self.buf.push(b';');
                self.push(segment);
            }
        }
        self.push(b";received=");
        self.push_ip(source_ip);
        if via.wants_rport() {
            self.push(b";rport=");
            self.push_number(u32::from(source.port()));
        }
        if !values.0.is_empty() {
            self.buf.push(b',');
            self.push(values.0);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    fn push_safe(&mut self, bytes: &[u8]) {
        push_safe(&mut self.buf, bytes);
    }

    fn push_number(&mut self, n: u32) {
        let mut digits = [0u8; 10];
        let (mut at, mut n) = (digits.len(), n);
        loop {
            at -= 1;
            digits[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }

    fn push_ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                for (i, octet) in v4.octets().into_iter().enumerate() {
                    if i > 0 {
                        self.buf.push(b'.');
                    }
                    self.push_number(u32::from(octet));
                }
            }
            // Unbracketed in `received` (RFC 3261 s25.1: via-received).
            IpAddr::V6(v6) => {
                let _ = write!(Safe(&mut self.buf), "{v6}");
            }
        }
    }
}

fn push_safe(buf: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(i) = memchr::memchr3(b'\r', b'\n', 0, rest) {
        buf.extend_from_slice(&rest[..i]);
        buf.push(b' ');
        rest = &rest[i + 1..];
    }
    buf.extend_from_slice(rest);
}

/// Text into the buffer, line breaks and NUL as spaces.
struct Safe<'b>(&'b mut Vec<u8>);

impl Write for Safe<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        push_safe(self.0, s.as_bytes());
        Ok(())
    }
}

/// Standard reason phrase of a status code.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        417 => "Unknown Resource-Priority",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        428 => "Use Identity Header",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity Info",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        439 => "First Hop Lacks Outbound Support",
        440 => "Max-Breadth Exceeded",
        469 => "Bad Info Package",
        470 => "Consent Needed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        555 => "Push Notification Service Not Supported",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Framing;
    use super::*;

    fn request(vias: &str, to: &str) -> String {
        format!(
            "INVITE sip:12345@h SIP/2.0\r\n{vias}Record-Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\nFrom: <sip:a@b>;tag=f\r\n\
             t: {to}\r\ni: c1\r\nCSeq: 1 INVITE\r\nTimestamp: 54\r\nl: 0\r\n\r\n"
        )
    }

    fn respond(vias: &str, to: &str, status: u16, tag: Option<&[u8]>, source: &str) -> String {
        let text = request(vias, to);
        let msg = Message::parse(text.as_bytes(), Framing::Datagram).unwrap();
        let b = Builder::response(&msg, status, reason_phrase(status), tag, source.parse().unwrap());
        let bytes = b.finish();
        Message::parse(&bytes, Framing::Stream).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn response_echoes_what_section_8_2_6_lists() {
        let got = respond(
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n",
            "<sip:12345@h>",
            200,
            Some(b"x"),
            "192.0.2.1:5060",
        );
        assert_eq!(
            got,
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nRecord-Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n\
             From: <sip:a@b>;tag=f\r\nTo: <sip:12345@h>;tag=x\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        let trying =
            respond("v: SIP/2.0/UDP 192.0.2.1\r\n", "<sip:12345@h>;tag=old", 100, Some(b"x"), "192.0.2.1:5060");
        assert!(trying.contains("\r\nTo: <sip:12345@h>;tag=old\r\n") && trying.contains("\r\nTimestamp: 54\r\n"));
        assert!(!trying.contains("Record-Route"));
        assert!(!respond("v: SIP/2.0/UDP h\r\n", "<sip:x>", 486, None, "192.0.2.1:5060").contains("Record-Route"));
    }

    #[test]
    fn top_via_gets_received_and_rport() {
        // Via lines sent | source | Via lines answered
        let rows = [
            (
                "SIP/2.0/UDP h.example;branch=z9hG4bK1",
                "192.0.2.9:5060",
                "SIP/2.0/UDP h.example;branch=z9hG4bK1;received=192.0.2.9",
            ),
            ("SIP/2.0/UDP 192.0.2.9:6;branch=1", "192.0.2.9:5060", "SIP/2.0/UDP 192.0.2.9:6;branch=1"),
            ("SIP/2.0/UDP 192.0.2.9;branch=1", "[::ffff:192.0.2.9]:5060", "SIP/2.0/UDP 192.0.2.9;branch=1"),
            ("SIP/2.0/UDP 192.0.2.9", "192.0.2.8:5060", "SIP/2.0/UDP 192.0.2.9;received=192.0.2.8"),
            (
                "SIP/2.0/UDP 192.0.2.9;rport;branch=1",
                "192.0.2.9:777",
                "SIP/2.0/UDP 192.0.2.9;branch=1;received=192.0.2.9;rport=777",
            ),
            (
                "SIP/2.0/UDP [::1];branch=1;rport",
                "[2001:db8::1]:7",
                "SIP/2.0/UDP [::1];branch=1;received=2001:db8::1;rport=7",
            ),
            ("SIP/2.0/UDP [2001:DB8::1];branch=1", "[2001:db8::1]:7", "SIP/2.0/UDP [2001:DB8::1];branch=1"),
            (
                "SIP/2.0/UDP 10.0.0.1;rport=5;received=6.6.6.6;branch=1",
                "192.0.2.9:777",
                "SIP/2.0/UDP 10.0.0.1;branch=1;received=192.0.2.9;rport=777",
            ),
            (
                "SIP/2.0/UDP 192.0.2.9;received=6.6.6.6;branch=1",
                "192.0.2.9:777",
                "SIP/2.0/UDP 192.0.2.9;branch=1;received=192.0.2.9",
            ),
            (
                "SIP/2.0/UDP a;rport ; branch=1, SIP/2.0/TCP b;rport",
                "192.0.2.9:777",
                "SIP/2.0/UDP a;branch=1;received=192.0.2.9;rport=777, SIP/2.0/TCP b;rport",
            ),
        ];
        for (sent, source, want) in rows {
            let vias = format!("Via: {sent}\r\nVia: SIP/2.0/UDP far;rport\r\n");
            let got = respond(&vias, "<sip:x>", 200, None, source);
            let lines: Vec<_> = got.lines().filter_map(|l| l.strip_prefix("Via: ")).collect();
            assert_eq!(lines, [want, "SIP/2.0/UDP far;rport"], "{sent}");
        }
    }

    #[test]
    fn no_value_can_start_a_new_line() {
        let text = request("Via: SIP/2.0/UDP h\r\n", "<sip:x>");
        let msg = Message::parse(text.as_bytes(), Framing::Datagram).unwrap();
        let evil = "x\r\nEvil: 1\n\0";
        let out = Builder::response(&msg, 200, evil, Some(evil.as_bytes()), "192.0.2.9:1".parse().unwrap())
            .header(Name::Contact, evil.as_bytes())
            .header_fmt(Name::Warning, format_args!("{evil}"))
            .other(evil, evil.as_bytes())
            .body(evil, b"");
        assert!(!String::from_utf8(out).unwrap().contains("\nEvil"));
        let out = Builder::request(Method::Other(evil.as_bytes()), evil.as_bytes()).finish();
        assert!(!String::from_utf8(out).unwrap().contains("\nEvil"));
    }

    #[test]
    fn request_reads_back() {
        let bytes = Builder::request(Method::Bye, b"sip:a@192.0.2.1")
            .header(Name::Via, b"SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1;rport")
            .header(Name::From, b"<sip:a@b>;tag=1")
            .header(Name::To, b"<sip:c@d>;tag=2")
            .header(Name::CallId, b"x")
            .header_fmt(Name::CSeq, format_args!("{} BYE", 7))
            .body("text/plain", b"hello");
        let msg = Message::parse(&bytes, Framing::Stream).unwrap();
        assert_eq!((msg.method(), msg.cseq().seq, msg.body()), (Some(Method::Bye), 7, &b"hello"[..]));
    }
}
