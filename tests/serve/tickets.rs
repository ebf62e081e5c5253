//! Tickets as those who work on them meet them over HTTP.

use super::api::{Answer, ask, send, started};
use super::webhooks::one_call;
use crate::common::{Server, until};
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
