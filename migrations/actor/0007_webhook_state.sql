-- UserConnector: which request has set the webhook, so that the same request, sent again, is told the same secret for as long
-- as it stands; when a message was last taken there, and when last not; how many in a row were not answered in time, and
-- until when none is posted therefore.
ALTER TABLE webhook ADD COLUMN set_by TEXT NOT NULL DEFAULT '';
ALTER TABLE webhook ADD COLUMN taken INTEGER;
ALTER TABLE webhook ADD COLUMN failed INTEGER;
ALTER TABLE webhook ADD COLUMN timeouts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook ADD COLUMN paused INTEGER;

-- What was answered to those requests had the secret in it, sealed, and outlived the webhook.
UPDATE reply SET answer = 'null' WHERE method = 'com.huddle.putWebhook' AND answer IS NOT NULL;

-- Whoever worked off a letter found out about apps, too. Now that is done where a booking is published: once more for each
-- whose letter still waits. What has been brought already is not brought again.
INSERT INTO outbox (actor, kind, task, due)
SELECT DISTINCT actor, 'project', json_object('Project', json_extract(task, '$.Effect.booking')), 0
FROM outbox WHERE kind = 'mail' AND due IS NOT NULL AND task LIKE '{"Effect"%';
