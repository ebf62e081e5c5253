//! Why a command is not carried out, and what is possible instead. Belongs here: the reasons and how people are told, in
//! Chinese and in English. Not here: finding them (`steps`).

use super::day::Day;
use super::words::{Action, Deadline, Field, Role, Stage};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The role has no such right, whatever the ticket.
    NotYours {
        action: Action,
        role: Role,
        who: Vec<Role>,
    },
    /// Not at this stage; `instead`: what this role may do now.
    NotNow {
        action: Action,
        stage: Stage,
        instead: Vec<Action>,
    },
    /// Only clerks of this department may.
    NotYourDepartment {
        lead: Option<String>,
    },
    Incomplete {
        missing: Vec<Field>,
    },
    Empty {
        field: Field,
    },
    TooLong {
        field: Field,
        limit: usize,
    },
    /// Control characters, a number that cannot be dialled, a place not on earth.
    NotText {
        field: Field,
    },
    /// Not in the tree, or not a leaf.
    NoSuchCategory {
        code: String,
    },
    NoSuchDepartment {
        name: String,
    },
    /// Too many, or one twice.
    Assisting {
        limit: usize,
    },
    RepeatOfItself,
    TooLateToReturn {
        due: Day,
    },
    ExtensionDays {
        most: u32,
    },
    NoMoreExtensions {
        most: u32,
    },
    ExtensionPending,
    NoExtensionAsked,
    AlreadyLate {
        due: Day,
    },
    /// A test call's ticket has none.
    NoDeadline,
    NotMissed {
        deadline: Deadline,
    },
    CallbackFirst,
    NothingChanges,
}

impl Refusal {
    pub fn zh(&self) -> String {
        match self {
            Refusal::NotYours { action, role, who } => {
                format!("{}无权{}；可由{}办理", role.zh(), action.zh(), list(who, "、", Role::zh))
            }
            Refusal::NotNow { action, stage, instead } if instead.is_empty() => {
                format!("工单{}，不能{}；您在此环节没有可用操作", stage.zh(), action.zh())
            }
            Refusal::NotNow { action, stage, instead } => {
                format!("工单{}，不能{}；现在可以：{}", stage.zh(), action.zh(), list(instead, "、", Action::zh))
            }
            Refusal::NotYourDepartment { lead: Some(lead) } => format!("工单由{lead}承办，只能由该单位操作"),
            Refusal::NotYourDepartment { lead: None } => "工单未派给贵单位".into(),
            Refusal::Incomplete { missing } => format!("请先填写：{}", list(missing, "、", Field::zh)),
            Refusal::Empty { field } => format!("{}不能为空", field.zh()),
            Refusal::TooLong { field, limit } => format!("{}不能超过{limit}个字", field.zh()),
            Refusal::NotText { field } => format!("{}含有不能使用的字符或数值，请改正", field.zh()),
            Refusal::NoSuchCategory { code } => format!("事项分类中没有末级分类“{code}”，请选择末级分类"),
            Refusal::NoSuchDepartment { name } => format!("没有承办单位“{name}”，请从单位名录中选择"),
            Refusal::Assisting { limit } => format!("协办单位不能重复、不能与主办单位相同，且不超过{limit}个"),
            Refusal::RepeatOfItself => "工单不能重复于自身，请填写更早的工单编号".into(),
            Refusal::TooLateToReturn { due } => format!("退回期限为{due}，已过期；请与热线办协商，由其收回"),
            Refusal::ExtensionDays { most } => format!("一次延期为1至{most}个工作日"),
            Refusal::NoMoreExtensions { most } => format!("最多可延期{most}次，已用完；请尽快办结"),
            Refusal::ExtensionPending => "已有延期申请，请等待热线办审批".into(),
            Refusal::NoExtensionAsked => "没有待审批的延期申请".into(),
            Refusal::AlreadyLate { due } => format!("答复期限{due}已过，不能再申请延期；请尽快办结"),
            Refusal::NoDeadline => "测试来电的工单没有时限".into(),
            Refusal::NotMissed { deadline } => format!("{}未超期，或已提醒", deadline.zh()),
            Refusal::CallbackFirst => "转办工单须先回访再归档；请先转回访".into(),
            Refusal::NothingChanges => "没有任何改动".into(),
        }
    }

    pub fn en(&self) -> String {
        match self {
            Refusal::NotYours { action, role, who } => {
                format!("a {} may not {}; these may: {}", role.en(), action.en(), list(who, ", ", Role::en))
            }
            Refusal::NotNow { action, stage, instead } if instead.is_empty() => {
                format!("the ticket is {}: {} is not possible, nor anything else for you", stage.en(), action.en())
            }
            Refusal::NotNow { action, stage, instead } => {
                let instead = list(instead, ", ", Action::en);
                format!("the ticket is {}: {} is not possible; possible now: {instead}", stage.en(), action.en())
            }
            Refusal::NotYourDepartment { lead: Some(lead) } => format!("the ticket is {lead}'s; only its clerks may"),
            Refusal::NotYourDepartment { lead: None } => "the ticket is not with your department".into(),
            Refusal::Incomplete { missing } => format!("fill in first: {}", list(missing, ", ", Field::en)),
            Refusal::Empty { field } => format!("the {} must not be empty", field.en()),
            Refusal::TooLong { field, limit } => {
                format!("the {} must not be longer than {limit} characters", field.en())
            }
            Refusal::NotText { field } => format!("the {} has characters or values that cannot be used", field.en()),
            Refusal::NoSuchCategory { code } => format!("{code:?} is not a leaf of the category tree; choose a leaf"),
            Refusal::NoSuchDepartment { name } => format!("there is no department {name:?}; choose one of the list"),
            Refusal::Assisting { limit } => {
                format!("assisting departments: at most {limit}, none twice, and not the lead")
            }
            Refusal::RepeatOfItself => "a ticket cannot repeat itself; name the earlier one".into(),
            Refusal::TooLateToReturn { due } => {
                format!("it could be returned until {due}; ask the hotline office to recall it")
            }
            Refusal::ExtensionDays { most } => format!("an extension is of 1 to {most} working days"),
            Refusal::NoMoreExtensions { most } => {
                format!("all {most} extensions are used; settle it as soon as you can")
            }
            Refusal::ExtensionPending => "an extension has been asked for; wait for the hotline office".into(),
            Refusal::NoExtensionAsked => "no extension is waiting for a decision".into(),
            Refusal::AlreadyLate { due } => format!("the reply was due on {due}; settle it as soon as you can"),
            Refusal::NoDeadline => "a test call's ticket has no deadline".into(),
            Refusal::NotMissed { deadline } => format!("{} is not late, or has been raised", deadline.en()),
            Refusal::CallbackFirst => "call the citizen back before it is archived: send it to callback".into(),
            Refusal::NothingChanges => "nothing would change".into(),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en())
    }
}

fn list<T: Copy>(words: &[T], between: &str, name: impl Fn(T) -> &'static str) -> String {
    words.iter().map(|word| name(*word)).collect::<Vec<_>>().join(between)
}
