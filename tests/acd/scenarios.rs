//! What a shift leader would check, one table per thought. The words are explained in `table.rs`.

use crate::table::run;

#[test]
fn a_call_from_asking_to_ready_again() {
    run("
        queue hotline: mandarin 1, ring 20, wrap-up 30
        agent 6632: mandarin 5

        0     look: 6632            | signed out
        0     6632 signs in at 801  | 6632 not ready (busy)
        1     6632 ready            | 6632 ready
        10    c1 asks for hotline   | ring 6632 at 801 for c1, 6632 reserved
        14    c1 answered           | 6632 talking
        20    c1 held               | 6632 on hold
        25    c1 resumed            | 6632 talking
        60    c1 talk ends          | 6632 in wrap-up
        90    time passes           | 6632 ready
        99    6632 signs out        | 6632 signed out
        99    look: seat 801        | nobody
    ");
}

/// Pain 10: an agent freed is offered the next call in the same step; pain 9: wrap-up has its own timer.
#[test]
fn whoever_becomes_free_gets_the_next_caller_at_once() {
    run("
        queue hotline: mandarin 1, wrap-up 30
        agent 6632: mandarin 5

        0     6632 signs in at 801  | 6632 not ready (busy)
        1     c1 asks for hotline   |
        2     c2 asks for hotline   |
        3     c3 asks for hotline   |
        3     look: c3 position     | 3
        4     6632 ready            | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        4     look: c3 position     | 2
        5     c1 answered           | 6632 talking
        60    c1 talk ends          | 6632 in wrap-up                       # nobody is offered a call in wrap-up
        90    time passes           | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
        92    c2 answered           | 6632 talking
        99    c2 talk ends          | 6632 in wrap-up
        105   6632 ready            | 6632 ready, ring 6632 at 801 for c3, 6632 reserved    # wrap-up ended by the agent
        106   c3 leaves             | 6632 ready
    ");
}

/// RONA. Pains 1 and 7: the agent who does not pick up blocks nobody, and the caller keeps the place.
#[test]
fn a_seat_that_is_not_picked_up() {
    run("
        queue hotline: mandarin 1, ring 15
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        1     6632 ready            | 6632 ready
        2     c1 asks for hotline   | ring 6632 at 801 for c1, 6632 reserved
        3     c2 asks for hotline   |
        17    time passes           | 6632 did not pick up c1, 6632 not ready (noanswer)
        17    look: c1 position     | 1
        17    look: c2 position     | 2
        18    c1 answered           | refused: c1 is not being offered to an agent
        20    6807 ready            | 6807 ready, ring 6807 at 802 for c1, 6807 reserved
        21    6632 ready            | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
    ");
    run("
        queue hotline: mandarin 1, ring 15
        agent 6632: mandarin 5
        agent 6807: mandarin 5
        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        1     6632 ready            | 6632 ready
        2     6807 ready            | 6807 ready
        2     c1 asks for hotline   | ring 6632 at 801 for c1, 6632 reserved
        17    time passes           | 6632 did not pick up c1, 6632 not ready (noanswer), ring 6807 at 802 for c1, 6807 reserved
    ");
}

/// Pain 4: until somebody has picked up, nothing an agent's phone does costs the caller the place.
#[test]
fn an_offer_that_fails() {
    run("
        queue hotline: mandarin 1, ring 15
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801              | 6632 not ready (busy)
        0     6632 ready                        | 6632 ready
        1     c1 asks for hotline               | ring 6632 at 801 for c1, 6632 reserved
        2     c2 asks for hotline               |
        3     c1 offer fails (declined)         | 6632 not ready (declined)
        3     look: c1 position                 | 1
        4     6632 ready                        | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        5     c1 offer fails (busy)             | 6632 not ready (declined)
        6     6632 ready                        | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        7     c1 offer fails (unreachable)      | 6632 not ready (unreachable)
        8     seat 801 registers                | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        9     c1 offer fails (failed)           | 6632 not ready (unreachable)
        10    6632 ready                        | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        10    c1 offer fails (withdrawn)        | 6632 ready, ring 6632 at 801 for c1, 6632 reserved    # not the agent's fault
        11    c1 offer fails (noanswer)         | 6632 not ready (noanswer)
        12    c1 offer fails (noanswer)         | refused: c1 is not being offered to an agent
        12    look: c1 position                 | 1
        12    look: longest wait                | 11 s
    ");
}

/// Pain 5: an offer belongs to its call and dies with it. Pain 3: only the offer that stands can be answered.
#[test]
fn the_caller_hangs_up_in_every_state() {
    run("
        queue hotline: mandarin 1, wrap-up 30
        agent 6632: mandarin 5

        0     c1 asks for hotline   |
        1     c1 leaves             |
        1     look: waiting         | 0
        2     6632 signs in at 801  | 6632 not ready (busy)
        2     6632 ready            | 6632 ready
        3     c2 asks for hotline   | ring 6632 at 801 for c2, 6632 reserved
        4     c2 leaves             | 6632 ready
        4     look: offers          | 0
        4     c2 answered           | refused: c2 is not here: never queued, or gone already
        5     c3 asks for hotline   | ring 6632 at 801 for c3, 6632 reserved
        6     c4 asks for hotline   |
        7     c3 leaves             | 6632 ready, ring 6632 at 801 for c4, 6632 reserved
        8     c4 answered           | 6632 talking
        8     c4 answered           | refused: c4 is not being offered to an agent
        9     c4 held               | 6632 on hold
        10    c4 leaves             | 6632 in wrap-up
        10    c4 talk ends          | refused: c4 is not here: never queued, or gone already
        40    time passes           | 6632 ready
    ");
}

/// A phone that is still being told to stop ringing would answer the next call with "busy".
#[test]
fn a_seat_is_let_fall_quiet_before_the_next_offer() {
    run("
        queue hotline: mandarin 1, ring 15
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801              | 6632 not ready (busy)
        0     6807 signs in at 802              | 6807 not ready (busy)
        0     6632 ready                        | 6632 ready
        1     c1 asks for hotline               | ring 6632 at 801 for c1, 6632 reserved
        2     c1 leaves while it rings          |
        2     look: 6632                        | reserved
        2     look: offers                      | 0
        3     c2 asks for hotline               |
        3     c1 answered                       | refused: c1 is not here: never queued, or gone already
        4     6632 ready                        |
        5     seat 801 is quiet                 | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
        5     seat 801 is quiet                 |                       # rings for c2 now, who has not left
        6     c2 leaves while it rings          |
        7     6807 ready                        | 6807 ready
        20    time passes                       | 6632 not ready (unreachable)      # the phone never stopped
        21    c3 asks for hotline               | ring 6807 at 802 for c3, 6807 reserved
        22    c3 leaves while it rings          |
        23    6807 not ready (break)            | 6807 not ready (break)
        24    6807 ready                        | 6807 ready
        25    c4 asks for hotline               | ring 6807 at 802 for c4, 6807 reserved
        26    c4 leaves while it rings          |
        27    seat 802 lost                     | 6807 not ready (unreachable)
        28    c4 leaves while it rings          | refused: c4 is not here: never queued, or gone already
    ");
}

/// Pain 6: one order across all queues. Priority first, then who asked first; a transferred caller keeps the time.
#[test]
fn one_order_across_all_queues() {
    run("
        queue hotline:   mandarin 1, priority 5
        queue taxi:      mandarin 1, priority 5
        queue emergency: mandarin 1, priority 0
        agent 6632: mandarin 5

        0     6632 signs in at 801                  | 6632 not ready (busy)
        10    c1 asks for hotline                   |
        11    c2 asks for taxi                      |
        12    c3 asks for hotline                   |
        13    c4 asks for taxi since 5              |      # came to another queue at second 5
        14    c5 asks for emergency                 |
        14    look: c4 position                     | 1
        14    look: c2 position                     | 2
        14    look: longest wait                    | 9 s
        20    6632 ready                            | 6632 ready, ring 6632 at 801 for c5, 6632 reserved
        20    c5 leaves                             | 6632 ready, ring 6632 at 801 for c4, 6632 reserved
        20    c4 leaves                             | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        20    c1 leaves                             | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
        20    c2 leaves                             | 6632 ready, ring 6632 at 801 for c3, 6632 reserved
    ");
}

/// Skills with levels. Pain 7: the first in line whom nobody ready can serve does not hold up the others.
#[test]
fn skills_and_levels_decide_who_can() {
    run("
        queue hotline: mandarin 1
        queue english: english 6
        queue korean:  korean 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5, english 5
        agent 6900: mandarin 5, english 6

        0     6632 signs in at 801  | 6632 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        0     6900 signs in at 803  | 6900 not ready (busy)
        1     c1 asks for korean    | refused: queue korean: no agent on the roster has its skills and levels
        1     c1 asks for english   |
        2     c2 asks for hotline   |
        3     6632 ready            | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
        4     6807 ready            | 6807 ready                            # level 5 is not enough
        5     6900 ready            | 6900 ready, ring 6900 at 803 for c1, 6900 reserved
    ");
}

/// Pain 8: the longest idle agent. An offer lost through no fault of the agent keeps the idle time.
#[test]
fn the_longest_idle_agent_is_next() {
    run("
        queue hotline: mandarin 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5
        agent 6900: mandarin 5

        0     6900 signs in at 803  | 6900 not ready (busy)
        0     6807 signs in at 802  | 6807 not ready (busy)
        0     6632 signs in at 801  | 6632 not ready (busy)
        1     6900 ready            | 6900 ready
        2     6807 ready            | 6807 ready
        2     6632 ready            | 6632 ready
        3     6900 ready            |                                       # said twice: the idle time runs on
        4     c1 asks for hotline   | ring 6900 at 803 for c1, 6900 reserved
        5     c1 leaves             | 6900 ready
        6     c2 asks for hotline   | ring 6900 at 803 for c2, 6900 reserved
        7     c2 answered           | 6900 talking
        8     c3 asks for hotline   | ring 6632 at 801 for c3, 6632 reserved    # as long as 6807: the lower number
        9     c3 answered           | 6632 talking
        10    c2 talk ends          | 6900 ready
        11    c3 talk ends          | 6632 ready
        12    c4 asks for hotline   | ring 6807 at 802 for c4, 6807 reserved
        13    c5 asks for hotline   | ring 6900 at 803 for c5, 6900 reserved
    ");
}

/// An agent who wants to go while on a call goes after talk and wrap-up; the last word counts.
#[test]
fn what_is_asked_for_during_a_call_comes_after_it() {
    run("
        queue hotline: mandarin 1, wrap-up 30
        agent 6632: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6632 ready                | 6632 ready
        1     c1 asks for hotline       | ring 6632 at 801 for c1, 6632 reserved
        2     c1 answered               | 6632 talking
        3     6632 signs out            |
        4     6632 not ready (break)    |
        5     c1 held                   | 6632 on hold
        6     c1 talk ends              | 6632 in wrap-up
        36    time passes               | 6632 not ready (break)
        40    6632 ready                | 6632 ready
        41    c2 asks for hotline       | ring 6632 at 801 for c2, 6632 reserved
        42    c2 answered               | 6632 talking
        43    6632 not ready (break)    |
        44    6632 ready                |                           # thought better of it
        45    c2 talk ends              | 6632 in wrap-up
        75    time passes               | 6632 ready
        76    c3 asks for hotline       | ring 6632 at 801 for c3, 6632 reserved
        77    c3 answered               | 6632 talking
        78    6632 signs out            |
        79    c3 talk ends              | 6632 in wrap-up
        80    look: seat 801            | 6632
        109   time passes               | 6632 signed out
        110   6632 ready                | refused: agent 6632 is not signed in; sign in first
    ");
}

/// Registered or not: nobody is rung at a phone that died in a talk, before its agent or its next REGISTER says it is there.
#[test]
fn a_seat_that_dies_in_a_talk_is_not_rung_after_it() {
    run("
        queue hotline: mandarin 1, wrap-up 30
        agent 6632: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6632 ready                | 6632 ready
        1     c1 asks for hotline       | ring 6632 at 801 for c1, 6632 reserved
        2     c1 answered               | 6632 talking
        3     c1 seat dies              |
        3     c1 talk ends              | 6632 in wrap-up
        33    time passes               | 6632 not ready (unreachable)
        34    6632 ready                | 6632 ready
        35    c2 asks for hotline       | ring 6632 at 801 for c2, 6632 reserved
        36    c2 answered               | 6632 talking
        37    c2 seat dies              |
        37    c2 talk ends              | 6632 in wrap-up
        40    seat 801 registers        |                           # the phone has started anew
        67    time passes               | 6632 ready
        68    c3 asks for hotline       | ring 6632 at 801 for c3, 6632 reserved
        69    c3 answered               | 6632 talking
        70    6632 signs out            |
        71    c3 seat dies              |
        71    c3 talk ends              | 6632 in wrap-up
        101   time passes               | 6632 signed out
    ");
}

#[test]
fn a_word_said_in_wrap_up_ends_it() {
    run("
        queue hotline: mandarin 1, wrap-up 30
        agent 6632: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6632 ready                | 6632 ready
        1     c1 asks for hotline       | ring 6632 at 801 for c1, 6632 reserved
        2     c1 answered               | 6632 talking
        3     c1 talk ends              | 6632 in wrap-up
        9     6632 not ready (training) | 6632 not ready (training)
        10    6632 ready                | 6632 ready
        11    c2 asks for hotline       | ring 6632 at 801 for c2, 6632 reserved
        12    c2 answered               | 6632 talking
        13    c2 talk ends              | 6632 in wrap-up
        14    6632 signs out            | 6632 signed out
    ");
}

/// Going away while reserved takes the offer back; the caller is offered to the next at once.
#[test]
fn an_agent_goes_while_the_seat_rings() {
    run("
        queue hotline: mandarin 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6807 signs in at 802      | 6807 not ready (busy)
        0     6632 ready                | 6632 ready
        1     6807 ready                | 6807 ready
        2     c1 asks for hotline       | ring 6632 at 801 for c1, 6632 reserved
        3     6632 not ready (forced)   | stop ringing 6632 for c1, 6632 not ready (forced), ring 6807 at 802 for c1, 6807 reserved
        4     6807 signs out            | stop ringing 6807 for c1, 6807 signed out
        4     look: c1 position         | 1
        5     6632 ready                | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        6     6632 ready                |
        7     seat 801 lost             | stop ringing 6632 for c1, 6632 not ready (unreachable)
        7     look: c1 position         | 1
    ");
}

/// A phone that loses its registration: no offers to it, and no talk is cut for it.
#[test]
fn seats_come_and_go() {
    run("
        queue hotline: mandarin 1, wrap-up 10
        agent 6632: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6632 ready                | 6632 ready
        1     seat 801 lost             | 6632 not ready (unreachable)
        2     c1 asks for hotline       |
        3     6632 ready                | refused: agent 6632 cannot be ready: seat 801 is not registered; check its phone
        4     seat 801 registers        | 6632 ready, ring 6632 at 801 for c1, 6632 reserved
        5     c1 answered               | 6632 talking
        6     seat 801 lost             |
        7     look: 6632                | talking
        8     c1 talk ends              | 6632 in wrap-up
        18    time passes               | 6632 not ready (unreachable)
        19    6632 not ready (break)    | 6632 not ready (break)
        20    seat 801 registers        |                               # on a break: the phone coming back changes nothing
        21    6632 ready                | 6632 ready
        22    seat 999 lost             |
        23    seat 801 lost             | 6632 not ready (unreachable)
        24    6632 signs in at 802      | 6632 not ready (busy)         # to another desk
        24    look: seat 801            | nobody
        25    6632 ready                | 6632 ready
    ");
}

#[test]
fn signing_in_where_it_cannot_be() {
    run("
        queue hotline: mandarin 1
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6999 signs in at 801      | refused: agent 6999 is not in the configuration; add it there
        0     6632 signs out            | refused: agent 6632 is not signed in; sign in first
        0     6632 signs in at 801      | 6632 not ready (busy)
        1     6807 signs in at 801      | refused: seat 801 is taken by agent 6632, who must sign out first
        2     6632 signs in at 802      | refused: agent 6632 is signed in at seat 801; sign out there first
        3     6632 ready                | 6632 ready
        4     6632 signs in at 801      |                               # twice at the same seat
        5     6632 signs out            | 6632 signed out
        6     6807 signs in at 801      | 6807 not ready (busy)         # the next shift
        6     look: seat 801            | 6807
    ");
}

#[test]
fn limits_of_a_queue() {
    run("
        queue hotline: mandarin 1, full at 2, waits 60, ring 15
        queue reception: mandarin 1, full at 0
        agent 6632: mandarin 5
        agent 6807: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        1     c1 asks for hotline       |
        2     c1 asks for hotline       | refused: c1 is queued already; it must leave first
        2     c1 asks for nowhere       | refused: c1 is queued already; it must leave first
        2     c2 asks for nowhere       | refused: queue nowhere is not in the configuration; add it there
        3     c2 asks for hotline       |
        4     c3 asks for hotline       | refused: queue hotline is full: 2 callers wait already
        5     c4 asks for reception     | refused: queue reception is full: 0 callers wait already
        61    time passes               | c1 waited too long
        61    c1 leaves                 | refused: c1 is not here: never queued, or gone already
        62    6632 ready                | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
        # c2's minute was over at 63, but a seat was ringing for them: that is let come to its end.
        77    time passes               | 6632 did not pick up c2, 6632 not ready (noanswer), c2 waited too long
        78    6632 ready                | 6632 ready
        79    c4 asks for reception     | ring 6632 at 801 for c4, 6632 reserved   # nobody may wait, but somebody is free
    ");
}

/// Just in time: whose wrap-up ends in the second the caller's limit does, serves the caller.
#[test]
fn a_wrap_up_and_a_limit_end_together() {
    run("
        queue hotline: mandarin 1, waits 60, wrap-up 30
        agent 6632: mandarin 5

        0     6632 signs in at 801      | 6632 not ready (busy)
        0     6632 ready                | 6632 ready
        0     c1 asks for hotline       | ring 6632 at 801 for c1, 6632 reserved
        1     c1 answered               | 6632 talking
        5     c2 asks for hotline       |
        35    c1 talk ends              | 6632 in wrap-up
        65    time passes               | 6632 ready, ring 6632 at 801 for c2, 6632 reserved
    ");
}

/// A caller moved on by the first agent keeps the original time in the order, but may wait the whole limit here.
#[test]
fn a_transfer_keeps_the_arrival_time() {
    run("
        queue hotline: mandarin 1
        queue english: english 1, waits 60
        agent 6632: mandarin 5
        agent 6900: english 8

        0     6632 signs in at 801              | 6632 not ready (busy)
        0     6632 ready                        | 6632 ready
        1     c1 asks for hotline               | ring 6632 at 801 for c1, 6632 reserved
        5     c1 answered                       | 6632 talking
        50    c2 asks for english               |
        90    c1 talk ends                      | 6632 ready
        90    c1 asks for english since 1       |
        90    look: c1 position                 | 1
        90    look: c2 position                 | 2
        110   time passes                       | c2 waited too long
        150   time passes                       | c1 waited too long
    ");
}

/// Last in choice, however long idle, but never kept: a reserve of nobody.
#[test]
fn language_seats_come_last_where_none_is_kept() {
    run("
        rules: reserve japanese 0
        queue hotline:  mandarin 1
        queue japanese: japanese 1, after 20 mandarin 1
        agent 6632: mandarin 5
        agent 6900: mandarin 5, japanese 8

        0     6900 signs in at 803  | 6900 not ready (busy)
        0     6900 ready            | 6900 ready
        1     6632 signs in at 801  | 6632 not ready (busy)
        1     6632 ready            | 6632 ready
        2     c1 asks for hotline   | ring 6632 at 801 for c1, 6632 reserved
        3     c2 asks for hotline   | ring 6900 at 803 for c2, 6900 reserved     # nobody else is there
        4     c3 asks for japanese  |
        5     c2 leaves             | 6900 ready, ring 6900 at 803 for c3, 6900 reserved
        6     c1 leaves             | 6632 ready
        7     c3 leaves             | 6900 ready
    ");
}
