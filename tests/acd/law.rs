//! The distributor's law in scenarios: whom a caller gets, who is kept back, who is next, what a shift leader can order.
//! One table per thought; the words are explained in `table.rs`. Plain calls and seats are in `scenarios.rs`.

use crate::table::run;

/// English level 8, then 5, then any English, then Mandarin with an interpreter on a three-way call.
#[test]
fn a_requirement_relaxes_as_the_caller_waits() {
    run("
        queue english: english 8, after 20 english 5, after 60 english 1, after 120 mandarin 1 interpreted
        agent 6632: mandarin 5
        agent 6807: mandarin 5, english 5
        agent 6900: mandarin 5, english 2

        0     6807 signs in at 801  | 6807 not ready (busy)
        0     6807 ready            | 6807 ready
        0     6900 signs in at 802  | 6900 not ready (busy)
        0     6900 ready            | 6900 ready
        0     6632 signs in at 803  | 6632 not ready (busy)
        0     6632 ready            | 6632 ready
        10    c1 asks for english   |
        11    c2 asks for english   |
        12    c3 asks for english   |
        29    look: c1 why          | english place 1 step 0 working 0 kept back 0
        30    time passes           | c1 relaxed to step 1, ring 6807 at 801 for c1 by step 1, 6807 reserved
        31    time passes           | c2 relaxed to step 1
        32    time passes           | c3 relaxed to step 1
        33    look: c2 why          | english place 1 step 1 working 1 kept back 0
        35    c1 answered           | 6807 talking
        71    time passes           | c2 relaxed to step 2, ring 6900 at 802 for c2 by step 2, 6900 reserved
        72    time passes           | c3 relaxed to step 2
        73    c2 answered           | 6900 talking
        132   time passes           | c3 relaxed to step 3, ring 6632 at 803 for c3 by step 3 with interpreter, 6632 reserved
    ");
}

/// Several skills at once. A caller relaxed is served by the strictest step that finds somebody.
#[test]
fn the_strictest_step_that_finds_somebody_counts() {
    run("
        queue tax: english 5 + tax 3, after 10 english 1, after 20 tax 1
        agent 6632: tax 9
        agent 6807: english 9, tax 2
        agent 6900: english 5, tax 3

        0     c1 asks for tax       |
        10    time passes           | c1 relaxed to step 1
        20    time passes           | c1 relaxed to step 2
        21    look: c1 why          | tax place 1 step 2 working 0 kept back 0
        22    6807 signs in at 802  | 6807 not ready (busy)
        22    6807 ready            | 6807 ready, ring 6807 at 802 for c1 by step 1, 6807 reserved
        23    6632 signs in at 801  | 6632 not ready (busy)
        23    6632 ready            | 6632 ready
        23    6900 signs in at 803  | 6900 not ready (busy)
        23    6900 ready            | 6900 ready
        24    6807 signs out        | stop ringing 6807 for c1, 6807 signed out, ring 6900 at 803 for c1, 6900 reserved
    ");
}

/// A step that comes due while a seat rings is said when the caller is back in line, before anybody is chosen.
#[test]
fn steps_that_pass_while_a_seat_rings() {
    run("
        queue english: english 8, ring 30, after 10 english 5, after 20 english 1, overflows after 25, waits 40
        agent 6632: english 8
        agent 6807: english 1

        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        0     6632 ready            | 6632 ready
        0     6807 ready            | 6807 ready
        0     c1 asks for english   | ring 6632 at 801 for c1, 6632 reserved
        30    time passes           | 6632 did not pick up c1, 6632 not ready (noanswer), c1 relaxed to step 1, c1 relaxed to step 2, ring 6807 at 802 for c1 by step 2, 6807 reserved
        60    time passes           | 6807 did not pick up c1, 6807 not ready (noanswer), c1 overflows, c1 waited too long
    ");
}

/// Mandarin reaches the language seats last, however long they have been idle, and one English seat is kept free.
#[test]
fn a_reserve_is_kept_for_those_who_need_it() {
    run("
        rules: reserve english 1
        queue hotline: mandarin 1
        queue english: english 5
        agent 6632: mandarin 5
        agent 6900: mandarin 5, english 8
        agent 6901: mandarin 5, english 3

        0     6901 signs in at 804  | 6901 not ready (busy)
        0     6901 ready            | 6901 ready
        1     6900 signs in at 803  | 6900 not ready (busy)
        1     6900 ready            | 6900 ready
        2     6632 signs in at 801  | 6632 not ready (busy)
        2     6632 ready            | 6632 ready
        3     c1 asks for hotline   | ring 6632 at 801 for c1, 6632 reserved
        4     c2 asks for hotline   | ring 6901 at 804 for c2, 6901 reserved
        5     c3 asks for hotline   |
        5     look: c3 why          | hotline place 1 step 0 working 3 kept back 1
        6     c4 asks for english   | ring 6900 at 803 for c4, 6900 reserved
        7     c2 leaves             | 6901 ready            # the last one with English
        8     c4 leaves             | 6900 ready, ring 6901 at 804 for c3, 6901 reserved
    ");
}

/// Who is kept back is let go when there are more of them, or to whom a step lets use the reserve.
#[test]
fn a_reserve_opens_by_a_step_and_by_numbers() {
    run("
        rules: reserve english 1, reserve korean 1
        queue hotline: mandarin 1, after 30 mandarin 1 from reserve
        queue patient: mandarin 1, ring 60
        queue both:    mandarin 1 + korean 1, ring 60
        agent 6900: mandarin 5, english 8
        agent 6901: mandarin 5, english 8, korean 2
        agent 6902: mandarin 5, english 8

        0     6900 signs in at 801  | 6900 not ready (busy)
        0     6900 ready            | 6900 ready
        1     c1 asks for patient   |
        2     c2 asks for hotline   |
        3     6901 signs in at 802  | 6901 not ready (busy)
        4     6901 ready            | 6901 ready, ring 6900 at 801 for c1, 6900 reserved    # two with English: one may go
        5     look: c2 why          | hotline place 1 step 0 working 2 kept back 1
        32    time passes           | c2 relaxed to step 1, ring 6901 at 802 for c2 by step 1, 6901 reserved
        33    6901 not ready (break) | stop ringing 6901 for c2, 6901 not ready (break)
        34    6901 ready            | 6901 ready, ring 6901 at 802 for c2 by step 1, 6901 reserved
        35    c2 leaves             | 6901 ready
        36    c3 asks for patient   |
        37    c4 asks for both      | ring 6901 at 802 for c4, 6901 reserved     # names a reserved skill: no reserve is kept from it
        38    6902 signs in at 803  | 6902 not ready (busy)
        38    6902 ready            | 6902 ready
        39    c4 leaves             | 6901 ready, ring 6902 at 803 for c3, 6902 reserved
    ");
}

/// A full line still takes whom a ready agent could serve at once; one who is kept back could not.
#[test]
fn who_is_kept_back_makes_no_room() {
    run("
        rules: reserve english 1
        queue hotline: mandarin 1, full at 0
        queue urgent:  mandarin 1, full at 0, after 0 mandarin 1 from reserve
        agent 6900: mandarin 5, english 8

        0     6900 signs in at 801  | 6900 not ready (busy)
        0     6900 ready            | 6900 ready
        1     c1 asks for hotline   | refused: queue hotline is full: 0 callers wait already
        2     c2 asks for urgent    | c2 relaxed to step 1, ring 6900 at 801 for c2 by step 1, 6900 reserved
    ");
}

#[test]
fn the_agent_of_last_time_comes_first_if_ready_and_able() {
    run("
        queue hotline: mandarin 1, prefers last agent, after 10 dialect 1
        queue taxi:    mandarin 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5
        agent 6900: dialect 5

        0     6632 signs in at 801                      | 6632 not ready (busy)
        0     6807 signs in at 802                      | 6807 not ready (busy)
        0     6900 signs in at 803                      | 6900 not ready (busy)
        0     6632 ready                                | 6632 ready
        1     6807 ready                                | 6807 ready
        2     c1 asks for hotline preferring 6807       | ring 6807 at 802 for c1 as last time, 6807 reserved
        3     c2 asks for hotline preferring 6807       | ring 6632 at 801 for c2, 6632 reserved    # not ready: anybody
        4     c3 asks for hotline preferring 6900       |
        14    time passes                               | c3 relaxed to step 1
        15    c1 leaves                                 | 6807 ready, ring 6807 at 802 for c3, 6807 reserved
        16    6807 not ready (break)                    | stop ringing 6807 for c3, 6807 not ready (break)
        17    6900 ready                                | 6900 ready, ring 6900 at 803 for c3 by step 1 as last time, 6900 reserved
        18    c2 leaves                                 | 6632 ready
        19    6807 ready                                | 6807 ready
        20    c4 asks for taxi preferring 6807          | ring 6632 at 801 for c4, 6632 reserved    # not this queue's habit
    ");
}

/// One step of priority is worth a minute here: the emergency line goes first, but not for ever.
#[test]
fn priorities_age() {
    run("
        rules: ageing 60
        queue hotline:   mandarin 1, priority 5
        queue emergency: mandarin 1, priority 0
        agent 6632: mandarin 5

        0     c1 asks for hotline               |
        100   c2 asks for hotline               |
        110   c3 asks for hotline priority 1    |
        110   look: c1 position                 | 2        # c3's 110 + 60 come before c1's 0 + 300
        299   c4 asks for emergency             |
        301   c5 asks for emergency             |
        302   look: longest wait                | 302 s    # c1's, who is not the next
        303   6632 signs in at 801              | 6632 not ready (busy)
        303   6632 ready                        | 6632 ready, ring 6632 at 801 for c3, 6632 reserved
        303   c3 leaves                         | 6632 ready, ring 6632 at 801 for c4, 6632 reserved
        303   c4 leaves                         | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        303   c1 leaves                         | 6632 ready, ring 6632 at 801 for c5, 6632 reserved
        303   c5 leaves                         | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
    ");
}

/// Whom a leader moves up is the next of whoever may take them, also from another queue; a later act pushes nobody back.
#[test]
fn moved_up() {
    run("
        rules: ageing 60
        queue emergency: mandarin 1, priority 0
        queue english:   english 1
        queue hotline:   mandarin 1, priority 5
        agent 6632: mandarin 5

        0     c1 asks for emergency             |
        1     c2 asks for hotline priority 9    |
        2     c3 asks for hotline priority 9    |
        3     c4 asks for hotline priority 9    |
        10    c4 is moved up                    |
        10    look: c4 position                 | 1
        11    c3 is moved up                    |
        12    c4 is moved up                    |          # as it was
        12    look: c3 position                 | 2
        13    c3 moves to emergency             |
        13    look: c3 position                 | 1        # the place goes along
        20    6632 signs in at 801              | 6632 not ready (busy)
        20    6632 ready                        | 6632 ready, ring 6632 at 801 for c4, 6632 reserved
        21    c4 is moved up                    | refused: c4 is not in line: a seat rings for it, or it is answered
        22    c4 leaves                         | 6632 ready, ring 6632 at 801 for c3, 6632 reserved
        23    c3 leaves                         | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        24    c1 leaves                         | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
    ");
}

/// Who has been busy for the larger part of the shift rests, even if idle longer.
#[test]
fn the_least_occupied_agent_is_next() {
    run("
        queue hotline: mandarin 1, least occupied
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        0     6632 ready            | 6632 ready
        0     6807 ready            | 6807 ready
        0     c1 asks for hotline   | ring 6632 at 801 for c1, 6632 reserved
        1     c1 answered           | 6632 talking
        31    c1 talk ends          | 6632 ready            # busy for 30 s of 31
        40    c2 asks for hotline   | ring 6807 at 802 for c2, 6807 reserved
        41    c2 answered           | 6807 talking
        46    c2 talk ends          | 6807 ready            # 5 s of 46
        50    c3 asks for hotline   | ring 6807 at 802 for c3, 6807 reserved
        60    c3 leaves             | 6807 ready            # ringing is no work
        61    6807 signs out        | 6807 signed out
        61    6807 signs in at 802  | 6807 not ready (busy)
        70    6632 not ready (break) | 6632 not ready (break)
        300   6632 ready            | 6632 ready            # 30 s of 300 by now
        300   6807 ready            | 6807 ready            # nothing since signing in again
        301   c4 asks for hotline   | ring 6807 at 802 for c4, 6807 reserved
    ");
}

/// The best in the queue's leading skill; who has none of it, by a relaxed step, last.
#[test]
fn the_most_skilled_agent_is_next() {
    run("
        queue english: english 1, most skilled, after 10 mandarin 1
        queue hotline: mandarin 1
        agent 6632: mandarin 9
        agent 6807: mandarin 5, english 4
        agent 6900: mandarin 1, english 9
        agent 6901: mandarin 1, english 9

        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        0     6900 signs in at 803  | 6900 not ready (busy)
        0     6901 signs in at 804  | 6901 not ready (busy)
        0     6632 ready            | 6632 ready
        1     6807 ready            | 6807 ready
        2     6901 ready            | 6901 ready
        3     6900 ready            | 6900 ready
        4     c1 asks for english   | ring 6901 at 804 for c1, 6901 reserved     # as good as 6900, idle longer
        5     c2 asks for english   | ring 6900 at 803 for c2, 6900 reserved
        6     c3 asks for hotline   | ring 6632 at 801 for c3, 6632 reserved     # another queue, another habit
        7     c4 asks for english   | ring 6807 at 802 for c4, 6807 reserved
    ");
}

#[test]
fn a_caller_who_has_waited_long_enough_may_go_elsewhere() {
    run("
        queue english: english 1, overflows after 30, waits 50, priority 2
        queue hotline: mandarin 1, full at 1, waits 60
        queue korean:  korean 1
        agent 6632: mandarin 5
        agent 6900: english 5

        0     c1 asks for english   |
        1     c2 asks for english   |
        30    time passes           | c1 overflows
        30    c1 moves to korean    | refused: queue korean: no agent on the roster has its skills and levels
        30    c1 moves to nowhere   | refused: queue nowhere is not in the configuration; add it there
        30    c1 moves to hotline   |
        31    time passes           | c2 overflows          # said once: c2 stays
        31    c2 moves to hotline   | refused: queue hotline is full: 1 callers wait already
        32    look: c1 position     | 1
        32    look: c2 position     | 1
        32    look: longest wait    | 32 s
        51    time passes           | c2 waited too long
        90    time passes           | c1 waited too long    # a minute after moving
        91    c3 asks for english   |
        92    6900 signs in at 801  | 6900 not ready (busy)
        92    6900 ready            | 6900 ready, ring 6900 at 801 for c3, 6900 reserved
        93    c3 moves to hotline   | refused: c3 is not in line: a seat rings for it, or it is answered
    ");
}

/// Moving on begins the steps anew and keeps the place: the original request, and the priority it was given first.
#[test]
fn a_caller_who_moves_keeps_the_place() {
    run("
        rules: ageing 60
        queue english: english 1, priority 2, after 10 english 1
        queue hotline: mandarin 1, priority 5, after 20 mandarin 1, prefers last agent
        agent 6632: mandarin 5
        agent 6807: mandarin 5
        agent 6900: english 5

        0     c1 asks for english preferring 6807 |
        1     c2 asks for english           |
        2     c3 asks for hotline           |
        3     c4 asks for english priority 9 |
        10    time passes                   | c1 relaxed to step 1
        11    time passes                   | c2 relaxed to step 1
        12    c2 moves to hotline           |
        12    c1 moves to hotline           |
        12    look: c1 position             | 1
        12    look: c2 position             | 2
        12    look: c3 position             | 3
        13    time passes                   | c4 relaxed to step 1
        14    c4 moves to hotline           |
        14    look: c4 position             | 4
        22    time passes                   | c3 relaxed to step 1
        26    6632 signs in at 801          | 6632 not ready (busy)
        26    6807 signs in at 802          | 6807 not ready (busy)
        27    6807 ready                    | 6807 ready, ring 6807 at 802 for c1 as last time, 6807 reserved
        27    look: c2 position             | 1
        32    time passes                   | c2 relaxed to step 1
        34    time passes                   | c4 relaxed to step 1
    ");
}

/// A citizen to be called back has a place in the order, but is no waiting caller. The agent is reserved first.
#[test]
fn callbacks_stand_in_line() {
    run("
        queue hotline: mandarin 1, full at 1, waits 60, overflows after 30, wrap-up 20
        agent 6632: mandarin 5

        100   c1 asks for hotline since 10 for callback |
        101   c2 asks for hotline                       |
        101   c3 asks for hotline                       | refused: queue hotline is full: 1 callers wait already
        102   c4 asks for hotline since 50 for callback |      # no limit for these
        102   look: queue hotline                       | 1 wait and 2 to be called back
        102   look: waiting                             | 1
        102   look: c2 position                         | 1
        102   look: c4 position                         | 1
        102   look: longest wait                        | 1 s
        131   time passes                               | c2 overflows
        161   time passes                               | c2 waited too long
        170   6632 signs in at 801                      | 6632 not ready (busy)
        170   6632 ready                                | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        172   c1 answered                               | 6632 talking
        180   c1 not reached                            | 6632 ready, ring 6632 at 801 for c4, 6632 reserved   # nothing to wrap up
        181   c4 answered                               | 6632 talking
        190   c4 talk ends                              | 6632 in wrap-up
        190   c4 not reached                            | refused: c4 is not here: never queued, or gone already
        210   time passes                               | 6632 ready
    ");
}

/// For want of a port of ours no seat can be rung: nobody is to blame, and it is not tried again at once.
#[test]
fn seats_that_cannot_be_rung_for_a_while() {
    run("
        queue hotline: mandarin 1, after 6 dialect 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801          | 6632 not ready (busy)
        0     6632 ready                    | 6632 ready
        0     6807 signs in at 802          | 6807 not ready (busy)
        1     c1 asks for hotline           | ring 6632 at 801 for c1, 6632 reserved
        1     c1 cannot ring until 3        | 6632 ready
        2     c2 asks for hotline           |
        2     6807 ready                    | 6807 ready
        2     c1 cannot ring until 9        | refused: c1 is not being offered to an agent
        3     time passes                   | ring 6632 at 801 for c1, 6632 reserved, ring 6807 at 802 for c2, 6807 reserved
        3     c1 cannot ring until 8        | 6632 ready
        3     c2 cannot ring until 5        | 6807 ready      # the longer pause holds
        7     time passes                   | c1 relaxed to step 1
        8     time passes                   | c2 relaxed to step 1, ring 6632 at 801 for c1, 6632 reserved, ring 6807 at 802 for c2, 6807 reserved
    ");
}

/// What becomes of an agent who does not pick up is the queue's habit.
#[test]
fn agents_who_do_not_pick_up() {
    run("
        queue hotline: mandarin 1, ring 10, forgives 2
        queue strict:  mandarin 1, ring 10, signs out
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801          | 6632 not ready (busy)
        0     6632 ready                    | 6632 ready
        0     6807 signs in at 802          | 6807 not ready (busy)
        1     c1 asks for hotline           | ring 6632 at 801 for c1, 6632 reserved
        2     6807 ready                    | 6807 ready
        11    time passes                   | 6632 did not pick up c1, 6632 ready, ring 6807 at 802 for c1, 6807 reserved    # now the longer idle
        12    c1 answered                   | 6807 talking
        13    c2 asks for hotline           | ring 6632 at 801 for c2, 6632 reserved
        14    c2 answered                   | 6632 talking              # forgiven
        15    c2 talk ends                  | 6632 ready
        16    c3 asks for hotline           | ring 6632 at 801 for c3, 6632 reserved
        17    c3 offer fails (noanswer)     | 6632 ready, ring 6632 at 801 for c3, 6632 reserved
        27    time passes                   | 6632 did not pick up c3, 6632 ready, ring 6632 at 801 for c3, 6632 reserved
        37    time passes                   | 6632 did not pick up c3, 6632 not ready (noanswer)
        38    c3 leaves                     |
        39    6632 ready                    | 6632 ready
        40    c4 asks for strict            | ring 6632 at 801 for c4, 6632 reserved
        50    time passes                   | 6632 did not pick up c4, 6632 signed out
        50    look: c4 position             | 1
    ");
}

/// 强制示忙 / 示闲 / 签出. Whose order it was is told with the state it brought about, whenever that begins.
#[test]
fn a_shift_leader_forces_states() {
    run("
        queue hotline: mandarin 1, wrap-up 10
        agent 6632: mandarin 5, team east
        agent 9001: mandarin 5, team east, leader

        0     look: 9001 team                   | east leader
        0     9001 forces 6632 ready            | refused: agent 6632 is not signed in; sign in first
        1     6632 signs in at 801              | 6632 not ready (busy)
        2     9001 forces 6632 ready            | 6632 ready by 9001
        3     9001 forces 6632 ready            |
        4     c1 asks for hotline               | ring 6632 at 801 for c1, 6632 reserved
        5     9001 forces 6632 not ready        | stop ringing 6632 for c1, 6632 not ready (forced) by 9001
        6     9001 forces 6632 ready            | 6632 ready by 9001, ring 6632 at 801 for c1, 6632 reserved
        7     c1 answered                       | 6632 talking
        8     9001 forces 6632 not ready        |                              # after the call
        9     c1 talk ends                      | 6632 in wrap-up
        19    time passes                       | 6632 not ready (forced) by 9001
        20    6632 ready                        | 6632 ready
        21    c2 asks for hotline               | ring 6632 at 801 for c2, 6632 reserved
        22    c2 answered                       | 6632 talking
        23    9001 forces 6632 out              |
        24    6632 ready                        |                              # the last word counts
        25    c2 talk ends                      | 6632 in wrap-up
        26    9001 forces 6632 out              | 6632 signed out by 9001
        27    6632 signs in at 801              | 6632 not ready (busy)
        28    seat 801 lost                     |
        29    9001 forces 6632 ready            | refused: agent 6632 cannot be ready: seat 801 is not registered; check its phone
        30    9001 forces 6999 out              | refused: agent 6999 is not in the configuration; add it there
    ");
}

#[test]
fn a_wrap_up_is_lengthened_and_cut() {
    run("
        queue hotline: mandarin 1, wrap-up 20, extension 15
        agent 6632: mandarin 5

        0     6632 extends wrap-up      | refused: agent 6632 is not signed in; sign in first
        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6632 ready                | 6632 ready
        0     6632 extends wrap-up      | refused: agent 6632 is not in wrap-up; there is nothing to lengthen
        1     c1 asks for hotline       | ring 6632 at 801 for c1, 6632 reserved
        2     c1 answered               | 6632 talking
        10    c1 talk ends              | 6632 in wrap-up
        12    6632 extends wrap-up      |
        29    6632 extends wrap-up      |
        60    time passes               | 6632 ready            # 10 + 20 + twice 15
        61    c2 asks for hotline       | ring 6632 at 801 for c2, 6632 reserved
        62    c2 answered               | 6632 talking
        63    c2 talk ends              | 6632 in wrap-up
        64    6632 extends wrap-up      |
        65    6632 ready                | 6632 ready            # done sooner than thought
    ");
}

/// An office head sits in on a reception day, and is shown out when it ends, after the call.
#[test]
fn guests_come_for_their_day() {
    run("
        queue hotline: mandarin 1, wrap-up 10
        agent 6632: mandarin 5
        agent 8001: mandarin 1, guest 100 to 200

        50    8001 signs in at 801          | refused: agent 8001 is a guest and not admitted at this time
        100   8001 signs in at 801          | 8001 not ready (busy)
        101   8001 ready                    | 8001 ready
        190   c1 asks for hotline           | ring 8001 at 801 for c1, 8001 reserved
        195   c1 answered                   | 8001 talking
        200   time passes                   |
        210   c1 talk ends                  | 8001 in wrap-up
        220   time passes                   | 8001 signed out
        221   8001 signs in at 801          | refused: agent 8001 is a guest and not admitted at this time
        230   admit 8002: mandarin 1, guest 230 to 300 |
        230   8002 signs in at 801          | 8002 not ready (busy)
        240   8002 ready                    | 8002 ready
        290   c2 asks for hotline           | ring 8002 at 801 for c2, 8002 reserved
        300   time passes                   | stop ringing 8002 for c2, 8002 signed out
    ");
}

/// The roster changes while it runs: new skills count at once, a call in hand goes on.
#[test]
fn skills_and_roster_change_at_run_time() {
    run("
        rules: reserve english 1
        queue hotline: mandarin 1
        queue english: english 5
        agent 6632: mandarin 5
        agent 6900: mandarin 5

        0     6632 signs in at 801                      | 6632 not ready (busy)
        0     6632 ready                                | 6632 ready
        1     c1 asks for english                       | refused: queue english: no agent on the roster has its skills and levels
        2     6632 has now mandarin 5 + english 3       |
        3     c2 asks for hotline                       |                   # 6632 is kept back now
        4     6632 has now mandarin 5                   | ring 6632 at 801 for c2, 6632 reserved
        5     c2 answered                               | 6632 talking
        6     6632 has now english 9                    |
        7     c3 asks for english                       |
        8     c2 talk ends                              | 6632 ready, ring 6632 at 801 for c3, 6632 reserved
        9     c3 answered                               | 6632 talking
        10    admit 6500: english 8, team west          |
        11    look: 6500 team                           | west
        12    6500 signs in at 802                      | 6500 not ready (busy)
        12    6500 ready                                | 6500 ready
        13    c4 asks for english                       | ring 6500 at 802 for c4, 6500 reserved
        14    dismiss 6500                              | stop ringing 6500 for c4, 6500 signed out
        14    look: 6500                                | unknown
        15    6500 signs in at 802                      | refused: agent 6500 is not in the configuration; add it there
        16    dismiss 6632                              |                   # after the call
        17    6632 ready                                | refused: agent 6632 is not in the configuration; add it there
        18    c5 asks for english                       | refused: queue english: no agent on the roster has its skills and levels
        19    look: 6632                                | talking
        20    c3 talk ends                              | 6632 signed out
        21    look: 6632                                | unknown
        22    admit 6632: english 5                     |
        23    6632 signs in at 801                      | 6632 not ready (busy)
        23    6632 ready                                | 6632 ready, ring 6632 at 801 for c4, 6632 reserved
        24    dismiss 6900                              |
        25    dismiss 6900                              | refused: agent 6900 is not in the configuration; add it there
    ");
}

/// 195 s for a call, callers who stay 300 s in the mean: believed until calls have shown better.
#[test]
fn the_wait_is_estimated() {
    run("
        queue hotline: mandarin 1
        queue english: english 1, after 100 mandarin 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5
        agent 6900: mandarin 5

        0     c1 asks for hotline   |
        0     look: c1 estimate     | none                  # nobody works
        0     c1 leaves             |
        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6632 ready            | 6632 ready
        0     6807 signs in at 802  | 6807 not ready (busy)
        0     6807 ready            | 6807 ready
        0     6900 signs in at 803  | 6900 not ready (busy)
        1     c2 asks for hotline   | ring 6632 at 801 for c2, 6632 reserved
        1     c3 asks for hotline   | ring 6807 at 802 for c3, 6807 reserved
        2     c2 answered           | 6632 talking
        2     c3 answered           | 6807 talking
        10    c4 asks for hotline   |
        10    look: c4 estimate     | 98 s                  # one of two calls of 195 s ends
        10    c5 asks for hotline   |
        10    look: c5 estimate     | 171 s                 # two of them, or c4 gives up before
        11    c6 asks for english   |
        11    look: c6 estimate     | 231 s                 # from second 111 on the others may take it
        12    look: c2 estimate     | none                  # does not wait
    ");
}
