//! Rexian (热线): the telephone gateway and call distributor of a city's 12345 citizen hotline.
//!
//! # The map
//!
//! One idea: the whole telephone brain is one deterministic value, [`gateway::Gateway`]. It is handed `(now, input)` and
//! gives back outputs and its next timeout. Sockets, clocks, disks and threads sit around it, thin.
//!
//! | layer | modules | may use |
//! |---|---|---|
//! | vocabulary | [`time`] [`ids`] [`plane`] [`event`] [`leg`] [`ticket`] [`screen`] [`config::settings`] | vocabulary |
//! | pure | [`sip`] [`sdp`] [`trunk`] [`seat`] [`ivr`] [`acd`] [`call`] [`callback`] [`record`] [`sla`] [`guard`] [`casework`] | vocabulary; `sip` uses `sdp`; `sla` uses `record`; `trunk`, `seat` and `guard` use `sip`, `seat` also `trunk::number` |
//! | wiring | [`gateway`] | the pure layer |
//! | world | [`host`] [`html`] [`net`] [`media`] [`store`] [`cases`] [`api`] [`pages`] [`config`] [`logging`] [`trace`] [`runtime`] | anything above |
//! | leaf | [`sim`] [`demo`] [`simulate`] [`report`] [`export`] [`why`] [`checkup`] [`token`] [`password`] [`upkeep`], `main.rs` | anything |
//!
//! `tests/tidy.rs` holds the code to this table.
//!
//! # One call's walk
//!
//! bytes -> [`net`] -> [`sip::endpoint`] matches the transaction -> [`gateway`] asks [`trunk`] who called whom and
//! [`ivr`] which queue that leads to, and why -> [`call::Call`] begins and is queued in [`acd`] -> an offer rings a seat
//! ([`seat`], [`sip::session`]) -> the agent answers: the ticket goes to [`store`], durable there before the pickup is
//! reported (ACK, bridge in [`media`], 工号 announced) -> BYE -> wrap-up in [`acd`] -> ready. [`sla`], logs and
//! `/metrics` only read [`event`]s; [`store`] keeps them, and the facts folded from them ([`record`]), which [`report`] reads.
//!
//! # Invariants
//!
//! - RTP never enters the gateway; the gateway never waits for a disk, a peer or a lock.
//! - Every call ends with exactly one cause; an answered call opens exactly one ticket, at its first pickup.
//! - An agent's state is derived from its live offer or call; a caller keeps the place until the bridge is up.
//! - All state of the gateway is in the one value: [`gateway::Gateway::save`] is all of it.
//! - What a peer sends is bounded before it is kept; a peer that has not proved itself leaves nothing behind.
//!
//! # Deliberately absent
//!
//! A database in the path of a call (the store is written behind it); polling; transcoding other than A-law to µ-law;
//! SIP forwarding to numbers of a peer's choice; following redirections; REFER from a trunk (405), Replaces from anybody (403).

pub mod acd;
pub mod api;
pub mod call;
pub mod callback;
pub mod cases;
pub mod casework;
pub mod checkup;
pub mod config;
pub mod demo;
pub mod event;
pub mod export;
pub mod gateway;
pub mod guard;
pub mod host;
pub mod html;
pub mod ids;
pub mod ivr;
pub mod leg;
pub mod logging;
pub mod media;
pub mod net;
pub mod pages;
pub mod password;
pub mod plane;
pub mod record;
pub mod report;
pub mod runtime;
pub mod screen;
pub mod sdp;
pub mod seat;
pub mod sim;
pub mod simulate;
pub mod sip;
pub mod sla;
pub mod store;
pub mod ticket;
pub mod time;
pub mod token;
pub mod trace;
pub mod trunk;
pub mod upkeep;
pub mod why;
