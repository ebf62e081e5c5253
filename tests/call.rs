//! One citizen call, as tables: what happens | what the call does about it, in order. Readable without the code.
//!
//! `c` is the caller's leg, `s1`, `s2` the seats' legs. Times are seconds since the INVITE.

use rexian::call::{Call, CallInput, CallOutput, Distributor, Terms};
use rexian::config::settings::{AnswerMode, QueueSettings};
use rexian::event::{CallFact, Chosen, OfferEnd};
use rexian::ids::{CallId, LegId};
use rexian::leg::{Caller, Incoming, LegCommand, LegEnd};
use rexian::plane::{Direction, Source};
use rexian::time::Instant;
use std::time::Duration;

const ANSWERED: &str = "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
";

const TABLES: &[(&str, AnswerMode, &str)] = &[
    ("answered, caller hangs up", AnswerMode::OnQueue, "
+ answered
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended caller_hangup wait=5 talk=60 hold=0, over
 66    s1 ended HungUp     |
"),
    ("answered, agent hangs up", AnswerMode::OnQueue, "
+ answered
 65    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended agent_hangup wait=5 talk=60 hold=0, over
"),
    ("hold and resume; the citizen hears music, the time is kept apart", AnswerMode::OnQueue, "
+ answered
 20    s1 holds            | c hears music, Held, acd Held
 20    s1 holds            |
 50    s1 resumes          | c hears s1, Resumed, acd Resumed
 60    s1 holds            | c hears music, Held, acd Held
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended caller_hangup wait=5 talk=60 hold=35, over
"),
    ("on pickup: early media while waiting, 200 only when the agent is there", AnswerMode::OnPickup, "
  0    arrives             | Arrived, c EarlyMedia, c hears greeting>music, Queued
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, c Answer, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
"),
    ("late pickup is not within N", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
 10    offer 6601 s1       | Offered 6601, ring s1
 15.001 s1 answers         | acd Answered, ticket wait=15001 late
"),
    ("the spool refuses: the pickup goes on at once", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spool fails         | Answered wait=5 ring=2 unspooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
  6    spooled             |
"),
    ("the spool is silent: patience ends after half a second", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5.4  timeout             |
  5.5  timeout             | Answered wait=5 ring=2 unspooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
"),
    ("caller hangs up between pickup and disk: still one pickup, one ticket, one end", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    caller hangs up     |
  5    s1 ended HungUp     |
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended caller_hangup wait=5 talk=0 hold=0, over
"),
    ("no answer, busy, unreachable: the caller keeps the place each time", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  1    offer 6601 s1       | Offered 6601, ring s1
 21    revoked NoAnswer    | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 NoAnswer
 21    s1 ended Released   |
 22    offer 6602 s2       | Offered 6602, ring s2
 23    s2 ended Busy       | s2 closed, OfferEnded 6602 Busy, acd OfferFailed(Busy)
 24    offer 6602 s3       | Offered 6602, ring s3
 25    s3 ended Unreachable| s3 closed, OfferEnded 6602 Unreachable, acd OfferFailed(Unreachable)
 26    caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended abandoned_in_queue wait=26 talk=0 hold=0, over
"),
    ("the phone answers just after its offer was withdrawn: it is let go, the next one gets the call", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  1    offer 6601 s1       | Offered 6601, ring s1
 21    revoked NoAnswer    | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 NoAnswer
 21    s1 answers          | s1 Hangup(Withdrawn)
 21    offer 6602 s2       | Offered 6602, ring s2
 22    s1 answers          | s1 Hangup(Withdrawn)
 22    s2 answers          | acd Answered, ticket wait=22000 late
"),
    ("caller gone in the queue at once: a short abandon", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  4.9  caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended short_abandon wait=4.9 talk=0 hold=0, over
"),
    ("caller gone while a seat rings: the seat stops, the agent is free when it has", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
  3    offer 6601 s1       | Offered 6601, ring s1
  9    caller hangs up     | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 Withdrawn, acd LeaveAfter(s1), c Hangup(Normal), c closed, Ended abandoned_ringing wait=9 talk=0 hold=0, over
"),
    ("trunk fails: not the caller's doing", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
 32    caller ended Fault  | acd Leave, c Hangup(Normal), c closed, Ended trunk_fault wait=32 talk=0 hold=0, over
"),
    ("waited too long", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued
600    queue timeout       | acd Leave, c Hangup(NoService), c closed, Ended queue_timeout wait=600 talk=0 hold=0, over
"),
    ("audio of one side dies in conversation", AnswerMode::OnQueue, "
+ answered
 35    rtp stops           | s1 Hangup(MediaTimeout), s1 closed, acd TalkEnded, c Hangup(MediaTimeout), c closed, Ended media_timeout wait=5 talk=30 hold=0, over
"),
    ("the drain's time is over", AnswerMode::OnQueue, "
+ answered
 35    forced              | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(OurFault), c closed, Ended our_fault wait=5 talk=30 hold=0, over
 36    caller hangs up     |
"),
];

#[test]
fn calls_behave_as_the_tables_say() {
    for (name, answer, table) in TABLES {
        let table = table.replace("+ answered\n", ANSWERED.trim_start_matches('\n'));
        let mut call: Option<Call> = None;
        for line in table.lines().filter(|l| !l.trim().is_empty()) {
            let (left, want) = line.split_once('|').unwrap_or_else(|| panic!("{name}: no | in {line}"));
            let mut words = left.split_whitespace();
            let at = Instant::from_unix_secs(1_800_000_000)
                + Duration::from_secs_f64(words.next().and_then(|t| t.parse().ok()).expect("a time first"));
            let words: Vec<&str> = words.collect();
            let mut out = Vec::new();
            match (&mut call, words.as_slice()) {
                (None, ["arrives"]) => {
                    let arrived = Call::arrived(at, CallId(1), incoming(), terms(*answer), &mut out);
                    arrived.queued(1, &mut out);
                    call = Some(arrived);
                }
                (Some(call), words) => call.handle(at, input(words), &mut out),
                _ => panic!("{name}: a call must arrive first: {line}"),
            }
            let got: Vec<String> = out.iter().map(show).collect();
            assert_eq!(got.join(", "), want.trim(), "\n{name}, at: {line}");
        }
    }
}

fn input(words: &[&str]) -> CallInput {
    let leg = |name: &str| LegId(64 + name[1..].parse::<u64>().expect("s1, s2"));
    match words {
        ["offer", agent, seat] => CallInput::Offered {
            agent: (*agent).into(),
            seat: "8001".into(),
            leg: leg(seat),
            chosen: Chosen::default(),
        },
        ["revoked", "NoAnswer"] => CallInput::OfferRevoked(OfferEnd::NoAnswer),
        ["queue", "timeout"] => CallInput::QueueTimeout,
        [s, "answers"] => CallInput::SeatAnswered { leg: leg(s) },
        [s, "holds"] => CallInput::SeatMedia { leg: leg(s), direction: Direction::RecvOnly },
        [s, "resumes"] => CallInput::SeatMedia { leg: leg(s), direction: Direction::SendRecv },
        ["caller", "hangs", "up"] => CallInput::CallerEnded(LegEnd::HungUp),
        ["caller", "ended", "Fault"] => CallInput::CallerEnded(LegEnd::Fault),
        [s, "ended", end] => CallInput::SeatEnded {
            leg: leg(s),
            end: match *end {
                "HungUp" => LegEnd::HungUp,
                "Released" => LegEnd::Released,
                "Busy" => LegEnd::Busy,
                "Unreachable" => LegEnd::Unreachable,
                other => panic!("unknown end {other}"),
            },
        },
        ["spooled"] => CallInput::Spooled,
        ["spool", "fails"] => CallInput::SpoolFailed,
        ["timeout"] => CallInput::Timeout,
        ["rtp", "stops"] => CallInput::RtpTimeout,
        ["forced"] => CallInput::ForcedEnd,
        other => panic!("unknown input {other:?}"),
    }
}

fn show(output: &CallOutput) -> String {
    match output {
        CallOutput::Fact(fact) => show_fact(fact),
        CallOutput::Tell { leg, command: LegCommand::Hangup(reason) } => format!("{} Hangup({reason:?})", name(*leg)),
        CallOutput::Tell { leg, command } => format!("{} {command:?}", name(*leg)),
        CallOutput::Place(place) => format!("ring {}", name(place.leg)),
        CallOutput::Dial { leg, number } => format!("dial {number} {}", name(*leg)),
        CallOutput::SetSource { leg, source } => format!("{} hears {}", name(*leg), show_source(source)),
        CallOutput::CloseMedia { leg } => format!("{} closed", name(*leg)),
        CallOutput::OpenTicket(t) => {
            format!("ticket wait={} {}", t.wait_ms, if t.within_n { "within" } else { "late" })
        }
        CallOutput::Distributor(Distributor::LeaveAfter(leg)) => format!("acd LeaveAfter({})", name(*leg)),
        CallOutput::Distributor(told) => format!("acd {told:?}"),
        CallOutput::Over => "over".into(),
    }
}

fn show_fact(fact: &CallFact) -> String {
    match fact {
        CallFact::Arrived { .. } => "Arrived".into(),
        CallFact::Queued { .. } => "Queued".into(),
        CallFact::Offered { agent, .. } => format!("Offered {agent}"),
        CallFact::OfferEnded { agent, why } => format!("OfferEnded {agent} {why:?}"),
        CallFact::Answered { wait, ring, spooled, .. } => {
            let how = if *spooled { "spooled" } else { "unspooled" };
            format!("Answered wait={} ring={} {how}", wait.as_secs_f64(), ring.as_secs_f64())
        }
        CallFact::Ended { cause, wait, talk, hold, .. } => {
            let (wait, talk, hold) = (wait.as_secs_f64(), talk.as_secs_f64(), hold.as_secs_f64());
            format!("Ended {} wait={wait} talk={talk} hold={hold}", cause.as_str())
        }
        other => format!("{other:?}"),
    }
}

fn show_source(source: &Source) -> String {
    match source {
        Source::Play { prompts, then } => format!("{}>{}", prompts.join("+"), show_source(then)),
        Source::Music(music) => music.to_string(),
        Source::Leg(leg) => name(*leg),
        other => format!("{other:?}"),
    }
}

fn name(leg: LegId) -> String {
    if leg.0 == 64 { "c".into() } else { format!("s{}", leg.0 - 64) }
}

fn incoming() -> Incoming {
    let caller = Caller { raw: Some("053112345678".into()), e164: Some("+8653112345678".into()), withheld: false };
    let (trunk, dnis) = ("unicom".into(), "12345".into());
    Incoming { leg: LegId(64), trunk, dnis, caller, sip_call_id: "abc@carrier".into(), icid: None }
}

fn terms(answer: AnswerMode) -> Terms {
    let queue = QueueSettings {
        numbers: ["12345".to_owned()].into(),
        priority: 1,
        max_waiting: 100,
        max_wait: Some(Duration::from_secs(600)),
        greeting: Some("greeting".into()),
        language: Some("zh".into()),
        ..QueueSettings::new("mandarin", "mandarin")
    };
    Terms { queue, answer, tenant: "city".into(), spool_patience: Duration::from_millis(500) }
}
