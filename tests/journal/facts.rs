//! Facts folded from the event log: each figure of a report counted a second time in SQL from the raw events; folded in
//! pieces, through kill -9 and by two at once, and still equal to the whole; holes and deaths said, not smoothed over.

use super::day;
use super::{CHILD, at, fact, until};
use rexian::event::{CallEvent, CallFact, EndCause, Purpose, Why};
use rexian::ids::CallId;
use rexian::record::{Ending, Lost};
use rexian::report::{Period, Report, Terms, gather};
use rexian::sla::{WINDOW, Window};
use rexian::store::facts::{Broken, FactsOptions, FactsReader, Live, MarkKind, Told, catch_up, rebuild, start};
use rexian::store::journal::{Entry, JournalOptions, write_all};
use rexian::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

struct Sql {
    runtime: tokio::runtime::Runtime,
    conn: SqliteConnection,
}

impl Sql {
    fn open(path: &Path) -> Sql {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let conn = runtime.block_on(SqliteConnectOptions::new().filename(path).connect()).unwrap();
        Sql { runtime, conn }
    }

    fn rows<T>(&mut self, query: &str, mut of: impl FnMut(&sqlx::sqlite::SqliteRow) -> T) -> Vec<T> {
        let rows = self.runtime.block_on(self.conn.fetch_all(AssertSqlSafe(query.to_owned()))).unwrap();
        rows.iter().map(&mut of).collect()
    }

    fn number(&mut self, query: &str) -> u64 {
        self.rows(query, |row| row.get::<i64, _>(0) as u64)[0]
    }
}

fn report_of(facts: &Path, date: &str, terms: Terms) -> Report {
    let period = Period::day(date.parse().unwrap(), terms.utc_offset);
    gather(&mut FactsReader::open(facts).unwrap(), period, terms).unwrap().unwrap()
}

/// One row a request, from the raw events alone: when, which queue, how long until an agent, how it ended.
const REQUESTS: &str = "CREATE TEMP TABLE requests AS SELECT q.call AS call, q.at_us AS at, q.what ->> '$.Queued.queue' AS queue,
        (SELECT (a.what ->> '$.Answered.wait.secs') * 1000000000 + (a.what ->> '$.Answered.wait.nanos') FROM events a
            WHERE a.call = q.call AND a.what ->> '$.Answered' IS NOT NULL) AS wait,
        (SELECT e.what ->> '$.Ended.cause' FROM events e WHERE e.call = q.call AND e.what ->> '$.Ended' IS NOT NULL) AS cause,
        (SELECT e.at_us FROM events e WHERE e.call = q.call AND e.what ->> '$.Ended' IS NOT NULL) AS ended
    FROM events q WHERE q.what ->> '$.Queued' IS NOT NULL
    UNION ALL SELECT e.call, e.at_us, e.what ->> '$.Ended.queue', NULL, e.what ->> '$.Ended.cause', e.at_us
    FROM events e WHERE e.what ->> '$.Ended.cause' IN ('QueueFull', 'NoAgents')
        AND NOT EXISTS (SELECT 1 FROM events q WHERE q.call = e.call AND q.what ->> '$.Queued' IS NOT NULL)";

#[test]
fn the_days_figures_are_those_of_a_recount_in_sql() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let scene = day::scene(1_500, 4);
    day::write(&log, &day::events(&scene, 3));
    catch_up(&log, &facts).unwrap();
    let mut terms = Terms::usual();
    terms.within = scene.settings.queues.iter().map(|q| (q.name.clone(), q.within)).collect();
    let report = report_of(&facts, "2026-11-22", terms);

    let mut sql = Sql::open(&log);
    sql.rows(REQUESTS, |_| ());
    // Some talk on after midnight; they count today. None was asked for tomorrow.
    let count = |sql: &mut Sql, which: &str| sql.number(&format!("SELECT count(*) FROM requests WHERE {which}"));
    let c = &report.total.counters;
    let lost = |cause: EndCause| c.lost.get(&cause).copied().unwrap_or(0);
    for (what, counted, which) in [
        ("offered", c.offered, "1"),
        ("answered", c.answered, "wait IS NOT NULL"),
        ("within 15", c.answered_within, "wait <= 15000000000"),
        ("queued", lost(EndCause::AbandonedInQueue), "wait IS NULL AND cause = 'AbandonedInQueue'"),
        ("ringing", lost(EndCause::AbandonedRinging), "wait IS NULL AND cause = 'AbandonedRinging'"),
        ("short", c.short_abandons(), "wait IS NULL AND cause = 'ShortAbandon'"),
        ("timeout", c.timed_out(), "wait IS NULL AND cause = 'QueueTimeout'"),
        ("full", c.refused(), "wait IS NULL AND cause = 'QueueFull'"),
    ] {
        assert!(counted > 0, "the day has none: {what}");
        assert_eq!(counted, count(&mut sql, which), "{what}");
    }
    assert_eq!(c.answered_wait.as_nanos() as u64, sql.number("SELECT sum(wait) FROM requests"));
    let talk =
        "SELECT sum((what ->> '$.Ended.talk.secs') * 1000000 + (what ->> '$.Ended.talk.nanos') / 1000) FROM events
        WHERE what ->> '$.Ended' IS NOT NULL";
    assert_eq!(c.talk.as_micros() as u64, sql.number(talk));
    for level in &report.total.levels {
        let n = level.n.as_nanos();
        assert_eq!(level.answered, count(&mut sql, &format!("wait <= {n}")), "{n}");
        let abandoned = "'AbandonedInQueue', 'AbandonedRinging', 'ShortAbandon'";
        let which = format!("wait IS NULL AND cause IN ({abandoned}) AND (ended - at) * 1000 <= {n}");
        assert_eq!(level.abandoned, count(&mut sql, &which), "{n}");
    }
    for (index, slot) in report.half_hours.iter().enumerate() {
        let here = format!("(at / 1800000000 + 16) % 48 = {index}");
        assert_eq!(slot.part.counters.offered, count(&mut sql, &here), "half hour {index}");
        let answered = count(&mut sql, &format!("{here} AND wait IS NOT NULL"));
        assert_eq!(slot.part.counters.answered, answered, "half hour {index}");
    }
    for (queue, part) in &report.queues {
        assert_eq!(part.counters.offered, count(&mut sql, &format!("queue = '{queue}'")), "{queue}");
        let answered = count(&mut sql, &format!("queue = '{queue}' AND wait IS NOT NULL"));
        assert_eq!(part.counters.answered, answered, "{queue}");
    }
    assert_eq!(report.trunks[&"carrier".into()].counters, report.total.counters);

    // Agents: pickups and missed offers of the day, and every second between midnights is in one state.
    let day_end = day::MIDNIGHT + WINDOW;
    let per_agent = |sql: &mut Sql, fact: &str| -> BTreeMap<String, u64> {
        let query = format!(
            "SELECT agent, count(*) FROM events WHERE what ->> '$.{fact}' IS NOT NULL AND at_us < {} GROUP BY agent",
            day_end.0
        );
        sql.rows(&query, |row| (row.get(0), row.get::<i64, _>(1) as u64)).into_iter().collect()
    };
    let (answered, offered) = (per_agent(&mut sql, "Answered"), per_agent(&mut sql, "Offered"));
    for (agent, row) in &report.agents {
        assert_eq!(row.offered, offered[agent.as_str()], "{agent}");
        assert_eq!(row.calls, answered[agent.as_str()], "{agent}");
        assert_eq!(row.staff.signed_in(), WINDOW, "{agent} is at work around the clock");
    }
    let missed = "SELECT count(*) FROM events WHERE what ->> '$.OfferEnded.why' = 'NoAnswer'";
    assert_eq!(report.agents.values().map(|row| row.missed).sum::<u64>(), sql.number(missed));

    // Every window that could be chosen, by brute force over the moments of requests and their leaving.
    let not_judged = "SELECT at, wait IS NOT NULL FROM requests WHERE wait IS NOT NULL OR cause IN
        ('AbandonedInQueue', 'AbandonedRinging', 'ShortAbandon', 'QueueTimeout', 'QueueFull', 'NoAgents')";
    let requests = sql.rows(not_judged, |row| (Instant(row.get::<i64, _>(0) as u64), row.get::<bool, _>(1)));
    let moments = requests.iter().map(|(at, _)| *at).filter(|at| *at < day_end);
    let rates = moments.map(|ends| {
        let inside = requests.iter().filter(|(at, _)| *at <= ends && *at + WINDOW > ends);
        let (all, answered) = inside.fold((0, 0), |(r, a), (_, yes)| (r + 1, a + u64::from(*yes)));
        (answered as f64 / all as f64, Window { ends, requests: all, answered })
    });
    let lowest = rates.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    assert_eq!(report.worst.unwrap().rate(), lowest.0);
}

/// Folding after every few events gives what folding once gives, byte for byte.
#[test]
fn facts_folded_in_pieces_are_equal_to_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let events = day::events(&day::scene(150, 2), 5);
    for piece in events.chunks(37) {
        day::write(&log, piece);
        catch_up(&log, &facts).unwrap();
    }
    let rebuilt = rebuild(&log, &facts, &dir.path().join("again.db"), false).unwrap();
    assert_eq!(rebuilt.differences, []);
    assert!(rebuilt.calls > 100 && rebuilt.quarters > 100, "{rebuilt:?}");

    // And it does notice.
    let mut sql = Sql::open(&facts);
    sql.rows(
        "UPDATE calls SET record = json_set(record, '$.dst', '110') WHERE call = (SELECT min(call) FROM calls)",
        |_| (),
    );
    sql.rows("UPDATE agent_time SET us = us + 1 WHERE cell = (SELECT max(cell) FROM agent_time)", |_| ());
    let again = || rebuild(&log, &facts, &dir.path().join("again2.db"), true).unwrap();
    let found = again().differences;
    assert!(found.len() >= 2, "{found:?}");
    std::fs::remove_file(dir.path().join("again2.db")).unwrap();
    assert_eq!(again().differences, [], "what the log says was put in place");
}

fn traffic(call: u64) -> Vec<CallEvent> {
    let (queue, skill) = ("a".into(), "mandarin".into());
    let arrived = CallFact::Arrived {
        trunk: "unicom".into(),
        dnis: "12345".into(),
        cli: None,
        sip_call_id: "x".into(),
        test_call: false,
        tenant: "jinan".into(),
        line: None,
        purpose: Purpose::Inbound,
    };
    let wait = Duration::from_millis(call % 30_000);
    let (agent, seat, zero) = ("6606".into(), "801".into(), Duration::ZERO);
    let facts = [
        arrived,
        CallFact::Queued { queue, skill, position: 1, why: Why::Line },
        CallFact::Answered { agent, seat, queue: "a".into(), wait, ring: zero, spooled: true },
        CallFact::Ended {
            cause: EndCause::CallerHangUp,
            queue: Some("a".into()),
            skill: None,
            wait,
            talk: zero,
            hold: zero,
        },
    ];
    facts.map(|what| fact(call, call, what)).into()
}

#[test]
fn kill_9_of_the_folding_counts_nothing_twice_and_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "facts::folding_child", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        for _ in 0..(1 + round % 3) {
            lines.by_ref().find(|line| line.starts_with("written ")).expect("the child ended");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    catch_up(&log, &facts).unwrap();
    let rebuilt = rebuild(&log, &facts, &dir.path().join("again.db"), false).unwrap();
    assert_eq!(rebuilt.differences, []);
    let mut raw = Sql::open(&log);
    let arrived = raw.number("SELECT count(DISTINCT call) FROM events");
    let ended = raw.number("SELECT count(*) FROM events WHERE what ->> '$.Ended' IS NOT NULL");
    let mut sql = Sql::open(&facts);
    assert_eq!(sql.number("SELECT count(*) FROM calls"), arrived);
    let over = "SELECT count(*) FROM calls WHERE record ->> '$.ending.Cause' = 'CallerHangUp'";
    assert_eq!(sql.number(over), ended);
    let died = sql.number("SELECT count(*) FROM calls WHERE record ->> '$.ending.Lost' = 'Process'");
    let open = sql.number("SELECT count(*) FROM calls WHERE ended_us IS NULL");
    assert_eq!(died + open, arrived - ended, "a call without an end says why, or is up");
}

/// Not a test by itself: what the one above kills.
#[test]
fn folding_child() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let dir = Path::new(&dir);
    if !dir.is_dir() {
        return;
    }
    let (log, facts) = (dir.join("events.db"), dir.join("facts.db"));
    let short = Duration::from_millis(3);
    let options = JournalOptions { window: short, ..JournalOptions::new(&log, super::ALWAYS) };
    let (mut journal, status, _) = rexian::store::journal::start(options).unwrap();
    let folding = FactsOptions { gather: short, retry: short, ..FactsOptions::new(&log, &facts) };
    let _ = start(folding, journal.commits()).unwrap();
    // Numbers of calls go upward from the time of the start.
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as u64;
    let first = now();
    let (mut sent, mut told) = (0, 0);
    loop {
        let written = status.read().written;
        if written > told + 1_000 {
            println!("written {written}");
            std::io::stdout().flush().unwrap();
            told = written;
        }
        if sent < written + 2_000 {
            // Interleaved, so that calls are up whenever it dies.
            let (call, step) = (sent / 16 * 4 + sent % 4, (sent / 4) % 4);
            let event = traffic(call % 1_000).swap_remove(step as usize);
            journal.call(&CallEvent { at: Instant(now()), call: CallId(first + call), ..event });
            sent += 1;
        } else {
            std::thread::yield_now();
        }
    }
}

/// Records are read a page at a time; many count at one moment.
#[test]
fn every_call_is_read_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let begun = |call: u64| {
        let event = traffic(call).swap_remove(0);
        let at = at(call / 3_000);
        (at, Entry::Call(CallEvent { at, call: CallId(10_000 - call), ..event }))
    };
    write_all(&log, &(0..10_000).map(begun).collect::<Vec<_>>()).unwrap();
    catch_up(&log, &facts).unwrap();
    let mut read = vec![];
    let mut reader = FactsReader::open(&facts).unwrap();
    reader.each_call(Instant::ZERO, Instant(u64::MAX), |record| read.push((record.begun, record.call))).unwrap();
    assert_eq!(read.len(), 10_000);
    assert!(read.is_sorted() && read.windows(2).all(|two| two[0] != two[1]));
}

#[test]
fn the_gateways_follower_folds_what_is_written_and_ends_with_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let (mut journal, thread) = super::begin(&log);
    let short = Duration::from_millis(1);
    let options = FactsOptions { gather: short, retry: short, ..FactsOptions::new(&log, &facts) };
    let folding = start(options, journal.commits()).unwrap();
    traffic(1).iter().for_each(|event| journal.call(event));
    let calls = |facts: &Path| {
        let mut n = 0;
        let Ok(mut reader) = FactsReader::open(facts) else { return 0 };
        reader.each_call(Instant::ZERO, Instant(u64::MAX), |_| n += 1).map_or(0, |()| n)
    };
    until("folded", || facts.is_file() && calls(&facts) == 1);
    traffic(2).iter().for_each(|event| journal.call(event));
    drop(journal);
    thread.join().unwrap();
    folding.join().unwrap();
    assert_eq!(calls(&facts), 2, "the last events too");
}

#[test]
fn holes_deaths_and_other_logs_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let gap = Entry::Gap { missed: 7, why: rexian::store::journal::GapWhy::QueueFull };
    let calls = |numbers: std::ops::Range<u64>| -> Vec<(Instant, Entry)> {
        numbers.flat_map(traffic).map(|event| (event.at, Entry::Call(event))).collect()
    };
    let mut events = vec![(at(0), Entry::Started)];
    events.extend(calls(1..20));
    events.push((at(21), gap));
    // Up when the process dies: one that rings, one that talks.
    events.extend(calls(22..24).into_iter().enumerate().filter(|(i, _)| ![2, 3, 7].contains(i)).map(|(_, e)| e));
    events.push((at(100), Entry::Started));
    write_all(&log, &events).unwrap();
    catch_up(&log, &facts).unwrap();
    let report = report_of(&facts, "2026-11-22", Terms::usual());
    assert_eq!((report.data.missing(), report.data.starts(), report.total.cut_off), (7, 2, 2));
    let died = Ending::Lost(Lost::Process);
    assert_eq!(report.total.unanswered.get(&died), Some(&1), "{:?}", report.total.unanswered);
    assert_eq!((report.total.counters.answered, report.total.counters.requests()), (20, 20), "a fault is in no rate");

    // Another log in its place: what was folded stays, once; the new one is folded from its beginning.
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", log.display()));
    }
    let mut events = vec![(at(200), Entry::Started)];
    events.extend(calls(201..203));
    write_all(&log, &events).unwrap();
    catch_up(&log, &facts).unwrap();
    let report = report_of(&facts, "2026-11-22", Terms::usual());
    assert_eq!(report.total.counters.answered, 22);
    assert!(report.data.marks.iter().any(|mark| mark.kind == MarkKind::Replaced), "{:?}", report.data.marks);
    catch_up(&log, &facts).unwrap();
    assert_eq!(report_of(&facts, "2026-11-22", Terms::usual()).total.counters.answered, 22);
}

#[test]
fn events_deleted_before_they_were_folded_are_missing_and_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let calls = |numbers: std::ops::Range<u64>| -> Vec<(Instant, Entry)> {
        numbers.flat_map(traffic).map(|event| (event.at, Entry::Call(event))).collect()
    };
    write_all(&log, &calls(1..3)).unwrap();
    catch_up(&log, &facts).unwrap();
    write_all(&log, &calls(3..10)).unwrap();
    Sql::open(&log).rows("DELETE FROM events WHERE seq BETWEEN 5 AND 24", |_| ());
    catch_up(&log, &facts).unwrap();
    let report = report_of(&facts, "2026-11-22", Terms::usual());
    // Of the twenty, four had been folded.
    assert_eq!((report.data.missing(), report.total.counters.answered), (16, 5));
}

/// Asked at 23:59:50, answered at 00:00:05, over at 00:03: yesterday's call, and all of its talk; the agent's, today.
#[test]
fn a_call_across_midnight_counts_where_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let mut events: Vec<(Instant, Entry)> = vec![];
    let asked = day::MIDNIGHT.0 - 10_000_000;
    for (event, seconds) in traffic(15_000).into_iter().zip([0, 0, 15, 190]) {
        let at = Instant(asked + seconds * 1_000_000);
        events.push((at, Entry::Call(CallEvent { at, call: CallId(1), ..event })));
    }
    write_all(&log, &events).unwrap();
    catch_up(&log, &facts).unwrap();
    let (before, after) =
        (report_of(&facts, "2026-11-21", Terms::usual()), report_of(&facts, "2026-11-22", Terms::usual()));
    let c = &before.total.counters;
    assert_eq!((c.offered, c.answered, c.answered_within, c.talk), (1, 1, 1, Duration::from_secs(175)));
    assert_eq!(before.half_hours[47].part.counters.answered, 1);
    assert_eq!(after.total.counters.offered, 0);
    let row = |report: &Report| report.agents.values().map(|row| (row.calls, row.talk)).collect::<Vec<_>>();
    assert_eq!(row(&after), [(1, Duration::from_secs(175))]);
    assert_eq!(row(&before), [], "nobody picked it up yesterday");
    assert_eq!(after.worst.unwrap().requests, 1, "the 24 hours that end at midnight have it");
}

#[test]
fn held_in_memory_and_followed_they_are_the_same_and_another_log_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, facts) = (dir.path().join("events.db"), dir.path().join("facts.db"));
    let events = day::events(&day::scene(400, 4), 7);
    let parts: Vec<_> = events.chunks(events.len() / 5 + 1).collect();
    write_all(&log, parts[0]).unwrap();
    catch_up(&log, &facts).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let over = std::cell::RefCell::new(BTreeMap::new());
    let tell = |told: Told<'_>| match told {
        Told::Over(record) => {
            let doubled = over.borrow_mut().insert(record.call, record.clone());
            assert!(doubled.is_none(), "told twice: {}", record.call);
        }
        Told::WrappedUp(record, segment, time) => {
            let mut over = over.borrow_mut();
            let segments = &mut over.get_mut(&record.call).expect("it is over").segments;
            let of = segments.iter_mut().find(|known| known.from == segment.from).expect("of its segments");
            (of.wrap_up, of.wrap_ups) = (of.wrap_up + time, of.wrap_ups + 1);
        }
    };
    let mut live = Live::begin(&mut FactsReader::open(&facts).unwrap(), day::MIDNIGHT, tell).unwrap();
    for part in &parts[1..] {
        write_all(&log, part).unwrap();
        runtime.block_on(live.go_on(&log, tell)).unwrap().unwrap();
    }
    catch_up(&log, &facts).unwrap();
    runtime.block_on(live.go_on(&log, tell)).unwrap().unwrap();
    let mut kept = FactsReader::open(&facts).unwrap();
    let now = kept.now().unwrap();
    assert_eq!((live.seq(), live.at()), (now.seq, now.at));
    let mut up: Vec<_> = live.calls().cloned().collect();
    up.sort_by_key(|record| (record.counted_at(), record.call));
    assert_eq!(up, now.calls);
    let mut count = 0;
    kept.each_call(day::MIDNIGHT, Instant(u64::MAX), |record| {
        if record.ended.is_some() {
            count += 1;
            assert_eq!(over.borrow()[&record.call], record, "wrap-ups after the end included");
        }
    })
    .unwrap();
    assert!(count > 300 && count == over.borrow().len(), "{count}");

    std::fs::remove_file(&log).unwrap();
    write_all(&log, parts[0]).unwrap();
    assert_eq!(runtime.block_on(live.go_on(&log, tell)).unwrap(), Err(Broken));
}
