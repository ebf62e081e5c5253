//! The closed lists of words a ticket is described with, each in Chinese (as the standard and the stored columns say it)
//! and in English. Belongs here: the words. Not here: what may follow from them (`rights`, `steps`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $zh:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            pub const fn zh(self) -> &'static str {
                match self { $($name::$variant => $zh,)* }
            }

            pub const fn en(self) -> &'static str {
                match self { $($name::$variant => $en,)* }
            }

            pub fn from_zh(text: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|word| word.zh() == text)
            }
        }
    };
}

words!(/// What the citizen wants (诉求类型).
    Kind {
        Question = "咨询", "question";
        Help = "求助", "request for help";
        Complaint = "投诉", "complaint";
        Report = "举报", "report of an offence";
        Suggestion = "建议", "suggestion";
        Praise = "表扬", "praise";
        Other = "其他", "other";
    }
);

words!(Urgency {
        Normal = "一般", "normal";
        Urgent = "紧急", "urgent";
        /// Life, health or public safety: supervised from the first moment.
        Critical = "特急", "critical";
    }
);

words!(/// How the hotline disposes of a ticket (办理方式).
    Disposition {
        AnsweredNow = "直办", "answered on the spot";
        Passed = "转办", "passed to departments";
        ThreeWay = "三方", "settled in a three-way call";
        Police = "转110", "handed to 110";
        Declined = "不予受理", "declined";
    }
);

words!(/// Why a matter is not the hotline's.
    OutOfScope {
        Military = "涉军", "a military matter";
        Judicial = "涉法涉诉", "a judicial matter";
        InCourt = "已进入诉讼程序", "already in court";
    }
);

words!(/// Where a ticket stands, without what belongs to it there (that is `Status`).
    Stage {
        Draft = "待完善", "to be filled in";
        Accepted = "已受理", "accepted";
        AwaitingDispatch = "待派遣", "awaiting dispatch";
        Dispatched = "已派遣", "dispatched";
        SignedFor = "已签收", "signed for";
        InHand = "办理中", "in hand";
        Settled = "已办结", "settled";
        AwaitingCallback = "待回访", "awaiting callback";
        CalledBack = "已回访", "called back";
        Archived = "已归档", "archived";
    }
);

words!(/// Why a ticket is supervised (督办).
    Trigger {
        Emergency = "紧急事项", "emergency";
        Repeated = "重复诉求", "repeated";
        Dissatisfied = "不满意", "citizen dissatisfied";
        Late = "超期", "late";
        Ordered = "指定督办", "ordered";
    }
);

words!(/// What must be done by a day (时限).
    Deadline {
        Transfer = "转办时限", "passing on";
        Reply = "答复时限", "reply";
    }
);

words!(Satisfaction {
        VeryDissatisfied = "非常不满意", "very dissatisfied";
        Dissatisfied = "不满意", "dissatisfied";
        Fair = "基本满意", "fairly satisfied";
        Satisfied = "满意", "satisfied";
        VerySatisfied = "非常满意", "very satisfied";
    }
);

impl Satisfaction {
    pub fn is_dissatisfied(self) -> bool {
        self <= Satisfaction::Dissatisfied
    }

    /// 1 (very dissatisfied) to 5.
    pub fn points(self) -> u8 {
        self as u8 + 1
    }
}

words!(/// What somebody is at the hotline.
    Role {
        /// Takes calls, fills in tickets.
        Operator = "话务员", "operator";
        ShiftLeader = "班长", "shift leader";
        /// Owns process and quality.
        HotlineOffice = "热线办", "hotline office";
        Clerk = "承办单位", "department clerk";
        /// Keeps the platform running.
        PlatformEngineer = "平台工程师", "platform engineer";
        /// Figures only, no caller and no name.
        Wallboard = "大屏", "wallboard";
        /// Rexian itself: deadlines that pass.
        System = "系统", "the system";
    }
);

impl Role {
    /// All that somebody can be given.
    pub const GIVEN: [Role; 6] =
        [Role::Operator, Role::ShiftLeader, Role::HotlineOffice, Role::Clerk, Role::PlatformEngineer, Role::Wallboard];

    /// As the configuration, the API and the stores spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::ShiftLeader => "shift_leader",
            Role::HotlineOffice => "hotline_office",
            Role::Clerk => "clerk",
            Role::PlatformEngineer => "platform_engineer",
            Role::Wallboard => "wallboard",
            Role::System => "system",
        }
    }
}

words!(/// What somebody may do with a ticket; one per command, and the ways of reading.
    Action {
        FillIn = "填写", "fill in";
        LiftConfidentiality = "解除保密", "lift confidentiality";
        Accept = "受理", "accept";
        AnswerNow = "直接办理", "answer on the spot";
        ThreeWay = "三方办理", "settle in a three-way call";
        #[serde(rename = "hand_to_110")]
        HandTo110 = "转110", "hand to 110";
        Decline = "不予受理", "decline";
        Pass = "转交办理", "pass to departments";
        Dispatch = "派遣", "dispatch";
        SignFor = "签收", "sign for";
        Start = "开始办理", "start work";
        Settle = "办结", "settle";
        Return = "退回", "return as wrongly assigned";
        Recall = "收回", "recall";
        AskExtension = "申请延期", "ask for an extension";
        DecideExtension = "审批延期", "decide on an extension";
        Urge = "催办", "urge";
        Supervise = "督办", "supervise";
        AskCallback = "转回访", "send to callback";
        RecordCallback = "登记回访", "record the callback";
        Redo = "重新办理", "have handled again";
        Archive = "归档", "archive";
        RaiseDeadline = "超期提醒", "raise a missed deadline";
        Rate = "满意度评价", "rate the call";
        Read = "查看", "read (masked)";
        Reveal = "查看完整信息", "read unmasked";
        ReadAudit = "查看访问记录", "read the audit";
    }
);

words!(/// What of a ticket a refusal speaks of.
    Field {
        Kind = "诉求类型", "type";
        Category = "事项分类", "category";
        Title = "标题", "title";
        Content = "诉求内容", "content";
        Name = "姓名", "name";
        CallbackNumber = "回访电话", "callback number";
        District = "区县", "district";
        Street = "街道", "street";
        Community = "社区", "community";
        Address = "地址", "address";
        Coordinates = "坐标", "coordinates";
        RepeatOf = "重复工单", "repeat of";
        Answer = "答复", "answer";
        Reason = "理由", "reason";
        Note = "说明", "note";
        Result = "办理结果", "result";
        Department = "承办单位", "department";
    }
);
