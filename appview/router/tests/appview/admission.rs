//! What stands before every method: who pays for what, and before anybody is looked up.

use std::time::Duration;

use axum::http::StatusCode;
use huddle_core::Limits;

use crate::support::{Answer, GET_BOOKING, World};

const ANA: &str = "did:web:ana.example.com";
const CANCEL_BOOKING: &str = "com.huddle.cancelBooking";
const HERE: Option<&str> = Some("192.0.2.7");

/// Two requests of an address at once, three of an account, one a minute of either.
fn small() -> Limits {
    Limits {
        anonymous_per_minute: 1,
        anonymous_burst: 2,
        account_per_minute: 1,
        account_burst: 3,
        ..Limits::default()
    }
}

fn is_limited(answer: &Answer) -> bool {
    answer.status == StatusCode::TOO_MANY_REQUESTS
}

#[tokio::test]
async fn whoever_is_not_known_asks_from_the_allowance_of_their_place() {
    let world = World::new(small());
    for from in [Some("192.0.2.7"), Some("192.0.2.8"), None] {
        for token in [None, Some("nonsense")] {
            let answer = world.ask(from, token).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{from:?} {token:?}"
            );
        }
        let answer = world.ask(from, None).await;
        assert!(is_limited(&answer), "{from:?}");
        assert_eq!(answer.header("retry-after"), Some("60"));
    }
    // All of one network of IPv6 are one.
    for from in ["2001:db8::1", "2001:db8::2"] {
        let answer = world.ask(Some(from), None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert!(is_limited(&world.ask(Some("2001:db8::3"), None).await));
}

#[tokio::test]
async fn a_thousand_forged_tokens_of_one_address_cause_no_more_look_ups_than_its_shares_have() {
    let world = World::new(Limits::default());
    let Limits {
        anonymous_burst,
        issuer_shares,
        ..
    } = Limits::default();
    let most = (anonymous_burst * issuer_shares) as usize;
    let mut limited = 0;
    for number in 0..1000 {
        let issuer = format!("did:web:n{number}.wildcard.example.com");
        let forged = world.token(&issuer, GET_BOOKING, 2);
        let answer = world.ask(HERE, Some(&forged)).await;
        limited += usize::from(is_limited(&answer));
    }
    assert_eq!(limited, 1000 - most);
    assert_eq!(world.network.take_lookups(), most);
}

#[tokio::test]
async fn an_account_that_cannot_be_verified_shuts_out_few_others_of_its_data_server() {
    let world = World::new(Limits {
        anonymous_burst: 6,
        ..small()
    });
    let forged = world.token(ANA, GET_BOOKING, 2);
    for _ in 0..20 {
        world.ask(HERE, Some(&forged)).await;
    }
    assert!(is_limited(&world.ask(HERE, Some(&forged)).await));
    let mut limited = 0;
    for number in 0..16 {
        let did = format!("did:web:n{number}.example.com");
        let token = world.token(&did, GET_BOOKING, 1);
        limited += u32::from(is_limited(&world.ask(HERE, Some(&token)).await));
    }
    assert!(limited <= 3, "{limited} of 16");
}

#[tokio::test]
async fn forged_tokens_for_somebody_known_cause_no_look_up_in_half_a_minute_and_are_paid_for() {
    let world = World::new(small());
    let ask = async |generation| {
        let token = world.token(ANA, GET_BOOKING, generation);
        world.ask(HERE, Some(&token)).await
    };
    assert_eq!(ask(1).await.error(), "BookingNotFound");
    assert_eq!(world.network.take_lookups(), 1);
    assert_eq!(ask(2).await.error(), "BadJwtSignature");
    assert!(
        is_limited(&ask(2).await),
        "one for the look-up, one for the forgery"
    );
    assert_eq!(world.network.take_lookups(), 0, "just asked");
    // Somebody known has nothing to do with it.
    assert_eq!(ask(1).await.error(), "BookingNotFound");
}

#[tokio::test]
async fn who_is_known_pays_nothing_from_their_address() {
    let world = World::new(small());
    let ask = async || {
        let token = world.token(ANA, GET_BOOKING, 1);
        world.ask(HERE, Some(&token)).await
    };
    for _ in 0..3 {
        assert_eq!(ask().await.error(), "BookingNotFound");
    }
    let answer = ask().await;
    assert!(is_limited(&answer), "the account's own is spent");
    assert_eq!(answer.header("ratelimit-limit"), Some("3"));
    assert_eq!(world.network.take_lookups(), 1);
    // What the address has for look-ups it has beside the rest.
    for _ in 0..2 {
        assert_eq!(world.ask(HERE, None).await.status, StatusCode::UNAUTHORIZED);
    }
    assert!(is_limited(&world.ask(HERE, None).await));
}

#[tokio::test]
async fn a_new_key_is_found_and_paid_for_from_the_address() {
    let world = World::new(small());
    let ask = async |generation| {
        let token = world.token(ANA, GET_BOOKING, generation);
        world.ask(HERE, Some(&token)).await
    };
    assert_eq!(ask(1).await.error(), "BookingNotFound");
    world.network.rotate(2);
    world.clock.step(Duration::from_secs(31));
    assert_eq!(ask(2).await.error(), "BookingNotFound");
    assert_eq!(world.network.take_lookups(), 2);
    assert!(is_limited(&ask(3).await), "both look-ups were paid for");
    assert_eq!(ask(2).await.error(), "BookingNotFound", "known again");
}

#[tokio::test]
async fn answers_say_what_is_left_of_the_allowance_that_paid() {
    let world = World::new(small());
    let told = |answer: &Answer| {
        let names = ["limit", "remaining", "reset", "policy"];
        let header = |name| {
            answer
                .header(&format!("ratelimit-{name}"))
                .unwrap()
                .to_owned()
        };
        names.map(header).join(" ")
    };
    // Noon, by the clock of the test, is 1,767,268,800.
    for (remaining, reset) in [(1, 1_767_268_860), (0, 1_767_268_920)] {
        let answer = world.ask(HERE, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(told(&answer), format!("2 {remaining} {reset} 2;w=120"));
    }
    let limited = world.ask(HERE, None).await;
    assert_eq!(limited.error(), "RateLimitExceeded");
    assert_eq!(
        told(&limited),
        "2 0 1767268860 2;w=120",
        "it may come again then"
    );

    let token = world.token(ANA, GET_BOOKING, 1);
    let elsewhere = world.ask(Some("192.0.2.8"), Some(&token)).await;
    assert_eq!(elsewhere.error(), "BookingNotFound");
    assert_eq!(told(&elsewhere), "3 2 1767268860 3;w=180", "the account's");
}

#[tokio::test]
async fn a_token_is_refused_that_lives_longer_than_the_limits_say() {
    let world = World::new(Limits {
        token_lifetime_secs: 120,
        ..Limits::default()
    });
    let ask = async |secs| {
        let token = world.token_of(secs, ANA, GET_BOOKING);
        world.ask(HERE, Some(&token)).await
    };
    assert_eq!(ask(120).await.error(), "BookingNotFound");
    let refused = ask(121).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.error(), "BadJwt");
}

#[tokio::test]
async fn clocks_may_differ_by_as_much_as_the_limits_say() {
    let world = World::new(Limits {
        clock_skew_secs: 5,
        ..Limits::default()
    });
    let [in_time, late] = [(); 2].map(|()| world.token_of(60, ANA, GET_BOOKING));
    world.clock.step(Duration::from_secs(64));
    let answer = world.ask(HERE, Some(&in_time)).await;
    assert_eq!(answer.error(), "BookingNotFound");
    world.clock.step(Duration::from_secs(1));
    let answer = world.ask(HERE, Some(&late)).await;
    assert_eq!(answer.error(), "JwtExpired");
}

#[tokio::test]
async fn a_body_is_refused_that_is_longer_than_the_limits_say() {
    let world = World::new(Limits {
        body_bytes: 1024,
        ..Limits::default()
    });
    let send = async |length: usize| {
        let token = world.token(ANA, CANCEL_BOOKING, 1);
        let authorization = format!("Bearer {token}");
        // With quotation marks around it.
        let body = "x".repeat(length - 2).into();
        let headers = [("authorization", &*authorization)];
        world.post(CANCEL_BOOKING, &body, &headers).await.status
    };
    assert_eq!(send(1024).await, StatusCode::BAD_REQUEST);
    assert_eq!(send(1025).await, StatusCode::PAYLOAD_TOO_LARGE);
}
