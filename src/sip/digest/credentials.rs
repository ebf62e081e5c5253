//! Reads one `Authorization` value (RFC 7616 s3.4, RFC 3261 s25.1). Belongs here: which parameters there are. Not here:
//! their syntax (`parameters`), judging what it says. A parameter given twice is a fault, because two readers could then
//! disagree on who is asking.

use super::parameters::Parameters;

/// The parameters as sent: quotes stripped, escapes kept, which is how they enter the hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    pub username: Option<&'a [u8]>,
    pub realm: Option<&'a [u8]>,
    pub nonce: Option<&'a [u8]>,
    pub uri: Option<&'a [u8]>,
    pub response: Option<&'a [u8]>,
    pub algorithm: Option<&'a [u8]>,
    pub cnonce: Option<&'a [u8]>,
    pub qop: Option<&'a [u8]>,
    pub nc: Option<&'a [u8]>,
}

impl<'a> Credentials<'a> {
    /// `Ok(None)`: another scheme than Digest.
    pub fn parse(value: &'a [u8]) -> Result<Option<Credentials<'a>>, &'static str> {
        let Some(parameters) = Parameters::of(value) else { return Ok(None) };
        let mut found = Credentials::default();
        for parameter in parameters {
            let (name, value) = parameter?;
            let Some(slot) = found.slot(name) else { continue };
            if slot.replace(value).is_some() {
                return Err("a digest parameter is given twice");
            }
        }
        Ok(Some(found))
    }

    /// Unknown parameters (opaque, userhash, auth-param extensions) have none.
    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        Some(match name.to_ascii_lowercase().as_slice() {
            b"username" => &mut self.username,
            b"realm" => &mut self.realm,
            b"nonce" => &mut self.nonce,
            b"uri" => &mut self.uri,
            b"response" => &mut self.response,
            b"algorithm" => &mut self.algorithm,
            b"cnonce" => &mut self.cnonce,
            b"qop" => &mut self.qop,
            b"nc" => &mut self.nc,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        match Credentials::parse(value.as_bytes()) {
            Err(why) => format!("! {why}"),
            Ok(None) => "-".into(),
            Ok(Some(c)) => {
                let text = |v: Option<&[u8]>| v.map_or("_".into(), |v| String::from_utf8_lossy(v).into_owned());
                [c.username, c.realm, c.nonce, c.uri, c.response, c.algorithm, c.cnonce, c.qop, c.nc]
                    .map(text)
                    .join("|")
            }
        }
    }

    #[test]
    fn forms_met_in_the_field() {
        let full = "8001|city|n|sip:city|00|MD5|c|auth|00000001";
        for (value, wanted) in [
            // RFC 3261's own order and quoting
            (
                r#"Digest username="8001",realm="city",nonce="n",uri="sip:city",response="00",algorithm=MD5,cnonce="c",qop=auth,nc=00000001"#,
                full,
            ),
            // other order, spaces, quoted tokens, names in capitals, trailing comma, unknown parameters
            (
                r#"digest  NC = "00000001" , QOP="auth",cnonce=c, Algorithm="MD5" ,opaque="",response=00,uri="sip:city",nonce="n",realm="city",username=8001,x-y="a,b",,"#,
                full,
            ),
            // folded over three lines
            (
                "Digest username=\"8001\",\r\n realm=\"city\", nonce=\"n\",uri=\"sip:city\",\r\n\tresponse=\"00\",algorithm=MD5,cnonce=\"c\",qop=auth,nc=00000001",
                full,
            ),
            // commas, equals signs and escaped quotes inside quotes
            (
                r#"Digest username="a\"b,c=d",realm="\\",uri="sip:a@b;x=1?y=2""#,
                r#"a\"b,c=d|\\|_|sip:a@b;x=1?y=2|_|_|_|_|_"#,
            ),
            (r#"Digest username="""#, "|_|_|_|_|_|_|_|_"),
            ("Digest", "_|_|_|_|_|_|_|_|_"),
            ("Digest ", "_|_|_|_|_|_|_|_|_"),
            // other schemes
            ("Basic QWxhZGRpbjpvcGVu", "-"),
            ("DigestX username=a", "-"),
            ("", "-"),
            // faults
            (r#"Digest username="8001",username="8002""#, "! a digest parameter is given twice"),
            (r#"Digest username="8001"#, "! a quoted digest parameter does not end"),
            (r#"Digest username="8001\""#, "! a quoted digest parameter does not end"),
            ("Digest username", "! a digest parameter has no value"),
            ("Digest username, realm=x", "! a digest parameter has no value"),
            ("Digest =x", "! a digest parameter has no name"),
            (r#"Digest username="8001"realm="city""#, "! digest parameters are not separated by commas"),
            ("Digest username=8001 realm=city", "! digest parameters are not separated by commas"),
        ] {
            assert_eq!(shown(value), wanted, "{value}");
        }
    }

    /// Whatever the bytes, the parser ends and never panics.
    #[test]
    fn any_prefix_of_any_mutation() {
        let seed = br#"Digest username="8001", realm="city", nonce="n\"", uri=sip:x, response="00", nc=1"#;
        for at in 0..seed.len() {
            for byte in [0, b'"', b',', b'=', b'\\', b' ', b'\r', 0xff] {
                let mut bytes = seed.to_vec();
                bytes[at] = byte;
                for end in 0..=bytes.len() {
                    let _ = Credentials::parse(&bytes[..end]);
                }
            }
        }
    }
}
