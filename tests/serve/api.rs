//! The API as a program meets it: who may ask what, snapshots and the events after them, streams that go on.

use crate::common::caller::{Street, answers};
use crate::common::{Hotline, SOON, Server, rexian, until};
use rexian::api::v1::access::digest_of;
use rexian::api::v1::operations;
use rexian::demo::field::Who;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const ROLES: [&str; 6] = ["operator", "shift_leader", "hotline_office", "clerk", "platform_engineer", "wallboard"];

/// Of the clerk's token.
pub const BUREAU: &str = "市城市管理局";

/// Written by hand, apart from the program's own table. `x`: may, in the order of [`ROLES`].
const MAY_ASK: [(&str, &str); 46] = [
    ("GET /v1/queues", "x x x . x x"),
    ("GET /v1/agents", "x x x . x ."),
    ("GET /v1/agents/today", "x x x . x ."),
    ("GET /v1/calls", ". x x . x ."),
    ("GET /v1/calls/0000000000000001", "x x x . x ."),
    ("GET /v1/calls/0000000000000001/events", ". x x . x ."),
    ("GET /v1/sla", "x x x . x x"),
    ("GET /v1/wallboard", "x x x . x x"),
    ("GET /v1/events", ". x x . x ."),
    ("GET /v1/recordings", ". x x . . ."),
    ("GET /v1/recordings/0000000000000001-001/audio", ". x x . . ."),
    ("GET /v1/webhooks", ". . x . x ."),
    ("GET /v1/webhooks/x/dead-letters", ". . x . x ."),
    ("POST /v1/webhooks/x/dead-letters/1/retry", ". . . . x ."),
    ("GET /v1/tickets", "x x x x x ."),
    ("GET /v1/tickets/due", "x x x x x ."),
    ("GET /v1/tickets/overdue", "x x x x x ."),
    ("GET /v1/tickets/events", ". x x . x ."),
    ("GET /v1/tickets/JN1", "x x x x x ."),
    ("POST /v1/tickets/JN1/reveal", "x x x x . ."),
    ("GET /v1/tickets/JN1/history", "x x x x x ."),
    ("GET /v1/tickets/JN1/audit", ". . x . . ."),
    ("GET /v1/tickets/JN1/caller", "x x x . . ."),
    ("GET /v1/categories", "x x x x x ."),
    ("POST /v1/tickets/JN1/fill-in", "x x x . . ."),
    ("POST /v1/tickets/JN1/accept", "x x x . . ."),
    ("POST /v1/tickets/JN1/answer-now", "x x x . . ."),
    ("POST /v1/tickets/JN1/three-way", "x x x . . ."),
    ("POST /v1/tickets/JN1/hand-to-110", "x x x . . ."),
    ("POST /v1/tickets/JN1/decline", "x x x . . ."),
    ("POST /v1/tickets/JN1/pass", "x x x . . ."),
    ("POST /v1/tickets/JN1/dispatch", ". x x . . ."),
    ("POST /v1/tickets/JN1/sign-for", ". . x x . ."),
    ("POST /v1/tickets/JN1/start", ". . x x . ."),
    ("POST /v1/tickets/JN1/settle", ". . x x . ."),
    ("POST /v1/tickets/JN1/return", ". . . x . ."),
    ("POST /v1/tickets/JN1/recall", ". x x . . ."),
    ("POST /v1/tickets/JN1/ask-extension", ". . . x . ."),
    ("POST /v1/tickets/JN1/grant-extension", ". . x . . ."),
    ("POST /v1/tickets/JN1/refuse-extension", ". . x . . ."),
    ("POST /v1/tickets/JN1/urge", "x x x . . ."),
    ("POST /v1/tickets/JN1/supervise", ". x x . . ."),
    ("POST /v1/tickets/JN1/ask-callback", "x x x . . ."),
    ("POST /v1/tickets/JN1/record-callback", "x x x . . ."),
    ("POST /v1/tickets/JN1/redo", ". x x . . ."),
    ("POST /v1/tickets/JN1/archive", "x x x . . ."),
];

/// A hotline with a token `token-ROLE` for each role.
pub fn hotline() -> Hotline {
    let token = |role: &str| {
        let sha256: String = digest_of(&format!("token-{role}")).iter().map(|b| format!("{b:02x}")).collect();
        // The operator is the agent of seat 8001.
        let name = if role == "operator" { "6601".to_owned() } else { format!("test {role}") };
        let department = if role == "clerk" { format!("department = {BUREAU:?}\n") } else { String::new() };
        format!("\n[[http.tokens]]\nname = {name:?}\nrole = {role:?}\nsha256 = {sha256:?}\n{department}")
    };
    Hotline { more: ROLES.map(token).concat(), ..Hotline::new() }
}

/// With its log and its facts begun: until then they cannot be asked.
pub fn started() -> Server {
    let server = hotline().start();
    until("the log's first event in the facts", || {
        let answer = ask(&server, "GET /v1/queues", Some("wallboard"));
        (answer.status == 200 && answer.json()["seq"].as_u64()? > 0).then_some(())
    });
    server
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.head, self.body))
    }
}

fn connect(server: &Server, path: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.hotline.http()).expect("connecting");
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "{path} HTTP/1.1\r\nHost: x\r\n{more}\r\n").unwrap();
    stream
}

pub fn ask(server: &Server, request: &str, role: Option<&str>) -> Answer {
    send(server, request, role, "", "")
}

/// With headers, each with its CRLF, and a body.
pub fn send(server: &Server, request: &str, role: Option<&str>, headers: &str, body: &str) -> Answer {
    let token = role.map_or(String::new(), |role| format!("Authorization: Bearer token-{role}\r\n"));
    let length =
        if request.starts_with("POST") { format!("Content-Length: {}\r\n", body.len()) } else { String::new() };
    let more = format!("Connection: close\r\n{token}{length}{headers}");
    let mut stream = connect(server, request, &more);
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("reading the answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    assert!(!chunked, "only streams have no length: {head}");
    Answer { status: head[9..12].parse().unwrap(), head: head.to_lowercase(), body: body.to_owned() }
}

fn get(server: &Server, path: &str) -> Value {
    let answer = ask(server, &format!("GET {path}"), Some("shift_leader"));
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

#[test]
fn each_role_may_ask_what_it_may_and_strangers_nothing() {
    let server = started();
    let known: BTreeSet<String> = operations()
        .map(|o| format!("{} {}", o.method, o.path))
        .map(|o| o.replace("{call}", "0000000000000001").replace("{webhook}", "x").replace("{seq}", "1"))
        .map(|o| o.replace("{ticket_no}", "JN1").replace("{recording}", "0000000000000001-001"))
        .collect();
    let tested: BTreeSet<String> = MAY_ASK.iter().map(|(asked, _)| (*asked).to_owned()).collect();
    assert_eq!(known, tested, "a path without a row in this table");
    for (asked, may) in MAY_ASK {
        for (role, may) in ROLES.into_iter().zip(may.split(' ')) {
            let answer = ask(&server, asked, Some(role));
            // Nothing is there yet, and nothing sensible is sent.
            let expected: &[u16] = if may == "x" { &[200, 400, 404] } else { &[403] };
            assert!(expected.contains(&answer.status), "{asked} for {role}: {} {}", answer.status, answer.body);
        }
        for role in [None, Some("nobody")] {
            let answer = ask(&server, asked, role);
            assert_eq!(answer.status, 401, "{asked} for {role:?}: {}", answer.body);
            assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
            assert!(answer.head.contains("content-type: application/problem+json"), "{}", answer.head);
            assert_eq!(answer.json()["code"], "unauthorized");
        }
        let (_, path) = asked.split_once(' ').unwrap();
        let answer = ask(&server, &format!("DELETE {path}"), Some("shift_leader"));
        assert_eq!((answer.status, answer.json()["code"].as_str()), (405, Some("method_not_allowed")), "{asked}");
    }
    assert_eq!(ask(&server, "GET /v1/nothing", None).status, 401, "a stranger does not learn what there is");
    assert_eq!(ask(&server, "GET /v1/nothing", Some("operator")).status, 404);
    let said = [ask(&server, "GET /v1", None).body, ask(&server, "GET /v1/openapi.json", None).body];
    assert!(said.iter().all(|said| said.contains("listQueues")), "the description is open");
}

#[test]
fn what_is_asked_wrongly_is_refused_with_the_reason() {
    let server = started();
    for (path, reason) in [
        ("/v1/calls?limit=0", "1 to 500"),
        ("/v1/calls?limit=many", "limit"),
        ("/v1/calls?colour=red", "colour"),
        ("/v1/calls?after=x", "next"),
        ("/v1/calls/12", "16 hexadecimal digits"),
        ("/v1/sla?from=yesterday", "RFC 3339"),
        ("/v1/sla?from=2026-01-01T00:00:00Z&until=2026-12-01T00:00:00Z", "31 days"),
        ("/v1/sla?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "later"),
        ("/v1/events?after_seq=-1", "after_seq"),
        ("/v1/events?limit=1001", "1 to 1000"),
    ] {
        let answer = ask(&server, &format!("GET {path}"), Some("platform_engineer"));
        let problem = answer.json();
        assert_eq!((answer.status, problem["code"].as_str()), (400, Some("bad_request")), "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{path}: {problem}");
    }
    let beyond = ask(&server, "GET /v1/events?after_seq=99999", Some("platform_engineer"));
    assert_eq!((beyond.status, beyond.json()["code"].as_str()), (409, Some("conflict")));
}

#[test]
fn a_call_is_seen_while_it_waits_while_it_talks_and_when_it_is_over() {
    let server = started();
    let mut street = Street::new(&server.hotline);
    let call = street.call();
    // Nobody is signed in: it waits.
    let id = until("a caller who waits", || {
        street.run(Duration::from_millis(20));
        let calls = get(&server, "/v1/calls?up=true");
        let call = calls["calls"].get(0).filter(|call| call["waiting_in"] == "mandarin")?;
        assert_eq!(
            (&call["src"], &call["dst"], &call["kind"]),
            (&"+8613812345678".into(), &"12345".into(), &"inbound".into())
        );
        call["call"].as_str().map(str::to_owned)
    });
    let queues = get(&server, "/v1/queues");
    let queue = &queues["queues"][0];
    assert_eq!(
        (&queue["name"], &queue["waiting"], &queue["today"]["offered"]),
        (&"mandarin".into(), &1.into(), &1.into())
    );
    assert!(queue["longest_wait_s"].as_f64().unwrap() > 0.0, "{queue}");

    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.wait_answered(Who::Phone(phone));
    let agent = until("an agent who talks", || {
        street.run(Duration::from_millis(20));
        let agents = get(&server, "/v1/agents");
        agents["agents"].as_array().unwrap().iter().find(|agent| agent["call"] == id.as_str()).cloned()
    });
    let [number, seat, state] = ["number", "seat", "state"].map(|key| agent[key].as_str().unwrap());
    assert_eq!((number, seat, state), ("6601", "8001", "talking"));
    assert_eq!(get(&server, "/v1/queues")["queues"][0]["waiting"], 0);

    street.field.at_call(call, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    let record = until("the end of the call", || {
        let record = get(&server, &format!("/v1/calls/{id}"));
        (!record["ended_at"].is_null()).then_some(record)
    });
    assert_eq!((&record["cause"], &record["segments"][0]["agent"]), (&"caller_hangup".into(), &"6601".into()));
    assert_eq!(get(&server, "/v1/calls")["calls"][0], record, "the list has the same record");
    assert_eq!(get(&server, "/v1/calls?up=true")["calls"].as_array().unwrap().len(), 0);

    let sla = get(&server, "/v1/sla");
    let rate =
        sla["total"]["figures"].as_array().unwrap().iter().find(|f| f["id"] == "connection_rate").unwrap().clone();
    assert_eq!((&rate["zh"], &rate["formula"], &rate["value"]), (&"接通率".into(), &"A / R".into(), &1.0.into()));
    assert_eq!(sla["queues"]["mandarin"]["counts"]["answered"], 1);

    let events = get(&server, &format!("/v1/calls/{id}/events"));
    let kinds: Vec<&str> = events["events"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    let expected = ["call.arrived", "call.queued", "call.offered", "call.answered", "call.ended"];
    let mut found = kinds.iter();
    assert!(expected.iter().all(|kind| found.any(|found| found == kind)), "{kinds:?}");
}

/// What the wallboard shows is what the period's figures are, which are counted anew each time.
fn agree(server: &Server, offered: u64, answered: u64) {
    const KEYS: [&str; 6] = ["offered", "answered", "answered_within", "abandoned", "refused", "timed_out"];
    until("the same counts", || {
        let today = get(server, "/v1/queues")["queues"][0]["today"].clone();
        let period = get(server, "/v1/sla")["queues"]["mandarin"]["counts"].clone();
        let same = KEYS.iter().all(|key| today[key] == period[key]);
        (same && today["offered"] == offered && today["answered"] == answered).then_some(())
    });
}

#[test]
fn the_wallboards_counts_are_those_of_the_period_also_over_a_kill_9() {
    let mut server = started();
    let mut street = Street::new(&server.hotline);
    let lost = street.call();
    until("a caller who waits", || {
        street.run(Duration::from_millis(20));
        (get(&server, "/v1/queues")["queues"][0]["waiting"] == 1).then_some(())
    });
    street.field.at_call(lost, |c, now| c.hang_up(now));
    street.wait_ended(Who::Call(lost));
    agree(&server, 1, 0);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    for answered in 1..=2 {
        let call = street.call();
        street.wait_answered(Who::Phone(phone));
        street.field.at_call(call, |c, now| c.hang_up(now));
        street.wait_ended(Who::Phone(phone));
        agree(&server, 1 + answered, answered);
    }
    // One is up when the process dies: it counts, and nobody waits any more.
    street.call();
    street.wait_answered(Who::Phone(phone));
    agree(&server, 4, 3);
    server.kill();
    server.start_again();
    agree(&server, 4, 3);
    assert_eq!(get(&server, "/v1/queues")["queues"][0]["waiting"], 0);
}

/// The wallboard's figures, counted by hand from the events alone.
fn recounted(events: &[Value]) -> Value {
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let mean = |all: Vec<f64>| (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64);
    let ratio = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
    let answered: BTreeMap<&str, f64> =
        of("call.answered").map(|e| (e["call"].as_str().unwrap(), e["wait_s"].as_f64().unwrap())).collect();
    let is_answered = |event: &&Value| answered.contains_key(event["call"].as_str().unwrap());
    let lost = of("call.ended").filter(|event| !is_answered(event)).count();
    let within = answered.values().filter(|wait| **wait <= 15.0).count();
    let talks = of("call.ended").filter(is_answered).map(|event| event["talk_s"].as_f64().unwrap());
    let at = |event: &Value| -> jiff::Timestamp { event["at"].as_str().unwrap().parse().unwrap() };
    let (mut now, mut wrap_ups) = (BTreeMap::<&str, &Value>::new(), vec![]);
    for event in of("agent.state") {
        let before = now.insert(event["agent"].as_str().unwrap(), event);
        if let Some(before) = before.filter(|before| before["state"] == "wrap_up") {
            wrap_ups.push(at(event).duration_since(at(before)).as_secs_f64());
        }
    }
    let who = |state: &str| now.values().filter(|event| event["state"] == state).count();
    let (offered, all) = (of("call.queued").count(), answered.len() + lost);
    json!({
        "waiting": offered - all,
        "offered": offered, "answered": answered.len(), "answered_within": within, "lost": lost,
        "connection_rate": ratio(answered.len(), all), "connection_rate_24h": ratio(answered.len(), all),
        "service_level": ratio(within, all), "timely_answer": ratio(within, answered.len()),
        "average_speed_of_answer": mean(answered.values().copied().collect()),
        "talk_time": mean(talks.collect()), "wrap_up_time": mean(wrap_ups),
        "idle": who("ready"), "talking": who("talking"), "wrap_up": who("wrap_up"),
        "signed_in": now.len() - who("logged_out"),
    })
}

/// The same of one group of the wallboard.
fn shown(group: &Value) -> Value {
    let mut shown = json!({ "waiting": group["waiting"] });
    for (part, keys) in [
        ("today", &["offered", "answered", "answered_within", "lost"][..]),
        ("agents", &["idle", "talking", "wrap_up", "signed_in"]),
    ] {
        keys.iter().for_each(|key| shown[*key] = group[part][*key].clone());
    }
    for figure in group["figures"].as_array().unwrap() {
        assert!(!figure["formula"].as_str().unwrap().is_empty(), "{figure}");
        shown[figure["id"].as_str().unwrap()] = figure["value"].clone();
    }
    shown
}

fn alike(a: &Value, b: &Value) -> bool {
    let close = |(a, b): (&Value, &Value)| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < 2e-6,
        (a, b) => a == b,
    };
    let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
    a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| close((a, b))))
}

#[test]
fn the_wallboard_equals_a_recount_of_the_events() {
    let mut server = started();
    let agree = |server: &Server, channels: u64, calls: usize| {
        let deadline = Instant::now() + SOON;
        loop {
            let events = get(server, "/v1/events?limit=1000")["events"].as_array().unwrap().clone();
            let counted = recounted(&events);
            let seen = get(server, "/v1/wallboard");
            let groups = [&seen["total"], &seen["skills"]["mandarin"]];
            let same = groups.iter().all(|group| alike(&shown(group), &counted));
            if same && seen["channels_in_use"] == channels && counted["offered"] == calls {
                return seen;
            }
            assert!(Instant::now() < deadline, "counted {counted:#}\nshown {seen:#}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let mut street = Street::new(&server.hotline);
    let lost = street.call();
    until("a caller who waits", || {
        street.run(Duration::from_millis(20));
        (get(&server, "/v1/queues")["queues"][0]["waiting"] == 1).then_some(())
    });
    agree(&server, 1, 1);
    street.field.at_call(lost, |c, now| c.hang_up(now));
    street.wait_ended(Who::Call(lost));
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    for _ in 0..2 {
        let call = street.call();
        street.wait_answered(Who::Phone(phone));
        street.field.at_call(call, |c, now| c.hang_up(now));
        street.wait_ended(Who::Phone(phone));
    }
    // One talks, one waits.
    street.call();
    street.wait_answered(Who::Phone(phone));
    street.call();
    street.run(Duration::from_millis(500));
    let now = agree(&server, 2, 5);
    assert_eq!(
        [&now["total"]["waiting"], &now["total"]["today"]["lost"], &now["total"]["agents"]["talking"]],
        [1, 1, 1].map(|n| json!(n)).each_ref(),
        "{now:#}"
    );
    assert!(now["total"]["longest_wait_s"].as_f64().unwrap() > 0.0);
    let trunk = now["trunks"].as_array().unwrap().iter().find(|trunk| trunk["name"] == "carrier").unwrap();
    assert_eq!((&trunk["channels_in_use"], &trunk["up"]), (&2.into(), &true.into()), "{trunk}");

    // Many screens at once have one answer.
    let many: BTreeSet<String> = std::thread::scope(|s| {
        let screens: Vec<_> =
            (0..10).map(|_| s.spawn(|| ask(&server, "GET /v1/wallboard", Some("wallboard")))).collect();
        screens.into_iter().map(|screen| screen.join().unwrap().body).collect()
    });
    assert!(many.len() <= 2, "computed again for each of ten screens: {many:#?}");

    // Nothing is forgotten when the process dies; the calls that were up are faults of ours.
    server.kill();
    server.start_again();
    let again = until("today's counts after a restart", || {
        let answer = ask(&server, "GET /v1/wallboard", Some("wallboard"));
        (answer.status == 200 && answer.json()["total"]["today"]["offered"] == 5).then(|| answer.json())
    });
    let today = &again["total"]["today"];
    assert_eq!(
        [&today["answered"], &today["abandoned"], &today["faults"], &again["total"]["waiting"]],
        [3, 1, 1, 0].map(|n| json!(n)).each_ref(),
        "{again:#}"
    );
}

/// Reads one server-sent event: its id and its JSON.
pub fn next_event(stream: &mut impl BufRead) -> (u64, Value) {
    let (mut id, mut data) = (None, None);
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).expect("the stream goes on") > 0, "the stream ended");
        match line.trim_end().split_once(": ") {
            Some(("id", number)) => id = Some(number.parse().unwrap()),
            Some(("data", json)) => data = Some(serde_json::from_str(json).unwrap()),
            _ if line.trim_end().is_empty() => {
                if let (Some(id), Some(data)) = (id, data.take()) {
                    return (id, data);
                }
            }
            _ => {}
        }
    }
}

pub fn stream(server: &Server, path: &str, more: &str) -> BufReader<TcpStream> {
    let more = format!("Authorization: Bearer token-shift_leader\r\nAccept: text/event-stream\r\n{more}");
    BufReader::new(connect(server, &format!("GET {path}"), &more))
}

#[test]
fn a_reader_that_was_away_misses_no_event_also_over_a_kill_9() {
    let mut server = started();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let mut events = stream(&server, "/v1/events?after_seq=0", "");
    let mut seen = vec![];
    while seen
        .last()
        .is_none_or(|(_, event): &(u64, Value)| event["type"] != "agent.state" || event["state"] != "ready")
    {
        seen.push(next_event(&mut events));
    }
    drop(events);
    // While nobody reads: a call, and the process dies in the middle of it.
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    until("the pickup in the log", || {
        street.run(Duration::from_millis(20));
        let all = get(&server, "/v1/events?limit=1000");
        let events = all["events"].as_array().unwrap();
        events.iter().any(|event| event["type"] == "call.answered").then_some(())
    });
    server.kill();
    server.start_again();
    street.field.at_call(call, |c, now| c.hang_up(now));

    let last = seen.last().unwrap().0;
    let mut events = stream(&server, "/v1/events", &format!("Last-Event-ID: {last}\r\n"));
    while seen.last().unwrap().1["type"] != "log.started" {
        seen.push(next_event(&mut events));
    }
    let numbers: Vec<u64> = seen.iter().map(|(id, _)| *id).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each event once, in order");
    assert!(seen.iter().all(|(id, event)| event["seq"] == *id));
    assert!(seen.iter().any(|(_, event)| event["type"] == "call.answered"));
    // The call that died with the process says so.
    let lost = until("the record of the lost call", || {
        let calls = get(&server, "/v1/calls");
        calls["calls"].get(0).filter(|call| !call["cause"].is_null()).cloned()
    });
    assert_eq!(lost["cause"], "process_died");
}

#[test]
fn a_websocket_gets_the_same_events() {
    let server = started();
    let upgrade = "Authorization: Bearer token-hotline_office\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut socket = BufReader::new(connect(&server, "GET /v1/events?after_seq=0", upgrade));
    let mut status = String::new();
    socket.read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 101"), "{status}");
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).unwrap();
    }
    // An unmasked text frame, RFC 6455 §5.2; the first events are short.
    let mut head = [0; 2];
    socket.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x81, "a whole text message");
    let length = match head[1] {
        126 => {
            let mut long = [0; 2];
            socket.read_exact(&mut long).unwrap();
            u16::from_be_bytes(long).into()
        }
        short => usize::from(short),
    };
    let mut text = vec![0; length];
    socket.read_exact(&mut text).unwrap();
    let event: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&event["seq"], &event["type"]), (&1.into(), &"log.started".into()));
    let page = get(&server, "/v1/events?limit=1");
    assert_eq!(page["events"][0], event);
}

#[test]
fn the_token_that_is_made_opens_what_its_role_may_ask() {
    let made = rexian().args(["token", "--name", "大屏", "--role", "wallboard"]).output().unwrap();
    assert!(made.status.success());
    let (token, said) = (String::from_utf8(made.stdout).unwrap(), String::from_utf8(made.stderr).unwrap());
    let lines = &said[said.find("[[http.tokens]]").expect("lines for the configuration")..];
    assert!(!lines.contains(token.trim()), "the configuration does not have the token itself");
    let server = Hotline { more: lines.to_owned(), ..Hotline::new() }.start();
    let open = |path| {
        let more = format!("Connection: close\r\nAuthorization: Bearer {}\r\n", token.trim());
        let mut answer = String::new();
        connect(&server, &format!("GET {path}"), &more).read_to_string(&mut answer).unwrap();
        answer[9..12].parse::<u16>().unwrap()
    };
    until("an answer", || (open("/v1/queues") == 200).then_some(()));
    assert_eq!(open("/v1/agents"), 403);
}
