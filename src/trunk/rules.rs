//! Whose calls a trunk takes, by number; and which numbers always get through. Belongs here: the judgement. Not here: which
//! header holds the caller's number (`caller`), what a refused caller is told (`gateway::carriers`).

use super::number::normalise_dnis;
use crate::config::settings::NumberRules;
use crate::leg::Caller;
use std::collections::BTreeSet;

/// May this caller come in? The longest prefix that fits decides; a withheld number is judged by what the network says
/// it is, and who has none at all is `anonymous`.
pub fn lets_in(rules: &NumberRules, caller: &Caller, area_code: &str) -> bool {
    let number = match caller {
        Caller { e164: Some(e164), .. } => e164.clone(),
        Caller { raw: Some(raw), .. } => normalise_dnis(raw.as_bytes(), area_code),
        _ => "anonymous".into(),
    };
    let fit = |list: &[String]| list.iter().filter(|p| number.starts_with(p.as_str())).map(String::len).max();
    match (rules.allow.as_deref().map(fit), fit(&rules.deny)) {
        (None, denied) => denied.is_none(),
        (Some(None), _) => false,
        (Some(Some(_)), None) => true,
        (Some(Some(allowed)), Some(denied)) => allowed > denied,
    }
}

/// Is this a number whose call nothing of ours may stop? `emergency`: those of the configuration.
pub fn is_emergency(number: &str, emergency: &BTreeSet<String>, area_code: &str) -> bool {
    emergency.contains(&normalise_dnis(number.as_bytes(), area_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &str, deny: &str) -> NumberRules {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        NumberRules { allow: (!allow.is_empty()).then(|| list(allow)), deny: list(deny) }
    }

    #[test]
    fn who_comes_in() {
        let city = "+8653188880000";
        for (allow, deny, number, wanted) in [
            ("", "", city, true),
            ("", "", "", true),
            ("", "+8653188880", city, false),
            ("", "+86532", city, true),
            ("+86531", "", city, true),
            ("+86531", "", "+861088880000", false),
            ("+86531", "", "", false),
            ("+86531 anonymous", "", "", true),
            ("", "anonymous", "", false),
            ("", "anonymous", city, true),
            // The longer prefix knows better, whichever list it is on.
            ("+86531", "+86531888", city, false),
            ("+8653188880000", "+86531", city, true),
            ("+86531", "+1", "+1", false),
            // Short numbers have no country.
            ("", "95", "95588", false),
            ("", "955", "+8695500000000", true),
        ] {
            let number = Some(number).filter(|n| !n.is_empty()).map(str::to_owned);
            let caller = match number {
                Some(n) if n.starts_with('+') => Caller { e164: Some(n.clone()), raw: Some(n), withheld: false },
                raw => Caller { raw, e164: None, withheld: false },
            };
            assert_eq!(lets_in(&rules(allow, deny), &caller, "531"), wanted, "{allow:?} {deny:?} {caller:?}");
        }
    }

    #[test]
    fn who_hides_is_judged_by_what_the_network_says() {
        let hidden = Caller { raw: None, e164: Some("+8613812345678".into()), withheld: true };
        assert!(!lets_in(&rules("", "+86138"), &hidden, "531"));
        assert!(lets_in(&rules("", "anonymous"), &hidden, "531"));
    }

    #[test]
    fn emergencies() {
        let emergency = ["110", "119", "120", "122", "12395"].map(str::to_owned).into();
        for (number, wanted) in [
            ("110", true),
            ("119", true),
            ("120", true),
            ("122", true),
            ("0531110", true),
            ("+86531110", true),
            ("12395", true),
            ("12345", false),
            ("1100", false),
            ("+8613812345110", false),
        ] {
            assert_eq!(is_emergency(number, &emergency, "531"), wanted, "{number}");
        }
    }
}
