-- v0 -> v1: Inbox, outbox, plans, rooms, the allow-list and the audit
CREATE TABLE inbox (
	-- only: sqlite
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	-- only: postgres
	seq          BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	event_id     TEXT    NOT NULL UNIQUE,
	room_id      TEXT    NOT NULL,
	sender       TEXT    NOT NULL,
	type         TEXT    NOT NULL,
	state_key    TEXT,                      -- NULL: no state event but something that a person said
	sent_at      BIGINT  NOT NULL,          -- ms, origin_server_ts
	raw          BYTEA,                     -- NULL once handled: the database keeps no chatter
	age          BIGINT  NOT NULL,          -- ms, unsigned.age when it came
	received_at  BIGINT  NOT NULL,          -- ms
	not_before   BIGINT  NOT NULL DEFAULT 0, -- ms; postponed until then
	session_id   TEXT    NOT NULL DEFAULT '', -- the megolm session whose key it waits for
	tries        INTEGER NOT NULL DEFAULT 0,
	state        TEXT    NOT NULL DEFAULT 'open', -- open, handled, aside
	command      BOOLEAN NOT NULL DEFAULT false  -- counts against its sender's rate
);
CREATE INDEX inbox_open ON inbox (room_id, seq) WHERE state = 'open';
CREATE INDEX inbox_commands ON inbox (sender, received_at) WHERE command;
CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE set_aside (
	-- only: sqlite
	seq            INTEGER PRIMARY KEY AUTOINCREMENT,
	-- only: postgres
	seq            BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	transaction_id TEXT    NOT NULL,
	raw            BYTEA   NOT NULL,
	received_at    BIGINT  NOT NULL
);

CREATE TABLE outbox (
	-- only: sqlite
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	-- only: postgres
	seq        BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	room_id    TEXT    NOT NULL,
	cause      TEXT    NOT NULL,   -- the event that it answers
	part       INTEGER NOT NULL,   -- from 0, in the order of sending
	txn_id     TEXT    NOT NULL UNIQUE,
	type       TEXT    NOT NULL,
	content    BYTEA,              -- NULL once delivered
	target     TEXT    NOT NULL DEFAULT '', -- a reaction: txn_id of the message that it belongs to
	question   BOOLEAN NOT NULL,   -- this message asks
	encrypt    BOOLEAN NOT NULL,   -- never to be sent in clear
	created_at BIGINT  NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,
	first_try  BIGINT  NOT NULL DEFAULT 0, -- ms; 0 = never attempted
	device_id  TEXT    NOT NULL DEFAULT '', -- the device of the first attempt
	not_before BIGINT  NOT NULL DEFAULT 0, -- ms
	state      TEXT    NOT NULL DEFAULT 'open', -- open, delivered, dropped
	event_id   TEXT    NOT NULL DEFAULT '', -- what it became
	sent_at    BIGINT  NOT NULL DEFAULT 0  -- ms; a question's origin_server_ts
);
CREATE INDEX outbox_open ON outbox (room_id, seq) WHERE state = 'open';
CREATE INDEX outbox_event ON outbox (event_id) WHERE event_id <> '';
CREATE INDEX outbox_cause ON outbox (cause);
CREATE INDEX outbox_created ON outbox (created_at);

CREATE TABLE plans (
	event_id   TEXT   NOT NULL PRIMARY KEY,
	command    TEXT   NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE TABLE steps (
	event_id TEXT    NOT NULL,
	n        INTEGER NOT NULL,
	token    TEXT    NOT NULL,
	body     BYTEA   NOT NULL,  -- the step as JSON
	PRIMARY KEY (event_id, n)
);
CREATE INDEX steps_token ON steps (token);

CREATE TABLE made (
	token    TEXT   NOT NULL PRIMARY KEY,
	maker    TEXT   NOT NULL,
	event_id TEXT   NOT NULL,
	room_id  TEXT   NOT NULL,
	made_at  BIGINT NOT NULL
);

CREATE TABLE allow_list (
	pattern  TEXT   NOT NULL PRIMARY KEY,
	role     TEXT   NOT NULL,
	added_by TEXT   NOT NULL,
	added_at BIGINT NOT NULL
);

CREATE TABLE questions (
	question_id TEXT    NOT NULL PRIMARY KEY,
	room_id     TEXT    NOT NULL,
	asker       TEXT    NOT NULL,
	command     TEXT    NOT NULL,
	tokens      BYTEA   NOT NULL, -- JSON list
	asked_on    BIGINT  NOT NULL, -- ms, our clock: only for order and cleaning
	open        BOOLEAN NOT NULL
);

CREATE TABLE audit (
	-- only: sqlite
	seq      INTEGER PRIMARY KEY AUTOINCREMENT,
	-- only: postgres
	seq      BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at       BIGINT  NOT NULL,
	event_id TEXT    NOT NULL,
	user_id  TEXT    NOT NULL,
	room_id  TEXT    NOT NULL,
	role     TEXT    NOT NULL,
	command  TEXT    NOT NULL,
	outcome  TEXT    NOT NULL,
	subject  TEXT    NOT NULL
);
CREATE INDEX audit_at ON audit (at);

CREATE TABLE rooms (
	room_id     TEXT    NOT NULL PRIMARY KEY,
	state_read  BOOLEAN NOT NULL,  -- the full state was read since the bot joined
	encrypted   BOOLEAN NOT NULL,  -- never goes back to false
	predecessor TEXT    NOT NULL   -- the room that was upgraded to this one
);

CREATE TABLE key_waits (
	room_id    TEXT    NOT NULL,
	session_id TEXT    NOT NULL,
	since      BIGINT  NOT NULL, -- ms
	requested  BOOLEAN NOT NULL,
	given_up   BOOLEAN NOT NULL,
	PRIMARY KEY (room_id, session_id)
);

CREATE TABLE settings (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);
