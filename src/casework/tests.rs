//! Lives of tickets, told command by command; in `people` the table of rights, in `tally` what is counted of them.

mod people;
mod tally;

use super::words::*;
use super::*;
use crate::time::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) const BUREAU: &str = "市城管局";

pub(super) fn rules() -> Rules {
    let tree =
        "code,name,urgency,department\n01,城市管理,,市城管局\n01.01,路灯照明\n01.02,井盖缺失,特急\n02,供水,,水务集团\n";
    let categories = Categories::parse(tree).unwrap();
    Rules { departments: categories.departments(), categories, ..Rules::default() }
}

pub(super) fn ticket(test_call: bool) -> Ticket {
    Ticket::new(Opening {
        ticket_no: "JN20261123000001".into(),
        call_id: "00000000000000ab".into(),
        channel: "phone".into(),
        received_at: at("2026-11-23", 10),
        number: Some("+8613800005678".into()),
        withheld: false,
        language: None,
        queue: "mandarin".into(),
        agent: "6632".into(),
        test_call,
    })
}

pub(super) fn at(day: &str, hour: u64) -> Instant {
    day.parse::<Day>().unwrap().begins() + Duration::from_secs(hour * 3_600)
}

pub(super) fn actor(role: Role) -> Actor {
    let post = match role {
        Role::Operator => Post::Operator,
        Role::ShiftLeader => Post::ShiftLeader,
        Role::HotlineOffice => Post::HotlineOffice,
        Role::Clerk => Post::Clerk { department: BUREAU.into() },
        Role::PlatformEngineer => Post::PlatformEngineer,
        Role::Wallboard => Post::Wallboard,
        Role::System => return Actor::system(),
    };
    Actor::new("6632", post)
}

/// A ticket and its history, as a store keeps them.
pub(super) struct World {
    pub rules: Rules,
    pub ticket: Ticket,
    pub history: Vec<Entry>,
}

impl World {
    pub fn new(test_call: bool) -> World {
        let mut world = World { rules: rules(), ticket: ticket(test_call), history: vec![] };
        let received = world.ticket.received(&world.rules);
        world.take(world.ticket.opening.received_at, Actor::system(), received);
        world
    }

    pub fn take(&mut self, at: Instant, by: Actor, change: Change) {
        let entry = Entry { at, by, change };
        self.ticket.case.take(&entry).unwrap_or_else(|misfit| panic!("{misfit}: {entry:?}"));
        self.history.push(entry);
    }

    pub fn apply(&mut self, now: Instant, actor: &Actor, command: Command) -> Result<(), Refusal> {
        let desk = Circumstances { rules: &self.rules, now, earlier: None };
        let changes = self.ticket.apply(&desk, actor, command)?;
        assert!(!changes.is_empty(), "an accepted command leaves a trace");
        changes.into_iter().for_each(|change| self.take(now, actor.clone(), change));
        Ok(())
    }

    /// As `apply`, on the day, by the role; panics when refused.
    fn goes(&mut self, day: &str, role: Role, command: Command) -> &mut Self {
        let done = self.apply(at(day, 11), &actor(role), command.clone());
        done.unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
        self
    }

    fn refused(&mut self, day: &str, role: Role, command: Command) -> Refusal {
        let before = self.ticket.clone();
        let refusal = self.apply(at(day, 11), &actor(role), command).unwrap_err();
        assert_eq!(self.ticket, before);
        refusal
    }

    fn stage(&self) -> Stage {
        self.ticket.case.status.stage()
    }

    fn due(&self) -> [Option<String>; 3] {
        let case = &self.ticket.case;
        [case.transfer_due, case.reply_due, case.extended_to].map(|due| due.map(|day| day.to_string()))
    }
}

pub(super) fn filled() -> Command {
    Command::FillIn(Box::new(Fill {
        kind: Some(Kind::Help),
        category: Some("01.01".into()),
        title: Some("路灯不亮".into()),
        content: Some("小区门口路灯三天不亮".into()),
        name: Some("张三".into()),
        callback_no: Some("13800005678".into()),
        address: Some("某路1号".into()),
        ..Fill::default()
    }))
}

pub(super) fn words(text: &str) -> String {
    text.to_owned()
}

fn pass() -> Command {
    Command::Pass { lead: None, assisting: vec![], note: String::new() }
}

const DISPATCH: Command = Command::Dispatch { lead: None, assisting: None };

fn heard(process: Satisfaction, result: Satisfaction, solved: bool) -> Command {
    Command::RecordCallback(Callback::Reached { process, result, solved })
}

/// A ticket at each stage, on the way of one that is passed on, on Monday 2026-11-23.
pub(super) fn at_stage(stage: Stage) -> World {
    let mut world = World::new(false);
    let way = [
        (Role::Operator, Command::Accept),
        (Role::Operator, pass()),
        (Role::HotlineOffice, DISPATCH),
        (Role::Clerk, Command::SignFor),
        (Role::Clerk, Command::Start),
        (Role::Clerk, Command::Settle { result: words("已修复") }),
        (Role::HotlineOffice, Command::AskCallback),
        (Role::Operator, heard(Satisfaction::Fair, Satisfaction::Dissatisfied, false)),
        (Role::HotlineOffice, Command::Archive),
    ];
    world.goes("2026-11-23", Role::Operator, filled());
    for (role, command) in way.into_iter().take(stage as usize) {
        world.goes("2026-11-23", role, command);
    }
    assert_eq!(world.stage(), stage);
    world
}

#[test]
fn a_ticket_that_is_passed_on_goes_down_the_whole_chain() {
    let mut world = at_stage(Stage::Archived);
    let case = &world.ticket.case;
    assert_eq!(case.status.disposition(), Some(Disposition::Passed));
    assert_eq!(case.supervised, BTreeSet::from([Trigger::Dissatisfied]));
    assert!(case.status.callback().is_some() && case.due().is_none() && case.alarm().is_none());
    assert_eq!(Case::of(&world.history).unwrap(), *case, "the history explains it");
    assert!(matches!(
        world.refused("2026-11-24", Role::HotlineOffice, Command::Redo { reason: words("x") }),
        Refusal::NotNow { stage: Stage::Archived, .. }
    ));
}

#[test]
fn what_the_hotline_settles_itself_needs_no_callback() {
    let answer = || words("供热期为11月15日至次年3月15日");
    for (command, disposition) in [
        (Command::AnswerNow { answer: answer() }, Disposition::AnsweredNow),
        (Command::ThreeWay { department: words("12319"), answer: answer() }, Disposition::ThreeWay),
        (Command::HandTo110 { note: words("有人落水") }, Disposition::Police),
        (Command::Decline { reason: OutOfScope::InCourt, explanation: answer() }, Disposition::Declined),
    ] {
        let mut world = at_stage(Stage::Accepted);
        world.goes("2026-11-23", Role::Operator, command).goes("2026-11-23", Role::Operator, Command::Archive);
        assert_eq!(world.ticket.case.status.disposition(), Some(disposition));
    }
}

#[test]
fn an_emergency_goes_to_110_with_nothing_filled_in_and_is_filled_in_afterwards() {
    let mut world = World::new(false);
    world.goes("2026-11-23", Role::Operator, Command::HandTo110 { note: words("有人落水") });
    assert_eq!(world.ticket.case.supervised, BTreeSet::from([Trigger::Emergency]));
    let refusal = world.refused("2026-11-23", Role::Operator, Command::Archive);
    assert_eq!(refusal.zh(), "请先填写：诉求类型、事项分类、标题、诉求内容");
    assert_eq!(refusal.en(), "fill in first: type, category, title, content");
    world.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Archive);
}

#[test]
fn deadlines_follow_the_ticket() {
    let mut world = at_stage(Stage::AwaitingDispatch);
    assert_eq!(world.due(), [Some("2026-11-25".into()), Some("2026-11-30".into()), None]);
    assert_eq!(world.ticket.case.due().unwrap().to_string(), "2026-11-25", "first the passing on");
    world.goes("2026-11-24", Role::HotlineOffice, DISPATCH);
    assert_eq!(world.ticket.case.status.assignment().unwrap().return_due.to_string(), "2026-11-26");
    assert_eq!(world.ticket.case.due().unwrap().to_string(), "2026-11-30", "then the reply");
    let mistaken = || Command::Return { reason: words("不属我单位职责") };
    let mut late = World { rules: rules(), ticket: world.ticket.clone(), history: vec![] };
    let refusal = late.refused("2026-11-27", Role::Clerk, mistaken());
    assert_eq!(refusal.zh(), "退回期限为2026-11-26，已过期；请与热线办协商，由其收回");
    world.goes("2026-11-26", Role::Clerk, mistaken());
    assert_eq!((world.stage(), world.ticket.case.times.returned), (Stage::AwaitingDispatch, 1));
    assert_eq!(world.due(), [Some("2026-11-30".into()), Some("2026-11-30".into()), None], "the citizen's day stays");
    let other = Command::Dispatch { lead: Some("水务集团".into()), assisting: Some(vec![BUREAU.into()]) };
    world.goes("2026-11-26", Role::ShiftLeader, other);
    assert_eq!(
        world.refused("2026-11-26", Role::Clerk, Command::SignFor),
        Refusal::NotYourDepartment { lead: Some("水务集团".into()) }
    );
}

#[test]
fn an_extension_is_asked_for_granted_once_and_moves_the_reply() {
    let mut world = at_stage(Stage::InHand);
    let ask = |days| Command::AskExtension { days, reason: words("需协调管线单位") };
    for (days, expected) in [(0, "1至10"), (11, "1至10")] {
        assert!(world.refused("2026-11-25", Role::Clerk, ask(days)).zh().contains(expected));
    }
    assert_eq!(world.refused("2026-11-25", Role::HotlineOffice, Command::GrantExtension), Refusal::NoExtensionAsked);
    world.goes("2026-11-25", Role::Clerk, ask(10));
    assert_eq!(world.refused("2026-11-25", Role::Clerk, ask(1)), Refusal::ExtensionPending);
    assert!(matches!(world.refused("2026-11-25", Role::Clerk, Command::GrantExtension), Refusal::NotYours { .. }));
    world.goes("2026-11-25", Role::HotlineOffice, Command::RefuseExtension { reason: words("理由不充分") });
    world.goes("2026-11-25", Role::Clerk, ask(10)).goes("2026-11-25", Role::HotlineOffice, Command::GrantExtension);
    assert_eq!(world.due()[2].as_deref(), Some("2026-12-14"));
    assert_eq!(world.refused("2026-11-26", Role::Clerk, ask(1)), Refusal::NoMoreExtensions { most: 1 });
    world.rules.limits.extensions = 2;
    assert!(matches!(world.refused("2026-12-15", Role::Clerk, ask(1)), Refusal::AlreadyLate { .. }));
    world.goes("2026-12-14", Role::Clerk, ask(1)).goes("2026-12-16", Role::HotlineOffice, Command::GrantExtension);
    assert_eq!(world.due()[2].as_deref(), Some("2026-12-15"), "counted from the day it was due");
}

#[test]
fn each_deadline_is_raised_once_and_only_when_its_day_is_over() {
    let mut world = at_stage(Stage::AwaitingDispatch);
    let raise = |deadline| Command::RaiseDeadline { deadline };
    let (transfer, reply) = (raise(Deadline::Transfer), raise(Deadline::Reply));
    world.refused("2026-11-25", Role::System, transfer.clone());
    world.goes("2026-11-26", Role::System, transfer.clone());
    assert_eq!(world.ticket.case.alarm().unwrap().0, Deadline::Reply);
    assert_eq!(
        world.refused("2026-11-26", Role::System, transfer),
        Refusal::NotMissed { deadline: Deadline::Transfer }
    );
    world.goes("2026-12-01", Role::System, reply.clone());
    let case = &world.ticket.case;
    assert_eq!((case.overdue, case.supervised.contains(&Trigger::Late), case.alarm()), (true, true, None));
    assert_eq!(case.due().unwrap().to_string(), "2026-11-25", "still in the list of what is late");
    assert!(matches!(world.refused("2026-12-01", Role::HotlineOffice, reply), Refusal::NotYours { .. }));
}

#[test]
fn who_is_dissatisfied_with_both_has_it_handled_again_once_by_itself() {
    use Satisfaction::*;
    let mut world = at_stage(Stage::AwaitingCallback);
    world.goes("2026-12-01", Role::Operator, heard(VeryDissatisfied, Dissatisfied, false));
    assert_eq!((world.stage(), world.ticket.case.times.redone), (Stage::AwaitingDispatch, 1));
    assert_eq!(world.due()[..2], [Some("2026-12-03".into()), Some("2026-12-08".into())]);
    let again = [
        (Role::HotlineOffice, DISPATCH),
        (Role::Clerk, Command::SignFor),
        (Role::Clerk, Command::Start),
        (Role::Clerk, Command::Settle { result: words("已解释") }),
        (Role::HotlineOffice, Command::AskCallback),
        (Role::Operator, heard(VeryDissatisfied, VeryDissatisfied, false)),
    ];
    for (role, command) in again {
        world.goes("2026-12-02", role, command);
    }
    assert_eq!(world.stage(), Stage::CalledBack, "the second time the office decides");
    world.goes("2026-12-02", Role::HotlineOffice, Command::Redo { reason: words("领导批示") });
    assert_eq!(world.ticket.case.times.redone, 2);
    // Dissatisfied with one of the two: supervised, not handled again.
    let mut world = at_stage(Stage::AwaitingCallback);
    world.goes("2026-12-01", Role::Operator, heard(Satisfied, Dissatisfied, true));
    assert_eq!((world.stage(), world.ticket.case.supervised.len()), (Stage::CalledBack, 1));
    // Out of scope stays out of scope.
    let mut world = at_stage(Stage::Accepted);
    world
        .goes("2026-11-23", Role::Operator, Command::Decline { reason: OutOfScope::Judicial, explanation: words("x") })
        .goes("2026-11-23", Role::Operator, Command::AskCallback)
        .goes("2026-11-23", Role::Operator, heard(Dissatisfied, Dissatisfied, false));
    assert_eq!(world.stage(), Stage::CalledBack);
}

#[test]
fn supervision_comes_by_itself_and_once_for_each_reason() {
    let mut world = at_stage(Stage::Draft);
    let fill = |fill: Fill| Command::FillIn(Box::new(fill));
    world.goes("2026-11-23", Role::Operator, fill(Fill { category: Some("01.02".into()), ..Fill::default() }));
    assert_eq!(world.ticket.case.matter.urgency, Urgency::Critical, "the category's own");
    world.goes(
        "2026-11-23",
        Role::Operator,
        fill(Fill { repeat_of: Some("JN20261101000009".into()), ..Fill::default() }),
    );
    world.goes("2026-11-23", Role::ShiftLeader, Command::Supervise { reason: words("领导批示") });
    let expected = BTreeSet::from([Trigger::Emergency, Trigger::Repeated, Trigger::Ordered]);
    assert_eq!(world.ticket.case.supervised, expected);
    assert_eq!(world.refused("2026-11-23", Role::Operator, filled_again(&world)), Refusal::NothingChanges);
    let desk = Circumstances { rules: &rules(), now: at("2026-11-23", 11), earlier: Some("JN20261120000001") };
    let fresh = at_stage(Stage::Draft).ticket.apply(&desk, &actor(Role::Operator), Command::Accept).unwrap();
    assert!(fresh.contains(&Change::Supervised { trigger: Trigger::Repeated, note: String::new() }), "{fresh:?}");
}

fn filled_again(world: &World) -> Command {
    let matter = &world.ticket.case.matter;
    Command::FillIn(Box::new(Fill {
        title: Some(matter.title.clone()),
        urgency: Some(matter.urgency),
        ..Fill::default()
    }))
}

#[test]
fn bad_values_are_refused_each_by_its_name() {
    let mut world = at_stage(Stage::Draft);
    for (fill, expected) in [
        (Fill { title: Some("长".repeat(101)), ..Fill::default() }, "标题不能超过100个字"),
        (Fill { content: Some("a\0b".into()), ..Fill::default() }, "诉求内容含有不能使用的字符或数值，请改正"),
        (Fill { category: Some("01".into()), ..Fill::default() }, "事项分类中没有末级分类“01”，请选择末级分类"),
        (Fill { callback_no: Some("call me".into()), ..Fill::default() }, "回访电话含有不能使用的字符或数值，请改正"),
        (
            Fill { repeat_of: Some("JN20261123000001".into()), ..Fill::default() },
            "工单不能重复于自身，请填写更早的工单编号",
        ),
        (
            Fill { coordinates: Some(Coordinates { latitude: 91_000_000, longitude: 0 }), ..Fill::default() },
            "坐标含有不能使用的字符或数值，请改正",
        ),
    ] {
        assert_eq!(world.refused("2026-11-23", Role::Operator, Command::FillIn(Box::new(fill))).zh(), expected);
    }
    let mut world = at_stage(Stage::Accepted);
    let to = |lead: &str, assisting: &[&str]| Command::Pass {
        lead: Some(lead.into()),
        assisting: assisting.iter().map(|d| d.to_string()).collect(),
        note: String::new(),
    };
    assert!(matches!(world.refused("2026-11-23", Role::Operator, to("城管", &[])), Refusal::NoSuchDepartment { .. }));
    assert!(matches!(world.refused("2026-11-23", Role::Operator, to(BUREAU, &[BUREAU])), Refusal::Assisting { .. }));
    let blank = Command::AnswerNow { answer: words("  ") };
    assert_eq!(world.refused("2026-11-23", Role::Operator, blank), Refusal::Empty { field: Field::Answer });
}

/// One command for each action that changes something.
pub(super) fn commands() -> Vec<Command> {
    let reason = || words("理由");
    vec![
        filled(),
        Command::Accept,
        Command::AnswerNow { answer: reason() },
        Command::ThreeWay { department: words("12319"), answer: reason() },
        Command::HandTo110 { note: reason() },
        Command::Decline { reason: OutOfScope::Military, explanation: reason() },
        pass(),
        DISPATCH,
        Command::SignFor,
        Command::Start,
        Command::Settle { result: reason() },
        Command::Return { reason: reason() },
        Command::Recall { reason: reason() },
        Command::AskExtension { days: 3, reason: reason() },
        Command::GrantExtension,
        Command::RefuseExtension { reason: reason() },
        Command::Urge { note: reason() },
        Command::Supervise { reason: reason() },
        Command::AskCallback,
        heard(Satisfaction::Dissatisfied, Satisfaction::Dissatisfied, false),
        Command::RecordCallback(Callback::NotReached { attempts: 3 }),
        Command::Redo { reason: reason() },
        Command::Archive,
        Command::RaiseDeadline { deadline: Deadline::Reply },
        Command::RaiseDeadline { deadline: Deadline::Transfer },
        Command::Rate { rating: Satisfaction::Fair },
    ]
}

#[test]
fn a_test_call_has_no_deadlines() {
    let mut world = World::new(true);
    world.goes("2026-11-23", Role::Operator, filled()).goes("2026-11-23", Role::Operator, Command::Accept);
    world.goes("2026-11-23", Role::Operator, pass()).goes("2026-11-23", Role::HotlineOffice, DISPATCH);
    world.goes("2026-11-23", Role::Clerk, Command::Return { reason: words("x") });
    assert_eq!(world.due(), [None, None, None]);
    assert_eq!((world.ticket.case.due(), world.ticket.case.alarm()), (None, None));
}

#[test]
fn everything_survives_json() {
    for stage in Stage::ALL {
        let world = at_stage(*stage);
        let text = serde_json::to_string(&world.ticket).unwrap();
        assert_eq!(serde_json::from_str::<Ticket>(&text).unwrap(), world.ticket, "{text}");
        let text = serde_json::to_string(&world.history).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Entry>>(&text).unwrap(), world.history, "{text}");
    }
    for command in commands() {
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command, "{text}");
    }
    let strange = r#"{"command":"fill_in","titel":"x"}"#;
    assert!(serde_json::from_str::<Command>(strange).is_err(), "an unknown field is not passed over");
}
