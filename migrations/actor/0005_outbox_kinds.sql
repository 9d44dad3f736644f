-- Tasks wait in a queue for each kind, so that none hides the others: `kind` is the word for what `task` is.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'tell';
UPDATE outbox SET kind = CASE
    WHEN task LIKE '{"Resume"%' THEN 'resume'
    WHEN task LIKE '{"Project"%' THEN 'project'
    WHEN task LIKE '{"ConfirmAddress"%' THEN 'mail'
    WHEN task LIKE '{"Effect"%"channel":"mail"%' THEN 'mail'
    WHEN task LIKE '{"Effect"%' THEN 'calendar'
    ELSE 'tell'
END;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (kind, due);
-- Dead letters, of which there are few.
CREATE INDEX outbox_dead ON outbox (id) WHERE due IS NULL;
