//! Which tickets are asked for. Belongs here: the conditions, and narrowing them to what the asker may find. Not here: the SQL.

use super::DeskError;
use crate::casework::words::{Action, Kind, Stage, Urgency};
use crate::casework::{Actor, Post, Refusal, Ticket, rights};
use crate::time::Instant;

/// All that are named must fit; nothing named: all tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of them.
    pub stages: Vec<Stage>,
    pub kind: Option<Kind>,
    pub urgency: Option<Urgency>,
    /// Code of a leaf.
    pub category: Option<String>,
    /// The lead.
    pub department: Option<String>,
    /// Assists the lead.
    pub assisting: Option<String>,
    /// Who picked up.
    pub agent: Option<String>,
    /// The citizen's, as E.164; for those who may see numbers.
    pub number: Option<String>,
    /// Has missed a deadline.
    pub overdue: Option<bool>,
    pub supervised: Option<bool>,
    pub test_call: Option<bool>,
    pub received_from: Option<Instant>,
    pub received_before: Option<Instant>,
}

/// `next`: pass it as `after` for the next page; None: that was all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    pub tickets: Vec<Ticket>,
    pub next: Option<K>,
}

impl Filter {
    /// What this asker may find of it: all that fits one of these, none fits two.
    pub(super) fn for_actor(&self, actor: &Actor) -> Result<Vec<Filter>, DeskError> {
        let role = actor.role();
        let right = if self.number.is_some() { Action::Reveal } else { Action::Read };
        if !rights::may(role, right) {
            return Err(Refusal::NotYours { action: right, role, who: rights::holders(right) }.into());
        }
        let texts = [&self.category, &self.department, &self.assisting, &self.agent, &self.number];
        if texts.into_iter().flatten().any(|text| text.chars().any(char::is_control)) {
            return Err(DeskError::BadRequest { what: "what is looked for has characters that no ticket has" });
        }
        let Post::Clerk { department } = &actor.post else { return Ok(vec![self.clone()]) };
        let own = |asked: &Option<String>| asked.as_ref().is_none_or(|asked| asked == department);
        if !own(&self.department) && !own(&self.assisting) {
            return Err(Refusal::NotYourDepartment { lead: None }.into());
        }
        // No department assists itself.
        let leads = Filter { department: Some(department.clone()), ..self.clone() };
        let assists = Filter { assisting: Some(department.clone()), ..self.clone() };
        let all = [(own(&self.department), leads), (own(&self.assisting), assists)];
        Ok(all.into_iter().filter(|(may, _)| *may).map(|(_, filter)| filter).collect())
    }
}
