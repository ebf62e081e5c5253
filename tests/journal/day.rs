//! A day of a small hotline in virtual time, as its event log.
#![allow(dead_code, reason = "each test and bench uses its part")]

use rexian::config::settings::{
    AnswerMode, Cidr, CoreSettings, Profile as Peer, QueueSettings, Reliable, TrunkSettings,
};
use rexian::sim::forecast::{DAY, Demand, Language, Patience, Post, Profile, Scene, Spread, Told, WrapUp, run_told};
use rexian::store::journal::{Entry, write_all};
use rexian::time::Instant;
use std::path::Path;
use std::time::Duration;

/// 2026-11-22 00:00 in China.
pub const MIDNIGHT: Instant = Instant::from_unix_secs(1_795_276_800);

/// Too many calls for the seats, so that every kind of loss is there; a few ring until midnight and talk beyond it.
pub fn scene(calls: u32, seats: usize) -> Scene {
    let queue = |name: &str, number: &str, most: u32| QueueSettings {
        numbers: [number.to_string()].into(),
        max_waiting: most,
        max_wait: Some(Duration::from_secs(240)),
        ring_timeout: Duration::from_secs(8),
        announce_agent: false,
        ..QueueSettings::new(name, "mandarin")
    };
    let peer = Peer { answer: AnswerMode::OnPickup, reliable: Reliable::Never, ..Peer::new("plain") };
    let network = Cidr { address: [10, 1, 0, 2].into(), prefix: 24 };
    let trunk = TrunkSettings { max_calls: 10_000, ..TrunkSettings::new("carrier", vec![network], peer) };
    let queues = vec![queue("citizens", "12345", 12), queue("taxi", "12346", 4)];
    let mut settings = CoreSettings { trunks: vec![trunk], queues, ..CoreSettings::bare() };
    settings.limits.max_calls = 5_000;
    settings.limits.max_transactions = 100_000;
    settings.media.pairs = 5_000;
    let post = |i: usize| Post {
        agent: (6_000 + i).to_string(),
        skills: [("mandarin".into(), 5)].into(),
        duty: vec![(Duration::ZERO, DAY)],
    };
    let language = |name: &str, share, number: &str| Language { name: name.into(), share, number: number.into() };
    let mut curve = [1.0; 24];
    curve[9..12].fill(4.0);
    curve[23] = 3.0;
    let profile = Profile {
        calls,
        curve,
        talk: Spread { mu: 4.759, sigma: 0.833 },
        wrap_up: WrapUp::Drawn(Spread::of(Duration::from_secs(30), 0.8)),
        ring: Spread::of(Duration::from_secs(4), 0.5),
        patience: Patience { hasty: 0.04, hasty_within: Duration::from_secs(5), mean: Duration::from_secs(150) },
        languages: vec![language("zh", 0.8, "12345"), language("taxi", 0.2, "12346")],
        surge: 1.0,
        bursts: vec![],
    };
    Scene { settings, posts: (0..seats).map(post).collect(), demand: Demand::Profile(profile), midnight: MIDNIGHT }
}

pub fn events(scene: &Scene, seed: u64) -> Vec<(Instant, Entry)> {
    // Up since the day before: every 24 hours that end today are known.
    let mut all = vec![(Instant(scene.midnight.0 - 25 * 3_600_000_000), Entry::Started)];
    run_told(scene, seed, &mut |told| {
        all.push(match told {
            Told::Call(event) => (event.at, Entry::Call(event.clone())),
            Told::Agent(event) => (event.at, Entry::Agent(event.clone())),
        });
    });
    all
}

pub fn write(path: &Path, events: &[(Instant, Entry)]) {
    write_all(path, events).unwrap();
}
