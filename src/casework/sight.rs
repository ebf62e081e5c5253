//! Who sees what of a ticket. Belongs here: masking, and who may look behind it. Not here: keeping the record of who did
//! (`cases`), which writes one for every unmasked reading.
//!
//! Everybody reads masked; the citizen's name, numbers and address show only to who asks for them on purpose, may, and is
//! written down for it. Of a confidential ticket (保密) departments never learn who the citizen is.

use super::actor::{Actor, Post};
use super::case::Ticket;
use super::change::Change;
use super::matter::{Fill, Filled};
use super::refusal::Refusal;
use super::rights;
use super::status::{Callback, Settlement, Status};
use super::words::{Action, Role};

/// Stands for what is hidden.
const HIDDEN: &str = "***";

/// What a masked reading leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Who the citizen is.
    Identity,
    /// Also everything written in free text.
    Texts,
}

impl Ticket {
    /// A clerk knows of the tickets of their department only.
    pub fn may_read(&self, actor: &Actor) -> Result<(), Refusal> {
        let role = actor.role();
        if !rights::may(role, Action::Read) {
            return Err(Refusal::NotYours { action: Action::Read, role, who: rights::holders(Action::Read) });
        }
        match &actor.post {
            Post::Clerk { department } if !self.case.status.departments().is_some_and(|d| d.include(department)) => {
                Err(Refusal::NotYourDepartment { lead: None })
            }
            _ => Ok(()),
        }
    }

    /// Confidential: those who run the hotline, and the operator who took the call.
    pub fn may_reveal(&self, actor: &Actor) -> Result<(), Refusal> {
        self.may_read(actor)?;
        let role = actor.role();
        let own = role == Role::Operator && actor.name == self.opening.agent;
        let chosen = own || matches!(role, Role::ShiftLeader | Role::HotlineOffice);
        if rights::may(role, Action::Reveal) && (chosen || !self.case.matter.confidential) {
            return Ok(());
        }
        let who = match self.case.matter.confidential {
            true => vec![Role::ShiftLeader, Role::HotlineOffice],
            false => rights::holders(Action::Reveal),
        };
        Err(Refusal::NotYours { action: Action::Reveal, role, who })
    }

    pub fn sight(&self, actor: &Actor) -> Sight {
        match actor.role() {
            Role::PlatformEngineer | Role::Wallboard | Role::System if self.case.matter.confidential => Sight::Texts,
            _ => Sight::Identity,
        }
    }

    pub fn masked(&self, sight: Sight) -> Ticket {
        let mut shown = self.clone();
        let number = &mut shown.opening.number;
        *number = number.as_deref().map(mask_number);
        let matter = &mut shown.case.matter;
        matter.callback_no = mask_number(&matter.callback_no);
        matter.name = mask_name(&matter.name);
        hide(&mut matter.address);
        matter.coordinates = None;
        if sight == Sight::Texts {
            hide(&mut matter.title);
            hide(&mut matter.content);
            hide_texts(&mut shown.case.status);
        }
        shown
    }
}

impl Change {
    pub fn masked(&self, sight: Sight) -> Change {
        let mut shown = self.clone();
        if let Change::Filled(filled) = &mut shown {
            let Filled { fill, .. } = &mut **filled;
            let Fill { name, callback_no, address, coordinates, .. } = fill;
            name.iter_mut().for_each(|n| *n = mask_name(n));
            callback_no.iter_mut().for_each(|n| *n = mask_number(n));
            address.iter_mut().for_each(hide);
            *coordinates = None;
        }
        if sight == Sight::Texts {
            shown.texts().into_iter().for_each(hide);
        }
        shown
    }

    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Change::Filled(filled) => filled.fill.title.iter_mut().chain(&mut filled.fill.content).collect(),
            Change::AnsweredNow { answer } | Change::SettledInThreeWay { answer, .. } => vec![answer],
            Change::HandedTo110 { note }
            | Change::Passed { note, .. }
            | Change::Urged { note }
            | Change::Supervised { note, .. } => vec![note],
            Change::Declined { explanation, .. } => vec![explanation],
            Change::Settled { result } => vec![result],
            Change::Returned { reason, .. }
            | Change::Recalled { reason, .. }
            | Change::ExtensionAsked { reason, .. }
            | Change::ExtensionRefused { reason }
            | Change::Redone { reason, .. } => vec![reason],
            Change::CalledBack(Callback::Reached { .. } | Callback::NotReached { .. } | Callback::Declined)
            | Change::Received { .. }
            | Change::Repeats { .. }
            | Change::Accepted
            | Change::Dispatched { .. }
            | Change::SignedFor
            | Change::Started
            | Change::Extended { .. }
            | Change::CallbackAsked
            | Change::Archived
            | Change::Rated { .. }
            | Change::Missed { .. } => vec![],
        }
    }
}

fn hide_texts(status: &mut Status) {
    if let Some(asked) = status.assignment_mut().and_then(|a| a.extension.as_mut()) {
        hide(&mut asked.reason);
    }
    if let Status::Settled { how }
    | Status::AwaitingCallback { how }
    | Status::CalledBack { how, .. }
    | Status::Archived { how, .. } = status
    {
        hide(match how {
            Settlement::AnsweredNow { answer } | Settlement::ThreeWay { answer, .. } => answer,
            Settlement::Police { note } => note,
            Settlement::Declined { explanation, .. } => explanation,
            Settlement::Passed { result, .. } => result,
        });
    }
}

fn hide(text: &mut String) {
    if !text.is_empty() {
        *text = HIDDEN.into();
    }
}

/// The last four digits stay, and of a long number the first ones, enough for the country or the carrier.
pub fn mask_number(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    let head = if number.starts_with("+86") { 6 } else { 3 };
    match chars.len() {
        0 => String::new(),
        n if n >= head + 6 => {
            let (head, tail) = (&chars[..head], &chars[n - 4..]);
            format!("{}****{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
        }
        n => format!("****{}", chars[n.saturating_sub(2)..].iter().collect::<String>()),
    }
}

/// The family name stays.
pub fn mask_name(name: &str) -> String {
    name.chars().next().map_or(String::new(), |first| format!("{first}**"))
}
