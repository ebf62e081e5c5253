-- The ticket (工单). Filled at pickup: identity, caller, call. Everything after that is filled in by the agent and
-- the departments, so it is nullable or has the value a new ticket starts with.
--
-- Names, numbers of migrations and the meaning of every column are those of the SQLite store, so that one report reads
-- both: instants (`*_at`) are milliseconds since the UNIX epoch, UTC; yes and no are 1 and 0; deadlines (`*_due`,
-- `extended_to`) are dates 'YYYY-MM-DD' in China. People read instants with to_timestamp(answered_at / 1000.0).
CREATE TABLE tickets (
    id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- identity
    ticket_no        TEXT    NOT NULL UNIQUE,
    call_id          TEXT    NOT NULL UNIQUE,
    channel          TEXT    NOT NULL,
    dnis             TEXT    NOT NULL,
    tenant           TEXT    NOT NULL,
    test_call        SMALLINT NOT NULL CHECK (test_call IN (0, 1)),
    -- caller; a withheld number is not here but in restricted_callers
    cli_raw          TEXT,
    cli_e164         TEXT,
    cli_withheld     SMALLINT NOT NULL CHECK (cli_withheld IN (0, 1)),
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
    arrived_at       BIGINT NOT NULL,
    queued_at        BIGINT NOT NULL,
    ring_at          BIGINT NOT NULL,
    answered_at      BIGINT NOT NULL,
    wait_ms          BIGINT NOT NULL CHECK (wait_ms >= 0),
    within_n         SMALLINT NOT NULL CHECK (within_n IN (0, 1)),
    recording_ref    TEXT,
    recording_sha256 TEXT,
    agent_no         TEXT    NOT NULL,
    seat_no          TEXT    NOT NULL,
    legs             JSON    NOT NULL,
    -- matter
    type             TEXT    CHECK (type IN ('咨询', '求助', '投诉', '举报', '建议', '表扬', '其他')),
    category_1       TEXT,
    category_2       TEXT,
    category_3       TEXT,
    category_4       TEXT,
    category_5       TEXT,
    urgency          TEXT    NOT NULL DEFAULT '一般' CHECK (urgency IN ('一般', '紧急', '特急')),
    confidential     SMALLINT NOT NULL DEFAULT 0 CHECK (confidential IN (0, 1)),
    district         TEXT,
    street           TEXT,
    community        TEXT,
    address          TEXT,
    latitude         DOUBLE PRECISION,
    longitude        DOUBLE PRECISION,
    title            TEXT,
    content          TEXT,
    -- handling
    disposition      TEXT    CHECK (disposition IN ('直办', '转办', '三方', '转110', '不予受理')),
    lead_department  TEXT,
    assist_departments JSON,
    status           TEXT    NOT NULL DEFAULT '待完善' CHECK (status IN
        ('待完善', '已受理', '待派遣', '已派遣', '已签收', '办理中', '已办结', '待回访', '已回访', '已归档')),
    returned         SMALLINT NOT NULL DEFAULT 0 CHECK (returned IN (0, 1)),
    extended         SMALLINT NOT NULL DEFAULT 0 CHECK (extended IN (0, 1)),
    urged            SMALLINT NOT NULL DEFAULT 0 CHECK (urged IN (0, 1)),
    supervised       SMALLINT NOT NULL DEFAULT 0 CHECK (supervised IN (0, 1)),
    redone           SMALLINT NOT NULL DEFAULT 0 CHECK (redone IN (0, 1)),
    overdue          SMALLINT NOT NULL DEFAULT 0 CHECK (overdue IN (0, 1)),
    -- deadlines
    transfer_due     TEXT,
    return_due       TEXT,
    reply_due        TEXT,
    extended_to      TEXT,
    -- outcome
    satisfaction_call   SMALLINT,
    satisfaction_result SMALLINT,
    solved           SMALLINT CHECK (solved IN (0, 1)),
    callback_at      BIGINT
);

-- Earlier tickets of a caller, newest first.
CREATE INDEX tickets_by_caller ON tickets (cli_e164, answered_at DESC) WHERE cli_e164 IS NOT NULL;

-- Numbers whose owners asked for privacy. Kept apart from `tickets` so that no list, export or screen that reads
-- tickets can show one; an emergency that must reach the caller reads this table on purpose.
CREATE TABLE restricted_callers (
    call_id  TEXT NOT NULL PRIMARY KEY REFERENCES tickets (call_id),
    cli_raw  TEXT,
    cli_e164 TEXT
);

-- The last number given in each series (prefix + date). Counted up in the transaction that inserts the tickets: a
-- rolled-back insert leaves no gap, two writers never share a number.
CREATE TABLE ticket_series (
    series TEXT   NOT NULL PRIMARY KEY,
    last   BIGINT NOT NULL
);
