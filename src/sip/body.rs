//! The session description a message carries, alone or as a part of a multipart body (RFC 2046 s5.1, RFC 5621).
//! Not here: what it says (`sdp`).

use super::message::{Message, Name, Params};
use memchr::memmem;

/// Parts looked at; carriers send two or three (SDP beside ISUP or a location).
const MOST_PARTS: usize = 16;
/// RFC 2046 s5.1.1.
const LONGEST_BOUNDARY: usize = 70;

/// A body, or a required part of one, of a kind not known here: 415.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

/// What we understand, for Accept.
pub const ACCEPT: &[u8] = b"application/sdp, multipart/mixed";

/// `None`: there is no body, or none that has to be understood.
pub fn description<'a>(msg: &Message<'a>) -> Result<Option<&'a [u8]>, Unsupported> {
    let body = msg.body();
    if body.is_empty() {
        return Ok(None);
    }
    let (kind, disposition) = (msg.header(Name::ContentType), msg.header(Name::ContentDisposition));
    match Kind::of(kind.unwrap_or_default()) {
        Kind::Sdp => Ok(Some(body)),
        Kind::Multipart { boundary } => in_parts(body, boundary),
        Kind::Other if handling(disposition) == Handling::Optional => Ok(None),
        Kind::Other => Err(Unsupported),
    }
}

/// As `description`, where there is nobody to be told 415: an answer, or an offer checked before. Empty if there is none.
pub fn sdp<'a>(msg: &Message<'a>) -> &'a [u8] {
    description(msg).ok().flatten().unwrap_or_default()
}

enum Kind<'a> {
    Sdp,
    Multipart { boundary: &'a [u8] },
    Other,
}

impl<'a> Kind<'a> {
    fn of(content_type: &'a [u8]) -> Kind<'a> {
        let (kind, params) = split_params(content_type);
        if kind.eq_ignore_ascii_case(b"application/sdp") {
            return Kind::Sdp;
        }
        let is_multipart = [&b"multipart/mixed"[..], b"multipart/alternative", b"multipart/related"]
            .iter()
            .any(|known| kind.eq_ignore_ascii_case(known));
        match params.get("boundary").flatten() {
            Some(boundary) if is_multipart && (1..=LONGEST_BOUNDARY).contains(&boundary.len()) => {
                Kind::Multipart { boundary }
            }
            _ => Kind::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handling {
    Required,
    Optional,
    Unsaid,
}

fn handling(disposition: Option<&[u8]>) -> Handling {
    match split_params(disposition.unwrap_or_default()).1.get("handling").flatten() {
        Some(how) if how.eq_ignore_ascii_case(b"optional") => Handling::Optional,
        Some(how) if how.eq_ignore_ascii_case(b"required") => Handling::Required,
        _ => Handling::Unsaid,
    }
}

/// The first description among the parts. RFC 5621 s3 would have a part required unless it says otherwise; a call is not
/// refused here for a location or a business card that nobody marked.
fn in_parts<'a>(body: &'a [u8], boundary: &[u8]) -> Result<Option<&'a [u8]>, Unsupported> {
    let mut description = None;
    for part in Parts::new(body, boundary).take(MOST_PARTS) {
        let (head, content) = split_head(part);
        match Kind::of(header(head, b"content-type").unwrap_or_default()) {
            Kind::Sdp => description = description.or(Some(content)),
            Kind::Multipart { .. } | Kind::Other
                if handling(header(head, b"content-disposition")) == Handling::Required =>
            {
                return Err(Unsupported);
            }
            Kind::Multipart { .. } | Kind::Other => {}
        }
    }
    Ok(description)
}

/// What stands between the delimiter lines, each with its own head.
struct Parts<'a> {
    rest: &'a [u8],
    delimiter: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn new(body: &'a [u8], boundary: &[u8]) -> Parts<'a> {
        let delimiter = [b"--", boundary].concat();
        let mut parts = Parts { rest: body, delimiter };
        // The preamble is for readers of another age.
        parts.next_delimiter();
        parts
    }

    /// What comes before the next delimiter line; goes on behind that line.
    fn next_delimiter(&mut self) -> Option<&'a [u8]> {
        let mut from = 0;
        loop {
            let at = from + memmem::find(self.rest.get(from..)?, &self.delimiter)?;
            let behind = &self.rest[at + self.delimiter.len()..];
            let starts_line = at == 0 || self.rest[at - 1] == b'\n';
            // The boundary may be the beginning of a longer one, which is another.
            let ends = behind.first().is_none_or(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t' | b'-'));
            if starts_line && ends {
                let before = &self.rest[..at];
                let before = before.strip_suffix(b"\n").unwrap_or(before);
                let line = memchr::memchr(b'\n', behind).map_or(behind.len(), |end| end + 1);
                // `--` behind it: the last one.
                self.rest = if behind.starts_with(b"--") { b"" } else { &behind[line..] };
                return Some(before.strip_suffix(b"\r").unwrap_or(before));
            }
            from = at + 1;
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.next_delimiter()
    }
}

/// A part's head and, behind the empty line, its content.
fn split_head(part: &[u8]) -> (&[u8], &[u8]) {
    if let Some(content) = part.strip_prefix(b"\r\n").or(part.strip_prefix(b"\n")) {
        return (b"", content);
    }
    let found = [&b"\r\n\r\n"[..], b"\n\n"].iter().filter_map(|gap| Some((memmem::find(part, gap)?, gap.len()))).min();
    match found {
        Some((at, gap)) => (&part[..at], &part[at + gap..]),
        None => (part, b""),
    }
}

fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|b| *b == b'\n').find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        line[..colon].trim_ascii().eq_ignore_ascii_case(name).then(|| line[colon + 1..].trim_ascii())
    })
}

fn split_params(value: &[u8]) -> (&[u8], Params<'_>) {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    (value[..end].trim_ascii(), Params(&value[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Framing;

    fn read(headers: &str, body: &str) -> Result<Option<String>, Unsupported> {
        let text = format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\n\
             Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let msg = Message::parse(text.as_bytes(), Framing::Stream).expect("well-formed");
        description(&msg).map(|found| found.map(|sdp| String::from_utf8(sdp.to_vec()).unwrap()))
    }

    const MIXED: &str = "Content-Type: multipart/mixed;boundary=\"b 1\"\r\n";

    #[test]
    fn one_body() {
        for (headers, body, found) in [
            ("", "", Ok(None)),
            ("c: Application/SDP;charset=utf-8\r\n", "v=0", Ok(Some("v=0"))),
            ("Content-Type: text/plain\r\n", "v=0", Err(Unsupported)),
            ("Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n", "hello", Ok(None)),
            ("", "v=0", Err(Unsupported)),
            ("Content-Type: multipart/mixed\r\n", "--x\r\n\r\nv=0", Err(Unsupported)),
            ("Content-Type: multipart/mixed;boundary=\r\n", "--\r\n\r\nv=0", Err(Unsupported)),
        ] {
            assert_eq!(read(headers, body), found.map(|f| f.map(String::from)), "{headers}{body}");
        }
    }

    #[test]
    fn parts() {
        let sdp = "Content-Type: application/sdp\r\n\r\nv=0\r\na=x\r\n";
        let isup = |handling: &str| {
            format!("content-type:application/isup\r\nContent-Disposition: signal{handling}\r\n\r\n\u{1}\u{0}--b 2\r\n")
        };
        let all = Ok(Some("v=0\r\na=x\r\n".to_owned()));
        for (body, found) in [
            (format!("--b 1\r\n{sdp}\r\n--b 1--\r\n"), all.clone()),
            (
                format!("preamble\r\n--b 1\r\n{}\r\n--b 1  \r\n{sdp}\r\n--b 1--epilogue", isup(";handling=optional")),
                all.clone(),
            ),
            (format!("--b 1\r\n{sdp}\r\n--b 1\r\n{}\r\n--b 1--", isup("")), all.clone()),
            (format!("--b 1\r\n{sdp}\r\n--b 1\r\n{}\r\n--b 1--", isup(";handling=Required")), Err(Unsupported)),
            // Only line feeds; the longer boundary is another one's.
            ("--b 1\nContent-Type: application/sdp\n\nv=0\n--b 12\n\n--b 1--".into(), Ok(Some("v=0\n--b 12\n".into()))),
            ("--b 1\r\n\r\nno head\r\n--b 1--".into(), Ok(None)),
            (format!("--b 1--\r\n--b 1\r\n{sdp}"), Ok(None)),
            ("no delimiter".into(), Ok(None)),
            ("--b 1\r\nContent-Type: application/sdp\r\n--b 1--".into(), Ok(Some(String::new()))),
            // Never closed: what there is of it counts for nothing.
            (format!("--b 1\r\n{sdp}"), Ok(None)),
            (format!("{}--b 1\r\n{sdp}\r\n--b 1--", "--b 1\r\n\r\nx\r\n".repeat(MOST_PARTS)), Ok(None)),
        ] {
            assert_eq!(read(MIXED, &body), found, "{body:?}");
        }
    }
}
