//! One TOML file and `sip-profiles/` -> validated settings, or every problem at once with its file and line.
//! Belongs here: reading and judging configuration. Not here: acting on it.
//!
//! Invariant: a `Settings` that `load` returned is usable as it stands; nobody checks it again.

mod accounts;
mod casework;
mod cross;
mod database;
mod defaults;
mod dialling;
mod explain;
mod hops;
mod hours;
mod lines;
mod pages;
mod people;
pub mod problem;
pub mod profile;
mod queues;
mod reader;
mod recording;
mod sections;
pub mod settings;
mod storage;
mod tls;
mod tokens;
mod trace;
mod trunks;
mod webhooks;
mod words;

pub use explain::explain;
pub use people::weakness;
pub use problem::{Problem, report};

use cross::Entries;
use reader::{File, Section};
use sections::Places;
use settings::Settings;
use std::path::Path;
use std::sync::Arc;

/// Reads and judges the file and every profile of its folder.
pub fn load(path: &Path) -> Result<Settings, Vec<Problem>> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        let fix = "name an existing file with --config, or leave that out to run with defaults on loopback".into();
        vec![Problem { file: path.to_owned(), line: 0, what: format!("cannot be read: {e}"), fix }]
    })?;
    let file = File::new(path, &text);
    let mut problems = vec![];
    let settings = file.parse(&text).map(|document| read(file.root(&document), &mut problems));
    problems.extend(file.into_problems());
    problems.sort();
    // A default that is wrong is met once by every queue.
    problems.dedup();
    settings.filter(|_| problems.is_empty()).ok_or(problems)
}

/// What `rexian check` reports: empty if the configuration is good.
pub fn check(path: &Path) -> Vec<Problem> {
    load(path).err().unwrap_or_default()
}

/// Reads on after every problem, so that all are found; the result counts only if there were none.
fn read(root: Section<'_>, problems: &mut Vec<Problem>) -> Settings {
    let (mut core, mut world, mut places) = (settings::CoreSettings::bare(), defaults::world(), Places::default());
    sections::service(root.table("service"), &mut core, &mut world);
    let profiles = sections::sip(root.table("sip"), &mut core, &mut world, &mut places, problems);
    pages::pages(root.table("pages"), &mut world, &mut places);
    tls::tls(root.table("tls"), &mut world, &places);
    sections::media(root.table("media"), &mut core, &mut world, &mut places);
    recording::recording(root.table("recording"), &mut core, &mut world);
    sections::limits(root.table("limits"), &mut core, &mut places);
    sections::guard(root.table("guard"), &mut core);
    storage::storage(root.table("storage"), &mut core, &mut world);
    world.casework = Arc::new(casework::casework(root.table("casework")));
    sections::report(root.table("report"), &mut world);
    sections::http(root.table("http"), &mut world, &mut places);
    sections::log(root.table("log"), &mut world);
    world.webhooks = webhooks::webhooks(root.tables("webhooks"), world.events.is_some());
    let trace = trace::trace(root.table("trace"));
    sections::prompts(&root, &mut world);
    sections::feature_codes(root.table("feature_codes"), &mut core);

    let usual = root.table("queue_defaults");
    let trunks = trunks::trunks(root.tables("trunks"), &profiles, core.limits.max_calls);
    let distributor = queues::distributor(root.table("distributor"));
    let sections = root.tables("queues").into_iter().map(|q| q.with_defaults(&usual)).collect();
    let queues = queues::queues(sections, &distributor.distributor);
    usual.knows(&queues::QUEUE_DEFAULTS);
    usual.done();
    let lines = lines::lines(root.tables("lines"));
    let languages = lines::languages(root.tables("languages"));
    let callbacks = lines::callbacks(root.table("callbacks"));
    let dialling = dialling::dialling(root.table("dialling"), root.tables("dial_plans"), &core.area_code);
    core.shifts = people::shifts(root.tables("shifts"));
    let agents = people::agents(root.tables("agents"), core.utc_offset);
    let seats = people::seats(root.tables("seats"));

    let hash = |entry: &people::AgentEntry| Some((entry.agent.number.clone(), entry.password_hash.clone()?));
    pages::judge(root.file, &mut world, &places, agents.iter().filter_map(hash).collect());
    let entries = Entries { trunks, distributor, queues, lines, languages, callbacks, dialling, agents, seats };
    world.trace = trace.resolved(root.file, &entries);
    cross::judge(root.file, &entries, &core, &world, &places);
    root.done();

    core.trunks = entries.trunks.into_iter().map(|t| t.trunk).collect();
    core.distributor = entries.distributor.distributor;
    core.queues = entries.queues.into_iter().map(|q| q.queue).collect();
    core.lines = entries.lines.into_iter().map(|l| l.settings).collect();
    core.languages = entries.languages.into_iter().map(|l| l.settings).collect();
    core.callbacks = entries.callbacks.settings;
    core.dialling = entries.dialling.settings;
    core.agents = entries.agents.into_iter().map(|a| a.agent).collect();
    core.seats = entries.seats.into_iter().map(|s| s.seat).collect();
    Settings { core, world }
}
