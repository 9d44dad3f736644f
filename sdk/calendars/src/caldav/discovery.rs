//! From what a person knows of their account, an e-mail address or some URL, to their calendars (RFC 6764 §6).

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use huddle_ports::{DnsSrv, DnsTxt, Fetch, Timestamp, Url};
use huddle_schedule::Zone;

use super::multistatus::{Multistatus, Resource};
use super::xml::{Element, Namespace};
use super::{Access, Depth, properties};
use crate::credentials::Credentials;
use crate::error::CalendarError;
use crate::http::{Client, trusted};
use crate::icalendar;

/// How many calendars of an account are listed.
pub const MAX_CALENDARS: usize = 100;

/// How many homes for calendars an account may have.
const MAX_HOMES: usize = 4;

/// A calendar of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct FoundCalendar {
    /// Its address, for [`CalDav::new`](super::CalDav::new). It often names the person.
    pub collection: Url,
    /// What the person calls it.
    pub name: Option<String>,
    /// What the account may do with it.
    pub access: Access,
    /// Whether the person wants its events to count as busy time (RFC 6638 §9.1).
    pub counts_as_busy: bool,
    /// Its time zone, if it names one of the IANA database (RFC 4791 §5.2.2, RFC 7809 §5.2).
    pub zone: Option<Zone>,
}

impl fmt::Debug for FoundCalendar {
    /// Leaves out the name and the path, which are the person's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundCalendar")
            .field("origin", &self.collection.origin().ascii_serialization())
            .field("access", &self.access)
            .field("counts_as_busy", &self.counts_as_busy)
            .field("zone", &self.zone)
            .finish_non_exhaustive()
    }
}

/// Lists the calendars of the account that `start` leads to: an e-mail address, the name of a host, or a URL of the
/// account, of its server or of one calendar.
///
/// Of an e-mail address the part after `@` is asked, at `/.well-known/caldav`; [`locate`] asks DNS first. The order is that of the server.
/// At most [`MAX_CALENDARS`] are listed; those for tasks alone are left out, and so are the boxes for scheduling.
///
/// The credentials go to the host in `start` alone. What an account has elsewhere is left out.
///
/// # Errors
/// [`Elsewhere`](CalendarError::Elsewhere) where all that it has is elsewhere, with the host to be given instead.
/// [`NotACalendar`](CalendarError::NotACalendar) also where `start` is neither an address nor a URL, and where an
/// account has no calendar. Credentials that are refused once are not tried elsewhere.
pub async fn discover(
    fetch: &dyn Fetch,
    now: Timestamp,
    start: &str,
    credentials: &Credentials,
) -> Result<Vec<FoundCalendar>, CalendarError> {
    let client = Client::new(fetch, Some(credentials), now);
    let mut last = CalendarError::NotACalendar;
    for url in candidates(start) {
        match calendars_from(&client, url).await {
            Ok(calendars) => return Ok(calendars),
            Err(
                error @ (CalendarError::NotACalendar
                | CalendarError::Gone
                | CalendarError::Forbidden
                | CalendarError::Elsewhere { .. }
                | CalendarError::Broken(_)),
            ) => last = worse(last, error),
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// What DNS is asked about a service.
pub trait ServiceDns: DnsSrv + DnsTxt {}

impl<D: DnsSrv + DnsTxt + ?Sized> ServiceDns for D {}

/// How long each question to DNS may take.
const DNS_TIMEOUT: Duration = Duration::from_secs(2);

/// Where DNS says that the calendars of an e-mail address are (RFC 6764 §6), for [`discover`] to begin with. `None` where
/// it says nothing, or gives no answer, and of whatever is no e-mail address.
///
/// # Errors
/// [`Elsewhere`](CalendarError::Elsewhere) where that is another host than the one after the `@`: DNS can be forged, so
/// the person has to say that it may have the password. [`NotACalendar`](CalendarError::NotACalendar) where DNS says that
/// there is none.
pub async fn locate(dns: &dyn ServiceDns, start: &str) -> Result<Option<Url>, CalendarError> {
    let Some(home) = home_of_address(start) else {
        return Ok(None);
    };
    let name = format!("_caldavs._tcp.{}", home.host_str().unwrap_or_default());
    let services = dns.srv(&name, DNS_TIMEOUT).await.unwrap_or_default();
    // There is one account to find, and no load to be spread.
    let best = services
        .into_iter()
        .min_by_key(|service| (service.priority, Reverse(service.weight)));
    let Some(service) = best else {
        return Ok(None);
    };
    let url = Url::parse(&format!("https://{}:{}/", service.target, service.port));
    let mut url = url.map_err(|_| CalendarError::NotACalendar)?;
    let texts = dns.txt(&name, DNS_TIMEOUT).await.unwrap_or_default();
    let path = texts.iter().find_map(|text| text.strip_prefix("path="));
    url.set_path(path.unwrap_or(WELL_KNOWN));
    trusted(&home, url).map(Some)
}

/// The host of an e-mail address.
fn home_of_address(start: &str) -> Option<Url> {
    let start = start.trim();
    let (_, domain) = start.rsplit_once('@').filter(|_| !start.contains("://"))?;
    Url::parse(&format!("https://{domain}/")).ok()
}

/// What says more: that something answered and failed, before that it is no calendar; and of other hosts the one that
/// the address for calendars leads to, which is asked last.
fn worse(last: CalendarError, next: CalendarError) -> CalendarError {
    match (&last, &next) {
        (CalendarError::NotACalendar | CalendarError::Gone, _)
        | (_, CalendarError::Elsewhere { .. }) => next,
        _ => last,
    }
}

/// Where to ask, in this order.
fn candidates(start: &str) -> Vec<Url> {
    let start = start.trim();
    let given = if start.contains("://") {
        Url::parse(start).ok()
    } else if start.contains('@') {
        let home = home_of_address(start);
        return home.iter().filter_map(well_known).collect();
    } else {
        Url::parse(&format!("https://{start}")).ok()
    };
    let Some(given) = given.filter(|url| matches!(url.scheme(), "https" | "http")) else {
        return Vec::new();
    };
    let well_known = well_known(&given).filter(|url| *url != given);
    [Some(given), well_known].into_iter().flatten().collect()
}

/// RFC 6764 §5.
const WELL_KNOWN: &str = "/.well-known/caldav";

fn well_known(url: &Url) -> Option<Url> {
    url.join(WELL_KNOWN).ok()
}

/// What leads from an account to its calendars.
const ACCOUNT: &str = "<D:current-user-principal/><C:calendar-home-set/><D:resourcetype/>";

/// What there is to know of a calendar.
const CALENDAR: &str = "<D:resourcetype/><D:displayname/><C:supported-calendar-component-set/>\
    <D:current-user-privilege-set/><C:schedule-calendar-transp/><C:calendar-timezone-id/>\
    <C:calendar-timezone/>";

async fn calendars_from(
    client: &Client<'_>,
    url: Url,
) -> Result<Vec<FoundCalendar>, CalendarError> {
    let account = properties(client, url.clone(), Depth::Zero, ACCOUNT).await?;
    let here = account
        .resources
        .first()
        .ok_or(CalendarError::NotACalendar)?;
    let listed = if is_calendar(here) {
        let here = trusted(&url, here.url.clone())?;
        properties(client, here, Depth::Zero, CALENDAR)
            .await?
            .resources
    } else {
        let mut homes = hrefs(here, Namespace::CalDav, "calendar-home-set", &url)?;
        if homes.is_empty() {
            homes = homes_of_principal(client, here, &url).await?;
        }
        listed_in(client, homes).await?
    };
    let calendars = listed.into_iter().filter(is_calendar).filter(has_events);
    let mut found = usable(calendars.map(|resource| found(&url, &resource)))?;
    found.truncate(MAX_CALENDARS);
    if found.is_empty() {
        return Err(CalendarError::NotACalendar);
    }
    Ok(found)
}

/// The homes for calendars of whoever asks (RFC 5397 §3, RFC 4791 §6.2.1).
async fn homes_of_principal(
    client: &Client<'_>,
    here: &Resource,
    url: &Url,
) -> Result<Vec<Url>, CalendarError> {
    let who = here.property(Namespace::Dav, "current-user-principal");
    if who.is_some_and(|who| who.child(Namespace::Dav, "unauthenticated").is_some()) {
        return Err(CalendarError::Unauthorized);
    }
    let principals = hrefs(here, Namespace::Dav, "current-user-principal", url)?;
    let principal = principals
        .into_iter()
        .next()
        .ok_or(CalendarError::NotACalendar)?;
    let answer = properties(
        client,
        principal.clone(),
        Depth::Zero,
        "<C:calendar-home-set/>",
    )
    .await?;
    let principal_says = answer
        .resources
        .first()
        .ok_or(CalendarError::NotACalendar)?;
    hrefs(
        principal_says,
        Namespace::CalDav,
        "calendar-home-set",
        &principal,
    )
}

async fn listed_in(client: &Client<'_>, homes: Vec<Url>) -> Result<Vec<Resource>, CalendarError> {
    let mut listed = Vec::new();
    for home in homes.into_iter().take(MAX_HOMES) {
        let Multistatus { resources, .. } = properties(client, home, Depth::One, CALENDAR).await?;
        listed.extend(resources);
    }
    Ok(listed)
}

/// The addresses in a property where the credentials may go.
fn hrefs(
    resource: &Resource,
    namespace: Namespace,
    name: &str,
    from: &Url,
) -> Result<Vec<Url>, CalendarError> {
    let Some(property) = resource.property(namespace, name) else {
        return Ok(Vec::new());
    };
    usable(property.children(Namespace::Dav, "href").map(|href| {
        let url = resource.url.join(href.text());
        trusted(from, url.map_err(|_| CalendarError::NotACalendar)?)
    }))
}

/// What of several things can be used; why the first cannot, if none can.
fn usable<T>(all: impl Iterator<Item = Result<T, CalendarError>>) -> Result<Vec<T>, CalendarError> {
    let (mut good, mut first_error) = (Vec::new(), None);
    for one in all {
        match one {
            Ok(one) => good.push(one),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match first_error {
        Some(error) if good.is_empty() => Err(error),
        _ => Ok(good),
    }
}

fn is_calendar(resource: &Resource) -> bool {
    resource
        .property(Namespace::Dav, "resourcetype")
        .is_some_and(|types| types.child(Namespace::CalDav, "calendar").is_some())
}

/// Whether a calendar can have events; one that does not say can have anything (RFC 4791 §5.2.3).
fn has_events(resource: &Resource) -> bool {
    resource
        .property(Namespace::CalDav, "supported-calendar-component-set")
        .is_none_or(|set| {
            set.children(Namespace::CalDav, "comp")
                .any(|kind| kind.component() == Some("VEVENT"))
        })
}

fn found(start: &Url, resource: &Resource) -> Result<FoundCalendar, CalendarError> {
    let transparent = resource
        .property(Namespace::CalDav, "schedule-calendar-transp")
        .is_some_and(|kind| kind.child(Namespace::CalDav, "transparent").is_some());
    let zone = resource
        .text(Namespace::CalDav, "calendar-timezone-id")
        .and_then(|name| name.parse().ok())
        .or_else(|| {
            let text = resource.text(Namespace::CalDav, "calendar-timezone")?;
            icalendar::zone(text)
        });
    Ok(FoundCalendar {
        collection: trusted(start, resource.url.clone())?,
        name: resource
            .text(Namespace::Dav, "displayname")
            .map(str::to_owned),
        access: resource
            .property(Namespace::Dav, "current-user-privilege-set")
            .map_or(Access::Write, access),
        counts_as_busy: !transparent,
        zone,
    })
}

/// The most that a set of privileges allows. A server that names none that is known here leaves it to be tried.
fn access(privileges: &Element) -> Access {
    let has = |namespace, name: &str| {
        privileges
            .children(Namespace::Dav, "privilege")
            .any(|privilege| privilege.child(namespace, name).is_some())
    };
    if ["all", "write", "write-content", "bind"]
        .iter()
        .any(|name| has(Namespace::Dav, name))
    {
        Access::Write
    } else if has(Namespace::Dav, "read") {
        Access::Read
    } else if has(Namespace::CalDav, "read-free-busy") {
        Access::FreeBusy
    } else {
        Access::Write
    }
}
