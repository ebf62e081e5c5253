//! What a caller is told about the wait on entering the line, against what the wait then is. Only callers who stay are
//! looked at (every tenth has no limit): who gives up never learns how long it would have been.

use crate::erlang::TALK;
use crate::figures::over_seeds;
use crate::floor::{Crowd, Fate, House};
use rexian::sim::rng::Rng;
use std::time::Duration;

/// Told and waited, in seconds.
type Pair = (f64, f64);

fn pairs(agents: u32, rho: f64, patience: Option<u64>) -> Vec<Pair> {
    const WARM_UP: usize = 1_000;
    let per_second = rho * f64::from(agents) / TALK.as_secs_f64();
    let crowd = Crowd { per_second, talk: TALK, patience: patience.map(Duration::from_secs) };
    let days = over_seeds(500, 12, |mut rng: Rng| {
        let mut callers = crowd.draw(&mut rng, 8_000);
        callers.iter_mut().step_by(10).for_each(|caller| caller.patience = None);
        let mut told: Vec<Option<Duration>> = vec![None; callers.len()];
        let fates = House::of_equals(agents).run_asking(&callers, |acd, now, call| {
            told[call.0 as usize] = acd.estimate(now, call);
        });
        let who_stays = (WARM_UP..callers.len()).filter(|i| callers[*i].patience.is_none());
        let pair = |i: usize| match (&fates[i], told[i]) {
            (Fate::Served { at, .. }, Some(told)) => Some((told.as_secs_f64(), (*at - callers[i].at).as_secs_f64())),
            _ => None,
        };
        who_stays.filter_map(pair).collect::<Vec<Pair>>()
    });
    days.into_iter().flatten().collect()
}

/// Mean told, mean waited, mean absolute error.
fn compare(pairs: &[Pair]) -> (f64, f64, f64) {
    let mean = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    (mean(|p| p.0), mean(|p| p.1), mean(|p| (p.0 - p.1).abs()))
}

#[test]
fn callers_are_told_about_what_they_will_wait() {
    println!(
        "  n  rho patience |  callers  told s  waited s  ratio  abs. error s | of those who waited over 30 s: told, waited, ratio"
    );
    let mut faults = Vec::new();
    let cases = [
        (20, 0.9, None),
        (20, 0.95, None),
        (60, 0.95, None),
        (20, 1.1, Some(300)),
        (60, 1.1, Some(300)),
        (60, 1.6, Some(300)),
        (60, 1.6, Some(700)),
    ];
    for (agents, rho, patience) in cases {
        let all = pairs(agents, rho, patience);
        // Judged by what is known when it is said. Those whose wait turned out long were unlucky, on average more than told.
        let told: Vec<Pair> = all.iter().copied().filter(|(told, _)| *told > 30.0).collect();
        let waited: Vec<Pair> = all.iter().copied().filter(|(_, waited)| *waited > 30.0).collect();
        let ((t, w, error), (lt, lw, _)) = (compare(&told), compare(&waited));
        let shown = patience.map_or("-".into(), |p: u64| p.to_string());
        println!(
            "{agents:3} {rho:4.2} {shown:>8} | {:8} {t:7.1} {w:9.1} {:6.2} {error:13.1} | {lt:7.1} {lw:7.1} {:5.2}",
            told.len(),
            t / w,
            lt / lw
        );
        if told.len() < 200 || !(0.8..1.25).contains(&(t / w)) || !(0.5..2.0).contains(&(lt / lw)) || error > 0.6 * w {
            faults.push(format!(
                "{agents} agents at {rho}, patience {shown}: told {t:.1} s, waited {w:.1} s, off by {error:.1} s"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The control: told figures that have nothing to do with the caller are off by much more.
#[test]
fn figures_of_other_callers_would_be_found_out() {
    let mine = pairs(20, 0.95, None);
    let told = mine.iter().cycle().skip(mine.len() / 2).map(|p| p.0);
    let others: Vec<Pair> = mine.iter().zip(told).map(|(pair, told)| (told, pair.1)).collect();
    let ((_, waited, error), (_, _, wrong)) = (compare(&mine), compare(&others));
    println!("own {error:.1} s off, another's {wrong:.1} s, mean wait {waited:.1} s");
    assert!(error * 2.0 < wrong, "own {error}, another's {wrong}");
}
