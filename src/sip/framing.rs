//! Cutting a byte stream into SIP messages (RFC 3261 s18.3).
