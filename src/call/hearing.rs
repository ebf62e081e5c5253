//! Who hears whom while an agent has the caller: one function of who is there. Not here: when somebody comes or goes
//! (`talk`, `consulting`, `supervising`).

use super::Call;
use super::talk::Talk;
use crate::ids::LegId;
use crate::plane::{PromptId, Source};

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    pub caller: LegId,
    pub agent: LegId,
    /// The caller hears music and nobody else.
    pub held: bool,
    /// Nor does the agent hear the caller: on hold by order. A phone that holds the caller itself need not be told.
    pub apart: bool,
    pub third: Option<Third>,
    pub leader: Option<(LegId, Mode)>,
    /// Of them those whose browser is gone for a while: who has nobody else to hear gets music.
    pub gone: Vec<LegId>,
    pub music: PromptId,
}

/// Whom the agent has called beside the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Third {
    pub leg: LegId,
    /// There is something to hear: an answer, or what is played before it.
    pub heard: bool,
    pub answered: bool,
    /// Talks with the agent alone.
    pub private: bool,
}

/// How a shift leader is on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Heard by nobody.
    Listen,
    /// Heard by the agent.
    Whisper,
    /// Heard by all.
    Barge,
}

/// What each of them hears. Of a third party who has not answered nothing is said: its leg hears nothing yet.
pub fn hears(round: &Round) -> Vec<(LegId, Source)> {
    let Round { caller, agent, held, apart, third, leader, gone, music } = round;
    let (private, speaks) = (third.is_some_and(|t| t.private), |least: Mode| {
        leader.filter(|(_, mode)| *mode == Mode::Barge || *mode == least).map(|(leg, _)| leg)
    });
    let beside_agent: Vec<LegId> =
        (!private && !apart).then_some(*caller).into_iter().chain(third.filter(|t| t.heard).map(|t| t.leg)).collect();
    let nobody = if third.is_some() { Source::RingBack } else { Source::Silence };
    let music = || Source::Music(music.clone());
    let sum = |legs: Vec<LegId>, nobody: Source| {
        let there: Vec<LegId> = legs.iter().copied().filter(|leg| !gone.contains(leg)).collect();
        match there[..] {
            [] if legs.is_empty() => nobody,
            [] => music(),
            [leg] => Source::Leg(leg),
            _ => Source::Mix(there),
        }
    };
    let to_agent = sum(beside_agent.iter().copied().chain(speaks(Mode::Whisper)).collect(), nobody);
    let to_caller = match held {
        true => music(),
        false => {
            let joined = third.filter(|t| t.answered && !t.private).map(|t| t.leg);
            sum([*agent].into_iter().chain(joined).chain(speaks(Mode::Barge)).collect(), Source::Silence)
        }
    };
    let mut all = vec![(*caller, to_caller), (*agent, to_agent)];
    if let Some(third) = third.filter(|t| t.answered) {
        let others = (!private).then_some(*caller).into_iter().chain([*agent]);
        all.push((third.leg, sum(others.chain(speaks(Mode::Barge)).collect(), Source::Silence)));
    }
    if let Some((leg, _)) = leader {
        let mut heard = beside_agent;
        heard.push(*agent);
        all.push((*leg, sum(heard, Source::Silence)));
    }
    all
}

impl Call {
    pub(super) fn hearing(&self, talk: &Talk) -> Vec<(LegId, Source)> {
        hears(&Round {
            caller: self.incoming.leg,
            agent: talk.seat.leg,
            held: talk.is_held(),
            apart: talk.hold.ordered,
            third: talk.consult.as_ref().map(|consult| consult.third()),
            leader: talk.leader.as_ref().and_then(|leader| leader.on()),
            gone: talk.gone(),
            music: self.terms.queue.music.clone(),
        })
    }

    /// What this leg hears who is with the agent.
    pub(super) fn heard_by(&self, talk: &Talk, leg: LegId) -> Source {
        let all = self.hearing(talk).into_iter();
        all.filter(|(who, _)| *who == leg).map(|(_, source)| source).next().unwrap_or(Source::Silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c` caller, `a` agent, `t` third, `l` leader; what each hears, in that order.
    fn table(round: &Round) -> String {
        let name = |leg: &LegId| ["c", "a", "t", "l"][leg.0 as usize].to_owned();
        let show = |source: &Source| match source {
            Source::Leg(leg) => name(leg),
            Source::Mix(legs) => legs.iter().map(name).collect(),
            Source::Music(_) => "music".into(),
            other => format!("{other:?}"),
        };
        let all: Vec<String> =
            hears(round).iter().map(|(leg, source)| format!("{}:{}", name(leg), show(source))).collect();
        all.join(" ")
    }

    #[test]
    fn who_hears_whom() {
        let (caller, agent, leader) = (LegId(0), LegId(1), LegId(3));
        let third = |heard, answered, private| Some(Third { leg: LegId(2), heard, answered, private });
        let (rings, plays, alone) = (third(false, false, true), third(true, false, true), third(true, true, true));
        let (coming, plays_to_two, joined) =
            (third(false, false, false), third(true, false, false), third(true, true, false));
        let (listen, whisper, barge) = (Some(Mode::Listen), Some(Mode::Whisper), Some(Mode::Barge));
        let music = PromptId::from("music");
        for (held, third, mode, want) in [
            (false, None, None, "c:a a:c"),
            (true, None, None, "c:music a:c"),
            (false, None, listen, "c:a a:c l:ca"),
            (false, None, whisper, "c:a a:cl l:ca"),
            (false, None, barge, "c:al a:cl l:ca"),
            (true, None, barge, "c:music a:cl l:ca"),
            // A private consultation: the caller hears music and nothing else, whoever speaks.
            (true, rings, None, "c:music a:RingBack"),
            (true, plays, None, "c:music a:t"),
            (true, alone, None, "c:music a:t t:a"),
            (true, alone, listen, "c:music a:t t:a l:ta"),
            (true, alone, whisper, "c:music a:tl t:a l:ta"),
            (true, alone, barge, "c:music a:tl t:al l:ta"),
            (true, rings, whisper, "c:music a:l l:a"),
            // For help: the caller is never on hold.
            (false, coming, None, "c:a a:c"),
            (false, plays_to_two, None, "c:a a:ct"),
            (false, joined, None, "c:at a:ct t:ca"),
            (false, joined, listen, "c:at a:ct t:ca l:cta"),
            (false, joined, whisper, "c:at a:ctl t:ca l:cta"),
            (false, joined, barge, "c:atl a:ctl t:cal l:cta"),
        ] {
            let (apart, leader, gone, music) = (false, mode.map(|mode| (leader, mode)), vec![], music.clone());
            let round = Round { caller, agent, held, apart, third, leader, gone, music };
            assert_eq!(table(&round), want, "{round:?}");
        }
        // On hold by order the agent does not hear the caller either.
        for (mode, want) in
            [(None, "c:music a:Silence"), (listen, "c:music a:Silence l:a"), (whisper, "c:music a:l l:a")]
        {
            let leader = mode.map(|mode| (leader, mode));
            let (held, apart, third, gone, music) = (true, true, None, vec![], music.clone());
            let round = Round { caller, agent, held, apart, third, leader, gone, music };
            assert_eq!(table(&round), want, "{round:?}");
        }
    }

    /// Nobody hears only pages that are gone.
    #[test]
    fn music_for_whom_is_gone_for_a_while() {
        let (caller, agent, third, leader) = (LegId(0), LegId(1), LegId(2), LegId(3));
        let third = |private| Some(Third { leg: third, heard: true, answered: true, private });
        let (alone, joined) = (third(true), third(false));
        let (listen, whisper, barge) = (Some(Mode::Listen), Some(Mode::Whisper), Some(Mode::Barge));
        let (a, t, l) = (1, 2, 3);
        for (gone, held, third, mode, want) in [
            (vec![a], false, None, None, "c:music a:c"),
            (vec![a], false, None, listen, "c:music a:c l:c"),
            (vec![a], false, None, barge, "c:l a:cl l:c"),
            (vec![a, l], false, None, barge, "c:music a:c l:c"),
            (vec![l], false, None, whisper, "c:a a:c l:ca"),
            (vec![l], false, None, barge, "c:a a:c l:ca"),
            (vec![a], true, alone, None, "c:music a:t t:music"),
            (vec![t], true, alone, None, "c:music a:music t:a"),
            (vec![a], true, alone, listen, "c:music a:t t:music l:t"),
            (vec![a, t], true, alone, listen, "c:music a:music t:music l:music"),
            (vec![a], false, joined, None, "c:t a:ct t:c"),
            (vec![t], false, joined, None, "c:a a:c t:ca"),
            (vec![a, t], false, joined, None, "c:music a:c t:c"),
            (vec![a, t], false, joined, barge, "c:l a:cl t:cl l:c"),
        ] {
            let (gone, leader) = (gone.into_iter().map(LegId).collect(), mode.map(|mode| (leader, mode)));
            let round = Round { caller, agent, held, apart: false, third, leader, gone, music: "music".into() };
            assert_eq!(table(&round), want, "{round:?}");
        }
    }
}
