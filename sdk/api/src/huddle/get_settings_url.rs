//! `com.huddle.getSettingsUrl`

use huddle_core::user_connector::ticket::SettingsTicket;
use huddle_lexicon::com::huddle::get_settings_url::{Error, GetSettingsUrl as Method, Output};
use huddle_xrpc::Generic;
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, pages, view};
use crate::com::huddle::get_settings_url::GetSettingsUrl;

impl GetSettingsUrl for Huddle {
    async fn get_settings_url(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let Some(pages) = &self.pages else {
            let has_none = Generic::MethodNotImplemented.because("This service has no pages");
            return Err(has_none.into());
        };
        if self.is_served_elsewhere(&caller).await? {
            return Err(Error::ServedElsewhere.into());
        }
        let ticket = SettingsTicket::new(caller, self.clock.now());
        let text = ticket.seal(&pages.keys, &*pages.random);
        let url = pages::opened_by(&pages.settings, &text).or_fault()?;
        let expires_at = view::datetime(ticket.expires_at).or_fault()?;
        Ok(Output::new(url, expires_at).into())
    }
}
