//! What every case store promises (`rexian::cases::CaseStore`), written once. A new store: implement [`Fixture`] for
//! it and add one `contract!` line at the bottom.

use crate::postgres;
use crate::support::{MORNING, assert_gapless, id, open_sqlite, ticket};
use rexian::cases::desk::tables::Tables;
use rexian::cases::history::{History, Repeat};
use rexian::cases::postgres::PostgresCases;
use rexian::cases::sqlite::SqliteCases;
use rexian::cases::{CaseStore, Outcome};
use rexian::ticket::NewTicket;
use sqlx::{Executor, Row};
use std::collections::BTreeMap;
use std::time::Duration;

/// One empty store, openable several times, and a look into it that does not go through the trait.
pub trait Fixture {
    type Store: CaseStore + Tables;
    /// False: this machine does not have what it needs.
    fn available() -> bool {
        true
    }
    fn new() -> impl Future<Output = Self>;
    /// One more handle on the same store, as another gateway would open it.
    fn open(&self) -> Self::Store;
    /// Each ticket's columns as text, by call id; `None` for null. Restricted numbers under `restricted_cli_e164`.
    fn rows(&self) -> impl Future<Output = BTreeMap<String, BTreeMap<String, Option<String>>>>;
    /// Behind the program's back.
    fn execute(&self, text: &'static str) -> impl Future<Output = ()>;
}

async fn each_ticket_is_opened_once_and_numbered_in_order<F: Fixture>() {
    let (fixture, tickets) = (F::new().await, [ticket(7), ticket(3), ticket(5)]);
    let store = fixture.open();
    let first = store.open_tickets(&tickets).await.unwrap();
    assert_eq!(first, [opened(1), opened(2), opened(3)]);
    assert_eq!(
        fixture.open().open_tickets(&[ticket(5), ticket(9), ticket(7)]).await.unwrap(),
        [already(3), opened(4), already(1)],
        "sent again through another handle"
    );
    assert_eq!(fixture.rows().await.len(), 4);
}

async fn a_call_twice_in_one_batch_gets_one_ticket<F: Fixture>() {
    let fixture = F::new().await;
    let outcomes = fixture.open().open_tickets(&[ticket(1), ticket(1), ticket(2)]).await.unwrap();
    assert_eq!(outcomes, [opened(1), already(1), opened(2)]);
    assert_eq!(fixture.rows().await.len(), 2);
}

async fn an_empty_batch_is_fine<F: Fixture>() {
    let fixture = F::new().await;
    assert_eq!(fixture.open().open_tickets(&[]).await.unwrap(), []);
}

async fn each_day_in_china_has_its_own_sequence<F: Fixture>() {
    let fixture = F::new().await;
    let after_midnight = |call| NewTicket { answered_at: MORNING + Duration::from_secs(14 * 3600), ..ticket(call) };
    let batch = [ticket(1), after_midnight(2), ticket(3), after_midnight(4)];
    let outcomes = fixture.open().open_tickets(&batch).await.unwrap();
    let next_day = |n: u32| Outcome::Opened { ticket_no: format!("JN20261123{n:06}") };
    assert_eq!(outcomes, [opened(1), next_day(1), opened(2), next_day(2)]);
}

async fn what_was_known_at_pickup_is_all_there<F: Fixture>() {
    let fixture = F::new().await;
    fixture.open().open_tickets(&[ticket(0xabc)]).await.unwrap();
    let rows = fixture.rows().await;
    let row = &rows[&id(0xabc)];
    for (column, expected) in [
        ("ticket_no", Some("JN20261122000001")),
        ("channel", Some("phone")),
        ("dnis", Some("12345")),
        ("tenant", Some("jinan")),
        ("test_call", Some("0")),
        ("cli_raw", Some("013800005678")),
        ("cli_e164", Some("+8613800005678")),
        ("cli_withheld", Some("0")),
        ("language", Some("zh-CN")),
        ("sip_call_id", Some("2748@198.51.100.7")),
        ("icid", Some("icid-1")),
        ("trunk", Some("unicom")),
        ("queue", Some("mandarin")),
        ("skill", Some("mandarin")),
        ("arrived_at", Some("1795312800000")),
        ("queued_at", Some("1795312802000")),
        ("ring_at", Some("1795312803000")),
        ("answered_at", Some("1795312806250")),
        ("wait_ms", Some("4250")),
        ("within_n", Some("1")),
        ("agent_no", Some("6632")),
        ("seat_no", Some("801")),
        ("legs", Some(r#"["2748@198.51.100.7","b2b-\"1\"@rexian"]"#)),
        ("route", Some("line 12345: mandarin; 6632")),
        ("type", None),
        ("title", None),
        ("status", Some("待完善")),
        ("urgency", Some("一般")),
        ("satisfaction_call", None),
        ("restricted_cli_e164", None),
    ] {
        assert_eq!(row[column].as_deref(), expected, "{column}");
    }
}

async fn a_withheld_number_is_kept_apart<F: Fixture>() {
    let fixture = F::new().await;
    let anonymous = NewTicket { cli_raw: None, cli_e164: None, cli_withheld: true, ..ticket(2) };
    let batch = [NewTicket { cli_withheld: true, ..ticket(1) }, anonymous];
    fixture.open().open_tickets(&batch).await.unwrap();
    let rows = fixture.rows().await;
    let shown: Vec<_> = rows[&id(1)].iter().filter(|(name, _)| *name != "restricted_cli_e164").collect();
    assert!(!format!("{shown:?}").contains("3800005678"), "{shown:?}");
    assert_eq!(rows[&id(1)]["cli_withheld"].as_deref(), Some("1"));
    assert_eq!(rows[&id(1)]["restricted_cli_e164"].as_deref(), Some("+8613800005678"));
    assert_eq!(rows[&id(2)]["restricted_cli_e164"], None);
}

async fn a_ticket_no_store_can_hold_is_refused_and_harms_no_other<F: Fixture>() {
    let fixture = F::new().await;
    let store = fixture.open();
    let no_such_wait = NewTicket { wait_ms: u64::MAX, ..ticket(2) };
    let no_such_date = NewTicket { answered_at: rexian::time::Instant(u64::MAX), ..ticket(4) };
    let batch = [ticket(1), no_such_wait, ticket(3), no_such_date, ticket(5)];
    let outcomes = store.open_tickets(&batch).await.unwrap();
    assert_eq!([&outcomes[0], &outcomes[2], &outcomes[4]], [&opened(1), &opened(2), &opened(3)]);
    for n in [1, 3] {
        assert!(matches!(&outcomes[n], Outcome::Refused { why } if !why.is_empty()), "{:?}", outcomes[n]);
    }
    assert_eq!(store.open_tickets(&[ticket(6)]).await.unwrap(), [opened(4)], "no number was used up");
}

async fn text_from_the_network_is_only_text<F: Fixture>() {
    let fixture = F::new().await;
    let nasty = "'; DROP TABLE tickets; -- \u{0}\u{1}\u{7f}\"\\ 热线 \u{1F4DE}";
    let hostile = NewTicket { sip_call_id: nasty.into(), icid: Some("x".repeat(100_000)), ..ticket(1) };
    let outcome = fixture.open().open_tickets(&[hostile]).await.unwrap();
    assert_eq!(outcome, [opened(1)]);
    let rows = fixture.rows().await;
    // A store may cut text at the NUL; it must neither run it nor refuse the ticket.
    let before_nul = nasty.split('\0').next().unwrap();
    assert!(rows[&id(1)]["sip_call_id"].as_deref().unwrap().starts_with(before_nul));
    assert_eq!(rows[&id(1)]["icid"].as_deref().map(str::len), Some(100_000));
}

/// 50 gateways at once, batches of one to three, every call sent by two of them.
async fn concurrent_writers_leave_no_gap_and_double_nothing<F: Fixture>() {
    const CALLS: u64 = 600;
    const WRITERS: u64 = 50;
    let fixture = F::new().await;
    let mut writers = tokio::task::JoinSet::new();
    for w in 0..WRITERS {
        let store = fixture.open();
        let calls: Vec<u64> = (0..CALLS).filter(|c| c % WRITERS == w || (c + 3) % WRITERS == w).collect();
        writers.spawn(async move {
            let mut opened = 0;
            for (n, chunk) in calls.chunks(1 + w as usize % 3).enumerate() {
                let batch: Vec<_> = chunk.iter().map(|&c| ticket(c)).collect();
                // A busy store may send a batch back; that it then still works is part of the promise.
                let mut tries = 0;
                let outcomes = loop {
                    match store.open_tickets(&batch).await {
                        Ok(outcomes) => break outcomes,
                        Err(e) if tries == 20 => panic!("writer {w} batch {n}: {e}"),
                        Err(_) => tries += 1,
                    }
                };
                opened += outcomes.iter().filter(|o| matches!(o, Outcome::Opened { .. })).count();
            }
            opened
        });
    }
    let opened: usize = writers.join_all().await.into_iter().sum();
    let rows = fixture.rows().await;
    assert_eq!(opened, CALLS as usize, "each call opened by exactly one writer");
    assert_eq!(rows.len(), CALLS as usize);
    assert_gapless("JN20261122", rows.values().map(|r| r["ticket_no"].clone().unwrap()));
}

async fn a_dropped_batch_leaves_the_store_usable<F: Fixture>() {
    let fixture = F::new().await;
    let store = fixture.open();
    store.health().await.unwrap();
    let batch: Vec<_> = (0..200).map(ticket).collect();
    for polls in 0..6 {
        let mut attempt = std::pin::pin!(store.open_tickets(&batch));
        for _ in 0..polls {
            tokio::select! { biased; _ = &mut attempt => {}, _ = tokio::task::yield_now() => continue }
            break;
        }
    }
    let outcomes = store.open_tickets(&batch).await.unwrap();
    assert!(outcomes.iter().all(|o| matches!(o, Outcome::Opened { .. } | Outcome::AlreadyOpen { .. })));
    let rows = fixture.rows().await;
    assert_eq!(rows.len(), 200);
    assert_gapless("JN20261122", rows.values().map(|r| r["ticket_no"].clone().unwrap()));
}

fn opened(n: u32) -> Outcome {
    Outcome::Opened { ticket_no: format!("JN20261122{n:06}") }
}

fn already(n: u32) -> Outcome {
    Outcome::AlreadyOpen { ticket_no: format!("JN20261122{n:06}") }
}

async fn who_served_whom_last_is_known_latest_first<F: Fixture>() {
    let fixture = F::new().await;
    let served = |call, number: &str, agent: &str, minute: u64| NewTicket {
        cli_e164: Some(number.into()),
        agent: agent.into(),
        answered_at: MORNING + Duration::from_secs(60 * minute),
        ..ticket(call)
    };
    let withheld = NewTicket { cli_withheld: true, ..served(6, "+8613800000006", "6606", 9) };
    let test = NewTicket { test_call: true, ..served(7, "+8613800000007", "6607", 9) };
    let batch = [
        served(1, "+8613800000001", "6601", 1),
        served(2, "+8613800000002", "6602", 3),
        served(3, "+8613800000001", "6603", 4),
        served(4, "+8613800000004", "6604", 0),
        served(5, "+8613800000002", "6605", 2),
        withheld,
        test,
    ];
    let store = fixture.open();
    store.open_tickets(&batch).await.unwrap();
    let recent = async |limit, minute: u64| {
        let callers = store.recent_callers(limit, MORNING + Duration::from_secs(60 * minute)).await.unwrap();
        callers.iter().map(|c| format!("{} {}", c.number, c.agent)).collect::<Vec<_>>()
    };
    assert_eq!(recent(10, 0).await, ["+8613800000001 6603", "+8613800000002 6602", "+8613800000004 6604"]);
    assert_eq!(recent(10, 4).await, ["+8613800000001 6603"]);
    assert_eq!(recent(1, 0).await, ["+8613800000001 6603"]);
    let caller = &store.recent_callers(1, MORNING).await.unwrap()[0];
    assert_eq!((caller.queue.as_str(), caller.at), ("mandarin", MORNING + Duration::from_secs(240)));
}

async fn a_callers_earlier_tickets_are_known_latest_first<F: Fixture>() {
    let fixture = F::new().await;
    let day = Duration::from_secs(86_400);
    let ago = |days: u32| rexian::time::Instant(MORNING.0 - (day * days).as_micros() as u64);
    let served =
        |call, number: &str, days| NewTicket { cli_e164: Some(number.into()), answered_at: ago(days), ..ticket(call) };
    let (one, other) = ("+8613800000001", "+8613800000002");
    let withheld = NewTicket { cli_withheld: true, ..served(7, one, 1) };
    let test = NewTicket { test_call: true, ..served(8, one, 1) };
    let batch = [
        served(1, one, 3),
        served(2, one, 31),
        served(3, one, 364),
        served(4, one, 366),
        served(5, other, 2),
        served(6, one, 0),
        withheld,
        test,
    ];
    let store = fixture.open();
    store.open_tickets(&batch).await.unwrap();
    let history = store.history(one, MORNING, 3).await.unwrap();
    assert_eq!((history.in_30_days, history.in_365_days), (1, 3), "the ticket of this very call is not an earlier one");
    let listed: Vec<_> = history.tickets.iter().map(|t| t.answered_at).collect();
    assert_eq!(listed, [ago(3), ago(31), ago(364)]);
    let latest = &history.tickets[0];
    assert!(latest.ticket_no.starts_with("JN20261119"), "{latest:?}");
    assert_eq!((latest.queue.as_str(), latest.status.as_str()), ("mandarin", "待完善"));
    assert_eq!((&latest.kind, &latest.title), (&None, &None));
    assert_eq!(history.repeat(MORNING), Some(Repeat::Soon(latest)));
    assert_eq!(store.history("+8613800000003", MORNING, 3).await.unwrap(), History::default());
}

macro_rules! contract {
    ($store:ident, $fixture:ty) => {
        mod $store {
            contract!(@tests $fixture: each_ticket_is_opened_once_and_numbered_in_order,
                a_call_twice_in_one_batch_gets_one_ticket, an_empty_batch_is_fine,
                each_day_in_china_has_its_own_sequence, what_was_known_at_pickup_is_all_there,
                a_withheld_number_is_kept_apart, a_ticket_no_store_can_hold_is_refused_and_harms_no_other,
                text_from_the_network_is_only_text, concurrent_writers_leave_no_gap_and_double_nothing,
                a_dropped_batch_leaves_the_store_usable, who_served_whom_last_is_known_latest_first,
                a_callers_earlier_tickets_are_known_latest_first);
        }
    };
    (@tests $fixture:ty: $($test:ident),*) => {
        $(#[tokio::test]
        async fn $test() {
            if <$fixture as super::Fixture>::available() {
                super::$test::<$fixture>().await
            }
        })*
    };
}

contract!(on_sqlite, super::Sqlite);
contract!(on_postgres, super::Postgres);

pub struct Sqlite {
    dir: tempfile::TempDir,
}

impl Fixture for Sqlite {
    type Store = SqliteCases;

    async fn new() -> Self {
        Sqlite { dir: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> SqliteCases {
        SqliteCases::new(self.dir.path().join("cases.db"), "JN")
    }

    async fn execute(&self, text: &'static str) {
        open_sqlite(&self.dir.path().join("cases.db")).await.execute(text).await.unwrap();
    }

    async fn rows(&self) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
        let mut conn = open_sqlite(&self.dir.path().join("cases.db")).await;
        let columns: Vec<String> = sqlx::query("SELECT name FROM pragma_table_info('tickets')")
            .fetch_all(&mut conn)
            .await
            .unwrap()
            .iter()
            .map(|r| r.get(0))
            .collect();
        let texts: Vec<_> = columns.iter().map(|c| format!("CAST(t.{c} AS TEXT)")).collect();
        let select = format!(
            "SELECT {}, r.cli_e164 FROM tickets t LEFT JOIN restricted_callers r USING (call_id)",
            texts.join(", ")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_all(&mut conn).await.unwrap();
        let names = columns.iter().map(String::as_str).chain(["restricted_cli_e164"]);
        rows.iter()
            .map(|row| {
                let row: BTreeMap<_, _> = names
                    .clone()
                    .enumerate()
                    .map(|(n, name)| (name.to_owned(), row.get::<Option<String>, _>(n)))
                    .collect();
                (row["call_id"].clone().unwrap(), row)
            })
            .collect()
    }
}

pub struct Postgres {
    database: String,
}

impl Fixture for Postgres {
    type Store = PostgresCases;

    fn available() -> bool {
        postgres::available()
    }

    async fn new() -> Self {
        Postgres { database: postgres::shared().database().await }
    }

    fn open(&self) -> PostgresCases {
        PostgresCases::new(postgres::shared().local(&self.database), "JN")
    }

    async fn execute(&self, text: &'static str) {
        postgres::shared().connect(&self.database).await.execute(text).await.unwrap();
    }

    async fn rows(&self) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
        let mut conn = postgres::shared().connect(&self.database).await;
        // Each ticket as one object, whose members as texts.
        let rows = sqlx::query(
            "SELECT t.call_id, f.key, f.value FROM tickets t LEFT JOIN restricted_callers r USING (call_id),
                json_each_text(row_to_json(t)) f (key, value)
             UNION ALL SELECT t.call_id, 'restricted_cli_e164', r.cli_e164
                FROM tickets t LEFT JOIN restricted_callers r USING (call_id)",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let mut tickets: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for row in rows {
            let ticket = tickets.entry(row.get::<String, _>(0)).or_default();
            ticket.insert(row.get::<String, _>(1), row.get::<Option<String>, _>(2));
        }
        tickets
    }
}
