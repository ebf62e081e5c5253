//! Where the day happens: the scene's settings as the gateway gets them, and everybody's addresses.

use super::Scene;
use super::demand::WrapUp;
use super::desk::REGISTERED_FOR;
use crate::config::settings::{AgentSettings, CoreSettings, SeatSettings};
use crate::ids::AgentNo;
use crate::sip::flow::{Flow, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Longer than anybody works on after a call: the agent's own word ends the wrap-up.
const LONGEST_WRAP_UP: Duration = Duration::from_secs(3_600);

/// The gateway's address, and a carrier for each trunk of its family.
pub fn addresses(settings: &CoreSettings) -> (SocketAddr, Vec<SocketAddr>) {
    let carriers: Vec<SocketAddr> = settings
        .trunks
        .iter()
        .filter_map(|trunk| trunk.peers.first().map(|peer| SocketAddr::new(peer.address, 5_060)))
        .collect();
    // Everybody speaks one family, or the gateway would need an address in each.
    let v4 = carriers.first().is_none_or(|c| c.is_ipv4());
    let carriers: Vec<SocketAddr> = carriers.into_iter().filter(|c| c.is_ipv4() == v4).collect();
    let ours: IpAddr = match v4 {
        true => settings.media.address_v4.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        false => settings.media.address_v6.unwrap_or(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    };
    (SocketAddr::new(ours, 5_060), carriers)
}

pub fn flow(local: SocketAddr, remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local, remote, connection: 0 }
}

/// The scene's settings with the posts as agents, a seat for each, and nothing to renew during the day.
pub fn settings(scene: &Scene) -> CoreSettings {
    let mut settings = scene.settings.clone();
    settings.agents = scene
        .posts
        .iter()
        .map(|post| AgentSettings {
            skills: post.skills.clone(),
            ..AgentSettings::new(&post.agent, std::iter::empty::<(&str, u8)>())
        })
        .collect();
    settings.seats = scene
        .posts
        .iter()
        .enumerate()
        .map(|(i, post)| SeatSettings {
            default_agent: Some(AgentNo::new(&post.agent)),
            ..SeatSettings::new(&(80_001 + i).to_string(), &format!("forecast-{i}"))
        })
        .collect();
    settings.limits.registration_expiry = REGISTERED_FOR;
    if let WrapUp::Drawn(_) = scene.demand.profile().wrap_up {
        for queue in &mut settings.queues {
            queue.wrap_up = LONGEST_WRAP_UP;
        }
    }
    settings
}
