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
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Post {
    Operator,
    ShiftLeader,
    HotlineOffice,
    /// Acts for one department, on what is passed to it.
    Clerk {
        department: String,
    },
    PlatformEngineer,
    Wallboard,
    System,
}

impl Post {
    /// What somebody may be given: who acts for a department says which, nobody else does. The system is nobody.
    pub fn of(role: Role, department: Option<String>) -> Option<Post> {
        match (role, department) {
            (Role::Clerk, Some(department)) => Some(Post::Clerk { department }),
            (Role::Operator, None) => Some(Post::Operator),
            (Role::ShiftLeader, None) => Some(Post::ShiftLeader),
            (Role::HotlineOffice, None) => Some(Post::HotlineOffice),
            (Role::PlatformEngineer, None) => Some(Post::PlatformEngineer),
            (Role::Wallboard, None) => Some(Post::Wallboard),
            (Role::Clerk | Role::System, _) | (_, Some(_)) => None,
        }
    }
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
            Post::PlatformEngineer => Role::PlatformEngineer,
            Post::Wallboard => Role::Wallboard,
            Post::System => Role::System,
        }
    }
}
