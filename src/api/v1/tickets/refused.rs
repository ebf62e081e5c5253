//! Why the desk does not do or show something, as a problem; what people read of it is in their language. Belongs here: status and code
//! of each reason. Not here: finding the reasons (`casework`, `cases::desk`), their words (`casework::Refusal`).

use crate::api::v1::extract::{Asking, Tongue};
use crate::api::v1::problem::Problem;
use crate::cases::desk::DeskError;
use crate::casework::Refusal;
use axum::http::StatusCode;

/// The header that chooses it.
pub const LANGUAGE: (&str, &str) = ("Accept-Language", "Of refusals: zh (the default) or en.");

pub fn told(error: DeskError, asking: &Asking) -> Problem {
    match error {
        DeskError::NoSuchTicket => Problem::not_found("there is no such ticket, or it is not for you"),
        DeskError::Conflict { version } => {
            let what = format!("the ticket has changed meanwhile, it is at version {version}: read it again");
            Problem::new(StatusCode::PRECONDITION_FAILED, "version", what)
        }
        error @ DeskError::KeyReused => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", error.to_string()),
        DeskError::BadRequest { what } => Problem::bad_request(what),
        DeskError::Refused(refusal) => {
            let (status, code) = kind(&refusal);
            let said = match asking.tongue {
                Tongue::Chinese => refusal.zh(),
                Tongue::English => refusal.en(),
            };
            Problem::new(status, code, said)
        }
        error @ (DeskError::Store(_) | DeskError::Corrupt { .. }) => {
            tracing::warn!(%error, "an API request cannot be answered from the case store");
            Problem::unavailable("the case store cannot answer now; the gateway's log says why")
        }
    }
}

/// 403: never for this role or department. 409: not as the ticket is now. 422: not with what was sent.
fn kind(refusal: &Refusal) -> (StatusCode, &'static str) {
    const NEVER: StatusCode = StatusCode::FORBIDDEN;
    const NOT_NOW: StatusCode = StatusCode::CONFLICT;
    const NOT_SO: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    match refusal {
        Refusal::NotYours { .. } => (NEVER, "forbidden"),
        Refusal::NotYourDepartment { .. } => (NEVER, "not_your_department"),
        Refusal::NotNow { .. } => (NOT_NOW, "not_now"),
        Refusal::Incomplete { .. } => (NOT_NOW, "incomplete"),
        Refusal::TooLateToReturn { .. } => (NOT_NOW, "too_late_to_return"),
        Refusal::NoMoreExtensions { .. } => (NOT_NOW, "no_more_extensions"),
        Refusal::ExtensionPending => (NOT_NOW, "extension_pending"),
        Refusal::NoExtensionAsked => (NOT_NOW, "no_extension_asked"),
        Refusal::AlreadyLate { .. } => (NOT_NOW, "already_late"),
        Refusal::NoDeadline => (NOT_NOW, "no_deadline"),
        Refusal::NotMissed { .. } => (NOT_NOW, "not_missed"),
        Refusal::CallbackFirst => (NOT_NOW, "callback_first"),
        Refusal::NothingChanges => (NOT_NOW, "nothing_changes"),
        Refusal::Empty { .. } => (NOT_SO, "empty"),
        Refusal::TooLong { .. } => (NOT_SO, "too_long"),
        Refusal::NotText { .. } => (NOT_SO, "not_text"),
        Refusal::NoSuchCategory { .. } => (NOT_SO, "no_such_category"),
        Refusal::NoSuchDepartment { .. } => (NOT_SO, "no_such_department"),
        Refusal::Assisting { .. } => (NOT_SO, "assisting"),
        Refusal::RepeatOfItself => (NOT_SO, "repeat_of_itself"),
        Refusal::ExtensionDays { .. } => (NOT_SO, "extension_days"),
    }
}
