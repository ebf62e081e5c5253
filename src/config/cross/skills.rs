//! Who can do what is asked for. Belongs here: skills nobody has, queues nobody can answer, reserves that cannot be kept.
//! Not here: whether a queue's steps make sense among themselves (`queues`).

use super::*;
use crate::config::settings::Relaxation;
use crate::ids::Skill;

pub(super) fn skills(file: &File, entries: &Entries) {
    let (queues, agents) = (&entries.queues, &entries.agents);
    if queues.is_empty() {
        let fix = "add one with name, numbers and skill";
        file.problem(0, "there is no usable [[queues]], so no call is answered", fix);
    }
    let held = |skill: &Skill| agents.iter().any(|a| a.agent.skills.contains_key(skill));
    let all_held = || agents.iter().flat_map(|a| a.agent.skills.keys()).map(Skill::as_str);
    for entry in queues {
        let queue = &entry.queue;
        let steps = queue.steps();
        let answered = agents.iter().any(|a| steps.iter().any(|step| a.agent.meets(&step.skills)));
        if !answered {
            let first: Vec<String> = steps[0].skills.iter().map(|(s, level)| format!("{s} at level {level}")).collect();
            let what = format!("nobody can answer queue {}: no agent has {}", queue.name, first.join(" and "));
            let missing = steps[0].skills.keys().find(|skill| !held(skill));
            let near = missing.and_then(|skill| closest(skill.as_str(), all_held()));
            let fix = match near {
                Some(near) => format!("did you mean skill {near:?}?"),
                None if steps[0].skills.len() == 1 => "give an agent that skill, or lower min_level".into(),
                None => "give an agent these skills, or ask for less".into(),
            };
            file.problem(entry.line, what, fix);
        }
        // Of a queue nobody answers, what it asks for at first has been said.
        for At { value, line } in
            entry.steps.iter().skip(usize::from(!answered)).flatten().filter(|at| !held(&at.value))
        {
            let what = format!("no agent has skill {value}, for which queue {} asks", queue.name);
            unknown(file, *line, what, value.as_str(), all_held(), "give it to an agent, or do not ask for it");
        }
    }
    for At { value: (skill, kept), line } in &entries.distributor.reserve {
        let having = agents.iter().filter(|a| a.agent.skills.contains_key(skill)).count();
        if having == 0 {
            let what = match kept {
                0 => format!("no agent has skill {skill}, named in reserve"),
                _ => format!("no agent has skill {skill}, of which {kept} are to be kept in reserve"),
            };
            unknown(file, *line, what, skill.as_str(), all_held(), "give it to an agent, or reserve none");
        } else if (having as u64) < u64::from(*kept) {
            let what = format!("reserve {skill} = {kept} is more than the {having} who have it");
            file.problem(*line, what, "keep fewer, or give the skill to more agents");
        }
    }
    starved(file, entries);
    let needed = || queues.iter().flat_map(|q| q.steps.iter().flatten()).map(|at| at.value.as_str());
    for At { value, line } in agents.iter().flat_map(|a| &a.skills) {
        // A skill of no queue may be meant for later; one that nearly is a queue's is a typing error.
        let near = closest(value.as_str(), needed()).filter(|_| needed().all(|skill| skill != value.as_str()));
        if let Some(near) = near {
            file.problem(*line, format!("skill {value} is asked for by no queue"), format!("did you mean {near}?"));
        }
    }
}

/// Queues whose callers would never be served while all who can are kept back.
fn starved(file: &File, entries: &Entries) {
    let kept = |skill: &Skill| entries.distributor.reserve.iter().any(|at| at.value.0 == *skill && at.value.1 > 0);
    for entry in &entries.queues {
        let (queue, steps) = (&entry.queue, entry.queue.steps());
        let opens = |step: &Relaxation| step.use_reserve || step.skills.keys().any(kept);
        let leaves = queue.overflow.as_ref().is_some_and(|over| over.after.is_some());
        if leaves || steps.iter().any(opens) {
            continue;
        }
        let able = || entries.agents.iter().filter(|a| steps.iter().any(|step| a.agent.meets(&step.skills)));
        if able().next().is_some() && able().all(|a| a.agent.skills.keys().any(kept)) {
            let what =
                format!("queue {} can wait for ever: a reserve may keep back everybody who answers it", queue.name);
            let fix = "add a step with use_reserve = true to its relax, or an overflow with after, or keep no reserve";
            file.problem(entry.line, what, fix);
        }
    }
}
