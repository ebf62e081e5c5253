//! A new ticket as the stores' statements read it: one JSON object, the same for all. Belongs here: its fields and their
//! form. Not here: SQL (`sqlite`, `postgres`).

use super::number;
use crate::ticket::NewTicket;
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use std::io;

/// All rows as one array, a statement's only parameter.
pub(super) fn json(rows: &[TicketRow<'_>]) -> Result<String, sqlx::Error> {
    let mut text = Vec::with_capacity(rows.len() * 1_024);
    let mut writer = serde_json::Serializer::with_formatter(&mut text, WithoutNul);
    rows.serialize(&mut writer).map_err(|e| sqlx::Error::Encode(e.into()))?;
    String::from_utf8(text).map_err(|e| sqlx::Error::Encode(e.into()))
}

/// A NUL from the network becomes U+FFFD: PostgreSQL's texts hold none, and SQLite's functions stop at one.
struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(0) => writer.write_all("\u{FFFD}".as_bytes()),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}

/// One row as the statements read it. Instants in milliseconds, booleans 0 or 1.
#[derive(Clone, Serialize)]
pub(super) struct TicketRow<'a> {
    series: String,
    pub call_id: String,
    channel: &'a str,
    dnis: &'a str,
    tenant: &'a str,
    test_call: u8,
    cli_raw: Option<&'a str>,
    cli_e164: Option<&'a str>,
    cli_withheld: u8,
    /// The number as sent and as normalised, when its owner asked for privacy; then the two above are empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    restricted: Option<[Option<&'a str>; 2]>,
    language: Option<&'a str>,
    sip_call_id: &'a str,
    icid: Option<&'a str>,
    trunk: &'a str,
    queue: &'a str,
    skill: &'a str,
    arrived_at: u64,
    queued_at: u64,
    ring_at: u64,
    answered_at: u64,
    wait_ms: u64,
    within_n: u8,
    agent_no: &'a str,
    seat_no: &'a str,
    legs: &'a [String],
    route: &'a str,
}

impl<'a> TicketRow<'a> {
    pub fn of(t: &'a NewTicket, prefix: &str) -> Option<Self> {
        let number = [t.cli_raw.as_deref(), t.cli_e164.as_deref()];
        let shown = if t.cli_withheld { [None, None] } else { number };
        Some(TicketRow {
            series: number::series(prefix, t.answered_at)?,
            call_id: t.call.to_string(),
            channel: &t.channel,
            dnis: &t.dnis,
            tenant: &t.tenant,
            test_call: t.test_call.into(),
            cli_raw: shown[0],
            cli_e164: shown[1],
            cli_withheld: t.cli_withheld.into(),
            restricted: (t.cli_withheld && number != [None, None]).then_some(number),
            language: t.language.as_deref(),
            sip_call_id: &t.sip_call_id,
            icid: t.icid.as_deref(),
            trunk: t.trunk.as_str(),
            queue: t.queue.as_str(),
            skill: t.skill.as_str(),
            arrived_at: t.arrived_at.as_unix_millis(),
            queued_at: t.queued_at.as_unix_millis(),
            ring_at: t.ring_at.as_unix_millis(),
            answered_at: t.answered_at.as_unix_millis(),
            wait_ms: t.wait_ms,
            within_n: t.within_n.into(),
            agent_no: t.agent.as_str(),
            seat_no: t.seat.as_str(),
            legs: &t.legs,
            route: &t.route,
        })
    }
}
