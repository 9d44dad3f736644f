-- What was answered to requests that carry an idempotency key and that no actor remembers; no answer while one is in
-- flight. Times are milliseconds since 1970.
CREATE TABLE replies (
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    lease INTEGER NOT NULL,
    answer TEXT,
    forget INTEGER NOT NULL,
    PRIMARY KEY (caller, method, key)
) WITHOUT ROWID;

CREATE INDEX replies_forget ON replies (forget);
