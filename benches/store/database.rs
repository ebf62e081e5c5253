//! A ticket into PostgreSQL, durable there, beside a bare single-row commit on the same server in the same run.

use super::postgres::Postgres;
use super::ticket;
use rexian::cases::postgres::PostgresCases;
use rexian::cases::{CaseStore, Outcome};
use sqlx::Executor;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(3);

/// Bare commits, tickets one at a time, and batches of 64.
pub async fn run(server: &Postgres, n: u64) -> [Vec<Duration>; 3] {
    let database = server.database().await;
    let cases = PostgresCases::new(server.local(&database), "JN");
    cases.health().await.unwrap();
    let mut conn = server.connect(&database).await;
    conn.execute("CREATE TABLE t (call BIGINT PRIMARY KEY, ticket TEXT)").await.unwrap();
    let (mut bare, mut single, mut batches) = (vec![], vec![], vec![]);
    // In turns, so that both meet the same disk.
    for call in 0..n {
        let json = serde_json::to_string(&ticket(call)).unwrap();
        let start = Instant::now();
        conn.execute(sqlx::query("INSERT INTO t VALUES ($1, $2)").bind(call as i64).bind(json)).await.unwrap();
        bare.push(start.elapsed());
        tokio::time::sleep(PAUSE).await;
        let start = Instant::now();
        let outcomes = cases.open_tickets(&[ticket(call)]).await.unwrap();
        single.push(start.elapsed());
        assert!(matches!(outcomes[..], [Outcome::Opened { .. }]));
        tokio::time::sleep(PAUSE).await;
    }
    for batch in 0..n / 10 {
        let tickets: Vec<_> = (0..64).map(|call| ticket((batch + 1) << 32 | call)).collect();
        let start = Instant::now();
        cases.open_tickets(&tickets).await.unwrap();
        batches.push(start.elapsed());
    }
    [bare, single, batches]
}
