//! How a call was forwarded on its way to us. Not here: reading it from headers (`trunk::called`).

use serde::{Deserialize, Serialize};

/// How a call was forwarded to us (RFC 5806, RFC 7044). Numbers as normalised; `None` if unknown or not to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Whose line sent it here, last.
    pub by: Option<String>,
    /// What the caller dialled, at first.
    pub called: Option<String>,
    pub why: Option<ForwardReason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ForwardReason {
    /// 无条件转移
    Always,
    /// 遇忙转移
    Busy,
    /// 无应答转移
    NoAnswer,
    /// 不可及转移
    Unreachable,
    /// Sent on by hand while it rang.
    Deflected,
}

impl ForwardReason {
    /// Stable word for logs and records.
    pub fn as_str(self) -> &'static str {
        match self {
            ForwardReason::Always => "always",
            ForwardReason::Busy => "busy",
            ForwardReason::NoAnswer => "no_answer",
            ForwardReason::Unreachable => "unreachable",
            ForwardReason::Deflected => "deflected",
        }
    }
}
