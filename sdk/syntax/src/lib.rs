//! AT Protocol identifiers, data model and the runtime of generated lexicon types.

mod at_identifier;
mod at_uri;
mod cid;
pub mod data;
mod datetime;
mod did;
mod handle;
mod language;
mod nsid;
mod record_key;
pub mod schema;
mod service_ref;
mod syntax_error;
mod text_type;
mod tid;
mod uri;

pub use self::at_identifier::AtIdentifier;
pub use self::at_uri::AtUri;
pub use self::cid::Cid;
pub use self::data::{Blob, Bytes, CidLink, DataError, Map, Value};
pub use self::datetime::Datetime;
pub use self::did::Did;
pub use self::handle::Handle;
pub use self::language::Language;
pub use self::nsid::Nsid;
pub use self::record_key::RecordKey;
pub use self::service_ref::ServiceRef;
pub use self::syntax_error::SyntaxError;
pub use self::tid::Tid;
pub use self::uri::Uri;
