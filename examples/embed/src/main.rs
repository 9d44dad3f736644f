//! An app with pages of its own, and Huddle's scheduling behind them: one process, one port.
//!
//! ```sh
//! cargo run -p huddle-example-embed
//! ```

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use huddle_appview::Running;
use huddle_appview::config::Config;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;

#[tokio::main]
async fn main() -> Result<()> {
    // Hosts name this service in their `com.huddle.service` record, and this relay tells of what they publish.
    let config = Config {
        service: "did:web:app.example.com#huddle_appview".parse()?,
        public_url: Some("https://app.example.com".parse()?),
        firehose: vec!["wss://relay.example.com".parse()?],
        ..Config::default()
    };
    let listener = TcpListener::bind(config.listen).await?;
    let huddle = config.start().await?;
    let app = app(&huddle).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async { ctrl_c().await.expect("Ctrl-C is heard of") })
        .await?;
    huddle.finish().await
}

/// The app's own pages, and whatever it does not know is Huddle's to answer.
fn app(huddle: &Running) -> Router {
    Router::new()
        .route("/", get(async || "An app that schedules meetings"))
        .fallback_service(huddle.router())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use huddle_appview::config::DataFolder;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(app: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_app_answers_with_its_pages_and_with_huddles_methods() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder {
            data: folder.path().to_owned(),
        };
        let config = Config {
            data,
            ..Config::default()
        };
        let huddle = config.start().await.unwrap();
        let app = app(&huddle);
        let (status, body) = get(&app, "/").await;
        assert_eq!(
            (status, &*body),
            (StatusCode::OK, "An app that schedules meetings")
        );
        let (status, body) = get(&app, "/xrpc/com.huddle.listOffers?host=did:plc:nobody").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let (status, body) = get(&app, "/xrpc/_health").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(get(&app, "/elsewhere").await.0, StatusCode::NOT_FOUND);
        huddle.finish().await.unwrap();
    }
}
