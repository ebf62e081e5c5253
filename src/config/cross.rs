//! Whether settings agree with each other: ports taken twice, addresses nobody can reach, queues nobody answers.
//! Belongs here: every check that needs two sections. Not here: a single setting's own range (`sections`, `people`).

use super::people::{AgentEntry, QueueEntry, SeatEntry, TrunkEntry};
use super::reader::{At, File, closest};
use super::sections::Places;
use super::settings::{Cidr, CoreSettings, WorldSettings};
use crate::ids::Skill;
use crate::media::PromptLibrary;
use crate::trunk::number::normalise_dnis;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

pub(super) fn network(file: &File, core: &CoreSettings, world: &WorldSettings, places: &Places) {
    let mut taken: Vec<(&str, SocketAddr, &str)> = vec![];
    let http = world.http.map(|value| At { value, line: places.http });
    let tcp = places.tcp.iter().cloned().map(|at| ("tcp", at, "sip.tcp"));
    let udp = places.udp.iter().cloned().map(|at| ("udp", at, "sip.udp"));
    for (transport, At { value, line }, name) in udp.chain(tcp).chain(http.map(|at| ("tcp", at, "http.listen"))) {
        let clash = taken.iter().find(|(t, other, _)| *t == transport && overlap(*other, value));
        if let Some((_, other, owner)) = clash {
            let what = format!("{name} {value} is taken by {owner} {other}");
            file.problem(line, what, "give one of them another port or address");
        }
        taken.push((transport, value, name));
    }
    let media = &core.media;
    let ports = u32::from(media.first_port)..u32::from(media.first_port) + 2 * u32::from(media.pairs);
    for At { value, line } in &places.udp {
        if ports.contains(&value.port().into()) {
            let what = format!("sip.udp {value} lies within the media ports {} to {}", ports.start, ports.end - 1);
            file.problem(*line, what, "move media.first_port or the SIP port");
        }
    }
    families(file, core, world, places);
    if u32::from(media.pairs) < 2 * core.limits.max_calls {
        let (pairs, calls) = (media.pairs, core.limits.max_calls);
        let what = format!("max_calls = {calls} needs {} media port pairs, media.pairs is {pairs}", 2 * calls);
        file.problem(
            places.max_calls.max(places.media),
            what,
            "a call has two legs, a pair each: raise pairs or lower max_calls",
        );
    }
}

/// Each family that signalling listens on needs an address for media that its peers can reach.
fn families(file: &File, core: &CoreSettings, world: &WorldSettings, places: &Places) {
    let media = |ip: IpAddr| if ip.is_ipv4() { core.media.address_v4 } else { core.media.address_v6 };
    let mut told = vec![];
    let configured = places.udp.iter().chain(&places.tcp);
    let listeners = world.sip_udp.iter().chain(&world.sip_tcp).map(|value| At { value: *value, line: places.media });
    let all: Vec<At<SocketAddr>> = if places.udp.is_empty() && places.tcp.is_empty() {
        listeners.collect()
    } else {
        configured.cloned().collect()
    };
    for At { value, line } in all {
        let (ip, family) = (value.ip(), if value.is_ipv4() { "v4" } else { "v6" });
        let (what, fix) = match media(ip) {
            None => (
                format!("sip listens on {value} but media has no IP{family} address"),
                format!("add address_{family} to [media], or listen on the other family"),
            ),
            Some(address) if address.is_loopback() && !ip.is_loopback() => (
                format!("sip listens on {value} but media is on {address}: nobody outside would hear anything"),
                format!("set address_{family} in [media] to the address that phones and trunks reach"),
            ),
            _ => continue,
        };
        if !told.contains(&family) {
            told.push(family);
            file.problem(line, what, fix);
        }
    }
}

/// Two sockets of one transport that cannot both be bound.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let same_family = a.is_ipv4() == b.is_ipv4();
    let same_ip = a.ip() == b.ip() || (same_family && (a.ip().is_unspecified() || b.ip().is_unspecified()));
    a.port() == b.port() && same_ip
}

pub(super) fn trunks(file: &File, trunks: &[TrunkEntry]) {
    if trunks.is_empty() {
        file.problem(0, "there is no usable [[trunks]], so no call can come in", "add one with name and peers");
    }
    let mut earlier: Vec<(Cidr, &str)> = vec![];
    for entry in trunks {
        let name = entry.trunk.name.as_str();
        for At { value, line } in &entry.peers {
            let shadow = earlier.iter().find(|(net, _)| net.prefix <= value.prefix && net.contains(value.address));
            if let Some((net, owner)) = shadow {
                let (a, b) = (shown(value), shown(net));
                let what = format!("peer {a} of trunk {name} is never reached: trunk {owner} has {b} already");
                file.problem(*line, what, "put the narrower network first, or remove it");
            }
            earlier.push((*value, name));
        }
    }
}

fn shown(net: &Cidr) -> String {
    format!("{}/{}", net.address, net.prefix)
}

pub(super) fn queues(
    file: &File,
    queues: &[QueueEntry],
    agents: &[AgentEntry],
    core: &CoreSettings,
    world: &WorldSettings,
) {
    if queues.is_empty() {
        file.problem(
            0,
            "there is no usable [[queues]], so no call is answered",
            "add one with name, numbers and skill",
        );
    }
    let mut numbers: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    let mut known: Vec<&str> = PromptLibrary::built_in_names().collect();
    known.extend(world.prompts.keys().map(|name| &**name));
    for entry in queues {
        let queue = &entry.queue;
        for At { value, line } in &entry.numbers {
            let number = normalise_dnis(value.as_bytes(), &core.area_code);
            match numbers.get(&number) {
                Some((owner, first)) => {
                    let what = format!("number {value:?} ({number}) leads to {owner} already, line {first}");
                    file.problem(*line, what, "a called number leads to one queue; remove it from the other");
                }
                None => {
                    numbers.insert(number, (queue.name.as_str(), *line));
                }
            }
        }
        for At { value, line } in &entry.prompts {
            if !known.contains(&value.as_str()) {
                let fix = closest(value, known.iter().copied()).map(|near| format!("did you mean {near:?}?"));
                let fix = fix.unwrap_or_else(|| format!("add {value} = \"file.wav\" to [prompts]"));
                file.problem(*line, format!("there is no prompt {value:?}"), fix);
            }
        }
        let able = |a: &AgentEntry| a.agent.skills.get(&queue.skill).is_some_and(|level| *level >= queue.min_level);
        if !agents.iter().any(able) {
            let (skill, level) = (&queue.skill, queue.min_level);
            let what = format!("nobody can answer queue {}: no agent has {skill} at level {level}", queue.name);
            let skills = agents.iter().flat_map(|a| a.agent.skills.keys()).map(Skill::as_str);
            let fix = closest(skill.as_str(), skills).map(|near| format!("did you mean skill {near:?}?"));
            file.problem(
                entry.line,
                what,
                fix.unwrap_or_else(|| "give an agent that skill, or lower min_level".into()),
            );
        }
    }
}

pub(super) fn people(
    file: &File,
    queues: &[QueueEntry],
    agents: &[AgentEntry],
    seats: &[SeatEntry],
    core: &CoreSettings,
    world: &WorldSettings,
) {
    let public = world.sip_udp.iter().chain(&world.sip_tcp).any(|s| !s.ip().is_loopback());
    let needed = || queues.iter().map(|q| q.queue.skill.as_str());
    for At { value, line } in agents.iter().flat_map(|a| &a.skills) {
        // A skill of no queue may be meant for later; one that nearly is a queue's is a typing error.
        let near = closest(value.as_str(), needed()).filter(|_| needed().all(|skill| skill != value.as_str()));
        if let Some(near) = near {
            file.problem(*line, format!("skill {value} is asked for by no queue"), format!("did you mean {near}?"));
        }
    }
    let codes = &core.feature_codes;
    let mut secrets: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in seats {
        let SeatEntry { seat, line, secret_line } = entry;
        let number = seat.number.as_str();
        if [&codes.sign_in, &codes.sign_out, &codes.ready, &codes.not_ready].into_iter().any(|code| code == number) {
            file.problem(*line, format!("seat {number} is also a feature code"), "give the seat another number");
        }
        if let Some(agent) = &seat.default_agent
            && agents.iter().all(|a| a.agent.number != *agent)
        {
            let what = format!("default_agent {:?} of seat {number} is no agent", agent.as_str());
            let fix = closest(agent.as_str(), agents.iter().map(|a| a.agent.number.as_str()));
            let fix = fix.map(|near| format!("did you mean {near:?}?"));
            file.problem(*line, what, fix.unwrap_or_else(|| "add the agent under [[agents]], or leave it out".into()));
        }
        if public && seat.secret.0.starts_with("example-") {
            let what = format!("the password of seat {number} is one of the published example");
            file.problem(*secret_line, what, "generate one: openssl rand -base64 18");
        }
        match secrets.get(&*seat.secret.0) {
            Some(other) => {
                let what = format!("seat {number} has the password of seat {other}");
                file.problem(*secret_line, what, "give each seat its own: openssl rand -base64 18");
            }
            None => {
                secrets.insert(&seat.secret.0, number);
            }
        }
    }
}
