-- The revision of the preferences that said whether somebody wants to be found: word of older ones may come later.
ALTER TABLE people ADD COLUMN listed_by INTEGER NOT NULL DEFAULT 0;
