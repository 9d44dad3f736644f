//! The classes of the Durable Objects, one for each kind of actor. They differ by name alone: the
//! platform keeps the objects of each class apart.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, wasm_bindgen};

use crate::actor_object::ActorObject;

macro_rules! classes {
    ($( $class:ident, )+) => { $(
        #[durable_object(alarm)]
        #[derive(Debug)]
        pub(crate) struct $class(ActorObject);

        impl DurableObject for $class {
            fn new(state: State, env: Env) -> Self {
                Self(ActorObject::start(state, env))
            }

            async fn fetch(&self, request: Request) -> Result<Response> {
                self.0.fetch(request).await
            }

            async fn alarm(&self) -> Result<Response> {
                self.0.alarm().await
            }
        }
    )+ };
}

classes! {
    HostMatchDO,
    BookingDO,
    UserConnectorDO,
    RateLimiterDO,
}
