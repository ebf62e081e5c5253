//! One TOML file and `sip-profiles/` -> validated settings, all problems at once.

mod defaults;
pub mod problem;
pub mod profile;
pub mod settings;
