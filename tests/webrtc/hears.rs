//! Who hears whom: two agents and a shift leader, each in a real browser at the program's own page, and SIPp as the trunk. Every
//! row holds what each of the four hears and what not; then the recordings are held against the same.

use crate::common::{Hotline, Server, until};
use crate::seats::{Heard, Seat, Sound, Voice, Way, steadily};
use crate::trunk::{Trunk, of_alaw};
use Voice::{Caller, First, Leader, Second};
use rexian::demo::records;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

const LEADER: &str = "leads-the-shift-1";

struct Floor {
    server: Server,
    first: Seat,
    second: Seat,
    leader: Seat,
}

/// What is heard by the caller, the first agent, the second and the leader.
type Row = [Sound; 4];

fn row(caller: Sound, seats: [&[Voice]; 3]) -> Row {
    let [first, second, leader] = seats.map(voices);
    [caller, first, second, leader]
}

fn voices(voices: &[Voice]) -> Sound {
    if voices.is_empty() { Sound::Silence } else { Sound::Voices(voices.to_vec()) }
}

impl Floor {
    fn open() -> Option<Floor> {
        let hash = rexian::pages::password::hash(LEADER, &[90; 16]).unwrap();
        let more = format!(
            "\n[[agents]]\nnumber = \"6690\"\nskills = {{ mandarin = 5 }}\nleader = true\npassword_hash = {hash:?}\n\
             \n[recording]\ndirectory = \"recordings\"\n"
        );
        let storage = "events = \"events\"";
        let server = Hotline { pages: true, browsers: true, seats: 3, more, storage, ..Hotline::new() }.start();
        let way = Way { pages: server.hotline.pages(), audio: None };
        let first = Seat::of(&server, 1, First)?;
        let second = Seat::of(&server, 2, Second)?;
        let leader = Seat::open(&way, "8003", "6690", LEADER, Leader)?;
        Some(Floor { server, first, second, leader })
    }

    fn hear(&mut self, trunk: &Trunk, what: &str, expected: Row) {
        let heard = steadily(what, expected, || self.measure(trunk));
        println!("{what:<22} {}", heard.map(|heard| format!("{:>4.0?} {:>4.0}", heard.levels, heard.all)).join(" | "));
    }

    fn measure(&mut self, trunk: &Trunk) -> [Heard; 4] {
        [trunk.hears(), self.first.hears(), self.second.hears(), self.leader.hears()]
    }

    /// A caller whom the first agent takes.
    fn call(&mut self) -> Trunk {
        self.first.press("F2");
        self.first.is("ready");
        let trunk = Trunk::call(&self.server.hotline);
        self.first.picks_up();
        self.first.is("talking");
        self.hear(&trunk, "talk", row(voices(&[First]), [&[Caller], &[], &[]]));
        trunk
    }

    /// The last of them hangs up: nobody hears anything, and one more ticket is there, no more.
    fn ends(&mut self, trunk: Trunk, by: impl Fn(&mut Floor) -> &mut Seat, tickets: usize) {
        by(self).press("F8");
        by(self).shows("the end", "document.querySelector('.call.none')");
        self.hear(&trunk, "afterwards", row(Sound::Silence, [&[], &[], &[]]));
        trunk.finish();
        until("the ticket", || (self.server.tickets().len() == tickets).then_some(()));
    }

    /// Left and right of each recording of the newest call, whose hashes are the ticket's.
    fn recorded(&self, call: usize, segments: usize) -> Vec<[Sound; 2]> {
        let hashes: Vec<String> = until("the recordings in the ticket", || {
            let rows = records::recorded(&self.server.cases()).ok().filter(|rows| rows.len() == call)?;
            let hashes: Vec<String> = rows.last()?.split(' ').skip(2).map(str::to_owned).collect();
            (hashes.len() == segments).then_some(hashes)
        });
        let files = self.wavs();
        let of = |hash: &String| {
            let wav = files.iter().map(|file| std::fs::read(file).unwrap());
            let sha256 = |wav: &[u8]| -> String { Sha256::digest(wav).iter().map(|b| format!("{b:02x}")).collect() };
            let wav = wav.into_iter().find(|wav| sha256(wav) == *hash).expect("a file with the ticket's hash");
            let at = wav.windows(4).position(|four| four == b"data").unwrap() + 8;
            [0, 1].map(|side| said(&wav[at..], side))
        };
        hashes.iter().map(of).collect()
    }

    fn wavs(&self) -> Vec<PathBuf> {
        let files = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let days = files(self.server.directory.path().join("recordings"));
        days.filter(|day| day.is_dir())
            .flat_map(files)
            .filter(|file| file.extension().is_some_and(|e| e == "wav"))
            .collect()
    }
}

/// All that is ever said on one side: of every third of a second but the first and the last, when somebody comes or goes.
fn said(sound: &[u8], side: usize) -> Sound {
    let side: Vec<u8> = sound.chunks_exact(2).map(|pair| pair[side]).collect();
    let parts: Vec<Sound> = side.chunks_exact(2_720).map(|part| of_alaw(part).sound()).collect();
    let mut heard: Vec<Voice> = parts
        .iter()
        .flat_map(|sound| match sound {
            Sound::Voices(voices) => voices.clone(),
            _ => vec![],
        })
        .collect();
    heard.sort();
    heard.dedup();
    if heard.is_empty() && parts.contains(&Sound::Music) { Sound::Music } else { voices(&heard) }
}

#[test]
fn everybody_hears_whom_they_should_and_nobody_else() {
    if !crate::has_sipp() {
        return;
    }
    let Some(mut floor) = Floor::open() else { return };

    // Asked, joined, and passed on to.
    let trunk = floor.call();
    floor.first.reach("8002", "Alt+C");
    floor.second.picks_up();
    floor.hear(&trunk, "consult", row(Sound::Music, [&[Second], &[First], &[]]));
    floor.first.press("Alt+B");
    floor.hear(&trunk, "back to the caller", row(voices(&[First]), [&[Caller], &[], &[]]));
    floor.first.press("F6");
    floor.hear(&trunk, "hold", row(Sound::Music, [&[], &[], &[]]));
    floor.first.press("F6");
    floor.hear(&trunk, "resumed", row(voices(&[First]), [&[Caller], &[], &[]]));
    floor.first.reach("8002", "Alt+C");
    floor.second.picks_up();
    floor.hear(&trunk, "consult again", row(Sound::Music, [&[Second], &[First], &[]]));
    floor.first.press("Alt+J");
    floor.hear(&trunk, "three-way", row(voices(&[First, Second]), [&[Caller, Second], &[Caller, First], &[]]));
    floor.first.press("Alt+T");
    floor.hear(&trunk, "attended transfer", row(voices(&[Second]), [&[], &[Caller], &[]]));
    floor.ends(trunk, |floor| &mut floor.second, 1);
    let with = |agents: &[Voice]| [voices(&[Caller]), voices(agents)];
    let segments = [with(&[First]), with(&[First]), with(&[First]), with(&[First, Second]), with(&[Second])];
    assert_eq!(floor.recorded(1, 5), segments, "talk, back, resumed, three-way, passed on");

    // Passed on unasked.
    let trunk = floor.call();
    floor.first.reach("8002", "Alt+T");
    floor.second.picks_up();
    floor.hear(&trunk, "blind transfer", row(voices(&[Second]), [&[], &[Caller], &[]]));
    floor.ends(trunk, |floor| &mut floor.second, 2);
    assert_eq!(floor.recorded(2, 2), [with(&[First]), with(&[Second])], "talk, passed on");

    // Led.
    let trunk = floor.call();
    floor.leader.press("Alt+V");
    let agent = "document.querySelector('.floor tr[data-key=\"6601\"]')";
    floor.leader.shows("the agent in talk", &format!("{agent}?.dataset.is === 'talking'"));
    floor.leader.read(&format!("{agent}.focus()"));
    floor.leader.press("L");
    floor.hear(&trunk, "listen", row(voices(&[First]), [&[Caller], &[], &[Caller, First]]));
    floor.leader.press("2");
    floor.hear(&trunk, "whisper", row(voices(&[First]), [&[Caller, Leader], &[], &[Caller, First]]));
    floor.leader.press("3");
    floor.hear(&trunk, "barge", row(voices(&[First, Leader]), [&[Caller, Leader], &[], &[Caller, First]]));
    floor.leader.press("1");
    floor.hear(&trunk, "listen again", row(voices(&[First]), [&[Caller], &[], &[Caller, First]]));
    floor.leader.press("T");
    floor.hear(&trunk, "taken over", row(voices(&[Leader]), [&[], &[], &[Caller]]));
    floor.ends(trunk, |floor| &mut floor.leader, 3);
    // Of the leader what the caller heard.
    assert_eq!(floor.recorded(3, 2), [with(&[First, Leader]), with(&[Leader])], "led, taken over");
}
