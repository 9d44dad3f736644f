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
