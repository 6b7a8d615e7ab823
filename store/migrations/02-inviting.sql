-- v1 -> v2: Notes on tokens, people's own settings, and who registered with which token
ALTER TABLE made ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
ALTER TABLE made ADD COLUMN note TEXT NOT NULL DEFAULT '';

ALTER TABLE questions ADD COLUMN words BYTEA NOT NULL DEFAULT '[]'; -- JSON list

CREATE TABLE people (
	user_id  TEXT    NOT NULL PRIMARY KEY,
	language TEXT    NOT NULL, -- '' = the one of the config
	notify   BOOLEAN NOT NULL  -- wants news about the tokens that they made
);

CREATE TABLE newcomers (
	token   TEXT    NOT NULL,
	user_id TEXT    NOT NULL,
	at      BIGINT  NOT NULL, -- ms
	certain BOOLEAN NOT NULL, -- false: the server does not say it, the times fit
	PRIMARY KEY (token, user_id)
);

CREATE INDEX plans_created ON plans (created_at);
