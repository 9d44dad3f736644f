-- A request that waits for something that passes was tried so often, and is tried again at `due`. One that its guest has
-- come back to, after they had asked for something else there or for nothing, is asked in another `round`; while what
-- came of the round before is still to be called off, it is `renewed`.
ALTER TABLE requests ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0 CHECK (renewed IN (0, 1));

-- Accounts that were deleted, while there may be meetings of theirs to call off: those up to this id are.
CREATE TABLE departures (
    did TEXT NOT NULL PRIMARY KEY,
    called_off TEXT NOT NULL
) WITHOUT ROWID;
