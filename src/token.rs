//! `rexian token`: makes a token for the API. The token is printed once and kept nowhere; the configuration gets its
//! SHA-256. Not here: who may ask what (`api::v1`).

use crate::api::v1::access::digest_of;
use crate::casework::Post;
use crate::casework::words::Role;
use crate::host::entropy;
use crate::sip::digest::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// Whose it is, for logs and audits.
    #[arg(long)]
    name: String,
    /// operator, shift_leader, hotline_office, clerk, platform_engineer or wallboard.
    #[arg(long, value_parser = role)]
    role: Role,
    /// Of a clerk: the department whose tickets they work on.
    #[arg(long)]
    department: Option<String>,
}

pub fn run(options: &Options) -> ExitCode {
    if Post::of(options.role, options.department.clone()).is_none() {
        eprintln!("a clerk has a --department, and nobody else");
        return ExitCode::FAILURE;
    }
    let random = match entropy() {
        Ok(random) => random,
        Err(error) => {
            eprintln!("no random bytes for a token: /dev/urandom: {error}");
            return ExitCode::FAILURE;
        }
    };
    let token = format!("rx_{}", URL_SAFE_NO_PAD.encode(random));
    let sha256 = hex(&digest_of(&token));
    eprintln!("The token, shown this once: hand it to whoever asks as {:?}.", options.name);
    println!("{token}");
    eprintln!("\nInto the configuration:\n");
    eprintln!("[[http.tokens]]\nname = {:?}\nrole = {:?}\nsha256 = {sha256:?}", options.name, options.role.as_str());
    if let Some(department) = &options.department {
        eprintln!("department = {department:?}");
    }
    ExitCode::SUCCESS
}

fn role(word: &str) -> Result<Role, String> {
    let known = Role::GIVEN.into_iter().find(|role| role.as_str() == word);
    known.ok_or_else(|| format!("choose one of {}", Role::GIVEN.map(Role::as_str).join(", ")))
}
