//! Serving methods on axum, on any runtime.
//!
//! A [`Router`] takes a handler for each method and becomes an `axum::Router`. Before a handler runs, everything in its
//! [`Request`] has been checked: the verb, the type and size of the body, who is calling, the parameters and the body
//! against their lexicon. What a handler returns, a [`Reply`], is checked the same way: an output that breaks its lexicon
//! does not leave the server but is a fault. Whatever goes wrong is answered as `{"error", "message"}`.
//!
//! How long a request may take is for the server around the router to say: this crate knows no timers.

mod answered;
mod authenticate;
mod body;
mod caching;
mod cors;
mod dispatch;
mod endpoint;
mod etag;
mod problem;
mod reply;
mod request;
mod rest;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use huddle_syntax::schema::{Method, Procedure, Query};

use self::caching::Caching;
use self::dispatch::{Mounted, Table};
use self::endpoint::{Endpoint, Verb};

pub use self::answered::Answered;
pub use self::authenticate::{Admitted, AuthError, Authenticate, bearer_token};
pub use self::cors::Cors;
pub use self::reply::{BoxError, Failure, Fault, FaultCause, OrFault, Refusal, Reply};
pub use self::request::Request;
pub(crate) use self::rest::Rest;
pub use huddle_identity::Caller;

/// How long a body may be, in bytes, unless a router says otherwise.
pub const DEFAULT_BODY_LIMIT: usize = 256 * 1024;

/// Methods and their handlers, which share an `H`.
///
/// ```
/// use std::sync::Arc;
/// use huddle_xrpc::server::{Reply, Request, Router};
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
///
/// struct App { greeting: String }
///
/// async fn hello(app: Arc<App>, request: Request<Hello>) -> Reply<Hello> {
///     let text = format!("{}, {}", app.greeting, request.params.name);
///     Ok(huddle_syntax::Value::String(text).into())
/// }
///
/// let app = Arc::new(App { greeting: "Hello".to_owned() });
/// let router: axum::Router = Router::new(app).query(hello).into_axum();
/// ```
pub struct Router<H> {
    handlers: Arc<H>,
    own: Vec<Endpoint>,
    merged: Vec<Mounted>,
    authenticate: Option<Arc<dyn Authenticate>>,
    on_fault: Arc<dyn Fn(&Fault) + Send + Sync>,
    body_limit: usize,
    body_limits: HashMap<&'static str, usize>,
    caching: HashMap<&'static str, Caching>,
    cors: Cors,
}

impl<H: Send + Sync + 'static> Router<H> {
    /// No methods yet.
    pub fn new(handlers: Arc<H>) -> Self {
        Self {
            handlers,
            own: Vec::new(),
            merged: Vec::new(),
            authenticate: None,
            on_fault: Arc::new(|_| {}),
            body_limit: DEFAULT_BODY_LIMIT,
            body_limits: HashMap::new(),
            caching: HashMap::new(),
            cors: Cors::default(),
        }
    }

    /// Adds a query, called by GET (and HEAD) at `/xrpc/` and its NSID.
    ///
    /// # Panics
    ///
    /// If `M::NSID` is not an NSID, which no generated method does.
    #[must_use]
    pub fn query<M, F, R>(self, handler: F) -> Self
    where
        M: Query,
        F: Fn(Arc<H>, Request<M>) -> R + Send + Sync + 'static,
        R: Future<Output = Reply<M>> + Send + 'static,
    {
        let endpoint = Endpoint::new::<M, _, _, _>(Verb::Get, self.handlers.clone(), handler);
        self.with(endpoint)
    }

    /// Adds a procedure, called by POST at `/xrpc/` and its NSID.
    ///
    /// # Panics
    ///
    /// If `M::NSID` is not an NSID, which no generated method does.
    #[must_use]
    pub fn procedure<M, F, R>(self, handler: F) -> Self
    where
        M: Procedure,
        F: Fn(Arc<H>, Request<M>) -> R + Send + Sync + 'static,
        R: Future<Output = Reply<M>> + Send + 'static,
    {
        let endpoint = Endpoint::new::<M, _, _, _>(Verb::Post, self.handlers.clone(), handler);
        self.with(endpoint)
    }

    fn with(mut self, endpoint: Endpoint) -> Self {
        self.own.push(endpoint);
        self
    }

    /// Verifies who is calling, for all methods of this router. Without this, nobody is a caller, and what
    /// `Authorization` says is not looked at.
    #[must_use]
    pub fn authenticate(mut self, authenticate: impl Authenticate) -> Self {
        self.authenticate = Some(Arc::new(authenticate));
        self
    }

    /// Calls `on_fault` once for each fault, before it is answered with a fixed text, which a panic here does not
    /// prevent. Without this, nobody hears of faults: a server should at least log them here.
    #[must_use]
    pub fn on_fault(mut self, on_fault: impl Fn(&Fault) + Send + Sync + 'static) -> Self {
        self.on_fault = Arc::new(on_fault);
        self
    }

    /// How long a body may be, in bytes, in place of [`DEFAULT_BODY_LIMIT`].
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How long the body of the method `M` may be, in bytes.
    #[must_use]
    pub fn body_limit_of<M: Method>(mut self, bytes: usize) -> Self {
        self.body_limits.insert(M::NSID, bytes);
        self
    }

    /// Gives each answer of the query `M` an `ETag` made of its bytes: who asks again with `If-None-Match` and would get
    /// the same is answered 304. The handler runs all the same; what is saved is the way to the caller.
    ///
    /// A handler that knows a cheaper tag sets the header itself, here or without this. An answer without a tag is kept
    /// nowhere: `Cache-Control: private, no-store`.
    #[must_use]
    pub fn etag_of<M: Query>(self) -> Self {
        self.cached::<M>(Caching::Revalidated)
    }

    /// Gives each answer of the query `M` an `ETag`, and lets anybody keep those to callers who did not say who they are
    /// for so many seconds: for what is everybody's to read.
    #[must_use]
    pub fn public<M: Query>(self, max_age_secs: u32) -> Self {
        self.cached::<M>(Caching::Public { max_age_secs })
    }

    fn cached<M: Query>(mut self, caching: Caching) -> Self {
        self.caching.insert(M::NSID, caching);
        self
    }

    /// Which web pages may call.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }

    /// Adds the methods of another router, which keep their handlers and settings; but which web pages may call is for
    /// this one to say. There can be only one `/xrpc/` in an application: so two sets of methods come together.
    #[must_use]
    pub fn merge<G: Send + Sync + 'static>(mut self, other: Router<G>) -> Self {
        self.merged.extend(other.mounted());
        self
    }

    /// The router as axum's: everything under `/xrpc/`, to be nested, merged, layered and served like any other.
    ///
    /// A method that is not there is answered with `MethodNotImplemented`. An exact route that the application adds, for
    /// example `/xrpc/_health`, goes first.
    ///
    /// # Panics
    ///
    /// If a method was added twice.
    pub fn into_axum(self) -> axum::Router {
        let cors = self.cors;
        let mut methods = HashMap::new();
        for method in self.mounted() {
            let name = method.endpoint.name;
            assert!(
                methods.insert(name, method).is_none(),
                "{name} was added twice"
            );
        }
        let table = Arc::new(Table { methods, cors });
        let answer = axum::routing::any(move |request: axum::extract::Request| async move {
            table.answer(request).await
        });
        axum::Router::new()
            .route("/xrpc", answer.clone())
            .route("/xrpc/", answer.clone())
            .route("/xrpc/{*nsid}", answer)
    }

    fn mounted(self) -> impl Iterator<Item = Mounted> {
        let own = self.own.into_iter().map(move |endpoint| Mounted {
            body_limit: *self
                .body_limits
                .get(endpoint.name)
                .unwrap_or(&self.body_limit),
            authenticate: self.authenticate.clone(),
            on_fault: self.on_fault.clone(),
            caching: self.caching.get(endpoint.name).copied().unwrap_or_default(),
            endpoint,
        });
        own.chain(self.merged)
    }
}

impl<H> fmt::Debug for Router<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let merged = self.merged.iter().map(|method| &method.endpoint);
        let methods: Vec<_> = self
            .own
            .iter()
            .chain(merged)
            .map(|method| method.name)
            .collect();
        f.debug_struct("Router")
            .field("methods", &methods)
            .field("body_limit", &self.body_limit)
            .field("cors", &self.cors)
            .finish_non_exhaustive()
    }
}
