//! Tables and floods, in virtual time.

use super::allowance::{ALL, EACH};
use super::intake::{Backlog, Class, IN_TIME, Kind, LATE, Sender, Shedding, kind};
use super::*;
use crate::sip::flow::holder;
use std::net::{Ipv4Addr, Ipv6Addr};

const START: Instant = Instant::from_unix_secs(1_800_000_000);
const PHONE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));

fn at(secs: u64) -> Instant {
    START + Duration::from_secs(secs)
}

fn bot(n: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0xcb00_0000 + n))
}

fn network(text: &str, prefix: u8) -> Cidr {
    Cidr { address: text.parse().unwrap(), prefix }
}

fn guard() -> Guard {
    let settings = GuardSettings { never_ban: vec![network("10.2.0.0", 16)], ..GuardSettings::default() };
    Guard::new(settings, [network("10.1.0.7", 32)], 42)
}

#[test]
fn failures_slow_and_then_ban_for_ever_longer() {
    let mut guard = guard();
    let mut now = START;
    let mut seen = vec![];
    for _ in 0..13 {
        let (length, word) = match guard.failed(now, bot(1), None, false) {
            Consequence::Slowed(length) => (length, "slowed"),
            Consequence::Banned { length, .. } => (length, "banned"),
        };
        seen.push(format!("{word} {}", length.as_secs()));
        assert_ne!(guard.admission(now + (length - Duration::from_millis(1)), bot(1)), Admission::Open);
        now = now + length;
        assert_eq!(guard.admission(now, bot(1)), Admission::Open);
        assert_eq!(guard.admission(now, bot(2)), Admission::Open, "another address");
    }
    let wanted = "slowed 1, slowed 2, slowed 4, slowed 8, banned 60, banned 120, banned 240, banned 480, banned 960, \
                  banned 1920, banned 3600, banned 3600, banned 3600";
    assert_eq!(seen.join(", "), wanted);
    // Quiet for as long as the last ban: forgotten.
    assert_eq!(
        guard.failed(now + Duration::from_secs(3_600), bot(1), None, false),
        Consequence::Slowed(Duration::from_secs(1))
    );
    assert_eq!(guard.watch(now).bans, 9);
}

#[test]
fn some_are_slowed_and_never_banned() {
    let mut guard = guard();
    for exempt in ["10.1.0.7", "10.2.200.1"] {
        let ip: IpAddr = exempt.parse().unwrap();
        let mut longest = Duration::ZERO;
        for n in 0..1_000 {
            match guard.failed(at(n), ip, Some(&"8001".into()), false) {
                Consequence::Slowed(length) => longest = longest.max(length),
                banned => panic!("{exempt}: {banned:?}"),
            }
        }
        assert_eq!(longest, Duration::from_secs(4), "{exempt}");
    }
    assert_eq!(guard.watch(at(1_000)).banned_now, 0);
}

/// One try per address and still no harm to the seat's own phone, where it is or where it moves.
#[test]
fn a_seat_guessed_at_from_everywhere_is_not_locked() {
    let (mut guard, seat) = (guard(), SeatNo::new("8001"));
    guard.proved(&seat, PHONE);
    let mut banned_at_once = 0;
    for n in 0..1_000 {
        let consequence = guard.failed(START, bot(n), Some(&seat), false);
        banned_at_once += u32::from(matches!(consequence, Consequence::Banned { failures: 1, .. }));
    }
    assert_eq!(banned_at_once, 1_000 - 19, "after twenty guesses each costs an address");
    assert_eq!(guard.watch(START).seats_guessed_at, 1);
    let moved = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 77));
    assert_eq!((guard.admission(START, PHONE), guard.admission(START, moved)), (Admission::Open, Admission::Open));
    // A typing mistake at home costs a second; at another seat's phone too.
    assert_eq!(guard.failed(START, PHONE, Some(&seat), false), Consequence::Slowed(Duration::from_secs(1)));
    let other = SeatNo::new("8002");
    assert_eq!(guard.failed(START, moved, Some(&other), false), Consequence::Slowed(Duration::from_secs(1)));
    assert_eq!(guard.watch(at(601)).seats_guessed_at, 0, "over when it has been quiet");
}

#[test]
fn a_million_addresses_cost_as_much_as_a_few() {
    let (mut guard, seat) = (guard(), SeatNo::new("8001"));
    let size = |guard: &Guard| postcard::to_stdvec(guard).unwrap().len();
    for n in 0..20_000 {
        guard.failed(START, bot(n), Some(&seat), false);
    }
    let (after_few, remembered) = (size(&guard), guard.remembered());
    for n in 20_000..1_000_000 {
        guard.failed(START + Duration::from_micros(n.into()), bot(n), Some(&seat), false);
    }
    assert_eq!((remembered, guard.remembered()), (bans::CAPACITY, bans::CAPACITY));
    assert!(size(&guard) <= after_few + 1_024, "{} then {}", after_few, size(&guard));
    // In time everything is forgotten.
    guard.failed(at(100_000), bot(0), None, false);
    assert_eq!(guard.remembered(), 1);
}

#[test]
fn an_ipv6_host_is_its_64() {
    let mut guard = guard();
    let host = |n: u128| holder(IpAddr::V6(Ipv6Addr::from(0x2001_0db8_0000_0001_u128 << 64 | n)));
    for n in 0..5 {
        guard.failed(START, host(n), None, false);
    }
    assert_eq!(guard.admission(START, host(999)), Admission::Banned);
    assert_eq!(holder("::ffff:10.0.0.9".parse().unwrap()), PHONE);
}

#[test]
fn strangers_get_so_many_answers_a_second() {
    let mut guard = guard();
    let one = (0..1_000).filter(|_| guard.may_answer(START, PHONE)).count();
    assert_eq!(one, usize::from(EACH), "one address");
    let all = (0..100_000).filter(|n| guard.may_answer(START, bot(*n))).count();
    assert_eq!(all, ALL as usize - one, "a hundred thousand");
    assert!(guard.may_answer(at(1), PHONE), "the next second");
    // A flood of strangers leaves a home its own; and a home has no more than that.
    (0..100_000).filter(|n| guard.may_answer(at(1), bot(*n))).count();
    let home = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
    let at_home = (0..1_000).filter(|_| guard.may_answer_at_home(at(1), home)).count();
    assert!((usize::from(EACH) - 10..=usize::from(EACH)).contains(&at_home), "{at_home}");
}

#[test]
fn messages_are_told_apart_by_a_look() {
    let request =
        |method: &str, lines: &str| format!("{method} sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n{lines}\r\n\r\nt:;tag=1");
    for (message, wanted) in [
        ("SIP/2.0 200 OK\r\nTo: <sip:x>;tag=1\r\n\r\n".to_owned(), Kind::Response),
        (request("ACK", "To: <sip:x>;tag=1"), Kind::Ack),
        (request("CANCEL", "To: <sip:x>"), Kind::Cancel),
        (request("REGISTER", "To: <sip:x>;tag=1"), Kind::Register),
        (format!("\r\n\r\n{}", request("REGISTER", "To: <sip:x>")), Kind::Register),
        (request("BYE", "To: <sip:x>;tag=1"), Kind::InDialog),
        (request("INVITE", "t : \"a\" <sip:x;y> ; TAG=1"), Kind::InDialog),
        (request("INVITE", "To: <sip:x>"), Kind::New { proves: false }),
        (request("INVITE", "To: <sip:x>\r\nAuthorization: Digest x"), Kind::New { proves: true }),
        (request("INVITE", "From: <sip:x>;tag=1\r\nTo: <sip:x>\r\nTotal: ;tag=1"), Kind::New { proves: false }),
        (request("OPTIONS", "Subject: x"), Kind::New { proves: false }),
        (String::new(), Kind::New { proves: false }),
        ("x".repeat(70_000), Kind::New { proves: false }),
    ] {
        assert_eq!(kind(message.as_bytes()), wanted, "{message}");
    }
}

#[test]
fn calls_and_phones_go_first() {
    use Class::*;
    for (sender, kind, wanted) in [
        (Sender::Trunk, Kind::InDialog, AtOnce),
        (Sender::Trunk, Kind::Ack, AtOnce),
        (Sender::Trunk, Kind::Response, AtOnce),
        (Sender::Trunk, Kind::New { proves: false }, NewCall),
        (Sender::Trunk, Kind::Cancel, NewCall),
        (Sender::Trunk, Kind::Register, NewCall),
        (Sender::Phone, Kind::New { proves: false }, AtOnce),
        (Sender::Phone, Kind::Register, AtOnce),
        (Sender::Stranger, Kind::Register, Stranger),
        (Sender::Stranger, Kind::InDialog, Stranger),
    ] {
        assert_eq!(Class::of(sender, kind), wanted, "{sender:?} {kind:?}");
    }
    let mut backlog = Backlog::default();
    for n in 0..20 {
        backlog.push(START, Class::Stranger, 100 + n);
        backlog.push(START, Class::NewCall, n);
    }
    let order: Vec<u32> = std::iter::from_fn(|| backlog.pop().map(|(_, n)| n)).collect();
    assert_eq!(order[..10], [0, 1, 2, 3, 4, 5, 6, 100, 7, 8], "one turn in eight is the strangers'");
    let of = |limit: u32| order.iter().copied().filter(|n| (limit == 100) == (*n >= 100)).collect::<Vec<_>>();
    assert!(of(0).is_sorted() && of(100).is_sorted() && order.len() == 40, "{order:?}");
    for n in 0..100_000 {
        backlog.push(START, Class::NewCall, n);
        backlog.push(START, Class::Stranger, n);
    }
    assert_eq!(std::iter::from_fn(|| backlog.pop()).count(), 4_096 + 512, "bounded");
}

/// A loop that has work for `capacity` calls a second and is offered `offered`: what it carries through, in calls a
/// second, and the longest any admitted call waited. A call costs half at its INVITE and half at once after, in its dialog.
fn goodput(offered: u64, capacity: u64, shed: bool) -> (u64, Duration) {
    const SECONDS: u64 = 20;
    let (call, refusal) = (1_000_000 / capacity, 1_000_000 / capacity / 25);
    let (mut backlog, mut shedding) = (Backlog::default(), Shedding::default());
    let (mut clock, mut came, mut done, mut longest) = (START, 0, 0, Duration::ZERO);
    while clock < at(SECONDS) {
        while came < offered * clock.since(START).as_micros() as u64 / 1_000_000 {
            backlog.push(START + Duration::from_micros(came * 1_000_000 / offered), Class::NewCall, ());
            came += 1;
        }
        let Some((since, ())) = backlog.pop() else {
            clock = clock + Duration::from_micros(100);
            continue;
        };
        let lag = clock.since(since);
        if shed && shedding.sheds(lag) {
            clock = clock + Duration::from_micros(refusal);
            continue;
        }
        clock = clock + Duration::from_micros(call);
        // The carrier has given up on, or repeated, what waited longer than T1.
        if lag < Duration::from_millis(500) {
            done += 1;
            longest = longest.max(lag);
        }
    }
    (done / SECONDS, longest)
}

#[test]
fn at_twice_the_load_nine_tenths_still_get_through_and_in_time() {
    let (best, _) = goodput(1_000, 1_000, true);
    for times in [2, 4, 10] {
        let (good, longest) = goodput(1_000 * times, 1_000, true);
        let lost_to_refusals = 1_000 * (times - 1) / 25;
        println!("{times} x: {good} of {best} calls/s, longest wait {longest:?}");
        assert!(good * 10 >= best * 9 - lost_to_refusals * 10, "{times} x: {good} of {best}");
        assert!(longest <= LATE + Duration::from_millis(2), "{longest:?}");
    }
    assert!(goodput(2_000, 1_000, true).0 * 10 >= best * 9);
    // The control: without it everybody waits until nobody wants the answer any more.
    assert!(goodput(2_000, 1_000, false).0 < best / 2);
}

#[test]
fn shedding_ends_later_than_it_begins() {
    let mut shedding = Shedding::default();
    let ms = Duration::from_millis;
    let lags = [0, 50, 51, 30, 11, 10, 30, 50];
    let sheds: Vec<bool> = lags.iter().map(|lag| shedding.sheds(ms(*lag))).collect();
    assert_eq!(sheds, [false, false, true, true, true, false, false, false]);
    assert!(IN_TIME < LATE);
}
