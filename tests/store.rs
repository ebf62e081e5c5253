//! Tickets are durable before a pickup is reported and reach the case store exactly once, whatever happens to it, to
//! the disk or to the process. `contract` runs on every case store; `outage` breaks the store and the disk under a
//! running spool; `server` does so with a real PostgreSQL; `crash` kills the process; `aside` has tickets that are refused; `upgrade` has files of an earlier version.

#[path = "store/aside.rs"]
mod aside;
#[path = "store/contract.rs"]
mod contract;
#[path = "store/crash.rs"]
mod crash;
#[path = "store/desk.rs"]
mod desk;
#[path = "store/outage.rs"]
mod outage;
#[path = "common/pki.rs"]
mod pki;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "store/server.rs"]
mod server;
#[path = "store/support.rs"]
mod support;
#[path = "store/upgrade.rs"]
mod upgrade;
