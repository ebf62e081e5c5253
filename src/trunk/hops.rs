//! The addresses of one trunk: which of them a call of ours is sent to, and to which next. Belongs here: the order (RFC
//! 2782: priority, then weight) and the sharing. Not here: whether one lives (`health`), asking DNS (`net::dns`).
//!
//! The load is shared without chance: smooth weighted round robin, where each address earns its weight at every choice
//! and the chosen one pays them all. Any run of choices is as even as whole calls can be.

use super::health::{Health, Sign, Standing};
use crate::config::settings::{Hop, Host, Probe, Transport};
use crate::sip::endpoint::ClientTx;
use crate::sip::flow::connection_to;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// One address of a hop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    /// Unique among all trunks, never used again.
    pub id: u32,
    pub transport: Transport,
    pub address: SocketAddr,
    /// Of a flow to it: whose certificate it must show, if it goes by TLS.
    pub connection: u64,
    /// Which hop of the configuration it belongs to.
    pub hop: usize,
    /// The hop's, then that among what DNS says of its name.
    pub priority: (u16, u16),
    weight: u16,
    credit: i64,
    pub health: Health,
    /// The question that waits for its answer.
    pub asked: Option<(ClientTx, Instant)>,
    /// Of the last question answered.
    pub round_trip: Option<Duration>,
}

/// One address of a name, as DNS says (RFC 2782).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub address: SocketAddr,
    /// 0 is tried first.
    pub priority: u16,
    pub weight: u16,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Hops(Vec<Node>);

impl Hops {
    /// What is known without DNS. `next`: the next node's id.
    pub fn new(hops: &[Hop], next: &mut u32) -> Hops {
        let mut nodes = Hops::default();
        for (index, hop) in hops.iter().enumerate() {
            let addresses = match &hop.host {
                Host::Address(address) => std::slice::from_ref(address),
                Host::Name { fallback, .. } => fallback,
            };
            let port = hop.port.unwrap_or(hop.transport.default_port());
            let target = |ip: &_| Target { address: SocketAddr::new(*ip, port), priority: 0, weight: 1 };
            nodes.set(index, hop, &addresses.iter().map(target).collect::<Vec<_>>(), next);
        }
        nodes
    }

    /// The addresses of hop number `index` from now on. One that stays keeps what is known of it.
    pub fn set(&mut self, index: usize, hop: &Hop, targets: &[Target], next: &mut u32) {
        let (mut before, others) = std::mem::take(&mut self.0).into_iter().partition(|n| n.hop == index);
        self.0 = others;
        let connection = match (&hop.host, hop.transport) {
            (Host::Name { name, .. }, Transport::Tls) => connection_to(name),
            _ => 0,
        };
        for target in targets {
            // Two names for one machine: it is one hop, unless each is to be proved.
            let same = |n: &Node| (n.transport, n.address, n.connection) == (hop.transport, target.address, connection);
            if self.0.iter().any(same) {
                continue;
            }
            let before: &mut Vec<Node> = &mut before;
            let known = before.iter().position(|n| n.address == target.address).map(|at| before.swap_remove(at));
            let mut node = known.unwrap_or_else(|| {
                *next += 1;
                Node {
                    id: *next - 1,
                    transport: hop.transport,
                    address: target.address,
                    connection,
                    hop: index,
                    priority: (0, 0),
                    weight: 1,
                    credit: 0,
                    health: Health::Up,
                    asked: None,
                    round_trip: None,
                }
            });
            node.priority = (hop.priority, target.priority);
            // RFC 2782 wants a chance for weight 0, too.
            node.weight = target.weight.max(1).saturating_mul(hop.weight);
            self.0.push(node);
        }
        self.0.sort_by_key(|node| (node.hop, node.id));
    }

    /// The hop for a call that has been to those in `tried`: no worse than `worst`, the best first, equals in turn.
    pub fn choose(
        &mut self,
        now: Instant,
        worst: Standing,
        tried: &[u32],
        reachable: impl Fn(&Node) -> bool,
    ) -> Option<&Node> {
        let rank = |node: &Node| (node.health.standing(now), node.priority);
        let open = |node: &&Node| Hops::is_open(node, now, worst, tried) && reachable(node);
        let best = self.0.iter().filter(open).map(rank).min()?;
        let equals: Vec<usize> =
            (0..self.0.len()).filter(|at| open(&&self.0[*at]) && rank(&self.0[*at]) == best).collect();
        let all: i64 = equals.iter().map(|at| i64::from(self.0[*at].weight)).sum();
        for at in &equals {
            self.0[*at].credit += i64::from(self.0[*at].weight);
        }
        // The first of several with the same credit.
        let chosen = equals.into_iter().rev().max_by_key(|at| self.0[*at].credit)?;
        self.0[chosen].credit -= all;
        Some(&self.0[chosen])
    }

    pub fn is_open(node: &Node, now: Instant, worst: Standing, tried: &[u32]) -> bool {
        !tried.contains(&node.id) && node.health.standing(now) <= worst
    }

    /// Its state before, if that is another one now.
    pub fn sign(&mut self, now: Instant, id: u32, rules: Option<&Probe>, sign: Sign) -> Option<(Health, &Node)> {
        let node = self.0.iter_mut().find(|node| node.id == id)?;
        let before = node.health;
        node.health = before.after(now, rules, sign);
        let changed = std::mem::discriminant(&before) != std::mem::discriminant(&node.health);
        changed.then_some((before, node))
    }

    pub fn get(&self, id: u32) -> Option<&Node> {
        self.0.iter().find(|node| node.id == id)
    }

    pub fn get_mut(&mut self, id: u32) -> Option<&mut Node> {
        self.0.iter_mut().find(|node| node.id == id)
    }

    pub fn find(&self, transport: Transport, address: SocketAddr) -> Option<&Node> {
        self.0.iter().find(|node| node.transport == transport && node.address == address)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Rng;

    const NOW: Instant = Instant::from_unix_secs(1_000);

    /// `address priority weight` of each hop; addresses are named by their last byte.
    fn hops(text: &str) -> Hops {
        let hops: Vec<Hop> = text
            .split(", ")
            .map(|hop| {
                let [last, priority, weight] = hop.split(' ').map(|n| n.parse().unwrap()).collect::<Vec<u16>>()[..]
                else {
                    panic!("{hop}")
                };
                let address = SocketAddr::from(([10, 1, 0, last as u8], 5060));
                Hop { priority, weight, ..Hop::from(address) }
            })
            .collect();
        Hops::new(&hops, &mut 0)
    }

    fn last(node: &Node) -> u8 {
        let std::net::IpAddr::V4(ip) = node.address.ip() else { panic!() };
        ip.octets()[3]
    }

    fn choices(hops: &mut Hops, n: usize) -> String {
        let one = |_| hops.choose(NOW, Standing::Down, &[], |_| true).map_or("-".into(), |node| last(node).to_string());
        (0..n).map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_load_is_shared_by_weight_within_a_priority() {
        for (given, wanted) in [
            ("1 0 1", "1 1 1 1 1 1 1 1"),
            ("1 0 1, 2 0 1", "1 2 1 2 1 2 1 2"),
            ("1 0 3, 2 0 1", "1 1 2 1 1 1 2 1"),
            ("1 0 5, 2 0 1, 3 0 1", "1 1 2 1 3 1 1 1"),
            ("1 10 9, 2 0 1", "2 2 2 2 2 2 2 2"),
        ] {
            assert_eq!(choices(&mut hops(given), 8), wanted, "{given}");
        }
    }

    #[test]
    fn where_a_call_goes_next() {
        // Signs by hop (`-` silent, `R` resting), those tried, the worst that will do, the choice.
        for (given, signs, tried, worst, wanted) in [
            ("1 0 1, 2 0 1", "", "1", Standing::Down, "2"),
            ("1 0 1, 2 0 1", "", "1 2", Standing::Down, "-"),
            ("1 0 1, 2 10 1", "1-", "", Standing::Down, "2"),
            ("1 0 1, 2 10 1", "1- 2-", "", Standing::Down, "1"),
            ("1 0 1, 2 10 1", "1- 1-", "2", Standing::Doubtful, "-"),
            ("1 0 1, 2 10 1", "1- 1-", "2", Standing::Down, "1"),
            ("1 0 1, 2 10 1", "1R", "", Standing::Doubtful, "2"),
            ("1 0 1", "1R", "", Standing::Doubtful, "-"),
            ("1 0 1", "1R", "", Standing::Resting, "1"),
            ("1 0 1, 2 0 1", "1R 2- 2-", "", Standing::Down, "1"),
        ] {
            let mut hops = hops(given);
            let id = |hops: &Hops, n: &str| hops.iter().find(|node| last(node).to_string() == n).unwrap().id;
            for sign in signs.split_whitespace() {
                let (hop, sign) = sign.split_at(1);
                let sign = if sign == "R" { Sign::Rest { for_: Duration::from_secs(9) } } else { Sign::Silent };
                let id = id(&hops, hop);
                hops.sign(NOW, id, Some(&Probe { misses: 2, ..Probe::default() }), sign);
            }
            let tried: Vec<u32> = tried.split_whitespace().map(|n| id(&hops, n)).collect();
            let chosen = hops.choose(NOW, worst, &tried, |_| true).map_or("-".into(), |n| last(n).to_string());
            assert_eq!(chosen, wanted, "{given}; {signs}; tried {tried:?}; {worst:?}");
        }
    }

    /// Whatever fails and comes back: over any stretch in which nothing changes, each gets its share to within one call.
    #[test]
    fn shares_are_even_after_any_history() {
        for seed in 0..100 {
            let mut rng = Rng::new(seed);
            let mut hops = hops("1 0 2, 2 0 1, 3 0 3");
            for _ in 0..rng.below(50) {
                let away = rng.below(3) as u32;
                hops.choose(NOW, Standing::Down, &[away], |_| true);
            }
            let mut got = [0i64; 3];
            for _ in 0..600 {
                let chosen = hops.choose(NOW, Standing::Down, &[], |_| true).unwrap();
                got[usize::from(last(chosen)) - 1] += 1;
            }
            for (got, wanted) in got.into_iter().zip([200, 100, 300]) {
                assert!((got - wanted).abs() <= 50, "seed {seed}: {got} of {wanted}");
            }
            assert!(hops.iter().all(|node| node.credit.abs() < 1_000), "seed {seed}: credits are bounded");
        }
    }

    /// Whoever answers there must show the name that was asked for.
    #[test]
    fn two_names_at_one_address_are_two_hops_where_names_are_proved() {
        for (transport, wanted) in [(Transport::Tls, 2), (Transport::Tcp, 1), (Transport::Udp, 1)] {
            let host = |name: &str| Host::Name { name: name.into(), fallback: vec!["10.1.0.7".parse().unwrap()] };
            let named = ["sbc1.carrier.cn", "sbc2.carrier.cn", "SBC1.carrier.cn"];
            let hops = Hops::new(&named.map(|name| Hop::new(transport, host(name), None)), &mut 0);
            let mut connections: Vec<u64> = hops.iter().map(|node| node.connection).collect();
            connections.dedup();
            assert_eq!(connections.len(), wanted, "{transport:?}");
            assert!(connections.iter().all(|c| (*c != 0) == (transport == Transport::Tls)), "{connections:?}");
        }
    }

    #[test]
    fn a_name_that_resolves_anew_keeps_what_is_known() {
        let host = Host::Name { name: "sbc.carrier.cn".into(), fallback: vec!["10.1.0.9".parse().unwrap()] };
        let hop = Hop::new(Transport::Tls, host, None);
        let mut next = 0;
        let mut hops = Hops::new(std::slice::from_ref(&hop), &mut next);
        assert_eq!(hops.iter().next().unwrap().address, "10.1.0.9:5061".parse().unwrap());
        let target = |address: &str, priority| Target { address: address.parse().unwrap(), priority, weight: 0 };
        hops.set(
            0,
            &hop,
            &[target("10.1.0.7:5061", 0), target("10.1.0.8:5061", 1), target("10.1.0.7:5061", 1)],
            &mut next,
        );
        let shown = |hops: &Hops| hops.iter().map(|n| (last(n), n.id)).collect::<Vec<_>>();
        assert_eq!(shown(&hops), [(7, 1), (8, 2)]);
        hops.sign(NOW, 2, None, Sign::Silent);
        hops.set(0, &hop, &[target("10.1.0.8:5061", 0), target("10.1.0.6:5061", 0)], &mut next);
        assert_eq!(shown(&hops), [(8, 2), (6, 3)]);
        assert_eq!(hops.get(2).unwrap().health.as_str(), "resting", "a new answer heals nobody");
        assert!(hops.get(1).is_none());
    }
}
