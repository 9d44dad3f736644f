//! What a handler is called with.

use std::fmt;

use http::{Extensions, HeaderMap};
use huddle_identity::Caller;
use huddle_syntax::schema::Call;

use super::Refusal;
use crate::Generic;

/// A call of the method `M`; everything in it has been checked against the lexicon.
#[non_exhaustive]
pub struct Request<M: Call> {
    /// The parameters of the URL.
    pub params: M::Params,
    /// The body; `()` for a query.
    pub input: M::Input,
    /// Who is calling, if the call says so. What it says has been verified.
    pub caller: Option<Caller>,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// What layers around the router know of the request, e.g. the address that it came from.
    pub extensions: Extensions,
}

impl<M: Call> Request<M> {
    /// An anonymous call without headers: for tests of handlers.
    pub fn new(params: M::Params, input: M::Input) -> Self {
        Self {
            params,
            input,
            caller: None,
            headers: HeaderMap::new(),
            extensions: Extensions::new(),
        }
    }

    /// Who is calling; without anybody, `AuthenticationRequired` for a handler to return with `?`.
    pub fn caller(&self) -> Result<&Caller, Refusal<Generic>> {
        self.caller
            .as_ref()
            .ok_or_else(|| Generic::AuthenticationRequired.into())
    }
}

impl<M: Call> fmt::Debug for Request<M> {
    /// Leaves out what may be secret: parameters, the body, what headers say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &M::NSID)
            .field(
                "caller",
                &self.caller.as_ref().map(|caller| caller.did.as_str()),
            )
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
