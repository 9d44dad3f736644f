-- Actors that have something to do later, on a runtime that wakes each by an alarm of its own and may give an alarm
-- up: whoever is not heard of by `due` is to be reminded. An actor has a row for each time that it came here.
CREATE TABLE pending_actors (
    actor TEXT NOT NULL,
    mark INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (actor, mark)
) WITHOUT ROWID;

CREATE INDEX pending_actors_due ON pending_actors (due);
