//! The report as one page that needs nothing else: no script, no file beside it; printed on A4. Not here: what it says
//! (`tables`), the picture (`picture`).

use super::basis::{basis, period_name, title};
use super::compliance::Verdict;
use super::model::Report;
use super::tables::{self, Table, compliance_table};
use super::words::{Language, grouped, percent, pick, secs};
use super::{picture, text};
use crate::html::escaped;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");

pub fn whole(report: &Report, language: Language) -> String {
    let mut page = opening(report, language);
    cards(&mut page, report, language);
    let day = pick(language, "全天话务", "The day");
    let average = pick(language, "一天各时段话务（各日合计）", "The hours of the day, all days together");
    let heading = if report.period.days() == 1 { day } else { average };
    let _ = write!(page, "<section><h2>{heading}</h2>{}</section>", picture::draw(report, language));
    compliance_section(&mut page, report, language);
    for table in tables::tables(report, language) {
        draw(&mut page, &table);
    }
    closing(&mut page, report, language);
    page
}

pub fn compliance(report: &Report, language: Language) -> String {
    let mut page = opening(report, language);
    compliance_section(&mut page, report, language);
    closing(&mut page, report, language);
    page
}

fn opening(report: &Report, language: Language) -> String {
    let (title, period) = (escaped(&title(report, language)), period_name(report));
    let lang = pick(language, "zh-CN", "en");
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>{title} {period}</title>\
         <style>{STYLE}</style></head><body><header><h1>{title}</h1><p class=\"period\">{period}</p></header>"
    )
}

fn closing(page: &mut String, report: &Report, language: Language) {
    let _ = write!(page, "<footer><h2>{}</h2><ul>", pick(language, "数据说明", "What the figures stand on"));
    for line in basis(report, language) {
        let _ = write!(page, "<li>{}</li>", escaped(&line));
    }
    let _ = writeln!(page, "</ul><p>Rexian {}</p></footer></body></html>", env!("CARGO_PKG_VERSION"));
}

fn cards(page: &mut String, report: &Report, language: Language) {
    let total = &report.total;
    let n = report.terms.one_within().map_or("N".to_owned(), |n| n.as_secs_f64().to_string());
    let floor = f64::from(report.terms.report.connection_rate) / 100.0;
    let worst = report.worst.map(|window| window.rate());
    let state = |rate: Option<f64>| match rate {
        Some(rate) if rate >= floor => "good",
        Some(_) => "bad",
        None => "",
    };
    let t = |zh, en| pick(language, zh, en);
    let rate = total.value("connection_rate");
    let strict = format!("{n}{}", t("秒人工接通率", " s service level"));
    let timely = format!("{n}{}", t("秒应答及时率", " s timely answer"));
    let cards = [
        (grouped(total.counters.offered), t("请求人工", "requests").to_owned(), "R", ""),
        (grouped(total.counters.answered), t("人工接通", "answered").to_owned(), "A", ""),
        (percent(rate), t("接通率", "connection rate").to_owned(), "A / R", state(rate)),
        (percent(worst), t("最低连续24小时接通率", "worst 24 h").to_owned(), "min A / R", state(worst)),
        (percent(total.value("service_level")), strict, "A_N / R", ""),
        (percent(total.value("timely_answer")), timely, "A_N / A", ""),
        (secs(total.value("average_speed_of_answer")) + " s", t("平均应答", "mean wait").to_owned(), "ASA", ""),
        (secs(total.value("handle_time")) + " s", t("平均处理", "handle time").to_owned(), "AHT", ""),
    ];
    page.push_str("<section class=\"cards\">");
    for (value, name, formula, class) in cards {
        let _ = write!(
            page,
            "<div class=\"card {class}\"><b>{value}</b><span>{}</span><i>{formula}</i></div>",
            escaped(&name)
        );
    }
    page.push_str("</section>");
}

fn compliance_section(page: &mut String, report: &Report, language: Language) {
    let table = compliance_table(report, language);
    let class = |index: usize| match report.rules.get(index).map(|rule| rule.verdict) {
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Fail) => "fail",
        _ => "none",
    };
    let _ = write!(page, "<section class=\"compliance\"><h2>{}</h2><table><thead><tr>", table.title);
    for cell in &table.head {
        let _ = write!(page, "<th>{}</th>", escaped(cell));
    }
    page.push_str("</tr></thead><tbody>");
    for (index, row) in table.rows.iter().enumerate() {
        let _ = write!(page, "<tr class=\"{}\">", class(index));
        for (column, cell) in row.iter().enumerate() {
            let verdict = if column == 3 { " class=\"verdict\"" } else { "" };
            let _ = write!(page, "<td{verdict}>{}</td>", escaped(cell));
        }
        page.push_str("</tr>");
    }
    let _ = write!(page, "</tbody></table><p class=\"note\">{}</p></section>", escaped(&table.note));
}

fn draw(page: &mut String, table: &Table) {
    let class = if table.head.len() > 8 { "wide" } else { "narrow" };
    let _ = write!(page, "<section class=\"{class} {}\"><h2>{}</h2>", table.id, table.title);
    if !table.note.is_empty() {
        let _ = write!(page, "<p class=\"note\">{}</p>", escaped(&table.note));
    }
    let numbers: Vec<bool> = (0..table.head.len())
        .map(|column| column >= table.numbers_from && text::looks_like_a_number(table, column))
        .collect();
    let class = |column: usize| if numbers[column] { " class=\"n\"" } else { "" };
    page.push_str("<table><thead><tr>");
    for (column, cell) in table.head.iter().enumerate() {
        let _ = write!(page, "<th{}>{}</th>", class(column), escaped(cell));
    }
    page.push_str("</tr></thead><tbody>");
    for (index, row) in table.rows.iter().enumerate() {
        let last = table.total && index + 1 == table.rows.len();
        page.push_str(if last { "<tr class=\"total\">" } else { "<tr>" });
        for (column, cell) in row.iter().enumerate() {
            // Nothing is there to be seen, not to catch the eye.
            let class = if cell == "0" || cell == "0:00:00" { " class=\"n z\"" } else { class(column) };
            let _ = write!(page, "<td{class}>{}</td>", escaped(cell));
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></section>");
}
