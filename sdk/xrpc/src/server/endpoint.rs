//! One method of a router: from checked bytes to its handler, and from the handler's reply to bytes.

use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, header};
use huddle_identity::Caller;
use huddle_syntax::Nsid;
use huddle_syntax::schema::{Body as _, Call, Invalid, Params as _, Payload};

use super::etag::Answer;
use super::problem::Problem;
use super::{FaultCause, Reply, Request, Rest};
use crate::mime;

/// How a method is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// A query, by GET or HEAD.
    Get,
    /// A procedure, by POST.
    Post,
}

/// A call whose caller is verified and whose body is read.
pub(super) struct Incoming {
    pub(super) query: String,
    pub(super) payload: Payload,
    pub(super) caller: Option<Caller>,
    pub(super) headers: HeaderMap,
    pub(super) extensions: Extensions,
}

/// An answer, and what is to be sent after it.
type Outcome = Result<(Answer, Option<Rest>), Problem>;
type Pending = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A method and its handler. What depends on the method's types is in `answer` alone: it is compiled once for each method,
/// so it does nothing that can be done without them.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    pub(super) nsid: Nsid,
    pub(super) verb: Verb,
    /// The MIME type of the request's body, perhaps a pattern; empty for none.
    pub(super) input: &'static str,
    answer: Arc<dyn Fn(Incoming) -> Result<Pending, Problem> + Send + Sync>,
}

impl Endpoint {
    pub(super) fn new<M, H, F, R>(verb: Verb, handlers: Arc<H>, handler: F) -> Self
    where
        M: Call,
        H: Send + Sync + 'static,
        F: Fn(Arc<H>, Request<M>) -> R + Send + Sync + 'static,
        R: Future<Output = Reply<M>> + Send + 'static,
    {
        let answer = move |incoming: Incoming| -> Result<Pending, Problem> {
            let reply = handler(handlers.clone(), request::<M>(incoming)?);
            Ok(Box::pin(async { response::<M>(reply.await) }))
        };
        Self {
            name: M::NSID,
            nsid: Nsid::from_str(M::NSID)
                .unwrap_or_else(|error| panic!("a method is named {:?}: {error}", M::NSID)),
            verb,
            input: M::INPUT,
            answer: Arc::new(answer),
        }
    }

    pub(super) async fn answer(&self, incoming: Incoming) -> Outcome {
        (self.answer)(incoming)?.await
    }
}

fn request<M: Call>(incoming: Incoming) -> Result<Request<M>, Problem> {
    let params = M::Params::from_query(&incoming.query);
    let params = params.map_err(|invalid| refused("parameters", &invalid))?;
    let input = M::Input::from_payload(incoming.payload);
    let input = input.map_err(|invalid| refused("input", &invalid))?;
    Ok(Request {
        params,
        input,
        caller: incoming.caller,
        headers: incoming.headers,
        extensions: incoming.extensions,
    })
}

fn refused(part: &str, invalid: &Invalid) -> Problem {
    Problem::invalid(format!("Invalid {part}: {invalid}"))
}

fn response<M: Call>(reply: Reply<M>) -> Outcome {
    let crate::Response {
        output,
        headers,
        rest,
    } = reply?;
    let answer = output
        .to_payload(M::OUTPUT)
        .and_then(|payload| answer(M::OUTPUT, payload, headers));
    let answer = answer.map_err(|invalid| Problem::Fault(FaultCause::InvalidOutput(invalid)))?;
    Ok((answer, rest))
}

/// The answer with this body, of the type that `output` says, perhaps a pattern, and with what else a handler says.
fn answer(output: &str, payload: Payload, mut headers: HeaderMap) -> Result<Answer, Invalid> {
    // The router's own: what a handler says of them could contradict the body.
    for own in [
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(own);
    }
    if !output.is_empty() {
        let content_type = mime::content_type(output, &payload.content_type)?;
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    // What others uploaded must not become a page or a script in a browser.
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let mut answer = Answer::new(payload.bytes);
    *answer.headers_mut() = headers;
    Ok(answer)
}
