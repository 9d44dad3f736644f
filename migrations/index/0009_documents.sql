-- Bookings have rows of their own now. As rows of their primary key they were kept in its tree, where one of more than a
-- quarter of a page is given a page to itself.
CREATE TABLE booking_documents (
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
INSERT INTO booking_documents
    (id, revision, host_did, guest_did, status, starts, ends, created, updated, document)
    SELECT id, revision, host_did, guest_did, status, starts, ends, created, updated, document FROM bookings;
DROP TABLE bookings;
ALTER TABLE booking_documents RENAME TO bookings;
CREATE INDEX bookings_host ON bookings (host_did, created, id);
CREATE INDEX bookings_guest ON bookings (guest_did, created, id);
