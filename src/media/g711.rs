//! G.711: A-law and µ-law to and from 16-bit linear, and directly into one another. Belongs here: the companding
//! laws as tables computed at compile time. Not here: packets, files. (ITU-T G.711; levels per RFC 3551 s4.5.14.)

/// A-law of digital silence: the smallest positive step.
pub const ALAW_SILENCE: u8 = 0xD5;
/// µ-law of digital silence.
pub const ULAW_SILENCE: u8 = 0xFF;

/// 16-bit linear value of an A-law octet.
pub fn alaw_to_linear(a: u8) -> i16 {
    ALAW_LINEAR[a as usize]
}

/// 16-bit linear value of a µ-law octet.
pub fn ulaw_to_linear(u: u8) -> i16 {
    ULAW_LINEAR[u as usize]
}

/// A-law octet nearest to a 16-bit linear sample.
pub const fn linear_to_alaw(sample: i16) -> u8 {
    // 13-bit magnitude; the negative half is mirrored about -1/2, as the law has no zero.
    let (sign, magnitude) = if sample >= 0 { (0x80, sample as u16 >> 3) } else { (0, !(sample as u16) >> 3) };
    let code = if magnitude < 32 {
        magnitude >> 1
    } else {
        let segment = 11 - magnitude.leading_zeros() as u16;
        segment << 4 | (magnitude >> segment & 0x0F)
    };
    (sign | code as u8) ^ 0x55
}

/// µ-law octet nearest to a 16-bit linear sample.
pub const fn linear_to_ulaw(sample: i16) -> u8 {
    const BIAS: u16 = 0x84;
    const CLIP: u16 = 32_635;
    let (sign, magnitude) = if sample >= 0 { (0, sample as u16) } else { (0x80, sample.unsigned_abs()) };
    let biased = (if magnitude > CLIP { CLIP } else { magnitude }) + BIAS;
    let segment = 8 - biased.leading_zeros() as u16;
    !(sign | (segment << 4 | (biased >> (segment + 3) & 0x0F)) as u8)
}

/// Rewrites A-law octets as µ-law, in place.
pub fn alaw_to_ulaw(octets: &mut [u8]) {
    octets.iter_mut().for_each(|o| *o = ALAW_ULAW[*o as usize]);
}

/// Rewrites µ-law octets as A-law, in place.
pub fn ulaw_to_alaw(octets: &mut [u8]) {
    octets.iter_mut().for_each(|o| *o = ULAW_ALAW[*o as usize]);
}

static ALAW_LINEAR: [i16; 256] = alaw_table();
static ULAW_LINEAR: [i16; 256] = ulaw_table();
static ALAW_ULAW: [u8; 256] = alaw_ulaw_table();
static ULAW_ALAW: [u8; 256] = ulaw_alaw_table();

const fn alaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let code = i as u8 ^ 0x55;
        let (segment, step) = ((code >> 4 & 7) as u16, (code & 0x0F) as i16);
        // The middle of the quantising interval, scaled from 13 to 16 bits.
        let magnitude = if segment == 0 { step << 4 | 8 } else { (step << 4 | 0x108) << (segment - 1) };
        table[i] = if code & 0x80 != 0 { magnitude } else { -magnitude };
        i += 1;
    }
    table
}

const fn ulaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let code = !(i as u8);
        let (segment, step) = ((code >> 4 & 7) as u16, (code & 0x0F) as i16);
        let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
        table[i] = if code & 0x80 != 0 { -magnitude } else { magnitude };
        i += 1;
    }
    table
}

const fn alaw_ulaw_table() -> [u8; 256] {
    let (linear, mut table) = (alaw_table(), [0; 256]);
    let mut i = 0;
    while i < 256 {
        table[i] = linear_to_ulaw(linear[i]);
        i += 1;
    }
    table
}

const fn ulaw_alaw_table() -> [u8; 256] {
    let (linear, mut table) = (ulaw_table(), [0; 256]);
    let mut i = 0;
    while i < 256 {
        table[i] = linear_to_alaw(linear[i]);
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's tables as what they are: a row of quantising intervals, in 16-bit units, from zero up.
    /// `(lower end, width)`; the sample is coded by its interval's place and decoded to the middle.
    fn intervals(first: &[(usize, i32)]) -> Vec<(i32, i32)> {
        let widths = first.iter().flat_map(|(count, width)| std::iter::repeat_n(*width, *count));
        widths.scan(0, |at, width| Some((std::mem::replace(at, *at + width), width))).collect()
    }

    #[test]
    fn both_laws_are_the_standards_tables() {
        let a = intervals(&[(32, 16), (16, 32), (16, 64), (16, 128), (16, 256), (16, 512), (16, 1_024)]);
        let u =
            intervals(&[(1, 4), (15, 8), (16, 16), (16, 32), (16, 64), (16, 128), (16, 256), (16, 512), (16, 1_024)]);
        assert_eq!((a.len(), u.len()), (128, 128));
        let find = |table: &[(i32, i32)], magnitude| table.iter().rposition(|(low, _)| *low <= magnitude).unwrap();
        for sample in i16::MIN..=i16::MAX {
            let wide = i32::from(sample);
            // A-law mirrors about -1/2: -1 is coded like 0.
            let n = find(&a, if wide < 0 { -wide - 1 } else { wide });
            let code = linear_to_alaw(sample);
            assert_eq!(code ^ 0x55, if wide < 0 { n as u8 } else { n as u8 | 0x80 }, "A-law of {sample}");
            let middle = a[n].0 + a[n].1 / 2;
            assert_eq!(i32::from(alaw_to_linear(code)), if wide < 0 { -middle } else { middle });

            let n = find(&u, wide.abs());
            let code = linear_to_ulaw(sample);
            assert_eq!(!code, if wide < 0 { n as u8 | 0x80 } else { n as u8 }, "µ-law of {sample}");
            // The lowest interval is half of one that straddles zero.
            let middle = if n == 0 { 0 } else { u[n].0 + u[n].1 / 2 };
            assert_eq!(i32::from(ulaw_to_linear(code)), if wide < 0 { -middle } else { middle });
        }
    }

    #[test]
    fn decoding_follows_the_continuous_laws() {
        // The standard's characteristic as formulas: A = 87.6 and µ = 255, approximated by 13 and 15 chords.
        for code in 0..=255u8 {
            let x = f64::from(alaw_to_linear(code)) / 32_768.0;
            let (a, ax) = (87.6f64, x.abs());
            let y = if ax < 1.0 / a { a * ax / (1.0 + a.ln()) } else { (1.0 + (a * ax).ln()) / (1.0 + a.ln()) };
            let step = f64::from((code ^ 0x55) & 0x7F);
            assert!((y * 128.0 - step - 0.5).abs() < 2.0, "A-law {code:#04x}: {} vs {step}", y * 128.0);

            let x = f64::from(ulaw_to_linear(code)).abs() / 32_635.0;
            let y = (1.0 + 255.0 * x).ln() / 256f64.ln();
            let step = f64::from(!code & 0x7F);
            assert!((y * 128.0 - step - 0.5).abs() < 2.0, "µ-law {code:#04x}: {} vs {step}", y * 128.0);
        }
    }

    #[test]
    fn every_code_survives_a_round_trip() {
        for code in 0..=255u8 {
            assert_eq!(linear_to_alaw(alaw_to_linear(code)), code);
            // µ-law has two zeros.
            let back = linear_to_ulaw(ulaw_to_linear(code));
            assert!(back == code || (code, back) == (0x7F, 0xFF), "{code:#x} -> {back:#x}");
        }
        assert_eq!((linear_to_alaw(0), linear_to_ulaw(0)), (ALAW_SILENCE, ULAW_SILENCE));
    }

    #[test]
    fn transcoding_costs_at_most_one_quantising_step() {
        for code in 0..=255u8 {
            let mut octets = [code];
            alaw_to_ulaw(&mut octets);
            let (before, after) = (i32::from(alaw_to_linear(code)), i32::from(ulaw_to_linear(octets[0])));
            assert!((before - after).abs() <= before.abs() / 16 + 8, "{before} became {after}");
            ulaw_to_alaw(&mut octets);
            let back = i32::from(alaw_to_linear(octets[0]));
            assert!((before - back).abs() <= before.abs() / 12 + 16, "{before} came back as {back}");
        }
    }
}
