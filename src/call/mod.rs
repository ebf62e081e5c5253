//! One citizen call from INVITE to end.
