//! From the lexicons to a running server and back: serves two generated `com.huddle` methods on this machine, calls
//! them with the generated client types, and shows every way in which a call can end.
//!
//! ```sh
//! cargo run -p huddle-api --example contract
//! ```

#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use huddle_api::com::huddle::list_offers::{self, ListOffers};
use huddle_api::com::huddle::r#match::{self, Match};
use huddle_identity::crypto::{Curve, PublicKey, SigningKey};
use huddle_identity::{
    Freshness, IdentityError, MemoryReplayStore, ServiceAuthConfig, ServiceAuthMinter,
    ServiceAuthVerifier, ServiceRef, SigningKeys,
};
use huddle_lexicon::com::huddle::defs::{
    BookingStatus, BookingView, GuestSide, Mode, OfferView, Policy,
};
use huddle_lexicon::com::huddle::list_offers as offers;
use huddle_lexicon::com::huddle::r#match as matching;
use huddle_lexicon::com::huddle::slot_offer::SlotOffer;
use huddle_lexicon::schema::{Data as _, ErrorName, Method as _};
use huddle_native::{OsRandom, ReqwestTransport, SystemClock, SystemDns};
use huddle_ports::{Clock as _, Fetch, FetchPolicy, GuardedFetch, Url};
use huddle_syntax::{AtIdentifier, Cid, CidLink, Did, Value};
use huddle_xrpc::client::{Client, ClientError};
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request, Router};
use tokio::net::TcpListener;

const ADA: &str = "did:plc:aaaabbbbccccddddeeeeffff";
const ADA_HANDLE: &str = "ada.example.com";
const GRACE: &str = "did:plc:gggghhhhiiiijjjjkkkkllll";
const SERVICE: &str = "did:web:huddle.example.com#huddle_appview";

/// A host with one offer, who takes every meeting.
struct OneHost;

/// Ada's offer, as it would stand in her repository.
fn offer() -> Result<SlotOffer, Box<dyn Error + Send + Sync>> {
    let mut offer = SlotOffer::new(
        "2026-12-01T10:00:00Z".parse()?,
        "2026-12-01T12:00:00Z".parse()?,
        Policy::Anyone,
        "2026-11-20T08:30:00.000Z".parse()?,
    );
    offer.durations = Some(vec![30]);
    Ok(offer)
}

fn offer_view() -> Result<OfferView, Box<dyn Error + Send + Sync>> {
    let offer = offer()?;
    let Value::Map(record) = offer.to_value()? else {
        return Err("a record is a map".into());
    };
    Ok(OfferView::new(
        format!("at://{ADA}/com.huddle.slotOffer/3lbh5xkq2zc2a").parse()?,
        Cid::from(&CidLink::of_cbor(&offer.to_cbor()?)),
        ADA.parse()?,
        record,
        "2026-11-20T08:30:02.000Z".parse()?,
    ))
}

fn held(guest: &Did) -> Result<BookingView, Box<dyn Error + Send + Sync>> {
    let asked = "2026-11-21T09:00:00.000Z".parse()?;
    let mut booking = BookingView::new(
        "3hq7n2k5x4d6m8p0r1t9",
        BookingStatus::Held,
        Mode::Auto,
        ADA.parse()?,
        guest.clone(),
        GuestSide::Unchecked,
        0,
        asked,
        "2026-11-21T09:00:00.000Z".parse()?,
    );
    booking.start = Some("2026-12-01T10:00:00.000Z".parse()?);
    booking.end = Some("2026-12-01T10:30:00.000Z".parse()?);
    Ok(booking)
}

impl ListOffers for OneHost {
    async fn list_offers(&self, request: Request<offers::ListOffers>) -> Reply<offers::ListOffers> {
        let is_ada = match &request.params.host {
            AtIdentifier::Did(did) => did.as_str() == ADA,
            AtIdentifier::Handle(handle) => handle.as_str() == ADA_HANDLE,
        };
        if !is_ada {
            return Err(Failure::refused(
                offers::Error::HostNotFound,
                "Nobody of that name",
            ));
        }
        Ok(offers::Output::new(vec![offer_view().or_fault()?]).into())
    }
}

impl Match for OneHost {
    async fn r#match(&self, request: Request<matching::Match>) -> Reply<matching::Match> {
        let guest = &request.caller()?.did;
        if *guest == request.input.host_did {
            return Err(Failure::refused(
                matching::Error::SelfBooking,
                "You are the host",
            ));
        }
        let mut output = matching::Output::new(GuestSide::Unchecked);
        output.booking = Some(held(guest).or_fault()?);
        Ok(output.into())
    }
}

/// The keys of callers: everybody here signs with the same one. A service asks their DID documents instead, through
/// `huddle_identity::IdentityResolver`.
struct OneKey(PublicKey);

#[async_trait]
impl SigningKeys for OneKey {
    async fn signing_key(
        &self,
        _: &Did,
        _: &str,
        _: Freshness,
    ) -> Result<PublicKey, IdentityError> {
        Ok(self.0.clone())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(Curve::K256, &OsRandom);
    let verifier = ServiceAuthVerifier::new(
        Arc::new(OneKey(key.public_key())),
        Arc::new(MemoryReplayStore::default()),
        Arc::new(SystemClock),
        ServiceAuthConfig::new(&SERVICE.parse()?),
    );
    let router = Router::new(Arc::new(OneHost)).authenticate(verifier);
    let router = r#match::route(list_offers::route(router)).into_axum();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let service = Url::parse(&format!("http://{}", listener.local_addr()?))?;
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    println!("com.huddle methods are served at {service}\n");

    let dns = Arc::new(SystemDns::new()?);
    let transport = ReqwestTransport::new(dns, "huddle-contract", &[])?;
    // A policy for this machine alone: otherwise loopback is out of bounds.
    let fetch: Arc<dyn Fetch> = Arc::new(GuardedFetch::new(transport, FetchPolicy::development()));
    let client = Client::new(fetch.clone(), service.clone());

    queries(&client).await?;
    unchecked(&*fetch, &service).await?;
    procedures(&client, &key).await?;
    server.abort();
    Ok(())
}

async fn queries(client: &Client) -> Result<(), Box<dyn Error>> {
    asked("a query, for the offers of ada.example.com");
    let mut params = offers::Params::new(ADA_HANDLE.parse()?);
    let answer = client.query::<offers::ListOffers>(&params).await?;
    for view in answer.output.offers {
        let offer = SlotOffer::from_value(&Value::Map(view.record))?;
        answered(&format!(
            "{} to {}, for {}",
            offer.start, offer.end, offer.policy
        ));
    }

    asked("a host who is not there");
    let nobody = offers::Params::new("nobody.example.com".parse()?);
    let error = refused(client.query::<offers::ListOffers>(&nobody).await)?;
    expect_declared(&error, offers::Error::HostNotFound)?;

    asked("a parameter out of bounds, limit=500");
    params.limit = Some(500);
    let error = refused(client.query::<offers::ListOffers>(&params).await)?;
    expect(matches!(error, ClientError::InvalidRequest(_)), &error)?;
    answered(&format!("not sent, {error}"));
    Ok(())
}

/// What the server says to a client that checks nothing.
async fn unchecked(fetch: &dyn Fetch, service: &Url) -> Result<(), Box<dyn Error>> {
    asked("limit=500 again, by a client that checks nothing");
    let mut url = service.join(&format!("/xrpc/{}", offers::ListOffers::NSID))?;
    url.set_query(Some("host=ada.example.com&limit=500"));
    let answer = fetch.fetch(huddle_ports::Request::get(url)).await?;
    let text = format!(
        "{}: {}",
        answer.status.as_u16(),
        String::from_utf8_lossy(&answer.body)
    );
    expect(answer.status.as_u16() == 400, &text)?;
    answered(&text);
    Ok(())
}

async fn procedures(client: &Client, key: &SigningKey) -> Result<(), Box<dyn Error>> {
    let service: ServiceRef = SERVICE.parse()?;
    let input = matching::Input::new(ADA.parse()?);
    let signed_in = |did: &str| -> Result<Client, Box<dyn Error>> {
        let minter = ServiceAuthMinter::new(did.parse()?, key.clone());
        let method = matching::Match::NSID.parse()?;
        let token = minter.mint(&service, &method, SystemClock.now(), &OsRandom);
        Ok(client.clone().with_bearer(token.as_str())?)
    };

    asked("a procedure, by nobody in particular");
    let error = refused(client.procedure::<matching::Match>(&(), &input).await)?;
    expect(matches!(error, ClientError::Undeclared(_)), &error)?;
    answered(&error.to_string());

    asked("the same, by Grace: a signed token says so");
    let answer = signed_in(GRACE)?
        .procedure::<matching::Match>(&(), &input)
        .await?;
    let booking = answer.output.booking.ok_or("no booking")?;
    let start = booking.start.ok_or("no start")?;
    answered(&format!(
        "{} for {} at {start}",
        booking.status, booking.guest_did
    ));

    asked("the same, by Ada herself");
    let herself = signed_in(ADA)?;
    let error = refused(herself.procedure::<matching::Match>(&(), &input).await)?;
    expect_declared(&error, matching::Error::SelfBooking)
}

fn asked(what: &str) {
    println!("{what}");
}

fn answered(what: &str) {
    println!("  {what}\n");
}

/// The error of a call that must end with one.
fn refused<T, E>(outcome: Result<T, ClientError<E>>) -> Result<ClientError<E>, Box<dyn Error>> {
    outcome.err().ok_or_else(|| "unexpected: an answer".into())
}

/// Prints a declared error, which must be this one.
fn expect_declared<E: ErrorName + PartialEq>(
    refused: &ClientError<E>,
    error: E,
) -> Result<(), Box<dyn Error>> {
    let is_it = matches!(refused, ClientError::Declared(response) if response.error == error);
    expect(is_it, refused)?;
    answered(&format!("declared: {refused}"));
    Ok(())
}

fn expect(is_so: bool, found: &impl ToString) -> Result<(), Box<dyn Error>> {
    if is_so {
        Ok(())
    } else {
        Err(format!("unexpected: {}", found.to_string()).into())
    }
}
