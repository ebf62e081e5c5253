//! `rexian migrate`: the tables of the case store and of the event log's copy up to date, before a new version of the program starts. On PostgreSQL as their
//! owner, if the gateway's own role may not.

use super::failed;
use crate::cases::Cases;
use crate::config::settings::{CaseStoreSettings, PostgresSettings, Secret, Settings};
use crate::store::copy::CopyTable;
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
    migrate(options, settings).map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn migrate(options: &Options, settings: &Settings) -> Result<(), String> {
    let world = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let mut store = settings.world.cases.clone();
    let mut copy = settings.world.ship_events.clone();
    match (&mut store, &mut copy, &options.user) {
        (_, _, None) => {}
        (CaseStoreSettings::Sqlite(path), None, Some(_)) => {
            return Err(format!("--user is for PostgreSQL; the case store is the file {}", path.display()));
        }
        (store, copy, Some(user)) => {
            if let CaseStoreSettings::Postgres(at) = store {
                as_owner(at, user, options)?;
            }
            copy.iter_mut().try_for_each(|at| as_owner(at, user, options))?;
        }
    }
    let cases = Cases::new(&store, &settings.world.ticket_prefix);
    world.block_on(cases.migrate()).map_err(|e| e.to_string())?;
    println!("the tables of {store} are up to date");
    if let Some(copy) = copy {
        world.block_on(CopyTable::new(copy.clone()).migrate()).map_err(|e| e.to_string())?;
        println!("the event log's copy {copy} is up to date");
    }
    Ok(())
}

fn as_owner(at: &mut PostgresSettings, user: &str, options: &Options) -> Result<(), String> {
    user.clone_into(&mut at.user);
    let text = options.password_file.as_ref().map(std::fs::read_to_string).transpose();
    let text = text.map_err(|error| format!("--password-file cannot be read: {error}"))?;
    at.password = text.map(|text| Secret(text.lines().next().unwrap_or("").trim().into()));
    Ok(())
}
