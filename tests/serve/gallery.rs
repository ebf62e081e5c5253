//! Every screen in every state, in both languages and at both sizes, with as much and as long as it must bear: the program's own
//! pages, shown what the gateway would tell them. Not here: what is done on a page (`screens`), how it is judged (`look`).

use crate::common::chromium::Chromium;
use crate::common::{Hotline, Server};
use crate::{look, screens};
use rexian::api::v1::access::digest_of;
use rexian::ids::CallId;
use rexian::screen::{
    AgentScreen, CallScreen, Doing, Floor, FloorAgent, FloorCall, FloorCaller, FloorQueue, InVain, Listening,
    OwnScreen, OwnStage, PartyScreen, PartyStage, QueueScreen, ReachedBy, SkillLevel, Stage, Unreached,
};
use rexian::time::Instant;
use serde_json::{Value, json};
use std::time::Duration;

/// 2026-11-23 14:30 in China.
const NOW: Instant = Instant::from_unix_secs(1_795_415_400);
const SIZES: [(u32, u32); 2] = [(1366, 768), (1920, 1080)];
const HOSTILE: &str = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>";
const LONG: &str = "历下区千佛山街道办事处佛山苑社区居民委员会反映小区东门外经七路与纬二路交叉口西南角路灯连续多日不亮影响夜间通行安全的问题";

fn ago(seconds: u64) -> Instant {
    Instant(NOW.0 - seconds * 1_000_000)
}

fn within(seconds: u64) -> Option<Instant> {
    Some(NOW + Duration::from_secs(seconds))
}

fn doing(state: &'static str, since: u64) -> Doing {
    Doing { state, reason: None, since: ago(since), until: None, then: None }
}

fn queue(name: &str, waiting: usize, oldest: Option<u64>) -> QueueScreen {
    QueueScreen { name: name.into(), waiting, callbacks: waiting / 3, oldest: oldest.map(ago) }
}

fn queues() -> Vec<QueueScreen> {
    vec![queue("普通话", 3, Some(22)), queue("济南话", 0, None), queue("英语", 1, Some(5))]
}

fn idle() -> AgentScreen {
    AgentScreen {
        agent: "6690".into(),
        seat: Some("8001".into()),
        doing: doing("ready", 75),
        leader: true,
        reachable: true,
        audio: Some(ReachedBy::Phone),
        call: None,
        serving: None,
        help: None,
        listening: None,
        own: None,
        own_calls: 0,
        dialled_in_vain: None,
        test_call: false,
        queues: queues(),
    }
}

/// Nobody sits anywhere.
fn away() -> AgentScreen {
    AgentScreen { seat: None, doing: doing("logged_out", 0), reachable: false, audio: None, ..idle() }
}

pub fn call(id: u64, stage: Stage) -> CallScreen {
    CallScreen {
        call: CallId(id),
        stage,
        caller: Some("+8613953112345".into()),
        withheld: false,
        dnis: "12345".into(),
        line: Some("市民热线".into()),
        queue: "普通话".into(),
        skill: "mandarin".into(),
        purpose: "inbound",
        test: false,
        asked: ago(95),
        answered: Some(ago(80)),
        path: "被叫 12345 → 普通话".into(),
        party: None,
        unreached: None,
    }
}

pub fn talking(call: CallScreen) -> AgentScreen {
    AgentScreen { doing: doing("talking", 80), call: Some(call), ..idle() }
}

fn party(to: &str, stage: PartyStage) -> Option<PartyScreen> {
    Some(PartyScreen { to: to.into(), stage, since: ago(12) })
}

/// Name, what the gateway shows, keys that are pressed then.
type Scene = (&'static str, AgentScreen, &'static [&'static str]);

fn desk() -> Vec<Scene> {
    let ringing = |call: CallScreen| AgentScreen {
        doing: Doing { until: within(12), ..doing("reserved", 3) },
        call: Some(CallScreen { answered: None, asked: ago(7), ..call }),
        ..idle()
    };
    let abroad = CallScreen {
        caller: Some("+989121234567".into()),
        queue: "英语".into(),
        skill: "english".into(),
        test: true,
        ..call(2, Stage::Ringing)
    };
    let withheld = CallScreen {
        caller: None,
        withheld: true,
        line: Some("济南市台湾同胞投资权益保障服务专线".into()),
        dnis: "053188886666".into(),
        queue: "台湾同胞与外商投资权益保障服务队列".into(),
        path: "被叫 053188886666 → 台湾同胞与外商投资权益保障服务队列 → 话务员 6632 转入 → 普通话 → 班长 6690 改入"
            .into(),
        purpose: "missed_call",
        ..call(3, Stage::Talking)
    };
    let browser = |screen: AgentScreen| AgentScreen { audio: Some(ReachedBy::Browser), ..screen };
    let not_ready =
        |reason| AgentScreen { doing: Doing { reason: Some(reason), ..doing("not_ready", 4_000) }, ..idle() };
    let unreached = |status| Some(Unreached { to: "12330".into(), status, at: ago(3) });
    let own = |stage, to: &str| {
        Some(OwnScreen { call: CallId(9), to: Some(to.into()), incoming: true, stage, since: ago(20) })
    };
    vec![
        ("out", away(), &[]),
        ("ready", idle(), &[]),
        ("elsewhere", browser(idle()), &[]),
        ("no-sound", AgentScreen { reachable: false, audio: None, ..not_ready("unreachable") }, &[]),
        ("break", not_ready("break"), &[]),
        ("forced", not_ready("forced"), &[]),
        ("ringing", ringing(call(1, Stage::Ringing)), &[]),
        ("ringing-abroad", browser(ringing(abroad)), &[]),
        ("talking", talking(call(1, Stage::Talking)), &[]),
        ("categories", talking(call(1, Stage::Talking)), &["Alt+W", "Tab", "Enter"]),
        ("talking-elsewhere", browser(talking(call(1, Stage::Talking))), &[]),
        ("talking-long", AgentScreen { help: Some(ago(30)), ..talking(withheld) }, &[]),
        ("held", AgentScreen { doing: doing("hold", 20), ..talking(call(1, Stage::Held)) }, &[]),
        (
            "consulting",
            talking(CallScreen { party: party("12330", PartyStage::Calling), ..call(1, Stage::Consulting) }),
            &[],
        ),
        (
            "three-way",
            talking(CallScreen { party: party("053188886666", PartyStage::ThreeWay), ..call(1, Stage::ThreeWay) }),
            &[],
        ),
        ("unreached", talking(CallScreen { unreached: unreached(486), ..call(1, Stage::Talking) }), &[]),
        ("accepted", talking(call(4, Stage::Talking)), &[]),
        (
            "wrap-up",
            AgentScreen {
                doing: Doing { until: within(8), then: Some("not_ready"), ..doing("wrap_up", 22) },
                serving: Some(CallId(1)),
                ..idle()
            },
            &[],
        ),
        (
            "colleague",
            AgentScreen { doing: doing("not_ready", 20), own: own(OwnStage::Ringing, "8002"), ..browser(idle()) },
            &[],
        ),
        (
            "own",
            AgentScreen {
                doing: doing("engaged", 20),
                own: own(OwnStage::Talking, "+8653188886666"),
                own_calls: 1,
                ..idle()
            },
            &[],
        ),
        (
            "in-vain",
            AgentScreen {
                dialled_in_vain: Some(InVain { to: "053188886666".into(), status: 404, at: ago(2) }),
                ..idle()
            },
            &[],
        ),
        ("test-call", AgentScreen { doing: doing("engaged", 5), test_call: true, ..browser(idle()) }, &[]),
        ("keys", talking(call(1, Stage::Talking)), &["Shift+F1"]),
    ]
}

/// As many as a big hall has: each in another state, some of them with something the matter.
fn floor(agents: usize, waiting: usize) -> Floor {
    let states =
        ["talking", "talking", "ready", "wrap_up", "talking", "not_ready", "reserved", "hold", "talking", "engaged"];
    let skill = |skill: &str, level| SkillLevel { skill: skill.into(), level };
    let agent = |n: usize| {
        let state = states[n % states.len()];
        let busy = ["talking", "hold", "reserved"].contains(&state);
        let reason = (state == "not_ready")
            .then(|| ["break", "busy", "training", "no_answer", "unreachable", "forced"][n / 10 % 6]);
        let long = n == 0;
        FloorAgent {
            agent: format!("66{:02}", n + 1).as_str().into(),
            seat: Some(format!("80{:02}", n + 1).as_str().into()),
            team: long.then(|| "外语与方言服务二组（夜班）".to_owned()),
            leader: n == 59,
            doing: Doing { reason, ..doing(state, 20 + 37 * n as u64 % 900) },
            reachable: reason != Some("unreachable"),
            help: (n == 1).then(|| ago(40)),
            skills: if long {
                ["mandarin", "english", "japanese", "korean", "russian", "german"].map(|s| skill(s, 7)).into()
            } else {
                vec![skill("mandarin", 10)]
            },
            call: busy.then(|| FloorCall {
                call: CallId(100 + n as u64),
                queue: if long { "台湾同胞与外商投资权益保障服务队列" } else { "普通话" }.into(),
                stage: Stage::Talking,
                caller: (n % 7 != 3).then(|| format!("+86139531{n:05}")),
                asked: ago(200),
                answered: Some(ago(180)),
                party: if n == 4 { party("053188886666", PartyStage::ThreeWay) } else { None },
            }),
            listened_by: (n == 4).then(|| Listening { agent: "6690".into(), mode: "whisper", since: ago(30) }),
        }
    };
    let lines = [
        ("普通话", "mandarin"),
        ("济南话", "济南话"),
        ("英语", "english"),
        ("日语", "japanese"),
        ("韩语", "korean"),
        ("台湾同胞与外商投资权益保障服务队列", "mandarin"),
    ];
    let caller = |n: usize| FloorCaller {
        call: CallId(900 + n as u64),
        queue: lines[n % 6].0.into(),
        caller: (n % 5 != 2).then(|| if n % 9 == 4 { "+989121234567".to_owned() } else { format!("+86139000{n:05}") }),
        asked: ago(300 - n as u64),
        priority: (n % 3) as u8,
        moved_up: n == 1,
    };
    let line = |(name, skill): (&str, &str)| FloorQueue {
        queue: queue(name, waiting / 6, (waiting > 0).then_some(74)),
        skill: skill.into(),
    };
    Floor {
        agents: (0..agents).map(agent).collect(),
        queues: lines.map(line).into(),
        waiting: (0..waiting).map(caller).collect(),
    }
}

fn console() -> Vec<(&'static str, Floor, AgentScreen, &'static [&'static str])> {
    let listens =
        AgentScreen { listening: Some(Listening { agent: "6605".into(), mode: "whisper", since: ago(30) }), ..idle() };
    vec![
        ("console", floor(60, 0), idle(), &[]),
        ("console-rush", floor(60, 200), idle(), &[]),
        ("console-listening", floor(60, 4), listens, &[]),
        ("console-why", floor(60, 4), idle(), &["chosen", "X"]),
        ("console-skills", floor(60, 4), idle(), &["chosen", "S"]),
    ]
}

/// What stores would answer.
pub fn answers() -> Value {
    let may = json!(["fill_in", "accept", "answer_now", "pass", "hand_to_110"]);
    let ticket = |call: u64, more: Value| {
        let mut ticket = json!({
            "ticket_no": format!("JN20261123{call:06}"), "version": 1, "call": CallId(call).to_string(), "stage": "draft", "kind": null,
            "category": null, "urgency": "normal", "confidential": false, "title": "", "content": "", "name": "", "callback_no": "",
            "district": "", "street": "", "community": "", "address": "", "may": may,
        });
        ticket.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ticket
    };
    let path = ["城市管理", "市政设施", "井盖", "井盖破损", "井盖异响"];
    let long = json!({
        "kind": "complaint", "category": {"code": "01.03.02.02.01", "path": path}, "urgency": "critical", "confidential": true, "title": LONG,
        "content": format!("{LONG}\n{HOSTILE}\n{LONG}{LONG}"), "name": "阿卜杜热合曼·买买提明", "callback_no": "0531-88886666", "district": "历下区",
        "street": "千佛山街道", "community": "佛山苑社区", "address": LONG,
    });
    let filled = json!({"kind": "help", "category": {"code": "01.03.01", "path": ["城市管理", "市政设施", "路灯照明"]}, "title": "经七路路灯不亮", "content": "市民反映经七路路灯三天不亮。"});
    let accepted = json!({"stage": "accepted", "kind": "help", "title": "经七路路灯不亮", "content": "三天不亮", "may": ["answer_now", "pass"]});
    let earlier = |no: &str, title: &str, status: &str| json!({"ticket_no": no, "answered_at": "2026-11-20T09:12:00+08:00", "received_at": "2026-11-20T09:12:00+08:00", "queue": "普通话", "kind": "求助", "title": title, "status": status, "stage": "in_hand"});
    let before = json!([
        earlier("JN20261120000017", "经七路路灯不亮", "办理中"),
        earlier("JN20261102000311", HOSTILE, "已归档"),
        earlier("JN20261102000012", LONG, "已归档")
    ]);
    let segment = |agent: &str| json!({"agent": agent, "from": "2026-11-23T14:00:20+08:00", "until": "2026-11-23T14:03:05+08:00"});
    let over = |n: u64| {
        json!({
            "call": CallId(n).to_string(), "begun_at": "2026-11-23T14:00:00+08:00", "ended_at": "2026-11-23T14:03:05+08:00", "src": (n % 5 != 2).then(|| format!("+86139000{n:05}")),
            "queue": if n == 1 { "台湾同胞与外商投资权益保障服务队列" } else { "普通话" }, "wait_s": 7.2, "segments": if n == 1 { [segment("6601"), segment("6602")].to_vec() } else { vec![segment("6632")] },
        })
    };
    let recording = |n: u64| json!({"recording": "x", "segment": n, "from": "2026-11-23T14:00:20+08:00", "until": "2026-11-23T14:01:20+08:00", "seconds": 60.0, "sha256": "0", "complete": n != 2, "audio": "/v1/recordings/none/audio"});
    let queues = ["普通话", "济南话", "英语", "日语", "韩语", "台湾同胞与外商投资权益保障服务队列"];
    json!({
        "/v1/tickets?agent=": {"tickets": [ticket(1, filled), ticket(2, json!({})), ticket(3, long), ticket(4, accepted)]},
        "/v1/tickets?number=": {"tickets": before},
        "/v1/tickets/JN": {"number": "+86139****2345", "in_30_days": 2, "in_365_days": 5, "repeat": {"ticket_no": "JN20261120000017", "why": "in_hand"}, "tickets": before},
        "/v1/agents/today": {"conversations": 37, "talk_s": 6_123.0, "mean_talk_s": 165.5},
        "/v1/queues": {"queues": queues.map(|name| json!({"name": name}))},
        "/v1/calls": {"calls": (1..=60).map(over).collect::<Vec<_>>()},
        "/v1/recordings?": {"recordings": [recording(1), recording(2)]},
    })
}

/// A rush of 16,000 calls, and skills of an international city.
fn board(skills: usize, up: bool) -> Value {
    let group = |k: f64, rates: [Option<f64>; 3], waiting: u32, longest: u32| {
        let n = |x: f64| (x * k) as u32;
        let figure = |id: &str, zh: &str, en: &str, formula: &str, unit: &str, value: Option<f64>| json!({"id": id, "zh": zh, "en": en, "formula": formula, "unit": unit, "value": value});
        json!({
            "waiting": waiting, "longest_wait_s": longest, "within_s": 15,
            "today": {"offered": n(16_042.0), "answered": n(15_011.0), "answered_within": n(12_000.0), "lost": n(1_031.0), "abandoned": 0, "refused": 0, "timed_out": 0, "faults": 0, "callbacks_taken": 0},
            "figures": [
                figure("connection_rate", "接通率", "connection rate", "A / R", "ratio", rates[0]),
                figure("service_level", "15秒人工接通率", "answered within 15 s of requests", "A within 15 s / R", "ratio", rates[1]),
                figure("timely_answer", "15秒应答及时率", "answered within 15 s of answered", "A within 15 s / A", "ratio", rates[2]),
                figure("average_speed_of_answer", "平均应答速度", "average speed of answer", "sum(answer - request) / A", "seconds", Some(9.3)),
                figure("talk_time", "平均通话", "talk time", "x", "seconds", Some(164.2)),
                figure("wrap_up_time", "平均整理", "wrap-up time", "x", "seconds", Some(31.0)),
                figure("connection_rate_24h", "24小时接通率", "connection rate, 24 h", "A / R, rolling 24 h", "ratio", rates[0].map(|r| r + 0.02)),
            ],
            "agents": {"signed_in": n(55.0), "idle": n(11.0), "ringing": n(2.0), "talking": n(28.0), "on_hold": n(2.0), "wrap_up": n(6.0), "busy": n(3.0), "on_break": n(4.0), "training": 1, "away": 1, "engaged": 1},
        })
    };
    let names = [
        "mandarin",
        "济南话",
        "english",
        "japanese",
        "korean",
        "russian",
        "french",
        "german",
        "台湾同胞与外商投资",
        HOSTILE,
    ];
    let rates = [Some(0.9357), Some(0.8123), Some(0.8682)];
    let each: serde_json::Map<String, Value> = names[..skills]
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let one = if n == 4 {
                group(0.01, [None; 3], 0, 0)
            } else {
                group(1.0 / (n * n + 1) as f64, rates, 9 / (n as u32 + 1), 74)
            };
            ((*name).to_owned(), one)
        })
        .collect();
    json!({
        "seq": 1, "at": "2026-11-23T14:30:00+08:00", "total": group(1.0, rates, 12, 74), "skills": each, "channels_in_use": 187,
        "trunks": [{"name": "unicom", "channels_in_use": 120, "channels": 120, "up": true}, {"name": "telecom", "channels_in_use": 67, "channels": 90, "up": up}],
    })
}

pub fn started() -> Server {
    let hash = rexian::pages::password::hash("leads-the-shift-1", &[90; 16]).unwrap();
    let sha256: String = digest_of("token-wall").iter().map(|b| format!("{b:02x}")).collect();
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/casework/categories.csv");
    let more = format!(
        "\n[[agents]]\nnumber = \"6690\"\nskills = {{ mandarin = 5 }}\nleader = true\npassword_hash = {hash:?}\n\
         \n[[http.tokens]]\nname = \"wall\"\nrole = \"wallboard\"\nsha256 = {sha256:?}\n\n[casework]\ncategories = {tree:?}\n"
    );
    Hotline { pages: true, more, ..Hotline::new() }.start()
}

/// A browser at the door, which is shown what is given.
pub fn open(server: &Server, answers: &Value, language: &str) -> Option<Chromium> {
    let mut browser = Chromium::start(None)?;
    browser.before_each_page(&format!(
        "{}({answers}); localStorage.setItem('rexian-language', '{language}')",
        include_str!("gallery.js")
    ));
    browser.open(&format!("http://{}/", server.hotline.pages()));
    browser.until("the door", "document.activeElement.id === 'agent'", || {});
    Some(browser)
}

fn say(browser: &mut Chromium, message: Value) {
    browser.read(&format!("stage.say({message})"));
}

pub fn show(browser: &mut Chromium, screen: &AgentScreen) {
    say(browser, json!({"screen": screen, "now": NOW}));
}

/// At each size; the first is also held against all that is asked of a page.
fn seen(browser: &mut Chromium, name: &str, language: &str) {
    for (n, size) in SIZES.into_iter().enumerate() {
        browser.size(size);
        let name = format!("{name}-{language}-{}", size.0);
        if n == 0 { look::over(browser, &name) } else { look::at_texts(browser, &name) }
    }
    browser.size(SIZES[0]);
}

/// What comes of itself has come.
fn settled(browser: &mut Chromium, screen: &AgentScreen) {
    let shown = screen.call.as_ref().filter(|call| call.answered.is_some()).map(|call| call.call).or(screen.serving);
    let ticket = shown.map_or("true".to_owned(), |call| format!("document.querySelector('.form h2')?.textContent.includes('JN20261123{:06}') && document.querySelector('.earlier .counts')", call.0));
    browser.until("the desk as it is", &format!("document.querySelector('#state').textContent && {ticket}"), || {});
}

#[test]
fn the_desk_is_fit_to_work_at_in_every_state() {
    let server = started();
    let mut complaints = vec![];
    for language in ["zh", "en"] {
        let Some(mut browser) = open(&server, &answers(), language) else { return };
        seen(&mut browser, "door", language);
        look::tabbed_through(&mut browser, "door");
        screens::enter(&mut browser, "6690", "leads-the-shift-1");
        show(&mut browser, &away());
        for (name, screen, keys) in desk() {
            show(&mut browser, &screen);
            settled(&mut browser, &screen);
            for key in keys {
                browser.press(key);
            }
            seen(&mut browser, &format!("desk-{name}"), language);
            look::tabbed_through(&mut browser, &format!("desk-{name}"));
            browser.press("Escape");
        }
        assert_eq!(browser.read("window.owned ?? null"), Value::Null);
        complaints.append(&mut browser.complaints);
    }
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn the_console_and_the_recordings_are_fit_to_work_at() {
    let server = started();
    let mut complaints = vec![];
    for language in ["zh", "en"] {
        let Some(mut browser) = open(&server, &answers(), language) else { return };
        screens::enter(&mut browser, "6690", "leads-the-shift-1");
        show(&mut browser, &idle());
        browser.press("Alt+V");
        for (name, floor, screen, keys) in console() {
            show(&mut browser, &screen);
            say(&mut browser, json!({"floor": floor, "now": NOW}));
            browser.until("the floor", "document.querySelectorAll('.floor tbody tr').length === 60", || {});
            for key in keys {
                match *key {
                    "chosen" => drop(browser.read("document.querySelector('.floor tr[data-key=\"6601\"]').focus()")),
                    key => browser.press(key),
                }
            }
            seen(&mut browser, name, language);
            look::tabbed_through(&mut browser, name);
            browser.press("Escape");
        }
        browser.press("Alt+V");
        browser.until("the calls", "document.querySelectorAll('.calls tbody tr').length === 60", || {});
        seen(&mut browser, "recordings", language);
        browser.read("document.querySelector('.calls tbody tr').click()");
        browser.until("what was recorded", "document.querySelectorAll('.found audio').length === 2", || {});
        seen(&mut browser, "recordings-chosen", language);
        look::tabbed_through(&mut browser, "recordings-chosen");
        complaints.append(&mut browser.complaints);
    }
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn the_wallboard_is_read_from_afar_with_few_skills_and_with_many() {
    let server = started();
    let mut complaints = vec![];
    for language in ["zh", "en"] {
        for (name, board) in [("wallboard", board(5, true)), ("wallboard-many", board(10, false))] {
            let Some(mut browser) = open(&server, &json!({"/v1/wallboard": board}), language) else { return };
            browser.open(&format!("http://{}/wallboard.html#token=token-wall&lang={language}", server.hotline.pages()));
            browser.until("the figures", "document.querySelector('tbody td')", || {});
            seen(&mut browser, name, language);
            // Ten metres: a figure is an eightieth of the screen's height at least, and all of it is on the screen.
            let small = "[...document.querySelectorAll('.value, tbody td')].filter((one) => one.textContent && parseFloat(getComputedStyle(one).fontSize) * 0.7 < innerHeight / 80).length";
            assert_eq!(browser.read(small), 0, "{name} {language}");
            complaints.append(&mut browser.complaints);
        }
    }
    assert_eq!(complaints, Vec::<String>::new());
}
