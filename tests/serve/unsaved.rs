//! What an agent has typed while the store is away: it outlives the page, and nobody else ever sees it. And how a category is chosen.

use crate::common::caller::{self, Street};
use crate::common::chromium::Chromium;
use crate::common::{Server, password};
use crate::gallery::{answers, call, open, show, started, talking};
use crate::pages::{ask, cookie, ours};
use crate::screens;
use rexian::cases::Cases;
use rexian::cases::desk::Desk;
use rexian::cases::sqlite::SqliteCases;
use rexian::casework::words::Satisfaction;
use rexian::demo::field::Who;
use rexian::host::Clock;
use rexian::ids::CallId;
use rexian::screen::Stage;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const NO: &str = "JN20261123000002";
const WORDS: &str = "路灯三天不亮，老人夜里摔倒";

/// Is there anything of it in this browser?
const KEPT: &str = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }]).includes('老人')";

fn at_the_ticket(browser: &mut Chromium) {
    show(browser, &talking(call(2, Stage::Talking)));
    browser.until("the ticket", &format!("document.querySelector('.form h2')?.textContent.includes('{NO}')"), || {});
}

fn signed_in(browser: &mut Chromium, agent: &str, password: &str) {
    screens::enter(browser, agent, password);
    at_the_ticket(browser);
}

fn reload(browser: &mut Chromium, then: &str) {
    browser.read("window.before = 1; location.reload()");
    browser.until("the page again", &format!("!window.before && window.stage && {then}"), || {});
}

const DOOR: &str = "document.activeElement.id === 'agent'";
const CONTENT: &str = "document.querySelector('[name=content]').value";

#[test]
fn words_that_could_not_be_saved_outlive_the_page_and_go_with_whoever_wrote_them() {
    let server = started();
    let mut stores = answers();
    stores[format!("/v1/tickets/{NO}/fill-in")] = Value::Null;
    let Some(mut browser) = open(&server, &stores, "zh") else { return };
    signed_in(&mut browser, "6690", "leads-the-shift-1");
    browser.tab_to("[name=content]");
    browser.enter(WORDS);
    browser.until(
        "that it is not saved",
        "document.querySelector('.said.bad').textContent.startsWith('未保存')",
        || {},
    );
    reload(&mut browser, "document.querySelector('.form.empty')");
    assert_eq!(browser.read("document.querySelector('.form .said').textContent"), format!("尚未保存，正在重试：{NO}"));
    at_the_ticket(&mut browser);
    assert_eq!(browser.read(CONTENT), WORDS, "as it was typed");
    // Whoever leaves is told once what goes with them.
    browser.read("[...document.querySelectorAll('.top button')].at(-1).click()");
    browser.until("the warning", "document.querySelector('.notice').textContent.includes('未保存')", || {});
    assert_eq!(browser.read(KEPT), true);
    // And again, once that is long ago.
    browser.read("(() => { const now = performance.now.bind(performance); performance.now = () => now() + 60000; document.querySelector('.notice').textContent = ''; })()");
    browser.read("[...document.querySelectorAll('.top button')].at(-1).click()");
    browser.until("the warning", "document.querySelector('.notice')?.textContent.includes('未保存')", || {});
    browser.read("[...document.querySelectorAll('.top button')].at(-1).click()");
    browser.until("the door", DOOR, || {});
    assert_eq!(browser.read(KEPT), false, "a shared computer keeps nothing");

    // The store comes back.
    signed_in(&mut browser, "6690", "leads-the-shift-1");
    browser.tab_to("[name=content]");
    browser.enter(WORDS);
    browser.until(
        "that it is not saved",
        "document.querySelector('.said.bad').textContent.startsWith('未保存')",
        || {},
    );
    browser.read(&format!("stage.answers['/v1/tickets/{NO}/fill-in'] = {{ version: 2 }}"));
    browser.until(
        "that it is saved without a further key",
        "document.querySelector('.said').textContent === '已保存'",
        || {},
    );
    assert_eq!(browser.read(KEPT), false);

    // Somebody else sits down where the session has ended and the words have not.
    browser.read(&format!("stage.answers['/v1/tickets/{NO}/fill-in'] = null"));
    browser.enter(WORDS);
    browser.until("that it is kept", KEPT, || {});
    browser.read("fetch('/session', { method: 'DELETE' })");
    reload(&mut browser, DOOR);
    assert_eq!(browser.read(KEPT), true, "whose session has ended comes back");
    screens::enter(&mut browser, "6601", &crate::common::password(1_usize));
    browser.until("that it is gone", &format!("!{KEPT}"), || {});

    // Nobody comes for a whole shift.
    let old = format!(
        "sessionStorage.setItem('rexian-unsaved', JSON.stringify({{ agent: '6690', at: Date.now() - 13 * 3600e3, tickets: [], was: '{WORDS}' }}))"
    );
    browser.read("fetch('/session', { method: 'DELETE' })");
    browser.read(&old);
    reload(&mut browser, DOOR);
    assert_eq!(browser.read(KEPT), false, "words of the shift before");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn a_category_is_found_by_any_of_its_words_or_its_code() {
    let server = started();
    let mut stores = answers();
    stores["/v1/categories"] = Value::Null;
    let Some(mut browser) = open(&server, &stores, "zh") else { return };
    browser.read("window.sent = []; const asked = fetch; window.fetch = (path, options) => (String(path).endsWith('fill-in') && sent.push(options.body), asked(path, options))");
    signed_in(&mut browser, "6690", "leads-the-shift-1");
    assert_eq!(browser.read("document.querySelector('#category')"), Value::Null, "the tree cannot be had yet");
    browser.read("delete stage.answers['/v1/categories']");
    browser.until("that it comes", "document.querySelector('#category')", || {});
    browser.tab_to("#category");
    for (typed, first) in [
        ("不达标", "02.02.01"),
        ("市政 破损 响", "01.03.02.02.01"),
        ("010301", "01.03.01"),
        ("燃气集团 停", "02.03.02"),
    ] {
        browser.read("document.activeElement.select()");
        browser.enter(typed);
        let code = "document.querySelector('.fits [aria-selected=true] .code').textContent";
        browser.until("what fits", &format!("{code} === '{first}'"), || {});
    }
    let chosen = |browser: &mut Chromium| browser.read("document.querySelector('#category').value");
    browser.press("Escape");
    assert_eq!(chosen(&mut browser), "", "nothing was chosen");
    browser.enter("停");
    browser.press("ArrowDown");
    browser.press("Enter");
    let second = chosen(&mut browser);
    assert_eq!(second, "公共服务 / 供热 / 停热");
    browser.until("that it is saved", "sent.length === 1", || {});
    assert_eq!(browser.read("sent[0]"), r#"{"category":"02.02.02"}"#);
    browser.enter("没有这样的");
    browser.until("that nothing fits", "document.querySelector('.more').textContent.startsWith('没有符合')", || {});
    browser.press("Enter");
    browser.press("Tab");
    assert_eq!(chosen(&mut browser), second, "half a word changes nothing");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// The survey's answer comes to the ticket as the system's.
fn rated(server: &Server, call: &str) {
    let desk = Desk::new(Cases::Sqlite(SqliteCases::new(server.cases(), "JN")), Arc::default());
    let call = CallId(u64::from_str_radix(call, 16).expect("a call's id"));
    let told = desk.rate(Clock::start().now(), call, Satisfaction::Satisfied);
    assert!(tokio::runtime::Runtime::new().unwrap().block_on(told).expect("a store"), "there is no ticket");
}

#[test]
fn a_ticket_that_changes_under_a_form_is_saved_all_the_same_and_nobodys_words_are_overwritten() {
    let Some(mut browser) = Chromium::start(None) else { return };
    let server = screens::started();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, caller::answers());
    screens::signed_in(&mut browser, &server, "zh", "6601", &password(1_usize));
    street.call();
    street.wait_answered(Who::Phone(phone));
    browser.until("the ticket", "document.querySelector('.fields')", || street.run(Duration::from_millis(20)));
    let leader = cookie(&server, "6690", "leads-the-shift-1");
    let ticket = || -> Value {
        let listed = ask(&server, "GET /v1/tickets?agent=6601&limit=1", None, Some(&leader), "");
        serde_json::from_str::<Value>(&listed.body).unwrap()["tickets"][0].clone()
    };
    let fill = |fields: Value| {
        let path = format!("POST /v1/tickets/{}/fill-in", ticket()["ticket_no"].as_str().unwrap());
        let done = ask(&server, &path, Some(&ours(&server)), Some(&leader), &fields.to_string());
        assert_eq!(done.status, 200, "{}", done.body);
    };
    let mut step = |browser: &mut Chromium, what: &str, is: &str| {
        browser.until(what, is, || street.run(Duration::from_millis(20)));
    };
    let saved = "document.querySelector('.form .said').textContent === '已保存'";
    let title = |is: &str| format!("document.querySelector('[name=title]').value === '{is}'");

    // It is saved, and the page never hears so.
    browser.read("window.asked = fetch; window.lost = 0; window.fetch = async (path, options) => { const done = await asked(path, options); if (String(path).endsWith('fill-in') && lost++ === 0) throw new TypeError('cut'); return done; }");
    browser.tab_to("[name=address]");
    browser.enter("经七路 88 号");
    step(&mut browser, "that it is tried again and done", &format!("lost > 1 && {saved}"));
    assert_eq!(browser.read(KEPT.replace("老人", "经七路").as_str()), false, "nothing is left to be saved");

    // Others fill in what is not typed here, then what is.
    fill(json!({ "title": "路灯" }));
    browser.tab_to("[name=content]");
    browser.enter(WORDS);
    step(&mut browser, "both are there", &format!("{} && {saved}", title("路灯")));
    assert_eq!(ticket()["content"], WORDS);
    assert_eq!(browser.read("document.querySelector('[name=address]').value"), "经七路 88 号", "not its mask");
    fill(json!({ "content": "班长改写" }));
    browser.enter("！");
    step(&mut browser, "the choice", "document.querySelector('.clashes')?.textContent.includes('班长改写')");
    assert_eq!(ticket()["content"], "班长改写", "nothing is overwritten unasked");
    browser
        .read("[...document.querySelectorAll('.clashes button')].find((one) => one.textContent === '用我的').click()");
    step(&mut browser, "that it is saved", &format!("!document.querySelector('.clashes button') && {saved}"));
    assert_eq!(ticket()["content"], format!("{WORDS}！"));

    // The caller's rating comes a moment before the click.
    rated(&server, ticket()["call"].as_str().unwrap());
    browser
        .read("[...document.querySelectorAll('.form button')].find((one) => one.textContent === '登记转110').click()");
    step(
        &mut browser,
        "that it is done",
        "document.querySelector('.form h2 .tag').textContent !== '待完善' && document.querySelector('.form h2').textContent.includes('满意')",
    );
    assert_ne!(ticket()["stage"], "draft");
    assert_eq!(browser.read("document.querySelector('.said.bad')?.textContent ?? ''"), "");
    browser.complaints.retain(|what| !what.contains("412") && !what.contains("409"));
    assert_eq!(browser.complaints, Vec::<String>::new());
}
