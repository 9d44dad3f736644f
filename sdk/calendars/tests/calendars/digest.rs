//! A server that does not want the password itself, but to be shown that it is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use huddle_calendars::{Access, CalDav, Calendar, CalendarError, Credentials, discover};
use huddle_core::matching::Freshness;
use huddle_core::user_connector::connector;
use huddle_ports::{Fetch, FetchError, Request, Response, Url};

use crate::block_on;
use crate::booking::id;
use crate::connected::{World, nine_to_ten};
use crate::script::{Answer, Script, Sent};
use crate::server::{
    COLLECTION, HOST, NOW, calendar, given, hold, key, serve, stored, the_day, works,
};

/// What a server says that wants a digest of its nonce of this number.
fn asks(nonce: usize) -> Answer {
    let asked =
        format!("Digest realm=\"Ana\", nonce=\"n{nonce}\", qop=\"auth\", algorithm=SHA-256");
    Answer::new(401, "").with("www-authenticate", &asked)
}

/// Whether a request has a digest of the nonce of this number. The password itself is never told.
fn shows(sent: &Sent, nonce: usize) -> bool {
    let given = sent.header("authorization").unwrap_or_default();
    assert!(!given.starts_with("Basic "), "{}", sent.line());
    let path = sent.url.strip_prefix(HOST).unwrap();
    let (name, uri) = ("username=\"ana\"", format!("uri=\"{path}\""));
    given.contains(&format!("nonce=\"n{nonce}\"")) && given.contains(name) && given.contains(&uri)
}

/// Lets in who answers its challenge, whose nonce is good for so many requests.
fn strict(good_for: usize) -> Script {
    let used = Arc::new(AtomicUsize::new(0));
    Script::new(move |sent| {
        let nonce = used.load(Ordering::SeqCst) / good_for;
        if shows(sent, nonce) {
            used.fetch_add(1, Ordering::SeqCst);
            return serve(sent);
        }
        asks(nonce)
    })
}

/// How each request said who asks: by the name of the scheme, and how often the nonce was used.
fn told(script: &Script) -> Vec<String> {
    let sent = script.take_sent();
    let each = sent.iter().map(|sent| {
        let Some(given) = sent.header("authorization") else {
            return "nothing".to_owned();
        };
        let (scheme, _) = given.split_once(' ').unwrap();
        let count = given
            .split_once("nc=0000000")
            .map_or("", |(_, rest)| &rest[..1]);
        format!("{scheme}{count}")
    });
    each.collect()
}

/// Her calendar, with credentials of which that is known which they have learnt.
fn calendar_with(credentials: &Credentials) -> Calendar {
    let url = Url::parse(COLLECTION).unwrap();
    Calendar::CalDav(CalDav::new(url, credentials.clone(), Access::Write))
}

#[test]
fn a_server_that_wants_a_digest_never_gets_the_password_and_is_asked_once_what_it_wants() {
    let script = strict(usize::MAX);
    let (fetch, credentials) = (script.fetch(), given());
    block_on(async {
        let found = discover(&fetch, NOW, HOST, &credentials).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(told(&script), ["nothing", "Digest1", "Digest2", "Digest3"]);
        let calendar = calendar_with(&credentials);
        let busy = calendar.busy(&fetch, NOW, &the_day(), None).await;
        assert!(!busy.unwrap().busy.is_empty());
        assert_eq!(told(&script), ["Digest4", "Digest5"]);
        let put = calendar.put_event(&fetch, NOW, &key(), &hold(), None).await;
        assert_eq!(put.as_deref(), Ok("\"e1\""));
        assert_eq!(told(&script), ["Digest6"]);
    });
}

#[test]
fn what_a_server_wants_is_stored_but_for_what_is_good_for_a_while() {
    for (script, at_first) in [
        (strict(usize::MAX), &["nothing", "Digest1"][..]),
        (works(), &["Basic"]),
    ] {
        let (fetch, credentials) = (script.fetch(), given());
        block_on(async {
            discover(&fetch, NOW, HOST, &credentials).await.unwrap();
            script.take_sent();
            let text = serde_json::to_string(&credentials).unwrap();
            let calendar = calendar_with(&serde_json::from_str(&text).unwrap());
            calendar.event(&fetch, NOW, &key()).await.unwrap();
            assert_eq!(told(&script), at_first, "{text}");
        });
    }
}

#[test]
fn an_account_is_asked_once_in_each_process_what_its_server_wants() {
    block_on(async {
        let world = World::new(strict(usize::MAX));
        world.connect_caldav(connector::Access::FreeBusy).await;
        assert_eq!(world.recent().await, nine_to_ten());
        assert_eq!(told(&world.script), ["nothing", "Digest1", "Digest2"]);
        let fresh = world.busy(Some(&id(1)), Freshness::Fresh).await;
        assert_eq!(fresh, nine_to_ten());
        assert_eq!(told(&world.script), ["Digest3"]);
    });
}

#[test]
fn a_nonce_that_is_used_up_is_renewed_and_costs_one_request() {
    let script = strict(1);
    let found = block_on(discover(&script.fetch(), NOW, HOST, &given()));
    assert_eq!(found.unwrap().len(), 1);
    assert_eq!(
        told(&script),
        [
            "nothing", "Digest1", "Digest2", "Digest1", "Digest2", "Digest1"
        ]
    );
}

/// A network in which others get their turn before an answer comes.
struct Slow<F>(F);

#[async_trait]
impl<F: Fetch> Fetch for Slow<F> {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        tokio::task::yield_now().await;
        self.0.fetch(request).await
    }
}

#[test]
fn of_many_questions_at_once_one_finds_out_and_each_use_of_the_nonce_has_a_number() {
    let script = strict(usize::MAX);
    let (fetch, calendar) = (Slow(script.fetch()), calendar_with(&stored("digest")));
    let read = async |_| calendar.event(&fetch, NOW, &key()).await;
    let read = block_on(join_all((0..4).map(read)));
    assert!(read.iter().all(Result::is_ok), "{read:?}");
    let mut told = told(&script);
    told.sort();
    assert_eq!(
        told,
        ["Digest1", "Digest2", "Digest3", "Digest4", "nothing"]
    );
}

#[test]
fn what_was_refused_as_a_digest_is_not_tried_again() {
    let script = Script::new(|_| asks(0));
    let calendar = calendar_with(&given());
    let refused = block_on(calendar.event(&script.fetch(), NOW, &key()));
    assert_eq!(refused, Err(CalendarError::Unauthorized));
    assert_eq!(told(&script), ["nothing", "Digest1"]);
}

#[test]
fn a_server_that_has_forgotten_its_nonce_is_answered_anew_once() {
    for (accepts, expect) in [(true, Ok(())), (false, Err(CalendarError::Unauthorized))] {
        let nonce = Arc::new(AtomicUsize::new(0));
        let now = nonce.clone();
        let script = Script::new(move |sent| {
            let nonce = now.load(Ordering::SeqCst);
            if shows(sent, nonce) && (accepts || nonce == 0) {
                return serve(sent);
            }
            asks(nonce)
        });
        let (fetch, calendar) = (script.fetch(), calendar_with(&given()));
        block_on(async {
            let read = async || calendar.event(&fetch, NOW, &key()).await.map(|_| ());
            assert_eq!(read().await, Ok(()));
            assert_eq!(told(&script), ["nothing", "Digest1"]);
            nonce.store(1, Ordering::SeqCst);
            assert_eq!(read().await, expect);
            assert_eq!(told(&script), ["Digest2", "Digest1"]);
        });
    }
}

#[test]
fn a_password_that_a_server_takes_as_it_is_is_sent_as_it_is() {
    let script = Script::new(|_| {
        let asked = "Digest realm=\"Ana\", nonce=\"n\", Basic realm=\"Ana\"";
        Answer::new(401, "").with("www-authenticate", asked)
    });
    let calendar = calendar_with(&given());
    let refused = block_on(calendar.event(&script.fetch(), NOW, &key()));
    assert_eq!(refused, Err(CalendarError::Unauthorized));
    assert_eq!(
        told(&script),
        ["nothing", "Basic"],
        "one attempt, or the account may be locked"
    );
}

#[test]
fn a_server_that_comes_to_want_something_else_gets_that_from_then_on() {
    let digest = Script::new(|sent| {
        let given = sent.header("authorization").unwrap_or_default();
        if given.starts_with("Digest ") {
            serve(sent)
        } else {
            asks(0)
        }
    });
    let basic = Script::new(|sent| {
        let given = sent.header("authorization").unwrap_or_default();
        if given.starts_with("Basic ") {
            serve(sent)
        } else {
            Answer::new(401, "").with("www-authenticate", "Basic realm=\"Ana\"")
        }
    });
    for (script, before, expect) in [
        (digest, "basic", ["Basic", "Digest1", "Digest2"]),
        (basic, "digest", ["nothing", "Basic", "Basic"]),
    ] {
        let (fetch, calendar) = (script.fetch(), calendar_with(&stored(before)));
        block_on(async {
            for _ in 0..2 {
                calendar.event(&fetch, NOW, &key()).await.unwrap();
            }
        });
        assert_eq!(told(&script), expect);
    }
}

#[test]
fn what_a_stranger_is_shown_is_not_taken_for_all_there_is() {
    let script = Script::new(serve);
    let calendar = calendar_with(&stored("digest"));
    let refused = block_on(calendar.busy(&script.fetch(), NOW, &the_day(), None));
    assert!(
        matches!(refused, Err(CalendarError::Broken(_))),
        "{refused:?}"
    );
    assert_eq!(told(&script), ["nothing"]);
}

#[test]
fn what_is_hidden_from_strangers_is_not_taken_for_gone() {
    let script = Script::new(|sent| {
        let is_event = sent.line().starts_with("GET ") || sent.line().starts_with("DELETE ");
        match (shows(sent, 0), is_event) {
            (true, _) => serve(sent),
            (false, true) => Answer::new(404, ""),
            (false, false) => asks(0),
        }
    });
    let calendar = calendar_with(&stored("digest"));
    block_on(async {
        let removed = calendar
            .remove_event(&script.fetch(), NOW, &key(), None)
            .await;
        assert_eq!(removed, Ok(()));
    });
    let sent = script.take_sent();
    let deleted = sent
        .iter()
        .filter(|sent| sent.line().starts_with("DELETE "));
    assert_eq!(deleted.count(), 1, "{sent:?}");
}

#[test]
fn a_site_at_the_root_that_asks_for_nothing_does_not_get_the_password_either() {
    for status in [200, 404, 405, 501] {
        let script = Script::new(move |sent| match sent.line().replace(HOST, "").as_str() {
            "PROPFIND /" => {
                assert!(sent.header("authorization").is_none());
                Answer::new(status, "")
            }
            _ if shows(sent, 0) => serve(sent),
            _ => asks(0),
        });
        let found = block_on(discover(&script.fetch(), NOW, HOST, &given()));
        assert_eq!(found.unwrap().len(), 1, "{status}");
    }
}

#[test]
fn a_digest_is_made_anew_for_where_a_redirect_leads() {
    let script = Script::new(|sent| {
        if !shows(sent, 0) {
            return asks(0);
        }
        match sent.line().replace(HOST, "").as_str() {
            "PROPFIND /.well-known/caldav" => Answer::new(301, "").with("location", "/ana/"),
            _ => serve(sent),
        }
    });
    let found = block_on(discover(
        &script.fetch(),
        NOW,
        "ana@dav.example.com",
        &given(),
    ));
    assert_eq!(found.unwrap().len(), 1);
}

#[test]
fn each_realm_of_a_server_is_told_once() {
    let script = Script::new(|sent| {
        let realm = if sent.url.contains("/calendars/") {
            "realm=\"calendars\""
        } else {
            "realm=\"people\""
        };
        let given = sent.header("authorization").unwrap_or_default();
        if given.starts_with("Digest ") && given.contains(realm) {
            return serve(sent);
        }
        let asked = format!("Digest {realm}, nonce=\"n\", qop=\"auth\"");
        Answer::new(401, "").with("www-authenticate", &asked)
    });
    let found = block_on(discover(&script.fetch(), NOW, HOST, &given()));
    assert_eq!(found.unwrap().len(), 1);
}

#[test]
fn a_change_is_made_once_where_nobody_asks_who_makes_it() {
    let script = works();
    let put = calendar_with(&given());
    let put = block_on(put.put_event(&script.fetch(), NOW, &key(), &hold(), None));
    assert_eq!(put.as_deref(), Ok("\"e1\""));
    assert_eq!(told(&script), ["nothing"]);
    let put = block_on(calendar().put_event(&script.fetch(), NOW, &key(), &hold(), None));
    assert!(put.is_ok());
    assert_eq!(told(&script), ["Basic"]);
}
