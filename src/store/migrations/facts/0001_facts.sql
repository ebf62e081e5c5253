-- Facts folded from the event log. Kept for years; everything here can be folded again from the events still there.
CREATE TABLE calls (
    call       INTEGER PRIMARY KEY, -- printf('%016x', call) is what tickets and logs show
    counted_us INTEGER NOT NULL,    -- by which it counts: the request for a human, else the arrival
    ended_us   INTEGER,             -- NULL: it is up
    verdict    INTEGER,             -- in the connection rate: 1 answered, 0 lost, NULL no part of it
    record     TEXT    NOT NULL     -- JSON
) STRICT;
CREATE INDEX calls_by_time ON calls (counted_us);
CREATE INDEX calls_by_verdict ON calls (counted_us, verdict) WHERE verdict IS NOT NULL;
CREATE INDEX calls_that_are_up ON calls (call) WHERE ended_us IS NULL;

-- How long which agent was in which state, by the quarter hour.
CREATE TABLE agent_time (
    cell  INTEGER NOT NULL,         -- quarters of an hour since 1970-01-01 UTC
    agent TEXT    NOT NULL,
    state TEXT    NOT NULL,
    us    INTEGER NOT NULL,
    PRIMARY KEY (cell, agent, state)
) STRICT, WITHOUT ROWID;

-- What the agents who are signed in do now.
CREATE TABLE agents_now (
    agent TEXT PRIMARY KEY,
    spell TEXT NOT NULL             -- JSON
) STRICT, WITHOUT ROWID;

-- Where the log itself says that something happened to it.
CREATE TABLE marks (
    at_us  INTEGER NOT NULL,
    kind   TEXT    NOT NULL,        -- start, gap, unknown (written by a later version), pruned, replaced
    missed INTEGER NOT NULL         -- events
) STRICT;
CREATE INDEX marks_by_time ON marks (at_us);

-- How far the log has been read: one row.
CREATE TABLE position (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    seq    INTEGER NOT NULL,        -- the last event read
    at_us  INTEGER NOT NULL,        -- its time: whether it is still the same log
    now_us INTEGER NOT NULL,        -- the latest time seen
    first_us INTEGER NOT NULL       -- the first event ever read: facts begin here
) STRICT;
