//! What is still sealed with a key that is to be taken away.

use huddle_core::{ActorName, user_connector};

use super::{ActorStore, StoreFailed};

impl ActorStore {
    /// At most `limit` actors after the one named `after` that keep credentials under another key than `key_id`; the
    /// empty text is before the first.
    pub async fn sealed_otherwise(
        &self,
        key_id: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ActorName>, StoreFailed> {
        let (key_id, after) = (key_id.to_owned(), after.to_owned());
        let named = self
            .writer
            .run(move |sql| user_connector::sealed_otherwise(sql, &key_id, &after, limit));
        Ok(named.await?)
    }
}
