-- What the actors keep, as a new store has it at once; the steps in actor/ lead older ones here.
-- On a tokio process all actors share these tables, and every row says whose it is; a Durable Object has the tables for
-- itself and writes its own name. Times are milliseconds since 1970, names and documents are text. Tables of documents have
-- rows of their own: as rows of their primary key they would be kept in its tree, where one of more than a quarter of a page
-- is given a page to itself.

-- The latest moment at which an actor has written what it still keeps: its time never runs back before it.
CREATE TABLE actor (
    name TEXT NOT NULL PRIMARY KEY,
    latest INTEGER NOT NULL
) WITHOUT ROWID;

-- What an actor wants to be woken for.
CREATE TABLE timer (
    actor TEXT NOT NULL,
    name TEXT NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (actor, name)
) WITHOUT ROWID;

CREATE INDEX timer_due ON timer (due);

-- What is to be done outside the actor, written with the decision that wants it.
-- `tries` counts failures; a dead letter has no `due`. Tasks wait in a queue for each kind, so that none hides the others:
-- `kind` is the word for what `task` is.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor TEXT NOT NULL,
    task TEXT NOT NULL,
    due INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL DEFAULT 'tell'
);

CREATE INDEX outbox_due ON outbox (kind, due);
-- Dead letters, of which there are few.
CREATE INDEX outbox_dead ON outbox (id) WHERE due IS NULL;

-- HostMatch: time that a person cannot give away a second time.
-- The guard is the slot with the person's buffers; only a hold expires. Of those that a guest asked for
-- themselves (`limited`), they have only so many.
CREATE TABLE claim (
    actor TEXT NOT NULL,
    booking TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'prepared', 'booked')),
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    guard_starts INTEGER NOT NULL,
    guard_ends INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('host', 'guest')),
    counterpart TEXT NOT NULL,
    limited INTEGER NOT NULL CHECK (limited IN (0, 1)),
    due INTEGER NOT NULL,
    PRIMARY KEY (actor, booking, attempt)
) WITHOUT ROWID;

CREATE INDEX claim_guard ON claim (actor, guard_ends);

-- HostMatch: the highest attempt seen of each booking, kept longer than its claims, and whether its lapse was counted.
CREATE TABLE fence (
    actor TEXT NOT NULL,
    booking TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
    lapsed INTEGER NOT NULL DEFAULT 0 CHECK (lapsed IN (0, 1)),
    touched INTEGER NOT NULL,
    PRIMARY KEY (actor, booking)
) WITHOUT ROWID;

-- HostMatch: holds that this person, as a guest, let lapse of late.
CREATE TABLE lapse (
    actor TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    latest INTEGER NOT NULL
) WITHOUT ROWID;

-- HostMatch: meetings with each host that this person, as the guest, called off of late.
CREATE TABLE cancellation (
    actor TEXT NOT NULL,
    host TEXT NOT NULL,
    count INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    PRIMARY KEY (actor, host)
) WITHOUT ROWID;

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

-- HostMatch: people whose time is kept by days, each by an actor of its own.
CREATE TABLE sharded (
    actor TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- HostMatch: what strangers were told of this person's time, until the week is over that it is about.
CREATE TABLE disclosure (
    actor TEXT NOT NULL,
    week INTEGER NOT NULL, -- when it ends
    mark TEXT NOT NULL,
    PRIMARY KEY (actor, week, mark)
) WITHOUT ROWID;

-- HostMatch: what each stranger was told of this person's time on a day in UTC, until the day is over.
CREATE TABLE told (
    actor TEXT NOT NULL,
    guest TEXT NOT NULL,
    day INTEGER NOT NULL, -- when it ends
    mark TEXT NOT NULL,
    PRIMARY KEY (actor, guest, day, mark)
) WITHOUT ROWID;

-- Booking: the booking itself, read and written whole.
CREATE TABLE booking (
    actor TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

-- Booking: the last revision that was brought to one side by one channel, the last that was wanted brought by a channel
-- which not everybody has, and until when somebody is left alone who is at it.
CREATE TABLE effect (
    actor TEXT NOT NULL,
    party TEXT NOT NULL CHECK (party IN ('host', 'guest')),
    channel TEXT NOT NULL,
    brought INTEGER NOT NULL,
    lease INTEGER,
    wanted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (actor, party, channel)
) WITHOUT ROWID;

-- Booking, UserConnector: what was answered to requests that carry an idempotency key; no answer while one is in flight.
CREATE TABLE reply (
    actor TEXT NOT NULL,
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    lease INTEGER NOT NULL,
    answer TEXT,
    forget INTEGER NOT NULL,
    PRIMARY KEY (actor, caller, method, key)
);

-- UserConnector: how the person wants to be booked, as they wrote it, and how often they have.
CREATE TABLE preferences (
    actor TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

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

-- UserConnector: where mail about bookings goes, sealed. It does once the token that `mark` belongs to has come back,
-- and no mark is left; `expires` is until when that can be used.
CREATE TABLE address (
    actor TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    mark TEXT,
    expires INTEGER NOT NULL
) WITHOUT ROWID;

-- UserConnector: where news of the person's bookings is posted, and what it is signed with, sealed; which request has set it,
-- so that the same request, sent again, is told the same secret for as long as it stands; when a message was last taken
-- there, and when last not; how many in a row were not answered in time, and until when none is posted therefore.
CREATE TABLE webhook (
    actor TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    set_by TEXT NOT NULL DEFAULT '',
    taken INTEGER,
    failed INTEGER,
    timeouts INTEGER NOT NULL DEFAULT 0,
    paused INTEGER
) WITHOUT ROWID;

-- RateLimiter: a token bucket, in millionths of a token.
CREATE TABLE bucket (
    actor TEXT NOT NULL PRIMARY KEY,
    microtokens INTEGER NOT NULL,
    filled INTEGER NOT NULL
) WITHOUT ROWID;

-- RateLimiter: tokens of service auth that were used, until they could not be replayed any more.
CREATE TABLE nonce (
    actor TEXT NOT NULL,
    nonce TEXT NOT NULL,
    forget INTEGER NOT NULL,
    PRIMARY KEY (actor, nonce)
) WITHOUT ROWID;

CREATE INDEX nonce_forget ON nonce (actor, forget);
