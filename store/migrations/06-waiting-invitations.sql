-- v5 -> v6: Find the invitations of one person that wait
CREATE INDEX inbox_invitations ON inbox (sender, seq) WHERE state = 'open' AND state_key IS NOT NULL;
