//! News of a booking as a message to an app.

use std::time::Duration;

use huddle_lexicon::com::huddle::defs::Party;
use huddle_lexicon::com::huddle::put_webhook::{News, NewsData, NewsType};
use huddle_ports::{
    FetchError, FetchLimits, HeaderName, HeaderValue, Request, Response, Timestamp, Url, header,
};
use huddle_syntax::schema::Data as _;
use huddle_syntax::{Datetime, Did, SyntaxError};

use super::gate::Pass;
use super::news::{came_to_it, message_id};
use super::{Effects, NotBrought};
use crate::booking::Booking;
use crate::host_match::Role;
use crate::mail::{Notice, NoticeKind};
use crate::preferences::Way;
use crate::user_connector::webhook::Posted;
use crate::webhooks::Webhook;

/// What a message may cost. Nothing in an answer matters but its status, and what redirects may lead to a place that its
/// owner has not given.
const LIMITS: FetchLimits = FetchLimits {
    timeout: Duration::from_secs(10),
    max_response_bytes: 64 * 1024,
    max_redirects: 0,
};

impl Effects {
    /// Posts the news to the address that a party has given, if they still want that.
    pub(super) async fn post_news(
        &self,
        booking: &Booking,
        party: Role,
        revision: u32,
    ) -> Result<(), NotBrought> {
        let (Some(post), Some(notice)) = (&self.webhooks, Notice::to(booking, party)) else {
            return Ok(());
        };
        let (person, _) = booking.asked.sides(party);
        if !self.preferences_of(person).await?.are_told_by(Way::Webhook) {
            return Ok(());
        }
        let Some(webhook) = post.webhooks.of(&*self.actors, person).await? else {
            return Ok(());
        };
        let (url, now) = (
            Url::parse(webhook.url()).map_err(permanent)?,
            self.clock.now(),
        );
        let _pass = self.admit(person, &webhook, &url, now)?;
        let news = news(booking, party, revision, notice.kind);
        let body = news.and_then(|news| news.to_json().map_err(permanent))?;
        let id = message_id(booking, party, revision);
        let request = request(&webhook, url, &id, now, body)?;
        let (came, outcome) = match post.fetch.fetch(request).await {
            Ok(response) => read(&response),
            Err(error) => failed(&error),
        };
        let noted = post.webhooks.note(&*self.actors, person, &webhook, came);
        // A message that was taken is not sent again because that could not be noted.
        let _ = noted.await;
        outcome
    }

    /// Lets a message through to a webhook, unless that is left alone for now or has enough on their way to it.
    fn admit(
        &self,
        person: &Did,
        webhook: &Webhook,
        url: &Url,
        now: Timestamp,
    ) -> Result<Pass, NotBrought> {
        if let Some(until) = webhook.paused_until().filter(|until| now < *until) {
            return Err(NotBrought::Later {
                after: Some(until.since(now)),
                problem: "the webhook is left alone, because it has not answered in time".into(),
            });
        }
        let host = url.host_str().unwrap_or_default();
        let pass = self.gate.enter(person, host, webhook.is_proven());
        pass.ok_or_else(|| NotBrought::Later {
            after: None,
            problem: "as many messages as may be are on their way to this webhook".into(),
        })
    }
}

fn news(
    booking: &Booking,
    party: Role,
    revision: u32,
    told: NoticeKind,
) -> Result<News, NotBrought> {
    let (person, _) = booking.asked.sides(party);
    let side = match party {
        Role::Host => Party::Host,
        Role::Guest => Party::Guest,
    };
    let mut data = NewsData::new(person.clone(), side, booking.id.as_str(), revision.into());
    if let Some(place) = booking.phase.place() {
        data.start = Some(datetime(place.slot.start())?);
        data.end = Some(datetime(place.slot.end())?);
    }
    let kind = match told {
        NoticeKind::Requested => NewsType::BookingRequested,
        NoticeKind::Confirmed => NewsType::BookingConfirmed,
        NoticeKind::Moved => NewsType::BookingMoved,
        NoticeKind::Canceled | NoticeKind::Withdrawn { .. } => NewsType::BookingCanceled,
        NoticeKind::Declined => NewsType::BookingDeclined,
        NoticeKind::Expired(_) => NewsType::BookingExpired,
    };
    Ok(News::new(kind, datetime(came_to_it(booking, told))?, data))
}

fn request(
    webhook: &Webhook,
    url: Url,
    id: &str,
    now: Timestamp,
    body: Vec<u8>,
) -> Result<Request, NotBrought> {
    let signature = webhook.sign(id, now, &body);
    let json = HeaderValue::from_static("application/json");
    let mut request = Request::post(url, body)
        .limits(LIMITS)
        .header(header::CONTENT_TYPE, json);
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", &now.as_secs().to_string()),
        ("webhook-signature", &signature),
    ] {
        let value = HeaderValue::from_str(value).map_err(permanent)?;
        request = request.header(HeaderName::from_static(name), value);
    }
    Ok(request)
}

fn read(response: &Response) -> (Posted, Result<(), NotBrought>) {
    let status = response.status.as_u16();
    let problem = format!("the webhook answers {status}");
    let undone = match status {
        200..=299 => return (Posted::Taken, Ok(())),
        // It wants no more.
        410 => NotBrought::Permanent(problem),
        _ => {
            let seconds = response.headers.get(header::RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            NotBrought::Later {
                after: seconds.map(Duration::from_secs),
                problem,
            }
        }
    };
    (Posted::Refused, Err(undone))
}

fn failed(error: &FetchError) -> (Posted, Result<(), NotBrought>) {
    let problem = format!("the webhook cannot be reached: {error}");
    let came = match error {
        FetchError::Timeout => Posted::TimedOut,
        _ => Posted::Refused,
    };
    let undone = match error {
        // It was taken, or refused, by whoever answers at such length: either way it is not to be said again.
        FetchError::Blocked(_) | FetchError::TooLarge { .. } => NotBrought::Permanent(problem),
        _ => NotBrought::Later {
            after: None,
            problem,
        },
    };
    (came, Err(undone))
}

fn datetime(moment: Timestamp) -> Result<Datetime, NotBrought> {
    let moment: Result<_, SyntaxError> = Datetime::from_timestamp_millis(moment.as_millis());
    moment.map_err(permanent)
}

/// What no repetition mends.
fn permanent(problem: impl std::fmt::Display) -> NotBrought {
    NotBrought::Permanent(format!("the message cannot be made: {problem}"))
}
