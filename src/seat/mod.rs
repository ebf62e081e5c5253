//! Seats: the device an agent sits at. Belongs here: ringing a SIP phone, and what a phone dials (its
//! seat's dial plan, feature codes).
//! Not here: registration (`sip::registrar`), agents' states (`acd`).

pub mod dial_plan;
pub mod feature;
pub mod sip_phone;
