//! How the call came to its agent, as a shift leader reads it in the ticket:
//! `line 12345: mandarin; key 2: english; relaxed 1; 6606 (step 1)`.

use crate::event::{Chosen, Why};
use crate::ids::{AgentNo, LineName, QueueName};
use serde::{Deserialize, Serialize};

/// A longer way than any sensible one is cut short.
const LONGEST: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Path(String);

impl Path {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the number called led first. A line that is merely a queue's numbers says less than the number itself.
    pub fn first(&mut self, dnis: &str, line: Option<&LineName>, queue: &QueueName, why: &Why) {
        let line = line.filter(|line| line.as_str() != queue.as_str()).map_or(dnis, LineName::as_str);
        self.0 = match why {
            Why::Line => format!("line {line}: {queue}"),
            why => format!("line {line}, {}: {queue}", words(why)),
        };
    }

    pub fn then(&mut self, queue: &QueueName, why: &Why) {
        self.add(&format!("{}: {queue}", words(why)));
    }

    pub fn relaxed(&mut self, step: u8) {
        self.add(&format!("relaxed {step}"));
    }

    /// With the agent who picks up.
    pub fn to(&self, agent: &AgentNo, chosen: Chosen) -> String {
        let step = (chosen.step > 0).then(|| format!("step {}", chosen.step));
        let served = chosen.preferred.then(|| "served before".to_owned());
        let interpreter = chosen.interpreter.then(|| "interpreter".to_owned());
        let how: Vec<String> = [step, served, interpreter].into_iter().flatten().collect();
        match how.as_slice() {
            [] => format!("{}; {agent}", self.0),
            how => format!("{}; {agent} ({})", self.0, how.join(", ")),
        }
    }

    fn add(&mut self, step: &str) {
        const CUT: &str = "; ...";
        if self.0.len() + step.len() < LONGEST {
            self.0.push_str("; ");
            self.0.push_str(step);
        } else if !self.0.ends_with(CUT) {
            self.0.push_str(CUT);
        }
    }
}

fn words(why: &Why) -> String {
    match why {
        Why::Country(code) => format!("country {code}"),
        Why::Key(key) => format!("key {key}"),
        Why::Agent(agent) => format!("agent {agent}"),
        Why::Supervisor(leader) => format!("supervisor {leader}"),
        Why::NoAgents => "no agents".to_owned(),
        why => why.as_str().to_owned(),
    }
}
