//! Reads one `Authorization` value (RFC 7616 s3.4, RFC 3261 s25.1). Belongs here: the tolerant parser.
//! Not here: judging what it says. Order, white space, folds, case of names and quoting do not matter; a parameter
//! given twice does, because two readers could then disagree on who is asking.

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
        let mut rest = value.trim_ascii();
        let Some((scheme, after)) = rest.split_at_checked(6) else { return Ok(None) };
        if !scheme.eq_ignore_ascii_case(b"Digest") || !after.first().is_none_or(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        rest = after;
        let mut found = Credentials::default();
        while let Some((name, value, after)) = parameter(rest)? {
            rest = after;
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

/// Name, value and what follows; `None` at the end.
type Parameter<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn parameter(input: &[u8]) -> Result<Option<Parameter<'_>>, &'static str> {
    let start = input.iter().position(|b| !b.is_ascii_whitespace() && *b != b',');
    let Some(start) = start else { return Ok(None) };
    let input = &input[start..];
    let eq = input.iter().position(|b| matches!(b, b'=' | b',' | b'"')).filter(|&i| input[i] == b'=');
    let (name, value) = input.split_at(eq.ok_or("a digest parameter has no value")?);
    let name = name.trim_ascii();
    if name.is_empty() {
        return Err("a digest parameter has no name");
    }
    let value = value[1..].trim_ascii_start();
    if value.first() != Some(&b'"') {
        let end = value.iter().position(|b| *b == b',' || b.is_ascii_whitespace()).unwrap_or(value.len());
        let (token, after) = value.split_at(end);
        return separated(after).map(|after| Some((name, token, after)));
    }
    let inner = &value[1..];
    let mut escaped = false;
    let end = inner.iter().position(|b| {
        let closes = *b == b'"' && !escaped;
        escaped = *b == b'\\' && !escaped;
        closes
    });
    let end = end.ok_or("a quoted digest parameter does not end")?;
    separated(&inner[end + 1..]).map(|after| Some((name, &inner[..end], after)))
}

/// After a value only white space and then a comma or the end may follow.
fn separated(after: &[u8]) -> Result<&[u8], &'static str> {
    let after = after.trim_ascii_start();
    if after.first().is_none_or(|b| *b == b',') {
        Ok(after)
    } else {
        Err("digest parameters are not separated by commas")
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
