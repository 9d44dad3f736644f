//! `com.huddle.deleteConnector`

use huddle_core::ActorName;
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Disconnect, DisconnectRefused};
use huddle_lexicon::com::huddle::delete_connector::{DeleteConnector as Method, Error, Output};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::Huddle;
use super::idempotency::{self, Named};
use crate::com::huddle::delete_connector::DeleteConnector;

impl DeleteConnector for Huddle {
    async fn delete_connector(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let person = ActorName::user_connector(&key.caller);
        let disconnect = Disconnect {
            key,
            id: input.connector_id.into(),
        };
        match ask(&*self.actors, &person, disconnect).await.or_fault()? {
            Ok(()) => Ok(Output::default().into()),
            Err(DisconnectRefused::Mismatch) => Err(Self::mismatch()),
            Err(DisconnectRefused::NotFound) => Err(Error::ConnectorNotFound.into()),
        }
    }
}
