//! Calendars: connected on the page that a method names, listed and disconnected by methods.

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Access, Connect, MAX_CONNECTORS, Provider};
use huddle_core::{ActorName, Limits};
use huddle_lexicon::com::huddle::defs::{ConnectorView, ConnectorViewStatus};
use huddle_lexicon::com::huddle::get_connect_url::{
    Error, GetConnectUrl, Output, Params, ParamsAccess, ParamsProvider,
};
use huddle_lexicon::com::huddle::{delete_connector, list_connectors};
use huddle_ports::{FetchLimits, HeaderValue, Method, Request, Response, Url, header};
use huddle_syntax::Did;
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;
use tokio::net::TcpListener;

use crate::server::{Server, declared, did, network, tomorrow};

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//A//A//EN\r\nEND:VCALENDAR\r\n";

/// A feed on this machine, for as long as the test runs.
async fn feed() -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/secret.ics", get(async || CALENDAR));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    Url::parse(&format!("http://{address}/secret.ics")).unwrap()
}

async fn connect_url(
    server: &Server,
    person: &Did,
    params: &Params,
) -> Result<Output, ClientError<Error>> {
    let client = server.as_caller::<GetConnectUrl>(person);
    Ok(client.query::<GetConnectUrl>(params).await?.output)
}

async fn connectors(server: &Server, person: &Did) -> Vec<ConnectorView> {
    let client = server.as_caller::<list_connectors::ListConnectors>(person);
    let listed = client.query::<list_connectors::ListConnectors>(&());
    listed.await.unwrap().output.connectors
}

/// What a browser does with the form at `page`.
async fn submit(page: &Url, address: &Url) -> Response {
    let (_, ticket) = page.query_pairs().next().unwrap();
    let mut form = Url::parse("form:").unwrap();
    form.query_pairs_mut()
        .append_pair("ticket", &ticket)
        .append_pair("address", address.as_str())
        .append_pair("label", "Work");
    let mut url = page.clone();
    url.set_query(None);
    let mut request = Request::new(Method::POST, url).header(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    request.body = form.query().unwrap().to_owned().into();
    request.limits = FetchLimits {
        max_redirects: 1,
        ..FetchLimits::default()
    };
    network().fetch(request).await.unwrap()
}

#[tokio::test]
async fn a_calendar_is_connected_listed_and_disconnected() {
    let server = Server::start(ListedWindows::default(), Limits::default()).await;
    let (ada, feed) = (did("ada"), feed().await);
    assert_eq!(connectors(&server, &ada).await, []);

    let params = Params::new(ParamsProvider::Ics);
    let page = connect_url(&server, &ada, &params).await.unwrap();
    let page = Url::parse(page.url.as_str()).unwrap();
    let shown = network().fetch(Request::get(page.clone())).await.unwrap();
    assert_eq!(shown.status, 200);
    let html = String::from_utf8_lossy(&shown.body);
    assert!(html.contains(ada.as_str()), "{html}");
    let done = submit(&page, &feed).await;
    assert_eq!(
        (done.status.as_u16(), done.final_url.path()),
        (200, "/connect/done")
    );

    let [connector] = connectors(&server, &ada).await.try_into().unwrap();
    assert_eq!(connector.label.as_deref(), Some("Work"));
    assert_eq!(connector.status, ConnectorViewStatus::Connected);
    assert_eq!(connectors(&server, &did("bob")).await, []);

    let mut input = delete_connector::Input::new(&*connector.id);
    input.idempotency_key = Some(server.fresh_key());
    for _ in 0..2 {
        let disconnected = server.call::<delete_connector::DeleteConnector>(&ada, &input);
        disconnected.await.unwrap();
    }
    assert_eq!(connectors(&server, &ada).await, []);
    input.idempotency_key = Some(server.fresh_key());
    let gone = server.call::<delete_connector::DeleteConnector>(&ada, &input);
    assert_eq!(
        declared(gone.await),
        delete_connector::Error::ConnectorNotFound
    );
}

#[tokio::test]
async fn only_what_can_be_connected_has_a_page() {
    let server = Server::start(ListedWindows::default(), Limits::default()).await;
    let with = |provider, change: fn(&mut Params)| {
        let mut params = Params::new(provider);
        change(&mut params);
        params
    };
    let google = ParamsProvider::Google;
    let ics = ParamsProvider::Ics;
    for (params, expect) in [
        (with(google, |_| {}), Error::ProviderNotSupported),
        (
            with(ics.clone(), |it| it.access = Some(ParamsAccess::Events)),
            Error::ProviderNotSupported,
        ),
        (
            with(ics.clone(), |it| it.connector_id = Some("other".into())),
            Error::ConnectorNotFound,
        ),
        (
            with(ics, |it| {
                it.return_uri = Some("https://elsewhere.example/".parse().unwrap());
            }),
            Error::ReturnUriNotAllowed,
        ),
    ] {
        let refused = connect_url(&server, &did("ada"), &params).await;
        assert_eq!(declared(refused), expect);
    }
}

/// Connects one more calendar, which nobody can read.
async fn connect(server: &Server, person: &Did) {
    let name = server.fresh_key();
    let connect = Connect {
        nonce: name.clone(),
        ticket_expires_at: tomorrow(0),
        id: name.into(),
        anew: false,
        provider: Provider::Ics,
        access: Access::FreeBusy,
        label: None,
        credentials: String::new().into(),
    };
    let actor = ActorName::user_connector(person);
    let connected = ask(&*server.actors, &actor, connect).await;
    connected.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_has_connected_all_that_they_can_has_no_page_for_one_more() {
    let server = Server::start(ListedWindows::default(), Limits::default()).await;
    let ada = did("ada");
    let mut params = Params::new(ParamsProvider::Ics);
    for _ in 0..MAX_CONNECTORS {
        connect_url(&server, &ada, &params).await.unwrap();
        connect(&server, &ada).await;
    }
    let refused = connect_url(&server, &ada, &params).await;
    assert_eq!(declared(refused), Error::TooManyConnectors);
    let connected = connectors(&server, &ada).await.remove(0);
    params.connector_id = Some(connected.id);
    let anew = connect_url(&server, &ada, &params).await;
    anew.unwrap();
}
