//! `com.huddle.getConnectUrl`

use huddle_core::ActorName;
use huddle_core::transport::ask;
use huddle_core::user_connector::connector::{
    Access, ConnectorId, GetCalendars, MAX_CONNECTORS, Provider,
};
use huddle_core::user_connector::ticket::ConnectTicket;
use huddle_lexicon::com::huddle::get_connect_url::{
    Error, GetConnectUrl as Method, Output, Params,
};
use huddle_ports::Url;
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::pages::{self, Pages};
use super::{Huddle, view};
use crate::com::huddle::get_connect_url::GetConnectUrl;

impl GetConnectUrl for Huddle {
    async fn get_connect_url(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let pages = self.pages.as_ref();
        let pages = pages.ok_or(Error::ProviderNotSupported)?;
        let (provider, access) = kind(&request.params).ok_or(Error::ProviderNotSupported)?;
        if self.is_served_elsewhere(&caller).await? {
            return Err(Error::ServedElsewhere.into());
        }
        let (random, now) = (&*pages.random, self.clock.now());
        let mut ticket = ConnectTicket::new(caller, provider, access, random, now);
        ticket.connector = self.connector_for(&ticket, &request.params).await?;
        ticket.return_uri = pages.back_to(&request.params)?;
        let text = ticket.seal(&pages.keys, random);
        let url = pages::opened_by(&pages.connect, &text).or_fault()?;
        let expires_at = view::datetime(ticket.expires_at).or_fault()?;
        Ok(Output::new(url, expires_at).into())
    }
}

/// What is to be connected, if Huddle can do that: nothing can be written to a published file.
fn kind(params: &Params) -> Option<(Provider, Access)> {
    let provider = Provider::from_word(params.provider.as_str())?;
    let access = match &params.access {
        Some(access) => Access::from_word(access.as_str())?,
        None => Access::FreeBusy,
    };
    let is_possible = provider != Provider::Ics || access == Access::FreeBusy;
    is_possible.then_some((provider, access))
}

impl Huddle {
    /// The account that is to be connected anew, if there is one, or nothing, if there is room for one more.
    async fn connector_for(
        &self,
        ticket: &ConnectTicket,
        params: &Params,
    ) -> Result<Option<ConnectorId>, Failure<Error>> {
        let person = ActorName::user_connector(&ticket.person);
        let known = ask(&*self.actors, &person, GetCalendars { event_of: None });
        let connectors = known.await.or_fault()?.connectors;
        let Some(id) = &params.connector_id else {
            let has_room = connectors.len() < MAX_CONNECTORS as usize;
            return if has_room {
                Ok(None)
            } else {
                Err(Error::TooManyConnectors.into())
            };
        };
        let mut ids = connectors.into_iter().map(|connector| connector.id);
        let id = ids.find(|it| it.as_str() == id);
        id.map(Some).ok_or(Error::ConnectorNotFound.into())
    }
}

impl Pages {
    /// Where to send the visitor afterwards: to nobody else's site, or a link of ours could lead anywhere.
    fn back_to(&self, params: &Params) -> Result<Option<String>, Error> {
        let Some(uri) = &params.return_uri else {
            return Ok(None);
        };
        let url = Url::parse(uri.as_str()).map_err(|_| Error::ReturnUriNotAllowed)?;
        if url.origin() == self.connect.origin() && url.origin().is_tuple() {
            Ok(Some(url.into()))
        } else {
            Err(Error::ReturnUriNotAllowed)
        }
    }
}
