-- Tables of documents have rows of their own now. As rows of their primary key they were kept in its tree, where one of more
-- than a quarter of a page is given a page to itself.
CREATE TABLE booking_documents (
    actor TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);
INSERT INTO booking_documents (actor, document) SELECT actor, document FROM booking;
DROP TABLE booking;
ALTER TABLE booking_documents RENAME TO booking;

CREATE TABLE reply_documents (
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
INSERT INTO reply_documents (actor, caller, method, key, body_hash, lease, answer, forget)
    SELECT actor, caller, method, key, body_hash, lease, answer, forget FROM reply;
DROP TABLE reply;
ALTER TABLE reply_documents RENAME TO reply;
