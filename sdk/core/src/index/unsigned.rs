//! What hosts were said to offer by whoever hosts them, and nobody has signed: it stands in until the repository is
//! fetched, and no longer than that can take. Its revision is empty.

use huddle_ports::Timestamp;

use super::{Statement, moment};

/// Forgets what was heard before a moment and was never vouched for since. A host of whom nothing is left is met anew
/// when somebody names them.
pub fn forget(before: Timestamp) -> [Statement; 5] {
    let of_before = |sql| Statement {
        sql,
        bindings: vec![moment(before)],
    };
    let of_all = |sql| Statement {
        sql,
        bindings: vec![],
    };
    [
        // Also of one whose commits have come since, and nothing of whose repository could be fetched.
        of_before(
            "DELETE FROM repos WHERE data IS NULL AND hosting = 'active' AND did IN \
             (SELECT s.did FROM services s JOIN people p ON p.did = s.did \
             WHERE s.rev = '' AND p.first_seen < ?1 AND NOT EXISTS \
             (SELECT 1 FROM offers o WHERE o.host_did = s.did AND o.indexed >= ?1))",
        ),
        // Somebody may have been seen long before they were met.
        of_before(
            "DELETE FROM services WHERE rev = '' \
             AND (SELECT first_seen FROM people WHERE did = services.did) < ?1 AND NOT EXISTS \
             (SELECT 1 FROM offers o WHERE o.host_did = services.did AND o.indexed >= ?1)",
        ),
        of_before("DELETE FROM offers WHERE rev = '' AND indexed < ?1"),
        // Nobody is found by what is not on offer any more.
        of_all(
            "DELETE FROM host_words WHERE rowid IN (SELECT id FROM people p \
             WHERE offered IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM offers WHERE host_did = p.did AND cid IS NOT NULL))",
        ),
        of_all(
            "UPDATE people SET offered = NULL WHERE offered IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM offers WHERE host_did = people.did AND cid IS NOT NULL)",
        ),
    ]
}
