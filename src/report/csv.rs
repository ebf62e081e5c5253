//! The report as one CSV file for spreadsheets: the tables one below the other, each under its name. Not here: what they
//! say (`tables`).

use super::basis::{basis, period_name, title};
use super::model::Report;
use super::tables::{self, Table, compliance_table};
use super::words::Language;

pub fn whole(report: &Report, language: Language) -> String {
    let mut all = tables::tables(report, language);
    all.insert(3, tables::hours(report, language));
    all.push(compliance_table(report, language));
    written(report, language, &all)
}

pub fn compliance(report: &Report, language: Language) -> String {
    written(report, language, &[compliance_table(report, language)])
}

fn written(report: &Report, language: Language, all: &[Table]) -> String {
    // Excel takes a file without this mark for the local code page.
    let mut out = String::from("\u{feff}");
    row(&mut out, &[title(report, language), period_name(report)]);
    for line in basis(report, language) {
        row(&mut out, &[line]);
    }
    for table in all {
        out.push_str("\r\n");
        row(&mut out, &[table.title.to_owned(), table.id.to_owned()]);
        row(&mut out, &table.head);
        for cells in &table.rows {
            let bare: Vec<String> = cells.iter().map(|cell| without_grouping(cell)).collect();
            row(&mut out, &bare);
        }
    }
    out
}

/// `12,345` is a text to a spreadsheet, `–` no number.
fn without_grouping(cell: &str) -> String {
    let is_number = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || b == b',');
    match cell {
        "–" => String::new(),
        _ if is_number => cell.replace(',', ""),
        _ => cell.to_owned(),
    }
}

/// One line of RFC 4180.
pub fn row(out: &mut String, cells: &[String]) {
    for (index, text) in cells.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        cell(out, text);
    }
    out.push_str("\r\n");
}

/// What a spreadsheet would take for a border is put in quotes; what it would run as a formula is made a text.
fn cell(out: &mut String, text: &str) {
    let formula =
        text.starts_with(['=', '@', '\t']) || (text.starts_with(['+', '-']) && text.contains(['(', '!', '|']));
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\n', '\r']) {
        true => out.extend(["\"", &text.replace('"', "\"\""), "\""]),
        false => out.push_str(&text),
    }
}
