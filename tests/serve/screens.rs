//! The pages in a real browser against the running program: worked by keyboard alone, in both languages, without one complaint of
//! the browser. Not here: what passes between page and gateway (`pages`).

use crate::common::caller::{Street, answers};
use crate::common::chromium::Chromium;
use crate::common::{Hotline, Server, password};
use crate::look;
use rexian::api::v1::access::digest_of;
use rexian::demo::field::Who;
use std::time::Duration;

/// With 6690, who leads the shift, and a token for a screen on the wall.
pub fn started() -> Server {
    let sha256: String = digest_of("token-wall").iter().map(|b| format!("{b:02x}")).collect();
    let hash = rexian::pages::password::hash("leads-the-shift-1", &[90; 16]).unwrap();
    let more = format!(
        "\n[[agents]]\nnumber = \"6690\"\nskills = {{ mandarin = 5 }}\nleader = true\npassword_hash = {hash:?}\n\
         \n[[http.tokens]]\nname = \"wall\"\nrole = \"wallboard\"\nsha256 = {sha256:?}\n"
    );
    Hotline { pages: true, browsers: true, more, ..Hotline::new() }.start()
}

/// The page in a language, with an agent signed in by the keyboard.
pub fn signed_in(browser: &mut Chromium, server: &Server, language: &str, agent: &str, password: &str) {
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
    enter(browser, agent, password);
    browser.until("the desk", "document.querySelector('#state').textContent", || {});
}

/// At the door.
pub fn enter(browser: &mut Chromium, agent: &str, password: &str) {
    browser.enter(agent);
    browser.press("Tab");
    browser.enter(password);
    browser.press("Enter");
    browser.until("the desk", "document.querySelector('#state')", || {});
}

pub fn state(is: &str) -> String {
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
        signed_in(&mut browser, &server, language, "6601", &password(1_usize));
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
        browser.tab_to(".fields [name=title]");
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
        let way = if language == "en" { "Line 12345 → mandarin" } else { "被叫 12345 → mandarin" };
        assert_eq!(browser.read("[...document.querySelectorAll('.who dd')].at(-1).textContent"), way);
        look::over(&mut browser, &format!("real-talking-{language}"));
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

#[test]
fn a_headset_at_the_computer_takes_a_call_and_has_it_again_after_a_reload() {
    let Some(mut browser) = Chromium::start(None) else { return };
    let server = started();
    let mut street = Street::new(&server.hotline);
    signed_in(&mut browser, &server, "zh", "6601", &password(1_usize));
    let live = "document.querySelector('.headset').dataset.audio === 'live'";
    browser.tab_to(".entry .go");
    browser.press("Enter");
    browser.until("the headset's audio", live, || {});
    browser.press("F2");
    browser.until("readiness", &state("ready"), || {});
    browser.press("Alt+E");
    browser.until("the test of oneself", "document.querySelector('.call.own')", || {});
    browser.press("Alt+E");
    browser.until("the end of the test", "document.querySelector('.call.none')", || {});
    let caller = street.call();
    let step = |browser: &mut Chromium, street: &mut Street, what: &str, is: &str| {
        browser.until(what, is, || street.run(Duration::from_millis(20)));
    };
    step(&mut browser, &mut street, "the ring", "document.querySelector('.call.ringing')");
    browser.press("F3");
    step(&mut browser, &mut street, "the talk", "document.querySelector('.call.talking')");
    look::over(&mut browser, "real-headset-talking");
    browser.press("Alt+K");
    let pad = "document.querySelector('.pad:not([hidden])')?.contains(document.activeElement)";
    step(&mut browser, &mut street, "the keypad", pad);
    look::over(&mut browser, "real-headset-keypad");
    look::tabbed_through(&mut browser, "real-headset-keypad");
    browser.read("[...document.querySelectorAll('.pad button')].find((key) => key.textContent === '#').focus()");
    browser.press("Enter");
    street.run_until("the key at the trunk", |field| field.heard_by_call(caller).key == Some('#'));
    browser.press("Alt+K");
    // What is done is done to the call's stage, and the agent's state is beside it.
    let both = |is: &str, stage: &str| format!("{} && !!document.querySelector('.call.{stage}')", state(is));
    step(&mut browser, &mut street, "the talk", &both("talking", "talking"));
    browser.press("F6");
    step(&mut browser, &mut street, "hold", &both("hold", "held"));
    browser.press("F6");
    step(&mut browser, &mut street, "the talk again", &both("talking", "talking"));
    // The network goes, the computer says so, and it is back before anything else has noticed.
    browser.read("window.was = []; new MutationObserver(() => was.push(document.querySelector('.headset').dataset.audio)).observe(document.querySelector('.headset'), { attributes: true, attributeFilter: ['data-audio'] }); dispatchEvent(new Event('offline'))");
    step(&mut browser, &mut street, "that it is told at once", &format!("was.includes('mending') && {live}"));
    browser.press("Alt+M");
    step(&mut browser, &mut street, "the warning that one is muted", "document.querySelector('p.muted:not([hidden])')");
    look::over(&mut browser, "real-headset-muted");
    browser.read("window.before = 1; location.reload()");
    let back = format!("!window.before && {live} && {} && !!document.querySelector('.fields')", state("talking"));
    step(&mut browser, &mut street, "the same call after a reload", &back);
    browser.press("Shift+F12");
    let failed = "document.querySelector('.party.failed:not([hidden])')?.textContent.startsWith('110 ')";
    step(&mut browser, &mut street, "that no trunk reaches 110", failed);
    browser.press("F8");
    step(&mut browser, &mut street, "the end", "document.querySelector('.call.none')");
    street.wait_ended(Who::Call(caller));
    assert_eq!(server.tickets().len(), 1);
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn a_leader_sees_the_floor_and_acts_on_it_by_keyboard() {
    let Some(mut browser) = Chromium::start(None) else { return };
    let server = started();
    let mut street = Street::new(&server.hotline);
    street.sign_in(server.hotline.seat_address(1), 1, answers());
    for language in ["zh", "en"] {
        signed_in(&mut browser, &server, language, "6690", "leads-the-shift-1");
        browser.press("Alt+V");
        let row = "document.querySelector('.floor tr[data-key=\"6601\"]')";
        browser.until("the agent's row", &format!("{row}?.dataset.is === 'ready'"), || {
            street.run(Duration::from_millis(20))
        });
        browser.tab_to(".floor tbody tr");
        browser.press("N");
        browser.until("why", "document.activeElement.id === 'why'", || {});
        browser.enter(HOSTILE);
        browser.press("Enter");
        browser.until("that it is done", &format!("{row}.dataset.is === 'not_ready'"), || {
            street.run(Duration::from_millis(20))
        });
        browser.tab_to(".floor tbody tr");
        browser.press("R");
        browser.until("why", "document.activeElement.id === 'why'", || {});
        browser.enter("ok");
        browser.press("Enter");
        browser.until("that it is undone", &format!("{row}.dataset.is === 'ready'"), || {
            street.run(Duration::from_millis(20))
        });
        browser.read("fetch('/session', { method: 'DELETE' })");
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn the_wallboard_shows_the_day_and_says_when_it_cannot() {
    let Some(mut browser) = Chromium::start(None) else { return };
    let mut server = started();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.call();
    street.wait_answered(Who::Phone(phone));
    for (language, name) in [("zh", "今日来电"), ("en", "In today")] {
        browser.open("about:blank");
        browser.open(&format!("http://{}/wallboard.html#token=token-wall&lang={language}", server.hotline.pages()));
        let shown = format!(
            "document.body.innerText.includes('{name}') && document.body.innerText.includes('15') && document.querySelector('tbody td')"
        );
        browser.until("the figures", &shown, || street.run(Duration::from_millis(20)));
        browser.until("the talk", "document.querySelector('.tile.talking .value').textContent === '1'", || {
            street.run(Duration::from_millis(20));
        });
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
    server.kill();
    browser.until("how old it is", "document.body.classList.contains('stale')", || {});
    server.start_again();
    browser.until("that it is live again", "!document.body.classList.contains('stale')", || {});
    browser.open("about:blank");
    browser.open(&format!("http://{}/wallboard.html#token=guessed", server.hotline.pages()));
    browser.until("that the link is none", "document.querySelector('.age').textContent.includes('无权')", || {});
}
