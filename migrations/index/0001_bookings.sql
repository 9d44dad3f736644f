-- What lists and searches read: copies that can be made anew at any time. Times are milliseconds since 1970.

-- Bookings as their actors last told; the newest revision wins. The document is the booking whole.
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
) WITHOUT ROWID;

CREATE INDEX bookings_host ON bookings (host_did, created, id);
CREATE INDEX bookings_guest ON bookings (guest_did, created, id);
