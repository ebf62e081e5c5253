//! The day as a picture (SVG): calls by the half hour, answered and lost, and the connection rate as a line. Belongs here:
//! drawing. Not here: the figures drawn, the page around it (`html`).

use super::model::Report;
use super::words::{Language, pick};
use std::fmt::Write as _;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = WIDTH - 46.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = HEIGHT - 30.0;

pub fn draw(report: &Report, language: Language) -> String {
    let slots = &report.half_hours;
    let asked = |index: usize| slots[index].part.counters.offered as f64;
    // Room above the bars, where the line usually is.
    let most = scale((0..slots.len()).map(asked).fold(4.0, f64::max) / 0.86);
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * (value / most.top).clamp(0.0, 1.0);
    let rate_y = |rate: f64| BOTTOM - (BOTTOM - TOP) * rate.clamp(0.0, 1.0);
    let step = (RIGHT - LEFT) / slots.len() as f64;
    let x = |index: usize| LEFT + step * index as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" class=\"picture\">\
         <title>{}</title>",
        pick(language, "半小时话务量与接通率", "Calls and connection rate by the half hour")
    );
    let mut value = 0.0;
    while value <= most.top + 1e-9 {
        let at = y(value);
        let class = if value == 0.0 { "axis" } else { "grid" };
        let _ = write!(
            svg,
            "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"a end\" x=\"{:.1}\" y=\"{:.1}\">{value}</text>",
            LEFT - 7.0,
            at + 3.5
        );
        value += most.step;
    }
    for rate in [0, 20, 40, 60, 80, 100] {
        let at = rate_y(f64::from(rate) / 100.0);
        let _ = write!(svg, "<text class=\"a rate\" x=\"{:.1}\" y=\"{:.1}\">{rate}%</text>", RIGHT + 7.0, at + 3.5);
    }
    for hour in (0..=24).step_by(2) {
        let at = x(hour * 2);
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{BOTTOM}\" y2=\"{:.1}\"/>\
             <text class=\"a mid\" x=\"{at:.1}\" y=\"{:.1}\">{hour:02}:00</text>",
            BOTTOM + 4.0,
            BOTTOM + 17.0
        );
    }
    for (index, slot) in slots.iter().enumerate() {
        let c = &slot.part.counters;
        let (answered, all) = (y(c.answered as f64), y(c.offered as f64));
        for (top, bottom, class) in [(answered, BOTTOM, "answered"), (all, answered, "lost")] {
            if bottom - top > 0.05 {
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                    x(index) + step * 0.1,
                    step * 0.8,
                    bottom - top
                );
            }
        }
    }
    let floor = f64::from(report.terms.report.connection_rate) / 100.0;
    let at = rate_y(floor);
    let _ = write!(
        svg,
        "<line class=\"floor\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
         <text class=\"a floor-name\" x=\"{:.1}\" y=\"{:.1}\">{}%</text>",
        LEFT + 4.0,
        at + 12.0,
        report.terms.report.connection_rate
    );
    let mut path = String::new();
    let mut dots = String::new();
    let mut drawing = false;
    for (index, slot) in slots.iter().enumerate() {
        let rate = slot.part.value("connection_rate");
        if let Some(rate) = rate {
            let (px, py) = (x(index) + step / 2.0, rate_y(rate));
            let _ = write!(path, "{}{px:.1} {py:.1}", if drawing { 'L' } else { 'M' });
            let _ = write!(dots, "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"2.1\"/>");
        }
        drawing = rate.is_some();
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{path}\"/><g class=\"dots\">{dots}</g>");
    let legend = [
        ("answered", pick(language, "接通", "answered")),
        ("lost", pick(language, "未接通", "not answered")),
        ("dots", pick(language, "接通率（右轴）", "connection rate (right)")),
    ];
    let mut at = RIGHT;
    for (class, name) in legend.iter().rev() {
        let width: f64 = name.chars().map(|c| if c.is_ascii() { 6.0 } else { 12.0 }).sum::<f64>();
        at -= width;
        let _ = write!(
            svg,
            "<text class=\"l\" x=\"{at:.1}\" y=\"18\">{name}</text>\
             <rect class=\"{class}\" x=\"{:.1}\" y=\"8.5\" width=\"11\" height=\"11\" rx=\"2\"/>",
            at - 15.0
        );
        at -= 34.0;
    }
    let unit = pick(language, "请求人工（通/半小时）", "requests per half hour");
    let _ = write!(svg, "<text class=\"l\" x=\"{LEFT}\" y=\"18\">{unit}</text></svg>");
    svg
}

struct Scale {
    top: f64,
    step: f64,
}

/// Four to eight steps of 1, 2 or 5.
fn scale(most: f64) -> Scale {
    let rough = most / 5.0;
    let power = 10f64.powf(rough.log10().floor()).max(1.0);
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough).unwrap_or(power * 10.0);
    Scale { top: (most / step).ceil() * step, step }
}
