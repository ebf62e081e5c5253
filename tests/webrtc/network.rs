//! What becomes of a call when the agent's network goes, comes back or changes, and when the computer sleeps: the program's own page
//! in a real browser behind a path that the test cuts. Each time it is the same call and ticket, nothing is loaded again, and the
//! agent is told the truth meanwhile.

use crate::common::{Hotline, Server, password, until};
use crate::path::Path;
use crate::seats::{LIVE, Seat, Sound, Voice, Way, steadily};
use crate::trunk::Trunk;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

struct Desk {
    server: Server,
    path: Path,
    seat: Seat,
}

fn voice(voice: Voice) -> Sound {
    Sound::Voices(vec![voice])
}

/// Both hear each other.
const TALK: fn() -> [Sound; 2] = || [voice(Voice::First), voice(Voice::Caller)];

const IN_CALL: &str = "document.querySelector('.call.talking')";

impl Desk {
    /// Of seat 8001, by a path that can be cut; ready. `media`: what else `[media]` says.
    fn open(media: &'static str) -> Option<Desk> {
        let server = Hotline { pages: true, browsers: true, media, ..Hotline::new() }.start();
        let audio = SocketAddr::new(server.hotline.gateway, 19_998);
        let path = Path::new(server.hotline.seat_address(90), server.hotline.pages(), audio);
        let way = Way { pages: path.pages, audio: Some(path.audio) };
        let mut seat = Seat::open(&way, "8001", "6601", &password(1_usize), Voice::First)?;
        // Gone if the page is loaded again.
        seat.read("window.same = true");
        seat.press("F2");
        seat.is("ready");
        Some(Desk { server, path, seat })
    }

    fn call(&mut self) -> Trunk {
        let trunk = Trunk::call(&self.server.hotline);
        self.seat.picks_up();
        self.hear(&trunk, "talk", TALK());
        trunk
    }

    fn hear(&mut self, trunk: &Trunk, what: &str, expected: [Sound; 2]) {
        steadily(what, expected, || [trunk.hears(), self.seat.hears()]);
    }

    fn hear_within(&mut self, time: Duration, trunk: &Trunk, what: &str) {
        let began = Instant::now();
        self.hear(trunk, what, TALK());
        println!("{what} after {:.1?}", began.elapsed());
        assert!(began.elapsed() < time, "{what} after {:?}", began.elapsed());
    }

    fn caller_hears(&self, trunk: &Trunk, what: &str, expected: Sound) {
        steadily(what, [expected], || [trunk.hears()]);
    }

    /// The agent hangs up what was one call all the time, in one page.
    fn ends(&mut self, trunk: Trunk) {
        self.seat.shows(
            "the same page, in the call",
            &format!("window.same && {IN_CALL} && {LIVE} && document.querySelector('.dot.connected')"),
        );
        self.seat.press("F8");
        self.seat.shows("the end", "document.querySelector('.call.none')");
        trunk.finish();
        until("the ticket", || (self.server.tickets().len() == 1).then_some(()));
        assert_eq!(self.server.metrics().sum("rexian_calls_total"), 1);
        assert_eq!(self.seat.complaints, Vec::<String>::new());
    }
}

const MENDING: &str = "document.querySelector('.headset').dataset.audio === 'mending'";

/// Once the path is there again.
const SECONDS: Duration = Duration::from_secs(8);

#[test]
fn a_network_that_goes_and_comes_costs_the_agent_seconds_and_the_caller_music() {
    if !crate::has_sipp() {
        return;
    }
    let Some(mut desk) = Desk::open("browser_silence = \"2s\"\nbrowser_return = \"60s\"\n") else { return };
    let trunk = desk.call();
    desk.path.cut();
    desk.caller_hears(&trunk, "music while the agent is away", Sound::Music);
    desk.seat.shows("that the audio is being mended", MENDING);
    desk.path.mend();
    desk.hear_within(SECONDS, &trunk, "both again");
    // A router that gives other ports, of which nobody is told.
    desk.path.rebind();
    desk.hear_within(SECONDS, &trunk, "both by other ports");
    // Another network: nothing of before is there.
    desk.path.change();
    desk.seat.shows("that the line is lost", "!document.querySelector('.dot.connected')");
    desk.seat.shows("that the line is back", "document.querySelector('.dot.connected')");
    desk.hear_within(SECONDS, &trunk, "both by another network");
    // Out of the door and in at another: the line of before is dead and does not say so.
    desk.path.cut();
    desk.seat.shows("that the audio is being mended", MENDING);
    desk.path.lose();
    desk.path.mend();
    desk.hear_within(SECONDS, &trunk, "both by another address");
    desk.ends(trunk);
}

#[test]
fn a_computer_that_slept_in_a_call_has_it_again() {
    if !crate::has_sipp() {
        return;
    }
    let Some(mut desk) = Desk::open("browser_silence = \"2s\"\nbrowser_return = \"60s\"\n") else { return };
    let trunk = desk.call();
    desk.seat.sleep();
    // Longer than any timer of the page's or the browser's takes for a moment.
    let asleep = Instant::now();
    while asleep.elapsed() < Duration::from_secs(8) {
        desk.caller_hears(&trunk, "music all the time", Sound::Music);
    }
    desk.seat.wake();
    desk.hear_within(SECONDS, &trunk, "both again");
    desk.ends(trunk);
}

#[test]
fn a_seat_that_cannot_be_reached_is_offered_nobody_and_loses_its_caller_in_the_end() {
    if !crate::has_sipp() {
        return;
    }
    let Some(mut desk) = Desk::open("browser_silence = \"2s\"\nbrowser_return = \"3s\"\n") else { return };
    let not_ready = |desk: &Desk| desk.server.metrics().by("rexian_agents", "state").get("not_ready") == Some(&1);
    desk.path.cut();
    until("that the seat is missed", || not_ready(&desk).then_some(()));
    let trunk = Trunk::call(&desk.server.hotline);
    until("the caller in line", || (desk.server.metrics().sum("rexian_queue_waiting") == 1).then_some(()));
    desk.path.mend();
    desk.seat.shows("why nobody was offered", "document.querySelector('#state').textContent === '声音未连通'");
    desk.seat.shows("the headset again", LIVE);
    desk.seat.press("F2");
    desk.seat.picks_up();
    desk.hear(&trunk, "talk", TALK());

    desk.path.cut();
    desk.caller_hears(&trunk, "music", Sound::Music);
    let Some(mut other) = Seat::of(&desk.server, 2, Voice::Second) else { return };
    other.press("F2");
    other.picks_up();
    desk.caller_hears(&trunk, "another agent", voice(Voice::Second));
    desk.path.mend();
    desk.seat.shows("that the call is another's", "document.querySelector('.call.none')");
    desk.seat.shows("the headset again", LIVE);
    assert_eq!(desk.seat.hears().sound(), Sound::Silence);
    other.press("F8");
    other.shows("the end", "document.querySelector('.call.none')");
    trunk.finish();
    until("the ticket", || (desk.server.tickets().len() == 1).then_some(()));
}
