//! `rexian trace`: receives what a gateway exports (`[trace] hep`) and draws each call as it ends, or every message as it
//! comes. For an integrator without a Homer. Not here: the export (`hep`), the drawing (`ladder`).

use super::hep::decode;
use super::ladder::{Ladder, Ladders};
use super::seen::{Seen, Way};
use crate::config::settings::Traced;
use std::io::{ErrorKind, Write, stdout};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Options {
    /// Where to listen: the address that `[trace] hep` of the gateway names.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9060")]
    listen: SocketAddr,
    /// Only calls with this number in them, in any form.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Print each message in full as it comes, too.
    #[arg(long)]
    messages: bool,
}

const LOOK_EVERY: Duration = Duration::from_millis(500);

pub fn run(options: &Options) -> ExitCode {
    let socket = match UdpSocket::bind(options.listen) {
        Ok(socket) => socket,
        Err(error) => {
            eprintln!("cannot listen on {}: {error}; name a free port with --listen", options.listen);
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = socket.set_read_timeout(Some(LOOK_EVERY)) {
        eprintln!("cannot wait on {}: {error}", options.listen);
        return ExitCode::FAILURE;
    }
    println!(
        "listening on {}; a gateway sends here with [trace] hep = {{ to = \"{}\" }}",
        options.listen, options.listen
    );
    let which = options
        .number
        .clone()
        .map_or(Traced::Everything, |number| Traced::Some { networks: vec![], numbers: vec![number] });
    let mut ladders = Ladders::new(which);
    let (mut buffer, mut latest, mut waited) = (vec![0; 65_536], Default::default(), Duration::ZERO);
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((n, _)) => {
                let Some((seen, call)) = decode(&buffer[..n]) else {
                    eprintln!("a datagram that is not HEP3 SIP was left out");
                    continue;
                };
                (latest, waited) = (seen.at, Duration::ZERO);
                if options.messages {
                    print_message(&seen);
                }
                ladders.message(&seen);
                if let (Some(call), Some(sip_call_id)) = (call, seen.sip_call_id()) {
                    ladders.named(call, sip_call_id);
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => waited += LOOK_EVERY,
            Err(error) => {
                eprintln!("cannot receive on {}: {error}", options.listen);
                return ExitCode::FAILURE;
            }
        }
        for ladder in ladders.finished(latest + waited) {
            print(&ladder);
        }
    }
}

fn print(ladder: &Ladder) {
    println!("\ncall {}", ladder.call);
    ladder.draw().iter().for_each(|line| println!("{line}"));
    // A reader behind a pipe wants it now.
    let _ = stdout().flush();
}

fn print_message(seen: &Seen) {
    let (from, to) = match seen.way {
        Way::In => (seen.flow.remote, seen.flow.local),
        Way::Out => (seen.flow.local, seen.flow.remote),
    };
    println!("\n{from} -> {to}\n{}", String::from_utf8_lossy(&seen.bytes).trim_end());
}
