//! `rexian migrate`: the case store's tables up to date, before a new version of the program starts. On PostgreSQL as their
//! owner, if the gateway's own role may not.

use super::failed;
use crate::cases::Cases;
use crate::config::settings::{CaseStoreSettings, Secret, Settings};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// PostgreSQL: the tables' owner. Without it: the user of the configuration.
    #[arg(long, value_name = "ROLE")]
    user: Option<String>,
    /// The owner's password: first line of this file. Without it, the server must not ask for one.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
}

pub fn run(options: &Options, settings: &Settings) -> ExitCode {
    let mut store = settings.world.cases.clone();
    match (&mut store, &options.user) {
        (_, None) => {}
        (CaseStoreSettings::Sqlite(path), Some(_)) => {
            return failed(format!("--user is for PostgreSQL; the case store is the file {}", path.display()));
        }
        (CaseStoreSettings::Postgres(at), Some(user)) => {
            at.user.clone_from(user);
            at.password = match options.password_file.as_ref().map(std::fs::read_to_string).transpose() {
                Ok(text) => text.map(|text| Secret(text.lines().next().unwrap_or("").trim().into())),
                Err(error) => return failed(format!("--password-file cannot be read: {error}")),
            };
        }
    }
    let world = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(world) => world,
        Err(error) => return failed(error),
    };
    let cases = Cases::new(&store, &settings.world.ticket_prefix);
    match world.block_on(cases.migrate()) {
        Ok(()) => {
            println!("the tables of {store} are up to date");
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}
