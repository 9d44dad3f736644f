//! What somebody is told of what they have entered or connected.

use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{Effects, NotBrought};
use crate::actor::ActorName;
use crate::invitation::{called, handle};
use crate::mail::{ConfirmAddress, Disconnected, Letter, TOKEN_LIFETIME};
use crate::transport::ask;
use crate::user_connector::connector::{ConnectorId, GetCalendars, Health};

impl Effects {
    /// Asks somebody whether the address is theirs that they have entered, unless they have said so or have entered
    /// another since.
    pub async fn confirm_address(&self, person: &Did, mark: &str) -> Result<(), NotBrought> {
        let Some(post) = &self.mail else {
            return Ok(());
        };
        let (actors, now) = (&*self.actors, self.clock.now());
        let waiting = post.addresses.waiting(actors, person, mark, now).await?;
        let Some((to, expires)) = waiting else {
            return Ok(());
        };
        let names = self.names(&[person]).await?;
        let token = post.addresses.token(person, mark);
        let letter = ConfirmAddress {
            page: post.links.as_ref().map(|it| it.confirm(person, &token)),
            // Whoever has entered it may not be who reads it: no text of theirs is in the letter.
            name: handle(person, &names).unwrap_or_else(|| person.to_string()),
            mark: mark.to_owned(),
            zone: self.preferences_of(person).await?.rules.zone,
            asked: expires - TOKEN_LIFETIME,
            token,
            to,
            expires,
        };
        post.send(&Letter::ConfirmAddress(letter)).await
    }

    /// Tells somebody that an account which they have connected for the `revision`th time lets Huddle in no more since
    /// `at`, unless they have connected it anew.
    pub async fn tell_disconnected(
        &self,
        person: &Did,
        connector: &ConnectorId,
        revision: u32,
        at: Timestamp,
    ) -> Result<(), NotBrought> {
        let Some(post) = &self.mail else {
            return Ok(());
        };
        let actor = ActorName::user_connector(person);
        let known = ask(&*self.actors, &actor, GetCalendars { event_of: None }).await?;
        let mut connectors = known.connectors.into_iter();
        let connector = connectors.find(|it| {
            it.id == *connector
                && it.revision == revision
                && matches!(it.health, Health::Disconnected { .. })
        });
        let to = post.addresses.confirmed(&*self.actors, person).await?;
        let (Some(connector), Some(to)) = (connector, to) else {
            return Ok(());
        };
        let names = self.names(&[person]).await?;
        let letter = Disconnected {
            name: called(person, &names),
            connector: connector.id,
            provider: connector.provider,
            label: connector.label,
            zone: self.preferences_of(person).await?.rules.zone,
            at,
            to,
        };
        post.send(&Letter::Disconnected(letter)).await
    }
}
