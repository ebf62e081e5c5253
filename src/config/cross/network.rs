//! Sockets and addresses. Belongs here: listeners and media ports that clash or that nobody can reach. Not here: who
//! may send to them (`trunks`).

use super::*;
use std::net::{IpAddr, SocketAddr};

pub(super) fn network(file: &File, core: &CoreSettings, world: &WorldSettings, places: &Places) {
    let mut taken: Vec<(&str, SocketAddr, &str)> = vec![];
    let http = world.http.map(|value| At { value, line: places.http });
    let tcp = places.tcp.iter().cloned().map(|at| ("tcp", at, "sip.tcp"));
    let udp = places.udp.iter().cloned().map(|at| ("udp", at, "sip.udp"));
    let tls = places.tls.iter().cloned().map(|at| ("tcp", at, "sip.tls"));
    let ws = places.ws.iter().cloned().map(|at| ("tcp", at, "sip.ws"));
    let wss = places.wss.iter().cloned().map(|at| ("tcp", at, "sip.wss"));
    let pages = places.pages.iter().cloned().map(|at| ("tcp", at, "pages.listen"));
    let browsers: Vec<At<SocketAddr>> =
        world.browsers.iter().flat_map(|b| media_addresses(world, places, b.port)).collect();
    let browsers_udp = browsers.iter().cloned().map(|at| ("udp", at, "media.browser_port"));
    let http = http.map(|at| ("tcp", at, "http.listen"));
    let streams = tcp.chain(tls).chain(ws).chain(wss).chain(pages).chain(http);
    for (transport, At { value, line }, name) in udp.chain(browsers_udp).chain(streams) {
        let clash = taken.iter().find(|(t, other, _)| *t == transport && overlap(*other, value));
        if let Some((_, other, owner)) = clash {
            let what = format!("{name} {value} is taken by {owner} {other}");
            file.problem(line, what, "give one of them another port or address");
        }
        taken.push((transport, value, name));
    }
    let media = &core.media;
    let ports = u32::from(media.first_port)..u32::from(media.first_port) + 2 * u32::from(media.pairs);
    let named = places.udp.iter().map(|at| (at, "sip.udp")).chain(browsers.iter().map(|at| (at, "media.browser_port")));
    for (At { value, line }, name) in named {
        if ports.contains(&value.port().into()) {
            let what = format!("{name} {value} lies within the media ports {} to {}", ports.start, ports.end - 1);
            file.problem(*line, what, "move media.first_port or that port");
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

/// Where media listens, with this port.
fn media_addresses(world: &WorldSettings, places: &Places, port: u16) -> impl Iterator<Item = At<SocketAddr>> {
    let hosts = world.media_bind_v4.into_iter().chain(world.media_bind_v6);
    hosts.map(move |host| At { value: SocketAddr::new(host, port), line: places.media })
}

/// Each family that signalling listens on needs an address for media that its peers can reach.
fn families(file: &File, core: &CoreSettings, world: &WorldSettings, places: &Places) {
    let media = |ip: IpAddr| if ip.is_ipv4() { core.media.address_v4 } else { core.media.address_v6 };
    let mut told = vec![];
    let configured: Vec<_> =
        [&places.udp, &places.tcp, &places.tls, &places.ws, &places.wss].into_iter().flatten().cloned().collect();
    let all = if configured.is_empty() {
        world.sip_addresses().map(|value| At { value: *value, line: places.media }).collect()
    } else {
        configured
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
