-- The ticket's life after pickup. `tickets` keeps where it stands, one row changed with each command; what happened, who looked,
-- and which commands were sent stand beside it.
--
-- version: entries of the ticket's history; 0: nobody has touched it since pickup. state: what no other column says (JSON).
-- due_on: the next day by which something must be done; alarm_on: the next deadline that has not been raised.
ALTER TABLE tickets ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN state TEXT;
ALTER TABLE tickets ADD COLUMN category_code TEXT;
ALTER TABLE tickets ADD COLUMN due_on TEXT;
ALTER TABLE tickets ADD COLUMN alarm_on TEXT;
CREATE INDEX tickets_untouched ON tickets (answered_at) WHERE version = 0;
CREATE INDEX tickets_by_due ON tickets (due_on, id) WHERE due_on IS NOT NULL;
CREATE INDEX tickets_by_alarm ON tickets (alarm_on) WHERE alarm_on IS NOT NULL;
CREATE INDEX tickets_by_status ON tickets (status, id);
CREATE INDEX tickets_by_department ON tickets (lead_department, id) WHERE lead_department IS NOT NULL;
CREATE INDEX tickets_by_agent ON tickets (agent_no, id);

-- Every change of every ticket: its history (by ticket and version), and the stream of all (by seq). A seq is given in the
-- transaction that writes the change and the next transaction waits for it, so there are no gaps and none appears late: who has
-- read up to a seq has read all before it.
CREATE TABLE case_events (
    seq       INTEGER PRIMARY KEY,
    ticket_no TEXT    NOT NULL REFERENCES tickets (ticket_no),
    version   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    entry     TEXT    NOT NULL CHECK (json_valid(entry)),
    UNIQUE (ticket_no, version)
) STRICT;
CREATE TABLE case_sequence (last INTEGER NOT NULL) STRICT;
INSERT INTO case_sequence (last) VALUES (0);

-- Who saw whose unmasked ticket, when and why.
CREATE TABLE case_audit (
    seq       INTEGER PRIMARY KEY,
    ticket_no TEXT    NOT NULL REFERENCES tickets (ticket_no),
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL CHECK (json_valid(actor)),
    why       TEXT    NOT NULL
) STRICT;
CREATE INDEX case_audit_by_ticket ON case_audit (ticket_no, seq);

-- Commands that carried an idempotency key: sent again, they are answered as the first time. Kept for some days.
CREATE TABLE case_keys (
    actor     TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    digest    TEXT    NOT NULL,
    ticket_no TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    entries   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_keys_by_age ON case_keys (at);
