//! The report for a terminal. Not here: what it says (`tables`).

use super::basis::{basis, period_name, title};
use super::model::Report;
use super::tables::{self, Table, compliance_table};
use super::words::Language;
use crate::demo::width::{columns, fit};

/// The whole report, compliance page last.
pub fn whole(report: &Report, language: Language) -> String {
    let mut out = heading(report, language);
    for table in tables::tables(report, language) {
        draw(&mut out, &table);
    }
    draw(&mut out, &compliance_table(report, language));
    footing(&mut out, report, language);
    out
}

pub fn compliance(report: &Report, language: Language) -> String {
    let mut out = heading(report, language);
    draw(&mut out, &compliance_table(report, language));
    footing(&mut out, report, language);
    out
}

fn heading(report: &Report, language: Language) -> String {
    format!("{}  {}\n", title(report, language), period_name(report))
}

fn footing(out: &mut String, report: &Report, language: Language) {
    out.push('\n');
    for line in basis(report, language) {
        out.extend([line.as_str(), "\n"]);
    }
}

fn draw(out: &mut String, table: &Table) {
    let rows = || std::iter::once(&table.head).chain(&table.rows);
    let width = |column: usize| rows().map(|row| row.get(column).map_or(0, |cell| columns(cell))).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    out.extend(["\n", table.title, "\n"]);
    if !table.note.is_empty() {
        out.extend([table.note.as_str(), "\n"]);
    }
    for row in rows() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let right = column >= table.numbers_from && looks_like_a_number(table, column);
            let cell = match right {
                true => format!("{}{cell}", " ".repeat(width - columns(cell))),
                false => fit(cell, *width),
            };
            line.push_str(&cell);
            line.push_str("  ");
        }
        out.extend([line.trim_end(), "\n"]);
    }
}

/// A column of formulas among numbers stands left.
pub fn looks_like_a_number(table: &Table, column: usize) -> bool {
    let cell = |row: &Vec<String>| {
        row.get(column).is_none_or(|cell| cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit() || c == '–'))
    };
    table.rows.iter().all(cell)
}
