//! Settings of what integrators look at.

use super::{Cidr, Secret};
use std::net::SocketAddr;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceSettings {
    /// Whose calls are drawn in the log.
    pub ladder: Traced,
    /// Every message is exported; `None`: none is.
    pub hep: Option<HepSettings>,
}

impl TraceSettings {
    pub fn is_off(&self) -> bool {
        self.ladder == Traced::Nothing && self.hep.is_none()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Traced {
    #[default]
    Nothing,
    Everything,
    /// Calls with a message from or to these networks, or naming one of these numbers in any form.
    Some {
        networks: Vec<Cidr>,
        numbers: Vec<String>,
    },
}

/// Where Homer listens for HEP version 3 over UDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HepSettings {
    pub to: SocketAddr,
    /// Capture agent id: which gateway this is.
    pub agent: u32,
    pub password: Option<Secret>,
}
