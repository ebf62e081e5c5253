//! Telling the tickets of their recordings. Belongs here: when, and again after an outage. Not here: recording (`media`), the tickets
//! (`cases`).
//!
//! What has still to be told stands on the disk beside the recordings, so a store that is down, or a restart, delays it only.

use crate::cases::Cases;
use crate::cases::desk::Desk;
use crate::ids::CallId;
use crate::media::recording::{Kept, Library};
use crate::plane::recording::RecordingName;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, SystemTime};

/// Between looks.
const PACE: Duration = Duration::from_secs(1);
/// After a store's refusal.
const PAUSE: Duration = Duration::from_secs(10);
/// The ticket of a call may come so much later than its recording; one that was refused for good never comes.
const PATIENCE: Duration = Duration::from_secs(7 * 86_400);

/// For as long as the world lasts.
pub async fn tell(library: Library, desk: Desk<Cases>) {
    let mut well = true;
    loop {
        let told = round(&library, &desk).await;
        if let Err(error) = &told
            && well
        {
            tracing::warn!(error, "tickets cannot be told of their recordings now: it is tried again");
        }
        well = told.is_ok();
        tokio::time::sleep(if well { PACE } else { PAUSE }).await;
    }
}

async fn round(library: &Library, desk: &Desk<Cases>) -> Result<(), String> {
    let disk = |error: io::Error| format!("{}: {error}", library.folder().display());
    let mut result = Ok(());
    for (call, names) in aside(library, untold).await.map_err(disk)? {
        // One call's trouble, a file that cannot be read above all, keeps no other ticket from its recordings.
        if let Err(error) = tell_of(library, desk, call, names).await {
            result = Err(format!("call {call}: {error}"));
        }
    }
    result
}

async fn tell_of(library: &Library, desk: &Desk<Cases>, call: CallId, names: Vec<RecordingName>) -> Result<(), String> {
    let disk = |error: io::Error| error.to_string();
    let recordings = aside(library, move |library| library.of_call(call)).await.map_err(disk)?;
    let hashes: Vec<String> = recordings.into_iter().map(|Kept { recording, .. }| recording.sha256).collect();
    let told = desk.refer_to_recordings(call, &hashes).await.map_err(|error| error.to_string())?;
    aside(library, move |library| forget(library, &names, told)).await.map_err(disk)
}

/// By call.
fn untold(library: &Library) -> io::Result<BTreeMap<CallId, Vec<RecordingName>>> {
    let mut calls: BTreeMap<CallId, Vec<RecordingName>> = BTreeMap::new();
    for name in library.untold()? {
        calls.entry(name.call).or_default().push(name);
    }
    Ok(calls)
}

fn forget(library: &Library, names: &[RecordingName], told: bool) -> io::Result<()> {
    for name in names {
        let since = library.untold_since(*name)?;
        let old = SystemTime::now().duration_since(since).is_ok_and(|age| age > PATIENCE);
        if old && !told {
            tracing::warn!(recording = %name, "its call has no ticket: none will refer to it");
        }
        if told || old {
            library.told(*name)?;
        }
    }
    Ok(())
}

/// On a thread that may wait for the disk.
async fn aside<T: Send + 'static>(
    library: &Library,
    work: impl FnOnce(&Library) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let library = library.clone();
    tokio::task::spawn_blocking(move || work(&library)).await.map_err(io::Error::other)?
}
