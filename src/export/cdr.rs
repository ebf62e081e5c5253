//! Call detail records as CSV: a line for each call in the order of counting, and for a call with several agents a line
//! for each, `linkedid` the same. The first ten columns are those of Asterisk's CDR. Not here: the record
//! (`crate::record`).

use crate::event::{EndCause, OfferEnd};
use crate::record::{CallRecord, Ending, Kind, Offered, Segment, With};
use crate::report::{Period, csv_row};
use crate::time::Instant;
use std::time::Duration;

pub const HEAD: [&str; 34] = [
    "src",
    "dst",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "uniqueid",
    "linkedid",
    "segment",
    "kind",
    "test_call",
    "tenant",
    "line",
    "trunk",
    "queue_first",
    "queue",
    "skill",
    "why",
    "asked",
    "agent",
    "seat",
    "party",
    "wait",
    "ring",
    "hold",
    "wrap_up",
    "within_10",
    "within_15",
    "within_20",
    "within_30",
    "exit_cause",
    "offers_missed",
];

pub fn head(out: &mut String) {
    csv_row(out, &HEAD.map(str::to_owned));
}

/// The lines of one call.
pub fn row(out: &mut String, record: &CallRecord, period: Period) {
    if record.segments.is_empty() {
        line(out, record, period, None);
    }
    for (index, segment) in record.segments.iter().enumerate() {
        line(out, record, period, Some((index, segment)));
    }
}

fn line(out: &mut String, record: &CallRecord, period: Period, segment: Option<(usize, &Segment)>) {
    let stamp = |at: Instant| format!("{} {}", period.date_of(at), period.clock(at));
    let maybe = |at: Option<Instant>| at.map(stamp).unwrap_or_default();
    let number = |time: Duration| format!("{:.3}", time.as_secs_f64());
    let text = |name: Option<String>| name.unwrap_or_default();
    let (index, part) = (segment.map_or(0, |(index, _)| index), segment.map(|(_, segment)| segment));
    let id = record.call.to_string();
    let linked = match &record.kind {
        Kind::Callback { of } | Kind::MissedCall { of } => of.to_string(),
        _ => id.clone(),
    };
    // Each line has its own time, so that the talk of a transferred call is not told twice.
    let start = if index == 0 { record.begun } else { part.map_or(record.begun, |segment| segment.from) };
    let end = part.and_then(|segment| segment.until).or(record.ended);
    let billsec = part.map_or(Duration::ZERO, Segment::talk);
    let (agent, seat, party) = match part.map(|segment| &segment.with) {
        Some(With::Agent { agent, seat }) => (agent.to_string(), seat.to_string(), String::new()),
        Some(With::Party(party)) => (String::new(), String::new(), party.number().to_owned()),
        None => Default::default(),
    };
    let asked = record.asked.as_ref();
    let queue = part.and_then(|segment| segment.queue.as_ref());
    let last = record.moves.last().map(|moved| &moved.queue).or(asked.map(|asked| &asked.queue));
    let wait = part.map(|segment| segment.wait).or(record.wait());
    let within = |n: u64| match (index, asked, record.pickup()) {
        (0, Some(_), Some(first)) => u8::from(first.wait <= Duration::from_secs(n)).to_string(),
        (0, Some(_), None) => "0".into(),
        _ => String::new(),
    };
    let missed = record.offers.iter().filter(|o| o.outcome == Some(Offered::Ended(OfferEnd::NoAnswer))).count();
    let cells = [
        text(record.src.clone()),
        record.dst.clone(),
        stamp(start),
        maybe(part.map(|segment| segment.from)),
        maybe(end),
        number(end.map_or(Duration::ZERO, |end| end - start)),
        number(billsec),
        disposition(record).into(),
        if index == 0 { id } else { format!("{id}.{index}") },
        linked,
        index.to_string(),
        record.kind.as_str().into(),
        u8::from(record.kind == Kind::Test).to_string(),
        record.tenant.clone(),
        text(record.line.as_ref().map(ToString::to_string)),
        text(record.trunk.as_ref().map(ToString::to_string)),
        text(asked.map(|asked| asked.queue.to_string())),
        text(queue.or(last).map(ToString::to_string)),
        text(asked.and_then(|asked| asked.skill.as_ref()).map(ToString::to_string)),
        text(asked.map(|asked| asked.why.clone())),
        maybe(asked.map(|asked| asked.at)),
        agent,
        seat,
        party,
        text(wait.map(number)),
        text(part.map(|segment| number(segment.ring))),
        text(part.map(|segment| number(segment.hold))),
        text(part.map(|segment| number(segment.wrap_up))),
        within(10),
        within(15),
        within(20),
        within(30),
        record.ending.map_or("", Ending::as_str).into(),
        if index == 0 { missed.to_string() } else { "0".into() },
    ];
    csv_row(out, &cells);
}

/// As Asterisk's CDR has it.
fn disposition(record: &CallRecord) -> &'static str {
    if !record.segments.is_empty() {
        return "ANSWERED";
    }
    match record.ending {
        None => "",
        Some(Ending::Cause(EndCause::QueueFull)) => "BUSY",
        Some(Ending::Cause(EndCause::TrunkFault | EndCause::OurFault | EndCause::UnknownNumber) | Ending::Lost(_)) => {
            "FAILED"
        }
        Some(Ending::Cause(_)) => "NO ANSWER",
    }
}
