//! One SIP message on the wire, as the tap saw it.

use crate::sip::flow::Flow;
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub flow: Flow,
    pub way: Way,
    pub bytes: Vec<u8>,
}

impl Seen {
    /// The value of the first header line of this name or compact form, trimmed; for messages of any shape.
    pub fn header(&self, name: &str, compact: Option<u8>) -> Option<&[u8]> {
        lines(&self.bytes).skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
            let colon = line.iter().position(|&b| b == b':')?;
            let found = line[..colon].trim_ascii();
            let matches = found.eq_ignore_ascii_case(name.as_bytes())
                || (found.len() == 1 && compact.is_some_and(|c| found[0].eq_ignore_ascii_case(&c)));
            matches.then(|| line[colon + 1..].trim_ascii())
        })
    }

    pub fn sip_call_id(&self) -> Option<&[u8]> {
        self.header("Call-ID", Some(b'i')).filter(|id| (1..=256).contains(&id.len()))
    }

    pub fn first_line(&self) -> &[u8] {
        lines(&self.bytes).next().unwrap_or_default()
    }
}

/// Lines without their ends; the empty one parts header and body.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
