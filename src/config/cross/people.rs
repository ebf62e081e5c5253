//! Agents, seats and what they dial. Belongs here: shifts and agents that are named but not there, passwords given twice.
//! Not here: what agents can answer (`skills`).

use super::*;
use std::collections::BTreeMap;

pub(super) fn people(file: &File, entries: &Entries, core: &CoreSettings, world: &WorldSettings) {
    let (agents, seats) = (&entries.agents, &entries.seats);
    let shifts = || core.shifts.iter().map(|shift| shift.name.as_str());
    for entry in agents {
        for At { value, line } in entry.shifts.iter().filter(|at| shifts().all(|name| name != at.value)) {
            let what = format!("there is no shift {value:?}, in which agent {} works", entry.agent.number);
            unknown(file, *line, what, value, shifts(), "add it under [[shifts]], or leave shifts out: any time");
        }
    }
    let public = world.sip_addresses().any(|s| !s.ip().is_loopback());
    let codes = &core.feature_codes;
    let mut secrets: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in seats {
        let SeatEntry { seat, line, secret_line, dial_plan } = entry;
        let number = seat.number.as_str();
        let dialled = [&codes.sign_in, &codes.sign_out, &codes.ready, &codes.not_ready, &codes.extend_wrap_up];
        if dialled.into_iter().any(|code| code == number) {
            file.problem(*line, format!("seat {number} is also a feature code"), "give the seat another number");
        }
        if let Some(agent) = &seat.default_agent
            && agents.iter().all(|a| a.agent.number != *agent)
        {
            let what = format!("default_agent {:?} of seat {number} is no agent", agent.as_str());
            let known = agents.iter().map(|a| a.agent.number.as_str());
            unknown(file, *line, what, agent.as_str(), known, "add the agent under [[agents]], or leave it out");
        }
        if entries.dialling.settings.emergency.contains(number) {
            file.problem(*line, format!("seat {number} is also an emergency number"), "give the seat another number");
        }
        let plans = || entries.dialling.settings.plans.iter().map(|plan| plan.name.as_str());
        if let Some(At { value, line }) = dial_plan.as_ref().filter(|at| plans().all(|name| name != at.value)) {
            let what = format!("there is no dial plan {value:?}, by which seat {number} calls");
            unknown(
                file,
                *line,
                what,
                value,
                plans(),
                "add it under [[dial_plans]], or leave it out: the other seats only",
            );
        }
        if public && seat.secret.0.starts_with("example-") {
            let what = format!("the password of seat {number} is one of the published example");
            file.problem(*secret_line, what, "generate one: openssl rand -base64 18");
        }
        match secrets.get(&*seat.secret.0) {
            Some(other) => {
                let what = format!("seat {number} has the password of seat {other}");
                file.problem(*secret_line, what, "give each seat its own: openssl rand -base64 18");
            }
            None => {
                secrets.insert(&seat.secret.0, number);
            }
        }
    }
}
