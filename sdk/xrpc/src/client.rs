//! Calling methods of other services, over any transport.

mod error;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use huddle_ports::{Fetch, FetchLimits, Url};
use huddle_syntax::schema::{
    Body, Call, Invalid, Method, Params, Payload, Problem, Procedure, Query, Subscription,
};
use huddle_syntax::{Did, ServiceRef, SyntaxError};

use crate::{Response, mime, subscription};

pub use self::error::{ClientError, ErrorResponse, InvalidResponse};

/// Calls the methods of one service.
///
/// Parameters and inputs are checked against their lexicon before anything is sent, and outputs before anything of them is
/// believed. A clone is cheap enough to be made for one call, with a token of its own.
///
/// ```
/// # use huddle_syntax::schema;
/// # #[derive(Debug)] struct Params { name: String }
/// # impl schema::Constraints for Params {}
/// # huddle_syntax::params!(Params { name: required "name" });
/// # struct Hello;
/// # impl schema::Method for Hello {
/// #     const NSID: &'static str = "com.example.hello";
/// #     type Params = Params;
/// #     type Error = std::convert::Infallible;
/// # }
/// # impl schema::Call for Hello {
/// #     type Input = ();
/// #     type Output = huddle_syntax::Value;
/// #     const OUTPUT: &'static str = "application/json";
/// # }
/// # impl schema::Query for Hello {}
/// # use std::sync::Arc;
/// # use huddle_ports::{Fetch, Url};
/// use huddle_xrpc::client::{Client, ClientError};
///
/// async fn greeting(fetch: Arc<dyn Fetch>, service: Url) -> Option<huddle_syntax::Value> {
///     let client = Client::new(fetch, service);
///     match client.query::<Hello>(&Params { name: "Ada".to_owned() }).await {
///         Ok(response) => Some(response.output),
///         Err(ClientError::Declared(refusal)) => match refusal.error {},
///         Err(_) => None,
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Client {
    fetch: Arc<dyn Fetch>,
    service: Url,
    headers: HeaderMap,
    limits: FetchLimits,
}

impl Client {
    /// A client of the service at `service`, for example `https://api.example.com`. If that has a path, `/xrpc/` comes
    /// after it.
    pub fn new(fetch: Arc<dyn Fetch>, service: Url) -> Self {
        Self {
            fetch,
            service,
            headers: HeaderMap::new(),
            limits: FetchLimits::default(),
        }
    }

    /// The same with a token that says who is calling: of a session, or of service auth for the one method that is
    /// called next.
    pub fn with_bearer(self, token: &str) -> Result<Self, InvalidHeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
        value.set_sensitive(true);
        Ok(self.with_header(header::AUTHORIZATION, value))
    }

    /// The same, and the service, which is then a personal data server, passes the calls on to the service
    /// `service_id` of `did`, in the name of who is signed in.
    ///
    /// # Panics
    ///
    /// Never: a DID and the name of a service are visible ASCII.
    pub fn with_proxy(self, did: &Did, service_id: &str) -> Result<Self, SyntaxError> {
        let service = ServiceRef::new(did.clone(), service_id)?;
        let value =
            HeaderValue::from_str(&service.to_string()).expect("letters, digits and punctuation");
        Ok(self.with_header(HeaderName::from_static("atproto-proxy"), value))
    }

    /// The same with this header in place of any of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same with other limits on time and on the size of answers.
    #[must_use]
    pub fn with_limits(mut self, limits: FetchLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Calls a query.
    pub async fn query<M: Query>(
        &self,
        params: &M::Params,
    ) -> Result<Response<M::Output>, ClientError<M::Error>> {
        let mut request = huddle_ports::Request::get(url::<M>(&self.service, params)?);
        request.headers.clone_from(&self.headers);
        self.call::<M>(request).await
    }

    /// Calls a procedure.
    pub async fn procedure<M: Procedure>(
        &self,
        params: &M::Params,
        input: &M::Input,
    ) -> Result<Response<M::Output>, ClientError<M::Error>> {
        let payload = input.to_payload(M::INPUT)?;
        let url = url::<M>(&self.service, params)?;
        let mut headers = self.headers.clone();
        if !M::INPUT.is_empty() {
            let content_type = mime::content_type(M::INPUT, &payload.content_type)?;
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        let mut request = huddle_ports::Request::post(url, payload.bytes);
        request.headers = headers;
        self.call::<M>(request).await
    }

    /// The address to open a WebSocket to, for a subscription. What comes over it is for
    /// [`subscription::decode`].
    pub fn subscription_url<M: Subscription>(&self, params: &M::Params) -> Result<Url, Invalid> {
        subscription::url::<M>(&self.service, params)
    }

    async fn call<M: Call>(
        &self,
        mut request: huddle_ports::Request,
    ) -> Result<Response<M::Output>, ClientError<M::Error>> {
        if !M::OUTPUT.is_empty() {
            let accept = HeaderValue::from_str(M::OUTPUT).map_err(|_| {
                let problem = format!("{:?} cannot be asked for", M::OUTPUT);
                Invalid::new(Problem::Malformed(problem))
            })?;
            request.headers.insert(header::ACCEPT, accept);
        }
        let response = self.fetch.fetch(request.limits(self.limits)).await?;
        if !response.status.is_success() {
            return Err(error::read(&response));
        }
        let payload = received(M::OUTPUT, &response.headers, response.body)?;
        let output = M::Output::from_payload(payload).map_err(InvalidResponse::Output)?;
        let mut answer = Response::new(output);
        answer.headers = response.headers;
        Ok(answer)
    }
}

/// The body of an answer, if it is of the type that the lexicon names; one that it does not name is not looked at.
fn received(
    expected: &'static str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Payload, InvalidResponse> {
    if expected.is_empty() {
        return Ok(Payload::default());
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .filter(|content_type| mime::matches(expected, content_type))
        .ok_or(InvalidResponse::ContentType { expected })?;
    Ok(Payload {
        content_type: content_type.to_owned(),
        bytes: body.into(),
    })
}

/// The address of a method with its parameters.
pub(crate) fn url<M: Method>(service: &Url, params: &M::Params) -> Result<Url, Invalid> {
    let query = params.to_query()?;
    let mut url = service.clone();
    url.set_path(&format!(
        "{}/xrpc/{}",
        service.path().trim_end_matches('/'),
        M::NSID
    ));
    url.set_query(Some(&*query).filter(|query| !query.is_empty()));
    url.set_fragment(None);
    Ok(url)
}

impl fmt::Debug for Client {
    /// Leaves out what headers say: it may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("service", &self.service.origin().ascii_serialization())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
