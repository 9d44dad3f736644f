//! What a lexicon says of an XRPC method, as types.

use super::{Constraints, Data, Invalid};
use std::convert::Infallible;
use std::fmt::Debug;

/// An XRPC method: a marker type that the generator writes for each query, procedure and subscription.
pub trait Method: Send + Sync + 'static {
    /// The method's name, the last part of `/xrpc/{nsid}`.
    const NSID: &'static str;

    /// The parameters in the URL; `()` if there are none.
    type Params: Params;

    /// The errors that the lexicon declares; [`Infallible`] if there are none.
    type Error: ErrorName;
}

/// A method of one request and one answer: what queries and procedures have in common.
pub trait Call: Method {
    /// The body of the request; `()` if there is none.
    type Input: Body;

    /// The body of the answer; `()` if there is none.
    type Output: Body;

    /// The request's MIME type, perhaps a pattern; empty if there is no body.
    const INPUT: &'static str = "";

    /// The answer's MIME type, perhaps a pattern; empty if there is no body.
    const OUTPUT: &'static str = "";
}

/// A method that reads, by GET.
pub trait Query: Call<Input = ()> {}

/// A method that changes something, by POST.
pub trait Procedure: Call {}

/// An event stream over a WebSocket.
pub trait Subscription: Method {
    /// What the stream carries.
    type Message: super::Message;
}

/// The parameters of a method, in a URL's query string.
pub trait Params: Constraints + Sized + Send + Sync + Debug + 'static {
    /// Reads and checks the parameters of a query string, without its `?`; unknown names are ignored.
    fn from_query(query: &str) -> Result<Self, Invalid>;

    /// Checks the parameters and writes them as a query string, without its `?`.
    fn to_query(&self) -> Result<String, Invalid>;

    /// The parameters themselves, if they break no constraint: the last step of building them.
    fn valid(self) -> Result<Self, Invalid> {
        self.check_fields()?;
        Ok(self)
    }
}

impl Constraints for () {}

impl Params for () {
    fn from_query(_: &str) -> Result<Self, Invalid> {
        Ok(())
    }

    fn to_query(&self) -> Result<String, Invalid> {
        Ok(String::new())
    }
}

/// The declared errors of a method: closed, so that a server can answer with no other.
pub trait ErrorName: Copy + Debug + Send + Sync + 'static {
    /// The name on the wire.
    fn name(self) -> &'static str;

    /// The error of a name; `None` if the lexicon does not declare it.
    fn from_name(name: &str) -> Option<Self>;
}

impl ErrorName for Infallible {
    fn name(self) -> &'static str {
        match self {}
    }

    fn from_name(_: &str) -> Option<Self> {
        None
    }
}

/// A body of a request or an answer.
pub trait Body: Sized + Send + 'static {
    /// Checks the value and writes it; `encoding` is what the lexicon says, perhaps a pattern.
    fn to_payload(&self, encoding: &'static str) -> Result<Payload, Invalid>;

    /// Reads a body and checks it.
    fn from_payload(payload: Payload) -> Result<Self, Invalid>;
}

/// A body with its MIME type, for everything that is not JSON with a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// The MIME type; empty if there is no body.
    pub content_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// JSON with a schema.
impl<T: Data + Send + 'static> Body for T {
    fn to_payload(&self, encoding: &'static str) -> Result<Payload, Invalid> {
        Ok(Payload {
            content_type: encoding.to_owned(),
            bytes: self.to_json()?,
        })
    }

    fn from_payload(payload: Payload) -> Result<Self, Invalid> {
        Self::from_json(&payload.bytes)
    }
}

/// Any other body.
impl Body for Payload {
    fn to_payload(&self, _: &'static str) -> Result<Payload, Invalid> {
        Ok(self.clone())
    }

    fn from_payload(payload: Payload) -> Result<Self, Invalid> {
        Ok(payload)
    }
}

/// No body.
impl Body for () {
    fn to_payload(&self, _: &'static str) -> Result<Payload, Invalid> {
        Ok(Payload::default())
    }

    fn from_payload(_: Payload) -> Result<Self, Invalid> {
        Ok(())
    }
}

/// Implements the declared errors of a method.
#[macro_export]
macro_rules! error_names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $crate::schema::ErrorName for $type {
            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            fn from_name(name: &str) -> ::core::option::Option<Self> {
                match name {
                    $($name => ::core::option::Option::Some(Self::$variant),)+
                    _ => ::core::option::Option::None,
                }
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str($crate::schema::ErrorName::name(*self))
            }
        }

        impl ::core::error::Error for $type {}
    };
}
