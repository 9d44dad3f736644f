//! What the network answers over HTTP.

use huddle_firehose::Cid;
use huddle_lexicon::app::bsky::graph::block::Block;
use huddle_lexicon::app::bsky::graph::follow::Follow;
use huddle_lexicon::com::atproto::repo::{get_record, list_records};
use huddle_lexicon::com::atproto::sync::{get_latest_commit, get_repo_status};
use huddle_ports::header::CONTENT_TYPE;
use huddle_ports::{FetchError, HeaderMap, HeaderValue, Request, Response, StatusCode, Url};
use huddle_syntax::data::{self, Map};
use huddle_syntax::schema::{Data, Record, TextEnum};
use huddle_syntax::{AtUri, Did};
use serde_json::json;

use super::account::{Account, Hosting, link};
use super::{Network, State};

/// Records in one answer, unless fewer are asked for.
const PAGE: usize = 100;

/// What is at a URL.
fn content_type(url: &Url, status: StatusCode) -> HeaderValue {
    HeaderValue::from_static(match url.path() {
        "/xrpc/com.atproto.sync.getRepo" if status.is_success() => "application/vnd.ipld.car",
        "/.well-known/atproto-did" if status.is_success() => "text/plain",
        _ => "application/json",
    })
}

/// What is sent back: a body, or the name of an error.
type Answer = Result<Vec<u8>, &'static str>;

impl Network {
    /// Answers a request.
    pub(super) fn answer(&self, request: &Request) -> Result<Response, FetchError> {
        let url = &request.url;
        let state = self.state();
        let answer = if url.origin() == self.places.directory.origin() {
            self.document(&state, url)
        } else if url.origin() == self.places.host.origin() {
            state.xrpc(url)
        } else {
            let domain = url.host_str().unwrap_or_default();
            let of_domain = state
                .accounts
                .values()
                .find(|it| it.handle.as_str() == domain);
            match of_domain {
                Some(account) if url.path() == "/.well-known/atproto-did" => {
                    Ok(account.did.as_str().as_bytes().to_vec())
                }
                Some(_) => Err("NotFound"),
                None => return Err(FetchError::UnknownHost),
            }
        };
        let (status, body) = match answer {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => {
                let status = match error {
                    "NotFound" => StatusCode::NOT_FOUND,
                    "MethodNotImplemented" => StatusCode::NOT_IMPLEMENTED,
                    _ => StatusCode::BAD_REQUEST,
                };
                (status, json!({ "error": error }).to_string().into_bytes())
            }
        };
        if request.limits.max_response_bytes < body.len() {
            let limit = request.limits.max_response_bytes;
            return Err(FetchError::TooLarge { limit });
        }
        Ok(Response {
            status,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type(url, status))]),
            body: body.into(),
            final_url: url.clone(),
        })
    }

    /// The document of a DID, as the directory gives it out.
    fn document(&self, state: &State, url: &Url) -> Answer {
        let did = url.path().trim_start_matches('/').parse::<Did>();
        let account = did.ok().and_then(|did| state.accounts.get(&did));
        let account = account.ok_or("NotFound")?;
        let id = account.did.as_str();
        let host = self.places.host.origin().ascii_serialization();
        let document = json!({
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": id,
            "alsoKnownAs": [format!("at://{}", account.handle)],
            "verificationMethod": [{
                "id": format!("{id}#atproto"),
                "type": "Multikey",
                "controller": id,
                "publicKeyMultibase": account.key.public_key().to_multikey(),
            }],
            "service": [{
                "id": "#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": host,
            }],
        });
        Ok(document.to_string().into_bytes())
    }
}

impl State {
    fn xrpc(&self, url: &Url) -> Answer {
        match url.path().trim_start_matches("/xrpc/") {
            "com.atproto.identity.resolveHandle" => {
                let handle = parameter(url, "handle").unwrap_or_default();
                let mut accounts = self.accounts.values();
                let account = accounts.find(|account| account.handle.as_str() == handle);
                let did = account.ok_or("HandleNotFound")?.did.as_str();
                Ok(json!({ "did": did }).to_string().into_bytes())
            }
            "com.atproto.sync.getRepo" => Ok(self.hosted(url, "did")?.to_car()),
            "com.atproto.sync.getRepoStatus" => self.status(url),
            "com.atproto.sync.getLatestCommit" => {
                let account = self.hosted(url, "did")?;
                let rev = account
                    .rev()
                    .to_string()
                    .parse()
                    .map_err(|_| "InvalidRequest")?;
                json(&get_latest_commit::Output::new(cid(account.root), rev))
            }
            "com.atproto.repo.getRecord" => self.record(url),
            "com.atproto.repo.listRecords" => self.records(url),
            "app.bsky.graph.getRelationships" => self.relationships(url),
            _ => Err("MethodNotImplemented"),
        }
    }

    fn account_of(&self, url: &Url, parameter_name: &str) -> Result<&Account, &'static str> {
        let whom = parameter(url, parameter_name).ok_or("InvalidRequest")?;
        let mut accounts = self.accounts.values();
        accounts
            .find(|it| it.did.as_str() == whom || it.handle.as_str() == whom)
            .ok_or("RepoNotFound")
    }

    /// An account whose repository is given out.
    fn hosted(&self, url: &Url, parameter_name: &str) -> Result<&Account, &'static str> {
        let account = self.account_of(url, parameter_name)?;
        match account.hosting {
            Hosting::Active => Ok(account),
            Hosting::Deactivated => Err("RepoDeactivated"),
            Hosting::TakenDown => Err("RepoTakendown"),
            Hosting::Deleted => Err("RepoNotFound"),
        }
    }

    fn status(&self, url: &Url) -> Answer {
        let account = self.account_of(url, "did")?;
        let is_active = account.hosting == Hosting::Active;
        let mut output = get_repo_status::Output::new(account.did.clone(), is_active);
        let status = account.hosting.status();
        output.status = status.and_then(|status| TextEnum::from_text(status.as_str()));
        output.rev = account.rev().to_string().parse().ok().filter(|_| is_active);
        json(&output)
    }

    fn record(&self, url: &Url) -> Answer {
        let account = self.hosted(url, "repo")?;
        let path = [parameter(url, "collection"), parameter(url, "rkey")];
        let path = path.map(Option::unwrap_or_default).join("/");
        let record = account.records.get(&path).ok_or("RecordNotFound")?;
        let mut output = get_record::Output::new(uri(account, &path)?, value(record)?);
        output.cid = Some(cid(Cid::of_cbor(record)));
        json(&output)
    }

    fn records(&self, url: &Url) -> Answer {
        let account = self.hosted(url, "repo")?;
        let collection = parameter(url, "collection").ok_or("InvalidRequest")?;
        let limit = parameter(url, "limit").and_then(|limit| limit.parse().ok());
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
        let after = parameter(url, "cursor").unwrap_or_default();
        let prefix = format!("{collection}/");
        let of_collection = account.records.iter().filter_map(|(path, record)| {
            let rkey = path.strip_prefix(&prefix)?;
            Some((rkey, path, record))
        });
        let page: Vec<_> = of_collection
            .filter(|(rkey, ..)| after.as_str() < *rkey)
            .take(limit)
            .collect();
        let records = page.iter().map(|(_, path, record)| {
            let cid = cid(Cid::of_cbor(record));
            let uri = uri(account, path)?;
            Ok(list_records::Record::new(uri, cid, value(record)?))
        });
        let mut output = list_records::Output::new(records.collect::<Result<_, &str>>()?);
        let last = page.last().filter(|_| page.len() == limit);
        output.cursor = last.map(|(rkey, ..)| (*rkey).to_owned());
        json(&output)
    }

    /// How accounts stand to each other, by their own records: what an AppView of the network's answers.
    fn relationships(&self, url: &Url) -> Answer {
        let actor = self.account_of(url, "actor")?;
        let others = url.query_pairs().filter(|(name, _)| name == "others");
        let relationship = |other: &str| {
            let mut accounts = self.accounts.values();
            let Some(other) = accounts.find(|it| it.did.as_str() == other) else {
                return json!({
                    "$type": "app.bsky.graph.defs#notFoundActor",
                    "actor": other,
                    "notFound": true,
                });
            };
            let mut relationship = json!({
                "$type": "app.bsky.graph.defs#relationship",
                "did": other.did.as_str(),
            });
            for (name, from, to, collection) in [
                ("following", actor, other, Follow::NSID),
                ("followedBy", other, actor, Follow::NSID),
                ("blocking", actor, other, Block::NSID),
                ("blockedBy", other, actor, Block::NSID),
            ] {
                if let Some(uri) = about(from, collection, &to.did) {
                    relationship[name] = uri.as_str().into();
                }
            }
            relationship
        };
        let relationships: Vec<_> = others.map(|(_, other)| relationship(&other)).collect();
        let answer = json!({ "actor": actor.did.as_str(), "relationships": relationships });
        Ok(answer.to_string().into_bytes())
    }
}

/// The first record of a collection that is about somebody.
fn about(account: &Account, collection: &str, subject: &Did) -> Option<AtUri> {
    let prefix = format!("{collection}/");
    let of_collection = account
        .records
        .iter()
        .filter(|(path, _)| path.starts_with(&prefix));
    let (path, _) = of_collection
        .filter(|_| account.hosting == Hosting::Active)
        .find(|(_, record)| {
            let record = value(record).ok();
            let about = record.as_ref().and_then(|record| record.get("subject"));
            about == Some(&subject.as_str().into())
        })?;
    uri(account, path).ok()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    Some(value.into_owned())
}

fn uri(account: &Account, path: &str) -> Result<AtUri, &'static str> {
    let uri = format!("at://{}/{path}", account.did);
    uri.parse().map_err(|_| "InvalidRequest")
}

fn value(record: &[u8]) -> Result<Map, &'static str> {
    data::from_cbor(record).map_err(|_| "InvalidRequest")
}

fn cid(cid: Cid) -> huddle_syntax::Cid {
    let cid = link(cid).to_string();
    cid.parse().expect("a link is shown as its CID")
}

fn json<T: Data>(output: &T) -> Answer {
    output.to_json().map_err(|_| "InvalidRequest")
}
