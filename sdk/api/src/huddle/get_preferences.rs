//! `com.huddle.getPreferences`

use huddle_core::ActorName;
use huddle_core::preferences::Unsupported;
use huddle_core::transport::ask;
use huddle_core::user_connector::addresses::ReadAddress;
use huddle_core::user_connector::webhook::ReadWebhook;
use huddle_core::user_connector::{self, PreferencesDocument};
use huddle_lexicon::com::huddle::defs::Preferences;
use huddle_lexicon::com::huddle::get_preferences::{
    GetPreferences as Method, Output, OutputEmailStatus, OutputWebhookStatus,
};
use huddle_syntax::schema::{Data as _, Invalid};
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::Huddle;
use crate::com::huddle::get_preferences::GetPreferences;

impl GetPreferences for Huddle {
    async fn get_preferences(&self, request: Request<Method>) -> Reply<Method> {
        let person = ActorName::user_connector(&request.caller()?.did);
        let question = user_connector::GetPreferences {};
        let known = ask(&*self.actors, &person, question).await.or_fault()?;
        let (preferences, revision) = read(&known).or_fault()?;
        let address = ask(&*self.actors, &person, ReadAddress {})
            .await
            .or_fault()?;
        let status = match address {
            None => OutputEmailStatus::None,
            Some(address) if address.confirmed => OutputEmailStatus::Confirmed,
            Some(_) => OutputEmailStatus::Unconfirmed,
        };
        let webhook = ask(&*self.actors, &person, ReadWebhook {})
            .await
            .or_fault()?;
        let mut output = Output::new(preferences, revision, status);
        output.webhook_status = Some(match webhook {
            None => OutputWebhookStatus::None,
            Some(_) => OutputWebhookStatus::Set,
        });
        Ok(output.into())
    }
}

pub(super) fn read(known: &PreferencesDocument) -> Result<(Preferences, i64), Invalid> {
    let mut preferences = Preferences::from_json(known.document.as_bytes())?;
    // An earlier version kept what nothing here fulfils, and whoever puts back what they got would be refused.
    Unsupported::take_from(&mut preferences);
    Ok((preferences, known.revision.into()))
}
