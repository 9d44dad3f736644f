//! DID documents: which keys speak for an account, where it lives, and what it calls itself.

use huddle_ports::Url;
use huddle_syntax::{Did, Handle};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::crypto::{Curve, KeyError, PublicKey};

/// A DID document (<https://atproto.com/specs/did#did-documents>), the parts of it that the
/// protocol uses.
///
/// What the protocol does not know is passed over: other members, and entries of the lists in forms
/// it does not use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DidDocument {
    id: Did,
    also_known_as: Vec<String>,
    verification_method: Vec<VerificationMethod>,
    service: Vec<Service>,
}

/// One key of a [`DidDocument`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationMethod {
    /// The name of the key: `did:…#atproto`, or `#atproto` alone.
    pub id: String,
    /// The form that the key is in, for example `Multikey`.
    #[serde(
        rename = "type",
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// Whose key it is. Only those of the document's own DID count.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub controller: Option<String>,
    /// The key in that form, where the form is multibase.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub public_key_multibase: Option<String>,
}

/// One service of a [`DidDocument`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The name of the service: `did:…#atproto_pds`, or `#atproto_pds` alone.
    pub id: String,
    /// What kind of service it is, for example `AtprotoPersonalDataServer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is reached, as the document says it: not checked in any way.
    pub service_endpoint: String,
}

/// What is wrong with a DID document, or missing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum DocumentError {
    /// More than [`DidDocument::MAX_BYTES`].
    #[error("the DID document is too long")]
    TooLong,
    /// Not a JSON object with an `id`.
    #[error("not a DID document")]
    NotADocument,
    /// The document of somebody else.
    #[error("the document is of another DID")]
    OtherDid,
    /// No key of that name.
    #[error("the DID document has no such key")]
    NoKey,
    /// The key of that name cannot be read.
    #[error("the DID document has an unreadable key")]
    BadKey,
    /// No service of that name and kind.
    #[error("the DID document has no such service")]
    NoService,
    /// The service of that name is not reached by a bare `https` origin.
    #[error("the DID document has a service without a proper endpoint")]
    BadEndpoint,
}

impl From<KeyError> for DocumentError {
    fn from(_: KeyError) -> Self {
        Self::BadKey
    }
}

impl DidDocument {
    /// The longest document that is read. Those in use take some hundred bytes; what the directory
    /// takes in an operation makes a document of about ten thousand.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Reads the document of `did`.
    ///
    /// ```
    /// use huddle_identity::DidDocument;
    ///
    /// let did = "did:web:example.com".parse()?;
    /// let json = br##"{
    ///     "id": "did:web:example.com",
    ///     "alsoKnownAs": ["at://alice.example.com"],
    ///     "service": [{
    ///         "id": "#atproto_pds",
    ///         "type": "AtprotoPersonalDataServer",
    ///         "serviceEndpoint": "https://pds.example.com"
    ///     }]
    /// }"##;
    /// let document = DidDocument::from_json(&did, json)?;
    /// assert_eq!(document.handle(), Some("alice.example.com".parse()?));
    /// assert_eq!(document.pds()?.as_str(), "https://pds.example.com/");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_json(did: &Did, json: &[u8]) -> Result<Self, DocumentError> {
        if json.len() > Self::MAX_BYTES {
            return Err(DocumentError::TooLong);
        }
        let document: Self =
            serde_json::from_slice(json).map_err(|_| DocumentError::NotADocument)?;
        if document.id == *did {
            Ok(document)
        } else {
            Err(DocumentError::OtherDid)
        }
    }

    /// The DID that the document describes.
    pub fn id(&self) -> &Did {
        &self.id
    }

    /// The names that the document claims, as URIs.
    pub fn also_known_as(&self) -> &[String] {
        &self.also_known_as
    }

    /// The keys.
    pub fn verification_methods(&self) -> &[VerificationMethod] {
        &self.verification_method
    }

    /// The services.
    pub fn services(&self) -> &[Service] {
        &self.service
    }

    /// The handle that the document claims: that of the first URI that is `at://` and a handle. The
    /// others are no claims (<https://atproto.com/specs/did#did-documents>). A claim only, until the
    /// handle resolves to this DID.
    pub fn handle(&self) -> Option<Handle> {
        self.also_known_as
            .iter()
            .find_map(|uri| uri.strip_prefix("at://")?.parse().ok())
    }

    /// The key of this name, for example `atproto_label`: the first that this DID controls. One
    /// that cannot be read does not give way to a second, which other readers would not look at.
    pub fn key(&self, name: &str) -> Result<PublicKey, DocumentError> {
        let is_others = |method: &VerificationMethod| {
            let controller = method.controller.as_deref();
            controller.is_some_and(|controller| controller != self.id.as_str())
        };
        let method = self
            .verification_method
            .iter()
            .find(|method| self.names(&method.id, name) && !is_others(method))
            .ok_or(DocumentError::NoKey)?;
        let (Some(kind), Some(_), Some(text)) = (
            method.kind.as_deref(),
            method.controller.as_deref(),
            method.public_key_multibase.as_deref(),
        ) else {
            return Err(DocumentError::BadKey);
        };
        let key = match kind {
            "Multikey" => PublicKey::from_multikey(text),
            "EcdsaSecp256r1VerificationKey2019" => {
                PublicKey::from_legacy_multibase(Curve::P256, text)
            }
            "EcdsaSecp256k1VerificationKey2019" => {
                PublicKey::from_legacy_multibase(Curve::K256, text)
            }
            _ => return Err(DocumentError::BadKey),
        };
        Ok(key?)
    }

    /// The key that signs for the account, `#atproto`.
    pub fn signing_key(&self) -> Result<PublicKey, DocumentError> {
        self.key("atproto")
    }

    /// Where the service of this name and kind is reached: an `https` (or `http`) origin without a
    /// path.
    ///
    /// Whether it may be asked is for the `FetchPolicy` to say, as of any URL that somebody else
    /// wrote.
    pub fn endpoint(&self, name: &str, kind: &str) -> Result<Url, DocumentError> {
        let service = self
            .service
            .iter()
            .find(|service| self.names(&service.id, name) && service.kind == kind)
            .ok_or(DocumentError::NoService)?;
        Url::parse(&service.service_endpoint)
            .ok()
            .filter(is_origin)
            .ok_or(DocumentError::BadEndpoint)
    }

    /// Where the account's Personal Data Server is reached, `#atproto_pds`.
    pub fn pds(&self) -> Result<Url, DocumentError> {
        self.endpoint("atproto_pds", "AtprotoPersonalDataServer")
    }

    /// Whether `id` is `#name` of this document, absolute or relative.
    fn names(&self, id: &str, name: &str) -> bool {
        id.strip_prefix(self.id.as_str())
            .unwrap_or(id)
            .strip_prefix('#')
            == Some(name)
    }
}

/// Whether `url` is a scheme, a host and perhaps a port: what a path or a query would be added to.
fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
}

impl<'de> Deserialize<'de> for DidDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Document {
            id: Did,
            #[serde(default)]
            also_known_as: Value,
            #[serde(default)]
            verification_method: Value,
            #[serde(default)]
            service: Value,
        }

        let document = Document::deserialize(deserializer)?;
        Ok(Self {
            id: document.id,
            also_known_as: readable(document.also_known_as),
            verification_method: readable(document.verification_method),
            service: readable(document.service),
        })
    }
}

/// A member that is text. One that is something else is as good as none: what it belongs to counts
/// as there, and as not readable.
fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// The entries of a list that have the form which the protocol uses, in their order.
fn readable<T: for<'de> Deserialize<'de>>(list: Value) -> Vec<T> {
    let Value::Array(list) = list else {
        return Vec::new();
    };
    list.into_iter()
        .filter_map(|entry| T::deserialize(entry).ok())
        .collect()
}
