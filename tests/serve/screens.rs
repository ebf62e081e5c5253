//! The pages in a real browser against the running program: worked by keyboard alone, in both languages, without one complaint of
//! the browser. Not here: what passes between page and gateway (`pages`).

use crate::common::caller::{Street, answers};
use crate::common::chromium::Chromium;
use crate::common::{Hotline, Server, password};
use rexian::demo::field::Who;
use std::time::Duration;

fn started() -> Server {
    let hotline = Hotline { pages: true, ..Hotline::new() };
    // Long enough to be seen.
    let more = "".into();
    Hotline { more, ..hotline }.start()
}

/// The page in a language, with agent 6601 signed in.
fn signed_in(browser: &mut Chromium, server: &Server, language: &str) {
    browser.open(&format!("http://{}/", server.hotline.pages()));
    browser.until("the door", "document.querySelector('#agent')", || {});
    browser.read(&format!("localStorage.setItem('rexian-language', '{language}')"));
    browser.read("window.before = 1; location.reload()");
    let lang = if language == "en" { "en" } else { "zh-CN" };
    browser.until(
        "the language",
        &format!(
            "!window.before && document.activeElement.id === 'agent' && document.documentElement.lang === '{lang}'"
        ),
        || {},
    );
    browser.enter("6601");
    browser.press("Tab");
    browser.enter(&password(1_usize));
    browser.press("Enter");
    browser.until("the desk", "document.querySelector('#state').textContent", || {});
}

fn state(is: &str) -> String {
    format!("document.body.dataset.state === '{is}'")
}

const HOSTILE: &str = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>";

#[test]
fn a_call_is_worked_by_keyboard_alone_and_what_is_typed_stays_text_in_both_languages() {
    let server = started();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    for language in ["zh", "en"] {
        let Some(mut browser) = Chromium::start(None) else { return };
        signed_in(&mut browser, &server, language);
        // The phone's code has signed 6601 in; a page finds that and needs no more.
        browser.until("the state of the phone's making", &state("ready"), || street.run(Duration::from_millis(5)));
        browser.press("F7");
        browser.until("the break", &state("not_ready"), || {});
        browser.press("F3");
        browser.until("why nothing is answered", "document.querySelector('.notice:not([hidden])')", || {});
        browser.press("F2");
        browser.until("readiness", &state("ready"), || {});
        let caller = street.call();
        browser.until("the ring or the talk", "document.querySelector('.call.ringing, .call.talking')", || {
            street.run(Duration::from_millis(20))
        });
        street.wait_answered(Who::Phone(phone));
        browser.until("the ticket", "document.querySelector('.fields')", || street.run(Duration::from_millis(20)));
        assert_eq!(browser.read("document.querySelector('.number').textContent"), "138 1234 5678");
        browser.press("Alt+W");
        browser.tab_to(".fields .wide input");
        browser.enter(HOSTILE);
        browser.tab_to(".fields textarea");
        browser.enter(HOSTILE);
        let saved = if language == "en" { "Saved" } else { "已保存" };
        browser.until(
            "the ticket saved",
            &format!("document.querySelector('.form .said').textContent === '{saved}'"),
            || {
                street.run(Duration::from_millis(20));
            },
        );
        browser.press("F8");
        street.wait_ended(Who::Phone(phone));
        street.wait_ended(Who::Call(caller));
        browser.until("the end", "!document.querySelector('.call.talking')", || street.run(Duration::from_millis(20)));
        // Once more, and the first call's ticket is among the earlier ones.
        let again = street.call();
        street.wait_answered(Who::Phone(phone));
        browser.until(
            "the earlier ticket",
            "document.querySelector('.earlier .what')?.textContent.includes('onerror')",
            || {
                street.run(Duration::from_millis(20));
            },
        );
        assert_eq!(
            browser.read("[window.owned ?? null, document.querySelectorAll('.earlier img').length].join()"),
            ",0"
        );
        street.field.at_phone(phone, |p, now| p.hang_up(now));
        street.wait_ended(Who::Call(again));
        browser.press("Shift+F1");
        browser.until("the keys", "document.querySelector('dialog.keys[open]')", || {});
        browser.press("Escape");
        browser.until("no more keys", "!document.querySelector('dialog.keys')", || {});
        assert_eq!(browser.complaints, Vec::<String>::new(), "{language}");
    }
}
