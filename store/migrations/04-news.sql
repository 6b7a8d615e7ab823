-- v3 -> v4: What was last seen of tokens, and the news that nobody has been told yet
CREATE TABLE watched (
	token     TEXT    NOT NULL PRIMARY KEY,
	completed INTEGER NOT NULL, -- registrations; -1 = not looked at yet, whatever is found is no news
	ended     BOOLEAN NOT NULL, -- it has expired, and that is told if it was never used
	reminded  BIGINT  NOT NULL  -- ms; when its maker last heard that it never ends, 0 = it ends
);
-- What happened to tokens before there was any news is known.
INSERT INTO watched (token, completed, ended, reminded) SELECT token, -1, false, 0 FROM made;

CREATE TABLE news (
	-- only: sqlite
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	-- only: postgres
	seq        BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	recipient  TEXT    NOT NULL, -- '' = the room of the admins
	token      TEXT    NOT NULL, -- '' = gone since
	body       BYTEA   NOT NULL, -- JSON
	created_at BIGINT  NOT NULL  -- ms
);
CREATE INDEX news_token ON news (token);
