//! `com.huddle.listConnectors`

use huddle_core::ActorName;
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{Connector, GetCalendars, Health};
use huddle_lexicon::com::huddle::defs::{ConnectorView, ConnectorViewStatus as Status};
use huddle_lexicon::com::huddle::list_connectors::{ListConnectors as Method, Output};
use huddle_syntax::Did;
use huddle_syntax::schema::TextEnum;
use huddle_xrpc::server::{BoxError, OrFault as _, Reply, Request};

use super::{Huddle, view};
use crate::com::huddle::list_connectors::ListConnectors;

impl ListConnectors for Huddle {
    async fn list_connectors(&self, request: Request<Method>) -> Reply<Method> {
        let connectors = self
            .connectors_of(&request.caller()?.did)
            .await
            .or_fault()?;
        Ok(Output::new(connectors).into())
    }
}

impl Huddle {
    /// A person's connected accounts as they see them.
    pub(super) async fn connectors_of(&self, person: &Did) -> Result<Vec<ConnectorView>, BoxError> {
        let person = ActorName::user_connector(person);
        let known = ask(&*self.actors, &person, GetCalendars { event_of: None }).await?;
        known.connectors.iter().map(connector).collect()
    }
}

fn connector(connector: &Connector) -> Result<ConnectorView, BoxError> {
    let mut view = ConnectorView::new(
        connector.id.as_str(),
        word(connector.provider.as_str()),
        word(connector.access.as_str()),
        status(connector.health),
        view::datetime(connector.created_at)?,
    );
    view.label.clone_from(&connector.label);
    view.last_synced_at = connector.read_at.map(view::datetime).transpose()?;
    Ok(view)
}

/// The core's words are those of the lexicon.
fn word<T: TextEnum>(word: &str) -> T {
    T::from_text(word).expect("an open set has a value for every text")
}

fn status(health: Health) -> Status {
    match health {
        Health::Connected => Status::Connected,
        Health::Failing { .. } => Status::Failing,
        Health::Disconnected { .. } => Status::Disconnected,
    }
}
