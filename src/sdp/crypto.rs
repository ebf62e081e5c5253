//! `a=crypto`: keys in a description (RFC 4568; RFC 7714 s14 for the AEAD suites). Belongs here: reading and writing the
//! line. Not here: which line is taken (`offer_answer`), where our keys come from (`encryption`).
//!
//! We speak one key per line, without key identifier (MKI), and no session parameter that changes what packets look
//! like: a line that wants more is refused with its reason, and the next one may do.

use crate::plane::srtp::{MasterKey, Suite};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine};
use std::fmt::Write;

/// Key and salt of the longest suite are 60 characters; more is no key.
const LONGEST_KEY: usize = 64;
/// RFC 3711 s9.2: no key may encrypt more packets.
const LONGEST_LIFE: u64 = 1 << 48;
/// Some phones leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One line that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Names the line within its section; an answer repeats it.
    pub tag: u32,
    pub suite: Suite,
    pub key: MasterKey,
    /// Packets the sender means to encrypt with the key before it sends another; `None`: as many as the suite allows.
    pub lifetime: Option<u64>,
}

/// `1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20 WSH=64`. Errors name the fault.
pub fn read(value: &[u8]) -> Result<Crypto, &'static str> {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let (Some(tag), Some(suite), Some(keys)) = (words.next(), words.next(), words.next()) else {
        return Err("a=crypto malformed");
    };
    let tag = tag_number(tag).ok_or("a=crypto with a malformed tag")?;
    let suite = Suite::ALL.into_iter().find(|s| suite.eq_ignore_ascii_case(name(*s).as_bytes()));
    let suite = suite.ok_or("a=crypto with an unknown suite")?;
    let (key, lifetime) = inline(suite, keys)?;
    if !words.all(changes_nothing) {
        return Err("a=crypto with a session parameter we do not speak");
    }
    Ok(Crypto { tag, suite, key, lifetime })
}

/// Adds the line.
pub fn write(text: &mut String, tag: u32, suite: Suite, key: &MasterKey) {
    let key = STANDARD.encode([key.key(suite), key.salt(suite)].concat());
    // Writing to a String cannot fail.
    let _ = write!(text, "a=crypto:{tag} {} inline:{key}\r\n", name(suite));
}

fn name(suite: Suite) -> &'static str {
    match suite {
        Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
        Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        Suite::AeadAes256Gcm => "AEAD_AES_256_GCM",
    }
}

/// s9.1: one to nine digits. One that we could not repeat as it stands (`01`) is none.
fn tag_number(digits: &[u8]) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits.first() != Some(&b'0'));
    let text = std::str::from_utf8(digits).ok().filter(|_| plain && digits.len() <= 9)?;
    text.parse().ok()
}

/// `inline:key[|lifetime][|MKI:length]`
fn inline(suite: Suite, keys: &[u8]) -> Result<(MasterKey, Option<u64>), &'static str> {
    let keys = keys
        .split_at_checked(7)
        .filter(|(method, _)| method.eq_ignore_ascii_case(b"inline:"))
        .map(|(_, rest)| rest)
        .ok_or("a=crypto whose key is not inline")?;
    if keys.contains(&b';') {
        return Err("a=crypto with several keys");
    }
    let mut parts = keys.split(|&b| b == b'|');
    let key = parts.next().filter(|k| k.len() <= LONGEST_KEY).ok_or("a=crypto whose key is too long")?;
    let mut octets = [0; LONGEST_KEY];
    let len = BASE64.decode_slice(key, &mut octets).map_err(|_| "a=crypto whose key is not base64")?;
    let key = MasterKey::new(suite, &octets[..len]).ok_or("a=crypto whose key has not its suite's length")?;
    let mut life = None;
    for part in parts {
        if part.contains(&b':') {
            return Err("a=crypto with a key identifier (MKI)");
        }
        let packets = lifetime(part).filter(|_| life.is_none()).ok_or("a=crypto with a malformed lifetime")?;
        life = Some(packets);
    }
    Ok((key, life))
}

/// `2^20`, or the number itself.
fn lifetime(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    let packets = match text.strip_prefix("2^") {
        Some(power) => number(power).filter(|p| *p < 64).map(|p: u64| 1 << p),
        None => number(text),
    };
    packets.filter(|packets| (1..=LONGEST_LIFE).contains(packets))
}

/// s6.3: the others change keys or packets. The window is a hint (s6.3.7); what begins with `-` may be left aside.
fn changes_nothing(parameter: &[u8]) -> bool {
    parameter.starts_with(b"-") || parameter.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"WSH="))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY30: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    const KEY28: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==";
    const KEY44: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=";

    #[test]
    fn lines_as_phones_send_them() {
        for (line, expected) in [
            // RFC 4568 s4.1, s9.1 and as Snom, Yealink, Grandstream, Cisco and Linphone write.
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30", Ok((1, Suite::AesCm128HmacSha1_80, None))),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|2^20", Ok((1, Suite::AesCm128HmacSha1_80, Some(1 << 20)))),
            ("12 aes_cm_128_hmac_sha1_32  INLINE:30|2^48", Ok((12, Suite::AesCm128HmacSha1_32, Some(1 << 48)))),
            (
                "999999999 AES_CM_128_HMAC_SHA1_32 inline:30|1000",
                Ok((999_999_999, Suite::AesCm128HmacSha1_32, Some(1_000))),
            ),
            ("3 AEAD_AES_128_GCM inline:28", Ok((3, Suite::AeadAes128Gcm, None))),
            ("4 AEAD_AES_256_GCM inline:44 WSH=128 -x=1", Ok((4, Suite::AeadAes256Gcm, None))),
            // Without padding.
            ("3 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw", Ok((3, Suite::AeadAes128Gcm, None))),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|2^20|1:32", Err("a=crypto with a key identifier (MKI)")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|1:4", Err("a=crypto with a key identifier (MKI)")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|1:4;inline:30|2:4", Err("a=crypto with several keys")),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:30 UNENCRYPTED_SRTP",
                Err("a=crypto with a session parameter we do not speak"),
            ),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30 KDR=1", Err("a=crypto with a session parameter we do not speak")),
            ("1 F8_128_HMAC_SHA1_80 inline:30", Err("a=crypto with an unknown suite")),
            ("1 AES_256_CM_HMAC_SHA1_80 inline:30", Err("a=crypto with an unknown suite")),
            ("01 AES_CM_128_HMAC_SHA1_80 inline:30", Err("a=crypto with a malformed tag")),
            ("1234567890 AES_CM_128_HMAC_SHA1_80 inline:30", Err("a=crypto with a malformed tag")),
            ("-1 AES_CM_128_HMAC_SHA1_80 inline:30", Err("a=crypto with a malformed tag")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:28", Err("a=crypto whose key has not its suite's length")),
            ("1 AEAD_AES_256_GCM inline:30", Err("a=crypto whose key has not its suite's length")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:", Err("a=crypto whose key has not its suite's length")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:3030", Err("a=crypto whose key is too long")),
            (
                "1 AES_CM_128_HMAC_SHA1_80 inline:?VNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
                Err("a=crypto whose key is not base64"),
            ),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|2^49", Err("a=crypto with a malformed lifetime")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|2^99999999999999999999", Err("a=crypto with a malformed lifetime")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|0", Err("a=crypto with a malformed lifetime")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|", Err("a=crypto with a malformed lifetime")),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:30|2^20|2^21", Err("a=crypto with a malformed lifetime")),
            ("1 AES_CM_128_HMAC_SHA1_80 uri:30", Err("a=crypto whose key is not inline")),
            ("1 AES_CM_128_HMAC_SHA1_80", Err("a=crypto malformed")),
            ("", Err("a=crypto malformed")),
        ] {
            let text = line.replace(":30", &format!(":{KEY30}")).replace(":28", &format!(":{KEY28}"));
            let text = text.replace(":44", &format!(":{KEY44}")).replace(&format!("{KEY30}30"), &KEY30.repeat(2));
            let found = read(text.as_bytes()).map(|c| (c.tag, c.suite, c.lifetime));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (n, suite) in (1..).zip(Suite::ALL) {
            let octets: Vec<u8> = (100..).take(suite.key_len() + suite.salt_len()).collect();
            let key = MasterKey::new(suite, &octets).unwrap();
            let mut text = String::new();
            write(&mut text, n, suite, &key);
            let value = text.strip_prefix("a=crypto:").unwrap().strip_suffix("\r\n").unwrap();
            assert_eq!(read(value.as_bytes()), Ok(Crypto { tag: n, suite, key, lifetime: None }));
        }
    }
}
