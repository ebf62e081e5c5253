//! Reads one TOML file value by value and remembers where each stood. Belongs here: types of values, places, unknown
//! keys. Not here: what a setting means (`sections`, `people`, `queues`, `lines`) and whether settings agree (`cross`).

use super::problem::Problem;
pub(super) use super::words::closest;
use super::words::{SOCKET_FIX, duration, one_of, pick, socket};
use crate::ids::Skill;
use std::cell::RefCell;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml_edit::{Document, Item, TableLike, Value};

/// A file, its lines, and what was found wrong so far.
pub(super) struct File {
    pub path: PathBuf,
    line_starts: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
}

/// A value and the line it stands on.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub value: T,
    pub line: usize,
}

/// What stands where a word or a table may: `rona = "sign-out"`, `rona = { tolerate = 2 }`.
pub(super) enum Form<'a, T> {
    Word(T),
    Table(Section<'a>),
}

/// One table. Whoever reads it asks for every key it knows and then calls [`Section::done`].
pub(super) struct Section<'a> {
    pub file: &'a File,
    /// As it is called in messages: `[sip]`, `[[queues]]`.
    pub name: String,
    pub line: usize,
    table: Option<&'a dyn TableLike>,
    /// Read where `table` lacks a key.
    defaults: Option<&'a dyn TableLike>,
    known: RefCell<Vec<&'static str>>,
}

impl File {
    pub fn new(path: &Path, text: &str) -> File {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        File { path: path.to_owned(), line_starts, problems: RefCell::new(vec![]) }
    }

    pub fn problem(&self, line: usize, what: impl Into<String>, fix: impl Into<String>) {
        let problem = Problem { file: self.path.clone(), line, what: what.into(), fix: fix.into() };
        self.problems.borrow_mut().push(problem);
    }

    /// Of another file that this one names.
    pub fn problem_in(&self, file: &Path, line: usize, what: String, fix: String) {
        self.problems.borrow_mut().push(Problem { file: file.to_owned(), line, what, fix });
    }

    /// Reports a syntax error; nothing else can be said about such a file.
    pub fn parse(&self, text: &str) -> Option<Document<String>> {
        let parsed = Document::parse(text.to_owned());
        let report = |e: &toml_edit::TomlError| {
            let what = format!("not TOML: {}", e.message().replace('\n', ", "));
            self.problem(self.line(e.span()), what, "mend the syntax here; the rest was not read");
        };
        parsed.inspect_err(report).ok()
    }

    pub fn root<'a>(&'a self, document: &'a Document<String>) -> Section<'a> {
        Section::new(self, "the file".into(), 0, Some(document.as_table()))
    }

    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        span.map_or(0, |span| self.line_starts.partition_point(|start| *start <= span.start))
    }
}

impl<'a> Section<'a> {
    fn new(file: &'a File, name: String, line: usize, table: Option<&'a dyn TableLike>) -> Section<'a> {
        Section { file, name, line, table, defaults: None, known: RefCell::new(vec![]) }
    }

    pub fn with_defaults(self, defaults: &Section<'a>) -> Section<'a> {
        Section { defaults: defaults.table, ..self }
    }

    /// `[key]`; empty if the file has none.
    pub fn table(&self, key: &'static str) -> Section<'a> {
        let Some((line, item)) = self.item(key) else { return Section::new(self.file, format!("[{key}]"), 0, None) };
        if item.as_table_like().is_none() {
            self.wrong(line, key, item, "a table", &format!("write [{key}] and its settings below it"));
        }
        Section::new(self.file, format!("[{key}]"), line, item.as_table_like())
    }

    /// `[[key]]`, or an array of inline tables.
    pub fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some((line, item)) = self.item(key) else { return vec![] };
        let name = match self.name.strip_prefix("[[") {
            Some(outer) => format!("[[{}.{key}]]", outer.trim_end_matches("]]")),
            None => match self.name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
                Some(outer) => format!("[[{outer}.{key}]]"),
                None => format!("[[{key}]]"),
            },
        };
        let section = |line, table| Section::new(self.file, name.clone(), line, Some(table));
        if let Some(tables) = item.as_array_of_tables() {
            return tables.iter().map(|t| section(self.file.line(t.span()), t as &dyn TableLike)).collect();
        }
        let values = item.as_array().map(|a| a.iter().map(|v| (v, v.as_inline_table())).collect::<Vec<_>>());
        match values {
            Some(all) if all.iter().all(|(_, table)| table.is_some()) => {
                let of = |(v, t): (&'a Value, Option<&'a toml_edit::InlineTable>)| {
                    t.map(|t| section(self.file.line(v.span()), t as &dyn TableLike))
                };
                all.into_iter().filter_map(of).collect()
            }
            _ => {
                self.wrong(line, key, item, "a list of tables", &format!("write [[{key}]] above each entry"));
                vec![]
            }
        }
    }

    /// `key = { ... }` within this table.
    pub fn inner(&self, key: &'static str) -> Option<Section<'a>> {
        let (line, item) = self.item(key)?;
        if item.as_table_like().is_none() {
            self.wrong(line, key, item, "a table", &format!("write {key} = {{ name = value }}"));
        }
        let name = format!("{key} of {}", self.name);
        item.as_table_like().map(|table| Section::new(self.file, name, line, Some(table)))
    }

    /// One word of `words`, or a table whose form `example` shows.
    pub fn form<T: Copy>(&self, key: &'static str, words: &[(&str, T)], example: &str) -> Option<At<Form<'a, T>>> {
        let (line, item) = self.item(key)?;
        if item.as_table_like().is_some() {
            return self.inner(key).map(|table| At { value: Form::Table(table), line });
        }
        let found = item.as_value().and_then(|v| pick(v, words));
        if found.is_none() {
            self.wrong(line, key, item, "a known word", &format!("{} or {example}", one_of(words)));
        }
        found.map(|word| At { value: Form::Word(word), line })
    }

    /// `key = { ... }`, or `key = false` to undo a default.
    pub fn inner_unless_off(&self, key: &'static str) -> Option<Section<'a>> {
        let (_, item) = self.item(key)?;
        if item.as_bool() == Some(false) { None } else { self.inner(key) }
    }

    /// Every key of `key = { ... }` with its value: for tables whose keys are the user's own names.
    pub fn entries(&self, key: &'static str) -> Vec<(String, At<&'a Value>)> {
        self.inner(key).map_or(vec![], |table| table.own_entries())
    }

    /// Every key of this very table with its value.
    pub fn own_entries(&self) -> Vec<(String, At<&'a Value>)> {
        let Some(table) = self.table else { return vec![] };
        let entry = |(name, item): (&str, &'a Item)| {
            let line = self.file.line(table.get_key_value(name).and_then(|(k, _)| k.span()));
            item.as_value().map(|value| (name.to_owned(), At { value, line }))
        };
        table.iter().filter_map(entry).collect()
    }

    /// Something stands under `key`, be it right or wrong.
    pub fn has(&self, key: &str) -> bool {
        [self.table, self.defaults].into_iter().flatten().any(|t| t.contains_key(key))
    }

    pub fn is_table(&self, key: &'static str) -> bool {
        self.item(key).is_some_and(|(_, item)| item.as_table_like().is_some())
    }

    pub fn is_boolean(&self, key: &'static str) -> bool {
        self.item(key).is_some_and(|(_, item)| item.as_bool().is_some())
    }

    /// Where `key` stands; the section's own line if it does not.
    pub fn line_of(&self, key: &'static str) -> usize {
        self.item(key).map_or(self.line, |(line, _)| line)
    }

    pub fn string(&self, key: &'static str) -> Option<At<String>> {
        self.read(key, "a text", "put it in double quotes", |v| v.as_str().map(str::to_owned))
    }

    pub fn boolean(&self, key: &'static str) -> Option<At<bool>> {
        self.read(key, "true or false", "write true or false, without quotes", Value::as_bool)
    }

    pub fn number(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |v: &Value| v.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n));
        self.read(key, &wanted, "choose one in that range, without quotes", read)
    }

    /// A text of a form of its own.
    pub fn text<T>(
        &self,
        key: &'static str,
        wanted: &str,
        fix: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<At<T>> {
        self.read(key, wanted, fix, |v| v.as_str().and_then(&read))
    }

    /// Skill -> level 1 to 10; what is no level is reported and left out.
    pub fn levels(&self, key: &'static str) -> Vec<At<(Skill, u8)>> {
        let mut good = vec![];
        for (name, At { value, line }) in self.entries(key) {
            match value.as_integer() {
                Some(level @ 1..=10) => good.push(At { value: (Skill::new(name), level as u8), line }),
                _ => {
                    let what = format!("skill {name} = {} is not a level", value.to_string().trim());
                    self.file.problem(line, what, "use a whole number from 1 (least) to 10 (best)");
                }
            }
        }
        good
    }

    /// From 1 ms to 30 days unless zero is allowed.
    pub fn duration(&self, key: &'static str, zero: bool) -> Option<At<Duration>> {
        let read = |v: &Value| v.as_str().and_then(duration).filter(|d| zero || !d.is_zero());
        let wanted = if zero { "a duration" } else { "a duration above zero" };
        self.read(key, wanted, r#"write it as "500ms", "15s", "2m" or "1h""#, read)
    }

    pub fn socket(&self, key: &'static str) -> Option<At<SocketAddr>> {
        self.read(key, "an address with port", SOCKET_FIX, socket)
    }

    pub fn ip(&self, key: &'static str, v4: bool) -> Option<At<IpAddr>> {
        let (wanted, fix) = if v4 {
            ("an IPv4 address", r#"write it as "10.1.0.5", without a port"#)
        } else {
            ("an IPv6 address", r#"write it as "fd00::5", without brackets or port"#)
        };
        self.read(key, wanted, fix, |v| v.as_str()?.parse::<IpAddr>().ok().filter(|ip| ip.is_ipv4() == v4))
    }

    /// One word of `words`.
    pub fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        self.read(key, "a known word", &one_of(words), |v| pick(v, words))
    }

    pub fn choices<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<Vec<At<T>>> {
        self.list(key, "a known word", &one_of(words), |v| pick(v, words))
    }

    pub fn sockets(&self, key: &'static str) -> Option<Vec<At<SocketAddr>>> {
        self.list(key, "an address with port", SOCKET_FIX, socket)
    }

    /// A list, each wrong element reported at its own place.
    pub fn list<T>(
        &self,
        key: &'static str,
        wanted: &str,
        fix: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<At<T>>> {
        let (line, item) = self.item(key)?;
        match item.as_value() {
            Some(value) => self.own_list(key, &At { value, line }, wanted, fix, read),
            None => {
                self.wrong(line, key, item, "a list", &format!("write {key} = [ ... ], each element {wanted}"));
                None
            }
        }
    }

    /// As [`Section::list`], or one element alone.
    pub fn one_or_more<T>(
        &self,
        key: &'static str,
        wanted: &str,
        fix: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<At<T>>> {
        match self.item(key) {
            Some((_, item)) if item.as_array().is_some() => self.list(key, wanted, fix, read),
            _ => self.read(key, wanted, fix, read).map(|one| vec![one]),
        }
    }

    /// A list, or `[[...]]`, whose elements are texts or tables.
    pub fn forms(&self, key: &'static str, wanted: &str, fix: &str) -> Vec<At<Form<'a, String>>> {
        let Some((line, item)) = self.item(key) else { return vec![] };
        if item.as_array_of_tables().is_some() {
            let form = |table: Section<'a>| At { line: table.line, value: Form::Table(table) };
            return self.tables(key).into_iter().map(form).collect();
        }
        let Some(array) = item.as_array() else {
            self.wrong(line, key, item, "a list", &format!("write {key} = [ ... ], each element {wanted}"));
            return vec![];
        };
        if array.is_empty() {
            self.file.problem(line, format!("{key} in {} is empty", self.name), format!("name one, or remove {key}"));
        }
        let mut good = vec![];
        for element in array {
            let line = self.file.line(element.span());
            let name = format!("{key} of {}", self.name);
            match (element.as_str(), element.as_inline_table()) {
                (Some(text), _) => good.push(At { value: Form::Word(text.to_owned()), line }),
                (_, Some(table)) => {
                    good.push(At { value: Form::Table(Section::new(self.file, name, line, Some(table))), line })
                }
                _ => self.wrong(line, key, element, wanted, fix),
            }
        }
        good
    }

    /// As [`Section::list`], under a key that is the user's own.
    pub fn own_list<T>(
        &self,
        key: &str,
        at: &At<&'a Value>,
        wanted: &str,
        fix: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<At<T>>> {
        let Some(array) = at.value.as_array() else {
            self.wrong(at.line, key, at.value, "a list", &format!("write {key} = [ ... ], each element {wanted}"));
            return None;
        };
        let mut good = vec![];
        for element in array {
            let line = self.file.line(element.span());
            match read(element) {
                Some(value) => good.push(At { value, line }),
                None => self.wrong(line, key, element, wanted, fix),
            }
        }
        // All wrong: that has been said; it is not also an empty list.
        (array.is_empty() || !good.is_empty()).then_some(good)
    }

    /// A value never shown in a message.
    pub fn password(&self, key: &'static str) -> Option<At<String>> {
        let (line, item) = self.item(key)?;
        let value = item.as_str().map(|s| At { value: s.to_owned(), line });
        if value.is_none() {
            self.file.problem(line, format!("{key} in {} is not a text", self.name), "put it in double quotes");
        }
        value
    }

    /// Reports that this section lacks `key`.
    pub fn missing(&self, key: &str, example: impl Display) {
        self.file.problem(self.line, format!("{} has no {key}", self.name), format!("add {key} = {example}"));
    }

    /// Accepts these keys, which others read through [`Section::with_defaults`].
    pub fn knows(&self, keys: &[&'static str]) {
        self.known.borrow_mut().extend(keys);
    }

    /// Refuses keys nobody asked for.
    pub fn done(self) {
        let known = self.known.borrow();
        let keys = self.table.into_iter().flat_map(|t| t.iter().map(move |(key, _)| (t, key)));
        for (table, key) in keys.filter(|(_, key)| !known.contains(key)) {
            let line = self.file.line(table.get_key_value(key).and_then(|(k, _)| k.span()));
            let fix = match closest(key, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("remove it; known here: {}", known.join(", ")),
            };
            self.file.problem(line, format!("unknown key {key} in {}", self.name), fix);
        }
    }

    pub fn read<T>(
        &self,
        key: &'static str,
        wanted: &str,
        fix: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<At<T>> {
        let (line, item) = self.item(key)?;
        match item.as_value().and_then(read) {
            Some(value) => Some(At { value, line }),
            None => {
                self.wrong(line, key, item, wanted, fix);
                None
            }
        }
    }

    fn item(&self, key: &'static str) -> Option<(usize, &'a Item)> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        let find = |table: Option<&'a dyn TableLike>| table.and_then(|t| t.get_key_value(key));
        let (name, item) = find(self.table).or_else(|| find(self.defaults))?;
        Some((self.file.line(name.span().or_else(|| item.span())), item))
    }

    fn wrong(&self, line: usize, key: &str, shown: &dyn Display, wanted: &str, fix: &str) {
        let shown: String = shown.to_string().trim().chars().take(60).collect();
        let what = format!("{key} = {} in {} is not {wanted}", shown.lines().next().unwrap_or(""), self.name);
        self.file.problem(line, what, fix);
    }
}
