-- Booking: the last revision that was brought to one side by one channel, and until when somebody is left alone who is
-- at it.
CREATE TABLE effect (
    actor TEXT NOT NULL,
    party TEXT NOT NULL CHECK (party IN ('host', 'guest')),
    channel TEXT NOT NULL,
    brought INTEGER NOT NULL,
    lease INTEGER,
    PRIMARY KEY (actor, party, channel)
) WITHOUT ROWID;

-- UserConnector: where mail about bookings goes, sealed. It does once the token that `mark` belongs to has come back,
-- and no mark is left; `expires` is until when that can be used.
CREATE TABLE address (
    actor TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    mark TEXT,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
