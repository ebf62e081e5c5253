-- Tickets are read all the while, and written again when the indexes are there; until then new ones wait in the gateways' spools. This
-- lock comes first, as it does where tickets are worked on: whoever has a ticket and wants to write its history is waited for, and
-- the two cannot wait for each other.
LOCK TABLE tickets IN SHARE ROW EXCLUSIVE MODE;

-- What an entry counts as in reports, in bits: a month is added up from the index alone. NULL: written before this was kept; then the
-- ticket's history is read. 0: it counts nowhere.
ALTER TABLE case_events ADD COLUMN counts BIGINT;
CREATE INDEX case_events_counted ON case_events (at, counts) WHERE counts > 0;
CREATE INDEX case_events_uncounted ON case_events (at, ticket_no) WHERE counts IS NULL;
DROP INDEX case_events_by_time;

-- Last, for nobody may even read them from here to the end: nothing is looked through for it, old tickets have no rating to check.
-- call_rating: 满意度评价, the key the caller pressed after the call, 1 (very dissatisfied) to 5. recording_deleted_at: when its
-- recordings were deleted, their days being over; recording_sha256 stays.
ALTER TABLE tickets
    ADD COLUMN call_rating BIGINT,
    ADD COLUMN recording_deleted_at BIGINT,
    ADD CONSTRAINT tickets_call_rating_check CHECK (call_rating BETWEEN 1 AND 5) NOT VALID;
