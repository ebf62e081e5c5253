//! The small tables that offices hand in: comma-separated text with a heading line. Belongs here: lines, cells and what is
//! wrong with them. Not here: what the cells mean (`calendar`, `categories`), reading files (`config`).

/// What is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    pub what: String,
    pub fix: String,
}

impl Fault {
    pub fn new(line: usize, what: impl Into<String>, fix: impl Into<String>) -> Fault {
        Fault { line, what: what.into(), fix: fix.into() }
    }
}

/// A line number and as many cells as the table has columns, trimmed.
pub(super) type Row<'a> = (usize, Vec<&'a str>);

/// Lines that are empty or begin with `#` are passed over; cells missing at a line's end are empty.
pub(super) fn rows<'a>(text: &'a str, columns: &[&str], faults: &mut Vec<Fault>) -> Vec<Row<'a>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let heading = columns.join(",");
    match lines.next() {
        Some((_, line)) if line.split(',').map(str::trim).eq(columns.iter().copied()) => {}
        Some((n, line)) => {
            let shown: String = line.chars().take(60).collect();
            let fix = format!("make the first line {heading} (columns set apart by commas, saved as UTF-8)");
            faults.push(Fault::new(n, format!("{shown:?} is not the heading of this table"), fix));
            return vec![];
        }
        None => {
            faults.push(Fault::new(1, "the table is empty", format!("begin it with the line {heading}")));
            return vec![];
        }
    }
    let mut good = vec![];
    for (n, line) in lines {
        let mut cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if line.contains('"') || cells.len() > columns.len() {
            let what = format!("{} cells where the table has {}", cells.len(), columns.len());
            faults.push(Fault::new(n, what, format!("write {heading}; a cell holds neither a comma nor a quote")));
            continue;
        }
        cells.resize(columns.len(), "");
        good.push((n, cells));
    }
    good
}

/// What was read, if nothing was wrong with it; faults in the order of their lines.
pub(super) fn judged<T>(read: T, mut faults: Vec<Fault>) -> Result<T, Vec<Fault>> {
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}
