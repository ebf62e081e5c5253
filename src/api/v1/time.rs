//! Moments and spans as the API writes them: RFC 3339 in the hotline's zone, and seconds. Not here: the clock.

use crate::time::Instant;
use jiff::Timestamp;
use jiff::tz::Offset;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::time::Duration;

/// China keeps one time all year.
const ZONE: Offset = Offset::constant(8);

/// A moment; a query may give it in any zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Instant);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let micros = i64::try_from(self.0.as_unix_micros()).unwrap_or(i64::MAX);
        let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
        to.collect_str(&format_args!("{:.6}", at.display_with_offset(ZONE)))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let at: Timestamp = text.parse().map_err(|_| {
            serde::de::Error::custom(format_args!("{text:?} is no moment as in 2026-11-22T09:00:00+08:00 (RFC 3339)"))
        })?;
        let micros = u64::try_from(at.as_microsecond()).map_err(|_| serde::de::Error::custom("it is before 1970"))?;
        Ok(Moment(Instant(micros)))
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// As seconds, to the microsecond.
pub fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
