//! What a ticket is about and what is filled in after pickup. Belongs here: the fields, their bounds, what is still missing.
//! Not here: who may fill them in (`rights`), hiding them (`sight`).

use super::refusal::Refusal;
use super::rules::Rules;
use super::words::{Field, Kind, Urgency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    pub kind: Option<Kind>,
    pub category: Option<Classified>,
    pub urgency: Urgency,
    pub confidential: bool,
    pub title: String,
    pub content: String,
    pub name: String,
    pub callback_no: String,
    pub district: String,
    pub street: String,
    pub community: String,
    pub address: String,
    pub coordinates: Option<Coordinates>,
}

impl Default for Matter {
    fn default() -> Self {
        let empty = String::new;
        Matter {
            kind: None,
            category: None,
            urgency: Urgency::Normal,
            confidential: false,
            title: empty(),
            content: empty(),
            name: empty(),
            callback_no: empty(),
            district: empty(),
            street: empty(),
            community: empty(),
            address: empty(),
            coordinates: None,
        }
    }
}

/// A leaf of the tree as it was when the ticket was classified: the tree may change, the ticket does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Classified {
    pub code: String,
    pub path: Vec<String>,
}

/// Millionths of a degree (WGS 84): compared exactly, kept exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coordinates {
    pub latitude: i32,
    pub longitude: i32,
}

/// Fields to set; those left out stay as they are, an empty text clears one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Fill {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Code of a leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Left out with a category: the category's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidential: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// An earlier ticket of the same citizen about the same matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_of: Option<String>,
}

/// What a filled-in ticket changed to: only what is different.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filled {
    pub fill: Fill,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<String>>,
}

impl Fill {
    fn texts(&self) -> [(Field, usize, &Option<String>); 9] {
        [
            (Field::Title, 100, &self.title),
            (Field::Content, 8_000, &self.content),
            (Field::Name, 50, &self.name),
            (Field::CallbackNumber, 32, &self.callback_no),
            (Field::District, 50, &self.district),
            (Field::Street, 50, &self.street),
            (Field::Community, 50, &self.community),
            (Field::Address, 200, &self.address),
            (Field::RepeatOf, 40, &self.repeat_of),
        ]
    }
}

impl Matter {
    /// What `fill` changes here, checked.
    pub(super) fn changed_by(&self, mut fill: Fill, rules: &Rules) -> Result<Filled, Refusal> {
        for (field, limit, text) in fill.texts() {
            text.as_deref().map_or(Ok(()), |text| check_text(field, limit, text))?;
        }
        let callable = |c: char| c.is_ascii_digit() || "+-*# ".contains(c);
        if fill.callback_no.as_deref().is_some_and(|n| !n.chars().all(callable)) {
            return Err(Refusal::NotText { field: Field::CallbackNumber });
        }
        let on_earth = |c: Coordinates| c.latitude.abs() <= 90_000_000 && c.longitude.abs() <= 180_000_000;
        if fill.coordinates.is_some_and(|c| !on_earth(c)) {
            return Err(Refusal::NotText { field: Field::Coordinates });
        }
        let mut path = None;
        if let Some(code) = &fill.category {
            let category = rules.categories.get(code).filter(|category| category.leaf);
            let category = category.ok_or_else(|| Refusal::NoSuchCategory { code: code.clone() })?;
            fill.urgency = fill.urgency.or(category.urgency);
            path = Some(category.path.clone());
        }
        unless(&mut fill.kind, |v| self.kind == Some(*v));
        unless(&mut fill.category, |v| self.category.as_ref().is_some_and(|c| c.code == *v));
        unless(&mut fill.urgency, |v| self.urgency == *v);
        unless(&mut fill.confidential, |v| self.confidential == *v);
        unless(&mut fill.title, |v| self.title == *v);
        unless(&mut fill.content, |v| self.content == *v);
        unless(&mut fill.name, |v| self.name == *v);
        unless(&mut fill.callback_no, |v| self.callback_no == *v);
        unless(&mut fill.district, |v| self.district == *v);
        unless(&mut fill.street, |v| self.street == *v);
        unless(&mut fill.community, |v| self.community == *v);
        unless(&mut fill.address, |v| self.address == *v);
        unless(&mut fill.coordinates, |v| self.coordinates == Some(*v));
        let path = path.filter(|_| fill.category.is_some());
        Ok(Filled { fill, path })
    }

    pub(super) fn take(&mut self, filled: &Filled) {
        let Filled { fill, path } = filled;
        let set = |slot: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                slot.clone_from(value);
            }
        };
        self.kind = fill.kind.or(self.kind);
        if let (Some(code), Some(path)) = (&fill.category, path) {
            self.category = Some(Classified { code: code.clone(), path: path.clone() });
        }
        self.urgency = fill.urgency.unwrap_or(self.urgency);
        self.confidential = fill.confidential.unwrap_or(self.confidential);
        set(&mut self.title, &fill.title);
        set(&mut self.content, &fill.content);
        set(&mut self.name, &fill.name);
        set(&mut self.callback_no, &fill.callback_no);
        set(&mut self.district, &fill.district);
        set(&mut self.street, &fill.street);
        set(&mut self.community, &fill.community);
        set(&mut self.address, &fill.address);
        self.coordinates = fill.coordinates.or(self.coordinates);
    }

    /// What an accepted ticket must have and this one has not.
    pub fn missing(&self, rules: &Rules) -> Vec<Field> {
        let needed = [
            (Field::Kind, self.kind.is_none()),
            (Field::Category, self.category.is_none() && !rules.categories.is_empty()),
            (Field::Title, self.title.is_empty()),
            (Field::Content, self.content.is_empty()),
        ];
        needed.into_iter().filter_map(|(field, missing)| missing.then_some(field)).collect()
    }
}

fn unless<T>(slot: &mut Option<T>, same: impl Fn(&T) -> bool) {
    if slot.as_ref().is_some_and(same) {
        *slot = None;
    }
}

/// Characters, not bytes; line feeds and tabs are the only control characters a text may hold.
pub(super) fn check_text(field: Field, limit: usize, text: &str) -> Result<(), Refusal> {
    if text.chars().count() > limit {
        return Err(Refusal::TooLong { field, limit });
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(Refusal::NotText { field });
    }
    Ok(())
}
