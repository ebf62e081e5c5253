//! Whom a STUN check is for, read before anything is believed (RFC 8489 s5, s14; RFC 8445 s7.2.2). Belongs here: finding the
//! user name. Not here: its proof, which the session it names checks (`session`).

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const REQUEST: [u8; 2] = [0x00, 0x01];
const SUCCESS: [u8; 2] = [0x01, 0x01];
const USERNAME: u16 = 0x0006;

/// STUN, by its first octet (RFC 7983 s7).
pub fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, ..])
}

/// An answer to a check: sent only when the check was proved genuine.
pub fn is_proof(datagram: &[u8]) -> bool {
    datagram.starts_with(&SUCCESS)
}

/// Our part of the user name in a connectivity check, `ours:theirs`. `None`: no check, and nothing else is awaited.
pub fn named(datagram: &[u8]) -> Option<&str> {
    let (header, mut attributes) = datagram.split_at_checked(HEADER)?;
    let declared = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[..2] != REQUEST || header[4..8] != COOKIE || declared != attributes.len() {
        return None;
    }
    loop {
        let (head, rest) = attributes.split_first_chunk::<4>()?;
        let (kind, len) = (u16::from_be_bytes([head[0], head[1]]), usize::from(u16::from_be_bytes([head[2], head[3]])));
        if kind == USERNAME {
            return std::str::from_utf8(rest.get(..len)?).ok()?.split_once(':').map(|(ours, _)| ours);
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend((value.len() as u16).to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut datagram = REQUEST.to_vec();
        datagram.extend((body.len() as u16).to_be_bytes());
        datagram.extend(COOKIE);
        datagram.extend([7; 12]);
        datagram.extend(body);
        datagram
    }

    #[test]
    fn the_name_is_found_behind_other_attributes() {
        let datagram = check(&[(0x0024, &[0; 4]), (0x8022, b"odd"), (USERNAME, b"ours:theirs")]);
        assert_eq!(named(&datagram), Some("ours"));
    }

    #[test]
    fn what_is_no_check_names_nobody() {
        let valid = check(&[(USERNAME, b"ours:theirs")]);
        assert!(named(&valid).is_some());
        for len in 0..valid.len() {
            assert_eq!(named(&valid[..len]), None, "cut to {len} octets");
        }
        for (at, octet, what) in [(0, 1, "an answer"), (4, 0, "another cookie"), (3, 255, "a length that lies")] {
            let mut datagram = valid.clone();
            datagram[at] = octet;
            assert_eq!(named(&datagram), None, "{what}");
        }
        assert_eq!(named(&check(&[])), None);
        assert_eq!(named(&check(&[(USERNAME, b"no colon")])), None);
        assert_eq!(named(&check(&[(USERNAME, b"\xFF:x")])), None);
        let mut beyond = check(&[(USERNAME, b"ours:theirs")]);
        beyond[23] = 200;
        assert_eq!(named(&beyond), None, "an attribute past the end");
    }
}
