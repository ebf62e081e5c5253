//! `rexian check --trunk NAME`: tries a live peer - OPTIONS to each hop, a test call if asked for - and says in plain words
//! what it saw. Belongs here: the command. Not here: what a running gateway finds out about its hops (`trunk::health`).

mod ask;
mod audio;
mod call;
pub mod findings;
mod line;

use crate::config::settings::{Hop, Host, Settings, Transport, TrunkSettings};
use crate::host::{Clock, entropy};
use crate::sip::tokens::Tokens;
use findings::{Finding, Reply, Weight, fault};
use line::Line;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

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
                living = living.or(lives.then_some((hop.transport, remote)));
            }
        }
        match (number, living) {
            (Some(number), Some((transport, remote))) => self.call(number, transport, remote),
            (Some(_), None) => self.tell(vec![fault("no test call: no hop lives")]),
            (None, _) => {}
        }
    }

    fn addresses(&mut self, hop: &Hop) -> Vec<SocketAddr> {
        let port = hop.port.unwrap_or(if hop.transport == Transport::Tls { 5061 } else { 5060 });
        match &hop.host {
            Host::Address(ip) => vec![SocketAddr::new(*ip, port)],
            Host::Name(name) => match (name.as_str(), port).to_socket_addrs() {
                Ok(found) => found.collect(),
                Err(error) => {
                    self.tell(vec![fault(format!("{name} cannot be resolved: {error}; mend DNS or name an address"))]);
                    vec![]
                }
            },
        }
    }

    /// True if it lives.
    fn ask(&mut self, hop: &Hop, remote: SocketAddr) -> bool {
        let label = format!("{} {remote}", transport(hop.transport));
        println!("hop {label}");
        let Some(usual) = self.usual(hop.transport, remote) else { return false };
        let (local, reply) = match Line::open(hop.transport, usual, remote) {
            Ok(mut line) => {
                let local = line.flow.local;
                (local, ask::ask(&self.clock, &mut self.tokens, &mut line, &self.settings.core.domain))
            }
            Err(why) => (usual, Reply::Unreachable(why)),
        };
        self.tell(findings::of_options(&label, local, Some(usual), &reply));
        matches!(reply, Reply::Answer(_))
    }

    fn call(&mut self, number: &str, transport: Transport, remote: SocketAddr) {
        println!("test call to {number} by {remote}");
        let Some(usual) = self.usual(transport, remote) else { return };
        let trial = Line::open(transport, usual, remote).and_then(|mut line| {
            call::call(&self.clock, &mut self.tokens, &mut line, &self.settings.core, self.trunk, number)
        });
        match trial {
            Ok(trial) => self.tell(findings::of_call(number, &trial)),
            Err(why) => self.tell(vec![fault(format!("the call could not be made: {why}"))]),
        }
    }

    /// The address the gateway itself would ask from.
    fn usual(&mut self, transport: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let world = &self.settings.world;
        let bound = if transport == Transport::Udp { &world.sip_udp } else { &world.sip_tcp };
        let media = &self.settings.core.media;
        let outside = if remote.is_ipv4() { media.address_v4 } else { media.address_v6 };
        let found = bound.iter().find(|a| a.is_ipv4() == remote.is_ipv4());
        match (found, outside) {
            (Some(at), Some(ip)) if at.ip().is_unspecified() => Some(SocketAddr::new(ip, at.port())),
            (Some(at), _) => Some(*at),
            (None, _) => {
                let kind = self::transport(transport);
                self.tell(vec![fault(format!("[sip] listens on no {kind} address of its IP family: add one"))]);
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

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
    }
}
