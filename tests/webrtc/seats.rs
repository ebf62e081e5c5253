//! Seats in real browsers, each with the program's own page, a profile and a microphone of its own that sings one tone, and a
//! measure of what is heard there.

use crate::chromium::write_tone;
use crate::common::chromium::Chromium;
use crate::common::{SOON, Server, password};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

const EAR: &str = include_str!("ear.js");

/// Whoever sings: none is a sum, a difference or a multiple of others, or a note of the hold music.
pub const VOICES: [(Voice, f32); 4] =
    [(Voice::Caller, crate::sipp::TONE), (Voice::First, 1_100.0), (Voice::Second, 1_450.0), (Voice::Leader, 1_850.0)];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    Caller,
    First,
    Second,
    Leader,
}

impl Voice {
    pub fn hz(self) -> f32 {
        VOICES[self as usize].1
    }
}

/// What is heard at one place in a third of a second: the level of each voice, and of all there is, in dB of full scale.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    pub levels: [f64; 4],
    pub all: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    Silence,
    Music,
    Voices(Vec<Voice>),
    /// Neither clearly there nor clearly not.
    Unclear,
}

impl Heard {
    pub fn sound(&self) -> Sound {
        if self.levels.iter().any(|level| (-55.0..=-35.0).contains(level)) {
            return Sound::Unclear;
        }
        let voices: Vec<Voice> =
            VOICES.into_iter().filter(|(v, _)| self.levels[*v as usize] > -35.0).map(|v| v.0).collect();
        match (voices.is_empty(), self.all) {
            (false, _) => Sound::Voices(voices),
            (true, all) if all > -45.0 => Sound::Music,
            (true, all) if all < -60.0 => Sound::Silence,
            (true, _) => Sound::Unclear,
        }
    }
}

/// A seat: the page of its agent.
pub struct Seat {
    browser: Chromium,
    pub seat: &'static str,
    _folder: tempfile::TempDir,
}

impl Deref for Seat {
    type Target = Chromium;

    fn deref(&self) -> &Chromium {
        &self.browser
    }
}

impl DerefMut for Seat {
    fn deref_mut(&mut self) -> &mut Chromium {
        &mut self.browser
    }
}

pub struct Way {
    /// Where the pages are.
    pub pages: SocketAddr,
    /// Where its audio is led to, if not straight to the program.
    pub audio: Option<SocketAddr>,
}

impl Seat {
    /// Signed in, not ready, with its headset live. `None`: no Chromium here.
    pub fn open(way: &Way, seat: &'static str, agent: &str, password: &str, voice: Voice) -> Option<Seat> {
        let folder = tempfile::tempdir().unwrap();
        let microphone = folder.path().join("microphone.wav");
        write_tone(&microphone, voice.hz());
        let mut browser = Chromium::start_with(Some(&microphone), &["--autoplay-policy=no-user-gesture-required"])?;
        let via = way.audio.map(|to| format!("{} {}", to.ip(), to.port()));
        let how = json!({ "tones": VOICES.map(|voice| voice.1), "via": via });
        browser.before_each_page(&EAR.replace("__HOW__", &how.to_string()));
        browser.open(&format!("http://{}/", way.pages));
        browser.until("the door", "document.activeElement?.id === 'agent'", || {});
        browser.read(&format!("localStorage.setItem('rexian-seat', '{seat}')"));
        browser.enter(agent);
        browser.press("Tab");
        browser.enter(password);
        browser.press("Enter");
        browser.until(
            "the desk",
            "document.querySelector('#state').textContent && !document.querySelector('.entry').hidden",
            || {},
        );
        browser.tab_to(".entry .go");
        browser.press("Enter");
        let mut seat = Seat { browser, seat, _folder: folder };
        seat.shows("the headset live", LIVE);
        Some(seat)
    }

    /// The agent of seat 80`n`, straight to the program.
    pub fn of(server: &Server, n: u8, voice: Voice) -> Option<Seat> {
        let way = Way { pages: server.hotline.pages(), audio: None };
        let seat = ["", "8001", "8002", "8003"][usize::from(n)];
        Seat::open(&way, seat, &format!("66{n:02}"), &password(n), voice)
    }

    pub fn shows(&mut self, what: &str, expression: &str) {
        let what = format!("at {}: {what}", self.seat);
        self.browser.until(&what, expression, || {});
    }

    pub fn is(&mut self, state: &str) {
        self.shows(state, &format!("document.body.dataset.state === '{state}'"));
    }

    /// Writes whom to reach, and presses what is to be done.
    pub fn reach(&mut self, to: &str, key: &str) {
        self.press("F10");
        self.enter(to);
        self.press(key);
    }

    /// Rung, and picks up.
    pub fn picks_up(&mut self) {
        self.shows("a ring", "document.querySelector('[data-act=answer]:not(:disabled)')");
        self.press("F3");
    }

    pub fn hears(&mut self) -> Heard {
        let Value::Array(levels) = self.read("globalThis.heard()") else { panic!("levels") };
        let levels: Vec<f64> = levels.iter().map(|level| level.as_f64().expect("a level")).collect();
        Heard { levels: levels[..4].try_into().expect("as many as voices"), all: levels[4] }
    }
}

/// Its page's audio works, as the page knows.
pub const LIVE: &str = "['live', 'muted'].includes(document.querySelector('.headset').dataset.audio)";

/// So long everybody must hear just what is expected.
const STEADY: Duration = Duration::from_millis(600);

/// Waits until this is heard everywhere, and goes on being heard for a while; the last measurement of each is returned.
pub fn steadily<const N: usize>(
    what: &str,
    expected: [Sound; N],
    mut measure: impl FnMut() -> [Heard; N],
) -> [Heard; N] {
    let deadline = Instant::now() + SOON;
    let mut since = None;
    loop {
        let heard = measure();
        let sounds = heard.map(|heard| heard.sound());
        if sounds != expected {
            assert!(Instant::now() < deadline, "{what}: heard is {sounds:?}\nof {heard:.0?},\nnot {expected:?}");
            since = None;
        } else if since.get_or_insert_with(Instant::now).elapsed() >= STEADY {
            return heard;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
