//! `rexian password`: the line for the configuration that lets an agent sign in on a page. The password is read from the
//! terminal, unseen, or from standard input; it is kept nowhere. Not here: comparing it (`pages::password`).

use crate::config::weakness;
use crate::host::entropy;
use crate::pages::password::hash;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// Whose it is: agent number (工号).
    #[arg(long)]
    agent: String,
}

pub fn run(options: &Options) -> ExitCode {
    let fault = |what: &str| {
        eprintln!("{what}");
        ExitCode::FAILURE
    };
    let password = match ask(&options.agent) {
        Ok(password) => password,
        Err(error) => return fault(&format!("no password was read: {error}")),
    };
    if let Some(weakness) = weakness(&password, &options.agent) {
        return fault(&format!("this password {weakness}; choose another"));
    }
    let Ok(random) = entropy() else { return fault("no random bytes for a hash: /dev/urandom cannot be read") };
    let mut salt = [0; 16];
    salt.copy_from_slice(&random[..16]);
    let Some(hash) = hash(&password, &salt) else { return fault("this password is too long; choose a shorter one") };
    eprintln!("Into the configuration, under [[agents]] with number = {:?}:", options.agent);
    println!("password_hash = {hash:?}");
    ExitCode::SUCCESS
}

fn ask(agent: &str) -> io::Result<String> {
    let stdin = io::stdin();
    let mut line = String::new();
    if stdin.is_terminal() {
        eprint!("Password for agent {agent} (not shown): ");
        let shown = tcgetattr(&stdin)?;
        let mut unseen: Termios = shown.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &unseen)?;
        let read = stdin.lock().read_line(&mut line);
        tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
        eprintln!();
        read?;
    } else {
        stdin.lock().read_line(&mut line)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
