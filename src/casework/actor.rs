//! Who works on a ticket. Belongs here: a person's name and post. Not here: how they proved it (the API), what they may do
//! (`rights`).

use super::words::Role;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// 工号 or account.
    pub name: String,
    #[serde(flatten)]
    pub post: Post,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Post {
    Operator,
    ShiftLeader,
    HotlineOffice,
    /// Acts for one department, on what is passed to it.
    Clerk {
        department: String,
    },
    Engineer,
    ReadOnly,
    System,
}

impl Actor {
    pub fn new(name: impl Into<String>, post: Post) -> Actor {
        Actor { name: name.into(), post }
    }

    /// What happens without anybody: receipt, deadlines.
    pub fn system() -> Actor {
        Actor::new("rexian", Post::System)
    }

    pub fn role(&self) -> Role {
        match self.post {
            Post::Operator => Role::Operator,
            Post::ShiftLeader => Role::ShiftLeader,
            Post::HotlineOffice => Role::HotlineOffice,
            Post::Clerk { .. } => Role::Clerk,
            Post::Engineer => Role::Engineer,
            Post::ReadOnly => Role::ReadOnly,
            Post::System => Role::System,
        }
    }
}
