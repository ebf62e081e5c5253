-- 满意度评价: the key the caller pressed after the call, 1 (very dissatisfied) to 5.
ALTER TABLE tickets ADD COLUMN call_rating BIGINT CHECK (call_rating BETWEEN 1 AND 5);
-- When its recordings were deleted, their days being over; recording_sha256 stays.
ALTER TABLE tickets ADD COLUMN recording_deleted_at BIGINT;

-- What an entry counts as in reports, in bits: a month is added up from the index alone. NULL: written before this was kept; then the
-- ticket's history is read. 0: it counts nowhere.
ALTER TABLE case_events ADD COLUMN counts BIGINT;
CREATE INDEX case_events_counted ON case_events (at, counts) WHERE counts > 0;
CREATE INDEX case_events_uncounted ON case_events (at, ticket_no) WHERE counts IS NULL;
DROP INDEX case_events_by_time;
