//! The pages as a browser meets them: who gets in, what a screen is told, what an order does. Without a browser.

use crate::common::caller::{Street, answers};
use crate::common::pki::Pki;
use crate::common::{Hotline, SOON, Server, password, until};
use rexian::demo::field::Who;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

fn started() -> Server {
    Hotline { pages: true, ..Hotline::new() }.start()
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One request of a page of ours, or of `origin`'s.
pub fn ask(server: &Server, request: &str, origin: Option<&str>, cookie: Option<&str>, body: &str) -> Answer {
    let mut stream = connect(server);
    let host = server.hotline.pages();
    let origin = origin.map_or(String::new(), |origin| format!("Origin: {origin}\r\n"));
    let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{origin}{cookie}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.hotline.pages()).expect("connecting");
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

pub fn ours(server: &Server) -> String {
    format!("http://{}", server.hotline.pages())
}

pub fn sign_in(server: &Server, agent: &str, password: &str) -> Answer {
    let body = json!({ "agent": agent, "password": password }).to_string();
    ask(server, "POST /session", Some(&ours(server)), None, &body)
}

/// The cookie of agent 6601.
fn signed_in(server: &Server) -> String {
    cookie(server, "6601", &password(1_usize))
}

pub fn cookie(server: &Server, agent: &str, password: &str) -> String {
    let answer = sign_in(server, agent, password);
    assert_eq!(answer.status, 200, "{}{}", answer.head, answer.body);
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

/// A page's WebSocket (RFC 6455), as little of it as is needed here.
/// With the newest screen that came before an answer that was waited for.
struct Socket(TcpStream, Option<Value>);

impl Socket {
    fn open(server: &Server, origin: &str, cookie: Option<&str>) -> Result<Socket, u16> {
        let mut stream = connect(server);
        let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
        write!(
            stream,
            "GET /live HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\n{cookie}Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            server.hotline.pages()
        )
        .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let status: u16 = String::from_utf8_lossy(&head)[9..12].parse().unwrap();
        if status == 101 { Ok(Socket(stream, None)) } else { Err(status) }
    }

    fn say(&mut self, order: &Value) {
        let text = order.to_string().into_bytes();
        assert!(text.len() < 126);
        // Masked with zeros: allowed, if unwise for a browser.
        let frame = [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0][..], &text].concat();
        self.0.write_all(&frame).expect("sending");
    }

    /// The next text; `None`: closed.
    fn hears(&mut self) -> Option<Value> {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).ok()?;
            let length = match head[1] {
                126 => {
                    let mut long = [0; 2];
                    self.0.read_exact(&mut long).ok()?;
                    u16::from_be_bytes(long).into()
                }
                short => usize::from(short),
            };
            let mut text = vec![0; length];
            self.0.read_exact(&mut text).ok()?;
            match head[0] {
                0x81 => return Some(serde_json::from_slice(&text).expect("JSON")),
                0x89 => {}
                _ => return None,
            }
        }
    }

    /// The first screen that is as wanted.
    fn screen(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + SOON;
        while Instant::now() < deadline {
            let heard = self.1.take().or_else(|| self.hears()).expect("an open socket");
            if wanted(&heard["screen"]) && heard["screen"].is_object() {
                return heard["screen"].clone();
            }
        }
        panic!("no screen with {what}");
    }

    /// What is answered to this order: `None` is done.
    fn order(&mut self, id: u64, mut order: Value) -> Option<String> {
        order["id"] = id.into();
        self.say(&order);
        loop {
            let heard = self.hears().expect("an open socket");
            if heard["answer"] == id {
                return heard["unable"].as_str().map(str::to_owned);
            }
            if heard["screen"].is_object() {
                self.1 = Some(heard);
            }
        }
    }
}

#[test]
fn only_the_right_password_opens_a_session_and_guessing_is_slow() {
    let server = started();
    let good = signed_in(&server);
    let who = ask(&server, "GET /session", None, Some(&good), "");
    let who: Value = serde_json::from_str(&who.body).unwrap();
    assert_eq!(who, json!({ "agent": "6601", "leader": false, "seats": ["8001", "8002"] }));
    assert_eq!(ask(&server, "GET /session", None, None, "").status, 401);
    assert_eq!(ask(&server, "GET /session", None, Some("rexian=guessed"), "").status, 401);
    for (agent, password) in [("6601", "wrong"), ("6699", "wrong"), ("", ""), ("6602", &*password(1_usize))] {
        let answer = sign_in(&server, agent, password);
        assert_eq!((answer.status, answer.body.as_str()), (401, r#"{"error":"wrong_password"}"#), "{agent}");
    }
    let slowed = sign_in(&server, "6601", &password(1_usize));
    assert_eq!(slowed.status, 429, "{}", slowed.body);
    assert!(slowed.head.contains("retry-after:"), "{}", slowed.head);
    let log = server.log();
    assert!(log.contains("wrong agent number or password on a page") && !log.contains(&password(1_usize)), "{log}");
    assert_eq!(ask(&server, "DELETE /session", Some(&ours(&server)), Some(&good), "").status, 204);
    assert_eq!(ask(&server, "GET /session", None, Some(&good), "").status, 401);
}

#[test]
fn another_sites_page_changes_nothing_and_hears_nothing() {
    let server = started();
    let cookie = signed_in(&server);
    let body = json!({ "agent": "6601", "password": password(1_usize) }).to_string();
    for origin in [None, Some("http://evil.example"), Some("null")] {
        assert_eq!(ask(&server, "POST /session", origin, None, &body).status, 403, "{origin:?}");
        assert_eq!(ask(&server, "DELETE /session", origin, Some(&cookie), "").status, 403, "{origin:?}");
    }
    assert_eq!(Socket::open(&server, "http://evil.example", Some(&cookie)).err(), Some(403));
    assert_eq!(Socket::open(&server, &ours(&server), None).err(), Some(401));
    let page = ask(&server, "GET /", None, None, "");
    let policy = page.head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).expect("a policy");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    // What is too large is not read.
    let huge = format!(r#"{{"agent":"{}","password":""}}"#, "6".repeat(100_000));
    assert_eq!(ask(&server, "POST /session", Some(&ours(&server)), None, &huge).status, 413);
}

#[test]
fn a_call_is_on_the_agents_screen_from_the_ring_to_the_hang_up_by_the_page() {
    let server = started();
    let cookie = signed_in(&server);
    let mut page = Socket::open(&server, &ours(&server), Some(&cookie)).expect("a live screen");
    let first = page.screen("a state", |_| true);
    assert_eq!((&first["agent"], &first["state"]), (&"6601".into(), &"logged_out".into()));
    assert_eq!(page.order(1, json!({ "order": "ready" })).as_deref(), Some("not_signed_in"));
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    page.screen("readiness by the phone's code", |screen| screen["state"] == "ready");
    assert_eq!(page.order(2, json!({ "order": "not_ready", "reason": "break" })), None);
    page.screen("the break", |screen| screen["reason"] == "break" && screen["reachable"] == true);
    assert_eq!(page.order(3, json!({ "order": "not_ready", "reason": "forced" })).as_deref(), Some("unknown_reason"));
    assert_eq!(page.order(4, json!({ "order": "ready" })), None);
    let caller = street.call();
    street.wait_answered(Who::Phone(phone));
    let talks = page.screen("the talk", |screen| screen["call"]["stage"] == "talking");
    assert_eq!((&talks["state"], &talks["call"]["queue"]), (&"talking".into(), &"mandarin".into()));
    let call = talks["call"]["call"].as_str().expect("a call id as text");
    assert!(call.len() == 16 && call.bytes().all(|b| b.is_ascii_hexdigit()), "{call}");
    assert!(talks["call"]["caller"].is_string() && talks["call"]["asked"].is_u64(), "{talks}");
    assert_eq!(page.order(5, json!({ "order": "hang_up" })), None);
    street.wait_ended(Who::Phone(phone));
    street.wait_ended(Who::Call(caller));
    page.screen("the end", |screen| screen["call"].is_null() && screen["state"] == "ready");
    until("the one ticket", || (server.tickets().len() == 1).then_some(()));
    // The session's end is the screen's.
    assert_eq!(ask(&server, "DELETE /session", Some(&ours(&server)), Some(&cookie), "").status, 204);
    while page.hears().is_some() {}
}

#[test]
fn whoever_is_signed_in_works_on_the_ticket_of_the_call_and_nobody_else_does() {
    let server = started();
    let cookie = signed_in(&server);
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let caller = street.call();
    street.wait_answered(Who::Phone(phone));
    street.field.at_phone(phone, |p, now| p.hang_up(now));
    street.wait_ended(Who::Call(caller));
    let list = "GET /v1/tickets?agent=6601&limit=5";
    let ticket = until("the ticket", || {
        let answer = ask(&server, list, None, Some(&cookie), "");
        let page: Value = serde_json::from_str(&answer.body).ok()?;
        page["tickets"].get(0).cloned()
    });
    assert!(ticket["may"].as_array().unwrap().contains(&"fill_in".into()), "{ticket}");
    assert_eq!(ask(&server, list, None, None, "").status, 401);
    let fill = format!("POST /v1/tickets/{}/fill-in", ticket["ticket_no"].as_str().unwrap());
    let body = json!({ "title": "路灯不亮", "kind": "request" }).to_string();
    assert_eq!(ask(&server, &fill, Some("http://evil.example"), Some(&cookie), &body).status, 403);
    assert_eq!(ask(&server, &fill, Some(&ours(&server)), Some(&cookie), &body).status, 400, "no such kind");
    let body = json!({ "title": "路灯不亮", "kind": "help" }).to_string();
    let done = ask(&server, &fill, Some(&ours(&server)), Some(&cookie), &body);
    assert_eq!(done.status, 200, "{}", done.body);
    let one = format!("GET /v1/tickets/{}/history", ticket["ticket_no"].as_str().unwrap());
    let history = ask(&server, &one, None, Some(&cookie), "");
    let history: Value = serde_json::from_str(&history.body).unwrap();
    let by: Vec<&Value> = history["history"].as_array().unwrap().iter().map(|step| &step["by"]["name"]).collect();
    assert!(by.contains(&&json!("6601")), "{history}");
    // What is not for operators is not for their pages.
    assert_eq!(ask(&server, "GET /v1/events", None, Some(&cookie), "").status, 403);
}

#[test]
fn what_no_page_says_ends_its_line_and_nothing_else() {
    let server = started();
    let cookie = signed_in(&server);
    for said in [json!({ "order": "rule", "id": 1 }), json!([1, 2]), json!({ "id": 1 })] {
        let mut page = Socket::open(&server, &ours(&server), Some(&cookie)).expect("a live screen");
        page.say(&said);
        while page.hears().is_some() {}
    }
    let mut page = Socket::open(&server, &ours(&server), Some(&cookie)).expect("a live screen");
    // A frame longer than any order.
    let _ = page.0.write_all(&[0x81, 0xFF, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
    while page.hears().is_some() {}
    let mut page = Socket::open(&server, &ours(&server), Some(&cookie)).expect("still served");
    page.screen("a state", |_| true);
}

#[test]
fn by_tls_the_cookie_is_for_tls_only() {
    let pki = Pki::new();
    let ca = pki.ca.clone();
    let server = Hotline { pages: true, tls: Some(pki), ..Hotline::new() }.start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), ca).unwrap();
    let url = format!("https://{}/session", server.hotline.pages());
    let body = json!({ "agent": "6601", "password": password(1_usize) }).to_string();
    let origin = format!("Origin: https://{}", server.hotline.pages());
    let asked = std::process::Command::new("curl")
        .args(["-si", "--max-time", "20", "--cacert"])
        .arg(folder.path().join("ca.pem"))
        .args(["-H", &origin, "-H", "Content-Type: application/json", "-d", &body, &url])
        .output()
        .expect("curl");
    let answer = String::from_utf8_lossy(&asked.stdout);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}{}", String::from_utf8_lossy(&asked.stderr));
    assert!(answer.contains("set-cookie: __Host-rexian=") && answer.contains("; Secure"), "{answer}");
}

#[test]
fn the_wallboards_link_needs_nobody_signed_in_and_opens_nothing_else() {
    let server = Hotline { pages: true, ..crate::api::hotline() }.start();
    let get = |path: &str, token: &str| {
        let mut stream = connect(&server);
        let host = server.hotline.pages();
        let token = format!("Authorization: Bearer {token}\r\nSec-Fetch-Site: same-origin\r\n");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{token}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        (answer[9..12].parse::<u16>().unwrap(), answer)
    };
    until("the wallboard", || (get("/v1/wallboard", "token-wallboard").0 == 200).then_some(()));
    let (_, shown) = get("/v1/wallboard", "token-wallboard");
    assert!(shown.contains(r#""connection_rate_24h""#), "{shown}");
    assert_eq!(get("/v1/wallboard", "another").0, 401);
    assert_eq!(get("/v1/wallboard", "token-clerk").0, 403);
    assert_eq!(get("/v1/calls", "token-wallboard").0, 403, "what is on screen is all it opens");
}

#[test]
fn the_floor_is_shown_to_leaders_and_to_nobody_else() {
    let hash = rexian::pages::password::hash("of the leader", &[9; 16]).unwrap();
    let leader = "[[agents]]\nnumber = \"6650\"\nskills = { mandarin = 1 }\nleader = true\n";
    let more = format!("\n{leader}password_hash = {hash:?}\n");
    let server = Hotline { pages: true, more, ..Hotline::new() }.start();
    let agent = signed_in(&server);
    let mut page = Socket::open(&server, &ours(&server), Some(&agent)).expect("a live screen");
    for (id, order) in ["watch_floor", "listen_only", "barge", "end_listening"].into_iter().enumerate() {
        assert_eq!(page.order(id as u64, json!({ "order": order })).as_deref(), Some("not_leader"), "{order}");
    }
    let force = json!({ "order": "force", "agent": "6601", "to": "logged_out", "why": "lunch" });
    assert_eq!(page.order(9, force.clone()).as_deref(), Some("not_leader"));
    assert_eq!(page.order(10, json!({ "order": "consult", "to": "8001" })).as_deref(), Some("no_call"));
    page.order(11, json!({ "order": "sign_in", "seat": "8001" }));
    let answer = sign_in(&server, "6650", "of the leader");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie").to_owned();
    let cookie = cookie.split(';').next();
    let mut console = Socket::open(&server, &ours(&server), cookie).expect("a live screen");
    assert_eq!(console.order(1, json!({ "order": "watch_floor" })), None);
    let mut state = |wanted: &str| {
        until(wanted, || {
            let heard = console.hears().expect("an open socket");
            let agents = heard["floor"]["agents"].as_array()?;
            let one = agents.iter().find(|one| one["agent"] == "6601").expect("everybody of the roster");
            assert!(one["skills"][0]["skill"] == "mandarin" && heard["now"].is_u64(), "{heard}");
            (one["state"] == wanted).then_some(())
        });
    };
    state("not_ready");
    let mut other = Socket::open(&server, &ours(&server), cookie).expect("a second window");
    assert_eq!(other.order(2, force), None);
    state("logged_out");
    let unknown = json!({ "order": "force", "agent": "6601", "to": "heaven" });
    assert_eq!(other.order(3, unknown).as_deref(), Some("unknown_state"));
}
