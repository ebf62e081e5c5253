//! The same gateway in virtual time.
