-- HostMatch: hosts whose yes this person waits for, as a guest: of such requests they may have only so many.
-- `due` is when a host's time to answer is over. What was asked by the same record is one request.
CREATE TABLE petition (
    actor TEXT NOT NULL,
    booking TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    host TEXT NOT NULL,
    request TEXT,
    due INTEGER NOT NULL,
    PRIMARY KEY (actor, booking)
) WITHOUT ROWID;

-- HostMatch: meetings with each host that this person, as the guest, called off of late.
CREATE TABLE cancellation (
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    count INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    PRIMARY KEY (actor, host)
) WITHOUT ROWID;

-- HostMatch: what each stranger was told of this person's time on a day in UTC, until the day is over.
CREATE TABLE told (
    actor TEXT NOT NULL,
    guest TEXT NOT NULL,
    day INTEGER NOT NULL, -- when it ends
    mark TEXT NOT NULL,
    PRIMARY KEY (actor, guest, day, mark)
) WITHOUT ROWID;
