//! Somebody on the network: what they ask the AppView, and all that they hear of it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use huddle_identity::ServiceRef;
use huddle_lexicon::com::huddle::defs::{BookingView, Constraints};
use huddle_lexicon::com::huddle::finalize::{self, Finalize};
use huddle_lexicon::com::huddle::get_booking_ics::{self, GetBookingIcs};
use huddle_lexicon::com::huddle::get_connect_url::{
    self, GetConnectUrl, ParamsAccess, ParamsProvider,
};
use huddle_lexicon::com::huddle::list_bookings::{self, ListBookings};
use huddle_lexicon::com::huddle::r#match::{self as matching, Match};
use huddle_lexicon::com::huddle::request_email_confirmation::{self, RequestEmailConfirmation};
use huddle_lexicon::schema::{Body, Method, Procedure};
use huddle_ports::{Fetch, FetchError, FetchLimits, HeaderValue, Request, Response, Url, header};
use huddle_syntax::Did;
use huddle_testkit::Network;
use huddle_xrpc::client::{Client, ClientError};

/// A person with an account, and with a browser.
pub(super) struct Person {
    pub(super) did: Did,
    pub(super) handle: String,
    network: Arc<Network>,
    service: ServiceRef,
    client: Client,
    browser: Arc<Heard>,
}

/// A way to the network that remembers what came back by it.
struct Heard {
    fetch: Arc<dyn Fetch>,
    all: Mutex<Vec<u8>>,
}

#[async_trait]
impl Fetch for Heard {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let response = self.fetch.fetch(request).await?;
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(&response.body);
        Ok(response)
    }
}

impl Person {
    /// Somebody new, who calls the service at `appview`.
    pub(super) fn sign_up(
        network: Arc<Network>,
        handle: &str,
        service: ServiceRef,
        appview: Url,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self> {
        let browser = Arc::new(Heard {
            fetch,
            all: Mutex::default(),
        });
        Ok(Self {
            did: network.sign_up(&handle.parse()?),
            handle: handle.to_owned(),
            network,
            service,
            client: Client::new(browser.clone(), appview),
            browser,
        })
    }

    /// Whether any answer that this person got has a text in it.
    pub(super) fn has_heard(&self, text: &str) -> bool {
        let all = self.browser.all.lock();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        all.windows(text.len()).any(|it| it == text.as_bytes())
    }

    /// Where they read mail.
    pub(super) fn address(&self) -> String {
        self.handle.replacen('.', "@mail.", 1)
    }

    /// Whom they meet, and when, as they are told.
    pub(super) async fn bookings(&self) -> Result<Vec<BookingView>> {
        let client = self.calling::<ListBookings>()?;
        let params = list_bookings::Params::default();
        Ok(client.query::<ListBookings>(&params).await?.output.bookings)
    }

    /// Asks for a meeting.
    pub(super) async fn ask(
        &self,
        host: &Did,
        when: Option<Constraints>,
    ) -> Result<Result<BookingView, matching::Error>> {
        let mut input = matching::Input::new(host.clone());
        input.constraints = when;
        input.idempotency_key = Some("meeting".to_owned());
        Ok(match self.matched(&input).await? {
            Ok(answer) => Ok(answer.booking.context("there is no booking")?),
            Err(refused) => Err(refused),
        })
    }

    /// Asks whether there is a time, without wanting it.
    pub(super) async fn could_meet(
        &self,
        host: &Did,
        when: Constraints,
        key: &str,
    ) -> Result<Result<(), matching::Error>> {
        let mut input = matching::Input::new(host.clone());
        input.constraints = Some(when);
        input.dry_run = Some(true);
        input.idempotency_key = Some(key.to_owned());
        Ok(self.matched(&input).await?.map(|_| ()))
    }

    async fn matched(
        &self,
        input: &matching::Input,
    ) -> Result<Result<matching::Output, matching::Error>> {
        let client = self.calling::<Match>()?;
        match client.procedure::<Match>(&(), input).await {
            Ok(answer) => Ok(Ok(answer.output)),
            Err(ClientError::Declared(refused)) => Ok(Err(refused.error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the slot that is held.
    pub(super) async fn accept(&self, held: &BookingView) -> Result<BookingView> {
        let mut input = finalize::Input::new(&*held.id);
        input.idempotency_key = Some("meeting".to_owned());
        Ok(self.call::<Finalize>(&input).await?.booking)
    }

    /// The invitation, as a file.
    pub(super) async fn invitation(&self, booking: &BookingView) -> Result<Vec<u8>> {
        let client = self.calling::<GetBookingIcs>()?;
        let params = get_booking_ics::Params::new(&*booking.id);
        Ok(client.query::<GetBookingIcs>(&params).await?.output.bytes)
    }

    /// Enters the address at which they read mail.
    pub(super) async fn enter_address(&self) -> Result<()> {
        let mut input = request_email_confirmation::Input::new(self.address());
        input.idempotency_key = Some("address".to_owned());
        self.call::<RequestEmailConfirmation>(&input).await?;
        Ok(())
    }

    /// Connects the calendars of an account, which is done on a page of the AppView, and there alone.
    pub(super) async fn connect_calendars(&self, server: &Url, password: &str) -> Result<()> {
        let client = self.calling::<GetConnectUrl>()?;
        let mut params = get_connect_url::Params::new(ParamsProvider::Caldav);
        params.access = Some(ParamsAccess::Events);
        let page = client.query::<GetConnectUrl>(&params).await?.output.url;
        let account = [
            ("address", server.as_str()),
            ("user", &*self.handle),
            ("password", password),
        ];
        self.submit(&Url::parse(page.as_str())?, &account).await
    }

    /// Fills the form at `page` in and sends it, as a browser does: what stands in the page's address goes with it.
    pub(super) async fn submit(&self, page: &Url, fields: &[(&str, &str)]) -> Result<()> {
        let mut form = Url::parse("form:")?;
        form.query_pairs_mut()
            .extend_pairs(page.query_pairs())
            .extend_pairs(fields);
        let mut url = page.clone();
        url.set_query(None);
        let form = form.query().unwrap_or_default().to_owned();
        let request = Request::post(url, form).header(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let answer = self.browser.fetch(request.limits(FetchLimits {
            max_redirects: 1,
            ..FetchLimits::default()
        }));
        let status = answer.await?.status;
        ensure!(status.is_success(), "{} answers {status}", page.path());
        Ok(())
    }

    async fn call<M: Procedure<Params = ()>>(&self, input: &M::Input) -> Result<M::Output>
    where
        M::Input: Body,
        ClientError<M::Error>: Into<anyhow::Error>,
    {
        let answer = self.calling::<M>()?.procedure::<M>(&(), input).await;
        answer.map_or_else(|error| Err(error.into()), |answer| Ok(answer.output))
    }

    /// The client with a token for one call of one method, as the person's own data server signs it.
    fn calling<M: Method>(&self) -> Result<Client> {
        let method = M::NSID.parse()?;
        let token = self
            .network
            .service_token(&self.did, &self.service, &method)?;
        Ok(self.client.clone().with_bearer(token.as_str())?)
    }
}
