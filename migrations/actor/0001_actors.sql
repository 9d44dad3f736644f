-- What the actors keep. On a tokio process all of them share these tables, and every row says whose it is;
-- a Durable Object has the tables for itself and writes its own name.
-- Times are milliseconds since 1970, names and documents are text.

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
-- `tries` counts failures; a dead letter has no `due`.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor TEXT NOT NULL,
    task TEXT NOT NULL,
    due INTEGER,
    tries INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX outbox_due ON outbox (due);

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

-- Booking: the booking itself, read and written whole.
CREATE TABLE booking (
    actor TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
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
) WITHOUT ROWID;

-- UserConnector: how the person wants to be booked, as they wrote it, and how often they have.
CREATE TABLE preferences (
    actor TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    revision INTEGER NOT NULL
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
