//! Rexian (热线): the telephone gateway and call distributor of a city's 12345 hotline. See the map below.

pub mod acd;
pub mod api;
pub mod call;
pub mod cases;
pub mod config;
pub mod demo;
pub mod event;
pub mod gateway;
pub mod ids;
pub mod leg;
pub mod logging;
pub mod media;
pub mod net;
pub mod plane;
pub mod runtime;
pub mod sdp;
pub mod seat;
pub mod sim;
pub mod sip;
pub mod sla;
pub mod store;
pub mod ticket;
pub mod time;
pub mod trunk;
