//! Feature codes: how an agent with nothing but a phone signs in and goes ready.

use crate::config::settings::FeatureCodes;
use crate::event::NotReadyReason;
use crate::ids::AgentNo;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feature {
    /// `*11` (the seat's own agent) or `*116632`.
    SignIn(Option<AgentNo>),
    /// `*12`
    SignOut,
    /// `*13`
    Ready,
    /// `*14` 示忙, `*141` 小休, `*142` 培训
    NotReady(NotReadyReason),
    /// `*15`: more time after this call.
    ExtendWrapUp,
}

impl Feature {
    /// What these dialled digits ask for; `None` if they are no feature code.
    pub fn parse(codes: &FeatureCodes, dialled: &str) -> Option<Feature> {
        let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        match dialled {
            d if d == codes.sign_out => return Some(Feature::SignOut),
            d if d == codes.extend_wrap_up => return Some(Feature::ExtendWrapUp),
            d if d == codes.ready => return Some(Feature::Ready),
            d if d == codes.sign_in => return Some(Feature::SignIn(None)),
            _ => {}
        }
        if let Some(agent) = dialled.strip_prefix(&codes.sign_in).filter(|a| all_digits(a) && a.len() <= 8) {
            return Some(Feature::SignIn(Some(AgentNo::new(agent))));
        }
        match dialled.strip_prefix(&codes.not_ready)? {
            "" => Some(Feature::NotReady(NotReadyReason::Busy)),
            "1" => Some(Feature::NotReady(NotReadyReason::Break)),
            "2" => Some(Feature::NotReady(NotReadyReason::Training)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_dials() {
        let codes = FeatureCodes {
            sign_in: "*11".into(),
            sign_out: "*12".into(),
            ready: "*13".into(),
            not_ready: "*14".into(),
            extend_wrap_up: "*15".into(),
        };
        for (dialled, want) in [
            ("*11", Some(Feature::SignIn(None))),
            ("*116632", Some(Feature::SignIn(Some(AgentNo::new("6632"))))),
            ("*12", Some(Feature::SignOut)),
            ("*13", Some(Feature::Ready)),
            ("*14", Some(Feature::NotReady(NotReadyReason::Busy))),
            ("*141", Some(Feature::NotReady(NotReadyReason::Break))),
            ("*142", Some(Feature::NotReady(NotReadyReason::Training))),
            ("*15", Some(Feature::ExtendWrapUp)),
            ("*149", None),
            ("*11x", None),
            ("*11123456789", None),
            ("12345", None),
            ("", None),
        ] {
            assert_eq!(Feature::parse(&codes, dialled), want, "{dialled}");
        }
    }
}
