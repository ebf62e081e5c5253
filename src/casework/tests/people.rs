//! The table of rights held against what `apply` does, and who sees whom.

use super::*;

/// Every role, every stage, every command: refused for want of the right or of the stage exactly where the table says.
#[test]
fn the_whole_table_of_rights_is_what_happens() {
    let named: BTreeSet<Action> = commands().iter().map(Command::action).collect();
    for stage in Stage::ALL {
        let world = at_stage(*stage);
        let desk = Circumstances { rules: &world.rules, now: at("2026-11-23", 12), earlier: None };
        for role in Role::ALL {
            // Before a ticket is passed on it is no department's, and no clerk's.
            let strange = *role == Role::Clerk && world.ticket.case.status.departments().is_none();
            for command in commands() {
                let action = command.action();
                let case = format!("{role:?} {action:?} at {stage:?}");
                let refusal = world.ticket.apply(&desk, &actor(*role), command).err();
                match (rights::may(*role, action), rights::fits(action, *stage)) {
                    (false, _) => assert!(matches!(refusal, Some(Refusal::NotYours { .. })), "{case}: {refusal:?}"),
                    _ if strange => {
                        assert_eq!(refusal, Some(Refusal::NotYourDepartment { lead: None }), "{case}")
                    }
                    (true, false) => {
                        let Some(Refusal::NotNow { instead, .. }) = refusal else { panic!("{case}: {refusal:?}") };
                        let able = |a: &Action| rights::may(*role, *a) && rights::fits(*a, *stage);
                        assert!(instead.iter().all(able), "{case}: {instead:?}");
                    }
                    (true, true) => assert!(
                        !matches!(refusal, Some(Refusal::NotYours { .. } | Refusal::NotNow { .. })),
                        "{case}: {refusal:?}"
                    ),
                }
            }
        }
    }
    let reading = [Action::LiftConfidentiality, Action::Read, Action::Reveal, Action::ReadAudit];
    let all: BTreeSet<Action> = named.into_iter().chain(reading).collect();
    assert_eq!(all.len(), Action::ALL.len(), "an action is not tried");
}

#[test]
fn who_sees_whom() {
    let mut world = at_stage(Stage::Dispatched);
    let masked = world.ticket.masked(Sight::Identity);
    assert_eq!(masked.opening.number.as_deref(), Some("+86138****5678"));
    let matter = &masked.case.matter;
    assert_eq!([&*matter.name, &*matter.callback_no, &*matter.address], ["张**", "138****5678", "***"]);
    assert_eq!(matter.content, "小区门口路灯三天不亮");
    let shown = format!("{:?}", world.history.iter().map(|e| e.change.masked(Sight::Texts)).collect::<Vec<_>>());
    assert!(!shown.contains("张三") && !shown.contains("13800005678") && !shown.contains("路灯不亮"), "{shown}");

    let may = |world: &World| -> Vec<Role> {
        Role::ALL.iter().copied().filter(|role| world.ticket.may_reveal(&actor(*role)).is_ok()).collect()
    };
    assert_eq!(may(&world), [Role::Operator, Role::ShiftLeader, Role::HotlineOffice, Role::Clerk]);
    let confide = Command::FillIn(Box::new(Fill { confidential: Some(true), ..Fill::default() }));
    world.goes("2026-11-23", Role::Operator, confide);
    assert_eq!(may(&world), [Role::Operator, Role::ShiftLeader, Role::HotlineOffice], "6632 took the call");
    let other = Actor::new("6633", Post::Operator);
    assert!(world.ticket.may_reveal(&other).unwrap_err().zh().contains("班长、热线办"));
    assert_eq!(world.ticket.sight(&actor(Role::PlatformEngineer)), Sight::Texts);
    assert_eq!(world.ticket.masked(Sight::Texts).case.matter.content, "***");
    let lift = || Command::FillIn(Box::new(Fill { confidential: Some(false), ..Fill::default() }));
    assert!(matches!(world.refused("2026-11-23", Role::Operator, lift()), Refusal::NotYours { .. }));
    world.goes("2026-11-23", Role::HotlineOffice, lift());
    let stranger = Actor::new("wang", Post::Clerk { department: "水务集团".into() });
    assert_eq!(world.ticket.may_read(&stranger), Err(Refusal::NotYourDepartment { lead: None }));
}
