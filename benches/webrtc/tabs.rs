//! The browsers of the bench, in a process of their own: the parent carries their offers and answers, one line each.
//!
//! Child to parent: offers, then what each took to hear something, then what it missed. Parent to child: answers, `talk`,
//! and the end of the pipe.

use crate::tab::{self, CHROMIUM, Tab};
use rexian::ids::SeatNo;
use rexian::media::webrtc::BrowserDoor;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const FLAG: &str = "--tabs=";

pub struct Tabs {
    child: Child,
    ask: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    heard_within: (Duration, Duration),
}

impl Tabs {
    /// One after another, each until it hears something.
    pub fn open(seats: u16, door: &BrowserDoor, name: impl Fn(u16) -> SeatNo) -> Tabs {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(format!("{FLAG}{seats}")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (ask, said) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        let mut tabs = Tabs { child, ask, said, heard_within: Default::default() };
        let mut waits = Vec::new();
        for n in 0..seats {
            let offer: String = tabs.next();
            let answer = tab::answer(|reply| door.accept(name(n), &offer, reply));
            writeln!(tabs.ask, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
            waits.push(Duration::from_micros(tabs.next()));
        }
        waits.sort();
        tabs.heard_within = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
        tabs
    }

    /// p50 and p99.
    pub fn heard_within(&self) -> (Duration, Duration) {
        self.heard_within
    }

    pub fn talk(&mut self) {
        writeln!(self.ask, "talk").unwrap();
        let () = self.next();
    }

    /// Ends them all. Gives how many packets did not reach them since they began to talk.
    pub fn stop(self) -> u64 {
        let Tabs { mut child, ask, mut said, .. } = self;
        drop(ask);
        let missed = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
        child.wait().unwrap();
        missed
    }

    fn next<T: serde::de::DeserializeOwned>(&mut self) -> T {
        serde_json::from_str(&self.said.next().expect("a line of the browsers").unwrap()).unwrap()
    }
}

/// This process is to be so many browsers.
pub fn asked_for() -> Option<u16> {
    std::env::args().find_map(|arg| arg.strip_prefix(FLAG)?.parse().ok())
}

pub fn child(seats: u16) {
    let mut told = BufReader::new(std::io::stdin()).lines();
    let mut tabs = Vec::new();
    for _ in 0..seats {
        let begun = Instant::now();
        let (mut tab, offer, pending) = Tab::load(CHROMIUM, 1_004.0);
        say(&offer);
        let answer: String = serde_json::from_str(&told.next().unwrap().unwrap()).unwrap();
        tab.answered(pending, &answer);
        while tab.heard.is_empty() {
            tab.turn();
            std::thread::sleep(Duration::from_micros(100));
            // Those before it must go on living.
            tabs.iter_mut().for_each(Tab::turn);
        }
        say(&(begun.elapsed().as_micros() as u64));
        tabs.push(tab);
    }
    told.next().unwrap().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let over = stop.clone();
    std::thread::spawn(move || {
        let _ = told.next();
        over.store(true, Relaxed);
    });
    say(&());
    tabs.iter_mut().for_each(|tab| {
        tab.turn();
        tab.numbers.clear();
    });
    talk(&mut tabs, &stop);
    say(&tabs.iter().map(missed).sum::<u64>());
}

fn talk(tabs: &mut [Tab], stop: &AtomicBool) {
    let (begun, mut said) = (Instant::now(), 0usize);
    while !stop.load(Relaxed) {
        let due = (begun.elapsed().as_secs_f64() * 50.0 * tabs.len() as f64) as usize;
        while said < due {
            let nth = said % tabs.len();
            tabs[nth].say();
            tabs[nth].turn();
            tabs[nth].heard.clear();
            said += 1;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Gaps in the numbers of what it heard.
fn missed(tab: &Tab) -> u64 {
    let (first, last) = (tab.numbers.iter().min(), tab.numbers.iter().max());
    let span = first.zip(last).map_or(0, |(first, last)| last - first + 1);
    span.saturating_sub(tab.numbers.len() as u64)
}

fn say(what: &impl serde::Serialize) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(what).unwrap()).unwrap();
    out.flush().unwrap();
}
