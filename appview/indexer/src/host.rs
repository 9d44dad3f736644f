//! Asks the hosts of accounts for records, which nobody has signed: what is to last is fetched with its signature.

use huddle_firehose::Cid;
use huddle_firehose::ingest::{Change, Outcome};
use huddle_identity::{Freshness, IdentityError};
use huddle_lexicon::com::atproto::repo::get_record::{self, GetRecord};
use huddle_lexicon::com::atproto::repo::list_records::{ListRecords, Params};
use huddle_ports::Url;
use huddle_syntax::data::{self, Map};
use huddle_syntax::{AtIdentifier, Did, Nsid};
use huddle_xrpc::client::{Client, ClientError};

use crate::Indexer;
use crate::records::OF_HOSTS;

/// So many records are asked for at once.
const PAGE: i64 = 100;
/// And so often: of more, the rest is had with the whole repository.
const MOST_PAGES: u32 = 5;

/// Why a host has told nothing of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// There is no such account, or none that is hosted.
    #[error("there is no such account, or its host gives nothing out")]
    NoAccount,
    /// It could not be asked now.
    #[error("the account's host could not be asked")]
    Unavailable,
}

impl From<IdentityError> for HostError {
    fn from(error: IdentityError) -> Self {
        if error.is_retryable() {
            Self::Unavailable
        } else {
            Self::NoAccount
        }
    }
}

impl<E> From<ClientError<E>> for HostError {
    fn from(error: ClientError<E>) -> Self {
        // A host that answers in another way than it should is as good as none.
        if error.is_retryable() {
            Self::Unavailable
        } else {
            Self::NoAccount
        }
    }
}

impl Indexer {
    /// What makes an account a host, as its own host tells it: in each collection at most 500 records.
    pub(crate) async fn published(&self, did: &Did) -> Result<Vec<Change>, HostError> {
        let client = self.client_of(did).await?;
        let mut published = Vec::new();
        for collection in OF_HOSTS {
            list(&client, did, collection, &mut published).await?;
        }
        Ok(published)
    }

    /// One record of an account, as its host tells it.
    pub(crate) async fn record(
        &self,
        did: &Did,
        collection: &str,
        rkey: &str,
    ) -> Result<Option<Map>, HostError> {
        let client = self.client_of(did).await?;
        let (Ok(collection), Ok(rkey)) = (collection.parse(), rkey.parse()) else {
            return Ok(None);
        };
        let params = get_record::Params::new(did.clone().into(), collection, rkey);
        match client.query::<GetRecord>(&params).await {
            Ok(response) => Ok(Some(response.output.value)),
            Err(ClientError::Declared(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn client_of(&self, did: &Did) -> Result<Client, HostError> {
        let identity = &self.ports.identity;
        let document = identity.resolve_did(did, Freshness::Cached).await?;
        let host: Url = document.pds().map_err(|_| HostError::NoAccount)?;
        Ok(Client::new(self.ports.fetch.clone(), host))
    }
}

async fn list(
    client: &Client,
    did: &Did,
    collection: &str,
    published: &mut Vec<Change>,
) -> Result<(), HostError> {
    let nsid: Nsid = collection.parse().expect("our collections are NSIDs");
    let mut params = Params::new(AtIdentifier::from(did.clone()), nsid);
    params.limit = Some(PAGE);
    for _ in 0..MOST_PAGES {
        let page = client.query::<ListRecords>(&params).await?.output;
        let records = page.records.iter();
        published.extend(records.filter_map(|record| {
            let rkey = record.uri.rkey()?;
            Some(Change {
                collection: collection.to_owned(),
                rkey: rkey.to_string(),
                record: outcome(&record.value)?,
            })
        }));
        params.cursor = page.cursor;
        if params.cursor.is_none() {
            break;
        }
    }
    Ok(())
}

/// A record as the stream would bring it.
fn outcome(value: &Map) -> Option<Outcome> {
    let bytes = data::to_cbor(value).ok()?;
    Some(Outcome::Record {
        cid: Cid::of_cbor(&bytes),
        bytes: bytes.into(),
    })
}
