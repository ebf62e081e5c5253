//! The parameters of a digest challenge or of its answer (RFC 7616 s3.3, s3.4; RFC 3261 s25.1): the tolerant parser. Not
//! here: which parameters there are (`credentials`, `client`). White space, folds and quoting do not matter.

/// Names and values as sent: quotes stripped, escapes kept, which is how they enter the hash. Nothing follows a fault.
pub(super) struct Parameters<'a>(Option<&'a [u8]>);

impl<'a> Parameters<'a> {
    /// `None`: another scheme than Digest.
    pub fn of(value: &'a [u8]) -> Option<Parameters<'a>> {
        let (scheme, after) = value.trim_ascii().split_at_checked(6)?;
        let is_digest = scheme.eq_ignore_ascii_case(b"Digest") && after.first().is_none_or(u8::is_ascii_whitespace);
        is_digest.then_some(Parameters(Some(after)))
    }

    /// Without a scheme before them: `Authentication-Info`.
    pub fn bare(value: &'a [u8]) -> Parameters<'a> {
        Parameters(Some(value))
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        match parameter(self.0.take()?) {
            Ok(Some((name, value, after))) => {
                self.0 = Some(after);
                Some(Ok((name, value)))
            }
            Ok(None) => None,
            Err(fault) => Some(Err(fault)),
        }
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
