-- v2 -> v3: The ids under which MAS keeps tokens
CREATE TABLE token_ids (
	token TEXT NOT NULL PRIMARY KEY,
	id    TEXT NOT NULL
);
