//! Seats in browsers, over real sockets: what the agent, the caller and an attacker would notice.

mod chromium;
#[path = "../common/mod.rs"]
mod common;
mod desk;
mod hall;
mod hears;
mod network;
mod path;
mod seats;
#[allow(dead_code, reason = "each test binary uses its part")]
#[path = "../interop/sipp.rs"]
mod sipp;
mod tab;
mod trunk;

use chromium::Chromium;
use hall::{HOST, Hall};
use rexian::media::tone;
use rexian::media::webrtc::Refusal;
use rexian::plane::browser::{BrowserEvent, Lost};
use rexian::plane::{Codec, MediaCommand, MediaEvent, Source};
use std::net::SocketAddr;
use str0m::config::DtlsVersion;
use tab::{CHROMIUM, FIREFOX, Kind, Tab, outcome, socket};

const SEAT_NO: &str = "8001";

/// Is SIPp here? Where clients are required a missing one is a failure.
fn has_sipp() -> bool {
    let found = std::process::Command::new("sipp").arg("-v").stdout(std::process::Stdio::null()).status().is_ok();
    let required = ["CI", "REXIAN_REQUIRE_CLIENTS"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(found || !required, "no sipp on this machine");
    if !found {
        eprintln!("skipped: no sipp on this machine");
    }
    found
}

/// A call between a browser and the trunk, with both talking.
fn call(threads: usize, kind: Kind, trunk: Codec) -> Hall {
    let mut hall = Hall::new(threads, trunk);
    let tab = Tab::at(&hall.door, SEAT_NO, kind, 1_004.0);
    hall.tabs.push(tab);
    hall.await_up(SEAT_NO);
    hall.call(SEAT_NO);
    hall
}

#[test]
fn agent_and_caller_hear_each_other_whatever_browser_codec_and_thread() {
    let old = Kind { codecs: &[str0m::format::Codec::PCMU], dtls: DtlsVersion::Auto, ..CHROMIUM };
    for (threads, kind, trunk) in [(1, CHROMIUM, Codec::Pcma), (2, FIREFOX, Codec::Pcmu), (2, old, Codec::Pcma)] {
        let mut hall = call(threads, kind, trunk);
        hall.both_hear_each_other(1_004.0, 620.0);
        let stats = hall.close(hall.seat);
        assert_eq!((stats.lost, stats.refused), (0, 0));
        assert!(stats.received >= 25 && stats.sent >= 25, "{stats:?}");
    }
}

#[test]
fn keys_pass_both_ways_by_each_ends_own_numbers() {
    for kind in [CHROMIUM, FIREFOX] {
        let mut hall = call(1, kind, Codec::Pcma);
        hall.both_hear_each_other(1_004.0, 620.0);
        hall.tabs[0].key(5);
        hall.phone.key(11);
        let digit = |leg, digit| MediaEvent::Digit { leg, digit };
        hall.until("both keys", |hall| {
            hall.seen.contains(&digit(hall.seat, '5')) && hall.seen.contains(&digit(hall.trunk, '#'))
        });
        hall.until("the key at the phone", |hall| hall.phone.keys.contains(&(5, true)));
        hall.until("the key at the tab", |hall| hall.tabs[0].keys.contains(&(11, true)));
        assert_eq!(hall.seen.iter().filter(|e| matches!(e, MediaEvent::Digit { .. })).count(), 2, "each once");
    }
}

#[test]
fn an_ice_restart_loses_nothing() {
    let mut hall = call(1, CHROMIUM, Codec::Pcma);
    hall.both_hear_each_other(1_004.0, 620.0);
    let door = hall.door.clone();
    (hall.phone.numbers, hall.tabs[0].numbers) = (vec![], vec![]);
    hall.tabs[0].restart(&door, SEAT_NO, None);
    hall.run(50);
    let gaps = |numbers: &[u64]| numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    let at_phone: Vec<u64> =
        hall.phone.numbers.iter().map(|n| u64::from(n.wrapping_sub(hall.phone.numbers[0]))).collect();
    assert_eq!((gaps(&at_phone), gaps(&hall.tabs[0].numbers)), (0, 0));
    assert!(at_phone.len() >= 48 && hall.tabs[0].numbers.len() >= 48);
    // From another network: another address, and the old one is dead.
    hall.tabs[0].restart(&door, SEAT_NO, Some(socket()));
    hall.both_hear_each_other(1_004.0, 620.0);
    let ended = hall.seen.iter().any(|e| matches!(e, MediaEvent::Browser(BrowserEvent::Down { .. })));
    assert!(!ended, "the session is the same all the time");
}

/// The router between has started again, or the browser is on another network and does not know yet.
#[test]
fn another_port_of_the_browsers_router_costs_seconds() {
    let mut hall = call(1, CHROMIUM, Codec::Pcma);
    hall.both_hear_each_other(1_004.0, 620.0);
    hall.tabs[0].rebind();
    let began = std::time::Instant::now();
    hall.both_hear_each_other(1_004.0, 620.0);
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
    assert!(!hall.seen.iter().any(|e| matches!(e, MediaEvent::Browser(BrowserEvent::Down { .. }))));
}

#[test]
fn a_page_that_reloads_finds_its_call_again() {
    let mut hall = call(2, CHROMIUM, Codec::Pcma);
    hall.both_hear_each_other(1_004.0, 620.0);
    // The tab is gone without a word; its new page offers.
    hall.tabs.clear();
    hall.seen.clear();
    let tab = Tab::at(&hall.door, SEAT_NO, FIREFOX, 1_200.0);
    hall.tabs.push(tab);
    hall.await_down(SEAT_NO, Lost::Replaced);
    hall.await_up(SEAT_NO);
    hall.both_hear_each_other(1_200.0, 620.0);
    assert!(!hall.seen.iter().any(|e| matches!(e, MediaEvent::Closed { .. })), "the legs stay");
}

#[test]
fn call_after_call_uses_one_session() {
    let mut hall = call(2, CHROMIUM, Codec::Pcma);
    for _ in 0..3 {
        hall.both_hear_each_other(1_004.0, 620.0);
        hall.close(hall.seat);
        hall.close(hall.trunk);
        hall.seen.clear();
        hall.call(SEAT_NO);
    }
    let numbers = &hall.tabs[0].numbers;
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "one stream to the browser: {numbers:?}");
}

#[test]
fn between_calls_the_agent_hears_what_is_played() {
    let mut hall = Hall::new(1, Codec::Pcma);
    let leg = hall.seat;
    hall.plane.commands([
        MediaCommand::OpenBrowser { leg, seat: SEAT_NO.into(), expect_rtp_within: None, rtp_timeout: None },
        MediaCommand::SetSource { leg, source: Source::RingBack },
    ]);
    // The browser comes after the leg.
    let tab = Tab::at(&hall.door, SEAT_NO, CHROMIUM, 1_004.0);
    hall.tabs.push(tab);
    hall.await_up(SEAT_NO);
    hall.until("five seconds of ring-back", |hall| hall.tabs[0].heard.len() >= 5 * 8_000);
    let loud = hall.tabs[0].heard.chunks_exact(160).filter(|f| tone::is_present(f, 450.0)).count();
    assert!((45..=55).contains(&loud), "one second in five, not {loud} frames");
}

#[test]
fn a_tab_that_dies_is_missed_and_one_that_leaves_is_gone_at_once() {
    let mut hall = call(1, CHROMIUM, Codec::Pcma);
    hall.both_hear_each_other(1_004.0, 620.0);
    let asleep = hall.tabs.pop().unwrap();
    hall.seen.clear();
    hall.await_down(SEAT_NO, Lost::Silent);
    // The machine wakes and goes on where it was.
    hall.seen.clear();
    hall.tabs.push(asleep);
    hall.await_up(SEAT_NO);
    hall.both_hear_each_other(1_004.0, 620.0);
    hall.seen.clear();
    hall.tabs.pop().unwrap().leave();
    hall.await_down(SEAT_NO, Lost::Closed);
    let offer = Tab::load(CHROMIUM, 1.0).1;
    let refused = outcome(|reply| hall.door.reoffer(SEAT_NO.into(), &offer, reply));
    assert_eq!(refused.unwrap_err(), Refusal::NoSession);
}

#[test]
fn who_does_not_prove_itself_gets_not_a_single_datagram() {
    let mut hall = call(1, CHROMIUM, Codec::Pcma);
    for (what, spoil) in [("name", "a=ice-ufrag:"), ("password", "a=ice-pwd:")] {
        let (mut tab, offer, pending) = Tab::load(CHROMIUM, 1_300.0);
        let answer = tab::answer(|reply| hall.door.accept("8002".into(), &offer, reply));
        let spoiled = answer.replace(spoil, &format!("{spoil}0000"));
        assert_ne!(spoiled, answer);
        tab.answered(pending, &spoiled);
        for _ in 0..10 {
            tab.turn();
            hall.run(5);
        }
        tab.turn();
        assert_eq!((tab.got, tab.is_up), (0, false), "wrong {what}");
    }
    hall.both_hear_each_other(1_004.0, 620.0);
    let others = hall.seen.iter().any(|e| *e == MediaEvent::Browser(BrowserEvent::Up { seat: "8002".into() }));
    assert!(!others);
}

#[test]
fn hostile_packets_change_nothing() {
    let mut hall = Hall::new(1, Codec::Pcma);
    let (mut tab, offer, pending) = Tab::load(CHROMIUM, 1_004.0);
    let answer = tab::answer(|reply| hall.door.accept(SEAT_NO.into(), &offer, reply));
    tab.answered(pending, &answer);
    hall.tabs.push(tab);
    hall.await_up(SEAT_NO);
    hall.call(SEAT_NO);
    hall.both_hear_each_other(1_004.0, 620.0);

    let gateway = SocketAddr::new(HOST, hall.browser_port);
    let name = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap();
    let stranger = socket();
    let mut random = 12_345u64;
    let mut noise = |len: usize| -> Vec<u8> {
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    };
    for n in 0..200usize {
        let mut datagrams = vec![noise(n), check(name, &noise(12))];
        // As DTLS, as SRTP and as SRTCP of the browser's formats.
        for start in [&[22, 254, 253][..], &[23, 254, 253], &[0x80, 8], &[0x80, 126], &[0x80, 200], &[0x80, 203]] {
            datagrams.push([start, &noise(160)].concat());
        }
        for datagram in &datagrams {
            stranger.send_to(datagram, gateway).unwrap();
            // Even from the browser's own address, as a forger on the path would.
            hall.tabs[0].socket.send_to(datagram, gateway).unwrap();
        }
        if n % 20 == 0 {
            hall.run(2);
        }
    }
    hall.both_hear_each_other(1_004.0, 620.0);
    assert!(stranger.recv_from(&mut [0; 64]).is_err(), "the stranger was answered");
    assert!(!hall.seen.iter().any(|e| matches!(e, MediaEvent::Browser(BrowserEvent::Down { .. }))));
    let stats = hall.close(hall.seat);
    assert_eq!((stats.lost, stats.refused), (0, 0), "the leg never saw any of it");
}

// ---- Chromium ----

/// Fits a bin of the page's analyser well, and no multiple of the other end's.
const MICROPHONE: f32 = 1_000.0;

/// The page's measurements, and what the phone hears, agree on the two tones; `true` once each lasted half a second.
fn both_tones(hall: &mut Hall, chromium: &Chromium) -> bool {
    let right = chromium.heard().iter().rev().take_while(|(hz, db)| (hz - 620.0).abs() < 8.0 && *db > -40.0).count();
    let half = 4_000;
    let tail =
        hall.phone.heard.len().checked_sub(half).map(|from| tone::measure(&hall.phone.heard[from..], MICROPHONE));
    right >= 3 && tail.is_some_and(|reading| reading.share > 0.9 && reading.level_dbov > -30.0)
}

fn await_both_tones(hall: &mut Hall, chromium: &Chromium) {
    chromium.forget();
    hall.phone.heard.clear();
    hall.until("both tones", |hall| both_tones(hall, chromium));
}

#[test]
fn chromium_hears_the_trunk_and_is_heard_restarts_reloads_and_leaves() {
    let mut hall = Hall::new(1, Codec::Pcma);
    let Some(chromium) = Chromium::start(hall.door.clone(), SEAT_NO, MICROPHONE) else { return };
    hall.await_up(SEAT_NO);
    hall.call(SEAT_NO);
    await_both_tones(&mut hall, &chromium);

    let digit = MediaEvent::Digit { leg: hall.seat, digit: '7' };
    chromium.order("key 7");
    hall.until("a key", |hall| hall.seen.contains(&digit) && hall.phone.keys.contains(&(7, true)));

    hall.phone.numbers.clear();
    chromium.order("restart");
    hall.until("the page's second offer", |_| chromium.offers() == 2);
    await_both_tones(&mut hall, &chromium);
    let numbers = &hall.phone.numbers;
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "a restart loses nothing: {numbers:?}");
    assert!(!hall.seen.iter().any(|e| matches!(e, MediaEvent::Browser(BrowserEvent::Down { .. }))));

    // A paused track is no dead tab: its checks go on.
    chromium.order("pause");
    let silent_from = |hall: &Hall| hall.phone.numbers.len();
    hall.run(25);
    let before = silent_from(&hall);
    hall.run(100);
    assert!(silent_from(&hall) < before + 10, "nothing is sent while the track is away");
    chromium.order("resume");
    await_both_tones(&mut hall, &chromium);

    hall.seen.clear();
    chromium.order("reload");
    hall.await_up(SEAT_NO);
    await_both_tones(&mut hall, &chromium);
    assert!(!hall.seen.iter().any(|e| matches!(e, MediaEvent::Closed { .. })), "the call is the same");

    hall.seen.clear();
    chromium.order("close");
    hall.await_down(SEAT_NO, Lost::Closed);
}

/// A connectivity check for this name that nobody's password proves.
fn check(name: &str, transaction: &[u8]) -> Vec<u8> {
    let mut attributes = Vec::new();
    let mut put = |kind: u16, value: &[u8]| {
        attributes.extend(kind.to_be_bytes());
        attributes.extend((value.len() as u16).to_be_bytes());
        attributes.extend(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    put(0x0006, format!("{name}:theirs").as_bytes());
    put(0x0024, &[0x6E, 0, 1, 0xFF]);
    put(0x802A, &[7; 8]);
    put(0x0025, &[]);
    put(0x0008, &[0xAB; 20]);
    let mut datagram = vec![0, 1];
    datagram.extend((attributes.len() as u16).to_be_bytes());
    datagram.extend([0x21, 0x12, 0xA4, 0x42]);
    datagram.extend(transaction);
    datagram.extend(attributes);
    datagram
}
