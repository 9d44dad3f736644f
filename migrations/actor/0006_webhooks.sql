-- UserConnector: where news of the person's bookings is posted, and what it is signed with, sealed.
CREATE TABLE webhook (
    actor TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
) WITHOUT ROWID;

-- Booking: the last revision that was wanted brought by a channel which not everybody has.
ALTER TABLE effect ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;
