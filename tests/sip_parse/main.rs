//! The message layer against messages: RFC 4475's points, what carriers and phones send, the `rsip` crate as a second
//! opinion, and mutated bytes. Grammar details are unit tests beside the code.

mod carriers;
mod door;
mod exercise;
mod mutation;
mod oracle;
mod torture;

/// A message written with LF line ends and `@` for its Content-Length, as it stands on the wire. Bytes after the first
/// empty line are the body and only text bodies (`crlf_body`) get their line ends changed.
fn wire(text: &[u8], crlf_body: bool) -> Vec<u8> {
    let split = text.windows(2).position(|w| w == b"\n\n").map_or(text.len(), |i| i + 2);
    let (head, body) = text.split_at(split);
    let crlf =
        |bytes: &[u8]| bytes.iter().flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect();
    let body: Vec<u8> = if crlf_body { crlf(body) } else { body.to_vec() };
    let mut out: Vec<u8> = crlf(head);
    if let Some(at) = out.windows(3).position(|w| w == b" @\r") {
        out.splice(at + 1..at + 2, body.len().to_string().into_bytes());
    }
    out.extend(body);
    out
}

fn carrier_invite() -> Vec<u8> {
    wire(include_bytes!("carrier_invite.txt"), true)
}

/// RFC 4475's own bytes, where the folder is at hand; says so where it is not.
fn rfc_4475_bytes() -> Vec<(String, Vec<u8>)> {
    let folder = std::env::var("REXIAN_TORTURE").unwrap_or_else(|_| "../shared/torture".to_owned());
    let candidates = [folder, "../../shared/torture".to_owned()];
    let Some(entries) = candidates.iter().find_map(|f| std::fs::read_dir(f).ok()) else {
        eprintln!("SKIPPED: RFC 4475's own bytes are not in ../shared/torture nor where REXIAN_TORTURE points");
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "dat"))
        .map(|p| (p.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&p).unwrap()))
        .collect();
    files.sort();
    files
}
