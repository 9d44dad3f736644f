-- What is open at some time, of one host. Of one that is gone there is no end.
CREATE INDEX offers_open ON offers (host_did, ends);

-- What nobody has signed goes after a while.
CREATE INDEX offers_unsigned ON offers (indexed) WHERE rev = '';
CREATE INDEX services_unsigned ON services (did) WHERE rev = '';

-- Two accounts never have one handle: of those that were thought to, all are looked up again.
UPDATE people SET handle = NULL, named = 0 WHERE handle IN
    (SELECT handle FROM people GROUP BY handle HAVING count(*) > 1);
CREATE UNIQUE INDEX people_handle ON people (handle) WHERE handle IS NOT NULL;

-- Beginnings of words of two letters and three are looked up, and not all words gone through that begin so.
DROP TABLE host_words;
CREATE VIRTUAL TABLE host_words USING fts5 (words, prefix = '2 3');
INSERT INTO host_words (rowid, words)
    SELECT id, coalesce(handle, '') || ' ' || coalesce(display_name, '') || ' ' ||
        coalesce((SELECT group_concat(note, ' ') FROM
            (SELECT note FROM offers WHERE host_did = people.did ORDER BY uri)), '')
    FROM people WHERE offered IS NOT NULL;

-- What was answered under idempotency keys is kept by actors.
DROP TABLE replies;
