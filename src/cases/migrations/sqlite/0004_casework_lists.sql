-- Who assists with what; and what happened when, for reports.
CREATE INDEX tickets_assisted ON tickets (id) WHERE json_array_length(assist_departments) > 0;
CREATE INDEX case_events_by_time ON case_events (at);
