-- v4 -> v5: Who invited the bot into a room that it is in
ALTER TABLE rooms ADD COLUMN inviter TEXT NOT NULL DEFAULT '';
