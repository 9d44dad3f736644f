-- UserConnector: the calendar accounts that a person has connected. How to reach them, and what was read from them, is
-- sealed with a key that is not in this store; `sealed_with` names that of the credentials. `revision` counts how often
-- the person has connected the account.
CREATE TABLE connector (
    actor TEXT NOT NULL,
    id TEXT NOT NULL,
    provider TEXT NOT NULL,
    access TEXT NOT NULL,
    label TEXT,
    created INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    credentials TEXT NOT NULL,
    sealed_with TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('connected', 'failing', 'disconnected')),
    problem TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    retry INTEGER,
    read_at INTEGER,
    snapshot TEXT,
    PRIMARY KEY (actor, id)
) WITHOUT ROWID;

CREATE INDEX connector_sealed_with ON connector (sealed_with, actor);

-- UserConnector: who reads the person's calendars at the moment, and until when they are left alone.
CREATE TABLE reading (
    actor TEXT NOT NULL PRIMARY KEY,
    reader TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

-- UserConnector: tickets for connecting an account that were used, until they would be refused anyway.
CREATE TABLE used_ticket (
    actor TEXT NOT NULL,
    nonce TEXT NOT NULL,
    forget INTEGER NOT NULL,
    PRIMARY KEY (actor, nonce)
) WITHOUT ROWID;

-- UserConnector: bookings that have an event in a calendar of the person, until a while after they are over.
CREATE TABLE calendar_event (
    actor TEXT NOT NULL,
    booking TEXT NOT NULL,
    connector TEXT NOT NULL,
    forget INTEGER NOT NULL,
    PRIMARY KEY (actor, booking)
) WITHOUT ROWID;
