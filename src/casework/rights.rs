//! Who may do what, and when: one table. Belongs here: the table and the questions asked of it. Not here: conditions that
//! need more than the role and the stage (`steps`: whose department, which day), what is seen (`sight`).

use super::words::{Action, Role, Stage};

/// Columns of roles: operator, shift leader, hotline office, clerk, platform engineer, wallboard, system.
/// Columns of stages: 待完善 已受理 待派遣 已派遣 已签收 办理中 已办结 待回访 已回访 已归档.
#[rustfmt::skip]
const TABLE: [(Action, &str, &str); 27] = [
    (Action::FillIn,              "O L H . . . .", "1 2 3 4 5 6 7 8 9 ."),
    (Action::LiftConfidentiality, ". L H . . . .", "1 2 3 4 5 6 7 8 9 ."),
    (Action::Accept,              "O L H . . . .", "1 . . . . . . . . ."),
    (Action::AnswerNow,           "O L H . . . .", ". 2 . . . . . . . ."),
    (Action::ThreeWay,            "O L H . . . .", ". 2 . . . . . . . ."),
    (Action::HandTo110,           "O L H . . . .", "1 2 . . . . . . . ."),
    (Action::Decline,             "O L H . . . .", "1 2 . . . . . . . ."),
    (Action::Pass,                "O L H . . . .", ". 2 . . . . . . . ."),
    (Action::Dispatch,            ". L H . . . .", ". . 3 . . . . . . ."),
    (Action::SignFor,             ". . H C . . .", ". . . 4 . . . . . ."),
    (Action::Start,               ". . H C . . .", ". . . . 5 . . . . ."),
    (Action::Settle,              ". . H C . . .", ". . . . . 6 . . . ."),
    (Action::Return,              ". . . C . . .", ". . . 4 5 . . . . ."),
    (Action::Recall,              ". L H . . . .", ". . . 4 5 6 . . . ."),
    (Action::AskExtension,        ". . . C . . .", ". . . . 5 6 . . . ."),
    (Action::DecideExtension,     ". . H . . . .", ". . . . 5 6 . . . ."),
    (Action::Urge,                "O L H . . . .", ". . 3 4 5 6 . . . ."),
    (Action::Supervise,           ". L H . . . .", "1 2 3 4 5 6 7 8 9 ."),
    (Action::AskCallback,         "O L H . . . .", ". . . . . . 7 . . ."),
    (Action::RecordCallback,      "O L H . . . .", ". . . . . . . 8 . ."),
    (Action::Redo,                ". L H . . . .", ". . . . . . . . 9 ."),
    (Action::Archive,             "O L H . . . .", ". . . . . . 7 . 9 ."),
    (Action::RaiseDeadline,       ". . . . . . S", "1 2 3 4 5 6 . . . ."),
    (Action::Rate,                ". . . . . . S", "1 2 3 4 5 6 7 8 9 A"),
    (Action::Read,                "O L H C E . S", "1 2 3 4 5 6 7 8 9 A"),
    (Action::Reveal,              "O L H C . . .", "1 2 3 4 5 6 7 8 9 A"),
    (Action::ReadAudit,           ". . H . . . .", "1 2 3 4 5 6 7 8 9 A"),
];

fn marked(columns: &str, place: usize) -> bool {
    columns.as_bytes().get(2 * place).is_some_and(|mark| *mark != b'.')
}

fn row(action: Action) -> (&'static str, &'static str) {
    let (_, roles, stages) = TABLE[action as usize];
    (roles, stages)
}

/// The role has this right at all.
pub fn may(role: Role, action: Action) -> bool {
    marked(row(action).0, role as usize)
}

/// The action has its place at this stage.
pub fn fits(action: Action, stage: Stage) -> bool {
    marked(row(action).1, stage as usize)
}

/// Who has the right.
pub fn holders(action: Action) -> Vec<Role> {
    Role::ALL.iter().copied().filter(|role| may(*role, action)).collect()
}

/// What this role may do at this stage to bring it on: neither reading nor the caller's rating does.
pub fn open_to(role: Role, stage: Stage) -> Vec<Action> {
    let changes = |a: &Action| !matches!(a, Action::Read | Action::Reveal | Action::ReadAudit | Action::Rate);
    Action::ALL.iter().copied().filter(|a| changes(a) && may(role, *a) && fits(*a, stage)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_action_in_its_place_and_every_mark_in_its_column() {
        assert_eq!(TABLE.len(), Action::ALL.len());
        for (n, (action, roles, stages)) in TABLE.iter().enumerate() {
            assert_eq!(*action as usize, n, "{action:?}");
            for (columns, marks) in [(roles, "OLHCEWS"), (stages, "123456789A")] {
                assert_eq!(columns.len(), 2 * marks.len() - 1, "{action:?}");
                for (place, mark) in marks.bytes().enumerate() {
                    let found = columns.as_bytes()[2 * place];
                    assert!(found == mark || found == b'.', "{action:?}: {} in column {place}", found as char);
                }
            }
            assert!(!holders(*action).is_empty(), "nobody may {action:?}");
        }
    }

    #[test]
    fn those_who_run_or_watch_the_platform_change_nothing_and_see_nobody() {
        for role in [Role::PlatformEngineer, Role::Wallboard] {
            for action in Action::ALL.iter().filter(|a| **a != Action::Read) {
                assert!(!may(role, *action), "{role:?} {action:?}");
            }
        }
        assert_eq!(holders(Action::DecideExtension), [Role::HotlineOffice], "never who asks for it");
        assert_eq!(holders(Action::ReadAudit), [Role::HotlineOffice]);
    }

    #[test]
    fn every_ticket_that_is_not_archived_can_go_on() {
        for stage in Stage::ALL {
            let any = Role::ALL.iter().any(|role| !open_to(*role, *stage).is_empty());
            assert_eq!(any, *stage != Stage::Archived, "{stage:?}");
        }
    }
}
