//! The pretend world: carriers, phones, agents, network, media and stores around one real gateway, from a seed.
//! Nothing here is used by `serve`; the demo uses `ua`, `simulate` uses `forecast`. Pure: no sockets, no clock.

pub mod day;
pub mod erlang;
pub mod forecast;
pub mod invariants;
pub mod network;
pub mod rng;
pub mod ua;
