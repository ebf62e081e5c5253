//! The case store behind a trait.
