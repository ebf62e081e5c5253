//! One citizen call, as tables: what happens | what the call does about it, in order. Readable without the code.
//!
//! `c` is the caller's leg, `s1`, `s2` the seats' legs. Times are seconds since the INVITE. What a call asks its
//! surroundings (`ask ...`) is answered by a line of its own, or not at all.

use rexian::call::{Ask, Call, CallInput, CallOutput, Comes, Distributor, Mode, Questions, Terms, Then};
use rexian::config::settings::{Announce, AnswerMode, QueueSettings};
use rexian::event::{CallFact, Chosen, EndCause, OfferEnd, Party, Why};
use rexian::ids::{CallId, LegId};
use rexian::leg::{Caller, Incoming, LegCommand, LegEnd};
use rexian::plane::{Direction, Source};
use rexian::time::Instant;
use std::time::Duration;

/// A caller passed on to a party outside talks no longer.
const AWAY: Duration = Duration::from_secs(7_200);

const ANSWERED: &str = "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
";

const TABLES: &[(&str, AnswerMode, &str)] = &[
    ("answered, caller hangs up", AnswerMode::OnQueue, "
+ answered
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=60 hold=0, over
 66    s1 ended HungUp     |
"),
    ("answered, agent hangs up", AnswerMode::OnQueue, "
+ answered
 65    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin agent_hangup wait=5 talk=60 hold=0, over
"),
    ("hold and resume; the citizen hears music, the time is kept apart", AnswerMode::OnQueue, "
+ answered
 20    s1 holds            | Held, acd Held, c hears music
 20    s1 holds            |
 50    s1 resumes          | Resumed, acd Resumed, c hears s1
 60    s1 holds            | Held, acd Held, c hears music
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=60 hold=35, over
"),
    ("on pickup: early media while waiting, 200 only when the agent is there", AnswerMode::OnPickup, "
  0    arrives             | Arrived, c EarlyMedia, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, c Answer, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
"),
    ("late pickup is not within N", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
 10    offer 6601 s1       | Offered 6601, ring s1
 15.001 s1 answers         | acd Answered, ticket wait=15001 late
"),
    ("the spool refuses: the pickup goes on at once", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spool fails         | Answered wait=5 ring=2 unspooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
  6    spooled             |
"),
    ("the spool is silent: patience ends after half a second", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5.4  timeout             |
  5.5  timeout             | Answered wait=5 ring=2 unspooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
"),
    ("caller hangs up between pickup and disk: still one pickup, one ticket, one end", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    caller hangs up     |
  5    s1 ended HungUp     |
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=0 hold=0, over
"),
    ("no answer, busy, unreachable: the caller keeps the place each time", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  1    offer 6601 s1       | Offered 6601, ring s1
 21    revoked NoAnswer    | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 NoAnswer
 21    s1 ended Released   |
 22    offer 6602 s2       | Offered 6602, ring s2
 23    s2 ended Busy       | s2 closed, OfferEnded 6602 Busy, acd OfferFailed(Busy)
 24    offer 6602 s3       | Offered 6602, ring s3
 25    s3 ended Unreachable| s3 closed, OfferEnded 6602 Unreachable, acd OfferFailed(Unreachable)
 26    caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended mandarin abandoned_in_queue wait=26 talk=0 hold=0, over
"),
    ("the phone answers just after its offer was withdrawn: it is let go, the next one gets the call", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  1    offer 6601 s1       | Offered 6601, ring s1
 21    revoked NoAnswer    | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 NoAnswer
 21    s1 answers          | s1 Hangup(Withdrawn)
 21    offer 6602 s2       | Offered 6602, ring s2
 22    s1 answers          | s1 Hangup(Withdrawn)
 22    s2 answers          | acd Answered, ticket wait=22000 late
"),
    ("caller gone in the queue at once: a short abandon", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  4.9  caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended mandarin short_abandon wait=4.9 talk=0 hold=0, over
"),
    ("caller gone while a seat rings: the seat stops, the agent is free when it has", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  9    caller hangs up     | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 Withdrawn, acd LeaveAfter(s1), c Hangup(Normal), c closed, Ended mandarin abandoned_ringing wait=9 talk=0 hold=0, over
"),
    ("trunk fails: not the caller's doing", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
 32    caller ended Fault  | acd Leave, c Hangup(Normal), c closed, Ended mandarin trunk_fault wait=32 talk=0 hold=0, over
"),
    ("waited too long", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
600    queue timeout       | acd Leave, c Hangup(NoService), c closed, Ended mandarin queue_timeout wait=600 talk=0 hold=0, over
"),
    ("audio of one side dies in conversation", AnswerMode::OnQueue, "
+ answered
 35    rtp stops           | s1 Hangup(MediaTimeout), s1 closed, acd TalkEnded, c Hangup(MediaTimeout), c closed, Ended mandarin media_timeout wait=5 talk=30 hold=0, over
"),
    ("the agent's phone answers nothing any more: the caller goes back into the line", AnswerMode::OnQueue, "
+ answered
 20    s1 holds            | Held, acd Held, c hears music
 35    s1 ended Unreachable| acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
 35    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
"),
    ("the audio of the agent's phone stops: the caller goes back into the line, and is heard there", AnswerMode::OnQueue, "
+ answered
 35    s1 is silent        | acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
 35    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
 40    offer 6602 s2       | Offered 6602, ring s2
 42    s2 answers          | acd Answered, TakenOver 6602 wait=7 ring=2, s2 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-2+at-your-service>s2, s2 hears c
"),
    ("the audio of both stops, the seat's first: the call ends in the line", AnswerMode::OnQueue, "
+ answered
 35    s1 is silent        | acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
 35    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
 35.1  rtp stops           | acd Leave, c Hangup(MediaTimeout), c closed, Ended mandarin media_timeout wait=5 talk=30 hold=0, over
"),
    ("the audio of both stops, the seat's first: the call ends at the next seat, which rings", AnswerMode::OnQueue, "
+ answered
 35    s1 is silent        | acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
 35    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
 35    offer 6602 s2       | Offered 6602, ring s2
 35.1  rtp stops           | s2 Hangup(Withdrawn), s2 closed, OfferEnded 6602 Withdrawn, acd LeaveAfter(s2), c Hangup(MediaTimeout), c closed, Ended mandarin media_timeout wait=5 talk=30 hold=0, over
"),
    ("the agent's phone has forgotten the call: the caller goes back into the line", AnswerMode::OnQueue, "
+ answered
 35    s1 ended Fault      | acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
 35    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
"),
    ("the agent's phone dies between pickup and disk: a pickup, and back into the line", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    s1 ended Unreachable|
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
  5    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
"),
    ("the phone they were passed on to falls silent, or has forgotten the call: back into the line", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 20    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 25    party s9 answers    | Reached 5, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 50    s9 is silent        | s9 Hangup(Normal), s9 closed, NotPassedOn 6601 480, ask back seat_lost
 50    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
 55    offer 6602 s2       | Offered 6602, ring s2
 57    s2 answers          | acd Answered, TakenOver 6602 wait=7 ring=2, s2 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-2+at-your-service>s2, s2 hears c
 60    passes on s8        | PassingOn 6602, c hears RingBack
 60    s2 ended HungUp     | s2 Hangup(Normal), s2 closed, acd TalkEnded, PassedOn 6602
 65    party s8 answers    | Reached 5, s8 Acknowledge, c hears s8, s8 hears c, ask landed s8
 70    party s8 ended Fault | s8 Hangup(Normal), s8 closed, NotPassedOn 6602 480, ask back seat_lost
"),
    ("the caller's own audio stops while they talk with a colleague", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 20    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 25    party s9 answers    | Reached 5, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 50    rtp stops           | s9 Hangup(MediaTimeout), s9 closed, c Hangup(MediaTimeout), c closed, Ended mandarin media_timeout wait=5 talk=15 hold=0, over
"),
    ("the drain's time is over", AnswerMode::OnQueue, "
+ answered
 35    forced              | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(OurFault), c closed, Ended mandarin our_fault wait=5 talk=30 hold=0, over
 36    caller hangs up     |
"),
    ("a notice is heard, then the queue: the SLA clock starts there", AnswerMode::OnQueue, "
  0    arrives, notice     | Arrived, c Answer, c hears notice>Silence
  8    play ended          | ask queue
  8    queued              | c hears greeting>music, Queued mandarin line
 11    caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended mandarin short_abandon wait=3 talk=0 hold=0, over
"),
    ("a notice is skipped with any key; early media costs the citizen nothing", AnswerMode::OnPickup, "
  0    arrives, notice     | Arrived, c EarlyMedia, c hears notice>Silence
  2    digit 5             | Digit 5, ask queue
  2    queued              | c hears greeting>music, Queued mandarin line
"),
    ("hung up during the notice: served without an agent", AnswerMode::OnPickup, "
  0    arrives, notice     | Arrived, c EarlyMedia, c hears notice>Silence
  4    caller hangs up     | c Hangup(Normal), c closed, Ended - deflected wait=0 talk=0 hold=0, over
"),
    ("the end of a notice is never reported: the caller is queued after a minute", AnswerMode::OnQueue, "
  0    arrives, notice     | Arrived, c Answer, c hears notice>Silence
 59.9  timeout             |
 60    timeout             | ask queue
"),
    ("after the notice there is no room: the caller has asked for a human", AnswerMode::OnQueue, "
  0    arrives, notice     | Arrived, c Answer, c hears notice>Silence
  8    play ended          | ask queue
  8    refused             | c Hangup(Busy), c closed, Ended mandarin queue_full wait=0 talk=0 hold=0, over
"),
    ("refused at the door: a final response instead of a call", AnswerMode::OnQueue, "
  0    arrives, silent     | Arrived
  0    refused             | c Hangup(Busy), c closed, Ended mandarin queue_full wait=0 talk=0 hold=0, over
"),
    ("the trunk fails during the notice", AnswerMode::OnQueue, "
  0    arrives, notice     | Arrived, c Answer, c hears notice>Silence
  4    caller ended Fault  | c Hangup(Normal), c closed, Ended - trunk_fault wait=0 talk=0 hold=0, over
"),
    ("closed: told so without an answer, then let go; a key does not help", AnswerMode::OnPickup, "
  0    arrives, closed     | Arrived, c EarlyMedia, c hears closed>Silence
  2    digit 1             | Digit 1
  6    play ended          | c Hangup(Normal), c closed, Ended - closed wait=0 talk=0 hold=0, over
"),
    ("closed, and the caller does not hear it out", AnswerMode::OnQueue, "
  0    arrives, closed     | Arrived, c Answer, c hears closed>Silence
  2    caller hangs up     | c Hangup(Normal), c closed, Ended - closed wait=0 talk=0 hold=0, over
"),
    ("invitations end with any key, once; whether the key means something is asked each time", AnswerMode::OnQueue, "
  0    arrives, invited    | Arrived, c Answer, c hears greeting+invitation-en>music, Queued mandarin line
  3    digit 9             | Digit 9, c hears music, ask key 9
  4    digit 2             | Digit 2, ask key 2
  4    moved english key   | Moved english key, c hears please-wait>music-en
  9    offer 6606 s1       | Offered 6606, ring s1
"),
    ("a key while a seat rings counts if nobody picks up; of two the last", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  4    digit 3             | Digit 3
  5    digit 2             | Digit 2
 23    revoked NoAnswer    | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 NoAnswer, ask key 2
 23    moved english key   | Moved english key, c hears please-wait>music-en
"),
    ("the next seat rings before the key could count: it is kept", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    digit 2             | Digit 2
  6    s1 ended Busy       | s1 closed, OfferEnded 6601 Busy, acd OfferFailed(Busy), ask key 2
  6    wishes 2            |
  6    offer 6602 s2       | Offered 6602, ring s2
 26    revoked NoAnswer    | s2 Hangup(Withdrawn), s2 closed, OfferEnded 6602 NoAnswer, ask key 2
"),
    ("a key in conversation is on record and no more", AnswerMode::OnQueue, "
+ answered
 20    digit 2             | Digit 2
"),
    ("announced at the interval; the pickup cuts it short", AnswerMode::OnQueue, "
  0    arrives, told       | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  7    play ended          |
 29.9  timeout             |
 30    timeout             | ask announcement
 30    announce 3 120      | Announced 3 120, c hears position-3>music
 34    play ended          |
 60    timeout             | ask announcement
 60    announce 1 20       | Announced 1 20, c hears position-1>music
 61    offer 6601 s1       | Offered 6601, ring s1
 62    s1 answers          | acd Answered, ticket wait=62000 late
 62    spooled             | Answered wait=62 ring=1 spooled, s1 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
 90    timeout             |
"),
    ("never over the greeting, and not for ever silent if its end is not reported", AnswerMode::OnQueue, "
  0    arrives, told       | Arrived, c Answer, c hears greeting>music, Queued mandarin line
 30    timeout             |
 60    timeout             | ask announcement
"),
    ("no announcement while a seat rings, but after that", AnswerMode::OnQueue, "
  0    arrives, told       | Arrived, c Answer, c hears greeting>music, Queued mandarin line
 28    offer 6601 s1       | Offered 6601, ring s1
 29    play ended          |
 35    timeout             |
 48    revoked NoAnswer    | s1 Hangup(Withdrawn), s1 closed, OfferEnded 6601 NoAnswer
 48    timeout             | ask announcement
"),
    ("overflow: on quietly in the same music; N stays that of the queue asked first", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  9    moved reserve overflow | Moved reserve overflow
  9    relaxed 1           | Relaxed 1
 14    offer 6603 s1       | Offered 6603, ring s1
 15    s1 answers          | acd Answered, ticket wait=15000 within
"),
    ("overflow, then abandoned there", AnswerMode::OnQueue, "
  0    arrives             | Arrived, c Answer, c hears greeting>music, Queued mandarin line
  9    moved reserve overflow | Moved reserve overflow
 20    caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended reserve abandoned_in_queue wait=20 talk=0 hold=0, over
"),
    ("the agent passes the caller on: one ticket, two agents, all talk counted", AnswerMode::OnPickup, "
  0    arrives             | Arrived, c EarlyMedia, c hears greeting>music, Queued mandarin line
  3    offer 6601 s1       | Offered 6601, ring s1
  5    s1 answers          | acd Answered, ticket wait=5000 within
  5    spooled             | Answered wait=5 ring=2 spooled, s1 Acknowledge, c Answer, c hears agent-number+digit-6+digit-6+digit-0+digit-1+at-your-service>s1, s1 hears c
 10    s1 holds            | Held, acd Held, c hears music
 15    s1 resumes          | Resumed, acd Resumed, c hears s1
 20    s1 presses *        |
 21    s1 presses 2        | ask transfer 2
 21    transferred english | s1 AcceptRefer, s1 Referred(200), s1 Hangup(Normal), s1 closed, Transferred 6601 english, Moved english agent, c hears please-wait>music-en
 21    s1 ended Released   |
 25    offer 6606 s2       | Offered 6606, ring s2
 28    s2 answers          | acd Answered, TakenOver 6606 wait=7 ring=3, s2 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-6+at-your-service>s2, s2 hears c
 38    caller hangs up     | s2 Hangup(Normal), s2 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended english caller_hangup wait=5 talk=26 hold=5, over
"),
    ("the caller hangs up in the second line: answered all the same", AnswerMode::OnQueue, "
+ answered
 20    s1 presses *        |
 21    s1 presses 2        | ask transfer 2
 21    transferred english | s1 AcceptRefer, s1 Referred(200), s1 Hangup(Normal), s1 closed, Transferred 6601 english, Moved english agent, c hears please-wait>music-en
 23    caller hangs up     | acd Leave, c Hangup(Normal), c closed, Ended english caller_hangup wait=5 talk=16 hold=0, over
"),
    ("the caller hangs up while the second seat rings", AnswerMode::OnQueue, "
+ answered
 20    s1 presses *        |
 21    s1 presses 2        | ask transfer 2
 21    transferred english | s1 AcceptRefer, s1 Referred(200), s1 Hangup(Normal), s1 closed, Transferred 6601 english, Moved english agent, c hears please-wait>music-en
 22    offer 6606 s2       | Offered 6606, ring s2
 23    caller hangs up     | s2 Hangup(Withdrawn), s2 closed, OfferEnded 6606 Withdrawn, acd LeaveAfter(s2), c Hangup(Normal), c closed, Ended english caller_hangup wait=5 talk=16 hold=0, over
"),
    ("no room in the other queue: the agent keeps the caller and hears it", AnswerMode::OnQueue, "
+ answered
 20    s1 presses *        |
 23    s1 presses 2        | ask transfer 2
 23    transfer refused    | s1 hears beep-error>c
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=60 hold=0, over
"),
    ("passed on to a colleague who answers while the agent waits", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 21    party s9 rings      | s1 Referred(180)
 22    s1 holds            | Held, acd Held
 25    party s9 answers    | s1 Referred(200), s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601, Reached 5, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 25    landed 6602         | TakenOver 6602 wait=0 ring=5, c hears agent-number+digit-6+digit-6+digit-0+digit-2+at-your-service>s9, s9 hears c
 30    s1 ended Released   |
 35    caller hangs up     | s9 Hangup(Normal), s9 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=30 hold=3, over
"),
    ("passed on by an agent who hangs up at once, to somebody who is no agent", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 20    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 22    party s9 is heard   | c hears s9
 25    party s9 answers    | Reached 5, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 95    party s9 ended HungUp | s9 Hangup(Normal), s9 closed, c Hangup(Normal), c closed, Ended mandarin party_hangup wait=5 talk=15 hold=0, over
"),
    ("the party refuses: the agent has the caller again, on hold or not as before", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 22    party s9 refuses 486 |
 22    party s9 ended Busy | s9 closed, NotPassedOn 6601 486, s1 Referred(486), c hears s1
 27    s1 holds            | Held, acd Held, c hears music
 28    passes on s8        | PassingOn 6601, c hears RingBack
 88    timeout             | s8 Hangup(Withdrawn), s8 closed, NotPassedOn 6601 408, s1 Referred(408), c hears music
 93    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin agent_hangup wait=5 talk=88 hold=66, over
"),
    ("the party refuses and the agent has gone: back into the line, answered all the same", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 21    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 25    party s9 ended Unreachable | s9 closed, NotPassedOn 6601 503, ask back 6601
 25    back 6601           | Moved mandarin agent, c hears please-wait>music
 26    offer 6602 s2       | Offered 6602, ring s2
 27    s2 answers          | acd Answered, TakenOver 6602 wait=6 ring=1, s2 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-2+at-your-service>s2, s2 hears c
"),
    ("the phone's BYE crosses the news that the party refuses: the caller is not left behind", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 20    party s9 ended Busy | s9 closed, NotPassedOn 6601 486, s1 Referred(486), c hears s1
 20.3  s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back 6601
 20.3  back 6601           | Moved mandarin agent, c hears please-wait>music
"),
    ("the agent's phone dies while the party rings", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 50    s1 is silent        | acd SeatDead, s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 60    s9 is silent        |
 80    timeout             | s9 Hangup(Withdrawn), s9 closed, NotPassedOn 6601 408, ask back 6601
"),
    ("the caller hangs up while the party rings; whoever answers then is let go", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 22    caller hangs up     | s9 Hangup(Withdrawn), s9 closed, s1 Referred(487), s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=17 hold=0, over
 22    party s9 answers    |
"),
    ("the caller hangs up while the party rings and the agent has gone", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 21    s1 ended HungUp     | s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 22    caller hangs up     | s9 Hangup(Withdrawn), s9 closed, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=16 hold=0, over
"),
    ("a party nobody waits for any more is let go", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 80    timeout             | s9 Hangup(Withdrawn), s9 closed, NotPassedOn 6601 408, s1 Referred(408), c hears s1
 80    party s9 answers    | s9 Hangup(Withdrawn)
"),
    ("the seat they went to is lost: music, then back into the line", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 25    party s9 answers    | s1 Referred(200), s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601, Reached 5, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 30    s9 page gone        | c hears music
 50    party s9 ended Unreachable | s9 Hangup(Normal), s9 closed, NotPassedOn 6601 480, ask back seat_lost
 50    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
 55    offer 6602 s2       | Offered 6602, ring s2
 57    s2 answers          | acd Answered, TakenOver 6602 wait=7 ring=2, s2 Acknowledge, c hears agent-number+digit-6+digit-6+digit-0+digit-2+at-your-service>s2, s2 hears c
"),
    ("pages that are gone in a consultation: music for whoever hears nobody else", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 30    s9 page gone        | s1 hears music
 35    s1 page gone        | s9 hears music
 40    s9 page back        | s1 hears s9
 45    s1 page back        | s9 hears s1
 50    s9 page gone        | s1 hears music
 70    party s9 ended Unreachable | s9 Hangup(Normal), s9 closed, ConsultOver party_lost, Resumed, acd Resumed, c hears s1, s1 hears c
"),
    ("a page that is gone in a three-way call: the others hear one another, and go on without", AnswerMode::OnQueue, "
+ answered
 20    calls help s9       | Consulting 6601 110
 25    party s9 answers    | Consulted 5, s9 Acknowledge, c hears s1+s9, s1 hears c+s9, s9 hears c+s1, ThreeWay
 30    s9 page gone        | c hears s1, s1 hears c
 50    party s9 ended Unreachable | s9 Hangup(Normal), s9 closed, ConsultOver party_lost
"),
    ("a leader's page is gone while they whisper: the agent hears the caller, and the leader is off after a while", AnswerMode::OnQueue, "
+ answered
 20    leader s7 whispers  | 6602 whisper
 22    party s7 answers    | s7 Acknowledge, s1 hears c+s7, s7 hears c+s1
 30    s7 page gone        | s1 hears c
 31    s1 page gone        | c hears music, s7 hears c
 32    s1 page back        | c hears s1, s7 hears c+s1
 50    party s7 ended Unreachable | s7 Hangup(Normal), s7 closed, 6602 left
"),
    ("consulted, and back: the caller's music is hold; the party hears the agent alone", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 22    party s9 rings      |
 23    party s9 is heard   | s1 hears s9
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s9 hears s1
 40    orders back         | s9 Hangup(Normal), s9 closed, ConsultOver returned, Resumed, acd Resumed, c hears s1, s1 hears c
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=60 hold=20, over
"),
    ("consulted and passed on: the party has the caller, the agent is off", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 40    orders transfer     | PassingOn 6601, s1 Referred(200), s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601, Reached 0, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 40    s1 ended Released   |
 65    party s9 ended HungUp | s9 Hangup(Normal), s9 closed, c Hangup(Normal), c closed, Ended mandarin party_hangup wait=5 talk=35 hold=20, over
"),
    ("passed on while the party rings, who does not answer: the agent has the caller again, off hold", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    orders transfer     | PassingOn 6601, Resumed, acd Resumed, s1 hears c, c hears RingBack
 80    timeout             | s9 Hangup(Withdrawn), s9 closed, NotPassedOn 6601 408, s1 Referred(408), c hears s1
 95    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=90 hold=5, over
"),
    ("a passing on that nobody has answered is taken back", AnswerMode::OnQueue, "
+ answered
 20    passes on s9        | PassingOn 6601, c hears RingBack
 25    orders back         | s9 Hangup(Withdrawn), s9 closed, NotPassedOn 6601 487, s1 Referred(487), c hears s1
"),
    ("the party is busy: the caller comes back", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 21    party s9 refuses 486 |
 21    party s9 ended Busy | s9 Hangup(Withdrawn), s9 closed, ConsultOver 486, Resumed, acd Resumed, c hears s1, s1 hears c
"),
    ("the party does not answer in a minute; an answer after that is let go", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 79.9  timeout             |
 80    timeout             | s9 Hangup(Withdrawn), s9 closed, ConsultOver 408, Resumed, acd Resumed, c hears s1, s1 hears c
 80    party s9 answers    | s9 Hangup(Withdrawn)
"),
    ("the party hangs up, or its audio dies", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 30    party s9 ended HungUp | s9 Hangup(Normal), s9 closed, ConsultOver party_hangup, Resumed, acd Resumed, c hears s1, s1 hears c
 40    consults s8         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 45    party s8 answers    | Consulted 5, s8 Acknowledge, s1 hears s8, s8 hears s1
 50    s8 is silent        | s8 Hangup(Normal), s8 closed, ConsultOver party_lost, Resumed, acd Resumed, c hears s1, s1 hears c
"),
    ("the agent's hang-up key in a consultation leads back to the caller, in conversation it ends the call", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 30    orders hang up      | s9 Hangup(Normal), s9 closed, ConsultOver returned, Resumed, acd Resumed, c hears s1, s1 hears c
 31    orders hang up      | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin agent_hangup wait=5 talk=26 hold=10, over
"),
    ("the agent's phone dies in a consultation: the caller goes back into the line", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 50    s1 is silent        | acd SeatDead, s9 Hangup(Normal), s9 closed, ConsultOver call_over, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back seat_lost
 50    back seat_lost      | Moved mandarin seat_lost, c hears please-wait>music
"),
    ("the phone is put down while the party rings: the caller is on hold, so goes back into the line", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 22    s1 ended HungUp     | s9 Hangup(Withdrawn), s9 closed, ConsultOver call_over, s1 Hangup(Normal), s1 closed, acd TalkEnded, Transferred 6601 mandarin, ask back 6601
"),
    ("the caller has had enough of the music: all is over", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 45    caller hangs up     | s9 Hangup(Normal), s9 closed, ConsultOver call_over, s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=40 hold=25, over
 45    party s9 ended HungUp |
"),
    ("the caller's audio dies, the drain's time is over", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 45    forced              | s9 Hangup(Withdrawn), s9 closed, ConsultOver call_over, s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(OurFault), c closed, Ended mandarin our_fault wait=5 talk=40 hold=25, over
"),
    ("three hear one another; the party leaves, the two go on", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 22    orders three way    |
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 30    orders three way    | Resumed, acd Resumed, c hears s1+s9, s1 hears c+s9, s9 hears c+s1, ThreeWay
 31    orders three way    |
 40    party s9 ended HungUp | s9 Hangup(Normal), s9 closed, ConsultOver party_hangup, c hears s1, s1 hears c
 65    caller hangs up     | s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=60 hold=10, over
"),
    ("three; the agent lets the party go", AnswerMode::OnQueue, "
+ answered
 20    calls help s9       | Consulting 6601 110
 25    party s9 answers    | Consulted 5, s9 Acknowledge, c hears s1+s9, s1 hears c+s9, s9 hears c+s1, ThreeWay
 30    orders back         | s9 Hangup(Normal), s9 closed, ConsultOver returned, c hears s1, s1 hears c
"),
    ("three; the agent leaves, by key or by dying: the two others go on", AnswerMode::OnQueue, "
+ answered
 20    calls help s9       | Consulting 6601 110
 25    party s9 answers    | Consulted 5, s9 Acknowledge, c hears s1+s9, s1 hears c+s9, s9 hears c+s1, ThreeWay
 40    orders hang up      | PassingOn 6601, s1 Referred(200), s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601, Reached 0, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
 65    caller hangs up     | s9 Hangup(Normal), s9 closed, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=35 hold=0, over
"),
    ("three; the caller leaves: all is over", AnswerMode::OnQueue, "
+ answered
 20    calls help s9       | Consulting 6601 110
 25    party s9 answers    | Consulted 5, s9 Acknowledge, c hears s1+s9, s1 hears c+s9, s9 hears c+s1, ThreeWay
 65    caller hangs up     | s9 Hangup(Normal), s9 closed, ConsultOver call_over, s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=60 hold=0, over
"),
    ("for help: the caller is with the agent until it answers, and hears nothing of its ringing", AnswerMode::OnQueue, "
+ answered
 20    calls help s9       | Consulting 6601 110
 21    party s9 is heard   | s1 hears c+s9
 25    party s9 refuses 503 |
 25    party s9 ended Unreachable | s9 Hangup(Withdrawn), s9 closed, ConsultOver 503, s1 hears c
"),
    ("for help, and the agent's phone dies: the caller waits for the help, not in the line", AnswerMode::OnQueue, "
+ answered
 20    calls help s9       | Consulting 6601 110
 22    s1 ended Unreachable | acd SeatDead, PassingOn 6601, s1 hears c, c hears RingBack, s1 Hangup(Normal), s1 closed, acd TalkEnded, PassedOn 6601
 25    party s9 answers    | Reached 5, s9 Acknowledge, c hears s9, s9 hears c, ask landed s9
"),
    ("the phone's own hold key after a consultation, and in one", AnswerMode::OnQueue, "
+ answered
 10    s1 holds            | Held, acd Held, c hears music
 20    consults s9         | Consulting 6601 12330, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 30    orders back         | s9 Hangup(Normal), s9 closed, ConsultOver returned, s1 hears c
 35    s1 resumes          | Resumed, acd Resumed, c hears s1
"),
    ("into another queue out of a consultation", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    transferred english | s9 Hangup(Withdrawn), s9 closed, ConsultOver call_over, s1 AcceptRefer, s1 Referred(200), s1 Hangup(Normal), s1 closed, Transferred 6601 english, Moved english agent, c hears please-wait>music-en
"),
    ("a leader whispers, hears the consultation, and is gone when the caller is passed on", AnswerMode::OnQueue, "
+ answered
 10    leader s7 whispers  | 6602 whisper
 11    leader s6 whispers  |
 12    party s7 answers    | s7 Acknowledge, s1 hears c+s7, s7 hears c+s1
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears s7, s7 hears s1
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9+s7, s9 hears s1, s7 hears s9+s1
 30    orders back         | s9 Hangup(Normal), s9 closed, ConsultOver returned, Resumed, acd Resumed, c hears s1, s1 hears c+s7, s7 hears c+s1
 40    passes on s8        | s7 Hangup(Normal), s7 closed, 6602 left, s1 hears c, PassingOn 6601, c hears RingBack
"),
    ("a leader does not pick up, and goes with the call", AnswerMode::OnQueue, "
+ answered
 10    leader s7 whispers  | 6602 whisper
 69    timeout             |
 70    timeout             | s7 Hangup(Withdrawn), s7 closed, 6602 left
 71    party s7 answers    | s7 Hangup(Withdrawn)
 75    leader s6 whispers  | 6602 whisper
 76    caller hangs up     | s6 Hangup(Withdrawn), s6 closed, 6602 left, s1 Hangup(Normal), s1 closed, acd TalkEnded, c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=71 hold=0, over
"),
    ("keys in a consultation are for the other hotline's menu, and pass nobody on", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    party s9 answers    | Consulted 5, s9 Acknowledge, s1 hears s9, s9 hears s1
 26    s1 presses *        |
 27    s1 presses 2        |
"),
    ("asked how it was: another key means nothing, the first that does counts, also in the question", AnswerMode::OnQueue, "
+ answered
 35    orders survey       | s1 Hangup(Normal), s1 closed, acd TalkEnded, Surveyed 6601, c hears survey>Silence
 36    s1 ended Released   |
 37    digit 9             | Digit 9
 39    digit 4             | Digit 4, Rated 4, c hears thanks>Silence
 40    digit 1             | Digit 1
 42    play ended          | c Hangup(Normal), c closed, Ended mandarin agent_hangup wait=5 talk=30 hold=0, over
"),
    ("asked how it was, and no key: a quarter of a minute after the question", AnswerMode::OnQueue, "
+ answered
 35    orders survey       | s1 Hangup(Normal), s1 closed, acd TalkEnded, Surveyed 6601, c hears survey>Silence
 45    play ended          |
 59.9  timeout             |
 60    timeout             | c Hangup(Normal), c closed, Ended mandarin agent_hangup wait=5 talk=30 hold=0, over
"),
    ("asked how it was, and hung up", AnswerMode::OnQueue, "
+ answered
 35    orders survey       | s1 Hangup(Normal), s1 closed, acd TalkEnded, Surveyed 6601, c hears survey>Silence
 36    orders survey       |
 40    caller hangs up     | c Hangup(Normal), c closed, Ended mandarin caller_hangup wait=5 talk=30 hold=0, over
"),
    ("the end of the question is never reported: over after a minute", AnswerMode::OnQueue, "
+ answered
 35    orders survey       | s1 Hangup(Normal), s1 closed, acd TalkEnded, Surveyed 6601, c hears survey>Silence
 95    timeout             | c Hangup(Normal), c closed, Ended mandarin agent_hangup wait=5 talk=30 hold=0, over
"),
    ("not out of a consultation", AnswerMode::OnQueue, "
+ answered
 20    consults s9         | Consulting 6601 12330, Held, acd Held, c hears music, s1 hears RingBack
 25    orders survey       |
"),
    ("a key without *, long after it, or from a seat no longer on the call passes nobody on", AnswerMode::OnQueue, "
+ answered
 10    s1 presses 2        |
 20    s1 presses *        |
 23.1  s1 presses 2        |
 24    s1 presses 2        |
 30    s1 presses *        |
 31    s2 presses 2        |
 31    digit 2             | Digit 2
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
                (None, ["arrives" | "arrives,", how @ ..]) => call = Some(arrive(at, *answer, how, &mut out)),
                (Some(call), words) => step(call, at, words, &mut out),
                _ => panic!("{name}: a call must arrive first: {line}"),
            }
            let got: Vec<String> = out.iter().map(show).collect();
            assert_eq!(got.join(", "), want.trim(), "\n{name}, at: {line}");
        }
    }
}

fn arrive(at: Instant, answer: AnswerMode, how: &[&str], out: &mut Vec<CallOutput>) -> Call {
    let mut terms = Terms::of_queue(queue("mandarin"), answer, "city".into(), Duration::from_millis(500), AWAY);
    match how {
        ["invited"] => terms.invitations.push("invitation-en".into()),
        ["told"] => {
            terms.queue.announce = Announce { every: Some(Duration::from_secs(30)), position: true, estimate: true }
        }
        _ => {}
    }
    let queue = terms.queue.clone();
    let mut call = Call::arrived(at, CallId(1), incoming(), terms, out);
    match how {
        ["notice"] => call.notice(at, "notice".into(), Why::Line, out),
        ["closed"] => call.closed(at, vec!["closed".into()], out),
        ["silent"] => {}
        _ => call.queued(at, queue, 1, Why::Line, out),
    }
    call
}

/// What happens to the call, or what its surroundings answer.
fn step(call: &mut Call, at: Instant, words: &[&str], out: &mut Vec<CallOutput>) {
    let why = |why: &str| match why {
        "key" => Why::Key('2'),
        "overflow" => Why::Overflow,
        other => panic!("unknown reason {other}"),
    };
    match words {
        ["queued"] => call.queued(at, queue("mandarin"), 1, Why::Line, out),
        ["refused"] => call.refused(at, EndCause::QueueFull, out),
        ["moved", to, reason @ "key"] => call.moved(at, queue(to), 1, why(reason), vec!["please-wait".into()], out),
        ["moved", to, reason] => call.moved(at, queue(to), 1, why(reason), vec![], out),
        ["wishes", key] => call.wishes(character(key)),
        ["announce", position, seconds] => {
            let prompts = vec![format!("position-{position}").into()];
            let estimate = seconds.parse().ok().map(Duration::from_secs);
            call.announce(at, position.parse().ok(), estimate, prompts, out);
        }
        ["transferred", to] => call.transferred(at, queue(to), 1, vec!["please-wait".into()], out),
        ["passes", "on", s] => call.pass_on(at, Party::Seat("8002".into()), leg(s), at + Duration::from_secs(60), out),
        ["consults", s] => {
            call.consult(at, Party::Outside("12330".into()), leg(s), at + Duration::from_secs(60), Then::Talk, out);
        }
        ["calls", "help", s] => {
            call.consult(at, Party::Emergency("110".into()), leg(s), at + Duration::from_secs(60), Then::ThreeWay, out);
        }
        ["orders", "back"] => drop(call.end_consult(at, out)),
        ["orders", "three", "way"] => drop(call.three_way(at, out)),
        ["orders", "transfer"] => drop(call.complete(at, out)),
        ["orders", "hang", "up"] => call.agent_hangs_up(at, leg("s1"), out),
        ["leader", s, "whispers"] => {
            let (until, then) = (at + Duration::from_secs(60), Comes::ToHear(Mode::Whisper));
            call.supervise(at, "6602".into(), "8002".into(), leg(s), until, then, out);
        }
        ["orders", "survey"] => {
            call.survey(at, Questions { ask: vec!["survey".into()], thanks: vec!["thanks".into()] }, out);
        }
        ["landed", agent] => call.landed(at, (*agent).into(), "8002".into(), out),
        ["back", "seat_lost"] => call.back(at, Why::SeatLost, 1, vec!["please-wait".into()], out),
        ["back", agent] => call.back(at, Why::Agent((*agent).into()), 1, vec!["please-wait".into()], out),
        ["transfer", "refused"] => call.transfer_refused(out),
        words => call.handle(at, input(words), out),
    }
}

fn character(word: &str) -> char {
    word.chars().next().expect("a key")
}

fn leg(name: &str) -> LegId {
    LegId(64 + name[1..].parse::<u64>().expect("s1, s2"))
}

fn end(word: &str) -> LegEnd {
    match word {
        "HungUp" => LegEnd::HungUp,
        "Released" => LegEnd::Released,
        "Busy" => LegEnd::Busy,
        "Unreachable" => LegEnd::Unreachable,
        "Fault" => LegEnd::Fault,
        other => panic!("unknown end {other}"),
    }
}

fn input(words: &[&str]) -> CallInput {
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
        ["party", p, "rings"] => CallInput::PartyRings { leg: leg(p) },
        ["party", p, "is", "heard"] => CallInput::EarlyMedia { leg: leg(p) },
        ["party", p, "answers"] => CallInput::PartyAnswered { leg: leg(p) },
        ["party", p, "refuses", status] => {
            CallInput::PartyRefused { leg: leg(p), status: status.parse().expect("a status"), cause: None }
        }
        ["party", p, "ended", how] => CallInput::PartyEnded { leg: leg(p), end: end(how) },
        [s, "ended", how] => CallInput::SeatEnded { leg: leg(s), end: end(how) },
        [s, "page", there] => CallInput::SeatAudio { leg: leg(s), there: *there == "back" },
        [s, "is", "silent"] => CallInput::RtpTimeout { leg: leg(s) },
        ["spooled"] => CallInput::Spooled,
        ["spool", "fails"] => CallInput::SpoolFailed,
        ["timeout"] => CallInput::Timeout,
        ["rtp", "stops"] => CallInput::RtpTimeout { leg: LegId(64) },
        ["play", "ended"] => CallInput::PlayEnded,
        ["digit", key] => CallInput::Digit(character(key)),
        [s, "presses", key] => CallInput::SeatDigit { leg: leg(s), digit: character(key) },
        ["relaxed", step] => CallInput::Relaxed { step: step.parse().expect("a step") },
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
        CallOutput::Ask(Ask::Queue(_)) => "ask queue".into(),
        CallOutput::Ask(Ask::Key(key)) => format!("ask key {key}"),
        CallOutput::Ask(Ask::Announcement) => "ask announcement".into(),
        CallOutput::Ask(Ask::Transfer(key)) => format!("ask transfer {key}"),
        CallOutput::Ask(Ask::Landed(leg)) => format!("ask landed {}", name(*leg)),
        CallOutput::Ask(Ask::Back(why)) => format!("ask back {}", back(why)),
        CallOutput::Over => "over".into(),
    }
}

fn show_fact(fact: &CallFact) -> String {
    match fact {
        CallFact::Arrived { .. } => "Arrived".into(),
        CallFact::Queued { queue, why, .. } => format!("Queued {queue} {}", why.as_str()),
        CallFact::Moved { queue, why, .. } => format!("Moved {queue} {}", why.as_str()),
        CallFact::Relaxed { step } => format!("Relaxed {step}"),
        CallFact::Digit(key) => format!("Digit {key}"),
        CallFact::Announced { position: Some(position), estimate: Some(estimate) } => {
            format!("Announced {position} {}", estimate.as_secs())
        }
        CallFact::Transferred { agent, queue } => format!("Transferred {agent} {queue}"),
        CallFact::Reached { ring } => format!("Reached {}", ring.as_secs()),
        CallFact::PassingOn { agent, .. } => format!("PassingOn {agent}"),
        CallFact::PassedOn { agent, .. } => format!("PassedOn {agent}"),
        CallFact::NotPassedOn { agent, status, .. } => format!("NotPassedOn {agent} {status}"),
        CallFact::TakenOver { agent, wait, ring, .. } => {
            format!("TakenOver {agent} wait={} ring={}", wait.as_secs_f64(), ring.as_secs_f64())
        }
        CallFact::Supervised { by, act, .. } => format!("{by} {}", act.as_str()),
        CallFact::Surveyed { agent } => format!("Surveyed {agent}"),
        CallFact::Rated { score } => format!("Rated {score}"),
        CallFact::Consulting { agent, to } => format!("Consulting {agent} {}", to.number()),
        CallFact::Consulted { ring } => format!("Consulted {}", ring.as_secs()),
        CallFact::ConsultOver { why, .. } => match why.status() {
            Some(status) => format!("ConsultOver {status}"),
            None => format!("ConsultOver {}", why.as_str()),
        },
        CallFact::Offered { agent, .. } => format!("Offered {agent}"),
        CallFact::OfferEnded { agent, why } => format!("OfferEnded {agent} {why:?}"),
        CallFact::Answered { wait, ring, spooled, .. } => {
            let how = if *spooled { "spooled" } else { "unspooled" };
            format!("Answered wait={} ring={} {how}", wait.as_secs_f64(), ring.as_secs_f64())
        }
        CallFact::Ended { cause, queue, wait, talk, hold, .. } => {
            let queue = queue.as_ref().map_or("-", |queue| queue.as_str());
            let (wait, talk, hold) = (wait.as_secs_f64(), talk.as_secs_f64(), hold.as_secs_f64());
            format!("Ended {queue} {} wait={wait} talk={talk} hold={hold}", cause.as_str())
        }
        other => format!("{other:?}"),
    }
}

fn back(why: &Why) -> &str {
    match why {
        Why::Agent(agent) => agent.as_str(),
        other => other.as_str(),
    }
}

fn show_source(source: &Source) -> String {
    match source {
        Source::Play { prompts, then } => format!("{}>{}", prompts.join("+"), show_source(then)),
        Source::Music(music) => music.to_string(),
        Source::Leg(leg) => name(*leg),
        Source::Mix(legs) => legs.iter().map(|leg| name(*leg)).collect::<Vec<_>>().join("+"),
        other => format!("{other:?}"),
    }
}

fn name(leg: LegId) -> String {
    if leg.0 == 64 { "c".into() } else { format!("s{}", leg.0 - 64) }
}

fn incoming() -> Incoming {
    let caller = Caller { raw: Some("053112345678".into()), e164: Some("+8653112345678".into()), withheld: false };
    let (trunk, dnis) = ("unicom".into(), "12345".into());
    Incoming { leg: LegId(64), trunk, dnis, caller, sip_call_id: "abc@carrier".into(), icid: None, forwarded: None }
}

/// Mandarin and its reserve share their music; English has its own, and a stricter N.
fn queue(name: &str) -> QueueSettings {
    let mandarin = QueueSettings {
        priority: 1,
        max_waiting: 100,
        max_wait: Some(Duration::from_secs(600)),
        greeting: Some("greeting".into()),
        language: Some("zh-CN".into()),
        ..QueueSettings::new(name, name)
    };
    let strict = Duration::from_secs(10);
    match name {
        "mandarin" => mandarin,
        "reserve" => QueueSettings { within: strict, ..mandarin },
        "english" => {
            QueueSettings { within: strict, language: Some("en".into()), music: "music-en".into(), ..mandarin }
        }
        other => panic!("no such queue: {other}"),
    }
}

#[test]
fn the_ticket_says_how_the_call_came_to_its_agent() {
    let at = Instant::from_unix_secs(1_800_000_000);
    let route = |line: Option<&str>, why: Why, then: &[(&str, Why)], chosen: Chosen| {
        let mut out = Vec::new();
        let queue_of = queue;
        let mut terms = Terms::of_queue(queue("mandarin"), AnswerMode::OnQueue, "city".into(), Duration::ZERO, AWAY);
        terms.line = line.map(Into::into);
        let mut call = Call::arrived(at, CallId(1), incoming(), terms, &mut out);
        call.queued(at, queue("mandarin"), 1, why, &mut out);
        for (to, why) in then {
            call.moved(at, queue_of(to), 1, why.clone(), vec![], &mut out);
        }
        for step in 1..=chosen.step {
            call.handle(at, CallInput::Relaxed { step }, &mut out);
        }
        let leg = LegId(65);
        call.handle(at, CallInput::Offered { agent: "6606".into(), seat: "8001".into(), leg, chosen }, &mut out);
        call.handle(at, CallInput::SeatAnswered { leg }, &mut out);
        out.into_iter().find_map(|o| if let CallOutput::OpenTicket(t) = o { Some(t.route) } else { None }).unwrap()
    };
    let plain = Chosen::default();
    assert_eq!(route(None, Why::Line, &[], plain), "line 12345: mandarin; 6606");
    assert_eq!(route(Some("mandarin"), Why::Line, &[], plain), "line 12345: mandarin; 6606", "no line but a queue's");
    assert_eq!(route(Some("taxi"), Why::Country("81".into()), &[], plain), "line taxi, country 81: mandarin; 6606");
    assert_eq!(route(None, Why::NoAgents, &[], plain), "line 12345, no agents: mandarin; 6606");
    let stepped = Chosen { step: 1, preferred: true, interpreter: true };
    assert_eq!(
        route(None, Why::Line, &[("english", Why::Key('2')), ("reserve", Why::Overflow)], stepped),
        "line 12345: mandarin; key 2: english; overflow: reserve; relaxed 1; 6606 (step 1, served before, interpreter)"
    );
    let wandering = vec![("english", Why::Supervisor("6600".into())); 1_000];
    let long = route(None, Why::Line, &wandering, plain);
    assert!(long.len() < 600 && long.ends_with("; ...; 6606"), "{long}");
}
