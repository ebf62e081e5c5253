//! The fuzz targets' entry points on stable Rust: 280,000 inputs, each a good or tortured message with a few faults put
//! in. The seed is fixed: a failure names the input and comes again.

use super::{carrier_invite, exercise, rfc_4475_bytes, torture};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

#[test]
fn messages() {
    let taken = mutate("message", &seeds(), 120_000, exercise::message);
    assert!(taken > 20_000, "only {taken} inputs got past the parser: the mutations are too wild to test much");
}

#[test]
fn streams() {
    let seeds: Vec<_> = seeds().chunks(3).map(|s| s.join(&b"\r\n\r\n"[..])).collect();
    let taken = mutate("stream", &seeds, 40_000, exercise::stream);
    assert!(taken > 10_000, "only {taken}");
}

#[test]
fn descriptions() {
    let carrier = carrier_invite();
    let body = carrier.windows(4).position(|w| w == b"v=0\r").unwrap();
    let seeds = [
        carrier[body..].to_vec(),
        b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\na=sendonly\r\nm=video 6 RTP/AVP 31\r\nm=audio 8 RTP/AVPF 114 105 8 97\r\n\
          c=IN IP4 0.0.0.0\r\na=rtpmap:114 EVS/16000/1\r\na=rtpmap:105 telephone-event/16000\r\na=rtpmap:97 telephone-event/8000\r\n\
          a=rtcp:9 IN IP4 10.0.0.2\r\na=rtcp-mux\r\na=inactive\r\nm=image 0 udptl t38\r\n"
            .to_vec(),
    ];
    let keys = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 8 RTP/SAVP 8\r\n\
        a=crypto:1 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=|2^31\r\n\
        a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 KDR=1 WSH=64\r\n\
        a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj\r\n";
    let browser = format!(
        "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 {}\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 8 126\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:Ab+/\r\n\
         a=ice-pwd:0123456789012345678901ab\r\na=setup:active\r\na=mid:0\r\n\
         a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtcp-mux\r\na=rtpmap:126 telephone-event/8000\r\n\
         a=ssrc:99 cname:c\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
        ["AB"; 32].join(":")
    );
    let seeds = [&seeds[..], &[keys.to_vec(), browser.into_bytes()]].concat();
    let taken = mutate("sdp", &seeds, 40_000, exercise::sdp);
    assert!(taken > 10_000, "only {taken}");
}

#[test]
fn credentials() {
    let seeds = [
        &b"Digest username=\"8001\", realm=\"h\", nonce=\"84a4cc6f3082121f32b42a2187831a9e\", uri=\"sip:h\", qop=auth, nc=00000001, \
            cnonce=\"0a4f113b\", algorithm=SHA-256, response=\"7587245234b3434cc3412213e5f113a5432\""[..],
        b"Digest realm=h,username=\"\\\"\",nonce=\"\",uri=\"\",response=\"\",algorithm=MD5, opaque=\"x\"",
    ]
    .map(<[u8]>::to_vec);
    let read = mutate("digest", &seeds, 20_000, exercise::digest);
    assert!(read > 10_000, "only {read}");
}

#[test]
fn packets() {
    let mut plain = vec![0x80, 0x88, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
    plain.extend([0xd5; 160]);
    let extended = vec![
        0xb1, 101, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 1, 0x8a, 0, 160, 0, 0, 0,
        4,
    ];
    let report = vec![0x81, 200, 0, 1, 1, 2, 3, 4];
    let read = mutate("rtp", &[plain, extended, report], 20_000, exercise::rtp);
    assert!(read > 5_000, "only {read}");
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = torture::messages();
    seeds.push(carrier_invite());
    seeds.push(carrier_invite());
    seeds.extend(rfc_4475_bytes().into_iter().map(|(_, bytes)| bytes));
    seeds
}

/// Runs `target` on `inputs` mutations of `seeds`; how many it took.
fn mutate(name: &str, seeds: &[Vec<u8>], inputs: u64, target: fn(&[u8]) -> bool) -> u64 {
    let mut taken = 0;
    for i in 0..inputs {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(i));
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        for _ in 0..dice.below(4) {
            fault(&mut dice, &mut bytes, seeds);
        }
        match std::panic::catch_unwind(|| target(&bytes)) {
            Ok(was_taken) => taken += u64::from(was_taken),
            Err(_) => panic!("{name}: input {i} broke a promise (see above): b\"{}\"", bytes.escape_ascii()),
        }
    }
    taken
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n.max(1) as u64) as usize
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..start + self.below((len - start + 1).min(60))
    }
}

fn fault(dice: &mut Dice, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    const PIECES: [&[u8]; 30] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n ",
        b"\t",
        b" ",
        b"\0",
        b"\\\0",
        b"\"",
        b"\\\"",
        b"<",
        b">",
        b",",
        b";",
        b";;",
        b":",
        b"=",
        b"@",
        b"%",
        b"%00",
        b"?",
        b"[",
        b"]",
        b"\xff",
        b"4294967296",
        b"-1",
        b";rport",
        b";received=6.6.6.6",
        b";tag=x",
        b"\r\nl: 3",
    ];
    let at = dice.below(bytes.len() + 1);
    match dice.below(8) {
        0 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
        1 => drop(bytes.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
        2 => drop(bytes.drain(dice.range(bytes.len()))),
        3 => {
            let copy = bytes[dice.range(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
        4 => {
            let other = &seeds[dice.below(seeds.len())];
            let piece = other[dice.range(other.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        5 => bytes.truncate(at),
        6 => {
            // One piece many times: bounds and quadratic costs.
            let piece = PIECES[dice.below(PIECES.len())].repeat(1 + dice.below(200));
            bytes.splice(at..at, piece);
        }
        _ => {
            let mut range = dice.range(bytes.len());
            range.end = range.end.min(range.start + 1);
            bytes.splice(range, PIECES[dice.below(PIECES.len())].iter().copied());
        }
    }
}

#[test]
fn sealed_packets() {
    let seeds: Vec<Vec<u8>> = (0..8)
        .map(|choice| {
            let mut seed = vec![choice, 0x90, 0x88, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 1, 2, 3, 4];
            seed.extend([0xd5; 160]);
            seed
        })
        .collect();
    let sealed = mutate("srtp", &seeds, 4_000, exercise::srtp);
    assert!(sealed > 1_000, "only {sealed}");
}

#[test]
fn audio_with_keys_in_it() {
    let seeds = [
        &include_bytes!("../fuzz/seeds/dtmf/alaw-1-9")[..],
        include_bytes!("../fuzz/seeds/dtmf/ulaw-star-D"),
        include_bytes!("../fuzz/seeds/dtmf/alaw-faint-5"),
    ]
    .map(<[u8]>::to_vec);
    let pressed = mutate("dtmf", &seeds, 1_500, exercise::dtmf);
    assert!(pressed > 500, "only {pressed}");
}

#[test]
fn traced_messages() {
    let seeds = [&include_bytes!("../fuzz/seeds/hep/v4")[..], include_bytes!("../fuzz/seeds/hep/v6-tcp-password")];
    let read = mutate("hep", &seeds.map(<[u8]>::to_vec), 40_000, exercise::hep);
    assert!(read > 5_000, "only {read}");
}
