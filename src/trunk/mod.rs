//! Carriers: profile, numbers, admission.
pub mod number;
