-- Somebody who meets somebody, or may, is called something too: until a while after this moment it is kept up, whatever
-- they offer.
ALTER TABLE people ADD COLUMN meets INTEGER;
INSERT INTO people (did, first_seen, meets)
    SELECT did, min(created), max(until) FROM (
        SELECT host_did AS did, created, coalesce(ends, updated) AS until FROM bookings
        UNION ALL SELECT guest_did, created, coalesce(ends, updated) FROM bookings)
    WHERE did NOT IN (SELECT did FROM repos WHERE hosting = 'deleted') GROUP BY did
    ON CONFLICT (did) DO UPDATE SET meets = excluded.meets;
CREATE INDEX people_meets ON people (meets) WHERE meets IS NOT NULL;

-- Of those whose names are as old as each other, whoever meets somebody is named first.
DROP INDEX people_named;
CREATE INDEX people_named ON people (named, meets IS NULL, id) WHERE offered IS NOT NULL OR meets IS NOT NULL;

-- When an account was deleted, when the pass over its bookings began that goes on, and when it is to be looked at again.
ALTER TABLE departures ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE departures ADD COLUMN pass INTEGER NOT NULL DEFAULT 0;
ALTER TABLE departures ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
CREATE INDEX departures_due ON departures (due, did);
