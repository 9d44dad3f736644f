//! What `GuardedFetch` does with a transport that does as it is told.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use huddle_ports::{
    Blocked, Bytes, Fetch, FetchError, FetchLimits, FetchPolicy, GuardedFetch, HeaderMap,
    HeaderName, HeaderValue, Hop, HopResponse, Method, RedirectError, Request, Response,
    ResponseBody, StatusCode, Transport, Url, header,
};

/// Answers from a script and writes down what it was asked.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Scripted>>);

#[derive(Default)]
struct Scripted {
    /// What each look-up of a host says, in turn; the last one repeats.
    addresses: HashMap<String, VecDeque<Vec<IpAddr>>>,
    answers: HashMap<String, Answer>,
    lookups: Vec<String>,
    sent: Vec<Sent>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Pieces(Vec<Bytes>),
    /// The pieces, each after this long.
    Slow(Vec<Bytes>, Duration),
    /// The piece, for ever.
    Endless(Bytes),
    Breaks,
    /// No headers ever arrive.
    Hangs,
}

#[derive(Debug, PartialEq, Eq)]
struct Sent {
    line: String,
    headers: Vec<String>,
    body: Bytes,
    addresses: Vec<IpAddr>,
}

impl Script {
    fn host(self, host: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        let mut script = self.0.lock().unwrap();
        let lookups = script.addresses.entry(host.to_owned()).or_default();
        lookups.push_back(addresses);
        drop(script);
        self
    }

    fn answer(self, url: &str, status: u16, body: Body) -> Self {
        let answer = Answer {
            status,
            headers: Vec::new(),
            body,
        };
        self.0
            .lock()
            .unwrap()
            .answers
            .insert(url.to_owned(), answer);
        self
    }

    fn ok(self, url: &str, body: &'static str) -> Self {
        self.answer(url, 200, Body::Pieces(vec![body.into()]))
    }

    fn redirect(self, url: &str, status: u16, locations: &[&str]) -> Self {
        let answer = Answer {
            status,
            headers: locations
                .iter()
                .map(|l| ("location", l.as_bytes().to_vec()))
                .collect(),
            body: Body::Pieces(vec!["moved".into()]),
        };
        self.0
            .lock()
            .unwrap()
            .answers
            .insert(url.to_owned(), answer);
        self
    }

    fn lines(&self) -> Vec<String> {
        let script = self.0.lock().unwrap();
        script.sent.iter().map(|sent| sent.line.clone()).collect()
    }

    fn last(&self) -> Sent {
        self.0
            .lock()
            .unwrap()
            .sent
            .pop()
            .expect("something was sent")
    }

    fn lookups(&self) -> usize {
        self.0.lock().unwrap().lookups.len()
    }
}

#[async_trait]
impl Transport for Script {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        let mut script = self.0.lock().unwrap();
        script.lookups.push(host.to_owned());
        let lookups = script
            .addresses
            .get_mut(host)
            .ok_or(FetchError::UnknownHost)?;
        if lookups.len() > 1 {
            Ok(lookups.pop_front().unwrap())
        } else {
            Ok(lookups[0].clone())
        }
    }

    async fn send(&self, hop: Hop<'_>) -> Result<HopResponse, FetchError> {
        let answer = {
            let mut script = self.0.lock().unwrap();
            script.sent.push(Sent {
                line: format!("{} {}", hop.method, hop.url),
                headers: hop
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                    .collect(),
                body: hop.body.clone(),
                addresses: hop.addresses.to_vec(),
            });
            let answer = script.answers.get(hop.url.as_str()).cloned();
            answer.ok_or_else(|| FetchError::Connect("refused".to_owned()))?
        };
        if matches!(answer.body, Body::Hangs) {
            return std::future::pending().await;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in answer.headers {
            headers.append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        Ok(HopResponse {
            status: StatusCode::from_u16(answer.status).unwrap(),
            headers,
            body: Box::new(answer.body),
        })
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[async_trait]
impl ResponseBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        match self {
            Self::Pieces(pieces) => Ok((!pieces.is_empty()).then(|| pieces.remove(0))),
            Self::Slow(pieces, delay) => {
                tokio::time::sleep(*delay).await;
                Ok((!pieces.is_empty()).then(|| pieces.remove(0)))
            }
            Self::Endless(piece) => Ok(Some(piece.clone())),
            Self::Breaks => Err(FetchError::Broken("reset".to_owned())),
            Self::Hangs => std::future::pending().await,
        }
    }
}

const PUBLIC: &[&str] = &["93.184.215.14"];

fn get(url: &str) -> Request {
    Request::get(Url::parse(url).unwrap()).limits(FetchLimits {
        timeout: Duration::from_secs(10),
        max_response_bytes: 100,
        max_redirects: 3,
    })
}

async fn fetch(script: &Script, request: Request) -> Result<Response, FetchError> {
    GuardedFetch::new(script.clone(), FetchPolicy::public())
        .fetch(request)
        .await
}

#[tokio::test(start_paused = true)]
async fn an_allowed_request_goes_to_the_vetted_addresses() {
    let script = Script::default()
        .host("example.com", &["93.184.215.14", "2606:2800:21f::1"])
        .ok("https://example.com/a?b=c", "hello");
    let response = fetch(&script, get("https://example.com/a?b=c#fragment"))
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.body, "hello");
    assert_eq!(response.final_url.as_str(), "https://example.com/a?b=c");
    let sent = script.last();
    assert_eq!(sent.line, "GET https://example.com/a?b=c");
    let addresses: Vec<IpAddr> = vec![
        "93.184.215.14".parse().unwrap(),
        "2606:2800:21f::1".parse().unwrap(),
    ];
    assert_eq!(sent.addresses, addresses);
}

#[tokio::test(start_paused = true)]
async fn every_conformance_case_is_blocked_before_anything_is_sent() {
    let Some(text) = huddle_testdata::shared_text("conformance/ssrf_cases.json") else {
        return;
    };
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    for case in cases["block"].as_array().unwrap() {
        let case = case.as_str().unwrap();
        let Ok(url) = Url::parse(case) else { continue };
        let script = Script::default();
        let outcome = fetch(&script, Request::get(url)).await;
        assert!(matches!(outcome, Err(FetchError::Blocked(_))), "{case}");
        assert_eq!((script.lookups(), script.lines().len()), (0, 0), "{case}");
    }
    for case in cases["allow"].as_array().unwrap() {
        let case = case.as_str().unwrap();
        let script = Script::default()
            .host("example.com", PUBLIC)
            .ok(case, "fine");
        fetch(&script, get(case)).await.expect(case);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_with_any_private_address_is_blocked_before_connecting() {
    for addresses in [
        &["10.0.0.1"][..],
        &["93.184.215.14", "10.0.0.1"],
        &["93.184.215.14", "fd00::1"],
        &["93.184.215.14", "::ffff:93.184.215.14"],
        &["169.254.169.254", "93.184.215.14"],
    ] {
        let script = Script::default()
            .host("example.com", addresses)
            .ok("https://example.com/", "secret");
        let outcome = fetch(&script, get("https://example.com/")).await;
        assert!(
            matches!(outcome, Err(FetchError::Blocked(Blocked::Address(_)))),
            "{addresses:?}"
        );
        assert!(script.lines().is_empty(), "{addresses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_looked_up_once_and_the_second_answer_is_not_waited_for() {
    let script = Script::default()
        .host("rebind.example.com", PUBLIC)
        .host("rebind.example.com", &["127.0.0.1"])
        .ok("https://rebind.example.com/", "public");
    fetch(&script, get("https://rebind.example.com/"))
        .await
        .unwrap();
    let expect: Vec<IpAddr> = vec!["93.184.215.14".parse().unwrap()];
    assert_eq!(script.last().addresses, expect);
    assert_eq!(script.lookups(), 1);
    // Once it does say so, the next request is blocked.
    let outcome = fetch(&script, get("https://rebind.example.com/")).await;
    assert!(matches!(outcome, Err(FetchError::Blocked(_))));
}

#[tokio::test(start_paused = true)]
async fn hosts_that_do_not_exist_or_have_no_address_are_unknown() {
    let script = Script::default().host("empty.example.com", &[]);
    for host in ["gone.example.com", "empty.example.com"] {
        let outcome = fetch(&script, get(&format!("https://{host}/"))).await;
        assert_eq!(outcome.unwrap_err(), FetchError::UnknownHost);
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_to_relative_and_absolute_places() {
    let script = Script::default()
        .host("example.com", PUBLIC)
        .host("other.example.com", PUBLIC)
        .redirect("https://example.com/a/b", 302, &["../c?d"])
        .redirect("https://example.com/c?d", 307, &["//other.example.com/e"])
        .redirect(
            "https://other.example.com/e",
            308,
            &["https://example.com/f#g"],
        )
        .ok("https://example.com/f", "there");
    let response = fetch(&script, get("https://example.com/a/b"))
        .await
        .unwrap();
    assert_eq!(response.final_url.as_str(), "https://example.com/f");
    assert_eq!(script.lines().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_a_blocked_place_is_not_followed() {
    for (location, reason) in [
        ("http://example.com/", "Scheme"),
        ("https://127.0.0.1/", "Address"),
        ("//169.254.169.254/latest/meta-data/", "Address"),
        ("https://private.example.com/", "Address"),
        ("https://localhost/", "ReservedName"),
        ("https://metadata.google.internal/", "ReservedName"),
        ("https://user:pw@example.com/", "UserInfo"),
        ("https://example.com:8080/", "Port"),
        ("file:///etc/passwd", "NoHost"),
        ("javascript:alert(1)", "NoHost"),
    ] {
        let script = Script::default()
            .host("example.com", PUBLIC)
            .host("private.example.com", &["192.168.1.1"])
            .redirect("https://example.com/", 302, &[location]);
        let Err(FetchError::Blocked(blocked)) = fetch(&script, get("https://example.com/")).await
        else {
            panic!("{location} was not blocked");
        };
        assert!(format!("{blocked:?}").starts_with(reason), "{location}");
        assert_eq!(script.lines(), ["GET https://example.com/"], "{location}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_is_looked_up_again_for_each_redirect() {
    let script = Script::default()
        .host("example.com", PUBLIC)
        .host("example.com", &["10.0.0.1"])
        .redirect("https://example.com/", 302, &["/again"])
        .ok("https://example.com/again", "secret");
    let outcome = fetch(&script, get("https://example.com/")).await;
    assert!(matches!(outcome, Err(FetchError::Blocked(_))));
    assert_eq!(script.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn redirects_are_counted() {
    let script =
        Script::default()
            .host("example.com", PUBLIC)
            .redirect("https://example.com/", 302, &["/"]);
    let outcome = fetch(&script, get("https://example.com/")).await;
    assert_eq!(
        outcome.unwrap_err(),
        FetchError::Redirect(RedirectError::TooMany)
    );
    assert_eq!(script.lines().len(), 4, "the request and three redirects");

    let mut request = get("https://example.com/");
    request.limits.max_redirects = 0;
    let outcome = fetch(&script, request).await;
    assert_eq!(
        outcome.unwrap_err(),
        FetchError::Redirect(RedirectError::TooMany)
    );
    assert_eq!(script.lines().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_needs_exactly_one_good_location() {
    for (locations, problem) in [
        (&[][..], RedirectError::NoLocation),
        (&["/a", "/b"], RedirectError::NoLocation),
        (&["https://"], RedirectError::BadLocation),
        (&["https://[::"], RedirectError::BadLocation),
        (&["https://exa mple.com/"], RedirectError::BadLocation),
    ] {
        let script = Script::default().host("example.com", PUBLIC).redirect(
            "https://example.com/",
            302,
            locations,
        );
        let outcome = fetch(&script, get("https://example.com/")).await;
        assert_eq!(
            outcome.unwrap_err(),
            FetchError::Redirect(problem),
            "{locations:?}"
        );
    }
    let script = Script::default().host("example.com", PUBLIC);
    let answer = Answer {
        status: 302,
        headers: vec![("location", b"/\xff".to_vec())],
        body: Body::Pieces(Vec::new()),
    };
    let url = "https://example.com/".to_owned();
    script.0.lock().unwrap().answers.insert(url, answer);
    let outcome = fetch(&script, get("https://example.com/")).await;
    assert_eq!(
        outcome.unwrap_err(),
        FetchError::Redirect(RedirectError::BadLocation)
    );
}

#[tokio::test(start_paused = true)]
async fn statuses_that_only_resemble_redirects_are_answers() {
    for status in [200, 204, 300, 304, 305, 306, 401, 404, 500] {
        let script = Script::default().host("example.com", PUBLIC).redirect(
            "https://example.com/",
            status,
            &["/elsewhere"],
        );
        let response = fetch(&script, get("https://example.com/")).await.unwrap();
        assert_eq!(response.status, status);
    }
}

/// Sends `method` with a body and follows one redirect of `status` to `location`; tells what was
/// sent then.
async fn redirected(method: &str, status: u16, location: &str) -> Result<Sent, FetchError> {
    let script = Script::default()
        .host("example.com", PUBLIC)
        .host("other.example.com", PUBLIC)
        .redirect("https://example.com/", status, &[location])
        .ok("https://example.com/b", "")
        .ok("https://other.example.com/b", "");
    let mut request = get("https://example.com/");
    request.method = Method::from_bytes(method.as_bytes()).unwrap();
    request.body = "question".into();
    let mut api_key = HeaderValue::from_static("k");
    api_key.set_sensitive(true);
    for (name, value) in [
        ("accept", HeaderValue::from_static("*/*")),
        ("authorization", HeaderValue::from_static("Bearer t")),
        ("content-type", HeaderValue::from_static("text/plain")),
        ("cookie", HeaderValue::from_static("c=1")),
        ("dpop", HeaderValue::from_static("proof")),
        ("x-api-key", api_key),
    ] {
        request.headers.insert(HeaderName::from_static(name), value);
    }
    fetch(&script, request).await?;
    Ok(script.last())
}

#[tokio::test(start_paused = true)]
async fn methods_and_bodies_survive_redirects_as_in_browsers() {
    for (method, status, expect) in [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 301, "PUT"),
        ("PUT", 303, "GET"),
        ("PROPFIND", 301, "PROPFIND"),
        ("PROPFIND", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("GET", 303, "GET"),
    ] {
        let sent = redirected(method, status, "/b").await.unwrap();
        assert_eq!(sent.line, format!("{expect} https://example.com/b"));
        let has_type = sent.headers.iter().any(|h| h.starts_with("content-type"));
        let keeps = expect == method;
        assert_eq!(has_type, keeps, "{method} {status}");
        assert_eq!(sent.body.is_empty(), !keeps, "{method} {status}");
        let has_token = sent.headers.contains(&"authorization: Bearer t".to_owned());
        assert!(has_token, "the same origin keeps its credentials");
    }
}

#[tokio::test(start_paused = true)]
async fn another_origin_gets_no_credentials() {
    let sent = redirected("GET", 302, "https://other.example.com/b")
        .await
        .unwrap();
    assert_eq!(
        sent.headers,
        ["accept: */*", "content-type: text/plain"],
        "credentials and what was marked sensitive are gone"
    );
}

#[tokio::test(start_paused = true)]
async fn another_origin_gets_no_body_that_changes_something() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "MKCALENDAR"] {
        let outcome = redirected(method, 307, "https://other.example.com/b").await;
        assert_eq!(
            outcome.unwrap_err(),
            FetchError::Redirect(RedirectError::ChangeAcrossOrigins),
            "{method}"
        );
    }
    for method in ["PROPFIND", "REPORT"] {
        let sent = redirected(method, 301, "https://other.example.com/b").await;
        assert_eq!(sent.unwrap().body, "question", "{method}");
    }
    let sent = redirected("POST", 302, "https://other.example.com/b").await;
    assert!(sent.unwrap().body.is_empty());
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_transport_cannot_be_forged() {
    let script = Script::default()
        .host("example.com", PUBLIC)
        .ok("https://example.com/", "");
    let request = get("https://example.com/")
        .header(header::HOST, HeaderValue::from_static("10.0.0.1"))
        .header(header::CONTENT_LENGTH, HeaderValue::from_static("5"))
        .header(
            header::TRANSFER_ENCODING,
            HeaderValue::from_static("chunked"),
        )
        .header(header::CONNECTION, HeaderValue::from_static("upgrade"))
        .header(header::ACCEPT_ENCODING, HeaderValue::from_static("zstd"))
        .header(header::ACCEPT, HeaderValue::from_static("*/*"));
    fetch(&script, request).await.unwrap();
    assert_eq!(script.last().headers, ["accept: */*"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_as_far_as_the_limit_and_not_a_byte_further() {
    for (pieces, fits) in [
        (vec![100], true),
        (vec![101], false),
        (vec![60, 40], true),
        (vec![60, 41], false),
        (vec![0, 100, 0], true),
        (vec![100, 0, 1], false),
        (vec![], true),
    ] {
        let body = pieces.iter().map(|n| vec![b'x'; *n].into()).collect();
        let script = Script::default().host("example.com", PUBLIC).answer(
            "https://example.com/",
            200,
            Body::Pieces(body),
        );
        let outcome = fetch(&script, get("https://example.com/")).await;
        match outcome {
            Ok(response) => {
                assert!(fits, "{pieces:?}");
                assert_eq!(response.body.len(), pieces.iter().sum::<usize>());
            }
            Err(error) => {
                assert!(!fits, "{pieces:?}");
                assert_eq!(error, FetchError::TooLarge { limit: 100 });
            }
        }
    }
}

#[tokio::test]
async fn bytes_are_a_body_of_one_piece_or_none() {
    let mut body = Bytes::from("hello");
    assert_eq!(body.chunk().await, Ok(Some("hello".into())));
    assert_eq!(body.chunk().await, Ok(None));
    assert_eq!(Bytes::new().chunk().await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn an_endless_body_ends_at_the_limit() {
    let script = Script::default().host("example.com", PUBLIC).answer(
        "https://example.com/",
        200,
        Body::Endless("0123456789abcdef".into()),
    );
    let outcome = fetch(&script, get("https://example.com/")).await;
    assert_eq!(outcome.unwrap_err(), FetchError::TooLarge { limit: 100 });
}

#[tokio::test(start_paused = true)]
async fn the_time_covers_everything_from_the_lookup_to_the_last_byte() {
    let slow = Body::Slow(vec!["x".into(); 50], Duration::from_secs(1));
    for body in [Body::Hangs, slow] {
        let script =
            Script::default()
                .host("example.com", PUBLIC)
                .answer("https://example.com/", 200, body);
        let began = tokio::time::Instant::now();
        let outcome = fetch(&script, get("https://example.com/")).await;
        assert_eq!(outcome.unwrap_err(), FetchError::Timeout);
        assert_eq!(began.elapsed().as_secs(), 10);
    }
    let quick = Body::Slow(vec!["x".into(); 8], Duration::from_secs(1));
    let script =
        Script::default()
            .host("example.com", PUBLIC)
            .answer("https://example.com/", 200, quick);
    let response = fetch(&script, get("https://example.com/")).await.unwrap();
    assert_eq!(response.body, "xxxxxxxx");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_says_so() {
    let script = Script::default().host("example.com", PUBLIC).answer(
        "https://example.com/",
        200,
        Body::Breaks,
    );
    let error = fetch(&script, get("https://example.com/"))
        .await
        .unwrap_err();
    assert_eq!(error, FetchError::Broken("reset".to_owned()));
    assert!(error.is_retryable());
}

#[test]
fn only_failures_that_time_can_heal_are_retryable() {
    for (error, retryable) in [
        (FetchError::Blocked(Blocked::Scheme), false),
        (FetchError::UnknownHost, false),
        (FetchError::Resolve, true),
        (FetchError::Connect(String::new()), true),
        (FetchError::Timeout, true),
        (FetchError::TooLarge { limit: 1 }, false),
        (FetchError::Redirect(RedirectError::TooMany), false),
        (FetchError::Broken(String::new()), true),
    ] {
        assert_eq!(error.is_retryable(), retryable, "{error:?}");
    }
}

#[test]
fn debug_prints_no_secrets() {
    let url = "https://calendar.example.com/private-token/feed.ics?key=private-key";
    let request = Request::post(Url::parse(url).unwrap(), "private-body").header(
        header::AUTHORIZATION,
        HeaderValue::from_static("Bearer private"),
    );
    let response = Response {
        status: StatusCode::OK,
        headers: request.headers.clone(),
        body: request.body.clone(),
        final_url: request.url.clone(),
    };
    let hop = Hop {
        method: &request.method,
        url: &request.url,
        headers: &request.headers,
        body: &request.body,
        addresses: &[],
    };
    for text in [
        format!("{request:?}"),
        format!("{response:?}"),
        format!("{hop:?}"),
    ] {
        assert!(text.contains("calendar.example.com"), "{text}");
        assert!(!text.contains("private"), "{text}");
    }
}
