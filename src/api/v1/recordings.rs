//! `/v1/recordings`: what was recorded of a call, and the sound. Belongs here: the list, ranges, who listened. Not here: where files lie
//! (`media::recording`).
//!
//! Who listens is written down with the call's ticket before a single octet is sent; without that it is not sent.

use super::V1;
use super::calls::id_of;
use super::extract::{Asked, Asking, Named};
use super::problem::Problem;
use super::tickets::told;
use super::time::Moment;
use crate::host::Clock;
use crate::media::recording::{Kept, Library};
use crate::plane::recording::RecordingName;
use crate::time::Instant;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Octets that are read at once.
const PIECE: usize = 64 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingsQuery {
    /// 16 hexadecimal digits, as in `/v1/calls` and in tickets.
    #[schemars(regex(pattern = "^[0-9a-f]{16}$"))]
    call: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Recordings {
    /// In order; a transfer or a hold ends one.
    recordings: Vec<Recording>,
    /// When they were deleted, their days being over.
    deleted_at: Option<Moment>,
    /// Of those deleted, in their order: what the ticket keeps.
    deleted_sha256: Vec<String>,
}

/// One conversation: the citizen left, whom the citizen hears right.
#[derive(Serialize, JsonSchema)]
struct Recording {
    recording: String,
    segment: u16,
    from: Moment,
    until: Moment,
    seconds: f64,
    /// Of the file, as the ticket has it.
    sha256: String,
    /// False: something of it is missing, for the disk was too slow or refused, or the gateway died meanwhile.
    complete: bool,
    /// What was said and is not in it; silence stands there.
    missing_seconds: f64,
    /// Where the sound is: WAV, A-law, two channels.
    audio: String,
}

pub async fn list(
    State(api): State<Arc<V1>>,
    Asked(asked): Asked<RecordingsQuery>,
) -> Result<Json<Recordings>, Problem> {
    let call = id_of(&asked.call)?;
    let kept = aside(api.library()?, move |library| library.of_call(call)).await?;
    let recordings: Vec<_> = kept.into_iter().map(Recording::from).collect();
    // Those that are there are listed also while the store is away.
    let told = match &api.sources.office {
        Some(office) if recordings.is_empty() => office.desk.recordings_of(call).await.ok().flatten(),
        _ => None,
    };
    let gone = told.and_then(|told| Some((told.recording_deleted_at?, told.recording_sha256)));
    let (at, hashes) = gone.unzip();
    let deleted_at = at.map(|millis| Moment(Instant(millis * 1_000)));
    let deleted_sha256 = hashes.iter().flat_map(|hashes: &String| hashes.split(' ')).map(str::to_owned).collect();
    Ok(Json(Recordings { recordings, deleted_at, deleted_sha256 }))
}

pub fn sound(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "contentMediaType": "audio/wav" })
}

pub async fn audio(
    State(api): State<Arc<V1>>,
    asking: Asking,
    Named(named): Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = RecordingName::parse(&named).ok_or_else(|| {
        Problem::bad_request("a recording is named by its call and three digits: 0123456789abcdef-001")
    })?;
    let opened = aside(api.library()?, move |library| {
        let Some(kept) = library.find(name)? else { return Ok(None) };
        let file = File::open(&kept.path)?;
        let length = file.metadata()?.len();
        Ok(Some((kept, file, length)))
    });
    let gone = || Problem::not_found(format!("there is no recording {name}"));
    let (kept, file, length) = opened.await?.ok_or_else(gone)?;
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    // A range of what was another file then is of no use.
    let etag = format!("\"{}\"", kept.recording.sha256);
    let same = headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    let range = asked.filter(|_| same).and_then(|range| part(range, length));
    if let Some(Part::Nowhere) = range {
        let detail = format!("the recording has {length} octets");
        let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail);
        return Ok(([(header::CONTENT_RANGE, format!("bytes */{length}"))], problem).into_response());
    }
    let (status, from, until) = match range {
        Some(Part::Of(from, until)) => (StatusCode::PARTIAL_CONTENT, from, until),
        _ => (StatusCode::OK, 0, length),
    };
    let what = format!("recording {name}, octets {from} to {} of {length}", until.saturating_sub(1));
    let now = Clock::start().now();
    api.office()?.desk.listens(now, &asking.actor, name.call, &what).await.map_err(|e| told(e, &asking))?;
    let mut response = (status, body(file, from, until)).into_response();
    let mut put = |name, value: String| value.parse().map(|value| response.headers_mut().insert(name, value)).is_ok();
    put(header::CONTENT_TYPE, "audio/wav".into());
    put(header::CONTENT_LENGTH, (until - from).to_string());
    put(header::ACCEPT_RANGES, "bytes".into());
    put(header::ETAG, etag);
    // On nobody's disk but the hotline's.
    put(header::CACHE_CONTROL, "no-store".into());
    put(header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}.wav\""));
    if status == StatusCode::PARTIAL_CONTENT {
        put(header::CONTENT_RANGE, format!("bytes {from}-{}/{length}", until - 1));
    }
    Ok(response)
}

/// Of the file, piece by piece.
fn body(file: File, from: u64, until: u64) -> Body {
    Body::from_stream(stream::unfold((Arc::new(file), from), move |(file, at)| async move {
        let length = until.saturating_sub(at).min(PIECE as u64) as usize;
        if length == 0 {
            return None;
        }
        let reading = file.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; length];
            reading.read_exact_at(&mut piece, at).map(|()| Bytes::from(piece))
        });
        let piece = read.await.map_err(io::Error::other).and_then(|piece| piece);
        Some((piece, (file, at + length as u64)))
    }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// From this octet to before that one.
    Of(u64, u64),
    Nowhere,
}

/// One range of octets (RFC 9110 §14.1.2). `None`: none that is understood, which is no fault; several are answered with the whole.
fn part(range: &str, length: u64) -> Option<Part> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (from, until) = match (first, last) {
        ("", last) => (length.saturating_sub(number(last)?), length),
        (first, "") => (number(first)?, length),
        (first, last) => {
            (number(first)?, number(last).filter(|last| number(first).is_some_and(|f| f <= *last))?.saturating_add(1))
        }
    };
    Some(if from < length { Part::Of(from, until.min(length)) } else { Part::Nowhere })
}

impl From<Kept> for Recording {
    fn from(Kept { name, recording, .. }: Kept) -> Recording {
        Recording {
            recording: name.to_string(),
            segment: recording.segment,
            from: Moment(recording.from),
            until: Moment(recording.to),
            seconds: recording.ms as f64 / 1e3,
            sha256: recording.sha256,
            complete: recording.complete,
            missing_seconds: recording.missing_ms as f64 / 1e3,
            audio: format!("/v1/recordings/{name}/audio"),
        }
    }
}

impl V1 {
    fn library(&self) -> Result<Library, Problem> {
        let off = || Problem::not_found("nothing is recorded here: see [recording] of the configuration");
        self.sources.recordings.clone().ok_or_else(off)
    }
}

/// On a thread that may wait for the disk.
async fn aside<T: Send + 'static>(
    library: Library,
    look: impl FnOnce(&Library) -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let looked = tokio::task::spawn_blocking(move || look(&library)).await.map_err(io::Error::other);
    looked.and_then(|found| found).map_err(|error| {
        tracing::warn!(%error, "the recordings cannot be read");
        Problem::unavailable("the recordings cannot be read now; the gateway's log says why")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_players_ask_for_them() {
        for (range, expected) in [
            ("bytes=0-", Some(Part::Of(0, 1_000))),
            ("bytes=0-0", Some(Part::Of(0, 1))),
            ("bytes=104-203", Some(Part::Of(104, 204))),
            ("bytes=900-5000", Some(Part::Of(900, 1_000))),
            ("bytes=-100", Some(Part::Of(900, 1_000))),
            ("bytes=-5000", Some(Part::Of(0, 1_000))),
            ("bytes=1000-", Some(Part::Nowhere)),
            ("bytes=-0", Some(Part::Nowhere)),
            ("bytes=9-3", None),
            ("bytes=0-1,5-6", None),
            ("bytes=x-", None),
            ("seconds=1-2", None),
        ] {
            assert_eq!(part(range, 1_000), expected, "{range}");
        }
    }
}
