//! One INVITE dialog's usage as a leg (RFC 3261 s13-15).
