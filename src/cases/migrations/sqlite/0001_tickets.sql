-- The ticket (工单). Filled at pickup: identity, caller, call. Everything after that is filled in by the agent and
-- the departments, so it is nullable or has the value a new ticket starts with.
--
-- Instants (`*_at`) are INTEGER milliseconds since the UNIX epoch, UTC: one meaning, half the size of text, range
-- scans and differences without parsing. People read them with datetime(answered_at / 1000, 'unixepoch', '+8 hours').
-- Deadlines (`*_due`, `extended_to`) are dates 'YYYY-MM-DD' in China, because the rules count working days.
CREATE TABLE tickets (
    id               INTEGER PRIMARY KEY,
    -- identity
    ticket_no        TEXT    NOT NULL UNIQUE,
    call_id          TEXT    NOT NULL UNIQUE,
    channel          TEXT    NOT NULL,
    dnis             TEXT    NOT NULL,
    tenant           TEXT    NOT NULL,
    test_call        INTEGER NOT NULL CHECK (test_call IN (0, 1)),
    -- caller; a withheld number is not here but in restricted_callers
    cli_raw          TEXT,
    cli_e164         TEXT,
    cli_withheld     INTEGER NOT NULL CHECK (cli_withheld IN (0, 1)),
    attribution      TEXT,
    caller_name      TEXT,
    callback_no      TEXT,
    language         TEXT,
    repeat_of        TEXT    REFERENCES tickets (ticket_no),
    -- call
    sip_call_id      TEXT    NOT NULL,
    icid             TEXT,
    trunk            TEXT    NOT NULL,
    queue            TEXT    NOT NULL,
    skill            TEXT    NOT NULL,
    arrived_at       INTEGER NOT NULL,
    queued_at        INTEGER NOT NULL,
    ring_at          INTEGER NOT NULL,
    answered_at      INTEGER NOT NULL,
    wait_ms          INTEGER NOT NULL CHECK (wait_ms >= 0),
    within_n         INTEGER NOT NULL CHECK (within_n IN (0, 1)),
    recording_ref    TEXT,
    recording_sha256 TEXT,
    agent_no         TEXT    NOT NULL,
    seat_no          TEXT    NOT NULL,
    legs             TEXT    NOT NULL CHECK (json_valid(legs)),
    -- matter
    type             TEXT    CHECK (type IN ('咨询', '求助', '投诉', '举报', '建议', '表扬', '其他')),
    category_1       TEXT,
    category_2       TEXT,
    category_3       TEXT,
    category_4       TEXT,
    category_5       TEXT,
    urgency          TEXT    NOT NULL DEFAULT '一般' CHECK (urgency IN ('一般', '紧急', '特急')),
    confidential     INTEGER NOT NULL DEFAULT 0 CHECK (confidential IN (0, 1)),
    district         TEXT,
    street           TEXT,
    community        TEXT,
    address          TEXT,
    latitude         REAL,
    longitude        REAL,
    title            TEXT,
    content          TEXT,
    -- handling
    disposition      TEXT    CHECK (disposition IN ('直办', '转办', '三方', '转110', '不予受理')),
    lead_department  TEXT,
    assist_departments TEXT  CHECK (assist_departments IS NULL OR json_valid(assist_departments)),
    status           TEXT    NOT NULL DEFAULT '待完善' CHECK (status IN
        ('待完善', '已受理', '待派遣', '已派遣', '已签收', '办理中', '已办结', '待回访', '已回访', '已归档')),
    returned         INTEGER NOT NULL DEFAULT 0 CHECK (returned IN (0, 1)),
    extended         INTEGER NOT NULL DEFAULT 0 CHECK (extended IN (0, 1)),
    urged            INTEGER NOT NULL DEFAULT 0 CHECK (urged IN (0, 1)),
    supervised       INTEGER NOT NULL DEFAULT 0 CHECK (supervised IN (0, 1)),
    redone           INTEGER NOT NULL DEFAULT 0 CHECK (redone IN (0, 1)),
    overdue          INTEGER NOT NULL DEFAULT 0 CHECK (overdue IN (0, 1)),
    -- deadlines
    transfer_due     TEXT,
    return_due       TEXT,
    reply_due        TEXT,
    extended_to      TEXT,
    -- outcome
    satisfaction_call   INTEGER,
    satisfaction_result INTEGER,
    solved           INTEGER CHECK (solved IN (0, 1)),
    callback_at      INTEGER
) STRICT;

-- Earlier tickets of a caller, newest first.
CREATE INDEX tickets_by_caller ON tickets (cli_e164, answered_at DESC) WHERE cli_e164 IS NOT NULL;

-- Numbers whose owners asked for privacy. Kept apart from `tickets` so that no list, export or screen that reads
-- tickets can show one; an emergency that must reach the caller reads this table on purpose.
CREATE TABLE restricted_callers (
    call_id  TEXT NOT NULL PRIMARY KEY REFERENCES tickets (call_id),
    cli_raw  TEXT,
    cli_e164 TEXT
) STRICT, WITHOUT ROWID;

-- The last number given in each series (prefix + date). Counted up in the transaction that inserts the tickets: a
-- rolled-back insert leaves no gap, two writers never share a number.
CREATE TABLE ticket_series (
    series TEXT    NOT NULL PRIMARY KEY,
    last   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
