//! Session descriptions (RFC 8866) and offer/answer (RFC 3264). Belongs here: text <-> what the media plane needs for
//! the one audio stream of a leg. Not here: when an offer is due (`sip::session`), packets (`media`).
//!
//! `parse` reads tolerantly what phones and carriers send, within bounds; `offer_answer` decides and writes; `crypto` and
//! `encryption` are its part about keys, `webrtc` that about phones in browsers.

pub mod crypto;
pub mod encryption;
pub mod offer_answer;
pub mod parse;
pub mod webrtc;
