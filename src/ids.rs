//! Typed identities. Belongs here: the newtypes every layer shares. Not here: anything that looks one up.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One citizen call from INVITE to end. Unique across restarts: the gateway numbers calls upward from a value
/// derived from its start time. Printed as 16 hex digits, which is what logs, tickets and APIs carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u64);

/// One leg: a single SIP dialog (later: a browser session) and its media. Never reused within a gateway's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-{:016x}", self.0)
    }
}
impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}
impl fmt::Debug for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leg-{:x}", self.0)
    }
}

/// Names chosen in the configuration. `Arc<str>`: cloned into events without copying.
macro_rules! name {
    ($(#[$doc:meta])* $t:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $t(pub Arc<str>);

        impl $t {
            pub fn new(s: impl AsRef<str>) -> Self {
                $t(Arc::from(s.as_ref()))
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl From<&str> for $t {
            fn from(s: &str) -> Self {
                $t::new(s)
            }
        }
    };
}

name!(/// 工号: an agent's 4-digit number, announced at pickup.
    AgentNo);
name!(/// A seat (座席): one phone's account, where agents of several shifts sign in.
    SeatNo);
name!(QueueName);
name!(/// A special line (专线): called numbers with terms of their own.
    LineName);
name!(/// A trunk peer as the configuration names it.
    TrunkName);
name!(/// A skill, e.g. `mandarin`, `dialect`, `english`.
    Skill);
