//! Preferences: what nothing here fulfils is not kept.

use huddle_core::Limits;
use huddle_core::preferences::Unsupported;
use huddle_lexicon::com::huddle::defs::{Consent, Preferences, PreferencesPublicTrace};
use huddle_lexicon::com::huddle::get_preferences::GetPreferences;
use huddle_lexicon::com::huddle::put_preferences::{Error, Input, Output, PutPreferences};
use huddle_testkit::ListedWindows;
use huddle_xrpc::client::ClientError;

use crate::server::{Server, did};

async fn put(server: &Server, preferences: Preferences) -> Result<Output, ClientError<Error>> {
    let mut input = Input::new(preferences);
    input.idempotency_key = Some(server.fresh_key());
    server.call::<PutPreferences>(&did("ada"), &input).await
}

#[tokio::test]
async fn a_preference_that_nothing_here_fulfils_is_refused_and_says_what_to_do() {
    let server = Server::start(ListedWindows::default(), Limits::default()).await;
    let set = Preferences {
        tz: Some("Europe/Berlin".to_owned()),
        public_trace: Some(PreferencesPublicTrace::None),
        nameable_by: Some(Consent::Nobody),
        attendee_for: Some(Consent::Nobody),
        ..Preferences::default()
    };
    put(&server, set.clone()).await.unwrap();
    for (wish, wished) in [
        (
            Unsupported::PublicTrace,
            Preferences {
                public_trace: Some(PreferencesPublicTrace::Masked),
                ..Preferences::default()
            },
        ),
        (
            Unsupported::NameableBy,
            Preferences {
                nameable_by: Some(Consent::Anyone),
                ..Preferences::default()
            },
        ),
        (
            Unsupported::AttendeeFor,
            Preferences {
                attendee_for: Some(Consent::Mutual),
                ..Preferences::default()
            },
        ),
    ] {
        let Err(ClientError::Declared(refused)) = put(&server, wished).await else {
            panic!("{wish:?} is kept");
        };
        assert_eq!(refused.error, Error::PreferenceNotSupported);
        assert_eq!(refused.message, Some(wish.to_string()));
    }
    let client = server.as_caller::<GetPreferences>(&did("ada"));
    let kept = client.query::<GetPreferences>(&()).await.unwrap().output;
    assert_eq!((kept.preferences, kept.revision), (set, 1));
}
