//! Texts that stand for values: durations, sockets, words of a list; and the word that was meant. Belongs here: reading one
//! text. Not here: where it stands (`reader`).

use std::net::SocketAddr;
use std::time::Duration;
use toml_edit::Value;

pub(super) const SOCKET_FIX: &str = r#"write it as "10.1.0.5:5060" or "[fd00::5]:5060", port above 0"#;

pub(super) fn socket(value: &Value) -> Option<SocketAddr> {
    value.as_str()?.parse().ok().filter(|s: &SocketAddr| s.port() != 0)
}

pub(super) fn pick<T: Copy>(value: &Value, words: &[(&str, T)]) -> Option<T> {
    let given = value.as_str()?;
    words.iter().find(|(word, _)| *word == given).map(|(_, t)| *t)
}

pub(super) fn one_of<T>(words: &[(&str, T)]) -> String {
    format!("use one of: {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "))
}

/// `15s`, `2m`, `500ms`, `1h`; at most 30 days.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let total = number.parse::<u64>().ok()?.checked_mul(millis)?;
    (total <= 30 * 24 * 3_600_000).then(|| Duration::from_millis(total))
}

/// The likeliest of `names` that a typing error could have turned into `given`.
pub(super) fn closest<'n>(given: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.into_iter().map(|name| (distance(given, name), name)).min()?;
    let tolerated = if near.1.chars().count() > 4 { 2 } else { 1 };
    (near.0 <= tolerated && near.0 > 0).then_some(near.1)
}

/// Edit distance (insert, remove, replace).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("15s", Some(15_000)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
            ("720h", Some(30 * 24 * 3_600_000)),
            ("721h", None),
            ("15", None),
            ("s", None),
            ("", None),
            ("1.5s", None),
            ("-1s", None),
            ("15 s", None),
            ("15sec", None),
            ("99999999999999999999s", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn near_names() {
        let names = ["numbers", "skill", "name", "udp"];
        for (given, wanted) in [
            ("numers", Some("numbers")),
            ("number", Some("numbers")),
            ("skil", Some("skill")),
            ("upd", None),
            ("ud", Some("udp")),
            ("completely", None),
            ("name", None),
        ] {
            assert_eq!(closest(given, names), wanted, "{given}");
        }
        assert_eq!(closest("x", []), None);
    }
}
