//! What every store promises of the work on tickets (`rexian::cases::desk`), written once.

use crate::contract::{Fixture, Postgres, Sqlite};
use crate::support::{MORNING, eventually, id, ticket};
use rexian::cases::CaseStore;
use rexian::cases::desk::{Applied, CaseEvent, Desk, DeskError, Filter, Order};
use rexian::casework::words::*;
use rexian::casework::{Actor, Callback, Case, Categories, Command, Day, Entry, Fill, Post, Refusal, Rules, Tally};
use rexian::ids::CallId;
use rexian::ticket::NewTicket;
use rexian::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const BUREAU: &str = "市城管局";

fn rules() -> Arc<Rules> {
    let tree = "code,name,urgency,department\n01,城市管理,,市城管局\n01.01,路灯照明\n02,供水,,水务集团\n";
    let categories = Categories::parse(tree).unwrap();
    Arc::new(Rules { departments: categories.departments(), categories, ..Rules::default() })
}

fn desk<F: Fixture>(fixture: &F) -> Desk<F::Store> {
    Desk::new(fixture.open(), rules())
}

/// A store with tickets of these calls, picked up on Sunday 2026-11-22: they count from Monday.
async fn store<F: Fixture>(calls: std::ops::Range<u64>) -> F {
    let fixture = F::new().await;
    let batch: Vec<NewTicket> = calls.map(ticket).collect();
    fixture.open().open_tickets(&batch).await.unwrap();
    fixture
}

fn no(n: u64) -> String {
    format!("JN20261122{n:06}")
}

fn operator() -> Actor {
    Actor::new("6632", Post::Operator)
}

fn office() -> Actor {
    Actor::new("office", Post::HotlineOffice)
}

fn clerk(department: &str) -> Actor {
    Actor::new("wang", Post::Clerk { department: department.into() })
}

fn order(ticket_no: &str, command: Command) -> Order {
    Order { ticket_no: ticket_no.into(), command, expected: None, key: None }
}

fn fill(category: &str) -> Command {
    Command::FillIn(Box::new(Fill {
        kind: Some(Kind::Complaint),
        category: Some(category.into()),
        title: Some("路灯不亮".into()),
        content: Some("\"门口\"'路灯'\n三天不亮 📞".into()),
        name: Some("张三".into()),
        callback_no: Some("13800005678".into()),
        address: Some("某路1号".into()),
        ..Fill::default()
    }))
}

fn pass() -> Command {
    Command::Pass { lead: None, assisting: vec!["水务集团".into()], note: String::new() }
}

fn urge(note: impl Into<String>) -> Command {
    Command::Urge { note: note.into() }
}

async fn goes<S: rexian::cases::desk::tables::Tables>(
    desk: &Desk<S>,
    by: Actor,
    no: &str,
    command: Command,
) -> Applied {
    desk.apply(MORNING, &by, &order(no, command.clone())).await.unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// Down the chain to 办理中.
async fn in_hand<S: rexian::cases::desk::tables::Tables>(desk: &Desk<S>, no: &str, category: &str, department: &str) {
    let dispatch = Command::Dispatch { lead: None, assisting: None };
    goes(desk, operator(), no, fill(category)).await;
    goes(desk, operator(), no, Command::Accept).await;
    goes(desk, operator(), no, Command::Pass { lead: None, assisting: vec![], note: String::new() }).await;
    goes(desk, office(), no, dispatch).await;
    goes(desk, clerk(department), no, Command::SignFor).await;
    goes(desk, clerk(department), no, Command::Start).await;
}

async fn whole_history<S: rexian::cases::desk::tables::Tables>(desk: &Desk<S>, no: &str) -> Vec<CaseEvent> {
    desk.history(&office(), no, 0, 500).await.unwrap()
}

async fn all_events<S: rexian::cases::desk::tables::Tables>(desk: &Desk<S>) -> Vec<CaseEvent> {
    let mut all: Vec<CaseEvent> = vec![];
    loop {
        let more = desk.events(all.last().map_or(0, |e| e.seq), 7).await.unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

async fn a_ticket_lives_its_life_in_the_store<F: Fixture>() {
    let fixture = store::<F>(1..2).await;
    let (desk, no) = (desk(&fixture), no(1));
    assert_eq!(desk.get(&operator(), &no).await.unwrap().case.version, 0, "untouched");
    goes(&desk, operator(), &no, fill("01.01")).await;
    goes(&desk, operator(), &no, Command::Accept).await;
    goes(&desk, operator(), &no, pass()).await;
    goes(&desk, office(), &no, Command::Dispatch { lead: None, assisting: None }).await;
    goes(&desk, clerk(BUREAU), &no, Command::SignFor).await;
    goes(&desk, clerk(BUREAU), &no, Command::Start).await;
    goes(&desk, clerk(BUREAU), &no, Command::AskExtension { days: 2, reason: "等配件".into() }).await;
    let last = goes(&desk, office(), &no, Command::GrantExtension).await;
    assert_eq!(last.version, 9, "receipt and eight commands");

    let row = &fixture.rows().await[&id(1)];
    for (column, expected) in [
        ("status", Some("办理中")),
        ("type", Some("投诉")),
        ("category_1", Some("城市管理")),
        ("category_2", Some("路灯照明")),
        ("category_3", None),
        ("title", Some("路灯不亮")),
        ("content", Some("\"门口\"'路灯'\n三天不亮 📞")),
        ("caller_name", Some("张三")),
        ("disposition", Some("转办")),
        ("lead_department", Some(BUREAU)),
        ("assist_departments", Some("[\"水务集团\"]")),
        ("transfer_due", Some("2026-11-25")),
        ("return_due", Some("2026-11-25")),
        ("reply_due", Some("2026-11-30")),
        ("extended_to", Some("2026-12-02")),
        ("extended", Some("1")),
        ("overdue", Some("0")),
        ("due_on", Some("2026-12-02")),
        ("version", Some("9")),
        ("solved", None),
    ] {
        assert_eq!(row[column].as_deref(), expected, "{column}");
    }

    goes(&desk, clerk(BUREAU), &no, Command::Settle { result: "已修复".into() }).await;
    goes(&desk, office(), &no, Command::AskCallback).await;
    let heard =
        Callback::Reached { process: Satisfaction::Satisfied, result: Satisfaction::VerySatisfied, solved: true };
    goes(&desk, operator(), &no, Command::RecordCallback(heard)).await;
    goes(&desk, office(), &no, Command::Archive).await;
    let row = &fixture.rows().await[&id(1)];
    let outcome = ["status", "satisfaction_call", "satisfaction_result", "solved", "due_on", "alarm_on"];
    let outcome = outcome.map(|column| row[column].as_deref());
    assert_eq!(outcome, [Some("已归档"), Some("4"), Some("5"), Some("1"), None, None]);

    // What another handle reads is what the history says.
    let other = self::desk(&fixture);
    let entries: Vec<Entry> = whole_history(&other, &no).await.into_iter().map(|e| e.entry).collect();
    let told = Case::of(&entries).unwrap();
    assert_eq!(other.get(&office(), &no).await.unwrap().case, told);
    assert_eq!(told.version, 13);
}

async fn what_is_refused_or_late_changes_nothing<F: Fixture>() {
    let fixture = store::<F>(1..2).await;
    let (desk, no) = (desk(&fixture), no(1));
    goes(&desk, operator(), &no, fill("01.01")).await;
    let before = (fixture.rows().await, all_events(&desk).await);
    let refused = desk.apply(MORNING, &operator(), &order(&no, Command::Archive)).await.unwrap_err();
    assert!(matches!(refused, DeskError::Refused(Refusal::NotNow { .. })), "{refused}");
    let late = Order { expected: Some(1), ..order(&no, Command::Accept) };
    assert_eq!(desk.apply(MORNING, &operator(), &late).await, Err(DeskError::Conflict { version: 2 }));
    let nowhere = desk.apply(MORNING, &operator(), &order("JN20261122999999", Command::Accept)).await;
    assert_eq!(nowhere, Err(DeskError::NoSuchTicket));
    let strange = Command::FillIn(Box::new(Fill { repeat_of: Some("JN19990101000001".into()), ..Fill::default() }));
    let strange = desk.apply(MORNING, &operator(), &order(&no, strange)).await.unwrap_err();
    assert_eq!(strange, DeskError::Refused(Refusal::NotText { field: Field::RepeatOf }));
    assert_eq!((fixture.rows().await, all_events(&desk).await), before);
    let seen = Order { expected: Some(2), ..order(&no, Command::Accept) };
    assert_eq!(desk.apply(MORNING, &operator(), &seen).await.unwrap().version, 3);
}

async fn an_order_sent_again_is_answered_and_not_carried_out_again<F: Fixture>() {
    let fixture = store::<F>(1..3).await;
    let first = desk(&fixture);
    in_hand(&first, &no(1), "01.01", BUREAU).await;
    let keyed = Order { key: Some("催-1".into()), ..order(&no(1), urge("citizen called again")) };
    let mut senders = JoinSet::new();
    for _ in 0..8 {
        let (desk, keyed) = (desk(&fixture), keyed.clone());
        senders.spawn(async move { patient(&desk, &operator(), &keyed).await });
    }
    let answers = senders.join_all().await;
    assert_eq!(answers.iter().filter(|a| !a.again).count(), 1, "{answers:?}");
    assert_eq!(
        answers.iter().map(|a| (a.version, a.entries.clone())).collect::<Vec<_>>(),
        vec![(8, answers[0].entries.clone()); 8]
    );
    assert_eq!(first.get(&office(), &no(1)).await.unwrap().case.times.urged, 1);
    let other = Order { key: keyed.key.clone(), ..order(&no(1), urge("something else")) };
    assert_eq!(first.apply(MORNING, &operator(), &other).await, Err(DeskError::KeyReused));
    // The key is the sender's own.
    assert!(!first.apply(MORNING, &office(), &other).await.unwrap().again);
    let long = Order { key: Some("k".repeat(201)), ..keyed };
    assert!(matches!(first.apply(MORNING, &operator(), &long).await, Err(DeskError::BadRequest { .. })));
}

/// A busy store may send an order back; that it then still works is part of the promise.
async fn patient<S: rexian::cases::desk::tables::Tables>(desk: &Desk<S>, actor: &Actor, order: &Order) -> Applied {
    let mut tries = 0;
    loop {
        match desk.apply(MORNING, actor, order).await {
            Ok(applied) => return applied,
            Err(DeskError::Store(_)) if tries < 30 => tries += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

async fn twenty_writers_on_one_ticket_lose_and_double_nothing<F: Fixture>() {
    const EACH: usize = 4;
    let fixture = store::<F>(1..2).await;
    let (desk, no) = (desk(&fixture), no(1));
    in_hand(&desk, &no, "01.01", BUREAU).await;
    let mut writers = JoinSet::new();
    for w in 0..20 {
        let (desk, no) = (self::desk(&fixture), no.clone());
        writers.spawn(async move {
            let mut versions = vec![];
            for n in 0..EACH {
                versions.push(patient(&desk, &operator(), &order(&no, urge(format!("{w}-{n}")))).await.version);
            }
            versions
        });
    }
    let versions: BTreeSet<u32> = writers.join_all().await.into_iter().flatten().collect();
    assert_eq!(versions, (8..8 + 20 * EACH as u32).collect(), "each order made a version of its own");
    let history = whole_history(&desk, &no).await;
    assert_eq!(history.iter().map(|e| e.version).collect::<Vec<_>>(), (1..8 + 20 * EACH as u32).collect::<Vec<_>>());
    let notes: BTreeSet<String> = history
        .iter()
        .filter_map(|e| serde_json::to_value(&e.entry.change).unwrap()["note"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(notes.iter().filter(|n| n.contains('-')).count(), 20 * EACH);
    assert_eq!(desk.get(&office(), &no).await.unwrap().case.times.urged, 20 * EACH as u32);

    // All say what version they saw: one is carried out.
    let seen = desk.get(&office(), &no).await.unwrap().case.version;
    let mut writers = JoinSet::new();
    for w in 0..20 {
        let desk = self::desk(&fixture);
        let order = Order { expected: Some(seen), ..order(&no, urge(format!("again {w}"))) };
        writers.spawn(async move {
            loop {
                match desk.apply(MORNING, &operator(), &order).await {
                    Err(DeskError::Store(_)) => {}
                    other => return other,
                }
            }
        });
    }
    let done = writers.join_all().await;
    assert_eq!(done.iter().filter(|d| d.is_ok()).count(), 1, "{done:?}");
    let late = |d: &&Result<Applied, DeskError>| **d == Err(DeskError::Conflict { version: seen + 1 });
    assert_eq!(done.iter().filter(late).count(), 19);
}

/// A reader that follows the stream while eight write never misses a change and never sees one late.
async fn the_stream_of_changes_has_no_gaps_however_it_is_read<F: Fixture>() {
    const CALLS: u64 = 24;
    let fixture = F::new().await;
    // Each a citizen of its own, or there would be repeats.
    let citizen = |call| NewTicket { cli_e164: Some(format!("+86139{call:08}")), ..ticket(call) };
    fixture.open().open_tickets(&(0..CALLS).map(citizen).collect::<Vec<_>>()).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (desk, done) = (desk(&fixture), done.clone());
        tokio::spawn(async move {
            let mut seen: Vec<CaseEvent> = vec![];
            loop {
                let last_look = done.load(Ordering::SeqCst);
                match desk.events(seen.last().map_or(0, |e| e.seq), 5).await {
                    Ok(more) if more.is_empty() && last_look => return seen,
                    Ok(more) => seen.extend(more),
                    Err(DeskError::Store(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    };
    let mut writers = JoinSet::new();
    for w in 0..8 {
        let desk = desk(&fixture);
        writers.spawn(async move {
            for n in (1..=CALLS).filter(|n| n % 8 == w) {
                for command in [fill("01.01"), Command::Accept, pass()] {
                    patient(&desk, &operator(), &order(&no(n), command)).await;
                }
            }
        });
    }
    writers.join_all().await;
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    assert_eq!(seen.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=CALLS as i64 * 4).collect::<Vec<_>>());
    let mut versions: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for event in &seen {
        versions.entry(&event.ticket_no).or_default().push(event.version);
    }
    assert!(versions.values().all(|v| *v == [1, 2, 3, 4]), "the order of each ticket is kept: {versions:?}");
    let shown = format!("{seen:?}");
    assert!(!shown.contains("张三") && !shown.contains("三天不亮") && !shown.contains("13800005678"), "{shown}");
}

async fn nobody_is_seen_without_being_written_down<F: Fixture>() {
    let fixture = store::<F>(1..2).await;
    let (desk, no) = (desk(&fixture), no(1));
    in_hand(&desk, &no, "01.01", BUREAU).await;
    let masked = desk.get(&office(), &no).await.unwrap();
    assert_eq!(masked.opening.number.as_deref(), Some("+86138****5678"));
    assert_eq!(masked.case.matter.name, "张**");
    assert!(desk.audit(&office(), &no, 0, 100).await.unwrap().is_empty(), "a masked reading is none");
    let shown = format!("{:?}", whole_history(&desk, &no).await);
    assert!(!shown.contains("张三") && !shown.contains("13800005678"), "{shown}");

    for why in ["", "  ", "a\u{7}b"] {
        assert!(
            matches!(desk.reveal(MORNING, &office(), &no, why).await, Err(DeskError::BadRequest { .. })),
            "{why:?}"
        );
    }
    let full = desk.reveal(MORNING, &clerk(BUREAU), &no, "回复市民").await.unwrap();
    assert_eq!((full.case.matter.name.as_str(), full.opening.number.as_deref()), ("张三", Some("+8613800005678")));
    let confide = Command::FillIn(Box::new(Fill { confidential: Some(true), ..Fill::default() }));
    goes(&desk, operator(), &no, confide).await;
    for who in [clerk(BUREAU), Actor::new("6633", Post::Operator), Actor::new("eng", Post::PlatformEngineer)] {
        let refused = desk.reveal(MORNING, &who, &no, "看看").await.unwrap_err();
        assert!(matches!(refused, DeskError::Refused(Refusal::NotYours { .. })), "{who:?}: {refused}");
    }
    desk.reveal(MORNING + Duration::from_secs(60), &office(), &no, "督办核实").await.unwrap();
    let audit = desk.audit(&office(), &no, 0, 100).await.unwrap();
    let told: Vec<_> = audit.iter().map(|a| (a.actor.clone(), a.why.as_str(), a.at)).collect();
    assert_eq!(told, [(clerk(BUREAU), "回复市民", MORNING), (office(), "督办核实", MORNING + Duration::from_secs(60))]);
    assert_eq!(desk.audit(&office(), &no, audit[0].seq, 100).await.unwrap(), audit[1..]);
    assert!(desk.audit(&operator(), &no, 0, 100).await.is_err());
    assert_eq!(desk.get(&clerk("水务集团"), &no).await, Err(DeskError::NoSuchTicket), "another department's");
    let order = order(&no, Command::SignFor);
    assert_eq!(desk.apply(MORNING, &clerk("水务集团"), &order).await, Err(DeskError::NoSuchTicket));
}

async fn tickets_are_found_page_by_page<F: Fixture>() {
    let fixture = store::<F>(1..12).await;
    let desk = desk(&fixture);
    for n in 1..=6 {
        let (category, department) = if n % 2 == 0 { ("02", "水务集团") } else { ("01.01", BUREAU) };
        in_hand(&desk, &no(n), category, department).await;
    }
    let pages = async |actor: Actor, filter: Filter, limit: u32| {
        let (mut pages, mut after) = (vec![], None);
        loop {
            let page = desk.find(&actor, &filter, after, limit).await.unwrap();
            let last = |t: &rexian::casework::Ticket| t.opening.ticket_no[10..].parse::<u64>().unwrap();
            pages.push(page.tickets.iter().map(last).collect::<Vec<_>>());
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    };
    let all = Filter::default;
    assert_eq!(pages(office(), all(), 500).await, [vec![11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]);
    assert_eq!(pages(office(), all(), 4).await, [vec![11, 10, 9, 8], vec![7, 6, 5, 4], vec![3, 2, 1]]);
    let in_hand = Filter { stages: vec![Stage::InHand, Stage::Settled], ..all() };
    assert_eq!(pages(office(), in_hand, 4).await, [vec![6, 5, 4, 3], vec![2, 1]]);
    let water = Filter { department: Some("水务集团".into()), kind: Some(Kind::Complaint), ..all() };
    assert_eq!(pages(office(), water.clone(), 9).await, [vec![6, 4, 2]]);
    assert_eq!(pages(clerk("水务集团"), all(), 9).await, [vec![6, 4, 2]], "a clerk finds the department's own");
    assert_eq!(pages(clerk(BUREAU), water.clone(), 9).await, [Vec::<u64>::new()], "nor any other's");
    // Assisting, it finds them too; among its own, in one order, page by page.
    for n in [7, 8, 10] {
        goes(&desk, operator(), &no(n), fill("01.01")).await;
        goes(&desk, operator(), &no(n), Command::Accept).await;
        goes(&desk, operator(), &no(n), pass()).await;
    }
    assert_eq!(pages(clerk("水务集团"), all(), 4).await, [vec![10, 8, 7, 6], vec![4, 2]]);
    let lead = Filter { department: Some(BUREAU.into()), ..all() };
    assert_eq!(pages(clerk("水务集团"), lead, 9).await, [vec![10, 8, 7]]);
    let due = async |limit, after| {
        desk.due(&clerk("水务集团"), &all(), "2026-12-31".parse().unwrap(), after, limit).await.unwrap()
    };
    let first = due(4, None).await;
    let then = due(4, first.next).await;
    let both: BTreeSet<_> = first.tickets.iter().chain(&then.tickets).map(|t| t.opening.ticket_no.clone()).collect();
    assert_eq!((first.tickets.len(), both.len(), then.next), (4, 6, None));
    let number = Filter { number: Some("+8613800005678".into()), category: Some("02".into()), ..all() };
    assert_eq!(pages(operator(), number.clone(), 2).await, [vec![6, 4], vec![2]]);
    let watcher = Actor::new("platform", Post::PlatformEngineer);
    assert!(desk.find(&Actor::new("wall", Post::Wallboard), &all(), None, 9).await.is_err(), "a wall reads no tickets");
    assert!(desk.find(&watcher, &number, None, 9).await.is_err(), "who sees no numbers cannot ask by one");
    let found = desk.find(&watcher, &all(), None, 3).await.unwrap();
    assert!(!format!("{found:?}").contains("13800005678"));
    let none = Filter { received_before: Some(MORNING), test_call: Some(true), ..all() };
    assert_eq!(pages(office(), none, 9).await, [Vec::<u64>::new()]);
    // The same citizen and category: the second one to be accepted repeats the first.
    assert_eq!(desk.get(&office(), &no(3)).await.unwrap().case.repeat_of, Some(no(1)));
    let supervised = Filter { supervised: Some(true), ..all() };
    assert_eq!(pages(office(), supervised, 9).await, [vec![10, 8, 7, 6, 5, 4, 3]]);
}

/// At noon of the day in China.
fn noon(day: &str) -> Instant {
    day.parse::<Day>().unwrap().begins() + Duration::from_secs(12 * 3_600)
}

async fn each_deadline_is_raised_once_by_however_many_gateways<F: Fixture>() {
    let fixture = store::<F>(1..9).await;
    fixture.open().open_tickets(&[NewTicket { test_call: true, ..ticket(99) }]).await.unwrap();
    let first = desk(&fixture);
    let together = async |now: Instant| {
        let mut gateways = JoinSet::new();
        for _ in 0..3 {
            let desk = desk(&fixture);
            gateways.spawn(async move {
                let mut done = 0;
                // A busy SQLite may send one back.
                for _ in 0..10 {
                    done += desk.receive(now).await.unwrap_or(0) + desk.raise(now).await.unwrap_or(0);
                }
                done
            });
        }
        gateways.join_all().await.into_iter().sum::<u32>()
    };
    assert_eq!(together(noon("2026-11-22")).await, 9, "deadlines begin, once each");
    assert_eq!(together(noon("2026-11-25")).await, 0, "the last day is not over");
    in_hand(&first, &no(1), "01.01", BUREAU).await;
    let late = first.due(&office(), &Filter::default(), "2026-11-25".parse().unwrap(), None, 100).await.unwrap();
    assert_eq!(late.tickets.len(), 7, "the one that was passed on is due later, the test call never");
    assert_eq!(together(noon("2026-11-26")).await, 7);
    assert_eq!(together(noon("2026-11-27")).await, 0, "raised is raised");
    assert_eq!(together(noon("2026-12-01")).await, 8, "the reply is late for all");
    for n in 1..=8 {
        let missed: Vec<_> = whole_history(&first, &no(n))
            .await
            .into_iter()
            .filter(|e| format!("{:?}", e.entry.change).starts_with("Missed"))
            .collect();
        assert_eq!(missed.len(), if n == 1 { 1 } else { 2 }, "{n}: {missed:?}");
        let row = &fixture.rows().await[&id(n)];
        assert_eq!(
            [row["overdue"].as_deref(), row["supervised"].as_deref(), row["alarm_on"].as_deref()],
            [Some("1"), Some("1"), None]
        );
    }
    // The list goes on page by page, the most urgent first.
    let (mut days, mut after) = (vec![], None);
    loop {
        let page = first.due(&office(), &Filter::default(), "2026-12-31".parse().unwrap(), after, 3).await.unwrap();
        days.extend(page.tickets.iter().map(|t| t.case.due().unwrap().to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((days.len(), days.is_sorted(), days.last().map(String::as_str)), (8, true, Some("2026-11-30")));
    assert_eq!(
        first
            .due(&clerk(BUREAU), &Filter::default(), "2026-12-31".parse().unwrap(), None, 9)
            .await
            .unwrap()
            .tickets
            .len(),
        1
    );
}

async fn the_worker_finds_what_was_picked_up<F: Fixture>() {
    let fixture = F::new().await;
    let now = rexian::host::Clock::start();
    fixture.open().open_tickets(&[NewTicket { answered_at: now.now(), ..ticket(1) }]).await.unwrap();
    let worker = tokio::spawn(rexian::cases::desk::work(desk(&fixture), now));
    let reader = desk(&fixture);
    let look = async || reader.events(0, 10).await.unwrap_or_default().len();
    let mut seen = 0;
    for _ in 0..1_000 {
        seen = look().await;
        if seen > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(seen, 1, "its deadlines have begun");
    worker.abort();
    eventually("the worker is gone", || worker.is_finished()).await;
}

async fn a_dropped_order_leaves_the_ticket_whole<F: Fixture>() {
    let fixture = store::<F>(1..2).await;
    let (desk, no) = (desk(&fixture), no(1));
    in_hand(&desk, &no, "01.01", BUREAU).await;
    for polls in 0..40 {
        let order = order(&no, urge(format!("dropped {polls}")));
        let actor = operator();
        let mut attempt = std::pin::pin!(desk.apply(MORNING, &actor, &order));
        for _ in 0..polls {
            tokio::select! { biased; _ = &mut attempt => break, _ = tokio::time::sleep(Duration::from_micros(200)) => {} }
        }
    }
    let applied = patient(&desk, &operator(), &order(&no, urge("last"))).await;
    let case = desk.get(&office(), &no).await.unwrap().case;
    let history = whole_history(&desk, &no).await;
    assert_eq!((case.version, case.version as usize), (applied.version, history.len()));
    let urged = history.iter().filter(|e| format!("{:?}", e.entry.change).starts_with("Urged")).count();
    assert_eq!(case.times.urged as usize, urged);
    let seqs: Vec<i64> = all_events(&desk).await.iter().map(|e| e.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>());
}

async fn a_period_is_counted_from_the_histories<F: Fixture>() {
    let fixture = store::<F>(1..4).await;
    let desk = desk(&fixture);
    assert_eq!(desk.newest().await.unwrap(), 0);
    in_hand(&desk, &no(1), "01.01", BUREAU).await;
    desk.receive(noon("2026-11-22")).await.unwrap();
    assert_eq!(desk.raise(noon("2026-11-26")).await.unwrap(), 2, "nobody has passed on the other two");
    let tally = async |from: &str, until: &str| desk.tally(&(noon(from)..noon(until))).await.unwrap().transferred;
    let whole = tally("2026-11-21", "2026-11-30").await;
    assert_eq!((whole.part, whole.of), (1, 3));
    let after = tally("2026-11-24", "2026-11-30").await;
    assert_eq!((after.part, after.of), (0, 2), "what was kept before the period decides, and does not count");
    assert_eq!(desk.tally(&(noon("2027-01-01")..noon("2027-02-01"))).await.unwrap(), Tally::default());
    assert_eq!(desk.newest().await.unwrap(), all_events(&desk).await.last().unwrap().seq);
}

/// Lives of several lengths, counted as it is written, and from the histories as before there were such counts.
async fn what_is_counted_as_it_is_written_is_what_the_histories_say<F: Fixture>() {
    let fixture = store::<F>(1..9).await;
    let desk = desk(&fixture);
    let at = |day: u64, hour: u64| Instant(noon(&format!("2026-11-{day:02}")).0 + hour * 3_600_000_000);
    let rated = [Satisfaction::VerySatisfied, Satisfaction::Fair, Satisfaction::Dissatisfied];
    for (n, rating) in (1..9).zip(rated.into_iter().cycle()) {
        in_hand(&desk, &no(n), "01.01", BUREAU).await;
        if n % 2 == 0 {
            let call =
                CallId(u64::from_str_radix(&desk.get(&office(), &no(n)).await.unwrap().opening.call_id, 16).unwrap());
            assert_eq!(desk.rate(at(23, n), call, rating).await, Ok(true));
            assert_eq!(desk.rate(at(24, n), call, Satisfaction::Fair).await, Ok(true), "told twice, it is there once");
            assert_eq!(desk.get(&office(), &no(n)).await.unwrap().case.rating, Some(rating));
        }
        let confide = Command::FillIn(Box::new(Fill { confidential: Some(true), ..Fill::default() }));
        let settled = Command::Settle { result: "修好了".into() };
        let heard =
            Command::RecordCallback(Callback::Reached { process: rating, result: Satisfaction::Fair, solved: true });
        let later = [
            (22 + n, operator(), confide),
            (23 + n % 5, office(), settled),
            (24 + n % 5, operator(), Command::AskCallback),
        ];
        for (day, who, command) in later.into_iter().chain([(25 + n % 5, operator(), heard)]).take(n as usize % 5) {
            desk.apply(at(day, n), &who, &order(&no(n), command)).await.unwrap();
        }
    }
    assert_eq!(
        desk.rate(at(23, 0), CallId(0xDEAD_BEEF), Satisfaction::Fair).await,
        Ok(false),
        "no such ticket, or not yet"
    );
    desk.raise(noon("2026-12-20")).await.unwrap();
    let periods = [("2026-11-01", "2027-01-31"), ("2026-11-23", "2026-11-25"), ("2026-11-25", "2026-12-31")];
    let mut counted = vec![];
    for (from, until) in periods {
        counted.push(desk.tally(&(noon(from)..noon(until))).await.unwrap());
    }
    assert_eq!(counted[0].satisfied_with_call, rexian::casework::Share { part: 3, of: 4 });
    assert!(counted[0].confidential > 0 && counted[0].reached.of > 0 && counted[0].replied.of > 3, "{:?}", counted[0]);
    // Some of it from before, then all: the same, and the course of what goes on is found again.
    for forgotten in ["UPDATE case_events SET counts = NULL WHERE version > 3", "UPDATE case_events SET counts = NULL"]
    {
        fixture.execute(forgotten).await;
        for ((from, until), counted) in periods.into_iter().zip(&counted) {
            assert_eq!(desk.tally(&(noon(from)..noon(until))).await.as_ref(), Ok(counted), "{from} {forgotten}");
        }
    }
}

/// After their days are over.
async fn a_ticket_says_that_its_recordings_are_deleted_and_keeps_their_hash<F: Fixture>() {
    let fixture = store::<F>(1..3).await;
    let desk = desk(&fixture);
    let call = CallId(u64::from_str_radix(&desk.get(&office(), &no(1)).await.unwrap().opening.call_id, 16).unwrap());
    assert_eq!(desk.recordings_of(call).await, Ok(None));
    assert_eq!(desk.refer_to_recordings(call, &["ab".into(), "cd".into()]).await, Ok(true));
    let gone = noon("2027-06-01");
    let calls = [call, CallId(0xDEAD_BEEF)];
    assert_eq!(desk.forgets_recordings(gone, &calls, "their time is over").await, Ok(1));
    assert_eq!(desk.forgets_recordings(noon("2027-06-02"), &calls, "again").await, Ok(0), "once");
    let says = desk.recordings_of(call).await.unwrap().unwrap();
    assert_eq!((&*says.recording_sha256, says.recording_deleted_at), ("ab cd", Some(gone.as_unix_millis())));
    let audit = desk.audit(&office(), &no(1), 0, 10).await.unwrap();
    let [entry] = &audit[..] else { panic!("{audit:?}") };
    assert_eq!((entry.at, &*entry.why, entry.actor.role()), (gone, "their time is over", Role::System));
}

macro_rules! promises {
    ($($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $test() { super::$test::<super::Sqlite>().await })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $test() {
                if <super::Postgres as super::Fixture>::available() {
                    super::$test::<super::Postgres>().await
                }
            })*
        }
    };
}

promises!(
    a_ticket_lives_its_life_in_the_store,
    what_is_refused_or_late_changes_nothing,
    an_order_sent_again_is_answered_and_not_carried_out_again,
    twenty_writers_on_one_ticket_lose_and_double_nothing,
    the_stream_of_changes_has_no_gaps_however_it_is_read,
    nobody_is_seen_without_being_written_down,
    tickets_are_found_page_by_page,
    each_deadline_is_raised_once_by_however_many_gateways,
    the_worker_finds_what_was_picked_up,
    a_dropped_order_leaves_the_ticket_whole,
    a_period_is_counted_from_the_histories,
    what_is_counted_as_it_is_written_is_what_the_histories_say,
    a_ticket_says_that_its_recordings_are_deleted_and_keeps_their_hash,
);
