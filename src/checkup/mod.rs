//! `rexian check --trunk NAME`: tries a live peer - OPTIONS to each hop, a test call if asked for - and says in plain words
//! what it saw. Belongs here: the command. Not here: what a running gateway finds out about its hops (`trunk::health`).

mod ask;
mod audio;
mod call;
pub mod findings;
mod line;

use crate::config::settings::{Hop, Host, Settings, Transport, TrunkSettings};
use crate::host::{Clock, entropy};
use crate::net::dns;
use crate::net::tls::material;
use crate::sip::tokens::Tokens;
use findings::{Finding, Reply, Weight, fault, good, note};
use line::{Line, Trust};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(clap::Args)]
pub struct Options {
    /// Try this trunk's hops: OPTIONS to each, and what the answers mean. Exit code 1 if calls would fail.
    #[arg(long, value_name = "NAME", requires = "config")]
    trunk: Option<String>,
    /// Beside that, call this number by the first hop that lives, listen for three seconds, hang up.
    #[arg(long, value_name = "NUMBER", requires = "trunk")]
    call: Option<String>,
}

/// `None`: no trunk is to be tried.
pub fn run(options: &Options, settings: &Settings) -> Option<ExitCode> {
    let name = options.trunk.as_deref()?;
    let Some(trunk) = settings.core.trunks.iter().find(|t| t.name.as_str() == name) else {
        let names: Vec<&str> = settings.core.trunks.iter().map(|t| t.name.as_str()).collect();
        eprintln!("there is no trunk {name:?}; the configuration has {}", names.join(", "));
        return Some(ExitCode::from(2));
    };
    let seed = match entropy() {
        Ok(seed) => seed,
        Err(error) => {
            eprintln!("no random bytes for tags: /dev/urandom: {error}");
            return Some(ExitCode::FAILURE);
        }
    };
    let mut check = Check { clock: Clock::start(), tokens: Tokens::new(seed), settings, trunk, worst: Weight::Good };
    check.all(options.call.as_deref());
    Some(if check.worst == Weight::Fault { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Check<'a> {
    clock: Clock,
    tokens: Tokens,
    settings: &'a Settings,
    trunk: &'a TrunkSettings,
    worst: Weight,
}

impl Check<'_> {
    fn all(&mut self, number: Option<&str>) {
        println!("trunk {} ({})", self.trunk.name, self.trunk.profile.name);
        if self.trunk.hops.is_empty() {
            self.tell(vec![fault("it has no hops, so there is nobody to ask: add hops = [\"10.1.0.7:5060\"]")]);
        }
        let mut living = None;
        for hop in self.trunk.hops.clone() {
            for remote in self.addresses(&hop) {
                let lives = self.ask(&hop, remote);
                living = living.or(lives.then(|| (hop.clone(), remote)));
            }
        }
        match (number, living) {
            (Some(number), Some((hop, remote))) => self.call(number, &hop, remote),
            (Some(_), None) => self.tell(vec![fault("no test call: no hop lives")]),
            (None, _) => {}
        }
    }

    fn addresses(&mut self, hop: &Hop) -> Vec<SocketAddr> {
        let Host::Name { name, .. } = &hop.host else { return hop.fallbacks().collect() };
        let servers = dns::servers(&self.settings.world.dns);
        let asked = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(dns::Unknown::from)
            .and_then(|world| world.block_on(dns::targets(&servers, name, hop)));
        match asked {
            Ok((targets, _)) => {
                let found: Vec<SocketAddr> = targets.into_iter().map(|t| t.address).collect();
                let list = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                self.tell(vec![good(format!("{name} is {list}, says DNS"))]);
                let strange = found.iter().filter(|at| self.trunk.peers.iter().all(|net| !net.contains(at.ip())));
                let strange: Vec<Finding> = strange
                    .map(|at| {
                        fault(format!("{at} is none of the trunk's peers, so it would not be used: add it to peers"))
                    })
                    .collect();
                self.tell(strange);
                found
            }
            Err(error) => {
                let fallback: Vec<SocketAddr> = hop.fallbacks().collect();
                let text = format!("{name} cannot be resolved: {error}");
                self.tell(vec![match fallback.is_empty() {
                    true => fault(format!("{text}; mend DNS, or give the hop a fallback")),
                    false => note(format!("{text}; its fallback is used")),
                }]);
                fallback
            }
        }
    }

    /// What TLS needs; without it a TLS hop cannot be tried.
    fn trust(&mut self, hop: &Hop, remote: SocketAddr) -> Option<Trust> {
        let settings = self.settings.world.tls.as_ref().filter(|_| hop.transport == Transport::Tls)?;
        let config = match material::read(settings) {
            Ok(material) => Arc::new(material.client?),
            Err(unusable) => {
                self.tell(vec![fault(unusable.to_string())]);
                return None;
            }
        };
        let name = match &hop.host {
            Host::Name { name, .. } => name.clone().try_into().ok()?,
            Host::Address(_) => remote.ip().to_canonical().into(),
        };
        Some(Trust { config, name })
    }

    /// True if it lives.
    fn ask(&mut self, hop: &Hop, remote: SocketAddr) -> bool {
        let label = format!("{}:{remote}", hop.transport.as_str());
        println!("hop {label}");
        let Some(usual) = self.usual(hop.transport, remote) else { return false };
        let (local, reply) = match Line::open(hop.transport, usual, remote, self.trust(hop, remote)) {
            Ok(mut line) => {
                let local = line.flow.local;
                (local, ask::ask(&self.clock, &mut self.tokens, &mut line, &self.settings.core.domain))
            }
            Err(why) => (usual, Reply::Unreachable(why)),
        };
        self.tell(findings::of_options(&label, local, Some(usual), &reply));
        matches!(reply, Reply::Answer(_))
    }

    fn call(&mut self, number: &str, hop: &Hop, remote: SocketAddr) {
        println!("test call to {number} by {remote}");
        let Some(usual) = self.usual(hop.transport, remote) else { return };
        let trust = self.trust(hop, remote);
        let trial = Line::open(hop.transport, usual, remote, trust).and_then(|mut line| {
            call::call(&self.clock, &mut self.tokens, &mut line, &self.settings.core, self.trunk, hop, number)
        });
        match trial {
            Ok(trial) => self.tell(findings::of_call(number, &trial)),
            Err(why) => self.tell(vec![fault(format!("the call could not be made: {why}"))]),
        }
    }

    /// The address the gateway itself would ask from.
    fn usual(&mut self, transport: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let world = &self.settings.world;
        let bound = match transport {
            Transport::Udp => &world.sip_udp,
            Transport::Tcp => &world.sip_tcp,
            Transport::Tls => &world.sip_tls,
            Transport::Ws => &world.sip_ws,
            Transport::Wss => &world.sip_wss,
        };
        let media = &self.settings.core.media;
        let outside = if remote.is_ipv4() { media.address_v4 } else { media.address_v6 };
        let found = bound.iter().find(|a| a.is_ipv4() == remote.is_ipv4());
        match (found, outside) {
            (Some(at), Some(ip)) if at.ip().is_unspecified() => Some(SocketAddr::new(ip, at.port())),
            (Some(at), _) => Some(*at),
            (None, _) => {
                let kind = transport.as_str();
                self.tell(vec![fault(format!("[sip] {kind} listens on no address of its IP family: add one"))]);
                None
            }
        }
    }

    fn tell(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            self.worst = self.worst.max(finding.weight);
            println!("{finding}");
        }
    }
}
