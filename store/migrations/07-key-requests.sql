-- v6 -> v7: How often a session's key was asked for
ALTER TABLE key_waits DROP COLUMN requested;
ALTER TABLE key_waits ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
