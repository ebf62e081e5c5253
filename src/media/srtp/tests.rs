//! Published vectors, then what holds for any stream: loss, reordering, replay, rollover, forgery.

use super::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

fn key(suite: Suite, n: u8) -> MasterKey {
    MasterKey::random(suite, |octets| octets.iter_mut().zip(n..).for_each(|(octet, n)| *octet = n))
}

/// One packet of a stream.
fn packet(ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(seq.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn sealed(sender: &mut Sender, plain: &[u8]) -> Vec<u8> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + 32, 0);
    let len = sender.seal_rtp(plain.len(), &mut buffer).expect("a fresh index");
    buffer.truncate(len);
    buffer
}

fn opened(receiver: &mut Receiver, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = sealed.to_vec();
    let len = receiver.open_rtp(&mut buffer);
    assert!(len.is_some() || buffer == sealed, "what does not open stays as it was");
    buffer.truncate(len?);
    Some(buffer)
}

#[test]
fn keys_are_derived_as_rfc_3711_b3_has_it() {
    let suite = Suite::AesCm128HmacSha1_80;
    let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let master = MasterKey::new(suite, &master).unwrap();
    let (cipher, mac, salt) =
        (cipher::derived(suite, &master, 0), cipher::derived(suite, &master, 1), cipher::derived(suite, &master, 2));
    assert_eq!(cipher, array::<16>("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(salt, array::<14>("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        mac,
        array::<94>(
            "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2\
             F94A8C5FBCDDDC256D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2"
        )
    );
}

/// RFC 3711 B.2: the keystream, seen through a payload of noughts.
#[test]
fn counter_mode_as_rfc_3711_b2_has_it() {
    let cipher =
        Cipher::counter(array("2B7E151628AED2A6ABF7158809CF4F3C"), array("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), [0; 20], 10);
    let mut buffer = [0; 12 + 48 + 10];
    assert_eq!(cipher.seal_rtp(0, 0, 12, 60, &mut buffer), Some(70));
    let stream = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(buffer[12..60], hex(stream));
}

/// Whole packets that libsrtp checks itself with, from the master key on.
#[test]
fn packets_of_another_implementation() {
    let rtp = hex("800F1234 DECAFBAD CAFEBABE ABABABAB ABABABAB ABABABAB ABABABAB");
    let rtcp = hex("81C8000B CAFEBABE ABABABAB ABABABAB ABABABAB ABABABAB");
    for (suite, master, srtp, srtcp) in [
        (
            Suite::AesCm128HmacSha1_80,
            "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6",
            "800F1234 DECAFBAD CAFEBABE 4E55DC4C E79978D8 8CA4D215 949D2402 B78D6ACC 99EA179B 8DBB",
            "81C8000B CAFEBABE 7128035B E487B9BD BEF89041 F977A5A8 80000001 993E08CD 54D6C123 0798",
        ),
        (
            Suite::AeadAes128Gcm,
            "000102030405060708090A0B0C0D0E0F A0A1A2A3A4A5A6A7A8A9AAAB",
            "800F1234 DECAFBAD CAFEBABE C5002EDE 04CFDD2E B91159E0 880AA06E D2976826 F796B201 DF3131A1 27E8A392",
            "81C8000B CAFEBABE C98B8B5D F0392A55 852B6C21 AC8E7025 C52C6FBE A2B3B446 EA31123B A88CE61E 80000001",
        ),
    ] {
        let master = MasterKey::new(suite, &hex(master)).unwrap();
        assert_eq!(sealed(&mut Sender::new(suite, &master), &rtp), hex(srtp));
        let mut receiver = Receiver::new(suite, &master);
        assert_eq!(opened(&mut receiver, &hex(srtp)), Some(rtp.clone()));
        let mut buffer = [&rtcp[..], &[0; 20]].concat();
        let len = Sender::new(suite, &master).seal_rtcp(rtcp.len(), &mut buffer).unwrap();
        assert_eq!(buffer[..len], hex(srtcp));
        assert_eq!(receiver.open_rtcp(&mut buffer[..len]), Some(24));
        assert_eq!(buffer[..24], rtcp);
        assert_eq!(receiver.open_rtcp(&mut hex(srtcp)), None, "again");
    }
}

/// RFC 7714 s16.1, s16.2, s17.1, s17.2: session keys and whole packets.
#[test]
fn gcm_as_rfc_7714_has_it() {
    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let salt = array("517569642070726f2071756f");
    let ciphers = [Cipher::gcm128(array(&KEY[..32]), salt), Cipher::gcm256(array(KEY), salt)];
    let rtp =
        hex("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
    let srtp = [
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
         899d7f27beb16a9152cf765ee4390cce",
        "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
         7aa3db36dfffd6b0f9bb7878d7a76c13",
    ];
    let rtcp =
        hex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let srtcp = [
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b\
         c84aa45896cf4d2fc5abf87245d9eade800005d4",
        "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad\
         1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
    ];
    for (n, cipher) in ciphers.iter().enumerate() {
        let (index, ssrc) = (0xF17B, 0x5501_A0B2);
        let mut buffer = [&rtp[..], &[0; 16]].concat();
        assert_eq!(cipher.seal_rtp(index, ssrc, 12, rtp.len(), &mut buffer), Some(rtp.len() + 16));
        assert_eq!(buffer, hex(srtp[n]));
        assert_eq!(cipher.open_rtp(index, ssrc, 12, &mut buffer), Some(rtp.len()));
        assert_eq!(buffer[..rtp.len()], rtp);
        let mut buffer = [&rtcp[..], &[0; 20]].concat();
        assert_eq!(cipher.seal_rtcp(0x5D4, rtcp.len(), &mut buffer), Some(rtcp.len() + 20));
        assert_eq!(buffer, hex(srtcp[n]));
        assert_eq!(cipher.rtcp_index(&buffer), Some(0x5D4));
        assert_eq!(cipher.open_rtcp(0x5D4, &mut buffer), Some(rtcp.len()));
        assert_eq!(buffer[..rtcp.len()], rtcp);
    }
}

#[test]
fn a_bit_changed_anywhere_is_noticed() {
    for suite in Suite::ALL {
        let (ours, mut receiver) = (key(suite, 1), Receiver::new(suite, &key(suite, 1)));
        let wire = sealed(&mut Sender::new(suite, &ours), &packet(7, 1, b"pieces of speech"));
        for at in 0..wire.len() * 8 {
            let mut forged = wire.clone();
            forged[at / 8] ^= 1 << (at % 8);
            assert_eq!(opened(&mut receiver, &forged), None, "{suite:?} bit {at}");
        }
        for len in 0..wire.len() {
            assert_eq!(opened(&mut receiver, &wire[..len]), None, "{suite:?} cut to {len}");
        }
        assert_eq!(opened(&mut Receiver::new(suite, &key(suite, 2)), &wire), None, "another key");
        assert!(receiver.rtp_streams.0.is_empty(), "nothing is kept of what is not genuine");
        assert!(opened(&mut receiver, &wire).is_some());
    }
}

/// Loss, reordering and replay over several rollovers; what a receiver hears is each genuine packet once at most.
#[test]
fn a_network_that_loses_reorders_and_repeats() {
    for (suite, seed) in Suite::ALL.into_iter().zip(1u64..) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut sender, mut receiver) = (Sender::new(suite, &key(suite, 1)), Receiver::new(suite, &key(suite, 1)));
        let (mut flying, mut heard, mut delivered) = (Vec::<(u64, Vec<u8>)>::new(), BTreeSet::new(), 0u64);
        const FIRST: u64 = 30_000;
        for n in FIRST..FIRST + 150_000 {
            let wire = sealed(&mut sender, &packet(9, n as u16, &n.to_be_bytes()));
            match random.next_u32() % 100 {
                0..=4 => {}
                5..=14 => flying.push((n + u64::from(random.next_u32() % 90), wire.clone())),
                _ => flying.push((n, wire.clone())),
            }
            if random.next_u32() % 50 == 0 {
                flying.push((n + u64::from(random.next_u32() % 5_000), wire));
            }
            let (due, later) = flying.into_iter().partition(|(at, _)| *at <= n);
            flying = later;
            for (_, wire) in due {
                let Some(plain) = opened(&mut receiver, &wire) else { continue };
                let number = u64::from_be_bytes(plain[12..].try_into().unwrap());
                assert!(heard.insert(number), "{suite:?}: {number} twice");
                delivered += 1;
            }
        }
        assert!(delivered > 140_000, "{suite:?}: {delivered} of 142,500 sent");
        assert_eq!(receiver.rtp_streams.0.len(), 1);
    }
}

#[test]
fn no_index_is_sealed_twice() {
    let suite = Suite::AeadAes128Gcm;
    let mut sender = Sender::new(suite, &key(suite, 1));
    let mut seal = |seq: u16, payload: &[u8]| {
        let mut buffer = [packet(1, seq, payload), vec![0; 16]].concat();
        sender.seal_rtp(buffer.len() - 16, &mut buffer).is_some()
    };
    assert!(seal(65_000, b"a") && seal(65_001, b"b"));
    assert!(!seal(65_001, b"c") && !seal(65_000, b"a"), "not even the same again");
    assert!(seal(65_100, b"d") && seal(65_050, b"late") && !seal(65_050, b"late"));
    assert!(!seal(64_900, b"later than can be told"));
    assert!(seal(10, b"past the end") && seal(65_535, b"late, before it") && !seal(10, b"x"));
}

#[test]
fn streams_come_and_go_under_one_key() {
    let suite = Suite::AesCm128HmacSha1_80;
    let (mut receiver, master) = (Receiver::new(suite, &key(suite, 1)), key(suite, 1));
    let mut first = Sender::new(suite, &master);
    let early = sealed(&mut first, &packet(100, 65_530, b"a"));
    assert!(opened(&mut receiver, &early).is_some());
    let past = sealed(&mut first, &packet(100, 5, b"b"));
    assert!(opened(&mut receiver, &past).is_some(), "rolled over");
    // Another source in between does not make it forget.
    for ssrc in 101..108 {
        let wire = sealed(&mut Sender::new(suite, &master), &packet(ssrc, 1_000, b"c"));
        assert!(opened(&mut receiver, &wire).is_some() && opened(&mut receiver, &wire).is_none());
    }
    assert!(opened(&mut receiver, &sealed(&mut first, &packet(100, 6, b"d"))).is_some());
    assert!(opened(&mut receiver, &early).is_none() && opened(&mut receiver, &past).is_none());
    for ssrc in 200..300 {
        let wire = sealed(&mut Sender::new(suite, &master), &packet(ssrc, 1_000, b"c"));
        assert!(opened(&mut receiver, &wire).is_some());
    }
    assert_eq!(receiver.rtp_streams.0.len(), STREAMS, "bounded");
}

/// The far end began near 65,535 and had rolled over before we had its key.
#[test]
fn who_is_heard_late_is_heard() {
    let suite = Suite::AesCm128HmacSha1_32;
    let mut sender = Sender::new(suite, &key(suite, 1));
    let missed = sealed(&mut sender, &packet(1, 65_500, b"a"));
    let heard = sealed(&mut sender, &packet(1, 20, b"b"));
    let mut receiver = Receiver::new(suite, &key(suite, 1));
    assert!(opened(&mut receiver, &heard).is_some());
    assert!(opened(&mut receiver, &missed).is_some(), "only late");
    assert!(opened(&mut receiver, &heard).is_none());
}

#[test]
fn a_new_key_of_one_side_leaves_the_other_as_it_was() {
    let suite = Suite::AesCm128HmacSha1_80;
    let keys = |ours, theirs| Keys { suite, ours: key(suite, ours), theirs: key(suite, theirs) };
    let mut leg = Protection::new(keys(1, 2));
    let (mut far_end, mut far_ear) = (Sender::new(suite, &key(suite, 2)), Receiver::new(suite, &key(suite, 1)));
    // Both directions roll over.
    for seq in [40_000, 60_000, 10_000] {
        let heard = sealed(&mut far_end, &packet(5, seq, b"theirs"));
        assert!(opened(&mut leg.receiver, &heard).is_some());
        assert!(opened(&mut far_ear, &sealed(&mut leg.sender, &packet(6, seq, b"ours"))).is_some());
    }
    let replay = sealed(&mut far_end, &packet(5, 10_001, b"theirs"));
    assert!(opened(&mut leg.receiver, &replay).is_some());

    let mut leg = leg.renewed(keys(1, 2));
    assert!(opened(&mut leg.receiver, &replay).is_none(), "a refresh forgets nothing");
    assert!(opened(&mut far_ear, &sealed(&mut leg.sender, &packet(6, 10_002, b"ours"))).is_some());

    // Their new key: counting from nought, as RFC 4568 has it, or on, as some do.
    let mut leg = leg.renewed(keys(1, 3));
    assert!(opened(&mut leg.receiver, &sealed(&mut far_end, &packet(5, 10_003, b"old key"))).is_none());
    let mut anew = Sender::new(suite, &key(suite, 3));
    assert!(opened(&mut leg.receiver, &sealed(&mut anew, &packet(5, 10_003, b"new"))).is_some());
    let mut on = Sender::new(suite, &key(suite, 4));
    for seq in [40_000, 60_000, 10_000] {
        sealed(&mut on, &packet(5, seq, b"unheard"));
    }
    let mut leg = leg.renewed(keys(1, 4));
    assert!(opened(&mut leg.receiver, &sealed(&mut on, &packet(5, 10_004, b"on"))).is_some());
    assert!(opened(&mut far_ear, &sealed(&mut leg.sender, &packet(6, 10_004, b"ours"))).is_some(), "ours went on");

    // Our new key begins at nought.
    let mut leg = leg.renewed(keys(9, 4));
    let wire = sealed(&mut leg.sender, &packet(6, 40_005, b"ours"));
    assert!(opened(&mut Receiver::new(suite, &key(suite, 9)), &wire).is_some());
    assert_eq!(format!("{leg:?}"), "AesCm128HmacSha1_80 ***");
}

#[test]
fn extensions_and_contributors_stay_readable() {
    for suite in Suite::ALL {
        let mut plain = packet(1, 1, &[9, 9, 9, 9, 0xBE, 0xDE, 0, 1, 7, 7, 7, 7]);
        plain[0] = 0x91;
        plain.extend(b"speech");
        let wire = sealed(&mut Sender::new(suite, &key(suite, 1)), &plain);
        assert_eq!(wire[..24], plain[..24]);
        assert_ne!(wire[24..30], plain[24..]);
        assert_eq!(opened(&mut Receiver::new(suite, &key(suite, 1)), &wire), Some(plain));
    }
}
