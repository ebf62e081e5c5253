//! A ticket and its history as the API shows them: flat, named, stable. Belongs here: the shapes. Not here: what of them is masked
//! (`casework::sight`).

use crate::api::v1::time::Moment;
use crate::cases::desk::CaseEvent;
use crate::casework;
use crate::casework::words::{Action, Deadline, Disposition, Kind, Satisfaction, Stage, Trigger, Urgency};
use crate::casework::{
    Actor, Callback, Change, Classified, Coordinates, Day, Departments, Entry, ExtensionAsked, Post, Settlement, Times,
    rights,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// A ticket. Texts that nobody filled in are empty; `***` and `****` stand for what is hidden.
#[derive(Serialize, JsonSchema)]
pub struct Ticket {
    ticket_no: String,
    /// Entries of its history; 0: nobody has touched it since the pickup.
    version: u32,
    /// 16 hexadecimal digits, as in `/v1/calls`.
    call: String,
    channel: String,
    received_at: Moment,
    queue: String,
    /// 工号 of who picked up.
    agent: String,
    /// The caller's; `null` if withheld or unknown.
    number: Option<String>,
    withheld: bool,
    language: Option<String>,
    test_call: bool,
    /// What the citizen wants (诉求类型).
    kind: Option<Kind>,
    category: Option<Classified>,
    urgency: Urgency,
    confidential: bool,
    title: String,
    content: String,
    name: String,
    callback_no: String,
    district: String,
    street: String,
    community: String,
    address: String,
    coordinates: Option<Coordinates>,
    repeat_of: Option<String>,
    stage: Stage,
    disposition: Option<Disposition>,
    /// Those it is passed to, or meant for.
    departments: Option<Departments>,
    dispatched_at: Option<Moment>,
    /// The last day for a department to return it.
    return_due: Option<Day>,
    /// Waits for the hotline office's decision.
    extension_asked: Option<ExtensionAsked>,
    outcome: Option<Settlement>,
    callback: Option<Callback>,
    called_back_at: Option<Moment>,
    /// The next day by which something must be done.
    due: Option<Day>,
    transfer_due: Option<Day>,
    reply_due: Option<Day>,
    /// Instead of `reply_due`.
    extended_to: Option<Day>,
    times: Times,
    /// Why it is supervised (督办).
    supervised: Vec<Trigger>,
    /// Deadlines of the present handling that have passed.
    missed: Vec<Deadline>,
    /// One was missed at some time.
    overdue: bool,
    /// 满意度评价: as the caller rated the call with a key after it; `null`: not asked, or no key was pressed.
    rating: Option<Satisfaction>,
    /// What the role of whoever asks may do with it now; of departments, only the lead's clerks.
    may: Vec<Action>,
}

impl Ticket {
    pub fn of(ticket: casework::Ticket, reader: &Actor) -> Ticket {
        let casework::Ticket { opening, case } = ticket;
        let status = &case.status;
        let due = case.due();
        let assignment = status.assignment();
        let callback = status.callback();
        let departments = status.departments();
        let lead = |department: &str| departments.is_some_and(|d| d.lead == department);
        let mine = !matches!(&reader.post, Post::Clerk { department } if !lead(department));
        let may = if mine { rights::open_to(reader.role(), status.stage()) } else { vec![] };
        let matter = case.matter;
        Ticket {
            ticket_no: opening.ticket_no,
            version: case.version,
            call: opening.call_id,
            channel: opening.channel,
            received_at: Moment(opening.received_at),
            queue: opening.queue,
            agent: opening.agent,
            number: opening.number,
            withheld: opening.withheld,
            language: opening.language,
            test_call: opening.test_call,
            kind: matter.kind,
            category: matter.category,
            urgency: matter.urgency,
            confidential: matter.confidential,
            title: matter.title,
            content: matter.content,
            name: matter.name,
            callback_no: matter.callback_no,
            district: matter.district,
            street: matter.street,
            community: matter.community,
            address: matter.address,
            coordinates: matter.coordinates,
            repeat_of: case.repeat_of,
            stage: status.stage(),
            disposition: status.disposition(),
            departments: departments.cloned(),
            dispatched_at: assignment.map(|a| Moment(a.dispatched_at)),
            return_due: assignment.map(|a| a.return_due),
            extension_asked: assignment.and_then(|a| a.extension.clone()),
            outcome: status.settlement().cloned(),
            callback: callback.map(|(callback, _)| callback.clone()),
            called_back_at: callback.map(|(_, at)| Moment(at)),
            due,
            transfer_due: case.transfer_due,
            reply_due: case.reply_due,
            extended_to: case.extended_to,
            times: case.times,
            supervised: case.supervised.into_iter().collect(),
            missed: case.missed.into_iter().collect(),
            overdue: case.overdue,
            rating: case.rating,
            may,
        }
    }
}

/// Somebody who did something.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Who {
    /// 工号, or the name of the token.
    name: String,
    role: &'static str,
    /// Of a clerk.
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<String>,
}

impl From<&Actor> for Who {
    fn from(actor: &Actor) -> Who {
        let department = match &actor.post {
            Post::Clerk { department } => Some(department.clone()),
            _ => None,
        };
        Who { name: actor.name.clone(), role: actor.role().as_str(), department }
    }
}

/// One change of one ticket. `seq` counts the changes of all tickets, from 1 and without gaps; it has nothing to do with the `seq`
/// of calls' events.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Happening {
    pub seq: u64,
    ticket_no: String,
    #[serde(flatten)]
    step: Step,
}

/// One change, in the ticket's own history. `version`: its place there.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    version: u32,
    at: Moment,
    by: Who,
    #[serde(flatten)]
    what: What,
}

impl Step {
    pub fn of(version: u32, entry: Entry) -> Step {
        Step { version, at: Moment(entry.at), by: Who::from(&entry.by), what: What(entry.change) }
    }
}

impl From<CaseEvent> for Happening {
    fn from(event: CaseEvent) -> Happening {
        let CaseEvent { seq, ticket_no, version, entry } = event;
        Happening { seq: seq.unsigned_abs(), ticket_no, step: Step::of(version, entry) }
    }
}

/// A change as it is stored, but for its name: `type` is `ticket.dispatched` and so on, beside `call.answered`.
#[derive(Clone, Debug, PartialEq)]
pub struct What(pub Change);

const FAMILY: &str = "ticket.";

impl Serialize for What {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        if let Some(map) = value.as_object_mut()
            && let Some(Value::String(name)) = map.remove("change")
        {
            map.insert("type".into(), (FAMILY.to_owned() + &name).into());
        }
        value.serialize(to)
    }
}

impl JsonSchema for What {
    fn schema_name() -> Cow<'static, str> {
        "TicketChange".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let mut schema = Change::json_schema(schemas);
        for variant in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(properties) = variant["properties"].as_object_mut() else { continue };
            let name = properties.remove("change").and_then(|tag| tag["const"].as_str().map(str::to_owned));
            let name = FAMILY.to_owned() + &name.unwrap_or_default();
            properties.insert("type".into(), serde_json::json!({"type": "string", "const": name}));
            for required in variant["required"].as_array_mut().into_iter().flatten().filter(|r| *r == "change") {
                *required = "type".into();
            }
        }
        schema
    }
}

/// Every `type` of a ticket's event.
pub fn event_types() -> Vec<String> {
    super::super::event::types_of::<What>()
}
