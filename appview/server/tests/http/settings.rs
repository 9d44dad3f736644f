//! Settings: made on a page that a method of their own names, and that nobody is let onto by another.

use huddle_core::Limits;
use huddle_lexicon::com::huddle::get_connect_url::{self, GetConnectUrl, ParamsProvider};
use huddle_lexicon::com::huddle::get_settings_url::GetSettingsUrl;
use huddle_ports::{Request, Url};
use huddle_testkit::ListedWindows;

use crate::server::{Server, did, network};

/// The status and the text of a page.
async fn open(page: &Url) -> (u16, String) {
    let shown = network().fetch(Request::get(page.clone())).await.unwrap();
    let html = String::from_utf8_lossy(&shown.body).into_owned();
    (shown.status.as_u16(), html)
}

#[tokio::test]
async fn each_page_of_a_person_is_opened_by_the_method_that_is_for_it() {
    let server = Server::start(ListedWindows::default(), Limits::default()).await;
    let ada = did("ada");
    let client = server.as_caller::<GetSettingsUrl>(&ada);
    let settings = client.query::<GetSettingsUrl>(&()).await.unwrap().output;
    let client = server.as_caller::<GetConnectUrl>(&ada);
    let params = get_connect_url::Params::new(ParamsProvider::Ics);
    let connect = client.query::<GetConnectUrl>(&params).await.unwrap().output;
    let [settings, connect] = [settings.url, connect.url].map(|url| Url::parse(url.as_str()));
    let (settings, connect) = (settings.unwrap(), connect.unwrap());
    for (page, other) in [(&settings, &connect), (&connect, &settings)] {
        let (status, html) = open(page).await;
        assert_eq!(status, 200, "{page}");
        assert!(html.contains(ada.as_str()), "{html}");
        let mut mistaken = page.clone();
        mistaken.set_path(other.path());
        let (status, html) = open(&mistaken).await;
        assert_eq!(status, 400, "{mistaken}");
        assert!(!html.contains(ada.as_str()), "{html}");
    }
}
