//! One TOML file and `sip-profiles/` -> validated settings, all problems at once.

pub mod problem;
pub mod settings;
