//! Looking at a page as people have it before them: nobody is kept from using it (axe), no text is cut or runs out of its box, all
//! that can be worked is reached by Tab and seen to be. Not here: which pages (`screens`, `gallery`).
//!
//! With REXIAN_SCREENSHOTS naming a folder, every page that is looked at is also kept there as a picture.

use crate::common::chromium::Chromium;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Once;

const WRONG: &str = include_str!("look.js");

/// `tests/run` fetches it and says where.
fn axe() -> Option<String> {
    let named = std::env::var_os("REXIAN_AXE").filter(|name| !name.is_empty());
    let required = ["CI", "REXIAN_REQUIRE_CLIENTS"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(named.is_some() || !required, "no axe-core: tests/run fetches it, if npm's registry can be reached");
    if named.is_none() {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            eprintln!("skipped: whether axe finds anybody kept from using the pages (REXIAN_AXE names no file)")
        });
    }
    Some(std::fs::read_to_string(named?).expect("reading the file that REXIAN_AXE names"))
}

/// What is the matter with the page as it is, goes to the browser's complaints.
pub fn over(browser: &mut Chromium, name: &str) {
    let mut found = texts(browser);
    if let Some(axe) = axe() {
        if browser.read("'axe' in window") != true {
            // By DevTools: the page's policy would not have it.
            browser.read(&format!("{axe}; null"));
        }
        let asked = "axe.run().then(({ violations }) => violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)) \
            .map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.map((node) => `${node.target}: ${node.html.slice(0, 200)}`).join(' | ')}`))";
        found.extend(strings(browser.read(asked)));
    }
    picture(browser, name);
    complain(browser, name, found);
}

/// Of what is read alone.
pub fn at_texts(browser: &mut Chromium, name: &str) {
    let found = texts(browser);
    picture(browser, name);
    complain(browser, name, found);
}

fn complain(browser: &mut Chromium, name: &str, found: Vec<String>) {
    browser.complaints.extend(found.into_iter().map(|what| format!("{name}: {what}")));
}

fn texts(browser: &mut Chromium) -> Vec<String> {
    strings(browser.read(WRONG))
}

fn strings(value: Value) -> Vec<String> {
    serde_json::from_value(value).expect("a list of texts")
}

fn picture(browser: &mut Chromium, name: &str) {
    if let Some(folder) = std::env::var_os("REXIAN_SCREENSHOTS").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        std::fs::write(folder.join(format!("{name}.png")), browser.picture()).expect("keeping a picture");
    }
}

/// Presses Tab until everything that can be worked here has had the focus, each with an outline to be seen.
pub fn tabbed_through(browser: &mut Chromium, name: &str) {
    browser.read(
        "(() => { const within = document.querySelector('dialog[open]') ?? document; \
         window.unreached = new Set([...within.querySelectorAll('a[href], button, input, select, textarea, audio[controls], [tabindex=\"0\"]')] \
             .filter((one) => !one.disabled && one.checkVisibility({ visibilityProperty: true }))); \
         window.unseen = new Set(); document.activeElement.blur(); })()",
    );
    for _ in 0..400 {
        let left = browser.read(
            "(() => { const one = document.activeElement; const { outlineStyle, outlineWidth } = getComputedStyle(one); \
             if (window.unreached.delete(one) && !one.matches('audio') && (outlineStyle === 'none' || parseFloat(outlineWidth) < 2)) unseen.add(one); \
             return unreached.size; })()",
        );
        if left == 0 {
            break;
        }
        browser.press("Tab");
    }
    let told = "[...unreached].map((one) => `not reached: ${one.outerHTML.slice(0, 150)}`).concat([...unseen].map((one) => `focus not seen: ${one.outerHTML.slice(0, 150)}`))";
    let found = strings(browser.read(told));
    complain(browser, name, found);
}
