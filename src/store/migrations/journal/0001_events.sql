-- The event log. A row is never changed; old ones are deleted after the time set by [storage] keep_events.
CREATE TABLE events (
    seq   INTEGER PRIMARY KEY, -- from 1, without gaps
    at_us INTEGER NOT NULL,    -- microseconds since the UNIX epoch
    kind  TEXT    NOT NULL,    -- call, agent, start (a gateway began to write), gap (events are missing here)
    call  TEXT,                -- 16 hexadecimal digits, as in tickets and logs
    agent TEXT,                -- 工号, of whatever concerns an agent
    what  TEXT    NOT NULL     -- the fact, JSON
) STRICT;
CREATE INDEX events_by_call ON events (call) WHERE call IS NOT NULL;
CREATE INDEX events_by_time ON events (at_us);
