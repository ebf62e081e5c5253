-- Copies of gateways' event logs, row for row. A row is never changed; old ones are deleted as in the log itself.
CREATE TABLE event_log (
    log   TEXT   NOT NULL, -- whose: the identity of the file that was written first
    seq   BIGINT NOT NULL, -- from 1, without gaps
    at_us BIGINT NOT NULL, -- microseconds since the UNIX epoch
    kind  TEXT   NOT NULL, -- call, agent, start (a gateway began to write), gap (events are missing here)
    call  TEXT,            -- 16 hexadecimal digits, as in tickets and logs
    agent TEXT,            -- 工号, of whatever concerns an agent
    what  TEXT   NOT NULL, -- the fact, JSON
    PRIMARY KEY (log, seq)
);
CREATE INDEX event_log_by_call ON event_log (call) WHERE call IS NOT NULL;
CREATE INDEX event_log_by_time ON event_log (at_us);
