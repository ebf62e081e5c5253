//! Dialogs (RFC 3261 s12).
