//! Hours of queued calls, to see what a minute does not show: leaks, and collapses that begin when the first timers run
//! out. SIPp carriers and sixty seats; every call is queued, picked up, ticketed and hung up.
//!
//!     cargo bench --bench soak -- --rate 300 --minutes 30        # the defaults
//!
//! Prints calls, failures, RSS and CPU every 10 s. Ends with status 1 when more than 0.1 % of the calls failed, or when
//! the memory at the end is above that after two minutes (a quarter of the time, if that is less) by more than 3 % and
//! 2 MiB. To find the highest rate a machine holds, raise --rate until a run of two minutes fails.
//!
//! Needs SIPp (Debian: sip-tester). Gateway on one core, load on the other, where `taskset` is there.

#[path = "bed/mod.rs"]
mod bed;

use bed::{Bed, SEATS, free_port, last_row, need_sipp, option};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(10);

fn main() {
    need_sipp();
    let number = |name: &str, usual: f64| option(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (rate, minutes) = (number("--rate", 300.0) as u32, number("--minutes", 30.0));
    let length = Duration::from_secs_f64(60.0 * minutes);
    let calls = (f64::from(rate) * length.as_secs_f64()) as u32;
    println!("{rate} calls/s to {SEATS} agents for {minutes} minutes: {calls} calls");

    let bed = Bed::start("on-pickup", 2 * SEATS + 800);
    bed.seat_agents();
    let mut seats = bed.seats();
    let stat = bed.dir.path().join("carrier.csv");
    let (rate, timeout) = (rate.to_string(), (length.as_secs() + 120).to_string());
    let more = ["-r", &rate, "-d", "0", "-l", "20000", "-s", "12345", "-timeout", &timeout];
    let traced = ["-trace_stat", "-stf", stat.to_str().expect("utf-8"), "-fd", "5"];
    let before = bed.cpu();
    let mut load = bed.sipp("carrier.xml", calls, &[&more[..], &traced].concat(), free_port());

    println!("{:>8} {:>10} {:>8} {:>10} {:>8} {:>14}", "s", "good", "failed", "RSS KiB", "calls", "CPU s/1000");
    let (begun, mut samples, mut seen) = (Instant::now(), Vec::new(), (0, before));
    let mut next = begun + EVERY;
    while load.try_wait().expect("SIPp is there").is_none() {
        std::thread::sleep(Duration::from_millis(200));
        if Instant::now() < next {
            continue;
        }
        next += EVERY;
        let (run, rss, cpu) = (last_row(&stat), bed.rss(), bed.cpu());
        let per_1000 = (cpu - seen.1) * 1000.0 / f64::from((run.good - seen.0).max(1));
        let at = begun.elapsed();
        println!(
            "{:>8} {:>10} {:>8} {rss:>10} {:>8} {per_1000:>14.3}",
            at.as_secs(),
            run.good,
            run.failed,
            bed.calls()
        );
        seen = (run.good, cpu);
        samples.push((at, rss));
    }
    let run = last_row(&stat);
    let _ = seats.kill();
    let _ = seats.wait();
    let cpu = (bed.cpu() - before) * 1000.0 / f64::from(run.good.max(1));
    let failed = f64::from(run.failed + calls.saturating_sub(run.good + run.failed)) * 100.0 / f64::from(calls);
    println!(
        "\n{} good, {} failed of {calls}: {failed:.3} %; {cpu:.3} CPU-seconds per 1,000 calls",
        run.good, run.failed
    );
    println!("set-up: {}", run.times);

    let settled = Duration::from_secs(120).min(length / 4);
    let (early, late) = (median(&samples, settled, settled + 5 * EVERY), median(&samples, length - 5 * EVERY, length));
    let grown = late > early + early * 3 / 100 && late > early + 2_048;
    println!("memory: {early} KiB after {settled:?}, {late} KiB at the end{}", if grown { ": it grows" } else { "" });
    if failed > 0.1 || grown {
        println!("FAILED");
        // Exiting does not: the gateway would be left running.
        drop(bed);
        std::process::exit(1);
    }
}

/// Of the samples taken then.
fn median(samples: &[(Duration, u64)], from: Duration, to: Duration) -> u64 {
    let mut then: Vec<u64> =
        samples.iter().filter(|(at, _)| (from..=to + EVERY).contains(at)).map(|(_, rss)| *rss).collect();
    then.sort_unstable();
    then.get(then.len() / 2).copied().unwrap_or(0)
}
