//! Asks the hosts of accounts for records, which nobody has signed: what is to last is fetched with its signature.

use huddle_firehose::Cid;
use huddle_firehose::ingest::{Change, Outcome};
use huddle_identity::{Freshness, IdentityError};
use huddle_lexicon::com::atproto::repo::get_record::{self, GetRecord};
use huddle_lexicon::com::atproto::repo::list_records::{ListRecords, Params};
use huddle_lexicon::com::huddle::service::Service;
use huddle_ports::{FetchLimits, Url};
use huddle_syntax::data::{self, Map};
use huddle_syntax::schema::Record as _;
use huddle_syntax::{AtIdentifier, Did, Nsid};
use huddle_xrpc::client::{Client, ClientError};

use crate::Indexer;

/// So many records are asked for at once.
const PAGE: i64 = 100;

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
    /// The host of an account, to be asked within limits.
    pub(crate) async fn pds_of(&self, did: &Did, limits: FetchLimits) -> Result<Pds, HostError> {
        let identity = &self.ports.identity;
        let document = identity.resolve_did(did, Freshness::Cached).await?;
        let host: Url = document.pds().map_err(|_| HostError::NoAccount)?;
        let client = Client::new(self.ports.fetch.clone(), host).with_limits(limits);
        Ok(Pds {
            did: did.clone(),
            client,
        })
    }
}

/// The host of one account.
pub(crate) struct Pds {
    did: Did,
    client: Client,
}

/// What an account has published, as far as its host was asked.
pub(crate) struct Listed {
    pub(crate) records: Vec<Change>,
    /// Whether that is all.
    pub(crate) are_all: bool,
}

impl Pds {
    /// One record.
    pub(crate) async fn record(
        &self,
        collection: &str,
        rkey: &str,
    ) -> Result<Option<Map>, HostError> {
        let (Ok(collection), Ok(rkey)) = (collection.parse(), rkey.parse()) else {
            return Ok(None);
        };
        let params = get_record::Params::new(self.did.clone().into(), collection, rkey);
        match self.client.query::<GetRecord>(&params).await {
            Ok(response) => Ok(Some(response.output.value)),
            Err(ClientError::Declared(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The record that makes the account a host.
    pub(crate) async fn service(&self) -> Result<Option<Change>, HostError> {
        let record = self.record(Service::NSID, "self").await?;
        Ok(record.and_then(|record| {
            Some(Change {
                collection: Service::NSID.to_owned(),
                rkey: "self".to_owned(),
                record: outcome(&record)?,
            })
        }))
    }

    /// What the account has published in some collections: of each at most so many pages of 100 records.
    pub(crate) async fn list(
        &self,
        collections: &[&str],
        most_pages: u32,
    ) -> Result<Listed, HostError> {
        let mut listed = Listed {
            records: Vec::new(),
            are_all: true,
        };
        for collection in collections {
            let records = &mut listed.records;
            listed.are_all &= self.list_one(collection, most_pages, records).await?;
        }
        Ok(listed)
    }

    /// Lists a collection. Says whether that is all of it.
    async fn list_one(
        &self,
        collection: &str,
        most_pages: u32,
        listed: &mut Vec<Change>,
    ) -> Result<bool, HostError> {
        let nsid: Nsid = collection.parse().expect("our collections are NSIDs");
        let mut params = Params::new(AtIdentifier::from(self.did.clone()), nsid);
        params.limit = Some(PAGE);
        for _ in 0..most_pages {
            let page = self.client.query::<ListRecords>(&params).await?.output;
            let records = page.records.iter();
            listed.extend(records.filter_map(|record| {
                let rkey = record.uri.rkey()?;
                Some(Change {
                    collection: collection.to_owned(),
                    rkey: rkey.to_string(),
                    record: outcome(&record.value)?,
                })
            }));
            params.cursor = page.cursor;
            if params.cursor.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A record as the stream would bring it.
fn outcome(value: &Map) -> Option<Outcome> {
    let bytes = data::to_cbor(value).ok()?;
    Some(Outcome::Record {
        cid: Cid::of_cbor(&bytes),
        bytes: bytes.into(),
    })
}
