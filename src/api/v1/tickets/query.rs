//! Which tickets are asked for, as a query says it. Not here: finding them (`cases::desk`).

use crate::api::v1::problem::Problem;
use crate::api::v1::time::Moment;
use crate::cases::desk::Filter;
use crate::casework::Day;
use crate::casework::words::{Kind, Stage, Urgency};
use crate::trunk::number::normalise_caller;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// All that is named must fit.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketsQuery {
    /// One of these, with commas between them.
    #[serde(default)]
    stage: Stages,
    kind: Option<Kind>,
    urgency: Option<Urgency>,
    /// Code of a leaf of the category tree.
    category: Option<String>,
    /// The lead.
    department: Option<String>,
    /// A department that assists the lead.
    assisting: Option<String>,
    /// 工号 of who picked up.
    agent: Option<String>,
    /// The caller's, in any form; for those who may see numbers.
    number: Option<String>,
    /// Has missed a deadline at some time.
    overdue: Option<bool>,
    supervised: Option<bool>,
    test_call: Option<bool>,
    /// By the pickup.
    from: Option<Moment>,
    until: Option<Moment>,
    /// 1 to 500; 100 by default.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DueQuery {
    /// The last day; by default today, of what is overdue yesterday.
    pub until: Option<Day>,
    /// The lead.
    pub department: Option<String>,
    /// 1 to 500; 100 by default.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub after: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoreQuery {
    /// `next` of the page before.
    pub after: Option<u32>,
}

#[derive(Default)]
struct Stages(Vec<Stage>);

impl TicketsQuery {
    /// And how many at most.
    pub fn understood(self, area_code: &str) -> Result<(Filter, u32), Problem> {
        let number = self.number.map(|number| {
            // A plus that nobody escaped is a space by now.
            let number = number.replacen(' ', "+", usize::from(number.starts_with(' ')));
            let found = normalise_caller(number.trim().as_bytes(), area_code).e164;
            found.ok_or_else(|| Problem::bad_request("number is not a telephone number"))
        });
        let limit = limit(self.limit)?;
        let filter = Filter {
            stages: self.stage.0,
            kind: self.kind,
            urgency: self.urgency,
            category: self.category,
            department: self.department,
            assisting: self.assisting,
            agent: self.agent,
            number: number.transpose()?,
            overdue: self.overdue,
            supervised: self.supervised,
            test_call: self.test_call,
            received_from: self.from.map(|Moment(at)| at),
            received_before: self.until.map(|Moment(at)| at),
        };
        Ok((filter, limit))
    }
}

impl DueQuery {
    pub fn place(&self) -> Result<Option<(Day, i64)>, Problem> {
        let place = |after: &str| {
            let (day, id) = after.split_once('.')?;
            Some((day.parse().ok()?, id.parse().ok()?))
        };
        let wrong = || Problem::bad_request("after is not the `next` of a page");
        self.after.as_deref().map(|after| place(after).ok_or_else(wrong)).transpose()
    }
}

pub fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(100) {
        limit @ 1..=500 => Ok(limit),
        _ => Err(Problem::bad_request("limit is 1 to 500")),
    }
}

impl<'de> Deserialize<'de> for Stages {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let word = |word: &str| Stage::deserialize(serde::de::value::StrDeserializer::new(word));
        text.split(',').filter(|word| !word.is_empty()).map(word).collect::<Result<_, _>>().map(Stages)
    }
}

impl JsonSchema for Stages {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Stages".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "array", "items": schemas.subschema_for::<Stage>()})
    }
}
