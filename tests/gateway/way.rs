//! How callers come to their queue without a menu, and what they hear on the way.

use crate::world::{World, invite};
use rexian::call::announcement;
use rexian::config::settings::{
    Announce, AnswerMode, Closed, CoreSettings, Hours, LanguageChoice, LanguageSettings, LineSettings, Overflow,
    QueueSettings,
};
use rexian::event::{AgentState, CallFact, EndCause, RememberedCaller};
use rexian::gateway::{Command, Input};
use rexian::ids::Skill;
use rexian::ivr::spoken;
use rexian::sim::ua::{Cli, Plan, Reaction};
use rexian::time::Instant;
use std::time::Duration;

const CITIZEN: &str = "053187654321";
const ABROAD: &str = "0081312345678";

/// The city's line with every way to a language but the menu: English by 2, Japanese by 3.
pub fn city(core: &mut CoreSettings) {
    let language = |tag: &str, queue: &str, countries: &[&str], key| LanguageSettings {
        tag: tag.into(),
        queue: queue.into(),
        countries: countries.iter().map(|c| (*c).to_owned()).collect(),
        key: Some(key),
        invitation: Some(format!("invitation-{tag}").into()),
    };
    core.languages = vec![language("en", "english", &["1", "44"], '2'), language("ja", "japanese", &["81"], '3')];
    let choice = LanguageChoice { by_country: true, remembered: true, by_key: true };
    core.lines = vec![LineSettings { choice, ..line("city", "12345") }];
}

fn line(name: &str, number: &str) -> LineSettings {
    LineSettings::of_queue(name, "mandarin".into(), [number.to_owned()].into())
}

fn queue<'a>(core: &'a mut CoreSettings, name: &str) -> &'a mut QueueSettings {
    core.queues.iter_mut().find(|queue| queue.name.as_str() == name).expect("a queue of the demo")
}

fn shown(number: &str) -> Cli {
    Cli::Shown(number.into())
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Nobody answers: only the way is looked at.
fn calls(world: &mut World, dnis: &str, cli: Cli) -> Vec<String> {
    world.call_as(dnis, cli, seconds(10), seconds(1));
    world.run(seconds(1));
    let way = world.story();
    world.until(seconds(20), |w| w.ended().is_some());
    way
}

#[test]
fn a_line_has_its_own_greeting_and_tenant_and_marks_test_calls() {
    let mut world = World::new(1, |core| {
        let (tenant, greeting) = (Some("province".into()), Some("greeting-taxi".into()));
        core.lines = vec![LineSettings { tenant, greeting, test: true, ..line("taxi", "053166609999") }];
    });
    world.call_as("66609999", shown(CITIZEN), seconds(60), seconds(20));
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), "greeting-taxi>music");
    let CallFact::Arrived { line, tenant, test_call, .. } = &world.facts[0] else { panic!("{:?}", world.facts) };
    assert_eq!((line.as_ref().map(|l| l.as_str()), tenant.as_str(), *test_call), (Some("taxi"), "province", true));
    world.until(seconds(60), |w| w.ended().is_some());
    let ticket = &world.tickets[0];
    assert_eq!((ticket.tenant.as_str(), ticket.test_call), ("province", true));
    assert_eq!(ticket.route, "line taxi: mandarin; 6601");
    // A queue's own numbers are a line too, on the service's terms.
    world.call_as("12345", shown(CITIZEN), seconds(60), seconds(20));
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), "greeting>music");
    let CallFact::Arrived { line, tenant, test_call, .. } = &world.facts[0] else { panic!("{:?}", world.facts) };
    assert_eq!((line.as_ref().map(|l| l.as_str()), tenant.as_str(), *test_call), (Some("mandarin"), "default", false));
}

#[test]
fn the_number_called_then_the_country_lead_to_a_language() {
    let mut world = World::of(&[], city);
    for (dnis, cli, way) in [
        ("12345", shown(CITIZEN), "queued mandarin line"),
        ("12345", shown(ABROAD), "queued japanese country"),
        ("66601002", shown(ABROAD), "queued english line"),
        // Who withholds the number is not looked into.
        ("12345", Cli::Withheld(ABROAD.into()), "queued mandarin line"),
        ("12345", Cli::Absent, "queued mandarin line"),
    ] {
        assert_eq!(calls(&mut world, dnis, cli.clone()), [way], "{dnis} {cli:?}");
    }
    world.call_as("12345", shown(ABROAD), seconds(10), seconds(1));
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), "greeting-ja+invitation-en+invitation-ja>music");
}

#[test]
fn callers_are_led_to_the_language_and_the_agent_that_served_them_last() {
    // Seats of 6601 (Mandarin), 6606 and 6607 (English).
    let mut world = World::of(&[0, 5, 6], |core| {
        city(core);
        for agent in &mut core.agents[5..7] {
            agent.skills.remove(&Skill::new("mandarin"));
        }
        queue(core, "english").prefer_last_agent = true;
        queue(core, "english").wrap_up = Duration::ZERO;
    });
    let mut serve = |dnis: &str, cli: Cli| {
        world.call_as(dnis, cli, seconds(60), seconds(20));
        world.until(seconds(60), |w| w.ended().is_some());
        world.run(seconds(60));
        world.restart();
        world.story()
    };
    assert_eq!(serve("66601002", shown(CITIZEN)), ["queued english line", "answered 6606", "caller_hangup"]);
    // 6607 is idle longer now.
    assert_eq!(serve("12345", shown(CITIZEN)), ["queued english remembered", "answered 6606", "caller_hangup"]);
    assert_eq!(
        serve("12345", Cli::Withheld(CITIZEN.into())),
        ["queued mandarin line", "answered 6601", "caller_hangup"]
    );
    // Being served in Mandarin without a number has changed nothing.
    assert_eq!(serve("12345", shown(CITIZEN)), ["queued english remembered", "answered 6606", "caller_hangup"]);
    assert_eq!(serve("66601002", shown("13812345678")), ["queued english line", "answered 6607", "caller_hangup"]);
    assert_eq!(world.tickets.last().unwrap().route, "line 12345: english; 6607".replace("12345", "+8653166601002"));
}

#[test]
fn callers_known_to_the_case_store_are_remembered_from_the_start() {
    let mut world = World::of(&[], city);
    let at = Instant::from_unix_secs(1_790_000_000);
    let number = "+8653187654321".to_owned();
    world.feed(Input::Remembered(vec![RememberedCaller { number, agent: "6606".into(), queue: "english".into(), at }]));
    assert_eq!(calls(&mut world, "12345", shown(CITIZEN)), ["queued english remembered"]);
}

#[test]
fn a_silent_key_moves_a_caller_by_rtp_event_and_by_info() {
    let mut world = World::of(&[], city);
    world.call(seconds(20), seconds(1));
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), "greeting+invitation-en+invitation-ja>music");
    world.caller_presses('7');
    assert_eq!(world.caller_hears(), "music", "any key ends the invitations");
    world.restart();
    world.caller_presses('2');
    assert_eq!(world.caller_hears(), format!("{}>music", spoken::please_wait("en").join("+")));
    world.caller_presses('2');
    world.caller_sends_info('3');
    assert_eq!(world.story(), ["queued mandarin line", "moved english key", "moved japanese key"]);
    // Idle play comes to an end, for the record's sake.
    for key in "23".repeat(20).chars() {
        world.caller_presses(key);
    }
    assert_eq!(world.story().len(), 1 + 8);
    world.feed(Input::EndCalls);
    world.nothing_is_left();
}

#[test]
fn keys_mean_nothing_on_lines_without_the_choice() {
    let mut world = World::of(&[], |core| {
        city(core);
        core.lines[0].choice = LanguageChoice::default();
    });
    world.call(seconds(20), seconds(1));
    world.run(seconds(1));
    world.caller_presses('2');
    assert_eq!(world.caller_hears(), "greeting>music");
    assert_eq!(world.story(), ["queued mandarin line"]);
}

#[test]
fn a_key_pressed_while_a_seat_rings_counts_when_nobody_picks_up() {
    let mut world = World::new(1, city);
    let never = Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None };
    world.phones[0].0.set_plan(never);
    world.call(seconds(60), seconds(1));
    world.until(seconds(5), |w| w.state(0) == AgentState::Reserved);
    world.caller_presses('2');
    assert_eq!(world.story(), ["queued mandarin line"]);
    world.run(seconds(25));
    assert_eq!(world.story(), ["queued mandarin line", "moved english key"]);
}

#[test]
fn out_of_hours_the_caller_is_told_so_and_pays_nothing() {
    let mut world = World::of(&[], |core| {
        core.trunks[0].profile.answer = AnswerMode::OnPickup;
        core.lines = vec![LineSettings { hours: Some(Hours::default()), ..line("city", "12345") }];
    });
    world.call(seconds(60), seconds(1));
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), format!("{}>Silence", spoken::closed("zh-CN").join("+")));
    world.restart();
    world.play_ends();
    world.run(seconds(1));
    assert_eq!(world.story(), ["closed"]);
    let responses: Vec<&str> = world.to_caller.iter().filter_map(|m| m.get(8..11)).collect();
    assert_eq!(responses, ["100", "183", "480"]);
    world.nothing_is_left();
}

#[test]
fn out_of_hours_another_queue_may_serve() {
    let mut world = World::of(&[], |core| {
        let closed = Closed::Queue("dialect".into());
        core.lines = vec![LineSettings { hours: Some(Hours::default()), closed, ..line("city", "12345") }];
    });
    assert_eq!(calls(&mut world, "12345", shown(CITIZEN)), ["queued dialect closed"]);
}

#[test]
fn who_hangs_up_during_the_notice_was_served_without_a_ticket() {
    let mut world = World::new(1, |core| {
        core.lines = vec![LineSettings { notice: Some("notice".into()), ..line("city", "12345") }];
    });
    world.call(seconds(5), seconds(1));
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), "notice>Silence");
    world.until(seconds(10), |w| w.ended().is_some());
    assert_eq!((world.ended(), world.tickets.len()), (Some(EndCause::Deflected), 0));
    assert_eq!(world.state(0), AgentState::Ready);
    world.nothing_is_left();
}

#[test]
fn a_notice_costs_no_place_and_no_service_level() {
    let mut world = World::of(&[], |core| {
        core.lines = vec![LineSettings { notice: Some("notice".into()), ..line("city", "12345") }];
        queue(core, "mandarin").numbers = ["66601000".to_owned()].into();
    });
    world.call(seconds(30), seconds(1));
    world.run(seconds(4));
    // Another citizen calls later, on a line without a notice, and is in line at once.
    let other = String::from_utf8(invite(1)).unwrap().replacen("sip:12345@", "sip:66601000@", 1);
    world.other_sends(other.as_bytes());
    world.play_ends();
    let positions: Vec<usize> = world
        .facts
        .iter()
        .filter_map(|f| if let CallFact::Queued { position, .. } = f { Some(*position) } else { None })
        .collect();
    assert_eq!(positions, [1, 1], "the one who came first stands in front");
    assert_eq!(world.caller_hears(), "greeting>music");
    world.until(seconds(40), |w| w.ended().is_some());
    let wait = world.facts.iter().find_map(|f| if let CallFact::Ended { wait, .. } = f { Some(*wait) } else { None });
    assert_eq!(wait, Some(seconds(26)), "the clock starts when the caller is queued");
}

#[test]
fn a_full_queue_passes_callers_on_each_queue_once() {
    let full = |core: &mut CoreSettings, name: &str, next: &str| {
        let queue = queue(core, name);
        queue.max_waiting = 0;
        queue.overflow = Some(Overflow { queue: next.into(), after: None });
    };
    let mut world = World::of(&[], |core| {
        full(core, "mandarin", "dialect");
        full(core, "dialect", "english");
    });
    assert_eq!(calls(&mut world, "12345", shown(CITIZEN)), ["queued english full"]);
    let mut world = World::of(&[], |core| {
        full(core, "mandarin", "dialect");
        full(core, "dialect", "mandarin");
    });
    world.call(seconds(10), seconds(1));
    world.run(seconds(1));
    assert_eq!(world.story(), ["queue_full"]);
    assert!(world.to_caller.iter().any(|m| m.starts_with("SIP/2.0 486")), "refused before an answer");
    world.nothing_is_left();
}

#[test]
fn a_queue_nobody_has_the_skill_for_passes_callers_on() {
    let mut world = World::of(&[], |core| {
        for agent in &mut core.agents {
            agent.skills.remove(&Skill::new("dialect"));
        }
        let queue = queue(core, "dialect");
        queue.overflow = Some(Overflow { queue: "mandarin".into(), after: None });
    });
    assert_eq!(calls(&mut world, "66601001", shown(CITIZEN)), ["queued mandarin no_agents"]);
}

#[test]
fn who_waits_long_goes_on_to_the_next_queue_but_not_in_circles() {
    let mut world = World::of(&[], |core| {
        for (name, next) in [("mandarin", "dialect"), ("dialect", "mandarin")] {
            queue(core, name).overflow = Some(Overflow { queue: next.into(), after: Some(seconds(20)) });
        }
    });
    world.call(seconds(100), seconds(1));
    world.run(seconds(19));
    assert_eq!(world.story(), ["queued mandarin line"]);
    world.restart();
    world.run(seconds(80));
    assert_eq!(world.story(), ["queued mandarin line", "moved dialect overflow"]);
}

#[test]
fn who_waits_is_told_the_place_at_the_interval_until_an_agent_is_there() {
    let mut world = World::new(1, |core| {
        queue(core, "mandarin").announce = Announce { every: Some(seconds(30)), position: true, estimate: false };
    });
    let now = world.now;
    world.phones[0].0.dial(now, "*141");
    world.run(seconds(5));
    world.call(seconds(300), seconds(300));
    world.run(seconds(10));
    world.play_ends();
    world.run(seconds(19));
    assert_eq!(world.story(), ["queued mandarin line"]);
    world.run(seconds(2));
    assert_eq!(world.caller_hears(), format!("{}>music", spoken::position("zh-CN", 1).join("+")));
    world.restart();
    world.play_ends();
    world.run(seconds(30));
    assert_eq!(world.story(), ["queued mandarin line", "announced 1", "announced 1"]);
    let now = world.now;
    world.phones[0].0.dial(now, "*13");
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
    assert_eq!(world.caller_hears(), format!("{}>the other side", announcement(&"6601".into()).join("+")));
    world.run(seconds(120));
    assert_eq!(world.story(), ["queued mandarin line", "announced 1", "announced 1", "answered 6601"]);
}

#[test]
fn a_supervisor_moves_a_waiting_caller() {
    let mut world = World::of(&[], |_| {});
    world.call(seconds(20), seconds(1));
    world.run(seconds(1));
    let call = world.last_call();
    for queue in ["nowhere", "english"] {
        let (queue, by) = (queue.into(), "6600".into());
        world.feed(Input::Command(Command::MoveCall { call, queue, by }));
    }
    assert_eq!(world.story(), ["queued mandarin line", "moved english supervisor"]);
}
