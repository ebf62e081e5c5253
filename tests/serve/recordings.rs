//! Recordings of real calls through the program: who is left and right, who may listen, what a kill and a full disk leave.

use crate::api::{ask, hotline};
use crate::common::caller::{CALLER_TONE, SEAT_TONE, Street, answers};
use crate::common::chromium::Chromium;
use crate::common::{Hotline, SOON, Server, until};
use rexian::demo::field::Who;
use rexian::demo::records;
use rexian::media::tone;
use rexian::sim::ua::Plan;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const FOLDER: &str = "\n[recording]\ndirectory = \"recordings\"\n";

fn recording_hotline(more: &str) -> Hotline {
    let hotline = hotline();
    Hotline { more: hotline.more.clone() + FOLDER + more, storage: "events = \"events\"", ..hotline }
}

/// The only ticket's call, and its SHA-256s as the case store has them.
fn in_the_ticket(server: &Server, segments: usize) -> (String, Vec<String>) {
    until("the ticket's reference", || {
        let found = records::recorded(&server.cases()).ok()?;
        let [row] = &found[..] else { return None };
        let mut words = row.split(' ');
        let (call, at) = (words.next()?.to_owned(), words.next()?);
        assert_eq!(at, format!("/v1/recordings?call={call}"));
        let hashes: Vec<String> = words.map(str::to_owned).collect();
        (hashes.len() == segments).then_some((call, hashes))
    })
}

fn listed(server: &Server, call: &str) -> Vec<Value> {
    let answer = ask(server, &format!("GET /v1/recordings?call={call}"), Some("shift_leader"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["recordings"].as_array().unwrap().clone()
}

/// Status, head and octets.
fn listen(server: &Server, path: &str, role: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.hotline.http()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer token-{role}\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = vec![];
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    (head[9..12].parse().unwrap(), head, answer.split_off(end))
}

/// The caller is on the left and nowhere else, the agent on the right; after the time it takes to be connected.
fn both_sides_are_in_their_places(wav: &[u8], milliseconds: std::ops::Range<usize>) {
    assert_eq!((&wav[..4], &wav[8..16], &wav[20..24]), (&b"RIFF"[..], &b"WAVEfmt "[..], &[6, 0, 2, 0][..]));
    assert_eq!(u32::from_le_bytes(wav[4..8].try_into().unwrap()) as usize, wav.len() - 8);
    let at = wav.windows(4).position(|four| four == b"data").unwrap();
    let sound = &wav[at + 8..];
    assert_eq!(u32::from_le_bytes(wav[at + 4..at + 8].try_into().unwrap()) as usize, sound.len());
    assert!(milliseconds.contains(&(sound.len() / 16)), "{} ms", sound.len() / 16);
    for (side, there, not_there) in [(0, CALLER_TONE, SEAT_TONE), (1, SEAT_TONE, CALLER_TONE)] {
        let said: Vec<u8> = sound.chunks_exact(2).skip(8 * 300).map(|pair| pair[side]).collect();
        let (right, wrong) = (tone::measure(&said, there), tone::measure(&said, not_there));
        assert!(right.share > 0.5 && wrong.level_dbov < -50.0, "side {side}: {right:?}, and of the other {wrong:?}");
    }
}

fn sha256(octets: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(octets).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_call_with_a_hold_is_two_recordings_that_the_ticket_knows_and_those_hear_who_may() {
    let server = recording_hotline("").start();
    let mut street = Street::new(&server.hotline);
    let hold = Some((Duration::from_millis(1_500), Duration::from_millis(600)));
    let phone = street.sign_in(server.hotline.seat_address(1), 1, Plan { hold, ..answers() });
    let caller = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(3_600));
    street.field.at_call(caller, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    let (call, hashes) = in_the_ticket(&server, 2);
    let recordings = listed(&server, &call);
    assert_eq!(recordings.len(), 2, "{recordings:?}");
    for (n, (recording, hash)) in recordings.iter().zip(&hashes).enumerate() {
        assert_eq!((recording["sha256"].as_str(), &recording["complete"]), (Some(&**hash), &Value::Bool(true)));
        let (status, head, wav) = listen(&server, recording["audio"].as_str().unwrap(), "hotline_office", "");
        assert!(status == 200 && head.contains("content-type: audio/wav") && head.contains("no-store"), "{head}");
        assert_eq!(sha256(&wav), *hash, "segment {}", n + 1);
        both_sides_are_in_their_places(&wav, 1_000..2_200);
    }
    // As a player seeks.
    let audio = recordings[0]["audio"].as_str().unwrap();
    let (_, _, whole) = listen(&server, audio, "shift_leader", "");
    let (status, head, part) = listen(&server, audio, "shift_leader", "Range: bytes=104-903\r\n");
    assert_eq!((status, &part[..]), (206, &whole[104..904]));
    assert!(head.contains(&format!("content-range: bytes 104-903/{}", whole.len())), "{head}");
    assert_eq!(listen(&server, audio, "shift_leader", "Range: bytes=99999999-\r\n").0, 416);
    let (status, _, body) = listen(&server, audio, "operator", "");
    assert_eq!((status, body.starts_with(b"RIFF")), (403, false));
    for (path, status) in [("/v1/recordings/x/audio", 400), ("/v1/recordings/0000000000000abc-001/audio", 404)] {
        assert_eq!(listen(&server, path, "shift_leader", "").0, status, "{path}");
    }
    // Each time is written down, with who it was.
    let ticket = ask(&server, "GET /v1/tickets", Some("hotline_office")).json()["tickets"][0]["ticket_no"].clone();
    let audit = ask(&server, &format!("GET /v1/tickets/{}/audit", ticket.as_str().unwrap()), Some("hotline_office"));
    let readings = audit.json()["readings"].as_array().unwrap().clone();
    let whose: Vec<&str> = readings.iter().map(|reading| reading["by"]["role"].as_str().unwrap()).collect();
    assert_eq!(whose, ["hotline_office", "hotline_office", "shift_leader", "shift_leader"], "{readings:?}");
    assert!(readings[3]["reason"].as_str().unwrap().contains("octets 104 to 903"), "{readings:?}");
    let events = ask(&server, &format!("GET /v1/calls/{call}/events"), Some("shift_leader")).body;
    assert_eq!(events.matches("call.recorded").count(), 2, "{events}");
    let metrics = server.metrics().by("rexian_recordings_total", "outcome");
    assert_eq!((metrics["complete"], metrics["incomplete"], metrics["failed"]), (2, 0, 0));
}

#[test]
fn a_kill_in_the_middle_leaves_a_file_that_plays() {
    let mut server = recording_hotline("").start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(3_000));
    server.kill();
    server.start_again();
    let (call, hashes) = in_the_ticket(&server, 1);
    let recordings = listed(&server, &call);
    assert_eq!(recordings[0]["complete"], Value::Bool(false));
    let (_, _, wav) = listen(&server, recordings[0]["audio"].as_str().unwrap(), "shift_leader", "");
    assert_eq!([sha256(&wav)], hashes[..]);
    // Three seconds, but for the last one.
    both_sides_are_in_their_places(&wav, 1_950..3_200);
}

#[test]
fn a_full_disk_costs_the_recording_and_nothing_of_the_call() {
    // No disk has so much left.
    let server = recording_hotline("free_space_mb = 100000000\n").start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let caller = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(2_000));
    let heard = street.field.heard_by_call(caller).packets;
    assert!(heard.received > 80 && heard.lost == 0, "{heard:?}");
    until("the metric", || Some(server.metrics()).filter(|m| m.sum("rexian_recording_up") == 0));
    let health = ask(&server, "GET /healthz", None);
    assert!(health.status == 200 && health.body.contains("not recorded"), "{}", health.body);
    street.field.at_call(caller, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    let metrics = until("the metric", || Some(server.metrics()).filter(|m| m.sum("rexian_recordings_total") > 0));
    assert_eq!(metrics.by("rexian_recordings_total", "outcome")["failed"], 1);
    assert!(server.log().contains("conversations are not recorded"));
    assert_eq!(until("the ticket", || server.tickets().first().cloned()), street.field.sip_call_id(caller));
}

/// How loud a frequency is in one channel of what the browser makes of the file, in dBov; from 300 ms on.
const LEVEL: &str = "(x, hz) => {
    const c = 2 * Math.cos(2 * Math.PI * hz / 8000);
    let [a, b, n] = [0, 0, 0];
    for (const y of x.subarray(2400)) { [a, b] = [y + c * a - b, a]; n += 1; }
    return 10 * Math.log10(Math.max(1e-12, 2 * (a * a + b * b - c * a * b) / (n * n)));
}";

#[test]
fn a_shift_leader_hears_it_in_the_browser_and_an_agent_does_not() {
    let Some(mut browser) = Chromium::start(None) else { return };
    let hash = rexian::pages::password::hash("Zeugnis-77-lang", &[7; 16]).unwrap();
    let leader = format!(
        "\n[[agents]]\nnumber = \"6699\"\nskills = {{ mandarin = 5 }}\nleader = true\npassword_hash = {hash:?}\n"
    );
    let server = Hotline { pages: true, ..recording_hotline(&leader) }.start();
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let caller = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(3_000));
    street.field.at_call(caller, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    let (call, _) = in_the_ticket(&server, 1);
    browser.open(&format!("http://{}/", server.hotline.pages()));
    browser.until("the page", "document.querySelector('#agent')", || {});
    let sign_in = |browser: &mut Chromium, agent: &str, password: &str| {
        let body = serde_json::json!({ "agent": agent, "password": password }).to_string();
        let kind = "headers: { 'Content-Type': 'application/json' }";
        browser.read(&format!("fetch('/session', {{ method: 'POST', {kind}, body: {body:?} }}).then(r => r.status)"))
    };
    assert_eq!(sign_in(&mut browser, "6601", &crate::common::password(1_usize)), 200);
    assert_eq!(browser.read(&format!("fetch('/v1/recordings?call={call}').then(r => r.status)")), 403);
    assert_eq!(sign_in(&mut browser, "6699", "Zeugnis-77-lang"), 200);
    let heard = browser.read(&format!(
        "(async () => {{
            const {{ recordings: [one] }} = await (await fetch('/v1/recordings?call={call}')).json();
            const audio = new Audio(one.audio);
            const event = name => new Promise((good, bad) => {{
                audio.addEventListener(name, good, {{ once: true }});
                audio.addEventListener('error', () => bad(audio.error.message), {{ once: true }});
            }});
            await event('canplaythrough');
            const sought = event('seeked');
            audio.currentTime = 2;
            await sought;
            const octets = await (await fetch(one.audio)).arrayBuffer();
            const sound = await new OfflineAudioContext(2, 8000, 8000).decodeAudioData(octets);
            const level = {LEVEL};
            const sides = [0, 1].map(n => [{CALLER_TONE}, {SEAT_TONE}].map(hz => level(sound.getChannelData(n), hz)));
            return [audio.duration, audio.currentTime, one.seconds, ...sides.flat()];
        }})()"
    ));
    let [length, at, told, left, not_left, not_right, right] =
        [0, 1, 2, 3, 4, 5, 6].map(|n| heard[n].as_f64().unwrap_or_else(|| panic!("{heard}")));
    assert!((length - told).abs() < 0.01 && at == 2.0, "{heard}");
    assert!(left > -40.0 && right > -40.0 && not_left < -50.0 && not_right < -50.0, "{heard}");
}
