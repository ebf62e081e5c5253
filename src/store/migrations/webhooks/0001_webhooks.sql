-- How far each webhook has been told the event log, and what it refused.
CREATE TABLE places (
    hook TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL            -- the last event that was delivered, refused or not asked for
) STRICT, WITHOUT ROWID;

-- Events that the far end refused for good: for people to look at, and to send again.
CREATE TABLE dead_letters (
    hook  TEXT    NOT NULL,
    seq   INTEGER NOT NULL,
    at_us INTEGER NOT NULL,          -- when it was set aside
    event TEXT    NOT NULL,          -- JSON, as it was sent
    why   TEXT    NOT NULL,
    again INTEGER NOT NULL DEFAULT 0, -- 1: to be sent again
    PRIMARY KEY (hook, seq)
) STRICT, WITHOUT ROWID;
