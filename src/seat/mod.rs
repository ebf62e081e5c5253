//! Seats: the device an agent sits at. Belongs here: ringing a SIP phone, and what a phone dials (feature codes).
//! Not here: registration (`sip::registrar`), agents' states (`acd`).

pub mod feature;
pub mod sip_phone;
