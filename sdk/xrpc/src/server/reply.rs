//! What a handler answers with.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;
use huddle_syntax::schema::{Call, ErrorName, Invalid, Method};

use crate::{Generic, Response};

/// What the handler of a method returns: its output, or why there is none.
///
/// Errors that the lexicon of `M` declares are refusals:
///
/// ```
/// # use huddle_syntax::schema;
/// # #[derive(Clone, Copy, Debug)] enum Declared { NotFound }
/// # huddle_syntax::error_names!(Declared { NotFound = "NotFound" });
/// # #[derive(Clone, Copy, Debug)] enum OfAnother { Full }
/// # huddle_syntax::error_names!(OfAnother { Full = "Full" });
/// # struct Get;
/// # impl schema::Method for Get {
/// #     const NSID: &'static str = "com.example.get";
/// #     type Params = ();
/// #     type Error = Declared;
/// # }
/// # impl schema::Call for Get { type Input = (); type Output = (); }
/// # impl schema::Query for Get {}
/// use huddle_xrpc::server::{Failure, Reply};
///
/// fn answer() -> Reply<Get> {
///     Err(Failure::refused(Declared::NotFound, "nothing of that name"))
/// }
/// ```
///
/// Any other does not compile:
///
/// ```compile_fail,E0308
/// # use huddle_syntax::schema;
/// # #[derive(Clone, Copy, Debug)] enum Declared { NotFound }
/// # huddle_syntax::error_names!(Declared { NotFound = "NotFound" });
/// # #[derive(Clone, Copy, Debug)] enum OfAnother { Full }
/// # huddle_syntax::error_names!(OfAnother { Full = "Full" });
/// # struct Get;
/// # impl schema::Method for Get {
/// #     const NSID: &'static str = "com.example.get";
/// #     type Params = ();
/// #     type Error = Declared;
/// # }
/// # impl schema::Call for Get { type Input = (); type Output = (); }
/// # impl schema::Query for Get {}
/// use huddle_xrpc::server::{Failure, Reply};
///
/// fn answer() -> Reply<Get> {
///     Err(Failure::refused(OfAnother::Full, "no place left"))
/// }
/// ```
///
/// Neither does any other error become a fault by a mere `?`: that a failure is nobody's business but ours is said with
/// [`or_fault`](OrFault::or_fault).
pub type Reply<M> = Result<Response<<M as Call>::Output>, Failure<<M as Method>::Error>>;

/// An error that is somebody else's, of any kind.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why there is no output.
#[derive(Debug)]
pub enum Failure<E> {
    /// The caller's business: an error that the lexicon declares.
    Refused(Refusal<E>),
    /// The caller's business: an error that every method has.
    Generic(Refusal<Generic>),
    /// Ours. The caller reads `InternalServerError` with a fixed text; the detail goes to
    /// [`Router::on_fault`](super::Router::on_fault) and nowhere else.
    Fault(BoxError),
}

impl<E: ErrorName> Failure<E> {
    /// A declared error with what it says to a person.
    pub fn refused(error: E, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(Refusal::new(error, message))
    }

    /// A fault.
    pub fn fault(error: impl Into<BoxError>) -> Self {
        Self::Fault(error.into())
    }
}

/// A refusal whose message is the error's name.
impl<E: ErrorName> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::refused(error, error.name())
    }
}

impl<E: ErrorName> From<Refusal<E>> for Failure<E> {
    fn from(refusal: Refusal<E>) -> Self {
        Self::Refused(refusal)
    }
}

/// A refusal with the error's own text.
impl<E> From<Generic> for Failure<E> {
    fn from(error: Generic) -> Self {
        Self::Generic(error.into())
    }
}

impl<E> From<Refusal<Generic>> for Failure<E> {
    fn from(refusal: Refusal<Generic>) -> Self {
        Self::Generic(refusal)
    }
}

/// An error that a caller reads: declared by the lexicon, or [`Generic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<N> {
    error: N,
    message: Cow<'static, str>,
    status: StatusCode,
    retry_after_secs: Option<u64>,
}

impl<E: ErrorName> Refusal<E> {
    /// A declared error with what it says to a person. Its status is 400.
    pub fn new(error: E, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            error,
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
            retry_after_secs: None,
        }
    }

    /// The same with this status, e.g. `with_status::<404>()`. Any but a 4xx does not compile.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "every number of three digits is a status"
    )]
    pub fn with_status<const STATUS: u16>(mut self) -> Self {
        const {
            assert!(
                400 <= STATUS && STATUS < 500,
                "a refusal has a status of 4xx"
            );
        };
        self.status = StatusCode::from_u16(STATUS).expect("three digits");
        self
    }
}

impl<N: Copy> Refusal<N> {
    /// The same, and the caller may come again after this many seconds.
    #[must_use]
    pub fn with_retry_after(mut self, secs: u64) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    /// Which error.
    pub fn error(&self) -> N {
        self.error
    }

    /// What it says to a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn into_message(self) -> Cow<'static, str> {
        self.message
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// After how many seconds the caller may come again.
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.retry_after_secs
    }
}

impl Generic {
    /// The error with what it says to a person. Of [`InternalServerError`](Self::InternalServerError) the caller does
    /// not read it: it is then the detail of a fault.
    pub fn because(self, message: impl Into<Cow<'static, str>>) -> Refusal<Self> {
        Refusal {
            error: self,
            message: message.into(),
            status: self.status(),
            retry_after_secs: None,
        }
    }
}

impl From<Generic> for Refusal<Generic> {
    fn from(error: Generic) -> Self {
        error.because(error.text())
    }
}

/// Makes the error of a `Result` a fault.
pub trait OrFault<T> {
    /// The value; or a [`Failure::Fault`], to be handed up with `?`.
    fn or_fault<E>(self) -> Result<T, Failure<E>>;
}

impl<T, X: Into<BoxError>> OrFault<T> for Result<T, X> {
    fn or_fault<E>(self) -> Result<T, Failure<E>> {
        self.map_err(|error| Failure::Fault(error.into()))
    }
}

/// A failure that is ours, as [`Router::on_fault`](super::Router::on_fault) hears of it.
#[derive(Debug)]
pub struct Fault {
    /// The method that failed.
    pub nsid: &'static str,
    /// What failed. May hold what callers must not read.
    pub cause: FaultCause,
}

/// What a fault comes from.
#[derive(Debug)]
#[non_exhaustive]
pub enum FaultCause {
    /// The handler, or the authentication, says so.
    Error(BoxError),
    /// The output of the handler breaks its lexicon.
    InvalidOutput(Invalid),
    /// The handler panicked with this message.
    Panic(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.nsid)?;
        match &self.cause {
            FaultCause::Error(error) => error.fmt(f),
            FaultCause::InvalidOutput(invalid) => write!(f, "invalid output: {invalid}"),
            FaultCause::Panic(message) => write!(f, "panic: {message}"),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            FaultCause::Error(error) => Some(&**error),
            FaultCause::InvalidOutput(invalid) => Some(invalid),
            FaultCause::Panic(_) => None,
        }
    }
}
