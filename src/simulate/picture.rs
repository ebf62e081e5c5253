//! The day as a picture (SVG): arrivals and answers, waits, agents by state. Not here: the figures drawn.
use crate::sim::forecast::Day; use jiff::civil::Date; pub fn draw(_: Date, _: &Day, _: &str) -> String { String::new() }
