//! Who gets which call, now.
