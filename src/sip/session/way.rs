//! Which way our requests inside a dialog go. Not here: what the dialog's route is (`dialog`), whom to trust (`gateway`).

use super::super::dialog::Dialog;
use super::super::flow::{Flow, Listener};
use crate::config::settings::{Cidr, Transport};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Way {
    /// By the path its INVITE came or went by: phones, behind NAT or on connections of their own.
    AsItCame,
    /// Where the dialog's route leads (RFC 3261 s12.2.1.1), if to one of these: to follow it anywhere would let a peer
    /// aim our requests at others. Else as it came.
    AsRouted { among: Vec<Cidr>, listening: Vec<Listener>, named: Vec<(SocketAddr, u64)> },
}

impl Way {
    pub fn flow(&self, dialog: &Dialog, came: Flow) -> Flow {
        let Way::AsRouted { among, listening, named } = self else { return came };
        let Some((transport, remote)) = dialog.next_hop() else { return came };
        if !among.iter().any(|peers| peers.contains(remote.ip())) {
            return came;
        }
        // What was encrypted stays so.
        if came.transport.is_encrypted() && !transport.is_encrypted() {
            return came;
        }
        // Its connection is there; a new one to the port it listens at may not get through.
        if came.transport.is_stream() && came.remote.ip().to_canonical() == remote.ip().to_canonical() {
            return came;
        }
        let proves = named.iter().find(|(at, _)| *at == remote && transport == Transport::Tls);
        let connection = proves.map_or(0, |(_, connection)| *connection);
        if came.transport == transport && came.local.is_ipv4() == remote.is_ipv4() {
            let connection = if came.remote == remote { came.connection } else { connection };
            return Flow { remote, connection, ..came };
        }
        let fits = |l: &&Listener| l.transport == transport && l.address.is_ipv4() == remote.is_ipv4();
        let ours = listening.iter().find(fits);
        ours.map_or(came, |ours| Flow { transport, local: ours.address, remote, connection })
    }
}
