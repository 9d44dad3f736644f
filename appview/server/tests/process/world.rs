//! People on a network on loopback, and what they ask a server that may be killed at any moment.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use huddle_appview::loopback::{self, Loopback};
use huddle_identity::ServiceRef;
use huddle_lexicon::app::bsky::graph::follow::Follow;
use huddle_lexicon::com::huddle::cancel_booking::{self, CancelBooking};
use huddle_lexicon::com::huddle::confirm_email::{self, ConfirmEmail};
use huddle_lexicon::com::huddle::defs::{BookingView, Mode, Policy, Weekday, WeeklyRule};
use huddle_lexicon::com::huddle::finalize::{self, Finalize};
use huddle_lexicon::com::huddle::get_booking::{self, GetBooking};
use huddle_lexicon::com::huddle::get_connect_url::{
    self, GetConnectUrl, ParamsAccess, ParamsProvider,
};
use huddle_lexicon::com::huddle::list_bookings::{self, ListBookings};
use huddle_lexicon::com::huddle::list_offers::{self, ListOffers};
use huddle_lexicon::com::huddle::r#match::{self as matching, Match};
use huddle_lexicon::com::huddle::office_hours::OfficeHours;
use huddle_lexicon::com::huddle::put_webhook::{self, PutWebhook};
use huddle_lexicon::com::huddle::request_email_confirmation::{self, RequestEmailConfirmation};
use huddle_lexicon::com::huddle::reschedule_booking::{self, RescheduleBooking};
use huddle_lexicon::com::huddle::service::Service;
use huddle_lexicon::schema::{Body, Method, Procedure};
use huddle_native::{ReqwestTransport, SystemClock, SystemDns};
use huddle_ports::{
    Clock as _, Fetch as _, FetchLimits, FetchPolicy, GuardedFetch, HeaderValue, Request,
    StatusCode, Url, header,
};
use huddle_syntax::{AtIdentifier, Datetime, Did, RecordKey};
use huddle_xrpc::client::{Client, ClientError};

use crate::program::huddle;

const SERVICE: &str = "did:web:localhost#huddle_appview";

/// A network, and some people in it.
pub(crate) struct World {
    pub(crate) network: Loopback,
    service: ServiceRef,
    fetch: Arc<GuardedFetch<ReqwestTransport>>,
    pub(crate) guests: Vec<Did>,
}

impl World {
    pub(crate) async fn new(guests: usize) -> Self {
        let network = loopback::start().await.unwrap();
        let dns = Arc::new(SystemDns::new().unwrap());
        let transport = ReqwestTransport::new(dns, "huddle-test", &[]).unwrap();
        let guests = (0..guests).map(|n| sign_up(&network, &format!("guest{n}")));
        Self {
            guests: guests.collect(),
            network,
            service: SERVICE.parse().unwrap(),
            fetch: Arc::new(GuardedFetch::new(transport, FetchPolicy::development())),
        }
    }

    /// A server of these people, that lets one machine ask for all of them.
    pub(crate) fn serve(&self, folder: &Path) -> Command {
        self.serve_by(huddle(folder))
    }

    /// The same, and it sends mail.
    pub(crate) fn serve_with_mail(&self, folder: &Path) -> Command {
        let mut command = self.serve(folder);
        command.args(["--smtp-url", self.network.smtp.as_str()]);
        command.args(["--mail-from", "bookings@huddle.test"]);
        command
    }

    pub(crate) fn serve_by(&self, mut command: Command) -> Command {
        let Loopback {
            places, firehose, ..
        } = &self.network;
        command.args(["serve", "--development", "--service", SERVICE]);
        command.args(["--plc", places.directory.as_str()]);
        command.args(["--graph", places.host.as_str()]);
        command.args(["--firehose", firehose.as_str()]);
        // In the environment, where a test may set something else.
        for limit in [
            "ANONYMOUS_PER_MINUTE",
            "ANONYMOUS_BURST",
            "ACCOUNT_PER_MINUTE",
            "ACCOUNT_BURST",
            "CHANGES_PER_MINUTE",
        ] {
            command.env(format!("HUDDLE_{limit}"), "100000");
        }
        command.args([
            "--holds-per-guest",
            "100",
            "--holds-per-guest-and-host",
            "10",
        ]);
        command.args(["--cooldown-first-secs", "0", "--cooldown-second-secs", "0"]);
        command.args(["--cooldown-further-secs", "0", "--driver-lease-secs", "10"]);
        command
    }

    /// A host who follows all guests, and who has time at any hour.
    pub(crate) fn host(&self, name: &str) -> Did {
        self.host_by(name, Mode::Auto)
    }

    /// The same, booked in another way.
    pub(crate) fn host_by(&self, name: &str, mode: Mode) -> Did {
        let host = sign_up(&self.network, name);
        let (network, at) = (&self.network.network, now());
        for (number, guest) in self.guests.iter().enumerate() {
            let follow = Follow::new(guest.clone(), at.clone());
            network.put(&host, &key(number), &follow).unwrap();
        }
        let appview = Service::new(self.service.did().clone(), at);
        network
            .put(&host, &"self".parse().unwrap(), &appview)
            .unwrap();
        self.offer(&host, mode);
        host
    }

    /// Has a host write their office hours, or another version of them.
    pub(crate) fn offer(&self, host: &Did, mode: Mode) {
        let days = [
            Weekday::Mo,
            Weekday::Tu,
            Weekday::We,
            Weekday::Th,
            Weekday::Fr,
            Weekday::Sa,
            Weekday::Su,
        ];
        let rule = WeeklyRule::new(days.to_vec(), "00:00", "24:00");
        let mut hours = OfficeHours::new("UTC", vec![rule], Policy::Connected, now());
        hours.mode = Some(mode);
        let network = &self.network.network;
        network.put(host, &key(0), &hours).unwrap();
    }

    pub(crate) fn client(&self, server: &Url) -> Client {
        Client::new(self.fetch.clone(), server.clone())
    }

    /// The client with a token for one call of one method.
    pub(crate) fn signed_in<M: Method>(&self, server: &Url, person: &Did) -> Client {
        let client = self.client(server);
        client.with_bearer(&self.token::<M>(person)).unwrap()
    }

    /// A token for one call of one method, as the person's own data server signs it.
    pub(crate) fn token<M: Method>(&self, person: &Did) -> String {
        let method = M::NSID.parse().unwrap();
        let network = &self.network.network;
        let token = network.service_token(person, &self.service, &method);
        token.unwrap().as_str().to_owned()
    }

    async fn call<M: Procedure<Params = ()>>(
        &self,
        server: &Url,
        person: &Did,
        input: &M::Input,
    ) -> Result<M::Output, ClientError<M::Error>>
    where
        M::Input: Body,
    {
        let client = self.signed_in::<M>(server, person);
        Ok(client.procedure::<M>(&(), input).await?.output)
    }

    /// Asks for a meeting; `None` where that was not answered with a slot that is held.
    pub(crate) async fn ask(
        &self,
        server: &Url,
        guest: &Did,
        host: &Did,
        key: &str,
    ) -> Option<BookingView> {
        let answer = self.try_ask(server, guest, host, key).await;
        answer.ok()?.booking
    }

    pub(crate) async fn try_ask(
        &self,
        server: &Url,
        guest: &Did,
        host: &Did,
        key: &str,
    ) -> Result<matching::Output, ClientError<matching::Error>> {
        let mut input = matching::Input::new(host.clone());
        input.idempotency_key = Some(key.to_owned());
        self.call::<Match>(server, guest, &input).await
    }

    pub(crate) async fn accept(&self, server: &Url, guest: &Did, id: &str) -> Option<BookingView> {
        Some(self.try_accept(server, guest, id).await.ok()?.booking)
    }

    pub(crate) async fn try_accept(
        &self,
        server: &Url,
        guest: &Did,
        id: &str,
    ) -> Result<finalize::Output, ClientError<finalize::Error>> {
        let mut input = finalize::Input::new(id);
        input.idempotency_key = Some(format!("accept {id}"));
        self.call::<Finalize>(server, guest, &input).await
    }

    pub(crate) async fn cancel(&self, server: &Url, guest: &Did, id: &str) -> Option<BookingView> {
        let mut input = cancel_booking::Input::new(id);
        input.idempotency_key = Some(format!("cancel {id}"));
        let answer = self.call::<CancelBooking>(server, guest, &input).await;
        Some(answer.ok()?.booking)
    }

    pub(crate) async fn reschedule(
        &self,
        server: &Url,
        guest: &Did,
        id: &str,
    ) -> Option<BookingView> {
        let mut input = reschedule_booking::Input::new(id);
        input.idempotency_key = Some(format!("move {id}"));
        let answer = self.call::<RescheduleBooking>(server, guest, &input).await;
        Some(answer.ok()?.booking)
    }

    /// Connects an account with a calendar that is written to, as somebody does it in a browser.
    pub(crate) async fn connect_calendar(&self, server: &Url, person: &Did) {
        let calendars = &self.network.calendars;
        let user = account(person);
        calendars.open(user, "password");
        let mut params = get_connect_url::Params::new(ParamsProvider::Caldav);
        params.access = Some(ParamsAccess::Events);
        let client = self.signed_in::<GetConnectUrl>(server, person);
        let answer = client.query::<GetConnectUrl>(&params).await.unwrap();
        // The page's address names the port that the server was to listen at: any.
        let page = Url::parse(answer.output.url.as_str()).unwrap();
        let (_, ticket) = page.query_pairs().next().unwrap();
        let mut form = Url::parse("form:").unwrap();
        form.query_pairs_mut()
            .append_pair("ticket", &ticket)
            .append_pair("address", calendars.place().as_str())
            .append_pair("user", user)
            .append_pair("password", "password");
        let mut request = Request::post(
            server.join(page.path()).unwrap(),
            form.query().unwrap().to_owned(),
        )
        .header(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        request.limits = FetchLimits {
            max_redirects: 1,
            ..FetchLimits::default()
        };
        let answer = self.fetch.fetch(request).await.unwrap();
        let told = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.final_url.path(), "/connect/done", "{told}");
    }

    /// Enters the address at which somebody reads mail.
    pub(crate) async fn enter_address(&self, server: &Url, person: &Did, address: &str) {
        let mut input = request_email_confirmation::Input::new(address);
        input.idempotency_key = Some(format!("address {address}"));
        let asked = self.call::<RequestEmailConfirmation>(server, person, &input);
        asked.await.unwrap();
    }

    /// Enters the address at which somebody reads mail, and gives the token back that comes there.
    pub(crate) async fn confirm_address(&self, server: &Url, person: &Did, address: &str) {
        self.enter_address(server, person, address).await;
        let letter = loop {
            if let Some(letter) = self.network.mail.mail_for(address).pop() {
                break letter.part("text/plain").unwrap();
            }
            tokio::task::yield_now().await;
        };
        let (_, token) = letter.split_once("asks for it:").unwrap();
        let token = token.split_whitespace().next().unwrap();
        let mut input = confirm_email::Input::new(token);
        input.idempotency_key = Some(format!("confirm {address}"));
        let confirmed = self.call::<ConfirmEmail>(server, person, &input);
        confirmed.await.unwrap();
    }

    /// Names the app that somebody's news is to be posted to.
    pub(crate) async fn hook(&self, server: &Url, person: &Did, app: &Url) {
        let mut input = put_webhook::Input::new(app.as_str().parse().unwrap());
        input.idempotency_key = Some(format!("hook {app}"));
        let named = self.call::<PutWebhook>(server, person, &input);
        named.await.unwrap();
    }

    /// What an operator reads at a path.
    pub(crate) async fn operator_page(&self, server: &Url, token: &str, path: &str) -> String {
        let authorization = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        let request = Request::get(server.join(path).unwrap());
        let request = request.header(header::AUTHORIZATION, authorization);
        let answer = self.fetch.fetch(request).await.unwrap();
        assert!(answer.status.is_success(), "{}", answer.status);
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// How anybody is answered at a path.
    pub(crate) async fn status(&self, server: &Url, path: &str) -> StatusCode {
        let request = Request::get(server.join(path).unwrap());
        self.fetch.fetch(request).await.unwrap().status
    }

    /// The booking, as its guest sees it.
    pub(crate) async fn booking(&self, server: &Url, guest: &Did, id: &str) -> Option<BookingView> {
        let client = self.signed_in::<GetBooking>(server, guest);
        let params = get_booking::Params::new(id);
        let answer = client.query::<GetBooking>(&params).await;
        Some(answer.ok()?.output.booking)
    }

    /// Whom somebody meets, as lists tell.
    pub(crate) async fn bookings(&self, server: &Url, person: &Did) -> Option<Vec<BookingView>> {
        let client = self.signed_in::<ListBookings>(server, person);
        let params = list_bookings::Params::default();
        let answer = client.query::<ListBookings>(&params).await;
        Some(answer.ok()?.output.bookings)
    }

    /// How much is known of what a host offers.
    pub(crate) async fn offers(&self, server: &Url, host: &Did) -> Option<usize> {
        let params = list_offers::Params::new(AtIdentifier::Did(host.clone()));
        let answer = self.client(server).query::<ListOffers>(&params).await;
        Some(answer.ok()?.output.offers.len())
    }

    /// Waits until the firehose has told of the host. Bounded by the test runner.
    pub(crate) async fn until_known(&self, server: &Url, host: &Did) {
        while self.offers(server, host).await.is_none_or(|it| it == 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn now() -> Datetime {
    let now = SystemClock.now().as_millis();
    Datetime::from_timestamp_millis(now).unwrap()
}

/// What somebody's accounts elsewhere are called: what of their DID is theirs alone.
pub(crate) fn account(person: &Did) -> &str {
    let (_, account) = person.as_str().rsplit_once(':').unwrap();
    account
}

fn sign_up(network: &Loopback, name: &str) -> Did {
    network
        .network
        .sign_up(&format!("{name}.test").parse().unwrap())
}

/// The key of somebody's record of this number: a TID, in which later ones sort after earlier ones.
fn key(number: usize) -> RecordKey {
    const DIGITS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
    let digit = |value: usize| char::from(DIGITS[value % 32]);
    let key = format!("3kaaaaaaaa{}{}2", digit(number / 32), digit(number));
    key.parse().unwrap()
}
