//! Webhooks as the far end sees them: every event, signed, in order, however often it was away; and what it refuses.

use super::api::{ask, hotline};
use crate::common::caller::{Street, answers};
use crate::common::{Hotline, Server, until};
use rexian::demo::field::Who;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SECRET: &str = "shared secret of this test";

/// What came: the signature, and the body.
struct Post {
    signature: String,
    body: String,
}

impl Post {
    fn events(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["webhook"], "cases");
        body["events"].as_array().unwrap().clone()
    }
}

/// A far end that answers each POST as `answer` says of its events.
fn far_end(listener: TcpListener, answer: impl Fn(&Post) -> u16 + Send + 'static) -> Receiver<(u16, Post)> {
    let (tell, posts) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            // One connection may bring several.
            loop {
                let (mut length, mut signature, mut line) = (None, String::new(), String::new());
                while stream.read_line(&mut line).unwrap_or(0) > 2 {
                    match line.trim_end().to_lowercase().split_once(": ") {
                        Some(("content-length", value)) => length = value.parse().ok(),
                        Some(("x-rexian-signature", value)) => signature = value.to_owned(),
                        _ => {}
                    }
                    line.clear();
                }
                let Some(length) = length else { break };
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let post = Post { signature, body: String::from_utf8(body).unwrap() };
                let status = answer(&post);
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                if stream.get_mut().write_all(head.as_bytes()).is_err() || tell.send((status, post)).is_err() {
                    break;
                }
            }
        }
    });
    posts
}

fn server(port: u16, events: &str) -> Server {
    server_of("calls", port, events)
}

fn server_of(log: &str, port: u16, events: &str) -> Server {
    let hook = format!(
        "\n[[webhooks]]\nname = \"cases\"\nurl = \"http://127.0.0.1:{port}/hook\"\npassword = {SECRET:?}\nlog = {log:?}\nevents = {events}\n"
    );
    let with_tokens = hotline();
    Hotline { more: with_tokens.more.clone() + &hook, ..with_tokens }.start()
}

fn standing(server: &Server) -> Value {
    let answer = ask(server, "GET /v1/webhooks", Some("platform_engineer"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["webhooks"][0].clone()
}

pub fn one_call(server: &Server) {
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(100));
    street.field.at_call(call, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
}

#[test]
fn a_far_end_that_was_away_is_told_everything_in_order_and_can_check_who_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Away: nobody listens on the port.
    drop(listener);
    let mut server = server(port, "[]");
    until("the hook's place in the log", || (standing(&server)["seq"].as_u64()? > 0).then_some(()));
    let begins = standing(&server)["seq"].as_u64().unwrap();
    one_call(&server);
    let trouble = until("the trouble told", || standing(&server)["trouble"].as_str().map(str::to_owned));
    assert!(!trouble.contains(SECRET));
    until("the end of the call in the log", || {
        let page = ask(&server, "GET /v1/events?limit=1000", Some("shift_leader")).json();
        page["events"].as_array()?.iter().any(|event| event["type"] == "call.ended").then_some(())
    });
    // It was away all the time, over a death of the gateway too.
    server.kill();
    server.start_again();
    let posts = far_end(TcpListener::bind(("127.0.0.1", port)).unwrap(), |_| 200);
    let mut seen: Vec<u64> = vec![];
    let mut kinds = BTreeSet::new();
    while !kinds.contains("call.ended") || !kinds.contains("log.started") {
        let (_, post) = posts.recv_timeout(crate::common::SOON).expect("a delivery");
        for event in post.events() {
            seen.push(event["seq"].as_u64().unwrap());
            kinds.insert(event["type"].as_str().unwrap().to_owned());
        }
        assert_eq!(post.signature.split(',').next_back().unwrap(), independently_signed(&post));
    }
    let distinct: BTreeSet<u64> = seen.iter().copied().collect();
    assert_eq!(distinct.into_iter().collect::<Vec<_>>(), (begins + 1..=*seen.last().unwrap()).collect::<Vec<_>>());
    assert!(seen.is_sorted(), "in order: {seen:?}");
}

/// With a program that knows nothing of ours.
fn independently_signed(post: &Post) -> String {
    let seconds = post.signature.strip_prefix("t=").unwrap().split(',').next().unwrap();
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl");
    write!(openssl.stdin.take().unwrap(), "{seconds}.{}", post.body).unwrap();
    let said = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    format!("v1={}", said.split_whitespace().next_back().unwrap())
}

#[test]
fn an_event_that_is_refused_is_set_aside_holds_up_no_other_and_can_be_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let refuses = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let refusing = refuses.clone();
    let posts = far_end(listener, move |post| {
        let refuse = refusing.load(std::sync::atomic::Ordering::Relaxed);
        if refuse && post.events().iter().any(|event| event["type"] == "call.answered") { 422 } else { 200 }
    });
    let server = server(port, "[\"call.*\"]");
    until("the hook's place in the log", || (standing(&server)["seq"].as_u64()? > 0).then_some(()));
    one_call(&server);
    let mut taken = vec![];
    while !taken.iter().any(|event: &Value| event["type"] == "call.ended") {
        let (status, post) = posts.recv_timeout(Duration::from_secs(60)).expect("a delivery");
        taken.extend(post.events().into_iter().filter(|_| status == 200));
    }
    assert!(taken.iter().all(|event| event["type"].as_str().unwrap().starts_with("call.")), "only what was asked for");
    assert!(taken.iter().all(|event| event["type"] != "call.answered"));
    let letters = ask(&server, "GET /v1/webhooks/cases/dead-letters", Some("hotline_office")).json();
    let letter = &letters["dead_letters"][0];
    assert_eq!((&letter["event"]["type"], &letters["dead_letters"][1]), (&"call.answered".into(), &Value::Null));
    assert!(letter["why"].as_str().unwrap().contains("422"), "{letter}");
    assert_eq!(standing(&server)["dead_letters"], 1);

    refuses.store(false, std::sync::atomic::Ordering::Relaxed);
    let retry = format!("POST /v1/webhooks/cases/dead-letters/{}/retry", letter["seq"]);
    assert_eq!(ask(&server, &retry, Some("platform_engineer")).status, 200);
    until("the letter", || posts.try_recv().ok().filter(|(_, post)| post.events()[0] == letter["event"]));
    until("no more dead letters", || (standing(&server)["dead_letters"] == 0).then_some(()));
    assert_eq!(ask(&server, &retry, Some("platform_engineer")).status, 404);
}

#[test]
fn a_far_end_is_told_of_tickets_and_how_it_fares_is_measured() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let posts = far_end(listener, |post| if post.body.contains("ticket.accepted") { 422 } else { 200 });
    let server = server_of("tickets", port, "[\"ticket.received\", \"ticket.accepted\", \"ticket.missed\"]");
    until("the hook", || (standing(&server)["log"] == "tickets").then_some(()));
    let no = super::tickets::accepted(&server);
    // Both may come together, and are refused together first.
    let taken = |(status, post): (u16, Post)| Some(post).filter(|_| status == 200);
    let post = until("a delivery", || taken(posts.recv_timeout(crate::common::SOON).expect("a delivery")));
    let body: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!((&body["log"], &post.events()[0]["ticket_no"]), (&"tickets".into(), &no.as_str().into()));
    assert_eq!(post.events()[0]["type"], "ticket.received", "of the three types that it wants");
    let text = |server: &Server| rexian::demo::records::get(server.hotline.http(), "/metrics").expect("/metrics").1;
    // Refused by itself five times, with pauses between.
    let deadline = std::time::Instant::now() + Duration::from_secs(90);
    while standing(&server)["dead_letters"] == 0 {
        assert!(std::time::Instant::now() < deadline, "no dead letter");
        std::thread::sleep(Duration::from_millis(200));
    }
    let letters = ask(&server, "GET /v1/webhooks/cases/dead-letters", Some("hotline_office")).json();
    assert_eq!(letters["dead_letters"][0]["event"]["type"], "ticket.accepted", "{letters}");
    for line in [
        "rexian_webhook_events_delivered_total{webhook=\"cases\"}",
        "rexian_webhook_dead_letters{webhook=\"cases\"} 1",
        "rexian_webhook_lag_seconds{webhook=\"cases\"} 0",
        "rexian_webhook_up{webhook=\"cases\"} 1",
    ] {
        until(line, || text(&server).lines().any(|l| l.starts_with(line)).then_some(()));
    }
}
