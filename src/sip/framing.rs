//! Cutting a byte stream into SIP messages (RFC 3261 s7.5, s18.3; keep-alives RFC 5626 s4.4.1). Pure: bytes in, frames
//! out. Not here: sockets (`net`), judging the message (`message::parse`).
//!
//! Content-Length alone says where a message ends, so one that is missing, malformed or given twice leaves the rest of
//! the stream without meaning: the connection must be closed. So must one whose sender exceeds the bounds.
//! At most one message is kept (64 KiB); how long a peer may take to complete it is the shell's timer.

use super::message::{MAX_HEADER_SECTION, MAX_MESSAGE, Name};

/// What came next on the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// One whole message, for [`super::message::Message::parse`] with `Framing::Stream`.
    Message(&'a [u8]),
    /// CRLF CRLF between messages: answer CRLF (RFC 5626 s3.5.1). A single CRLF is skipped.
    Ping,
}

/// The stream cannot be followed any further: close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What a request at fault should be answered (400, 513), best effort, before closing.
    pub status: u16,
    pub reason: &'static str,
}

/// The cutter of one connection.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    buf: Vec<u8>,
    /// Bytes at the front already handed out.
    used: usize,
    /// Within the unused bytes: no end of headers lies before this.
    searched: usize,
    /// Length of the message at the front, once its headers are complete.
    length: Option<usize>,
    /// One CRLF of a ping has come.
    half_ping: bool,
    broken: Option<Broken>,
}

impl Framer {
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Adds received bytes. Call [`Framer::next`] until `None` after each; then at most one unfinished message is kept.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        if self.used > 0 {
            self.buf.drain(..self.used);
            self.used = 0;
        }
        self.buf.extend_from_slice(bytes);
    }

    /// The next frame; `None`: more bytes are needed. After `Broken` nothing else comes.
    #[allow(clippy::should_implement_trait)] // it lends
    pub fn next(&mut self) -> Option<Result<Frame<'_>, Broken>> {
        if let Some(broken) = self.broken {
            return Some(Err(broken));
        }
        let length = match self.length {
            Some(length) => length,
            None => {
                while self.buf[self.used..].starts_with(b"\r\n") {
                    self.used += 2;
                    self.half_ping = !self.half_ping;
                    if !self.half_ping {
                        return Some(Ok(Frame::Ping));
                    }
                }
                match self.buf[self.used..] {
                    [] => {
                        // An idle connection keeps no large buffer.
                        if self.buf.capacity() > 4096 {
                            self.buf = Vec::new();
                            self.used = 0;
                        }
                        return None;
                    }
                    [b'\r'] => return None,
                    _ => {}
                }
                match self.measure() {
                    Ok(length) => *self.length.insert(length?),
                    Err(broken) => {
                        self.broken = Some(broken);
                        self.buf = Vec::new();
                        self.used = 0;
                        return Some(Err(broken));
                    }
                }
            }
        };
        let start = self.used;
        let message = self.buf.get(start..start + length)?;
        self.used += length;
        self.searched = 0;
        self.length = None;
        self.half_ping = false;
        Some(Ok(Frame::Message(message)))
    }

    /// Bytes waiting for the rest of their message: a peer that leaves some for long is to be cut off.
    pub fn pending(&self) -> usize {
        self.buf.len() - self.used
    }

    /// The length of the message at the front, `None` while its headers are not complete.
    fn measure(&mut self) -> Result<Option<usize>, Broken> {
        let bytes = &self.buf[self.used..];
        // TLS or something else altogether need not be waited for.
        if !bytes[0].is_ascii_graphic() {
            return Err(Broken { status: 400, reason: "Not SIP" });
        }
        let window = &bytes[..bytes.len().min(MAX_HEADER_SECTION)];
        let Some(end) = memchr::memmem::find(&window[self.searched..], b"\r\n\r\n") else {
            if bytes.len() >= MAX_HEADER_SECTION {
                return Err(Broken { status: 513, reason: "Header section larger than 32 KiB" });
            }
            self.searched = bytes.len().saturating_sub(3);
            return Ok(None);
        };
        let headers = &window[..self.searched + end + 2];
        let length = headers.len() + 2 + content_length(headers)?;
        if length > MAX_MESSAGE {
            return Err(Broken { status: 513, reason: "Message larger than 65535 bytes" });
        }
        Ok(Some(length))
    }
}

/// Content-Length of a header section (each line with its CRLF).
fn content_length(headers: &[u8]) -> Result<usize, Broken> {
    let mut found = None;
    let mut at = 0;
    while at < headers.len() {
        let mut end = at;
        // A fold belongs to the line before it.
        loop {
            end = memchr::memchr(b'\n', &headers[end..]).map_or(headers.len(), |i| end + i + 1);
            if !matches!(headers.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let line = &headers[at..end];
        at = end;
        if !matches!(line[0] | 0x20, b'c' | b'l') {
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        if Name::recognise(line[..colon].trim_ascii_end()) != Some(Name::ContentLength) {
            continue;
        }
        let digits = line[colon + 1..].trim_ascii();
        if found.is_some() {
            return Err(Broken { status: 400, reason: "Second Content-Length header" });
        }
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Broken { status: 400, reason: "Content-Length malformed" });
        }
        // Saturates: whatever is larger than the largest message is refused alike.
        found = Some(digits.iter().fold(0usize, |n, d| (n * 10 + usize::from(d - b'0')).min(MAX_MESSAGE + 1)));
    }
    found.ok_or(Broken { status: 400, reason: "Content-Length missing" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, body: &str) -> String {
        format!("OPTIONS sip:{name} SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nl : {}\r\n\r\n{body}", body.len())
    }

    /// Frames as text, until the cutter wants more or gives up.
    fn drain(framer: &mut Framer) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(frame) = framer.next() {
            match frame {
                Ok(Frame::Message(m)) => out.push(String::from_utf8(m.to_vec()).unwrap()),
                Ok(Frame::Ping) => out.push("ping".into()),
                Err(b) => {
                    out.push(format!("{} {}", b.status, b.reason));
                    break;
                }
            }
        }
        out
    }

    #[test]
    fn same_frames_however_the_stream_is_cut() {
        let (a, b, c) = (message("a", ""), message("b", "x\r\n\r\ny"), message("c", "SIP/2.0"));
        let stream = format!("\r\n\r\n{a}{b}\r\n\r\n\r\n{c}");
        let want = vec!["ping".to_owned(), a, b, "ping".into(), c];
        for piece in 1..=stream.len() {
            let mut framer = Framer::new();
            let mut got = Vec::new();
            for bytes in stream.as_bytes().chunks(piece) {
                framer.push(bytes);
                got.extend(drain(&mut framer));
            }
            assert_eq!(got, want, "pieces of {piece}");
            assert_eq!(framer.pending(), 0);
        }
    }

    #[test]
    fn lengths_that_leave_the_stream_without_meaning() {
        let rows = [
            ("Via: x\r\n", "400 Content-Length missing"),
            ("l: 1\r\nContent-Length: 1\r\n", "400 Second Content-Length header"),
            ("l: 1\r\nl: 2\r\n", "400 Second Content-Length header"),
            ("l: -1\r\n", "400 Content-Length malformed"),
            ("l: +1\r\n", "400 Content-Length malformed"),
            ("l: 1, 1\r\n", "400 Content-Length malformed"),
            ("l: 0x10\r\n", "400 Content-Length malformed"),
            ("l:\r\n", "400 Content-Length malformed"),
            ("l: 65535\r\n", "513 Message larger than 65535 bytes"),
            ("l: 99999999999999999999999999999999\r\n", "513 Message larger than 65535 bytes"),
        ];
        for (headers, want) in rows {
            let mut framer = Framer::new();
            framer.push(format!("OPTIONS sip:a SIP/2.0\r\n{headers}\r\n").as_bytes());
            assert_eq!(drain(&mut framer), [want], "{headers}");
            framer.push(message("a", "").as_bytes());
            assert_eq!(drain(&mut framer), [want], "nothing is believed afterwards");
        }
    }

    #[test]
    fn folded_length_and_a_length_inside_a_fold() {
        let mut framer = Framer::new();
        let text = "A sip:a SIP/2.0\r\nSubject: x\r\n Content-Length: 9\r\nContent-Length:\r\n 2\r\n\r\nokA";
        framer.push(text.as_bytes());
        assert_eq!(drain(&mut framer), [&text[..text.len() - 1]]);
    }

    #[test]
    fn a_sender_without_end_is_cut_off_and_nothing_is_kept() {
        let mut framer = Framer::new();
        let mut frames = Vec::new();
        for _ in 0..100 {
            framer.push(&[b'a'; 1_000]);
            assert!(framer.pending() <= MAX_HEADER_SECTION + 1_000);
            frames.extend(drain(&mut framer));
            if !frames.is_empty() {
                break;
            }
        }
        assert_eq!(frames, ["513 Header section larger than 32 KiB"]);
        assert_eq!(framer.pending(), 0);
    }
}
