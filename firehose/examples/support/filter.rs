//! What is of interest where filtering is measured.

use huddle_firehose::Filter;

/// The collections.
pub(crate) const PREFIX: &str = "com.huddle.";
/// How many accounts are followed beside them, none of which is in any file: the DID of every commit is looked for among
/// them, in vain.
const ACCOUNTS: usize = 5_000;

/// Wants some collections, and all that comes of some thousand accounts, as an indexer of those collections does.
pub(crate) fn filter() -> Filter {
    let mut filter = Filter::new([PREFIX]);
    for number in 0..ACCOUNTS {
        // No DID has a zero: they are in base32.
        filter.add_account(&format!("did:plc:{number:024}"));
    }
    filter
}
