//! Generated handler traits are implemented with plain `async fn`s, and their routes make a router.

use huddle_codegen_golden::handlers::procedure::com::golden::procedure::Procedure as _;
use huddle_codegen_golden::handlers::procedure::{self, com};
use huddle_codegen_golden::procedure::com::golden::procedure::{
    Error, Input, Output, OutputMode, Params, Procedure,
};
use huddle_codegen_golden::procedure::com::golden::procedure_bare::ProcedureBare;
use huddle_xrpc::server::{Failure, Reply, Request, Router};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

struct App {
    busy: bool,
}

impl com::golden::procedure::Procedure for App {
    async fn procedure(&self, request: Request<Procedure>) -> Reply<Procedure> {
        if self.busy {
            return Err(Error::Busy.into());
        }
        let mode = if request.params.dry == Some(true) {
            OutputMode::Queued
        } else {
            OutputMode::Done
        };
        Ok(Output::new(mode).into())
    }
}

impl com::golden::procedure_bare::ProcedureBare for App {
    async fn procedure_bare(&self, _: Request<ProcedureBare>) -> Reply<ProcedureBare> {
        Ok(().into())
    }
}

/// Calls `com.golden.procedure`; nothing in it waits.
fn answer(app: &App, dry: Option<bool>) -> Reply<Procedure> {
    let request = Request::new(Params { dry }, Input::new("name"));
    match pin!(app.procedure(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => reply,
        Poll::Pending => unreachable!("the handler awaits nothing"),
    }
}

#[test]
fn a_handler_reads_typed_parameters_and_answers_with_the_typed_output() {
    let app = App { busy: false };
    for (dry, mode) in [
        (Some(true), OutputMode::Queued),
        (Some(false), OutputMode::Done),
        (None, OutputMode::Done),
    ] {
        let reply = answer(&app, dry).expect("it is not busy");
        assert_eq!(reply.output.mode, mode, "{dry:?}");
    }
}

#[test]
fn a_handler_refuses_with_an_error_of_its_lexicon() {
    match answer(&App { busy: true }, None) {
        Err(Failure::Refused(refusal)) => assert_eq!(refusal.error(), Error::Busy),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_routes_of_all_methods_are_added_at_once() {
    let router = procedure::handlers::routes(Router::new(Arc::new(App { busy: false })));
    let text = format!("{router:?}");
    assert!(
        text.contains(r#"methods: ["com.golden.procedure", "com.golden.procedureBare"]"#),
        "{text}"
    );
}
