//! Whole queued calls under SIPp: INVITE, queue, seat leg, pickup, ticket on disk, BYE. Prints CPU-seconds of the
//! gateway per 1,000 calls at rising rates, beside a bare SIPp answering machine driven in the same run, and memory per
//! held call.
//!
//!     cargo bench --bench call_setup                       # 100, 300, 600 and 1000 calls/s, 10 s each
//!     cargo bench --bench call_setup -- --rates 200,400 --seconds 70
//!
//! Needs SIPp (Debian: sip-tester). Gateway on one core, load on the other, where `taskset` is there.

#[path = "bed/mod.rs"]
mod bed;

use bed::{Bed, SEATS, cpu_seconds, free_port, need_sipp, option, pinned, wait};
use std::process::Stdio;
use std::time::Duration;

fn main() {
    need_sipp();
    let rates = option("--rates").unwrap_or_else(|| "100,300,600,1000".into());
    let seconds: u32 = option("--seconds").and_then(|s| s.parse().ok()).unwrap_or(10);
    let held: u32 = option("--held").and_then(|s| s.parse().ok()).unwrap_or(1_000);

    println!("queued call to {SEATS} agents, {seconds} s per rate; CPU-seconds of the whole process");
    println!(
        "{:>8} {:>9} {:>8} {:>14} {:>14} {:>7}   caller's set-up time",
        "rate/s", "calls", "failed", "gateway s/1000", "SIPp uas s/1000", "ratio"
    );
    for rate in rates.split(',').filter_map(|r| r.trim().parse::<u32>().ok()) {
        let bed = Bed::start("on-pickup", 2 * SEATS + 400);
        bed.seat_agents();
        let before = bed.cpu();
        let run = bed.carrier(rate, rate * seconds, 0);
        let ours = (bed.cpu() - before) * 1000.0 / f64::from(run.good.max(1));
        drop(bed);
        let reference = reference(rate, rate * seconds);
        println!(
            "{rate:>8} {:>9} {:>8} {ours:>14.3} {reference:>14.3} {:>7.2}   {}",
            run.good,
            run.failed,
            ours / reference,
            run.times
        );
    }
    memory(held);
}

/// RSS added per call that waits with music, and what is left a while after they are gone.
fn memory(calls: u32) {
    let bed = Bed::start("on-queue", 2 * calls as usize + 200);
    let idle = bed.rss();
    let mut load = bed.sipp("carrier.xml", calls, &["-r", "200", "-d", "12000", "-s", "12345"], 16_100);
    wait(Duration::from_secs(60), || bed.calls() >= calls);
    let busy = bed.rss();
    let _ = load.wait();
    wait(Duration::from_secs(60), || bed.calls() == 0);
    std::thread::sleep(Duration::from_secs(40));
    let after = bed.rss();
    println!(
        "\nmemory: idle {idle} KiB, {calls} calls held {busy} KiB = {:.1} KiB a call, 40 s after load {after} KiB ({:.2} x idle)",
        (busy.saturating_sub(idle)) as f64 / f64::from(calls),
        after as f64 / idle as f64
    );
}

/// CPU-seconds per 1,000 calls of SIPp's own answering scenario: half of what the gateway does, and no queue.
fn reference(rate: u32, calls: u32) -> f64 {
    let port = free_port();
    let mut uas = pinned(0, "sipp")
        .args(["-sn", "uas", "-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin"])
        .stdout(Stdio::null())
        .spawn()
        .expect("sipp starts");
    let _ = pinned(1, "sipp")
        .args(["-sn", "uac", &format!("127.0.0.1:{port}"), "-i", "127.0.0.1", "-p", &free_port().to_string()])
        .args(["-m", &calls.to_string(), "-r", &rate.to_string(), "-d", "0", "-nostdin", "-timeout", "100"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let used = cpu_seconds(uas.id());
    let _ = uas.kill();
    let _ = uas.wait();
    used * 1000.0 / f64::from(calls)
}
