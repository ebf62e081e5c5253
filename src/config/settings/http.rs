//! Who may ask the API. Not here: what each role may ask (`api::v1`).

use serde::{Deserialize, Serialize};

/// One program or person that may ask. The token itself is nowhere: only whoever holds it knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// For logs and audits.
    pub name: String,
    pub role: Role,
    /// SHA-256 of the token's text.
    pub sha256: [u8; 32],
}

/// What somebody is at the hotline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 话务员: takes calls, fills in tickets.
    Operator,
    /// 班长: leads a shift.
    ShiftLeader,
    /// 热线办: owns process and quality.
    HotlineOffice,
    /// 平台工程师: keeps the platform running.
    PlatformEngineer,
    /// 大屏: figures only, no caller and no name.
    Wallboard,
}

impl Role {
    pub const ALL: [Role; 5] =
        [Role::Operator, Role::ShiftLeader, Role::HotlineOffice, Role::PlatformEngineer, Role::Wallboard];

    /// As the configuration and the API spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::ShiftLeader => "shift_leader",
            Role::HotlineOffice => "hotline_office",
            Role::PlatformEngineer => "platform_engineer",
            Role::Wallboard => "wallboard",
        }
    }
}
