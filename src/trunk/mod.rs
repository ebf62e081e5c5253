//! Carriers: profile, numbers, admission.
pub mod caller;
pub mod number;
