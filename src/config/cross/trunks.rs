//! Trunks among each other, and calling back by them. Belongs here: whose calls are taken as whose, and whether calls of
//! ours can go out. Not here: where a call that came in goes (`ways`).

use super::super::settings::{Cidr, Hop, Host, MissedCalls, Reach, Transport, TrunkSettings};
use super::*;
use crate::ids::TrunkName;
use std::net::IpAddr;

pub(super) fn trunks(file: &File, trunks: &[TrunkEntry], core: &CoreSettings, world: &WorldSettings, places: &Places) {
    if trunks.is_empty() {
        file.problem(0, "there is no usable [[trunks]], so no call can come in", "add one with name and peers");
    }
    let mut earlier: Vec<(Cidr, &str)> = vec![];
    for entry in trunks {
        let name = entry.trunk.name.as_str();
        for At { value, line } in &entry.peers {
            let shadow = earlier.iter().find(|(net, _)| net.prefix <= value.prefix && net.contains(value.address));
            if let Some((net, owner)) = shadow {
                let what = format!("peer {value} of trunk {name} is never reached: trunk {owner} has {net} already");
                file.problem(*line, what, "put the narrower network first, or remove it");
            }
            earlier.push((*value, name));
        }
        let most = core.limits.max_calls;
        if let Some(At { value, line }) = entry.max_calls.as_ref().filter(|at| at.value > most) {
            let what = format!("max_calls = {value} of trunk {name} is above the {most} of all trunks together");
            let fix = match places.max_calls {
                0 => format!("add [limits] max_calls = {value}, or lower this"),
                line => format!("raise limits.max_calls in line {line}, or lower this"),
            };
            file.problem(*line, what, fix);
        }
    }
    for entry in trunks {
        let TrunkSettings { name, accounts, hops, .. } = &entry.trunk;
        if !accounts.is_empty() && hops.is_empty() {
            let what = format!("trunk {name} has an account, but nowhere to register it");
            file.problem(entry.account, what, "add hops, the addresses of the carrier's proxies");
        }
        for (hop, line) in hops.iter().zip(&entry.hops) {
            reachable(file, world, name, hop, *line);
            for address in addresses(hop) {
                let owner = earlier.iter().find(|(net, _)| net.contains(address)).map(|(_, owner)| *owner);
                let what = match owner {
                    None => format!("hop {address} of trunk {name} is none of its peers"),
                    Some(owner) if owner != name.as_str() => {
                        format!("hop {address} of trunk {name} is a peer of trunk {owner}")
                    }
                    Some(_) => continue,
                };
                let fix = "what it answers would be a stranger's: add the address to this trunk's peers";
                file.problem(*line, what, fix);
            }
        }
    }
}

/// A hop is asked and called by a listener of ours of its transport and family: without one it is never chosen.
fn reachable(file: &File, world: &WorldSettings, trunk: &TrunkName, hop: &Hop, line: usize) {
    let listeners = match hop.transport {
        Transport::Udp => &world.sip_udp,
        Transport::Tcp => &world.sip_tcp,
        Transport::Tls => &world.sip_tls,
        Transport::Ws => &world.sip_ws,
        Transport::Wss => &world.sip_wss,
    };
    let by = hop.transport.as_str();
    let unlike = addresses(hop).into_iter().find(|ip| listeners.iter().all(|at| at.is_ipv4() != ip.is_ipv4()));
    if listeners.is_empty() {
        let what = format!("a hop of trunk {trunk} goes by {by}, by which [sip] does not listen");
        file.problem(line, what, format!(r#"add {by} = ["10.1.0.5:{}"] to [sip]"#, hop.transport.default_port()));
    } else if let Some(address) = unlike {
        let what = format!("hop {address} of trunk {trunk} is of another IP family than all {by} listeners of [sip]");
        file.problem(line, what, "add a listener of its family, or name another address");
    }
    if hop.transport == Transport::Tls && world.tls.as_ref().is_some_and(|tls| tls.trust.is_none()) {
        let what = format!("a hop of trunk {trunk} goes by TLS, but [tls] trusts nobody");
        file.problem(line, what, r#"add trust = "carrier-ca.pem" to [tls]"#);
    }
}

/// Those a hop is known to have without DNS.
fn addresses(hop: &Hop) -> Vec<IpAddr> {
    match &hop.host {
        Host::Address(address) => vec![*address],
        Host::Name { fallback, .. } => fallback.clone(),
    }
}

/// Somebody is to be called back: by what?
pub(super) fn callbacks(file: &File, entries: &Entries) {
    let callbacks = &entries.callbacks;
    let fix = "add [callbacks] trunk = \"...\", a trunk with call_out";
    for At { value, line } in &callbacks.trunks {
        let found = entries.trunks.iter().find(|t| t.trunk.name == *value);
        let names = entries.trunks.iter().map(|t| t.trunk.name.as_str());
        match found {
            None => {
                let what = format!("there is no trunk {:?} to call back by", value.as_str());
                unknown(file, *line, what, value.as_str(), names, "name one of [[trunks]]");
            }
            Some(trunk) if trunk.trunk.call_out.is_none() => {
                let what = format!("callbacks go out by trunk {value}, which calls nobody");
                let example = "hops = [\"10.1.0.7:5060\"] and call_out = { from = \"053112345\" }";
                file.problem(*line, what, format!("add {example} to it, or name another trunk"));
            }
            Some(_) => {}
        }
    }
    if callbacks.trunks.is_empty() {
        for entry in entries.queues.iter().filter(|entry| entry.queue.callback.is_some()) {
            // Without the queue's name: a default is met once by every queue, and told once.
            file.problem(entry.callback, "callers are offered to be called back, but by no trunk", fix);
        }
        if let MissedCalls::CallBack { .. } = callbacks.settings.missed {
            file.problem(callbacks.missed, "missed calls are to be called back, but by no trunk", fix);
        }
    }
}

/// Seats call outside: by what?
pub(super) fn dialling(file: &File, entries: &Entries) {
    let dialling = &entries.dialling;
    match &dialling.trunk {
        Some(At { value, line }) => {
            let found = entries.trunks.iter().find(|t| t.trunk.name == *value);
            let names = entries.trunks.iter().map(|t| t.trunk.name.as_str());
            match found {
                None => {
                    let what = format!("there is no trunk {:?} to dial by", value.as_str());
                    unknown(file, *line, what, value.as_str(), names, "name one of [[trunks]]");
                }
                Some(trunk) if trunk.trunk.call_out.is_none() => {
                    let what = format!("seats dial by trunk {value}, which calls nobody");
                    file.problem(*line, what, "add call_out to it, or name another trunk");
                }
                Some(_) => {}
            }
        }
        None => {
            for (plan, line) in dialling.settings.plans.iter().zip(&dialling.plans) {
                if plan.may_call.iter().any(|reach| *reach != Reach::Seats) {
                    let what = format!("dial plan {} calls outside, but by no trunk", plan.name);
                    file.problem(*line, what, "add [dialling] trunk = \"...\", a trunk with call_out");
                }
            }
        }
    }
    if dialling.settings.emergency.is_empty() {
        let what = "no emergency number is left to dial";
        file.problem(dialling.emergency, what, r#"leave emergency out, or name them: ["110", "119", "120", "122"]"#);
    }
}
