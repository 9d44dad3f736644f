//! `com.huddle.putPreferences`

use huddle_core::ActorName;
use huddle_core::preferences::Unsupported;
use huddle_core::transport::ask;
use huddle_core::user_connector::{self, PutRefused};
use huddle_lexicon::com::huddle::put_preferences::{Error, Output, PutPreferences as Method};
use huddle_syntax::schema::Data as _;
use huddle_xrpc::server::{Failure, OrFault as _, Reply, Request};

use super::idempotency::{self, Named};
use super::{Huddle, get_preferences};
use crate::com::huddle::put_preferences::PutPreferences;

impl PutPreferences for Huddle {
    async fn put_preferences(&self, request: Request<Method>) -> Reply<Method> {
        let Named { key, input } = idempotency::named(request)?;
        let caller = key.caller.clone();
        if self.is_served_elsewhere(&caller).await? {
            return Err(Error::ServedElsewhere.into());
        }
        if let Some(wish) = Unsupported::of(&input.preferences).first() {
            let why = wish.to_string();
            return Err(Failure::refused(Error::PreferenceNotSupported, why));
        }
        let document = input.preferences.to_json().or_fault()?;
        let put = user_connector::PutPreferences {
            key,
            document: String::from_utf8(document).or_fault()?,
            // The lexicon's bounds are well within a u32.
            swap_revision: input.swap_revision.and_then(|it| u32::try_from(it).ok()),
        };
        let person = ActorName::user_connector(&caller);
        match ask(&*self.actors, &person, put).await.or_fault()? {
            Ok(known) => {
                let (preferences, revision) = get_preferences::read(&known).or_fault()?;
                Ok(Output::new(preferences, revision).into())
            }
            Err(PutRefused::Mismatch) => Err(Self::mismatch()),
            Err(PutRefused::Changed) => Err(Error::InvalidSwap.into()),
            Err(PutRefused::Invalid(problem)) => Err(Failure::refused(
                Error::InvalidPreferences,
                problem.to_string(),
            )),
        }
    }
}
