-- Tells this log from all others, wherever its events are copied to.
CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log TEXT NOT NULL              -- 16 hexadecimal digits
) STRICT;
INSERT INTO identity (one, log) VALUES (1, lower(hex(randomblob(8))));
