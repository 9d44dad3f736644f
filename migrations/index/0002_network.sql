-- What the AppView has learnt from the network: copies of public records. Times are milliseconds since 1970.
-- Revisions are TIDs, which sort as texts; '' comes before all of them.

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

-- Everybody who came up. A handle is one that was verified. `offered` is when what they offer has changed last, of
-- those who have something on offer that may be shown; `listed` is whether they want to be found.
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    handle TEXT,
    display_name TEXT,
    named INTEGER NOT NULL DEFAULT 0,
    first_seen INTEGER NOT NULL,
    offered INTEGER,
    listed INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1))
);

CREATE INDEX people_offered ON people (offered, id) WHERE offered IS NOT NULL;
CREATE INDEX people_named ON people (named, id) WHERE offered IS NOT NULL;

-- What hosts are found by: handle, name, and the notes of offers. The rows are those of `people`.
CREATE VIRTUAL TABLE host_words USING fts5 (words);

-- The AppView that each account has named; none where the record is gone.
CREATE TABLE services (
    did TEXT NOT NULL PRIMARY KEY,
    rev TEXT NOT NULL,
    cid TEXT,
    appview TEXT
) WITHOUT ROWID;

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

-- Requests for meetings that are records. Each version of a record that asks for something else is a request of its
-- own; the version '' is a record that is gone, or that asks for nothing.
CREATE TABLE requests (
    uri TEXT NOT NULL,
    version TEXT NOT NULL,
    guest_did TEXT NOT NULL,
    host_did TEXT,
    rev TEXT NOT NULL,
    record TEXT,
    first_seen INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'asked', 'ignored', 'withdrawing', 'withdrawn')),
    PRIMARY KEY (uri, version)
) WITHOUT ROWID;

CREATE INDEX requests_guest ON requests (guest_did, first_seen);
CREATE INDEX requests_open ON requests (first_seen, uri, version) WHERE state IN ('new', 'withdrawing');

-- What was decided about people and is not to be seen elsewhere. The detail names nobody.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE INDEX audit_subject ON audit (subject, id);
