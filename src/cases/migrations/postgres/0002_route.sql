-- How the call came to its agent, as people read it: 'line 12345: mandarin; key 2: english; relaxed 1; 6606 (step 1)'.
-- Tickets from before this column had no way but the number called: empty.
ALTER TABLE tickets ADD COLUMN route TEXT NOT NULL DEFAULT '';
