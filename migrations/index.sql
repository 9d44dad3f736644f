-- What lists and searches read, and what the AppView has learnt from the network, as a new database has it at once; the steps
-- in index/ lead older ones here. All of it are copies that can be made anew at any time. Times are milliseconds since 1970.
-- Revisions are TIDs, which sort as texts; '' comes before all of them.

-- Bookings as their actors last told; the newest revision wins. The document is the booking whole. They have rows of their
-- own: as rows of their primary key they would be kept in its tree, where one of more than a quarter of a page is given a
-- page to itself.
CREATE TABLE bookings (
    id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    host_did TEXT NOT NULL,
    guest_did TEXT NOT NULL,
    status TEXT NOT NULL,
    starts INTEGER,
    ends INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    document TEXT NOT NULL
);

CREATE INDEX bookings_host ON bookings (host_did, created, id);
CREATE INDEX bookings_guest ON bookings (guest_did, created, id);

-- Where each host's stream goes on.
CREATE TABLE cursors (
    host TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;

-- How the repository of each account that is followed stands.
-- `rev` is the newest revision that was taken or that the account has vouched for, and `data` the root of its tree,
-- where what is held is the repository at that revision. Nothing that is older than `base` is taken: the repository was
-- fetched whole at that revision, or the account deleted after it. One that is `stale` is to be fetched.
CREATE TABLE repos (
    did TEXT NOT NULL PRIMARY KEY,
    hosting TEXT NOT NULL CHECK (hosting IN ('active', 'inactive', 'takenDown', 'deleted')),
    rev TEXT NOT NULL,
    data TEXT,
    base TEXT NOT NULL,
    stale INTEGER NOT NULL CHECK (stale IN (0, 1)),
    checked INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX repos_stale ON repos (did) WHERE stale = 1;
CREATE INDEX repos_checked ON repos (checked, did) WHERE hosting <> 'deleted';

-- Accounts that were deleted, while there may be meetings of theirs to call off: those up to the id `called_off` are. When
-- the account was deleted, when the pass over its bookings began that goes on, and when it is to be looked at again.
CREATE TABLE departures (
    did TEXT NOT NULL PRIMARY KEY,
    called_off TEXT NOT NULL,
    since INTEGER NOT NULL DEFAULT 0,
    pass INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX departures_due ON departures (due, did);

-- Everybody who came up. A handle is one that was verified; two accounts never have one. `offered` is when what they offer
-- has changed last, of those who have something on offer that may be shown; `listed` is whether they want to be found, and
-- `listed_by` the revision of their preferences that said so: word of older ones may come later. Until a while after `meets`
-- somebody meets somebody, or may: they are called something, too, whatever they offer.
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    handle TEXT,
    display_name TEXT,
    named INTEGER NOT NULL DEFAULT 0,
    first_seen INTEGER NOT NULL,
    offered INTEGER,
    listed INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1)),
    listed_by INTEGER NOT NULL DEFAULT 0,
    meets INTEGER
);

CREATE UNIQUE INDEX people_handle ON people (handle) WHERE handle IS NOT NULL;
CREATE INDEX people_offered ON people (offered, id) WHERE offered IS NOT NULL;
CREATE INDEX people_meets ON people (meets) WHERE meets IS NOT NULL;
-- Of those whose names are as old as each other, whoever meets somebody is named first.
CREATE INDEX people_named ON people (named, meets IS NULL, id) WHERE offered IS NOT NULL OR meets IS NOT NULL;

-- What hosts are found by: handle, name, and the notes of offers. The rows are those of `people`. Beginnings of words of two
-- letters and three are looked up, and not all words gone through that begin so.
CREATE VIRTUAL TABLE host_words USING fts5 (words, prefix = '2 3');

-- The AppView that each account has named; none where the record is gone. What nobody has signed goes after a while.
CREATE TABLE services (
    did TEXT NOT NULL PRIMARY KEY,
    rev TEXT NOT NULL,
    cid TEXT,
    appview TEXT
) WITHOUT ROWID;

CREATE INDEX services_unsigned ON services (did) WHERE rev = '';

-- Offers and office hours. Of one that is gone the revision stays, so that an older one does not come back; all else
-- of it is empty.
CREATE TABLE offers (
    id INTEGER PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    host_did TEXT NOT NULL,
    rev TEXT NOT NULL,
    cid TEXT,
    kind TEXT,
    starts INTEGER,
    ends INTEGER,
    policy TEXT,
    mode TEXT,
    note TEXT,
    record TEXT,
    indexed INTEGER NOT NULL
);

CREATE INDEX offers_host ON offers (host_did, indexed, id);
-- What is open at some time, of one host.
CREATE INDEX offers_open ON offers (host_did, ends);
CREATE INDEX offers_unsigned ON offers (indexed) WHERE rev = '';

-- Requests for meetings that are records. Each version of a record that asks for something else is a request of its
-- own; the version '' is a record that is gone, or that asks for nothing. One that waits for something that passes was tried
-- so often, and is tried again at `due`. One that its guest has come back to, after they had asked for something else there
-- or for nothing, is asked in another `round`; while what came of the round before is still to be called off, it is `renewed`.
CREATE TABLE requests (
    uri TEXT NOT NULL,
    version TEXT NOT NULL,
    guest_did TEXT NOT NULL,
    host_did TEXT,
    rev TEXT NOT NULL,
    record TEXT,
    first_seen INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'asked', 'ignored', 'withdrawing', 'withdrawn')),
    tries INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0,
    round INTEGER NOT NULL DEFAULT 0,
    renewed INTEGER NOT NULL DEFAULT 0 CHECK (renewed IN (0, 1)),
    PRIMARY KEY (uri, version)
) WITHOUT ROWID;

CREATE INDEX requests_guest ON requests (guest_did, first_seen);
CREATE INDEX requests_open ON requests (first_seen, uri, version) WHERE state IN ('new', 'withdrawing');

-- Actors that have something to do later, on a runtime that wakes each by an alarm of its own and may give an alarm
-- up: whoever is not heard of by `due` is to be reminded. An actor has a row for each time that it came here.
CREATE TABLE pending_actors (
    actor TEXT NOT NULL,
    mark INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (actor, mark)
) WITHOUT ROWID;

CREATE INDEX pending_actors_due ON pending_actors (due);

-- Tasks that were given up, on a runtime that hands them to a queue of the platform: as their messages had them, each
-- message once. The actor is 'unknown' where the task cannot be read.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message TEXT NOT NULL UNIQUE,
    actor TEXT NOT NULL,
    task TEXT NOT NULL,
    tries INTEGER NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
);

-- What was decided about people and is not to be seen elsewhere. The detail names nobody.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE INDEX audit_subject ON audit (subject, id);
