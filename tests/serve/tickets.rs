//! Tickets as those who work on them meet them over HTTP.

use super::api::{Answer, BUREAU, ask, hotline, next_event, send, started, stream};
use super::webhooks::one_call;
use crate::common::{Server, rexian, until};
use serde_json::{Value, json};

/// The latest ticket there is.
fn ticket(server: &Server) -> String {
    until("a ticket", || {
        let list = ask(server, "GET /v1/tickets", Some("operator"));
        assert_eq!(list.status, 200, "{}", list.body);
        list.json()["tickets"][0]["ticket_no"].as_str().map(str::to_owned)
    })
}

fn get(server: &Server, path: &str, role: &str) -> Value {
    let answer = ask(server, &format!("GET /v1/tickets{path}"), Some(role));
    assert_eq!(answer.status, 200, "{path} for {role}: {}", answer.body);
    answer.json()
}

fn post(server: &Server, path: &str, role: &str, body: Value) -> Answer {
    send(server, &format!("POST /v1/tickets/{path}"), Some(role), "", &body.to_string())
}

#[test]
fn a_ticket_is_read_masked_and_whole_only_by_who_says_why() {
    let server = started();
    one_call(&server);
    let no = ticket(&server);
    let masked = get(&server, &format!("/{no}"), "operator");
    assert_eq!((&masked["number"], &masked["agent"]), (&json!("+86138****5678"), &json!("6601")), "{masked}");
    assert_eq!((&masked["stage"], &masked["test_call"]), (&json!("draft"), &json!(false)));
    assert!(masked["may"].as_array().unwrap().contains(&json!("hand_to_110")), "{masked}");
    let listed = get(&server, "?stage=draft,accepted&number=13812345678&limit=5", "shift_leader");
    assert_eq!(listed["tickets"][0], get(&server, &format!("/{no}"), "shift_leader"));
    assert_eq!(listed["next"], Value::Null);
    for (none, role) in [("?stage=archived", "operator"), ("?overdue=true", "operator"), ("", "clerk")] {
        assert_eq!(get(&server, none, role)["tickets"], json!([]), "{none} for {role}");
    }
    assert_eq!(ask(&server, &format!("GET /v1/tickets/{no}"), Some("clerk")).status, 404, "not the department's");

    assert_eq!(post(&server, &format!("{no}/reveal"), "operator", json!({})).status, 400);
    assert_eq!(post(&server, &format!("{no}/reveal"), "operator", json!({"reason": " "})).status, 400);
    let why = json!({"reason": "回访核实"});
    let whole = post(&server, &format!("{no}/reveal"), "hotline_office", why.clone());
    assert_eq!((whole.status, &whole.json()["number"]), (200, &json!("+8613812345678")));
    assert_eq!(post(&server, &format!("{no}/reveal"), "platform_engineer", why).status, 403);
    let audit = get(&server, &format!("/{no}/audit"), "hotline_office");
    let readings = audit["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 1, "{audit}");
    assert_eq!(
        (&readings[0]["reason"], &readings[0]["by"]),
        (&json!("回访核实"), &json!({"name": "test hotline_office", "role": "hotline_office"}))
    );
    assert_eq!(ask(&server, "GET /v1/tickets/JN1/audit", Some("hotline_office")).status, 404);
}

#[test]
fn who_called_before_is_seen_with_what_about() {
    let server = started();
    one_call(&server);
    let first = ticket(&server);
    one_call(&server);
    let second = until("the second ticket", || Some(ticket(&server)).filter(|no| *no != first));
    let caller = get(&server, &format!("/{second}/caller"), "operator");
    assert_eq!((&caller["number"], &caller["in_30_days"]), (&json!("+86138****5678"), &json!(1)), "{caller}");
    assert_eq!(caller["tickets"][0]["ticket_no"], json!(first));
    assert_eq!(caller["repeat"], json!({"ticket_no": first, "why": "soon"}));
    assert_eq!(get(&server, &format!("/{first}/caller"), "operator")["tickets"], json!([]));
    let page = get(&server, "?limit=1", "operator");
    assert_eq!((&page["tickets"][0]["ticket_no"], page["tickets"][1].is_null()), (&json!(second), true));
    let rest = get(&server, &format!("?limit=1&after={}", page["next"].as_str().unwrap()), "operator");
    assert_eq!(rest["tickets"][0]["ticket_no"], json!(first));
}

#[test]
fn what_is_asked_wrongly_of_tickets_is_refused_with_the_reason() {
    let server = started();
    for (path, reason) in [
        ("?stage=drafted", "unknown variant"),
        ("?limit=501", "1 to 500"),
        ("?number=anonymous", "telephone number"),
        ("?colour=red", "colour"),
        ("?department=%00", "characters"),
        ("/due?until=tomorrow", "2026-11-22"),
        ("/due?after=x", "next"),
        ("/%ff", "path"),
    ] {
        let answer = ask(&server, &format!("GET /v1/tickets{path}"), Some("operator"));
        let problem = answer.json();
        assert_eq!((answer.status, problem["code"].as_str()), (400, Some("bad_request")), "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{path}: {problem}");
    }
    assert_eq!(ask(&server, "GET /v1/tickets/%00", Some("operator")).status, 404);
    let wall = ask(&server, "GET /v1/tickets", Some("wallboard"));
    assert_eq!((wall.status, wall.json()["code"].as_str()), (403, Some("forbidden")), "figures only");
}

/// Filled in and accepted.
pub fn accepted(server: &Server) -> String {
    one_call(server);
    let no = ticket(server);
    let what = json!({"kind": "complaint", "title": "路灯不亮", "content": "三天不亮", "name": "张三"});
    done(server, &format!("{no}/fill-in"), "operator", what);
    done(server, &format!("{no}/accept"), "operator", json!({}));
    no
}

fn done(server: &Server, path: &str, role: &str, body: Value) -> Value {
    let answer = post(server, path, role, body);
    assert_eq!(answer.status, 200, "{path} by {role}: {}", answer.body);
    answer.json()
}

fn code(answer: &Answer) -> (u16, String) {
    let problem = answer.json();
    assert!(answer.head.contains("content-type: application/problem+json"), "{}", answer.head);
    assert_eq!(problem["status"], answer.status, "{problem}");
    (answer.status, problem["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_ticket_goes_through_its_life_by_the_hands_of_those_who_may() {
    let server = started();
    let no = accepted(&server);
    let act = |name: &str, role: &str, body: Value| done(&server, &format!("{no}/{name}"), role, body);
    act("pass", "operator", json!({"lead": BUREAU, "assisting": ["水务集团"]}));
    act("dispatch", "shift_leader", json!({}));
    let theirs = get(&server, "?stage=dispatched", "clerk");
    assert_eq!(
        (&theirs["tickets"][0]["ticket_no"], &theirs["tickets"][0]["may"]),
        (&json!(no), &json!(["sign_for", "return"]))
    );
    act("sign-for", "clerk", json!({}));
    act("start", "clerk", json!({}));
    act("ask-extension", "clerk", json!({"days": 3, "reason": "待备件"}));
    act("grant-extension", "hotline_office", json!({}));
    act("urge", "operator", json!({"note": "市民再次来电"}));
    act("settle", "clerk", json!({"result": "已更换灯具"}));
    act("ask-callback", "operator", json!({}));
    let heard = json!({"outcome": "reached", "process": "satisfied", "result": "very_satisfied", "solved": true});
    act("record-callback", "operator", heard);
    let last = act("archive", "shift_leader", json!({}));
    let ticket = get(&server, &format!("/{no}"), "operator");
    assert_eq!((&ticket["stage"], &ticket["version"]), (&json!("archived"), &last["version"]));
    assert_eq!((&ticket["callback"]["result"], &ticket["times"]["extended"]), (&json!("very_satisfied"), &json!(1)));
    let history = get(&server, &format!("/{no}/history"), "operator");
    let chain: Vec<(&str, &str)> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["type"].as_str().unwrap(), step["by"]["role"].as_str().unwrap()))
        .collect();
    assert_eq!(
        chain,
        [
            ("ticket.received", "system"),
            ("ticket.filled", "operator"),
            ("ticket.accepted", "operator"),
            ("ticket.passed", "operator"),
            ("ticket.dispatched", "shift_leader"),
            ("ticket.signed_for", "clerk"),
            ("ticket.started", "clerk"),
            ("ticket.extension_asked", "clerk"),
            ("ticket.extended", "hotline_office"),
            ("ticket.urged", "operator"),
            ("ticket.settled", "clerk"),
            ("ticket.callback_asked", "operator"),
            ("ticket.called_back", "operator"),
            ("ticket.archived", "shift_leader"),
        ]
    );
    assert_eq!(history["history"][4]["departments"], json!({"lead": BUREAU, "assisting": ["水务集团"]}));
    assert_eq!(get(&server, "/due?until=2099-01-01", "operator")["tickets"], json!([]), "nothing is left to do");
}

#[test]
fn what_cannot_be_done_is_refused_in_the_language_asked_for() {
    let server = started();
    one_call(&server);
    let no = ticket(&server);
    let path = |name: &str| format!("{no}/{name}");
    let accept = post(&server, &path("accept"), "operator", json!({}));
    assert_eq!(code(&accept), (409, "incomplete".into()));
    assert!(accept.json()["detail"].as_str().unwrap().starts_with("请先填写：诉求类型"), "{}", accept.body);
    let english = "Accept-Language: en-GB,en;q=0.9\r\n";
    let accept = send(&server, &format!("POST /v1/tickets/{no}/accept"), Some("operator"), english, "");
    assert!(accept.json()["detail"].as_str().unwrap().starts_with("fill in first: type"), "{}", accept.body);
    assert_eq!(code(&post(&server, &path("archive"), "operator", json!({}))), (409, "not_now".into()));
    assert_eq!(code(&post(&server, &path("urge"), "operator", json!({"note": ""}))), (409, "not_now".into()));
    let long = json!({"title": "长".repeat(101)});
    assert_eq!(code(&post(&server, &path("fill-in"), "operator", long)), (422, "too_long".into()));
    assert_eq!(
        code(&post(&server, &path("fill-in"), "operator", json!({"category": "99"}))),
        (422, "no_such_category".into())
    );
    assert_eq!(code(&post(&server, &path("fill-in"), "operator", json!({"titel": "x"}))), (400, "bad_request".into()));
    let endless = json!({"content": "x".repeat(200_000)});
    assert_eq!(code(&post(&server, &path("fill-in"), "operator", endless)), (413, "too_long".into()));
    assert_eq!(code(&post(&server, "JN1/accept", "operator", json!({}))), (404, "not_found".into()));
    assert_eq!(code(&post(&server, &path("grant-extension"), "clerk", json!({}))), (403, "forbidden".into()));
    assert_eq!(
        code(&post(&server, &path("sign-for"), "clerk", json!({}))),
        (404, "not_found".into()),
        "nor that it is there"
    );
}

#[test]
fn an_act_is_done_once_and_only_to_the_ticket_that_was_seen() {
    let server = started();
    let no = accepted(&server);
    let seen = ask(&server, &format!("GET /v1/tickets/{no}"), Some("operator"));
    assert!(seen.head.contains("etag: \"3\""), "{}", seen.head);
    let urge = |headers: &str, note: &str| {
        let body = json!({"urgency": "urgent", "title": note}).to_string();
        send(&server, &format!("POST /v1/tickets/{no}/fill-in"), Some("operator"), headers, &body)
    };
    let first = urge("If-Match: \"3\"\r\nIdempotency-Key: a1\r\n", "再催");
    assert_eq!((first.status, &first.json()["version"], &first.json()["again"]), (200, &json!(4), &json!(false)));
    assert!(first.head.contains("etag: \"4\""), "{}", first.head);
    // The answer was lost: the same again, though the ticket has gone on.
    let again = urge("If-Match: \"3\"\r\nIdempotency-Key: a1\r\n", "再催");
    assert_eq!((again.status, &again.json()["again"]), (200, &json!(true)));
    assert_eq!(again.json()["changes"], first.json()["changes"]);
    assert_eq!(code(&urge("Idempotency-Key: a1\r\n", "三催")), (422, "key_reused".into()));
    assert_eq!(code(&urge("If-Match: \"3\"\r\n", "四催")), (412, "version".into()));
    assert_eq!(code(&urge("If-Match: 3\r\n", "四催")), (400, "bad_request".into()));
    assert_eq!(urge("If-Match: *\r\n", "四催").status, 200);
    assert_eq!(get(&server, &format!("/{no}"), "operator")["version"], 5);
}

#[test]
fn what_happens_to_tickets_is_followed_from_any_number_on_and_says_nobody() {
    let server = started();
    let mut events = stream(&server, "/v1/tickets/events?after_seq=0", "");
    let no = accepted(&server);
    let mut seen = vec![];
    while seen.last().is_none_or(|(_, event): &(u64, Value)| event["type"] != "ticket.accepted") {
        seen.push(next_event(&mut events));
    }
    let numbers: Vec<u64> = seen.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let kinds: Vec<&str> = seen.iter().map(|(_, event)| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ticket.received", "ticket.filled", "ticket.accepted"]);
    assert_eq!((&seen[1].1["ticket_no"], &seen[1].1["by"]["name"]), (&json!(no), &json!("6601")));
    let page = ask(&server, "GET /v1/tickets/events?after_seq=1&limit=1", Some("platform_engineer"));
    assert_eq!((&page.json()["events"][0], &page.json()["last_seq"]), (&seen[1].1, &json!(2)));
    for text in ["张三", "路灯", "三天"] {
        assert!(!page.body.contains(text), "{}", page.body);
    }
    assert_eq!(ask(&server, "GET /v1/tickets/events?after_seq=99", Some("shift_leader")).status, 409);
    let calls = ask(&server, "GET /v1/events?limit=1000", Some("shift_leader"));
    assert!(!calls.body.contains("\"ticket."), "each log has its own");
}

#[test]
fn the_report_has_the_figures_of_the_store_or_says_plainly_that_it_has_not() {
    let server = started();
    let no = accepted(&server);
    done(&server, &format!("{no}/answer-now"), "operator", json!({"answer": "今日已派人维修"}));
    let config = server.directory.path().join("rexian.toml");
    let rules = || -> Value {
        let mut report = rexian();
        report.args(["report", "--compliance", "--json", "--config"]).arg(&config);
        let output = report.current_dir(server.directory.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let rule =
        |rules: &Value, id: &str| rules.as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap().clone();
    let all = rules();
    let reply = rule(&all, "reply");
    assert_eq!((&reply["verdict"], &reply["from_en"]), (&json!("pass"), &json!("ticket store")), "{reply}");
    assert_eq!(rule(&all, "answered_on_the_spot")["verdict"], "noted");
    assert_eq!(rule(&all, "return")["verdict"], "no_data", "none was returned");
    // The store is away: no figures, and nothing is made in its place.
    let (cases, away) = (server.cases(), server.directory.path().join("away.db"));
    std::fs::rename(&cases, &away).unwrap();
    let reply = rule(&rules(), "reply");
    assert_eq!(reply["verdict"], "no_data");
    assert!(reply["from_en"].as_str().unwrap().contains("not read: case store"), "{reply}");
    assert!(!cases.exists(), "a report makes no store");
}

#[test]
fn the_offices_tree_is_there_to_choose_from_and_a_leaf_of_it_brings_its_urgency() {
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/casework/categories.csv");
    let mut hotline = hotline();
    hotline.more += &format!("\n[casework]\ncategories = {tree:?}\n");
    let server = hotline.start();
    let answer = ask(&server, "GET /v1/categories", Some("operator")).json();
    let node =
        |code: &str| answer["categories"].as_array().unwrap().iter().find(|n| n["code"] == code).unwrap().clone();
    assert_eq!((&node("01.03")["leaf"], &node("01.03.01")["leaf"]), (&json!(false), &json!(true)));
    let leak = json!({"code": "02.03.01", "path": ["公共服务", "燃气", "燃气泄漏"], "leaf": true, "urgency": "critical", "department": "燃气集团"});
    assert_eq!(node("02.03.01"), leak);
    assert!(answer["departments"].as_array().unwrap().contains(&json!("燃气集团")), "{answer}");
    one_call(&server);
    let no = ticket(&server);
    done(&server, &format!("{no}/fill-in"), "operator", json!({"category": "02.03.01"}));
    let filled = get(&server, &format!("/{no}"), "operator");
    assert_eq!((&filled["category"]["path"], &filled["urgency"]), (&leak["path"], &leak["urgency"]));
    let branch = post(&server, &format!("{no}/fill-in"), "operator", json!({"category": "02.03"}));
    assert_eq!(code(&branch), (422, "no_such_category".to_owned()));
}
