//! Seats: the device an agent sits at. Belongs here: ringing a SIP phone, a leg in a browser, and what is dialled at a seat
//! (its dial plan, feature codes).
//! Not here: registration (`sip::registrar`), agents' states (`acd`).

pub mod browser;
pub mod dial_plan;
pub mod feature;
pub mod sip_phone;
