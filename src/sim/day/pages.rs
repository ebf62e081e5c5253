//! Agents at seats in browsers: what they see and order, and how their pages die, reload, come back late, or never. Not here:
//! orders in the middle of a talk and shift leaders (`orders`), the audio itself (`plane`).
//!
//! An order is a message on its way like any other here: it is lost, comes twice, or seconds late, to meet another call.

use super::scenario::{CODES, agent_number};
use super::{Day, Event, Wrapped, seat_number};
use crate::event::NotReadyReason;
use crate::gateway::{AgentOrder, Input};
use crate::ids::{AgentNo, SeatNo};
use crate::plane::MediaEvent;
use crate::plane::browser::{BrowserEvent, Lost};
use crate::screen::{AgentScreen, OwnStage, Stage};
use crate::sim::network::Faults;
use crate::time::Instant;
use std::time::Duration;

/// An agent's page.
pub(super) struct Page {
    line: Line,
    /// Raised when the page begins anew: what was planned for the one before is nothing to this one.
    life: u32,
    looks_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// No page, or one whose audio has been given up.
    Closed,
    /// It has begun anew and is not heard yet; the one before has been replaced.
    Begins,
    Up,
}

/// What becomes of a page.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Its audio begins anew, and is up in a moment.
    Reloads,
    /// It begins anew, and a firewall is in the way.
    NeverConnects,
    /// Nothing is heard of it, and then it is back by itself.
    FallsSilent,
    /// It dies, and somebody opens it again: soon, late, or not today.
    Dies(Lost),
    /// Packets pass, and there is nothing in them.
    Muted,
}

/// A page's WebSocket over a bad line: what is clicked comes late, or with the next click, or not.
const CLICKS: Faults = Faults {
    loss: 0.08,
    duplicate: 0.08,
    reorder: 0.15,
    held_back: Duration::from_secs(8),
    delay: Duration::from_millis(20),
    jitter: Duration::from_millis(60),
};

/// A page whose owner does not come back before the evening.
const FOR_TODAY: Duration = Duration::from_secs(3_600);

impl Page {
    pub fn new() -> Page {
        Page { line: Line::Closed, life: 0, looks_at: None }
    }
}

impl Day<'_> {
    /// Is it the `i`-th agent's page by which they work now?
    pub(super) fn at_page(&self, i: usize) -> bool {
        self.seats[i].page.as_ref().is_some_and(|page| page.line == Line::Up)
    }

    /// The page is opened, or opened again.
    pub(super) fn page_opens(&mut self, i: usize, after: Duration) {
        if let Some(page) = &mut self.seats[i].page {
            let life = page.life;
            self.plan(after, Event::PageComes(i, life));
        }
    }

    /// Its audio is up.
    pub(super) fn page_comes(&mut self, i: usize, life: u32) {
        let Some(page) = self.seats[i].page.as_mut().filter(|page| page.life == life && page.line != Line::Up) else {
            return;
        };
        page.line = Line::Up;
        self.trace(|| format!("page {} is up", seat_number(i)));
        let seat = SeatNo::new(seat_number(i));
        self.hear_page(i, Some(true));
        self.input(Input::Media(MediaEvent::Browser(BrowserEvent::Up { seat })));
        self.think_soon(i, 200, 3_000);
        self.look_soon(i);
    }

    /// Its audio is lost.
    fn page_goes(&mut self, i: usize, why: Lost) {
        let Some(page) = self.seats[i].page.as_mut() else { return };
        page.life += 1;
        page.line = if why == Lost::Replaced { Line::Begins } else { Line::Closed };
        self.trace(|| format!("page {} is lost: {why:?}", seat_number(i)));
        let seat = SeatNo::new(seat_number(i));
        self.hear_page(i, None);
        self.input(Input::Media(MediaEvent::Browser(BrowserEvent::Down { seat, why })));
    }

    /// `None`: no audio. Otherwise: does anybody speak there?
    fn hear_page(&mut self, i: usize, speaks: Option<bool>) {
        let seat = SeatNo::new(seat_number(i));
        if let Some(page) = &self.seats[i].page
            && !self.scenario.has_phone(i)
        {
            self.audit.page(self.now, seat.clone(), page.line != Line::Closed, page.line == Line::Up);
        }
        for (delay, notice) in self.plane.page(seat, speaks) {
            self.plan(delay, Event::Plane(Wrapped(notice)));
        }
    }

    pub(super) fn plan_page_trouble(&mut self, i: usize, after: Duration) {
        let next = self.seats[i].person.next_after(self.scenario.troubles.pages);
        self.plan_some(next.map(|next| after + next), Event::PageFails(i));
    }

    pub(super) fn page_fails(&mut self, i: usize) {
        if self.closing {
            return;
        }
        let trouble = match self.rng.below(10) {
            0..=3 => Trouble::Reloads,
            4 => Trouble::NeverConnects,
            5 | 6 => Trouble::FallsSilent,
            7 => Trouble::Muted,
            8 => Trouble::Dies([Lost::Closed, Lost::Broken][self.rng.below(2) as usize]),
            _ => Trouble::Dies(Lost::Silent),
        };
        let back = match trouble {
            _ if !self.at_page(i) => Duration::ZERO,
            Trouble::Reloads => {
                self.page_goes(i, Lost::Replaced);
                self.some_time(100, 4_000)
            }
            Trouble::NeverConnects => {
                self.page_goes(i, Lost::Replaced);
                let after = self.some_time(3_000, 12_000);
                if let Some(page) = &self.seats[i].page {
                    self.plan(after, Event::PageGivenUp(i, page.life));
                }
                after + self.some_time(1_000, 30_000)
            }
            Trouble::FallsSilent => {
                self.page_goes(i, Lost::Silent);
                self.some_time(100, 40_000)
            }
            Trouble::Dies(why) => {
                self.page_goes(i, why);
                if self.rng.chance(0.15) { FOR_TODAY } else { self.some_time(500, 90_000) }
            }
            Trouble::Muted => {
                self.hear_page(i, Some(false));
                let (after, life) = (self.some_time(500, 40_000), self.seats[i].page.as_ref().map_or(0, |p| p.life));
                self.plan(after, Event::PageSpeaks(i, life));
                Duration::ZERO
            }
        };
        match trouble {
            // Of the next life: the one that was given up is over.
            Trouble::NeverConnects if !back.is_zero() => self.plan(back, Event::PageReopened(i)),
            _ if !back.is_zero() => self.page_opens(i, back),
            _ => {}
        }
        self.plan_page_trouble(i, back);
    }

    /// It was accepted, and never connected.
    pub(super) fn page_given_up(&mut self, i: usize, life: u32) {
        if self.seats[i].page.as_ref().is_some_and(|page| page.life == life && page.line == Line::Begins) {
            self.page_goes(i, Lost::NeverConnected);
        }
    }

    pub(super) fn page_speaks(&mut self, i: usize, life: u32) {
        if self.at_page(i) && self.seats[i].page.as_ref().is_some_and(|page| page.life == life) {
            self.hear_page(i, Some(true));
        }
    }

    /// The gateway's process died: every page finds its audio gone and begins anew.
    pub(super) fn pages_after_crash(&mut self) {
        for i in 0..self.seats.len() {
            let Some(page) = self.seats[i].page.as_mut().filter(|page| page.line != Line::Closed) else { continue };
            page.life += 1;
            page.line = Line::Closed;
            self.hear_page(i, None);
            let after = self.some_time(500, 8_000);
            self.page_opens(i, after);
        }
    }

    /// The shift is over.
    pub(super) fn page_closes(&mut self, i: usize) {
        if self.at_page(i) {
            self.page_goes(i, Lost::Closed);
        }
    }

    /// The agent clicks: the gateway hears of it soon, late, twice or never.
    pub(super) fn page_says(&mut self, i: usize, order: AgentOrder) {
        if self.at_page(i) {
            let delays: Vec<Duration> = CLICKS.carry(&mut self.net).collect();
            for delay in delays {
                self.plan(delay, Event::PageSaid(i, Wrapped(order.clone())));
            }
        }
    }

    pub(super) fn page_said(&mut self, i: usize, order: AgentOrder) {
        self.order(&AgentNo::new(agent_number(i)), order);
    }

    /// What somebody at a phone would dial for it.
    pub(super) fn page_dials(&mut self, i: usize, code: &str) {
        let [sign_in, sign_out, ready, _] = CODES;
        let order = match code {
            code if code.starts_with(sign_in) => AgentOrder::SignIn(SeatNo::new(seat_number(i))),
            code if code == sign_out => AgentOrder::SignOut,
            code if code == ready => AgentOrder::Ready,
            _ => AgentOrder::NotReady(NotReadyReason::Break),
        };
        self.page_says(i, order);
        // It may not have come.
        self.think_soon(i, 3_000, 8_000);
    }

    pub(super) fn look_soon(&mut self, i: usize) {
        if self.seats[i].page.is_none() {
            return;
        }
        let at = self.now + self.some_time(300, 4_000);
        self.look_at(i, at);
    }

    fn look_at(&mut self, i: usize, at: Instant) {
        let Some(page) = &mut self.seats[i].page else { return };
        if page.looks_at.is_none_or(|planned| at < planned) {
            page.looks_at = Some(at);
            self.plan_at(at, Event::PageLooks(i));
        }
    }

    /// The agent looks at the screen and does something about it, or not.
    pub(super) fn page_looks(&mut self, i: usize) {
        let now = self.now;
        match &mut self.seats[i].page {
            Some(page) if page.looks_at == Some(now) => page.looks_at = None,
            _ => return,
        }
        let Some(screen) = self.gateway.agent_screen(&AgentNo::new(agent_number(i))) else { return };
        let busy = screen.call.is_some() || screen.own.is_some();
        if let Some(order) = self.wanted(&screen) {
            self.page_says(i, order);
        }
        if busy {
            let again = now + self.some_time(3_000, 12_000);
            self.look_at(i, again);
        }
    }

    fn wanted(&mut self, screen: &AgentScreen) -> Option<AgentOrder> {
        let stage = screen.call.as_ref().map(|call| call.stage);
        let rings = stage == Some(Stage::Ringing) || screen.own.as_ref().is_some_and(|o| o.stage == OwnStage::Ringing);
        match (rings, stage, &screen.own) {
            (true, ..) => match self.rng.below(20) {
                0 => Some(AgentOrder::HangUp),
                1 | 2 => None,
                _ => Some(AgentOrder::Answer),
            },
            (false, Some(_), _) => self.rng.chance(0.15).then_some(AgentOrder::HangUp),
            (false, None, Some(_)) => self.rng.chance(0.3).then_some(AgentOrder::HangUp),
            (false, None, None) => match self.rng.below(30) {
                0 => Some(AgentOrder::TestCall),
                1 => Some(AgentOrder::Dial(seat_number(self.rng.below(self.scenario.agents as u64) as usize))),
                _ => None,
            },
        }
    }

    fn some_time(&mut self, low_ms: u64, high_ms: u64) -> Duration {
        self.rng.between(Duration::from_millis(low_ms), Duration::from_millis(high_ms))
    }
}
