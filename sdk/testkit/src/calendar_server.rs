//! A stand-in for a CalDAV server (RFC 4791): accounts with one calendar each, in memory.
//!
//! It speaks what programs need that find a calendar, read a stretch of it, follow its changes and keep events in it:
//! PROPFIND, `calendar-query` by time, `sync-collection`, and changes by `ETag`. Whatever else is asked, it refuses as the
//! protocol says. So whoever connects calendars can be tried out and tested without a server of somebody's.

mod calendar;
mod properties;
mod question;
mod reports;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use data_encoding::BASE64;
use huddle_ports::{
    Fetch, FetchError, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Url,
    header,
};

use calendar::Calendar;
use question::Question;

/// A server of calendars in memory.
pub struct CalendarServer {
    place: Url,
    accounts: Mutex<Vec<Account>>,
}

struct Account {
    user: String,
    password: String,
    calendar: Calendar,
}

/// Why a person's calendar is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarServerError {
    /// Nobody of that name has an account.
    #[error("there is no account of that name")]
    UnknownUser,
    /// The text is no calendar with events of one UID.
    #[error("the text is no calendar with events of one UID")]
    NotAnEvent,
}

impl CalendarServer {
    /// A server of nobody, at this place, such as `https://calendars.test`.
    pub fn new(place: Url) -> Self {
        Self {
            place,
            accounts: Mutex::default(),
        }
    }

    /// Where it is found: what a person gives to whoever connects their calendar.
    pub fn place(&self) -> &Url {
        &self.place
    }

    /// A new account, with an empty calendar.
    pub fn open(&self, user: &str, password: &str) {
        self.accounts().push(Account {
            user: user.to_owned(),
            password: password.to_owned(),
            calendar: Calendar::default(),
        });
    }

    /// Has a person's own program write an event, or another version of it.
    pub fn write(&self, user: &str, name: &str, text: &str) -> Result<(), CalendarServerError> {
        let mut accounts = self.accounts();
        let account = accounts.iter_mut().find(|account| account.user == user);
        let account = account.ok_or(CalendarServerError::UnknownUser)?;
        if calendar::uid(text).is_none() {
            return Err(CalendarServerError::NotAnEvent);
        }
        account.calendar.write(name, text.to_owned());
        Ok(())
    }

    /// The events of a person, each as the iCalendar text that was written; none of whom it does not know.
    pub fn events(&self, user: &str) -> Vec<String> {
        let accounts = self.accounts();
        let account = accounts.iter().find(|account| account.user == user);
        let events = account.into_iter().flat_map(|it| it.calendar.events());
        events.map(|(_, event)| event.text.clone()).collect()
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut accounts = self.accounts();
        let mut numbered = accounts.iter_mut().enumerate();
        let Some((number, account)) = numbered.find(|(_, it)| it.is_shown_in(&request.headers))
        else {
            let realm = HeaderValue::from_static("Basic realm=\"Calendars\"");
            return Answer::of(StatusCode::UNAUTHORIZED).with(header::WWW_AUTHENTICATE, realm);
        };
        let paths = Paths(number);
        let Some(resource) = paths.resource(request.url.path()) else {
            return Answer::of(StatusCode::NOT_FOUND);
        };
        let calendar = &mut account.calendar;
        let asked = || Question::read(&request.body);
        match (request.method.as_str(), resource) {
            ("PROPFIND", _) => match asked() {
                Some(question) => {
                    properties::answer(paths, calendar, resource, &question, &request.headers)
                }
                None => Answer::of(StatusCode::BAD_REQUEST),
            },
            ("REPORT", Resource::Calendar) => match asked() {
                Some(question) => reports::answer(paths, calendar, &question),
                None => Answer::of(StatusCode::BAD_REQUEST),
            },
            ("GET", Resource::Event(name)) => calendar.get(name),
            ("PUT", Resource::Event(name)) => calendar.put(name, &request.headers, &request.body),
            ("DELETE", Resource::Event(name)) => calendar.delete(name, &request.headers),
            _ => Answer::of(StatusCode::METHOD_NOT_ALLOWED),
        }
    }
}

impl Account {
    /// Whether whoever asks is its owner (RFC 7617).
    fn is_shown_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION);
        let shown = shown.and_then(|shown| shown.to_str().ok()?.strip_prefix("Basic "));
        let expected = BASE64.encode(format!("{}:{}", self.user, self.password).as_bytes());
        shown == Some(&*expected)
    }
}

/// What there is at a path, for whoever has an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resource<'p> {
    /// Where somebody begins who knows the server alone.
    Root,
    /// Who one is.
    Principal,
    /// Where one's calendars are.
    Home,
    Calendar,
    Event(&'p str),
}

/// The paths of the account of this number.
#[derive(Clone, Copy)]
struct Paths(usize);

impl Paths {
    fn principal(self) -> String {
        format!("/{}/", self.0)
    }

    fn home(self) -> String {
        format!("/{}/calendars/", self.0)
    }

    fn calendar(self) -> String {
        format!("/{}/calendars/main/", self.0)
    }

    fn event(self, name: &str) -> String {
        self.calendar() + name
    }

    fn of(self, resource: Resource<'_>) -> String {
        match resource {
            Resource::Root => "/".to_owned(),
            Resource::Principal => self.principal(),
            Resource::Home => self.home(),
            Resource::Calendar => self.calendar(),
            Resource::Event(name) => self.event(name),
        }
    }

    fn resource(self, path: &str) -> Option<Resource<'_>> {
        let fixed = [Resource::Principal, Resource::Home, Resource::Calendar];
        if matches!(path, "/" | "/.well-known/caldav") {
            return Some(Resource::Root);
        }
        if let Some(found) = fixed.into_iter().find(|it| self.of(*it) == path) {
            return Some(found);
        }
        let name = path.strip_prefix(&*self.calendar())?;
        (!name.contains('/')).then_some(Resource::Event(name))
    }
}

/// What is sent back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn of(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: String::new(),
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    fn xml(status: StatusCode, root: &str, content: &str) -> Self {
        let body = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><D:{root} xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{content}</D:{root}>"#
        );
        let xml = HeaderValue::from_static("application/xml; charset=utf-8");
        let answer = Self::of(status).with(header::CONTENT_TYPE, xml);
        Self { body, ..answer }
    }

    /// What is said of several resources at once (RFC 4918 §13).
    fn multistatus(content: &str) -> Self {
        Self::xml(StatusCode::MULTI_STATUS, "multistatus", content)
    }

    /// Something that has to be so is not (RFC 4918 §16): the element that names it.
    fn refused(condition: &str) -> Self {
        Self::xml(StatusCode::FORBIDDEN, "error", condition)
    }
}

#[async_trait]
impl Fetch for CalendarServer {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        if request.url.origin() != self.place.origin() {
            return Err(FetchError::UnknownHost);
        }
        let answer = self.answer(&request);
        let limit = request.limits.max_response_bytes;
        if limit < answer.body.len() {
            return Err(FetchError::TooLarge { limit });
        }
        Ok(Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.into(),
            final_url: request.url,
        })
    }
}

impl fmt::Debug for CalendarServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalendarServer")
            .field("place", &self.place.as_str())
            .finish_non_exhaustive()
    }
}
