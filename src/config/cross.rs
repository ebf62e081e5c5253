//! Whether settings agree with each other: ports taken twice, addresses nobody can reach, queues nobody answers or no
//! call reaches. Belongs here: every check that needs two sections. Not here: a single setting's own range (`sections`,
//! `people`, `queues`, `lines`).

mod network;
mod people;
mod skills;
mod trunks;
mod ways;

use super::dialling::DiallingEntry;
use super::lines::{CallbacksEntry, LanguageEntry, LineEntry};
use super::people::{AgentEntry, SeatEntry};
use super::queues::{DistributorEntry, QueueEntry};
use super::reader::{At, File, closest};
use super::sections::Places;
use super::settings::{CoreSettings, WorldSettings};
use super::trunks::TrunkEntry;

/// What the file says of the hotline, and where.
pub(super) struct Entries {
    pub trunks: Vec<TrunkEntry>,
    pub distributor: DistributorEntry,
    pub queues: Vec<QueueEntry>,
    pub lines: Vec<LineEntry>,
    pub languages: Vec<LanguageEntry>,
    pub callbacks: CallbacksEntry,
    pub dialling: DiallingEntry,
    pub agents: Vec<AgentEntry>,
    pub seats: Vec<SeatEntry>,
}

/// `core` and `world` hold what is not in `entries`.
pub(super) fn judge(file: &File, entries: &Entries, core: &CoreSettings, world: &WorldSettings, places: &Places) {
    network::network(file, core, world, places);
    trunks::trunks(file, &entries.trunks, core, world, places);
    trunks::callbacks(file, entries);
    trunks::dialling(file, entries);
    skills::skills(file, entries);
    ways::ways(file, entries, core);
    ways::prompts(file, entries, world);
    people::people(file, entries, core, world);
}

/// Reports a name that nothing has, with the likeliest of those there are.
fn unknown<'n>(
    file: &File,
    line: usize,
    what: String,
    given: &str,
    known: impl IntoIterator<Item = &'n str>,
    otherwise: impl Into<String>,
) {
    let near = closest(given, known).map(|near| format!("did you mean {near:?}?"));
    file.problem(line, what, near.unwrap_or_else(|| otherwise.into()));
}
