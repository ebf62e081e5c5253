//! Any sampling rate to 8 kHz: band-limited interpolation with a Kaiser-windowed sinc. Belongs here: the filter.
//! Not here: files (`wav`). Runs at start only, so it favours quality over speed.

use super::tone::RATE;
use std::f64::consts::PI;

/// Zero crossings of the sinc on each side, and table points between two of them.
const CROSSINGS: usize = 24;
const POINTS: usize = 256;
/// About 80 dB of stop band.
const KAISER_BETA: f64 = 8.0;
/// Pass band edge as a share of half the lower rate: the rest is the filter's slope, so that nothing folds back.
const PASS: f64 = 0.92;

/// Resamples mono samples from `rate` Hz to 8 kHz.
pub fn to_8k(samples: &[f32], rate: u32) -> Vec<f32> {
    if rate == RATE {
        return samples.to_vec();
    }
    let table = kernel();
    let step = f64::from(rate) / f64::from(RATE);
    // The cutoff as a share of the input's rate / 2; when going down it lies below the new half rate.
    let cutoff = PASS * (1.0 / step).min(1.0);
    let reach = CROSSINGS as f64 / cutoff;
    let count = (samples.len() as f64 / step).round() as usize;
    (0..count)
        .map(|n| {
            let centre = n as f64 * step;
            let first = (centre - reach).ceil().max(0.0) as usize;
            let last = ((centre + reach).floor() as usize).min(samples.len() - 1);
            let sum: f64 =
                (first..=last).map(|i| f64::from(samples[i]) * at(&table, (i as f64 - centre).abs() * cutoff)).sum();
            (sum * cutoff) as f32
        })
        .collect()
}

/// The right half of the windowed sinc, `POINTS` values to a zero crossing.
fn kernel() -> Vec<f64> {
    let end = CROSSINGS * POINTS;
    (0..=end + 1)
        .map(|i| {
            let (x, edge) = (i as f64 / POINTS as f64, i as f64 / end as f64);
            let sinc = if i == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
            let window = if edge > 1.0 { 0.0 } else { bessel_i0(KAISER_BETA * (1.0 - edge * edge).sqrt()) };
            sinc * window / bessel_i0(KAISER_BETA)
        })
        .collect()
}

/// Linear interpolation in the table; `x` in zero crossings.
fn at(table: &[f64], x: f64) -> f64 {
    let position = x * POINTS as f64;
    let i = position as usize;
    match (table.get(i), table.get(i + 1)) {
        (Some(a), Some(b)) => a + (b - a) * (position - i as f64),
        _ => 0.0,
    }
}

/// Modified Bessel function of the first kind, order 0, by its series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..64 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, rate: u32) -> Vec<f32> {
        (0..rate).map(|n| (2.0 * PI * hz * f64::from(n) / f64::from(rate)).sin() as f32 * 0.5).collect()
    }

    fn rms_db(samples: &[f32]) -> f64 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        10.0 * (middle.iter().map(|s| f64::from(s * s)).sum::<f64>() / middle.len() as f64).log10()
    }

    #[test]
    fn speech_keeps_its_level_and_what_would_fold_back_is_gone() {
        for rate in [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000] {
            for hz in [300.0, 1_000.0, 2_600.0] {
                let out = to_8k(&sine(hz, rate), rate);
                assert_eq!(out.len(), 8_000, "one second stays one second, {rate} Hz");
                let level = rms_db(&out) - -9.03;
                assert!(level.abs() < 0.3, "{hz} Hz at {rate}: changed by {level:.2} dB");
            }
            if rate >= 11_025 {
                let alias = rms_db(&to_8k(&sine(5_000.0, rate), rate));
                assert!(alias < -60.0, "5 kHz at {rate} leaves {alias:.1} dB");
            }
        }
    }

    #[test]
    fn very_short_input_is_no_accident() {
        assert_eq!(to_8k(&[0.5], 48_000).len(), 0);
        assert_eq!(to_8k(&[0.5; 6], 48_000).len(), 1);
        assert!(to_8k(&[], 44_100).is_empty());
    }
}
