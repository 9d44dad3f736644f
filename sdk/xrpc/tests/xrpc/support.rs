//! Methods as the generator would write them, a server of them, and a way to call it without a network.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use huddle_ports::{Fetch, FetchError};
use huddle_syntax::schema::{self, At as _, Invalid, Payload, check};
use huddle_syntax::{Did, Map};
use huddle_xrpc::server::{Fault, Reply, Request, Router};
use tower::ServiceExt as _;

/// `com.example.listNotes`: a query with parameters of every kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListNotes;

impl schema::Method for ListNotes {
    const NSID: &'static str = "com.example.listNotes";
    type Params = ListNotesParams;
    type Error = ListNotesError;
}

impl schema::Call for ListNotes {
    type Input = ();
    type Output = Notes;
    const OUTPUT: &'static str = "application/json";
}

impl schema::Query for ListNotes {}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListNotesParams {
    pub(crate) author: Did,
    pub(crate) limit: Option<i64>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) reverse: Option<bool>,
}

impl ListNotesParams {
    pub(crate) fn new(author: &str) -> Self {
        Self {
            author: author.parse().unwrap(),
            limit: None,
            tags: None,
            reverse: None,
        }
    }
}

impl schema::Constraints for ListNotesParams {
    fn check_fields(&self) -> Result<(), Invalid> {
        if let Some(limit) = self.limit {
            check::minimum(limit, 1).at("limit")?;
            check::maximum(limit, 100).at("limit")?;
        }
        if let Some(tags) = &self.tags {
            check::max_items(tags, 3).at("tags")?;
            for (index, tag) in tags.iter().enumerate() {
                check::max_bytes(tag, 8).at(index).at("tags")?;
            }
        }
        Ok(())
    }
}

huddle_syntax::params!(ListNotesParams {
    author: required "author",
    limit: optional "limit",
    tags: optional_list "tags",
    reverse: optional "reverse",
});

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListNotesError {
    AuthorNotFound,
}

huddle_syntax::error_names!(ListNotesError { AuthorNotFound = "AuthorNotFound" });

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) notes: Vec<Note>,
    pub(crate) extra: Map,
}

impl Notes {
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            notes: texts.into_iter().map(Note::new).collect(),
            extra: Map::new(),
        }
    }
}

impl schema::Constraints for Notes {
    fn check_fields(&self) -> Result<(), Invalid> {
        schema::Data::check(&self.notes).at("notes")
    }
}

huddle_syntax::object!(Notes = "" { notes: required "notes" } ..extra);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) extra: Map,
}

impl Note {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            extra: Map::new(),
        }
    }
}

impl schema::Constraints for Note {
    fn check_fields(&self) -> Result<(), Invalid> {
        check::max_bytes(&self.text, 40).at("text")
    }
}

huddle_syntax::object!(Note = "" { text: required "text" } ..extra);

/// `com.example.putNotes`: a procedure from JSON to JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PutNotes;

impl schema::Method for PutNotes {
    const NSID: &'static str = "com.example.putNotes";
    type Params = ();
    type Error = PutNotesError;
}

impl schema::Call for PutNotes {
    type Input = Notes;
    type Output = Notes;
    const INPUT: &'static str = "application/json";
    const OUTPUT: &'static str = "application/json";
}

impl schema::Procedure for PutNotes {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutNotesError {
    Full,
    Busy,
}

huddle_syntax::error_names!(PutNotesError { Full = "Full", Busy = "Busy" });

/// `com.example.ping`: a procedure without anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ping;

impl schema::Method for Ping {
    const NSID: &'static str = "com.example.ping";
    type Params = ();
    type Error = std::convert::Infallible;
}

impl schema::Call for Ping {
    type Input = ();
    type Output = ();
}

impl schema::Procedure for Ping {}

/// `com.example.uploadImage`: a procedure from bytes to bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadImage;

impl schema::Method for UploadImage {
    const NSID: &'static str = "com.example.uploadImage";
    type Params = ();
    type Error = std::convert::Infallible;
}

impl schema::Call for UploadImage {
    type Input = Payload;
    type Output = Payload;
    const INPUT: &'static str = "image/*";
    const OUTPUT: &'static str = "image/*";
}

impl schema::Procedure for UploadImage {}

/// A router without state.
pub(crate) fn router() -> Router<()> {
    Router::new(Arc::new(()))
}

/// A server of all methods, that answers with what it was asked.
pub(crate) fn echo() -> Router<()> {
    async fn list(_: Arc<()>, request: Request<ListNotes>) -> Reply<ListNotes> {
        let params = request.params;
        let limit = format!("limit {}", params.limit.unwrap_or(50));
        let reverse = format!("reverse {}", params.reverse.unwrap_or(false));
        let tags = params.tags.unwrap_or_default();
        let author = params.author.as_str();
        let texts = [&author[..author.len().min(40)], &limit, &reverse];
        Ok(Notes::of(texts.into_iter().chain(tags.iter().map(String::as_str))).into())
    }
    async fn put(_: Arc<()>, request: Request<PutNotes>) -> Reply<PutNotes> {
        Ok(request.input.into())
    }
    async fn upload(_: Arc<()>, request: Request<UploadImage>) -> Reply<UploadImage> {
        Ok(request.input.into())
    }
    async fn ping(_: Arc<()>, _: Request<Ping>) -> Reply<Ping> {
        Ok(().into())
    }
    router()
        .query(list)
        .procedure(put)
        .procedure(upload)
        .procedure(ping)
}

/// A request to be sent to a router.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: Method, uri: &str) -> Self {
        Self {
            method,
            uri: uri.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(uri: &str) -> Self {
        Self::new(Method::GET, uri)
    }

    pub(crate) fn post(uri: &str) -> Self {
        Self::new(Method::POST, uri)
    }

    pub(crate) fn json(uri: &str, body: &str) -> Self {
        Self::post(uri)
            .header("content-type", "application/json")
            .body(body)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        body.as_ref().clone_into(&mut self.body);
        self
    }

    pub(crate) async fn of<H: Send + Sync + 'static>(self, router: Router<H>) -> Answer {
        self.of_axum(router.into_axum()).await
    }

    pub(crate) async fn of_axum(self, router: axum::Router) -> Answer {
        let mut request = http::Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri.parse().unwrap();
        *request.headers_mut() = self.headers;
        Answer::of(router, request).await
    }
}

/// What a router answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(router: axum::Router, request: http::Request<Body>) -> Self {
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// That this is an error in the form that all have.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: u16, name: &str, message: &str) {
        let expect = serde_json::json!({ "error": name, "message": message });
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!((self.status, body), (status, expect), "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
    }

    #[track_caller]
    pub(crate) fn expect_json(&self, body: &str) {
        assert_eq!((self.status, &*self.body), (200, body));
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
    }
}

/// What [`Router::on_fault`] heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<String>>>);

impl Faults {
    pub(crate) fn of<H: Send + Sync + 'static>(&self, router: Router<H>) -> Router<H> {
        let heard = self.0.clone();
        router.on_fault(move |fault: &Fault| heard.lock().unwrap().push(fault.to_string()))
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A transport to a router in this process, which notes what it carried.
#[derive(Debug)]
pub(crate) struct InProcess {
    router: axum::Router,
    pub(crate) sent: Mutex<Vec<huddle_ports::Request>>,
}

impl InProcess {
    pub(crate) fn new(router: axum::Router) -> Self {
        Self {
            router,
            sent: Mutex::default(),
        }
    }
}

#[async_trait]
impl Fetch for InProcess {
    async fn fetch(
        &self,
        request: huddle_ports::Request,
    ) -> Result<huddle_ports::Response, FetchError> {
        self.sent.lock().unwrap().push(request.clone());
        let mut carried = http::Request::new(Body::from(request.body));
        *carried.method_mut() = request.method;
        *carried.uri_mut() = request.url.as_str().parse().unwrap();
        *carried.headers_mut() = request.headers;
        let response = self.router.clone().oneshot(carried).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let limit = request.limits.max_response_bytes;
        if body.len() > limit {
            return Err(FetchError::TooLarge { limit });
        }
        Ok(huddle_ports::Response {
            status: parts.status,
            headers: parts.headers,
            body,
            final_url: request.url,
        })
    }
}

/// A server that answers everything the same way.
pub(crate) fn canned(
    status: StatusCode,
    content_type: Option<&'static str>,
    body: &'static str,
) -> axum::Router {
    axum::Router::new().fallback(move || async move {
        let mut response = http::Response::new(Body::from(body));
        *response.status_mut() = status;
        if let Some(content_type) = content_type {
            let value = http::HeaderValue::from_static(content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    })
}
