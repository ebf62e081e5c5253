//! Seats: a phone as a leg.
