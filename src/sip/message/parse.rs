//! Bytes -> index: one pass over the lines, then the headers every element needs are read and checked (RFC 3261 s7,
//! s8.1.1, s16.3, s18.3, s20). Not here: checks that depend on who receives it (416, 420, 415, 405, 483).
//!
//! The first fault is remembered and reading goes on, so that a refused request can still be answered.

use super::header::{CSeq, NameAddr, Via};
use super::scan::{CommaList, TOKEN, decimal, is_space, is_token, run, trim};
use super::uri::Uri;
use super::{
    Framing, Line, MAX_HEADER_LINES, MAX_HEADER_SECTION, MAX_MESSAGE, Malformed, Message, Method, Name, Start,
};

/// Status and reason of the first fault.
type Fault = Option<(u16, &'static str)>;

#[allow(clippy::result_large_err)] // see Message::parse
pub(super) fn parse(raw: &[u8], framing: Framing) -> Result<Message<'_>, Malformed<'_>> {
    let refuse = |status, reason| Err(Malformed { status, reason, partial: None });
    if raw.len() > MAX_MESSAGE {
        return refuse(513, "Message larger than 65535 bytes");
    }
    let mut fault: Fault = None;
    let mut at = raw.iter().position(|&b| b != b'\r' && b != b'\n').unwrap_or(raw.len());
    let Some(end) = memchr::memchr2(b'\r', b'\n', &raw[at..]).map(|i| at + i) else {
        return refuse(400, "Start line without an end");
    };
    let start = start_line(&raw[at..end], &mut fault);
    let mut msg = Message {
        raw,
        start,
        via: Via::UNREADABLE,
        from: NameAddr::unreadable(b""),
        to: NameAddr::unreadable(b""),
        call_id: b"",
        cseq: CSeq { seq: 0, method: Method::Other(b"") },
        body: b"",
        count: 0,
        first: [0; Name::COUNT],
        lines: [Line::EMPTY; MAX_HEADER_LINES],
    };
    if raw.get(end + 1) != Some(&b'\n') || raw[end] != b'\r' {
        return refuse(400, "Start line not ended by CRLF");
    }
    at = end + 2;
    if matches!(raw.get(at), Some(b' ' | b'\t')) {
        note(&mut fault, 400, "Folded start line");
    }
    let Some(body_start) = header_lines(&mut msg, at, &mut fault) else {
        // A lone CR or LF ends a line for some receivers and not for others: such a message is not even echoed.
        return refuse(400, "CR, LF or NUL alone in a header");
    };
    check(&mut msg, body_start, framing, &mut fault);
    match fault {
        None => Ok(msg),
        Some((status, reason)) => {
            let answerable = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];
            let partial = answerable.iter().all(|&n| msg.first[n as usize] != 0).then_some(msg);
            Err(Malformed { status, reason, partial })
        }
    }
}

fn note(fault: &mut Fault, status: u16, reason: &'static str) {
    fault.get_or_insert((status, reason));
}

/// Reads the start line strictly (s7.1, s7.2: single spaces, nothing around them) and, if it is faulty, as well as can
/// be, so that an ACK can still be told from a request to answer.
fn start_line<'a>(line: &'a [u8], fault: &mut Fault) -> Start<'a> {
    if line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        return status_line(line, fault);
    }
    let Some(first) = memchr::memchr(b' ', line) else {
        note(fault, 400, "Request line malformed");
        return Start::Request { method: Method::Other(line), uri: b"" };
    };
    let (method, rest) = (&line[..first], &line[first + 1..]);
    let Some(last) = memchr::memrchr(b' ', rest) else {
        note(fault, 400, "Request line without a version");
        return Start::Request { method: Method::parse(method), uri: rest };
    };
    let (uri, version) = (&rest[..last], &rest[last + 1..]);
    if !is_token(method) {
        note(fault, 400, "Request method malformed");
    } else if uri.is_empty() || version.is_empty() || memchr::memchr2(b' ', b'\t', uri).is_some() {
        note(fault, 400, "White space in the request line");
    } else if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        let sip = version.len() >= 4 && version[..4].eq_ignore_ascii_case(b"SIP/");
        if sip {
            note(fault, 505, "Version Not Supported");
        } else {
            note(fault, 400, "Request line version malformed");
        }
    } else {
        match Uri::parse(uri) {
            Err(reason) => note(fault, 400, reason),
            // s19.1.1, table 1: headers are not allowed in a Request-URI.
            Ok(u) if !u.headers.is_empty() => note(fault, 400, "Request-URI with headers"),
            Ok(_) => {}
        }
    }
    Start::Request { method: Method::parse(method), uri: trim(uri) }
}

fn status_line<'a>(line: &'a [u8], fault: &mut Fault) -> Start<'a> {
    let (version, rest) = line.split_at(memchr::memchr(b' ', line).unwrap_or(line.len()));
    let rest = rest.get(1..).unwrap_or_default();
    // The reason phrase may be empty; some senders then leave its space out too.
    let (code, reason) = rest.split_at(memchr::memchr(b' ', rest).unwrap_or(rest.len()));
    let status = match decimal(code) {
        Ok(n @ 100..=699) if code.len() == 3 => n as u16,
        _ => {
            note(fault, 400, "Status code not 100-699");
            0
        }
    };
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        note(fault, 505, "Version Not Supported");
    }
    Start::Response { status, reason: reason.get(1..).unwrap_or_default() }
}

/// Indexes every header line from `at`; returns where the body starts, `None` at a lone CR, LF or NUL.
fn header_lines(msg: &mut Message<'_>, mut at: usize, fault: &mut Fault) -> Option<usize> {
    let raw = msg.raw;
    let limit = raw.len().min(MAX_HEADER_SECTION);
    loop {
        if raw[at..].starts_with(b"\r\n") {
            return Some(at + 2);
        }
        let Some(end) = line_end(&raw[..limit], at)? else {
            if raw.len() > MAX_HEADER_SECTION {
                note(fault, 513, "Header section larger than 32 KiB");
            } else {
                note(fault, 400, "Headers not ended by an empty line");
            }
            return Some(raw.len());
        };
        if usize::from(msg.count) == MAX_HEADER_LINES {
            note(fault, 513, "More than 128 header lines");
            return Some(raw.len());
        }
        header_line(msg, at, end, fault);
        at = end + 2;
    }
}

/// Where the logical line that starts at `from` ends: at the CRLF that no white space follows (s7.3.1).
/// `Some(None)`: there is no end; `None`: a lone CR, LF or NUL.
fn line_end(raw: &[u8], from: usize) -> Option<Option<usize>> {
    let mut at = from;
    loop {
        let Some(i) = memchr::memchr3(b'\r', b'\n', 0, &raw[at..]).map(|i| at + i) else { return Some(None) };
        match (raw[i], raw.get(i + 1), raw.get(i + 2)) {
            (b'\r', Some(b'\n'), Some(b' ' | b'\t')) => at = i + 2,
            (b'\r', Some(b'\n'), _) => return Some(Some(i)),
            (b'\r', None, _) => return Some(None),
            // A quoted pair may hold NUL (s25.1).
            (0, ..) if i > from && raw[i - 1] == b'\\' => at = i + 1,
            _ => return None,
        }
    }
}

fn header_line(msg: &mut Message<'_>, start: usize, end: usize, fault: &mut Fault) {
    let line = &msg.raw[start..end];
    let name_len = run(line, TOKEN);
    let blank = line[name_len..].iter().take_while(|&&b| b == b' ' || b == b'\t').count();
    let colon = name_len + blank;
    if name_len == 0 || name_len > usize::from(u8::MAX) || line.get(colon) != Some(&b':') {
        return note(fault, 400, "Header name malformed");
    }
    let known = Name::recognise(&line[..name_len]);
    let (mut value_start, mut value_end) = (start + colon + 1, end);
    while value_start < value_end && is_space(msg.raw[value_start]) {
        value_start += 1;
    }
    while value_end > value_start && is_space(msg.raw[value_end - 1]) {
        value_end -= 1;
    }
    let index = usize::from(msg.count);
    // MAX_MESSAGE keeps every offset within 16 bits.
    msg.lines[index] = Line {
        name_start: start as u16,
        value_start: value_start as u16,
        value_end: value_end as u16,
        name_len: name_len as u8,
        name: known.map_or(Line::OTHER, |n| n as u8),
    };
    msg.count += 1;
    if let Some(name) = known {
        let first = &mut msg.first[name as usize];
        if *first == 0 {
            *first = msg.count;
        } else if name.single() {
            note(fault, 400, duplicate(name));
        }
    }
}

fn duplicate(name: Name) -> &'static str {
    match name {
        Name::From => "Second From header",
        Name::To => "Second To header",
        Name::CallId => "Second Call-ID header",
        Name::CSeq => "Second CSeq header",
        Name::MaxForwards => "Second Max-Forwards header",
        Name::ContentLength => "Second Content-Length header",
        Name::ContentType => "Second Content-Type header",
        Name::Expires => "Second Expires header",
        _ => "Second line of a single-value header",
    }
}

/// Reads what accessors hand out without failing, then the header values that decide about the whole message.
fn check(msg: &mut Message<'_>, body_start: usize, framing: Framing, fault: &mut Fault) {
    let mut required = |name, missing| {
        let value = msg.header(name).filter(|v| !v.is_empty());
        if value.is_none() {
            note(fault, 400, missing);
        }
        value.unwrap_or_default()
    };
    let via = required(Name::Via, "Via missing");
    let from = required(Name::From, "From missing");
    let to = required(Name::To, "To missing");
    let call_id = required(Name::CallId, "Call-ID missing");
    let cseq = required(Name::CSeq, "CSeq missing");

    match CommaList(via).next().map_or(Err("Via empty"), Via::parse) {
        Ok(via) => msg.via = via,
        Err(reason) => note(fault, 400, reason),
    }
    msg.from = NameAddr::parse(from).unwrap_or_else(|_| {
        note(fault, 400, "From malformed");
        NameAddr::unreadable(from)
    });
    msg.to = NameAddr::parse(to).unwrap_or_else(|_| {
        note(fault, 400, "To malformed");
        NameAddr::unreadable(to)
    });
    if call_id.iter().any(|&b| is_space(b)) {
        note(fault, 400, "Call-ID with white space");
    }
    msg.call_id = call_id;
    match CSeq::parse(cseq) {
        Ok(cseq) => {
            msg.cseq = cseq;
            if msg.method().is_some_and(|m| m != cseq.method) {
                note(fault, 400, "CSeq method is not the request's");
            }
        }
        Err(reason) => {
            msg.cseq.method = msg.method().unwrap_or(Method::Other(b""));
            note(fault, 400, reason);
        }
    }
    if let Some(v) = msg.header(Name::MaxForwards)
        && !matches!(decimal(v), Ok(0..=255))
    {
        note(fault, 400, "Max-Forwards not 0-255");
    }
    // A request whose Contact cannot be read cannot be answered in its dialog; a response may still be useful.
    if msg.is_request() && msg.contacts().any(|c| c.is_err()) {
        note(fault, 400, "Contact malformed");
    }
    body(msg, body_start, framing, fault);
}

/// s18.3: a datagram's body ends with Content-Length or the datagram; what lies beyond Content-Length is dropped.
fn body(msg: &mut Message<'_>, body_start: usize, framing: Framing, fault: &mut Fault) {
    let rest = &msg.raw[body_start..];
    msg.body = match msg.header(Name::ContentLength).map(decimal) {
        None if framing == Framing::Datagram => rest,
        None => {
            note(fault, 400, "Content-Length missing");
            b""
        }
        Some(Ok(n)) if (n as usize) <= rest.len() => &rest[..n as usize],
        Some(Ok(_) | Err(true)) => {
            note(fault, 400, "Content-Length larger than the message");
            rest
        }
        Some(Err(false)) => {
            note(fault, 400, "Content-Length malformed");
            rest
        }
    };
}
