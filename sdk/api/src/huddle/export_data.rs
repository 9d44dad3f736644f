//! `com.huddle.exportData`

use huddle_core::index::bookings::{self, Filter};
use huddle_core::index::{Paging, people};
use huddle_core::transport::ask;
use huddle_core::user_connector::GetPreferences;
use huddle_core::{ActorName, booking};
use huddle_lexicon::com::huddle::export_data::{
    Account, AccountEmailStatus, Booking, End, ExportData as Method, Header,
};
use huddle_ports::Timestamp;
use huddle_syntax::Did;
use huddle_syntax::data::{self, Value};
use huddle_syntax::schema::{Call as _, Data, Object, Payload};
use huddle_xrpc::server::{BoxError, OrFault as _, Reply, Request};

use super::{Huddle, get_preferences, invitation, view};
use crate::com::huddle::export_data::ExportData;

impl ExportData for Huddle {
    async fn export_data(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let mut lines = Lines::default();
        let now = view::datetime(self.clock.now()).or_fault()?;
        lines.push(&Header::new(caller.clone(), now)).or_fault()?;
        let bookings = self.bookings_of(&caller).await.or_fault()?;
        let first = bookings.iter().map(|booking| booking.created_at).min();
        let account = self.account_of(&caller, first).await.or_fault()?;
        lines.push(&account).or_fault()?;
        for connector in self.connectors_of(&caller).await.or_fault()? {
            lines.push(&connector).or_fault()?;
        }
        let names = self.called(&bookings).await?;
        for booking in &bookings {
            let view = view::called(booking, &names).or_fault()?;
            let mut line = Booking::new(view, view::history(booking).or_fault()?);
            line.ics = invitation::write(booking, &caller, &names).or_fault()?;
            lines.push(&line).or_fault()?;
        }
        let end = End::new(lines.count);
        lines.push(&end).or_fault()?;
        let payload = Payload {
            content_type: Method::OUTPUT.to_owned(),
            bytes: lines.text,
        };
        Ok(payload.into())
    }
}

/// So many bookings are read at once.
const PAGE: u32 = 100;

impl Huddle {
    async fn bookings_of(&self, person: &Did) -> Result<Vec<booking::Booking>, BoxError> {
        let (filter, mut cursor, mut all) = (Filter::default(), None::<String>, Vec::new());
        loop {
            let paging = Paging {
                cursor: cursor.as_deref(),
                limit: PAGE,
            };
            let page = bookings::list(&*self.index, person, &filter, paging).await?;
            all.extend(page.items);
            if page.cursor.is_none() {
                return Ok(all);
            }
            cursor = page.cursor;
        }
    }

    /// What belongs to a person as a whole, who has been known at least since `booked`.
    async fn account_of(
        &self,
        person: &Did,
        booked: Option<Timestamp>,
    ) -> Result<Account, BoxError> {
        let question = GetPreferences {};
        let known = ask(&*self.actors, &ActorName::user_connector(person), question).await?;
        let (preferences, _) = get_preferences::read(&known)?;
        let seen = people::first_seen(&*self.index, person).await?;
        let since = seen.into_iter().chain(booked).min();
        let since = view::datetime(since.unwrap_or_else(|| self.clock.now()))?;
        let address = match &self.addresses {
            Some(addresses) => addresses.of(&*self.actors, person).await?,
            None => None,
        };
        let status = match &address {
            None => AccountEmailStatus::None,
            Some((_, true)) => AccountEmailStatus::Confirmed,
            Some((_, false)) => AccountEmailStatus::Unconfirmed,
        };
        let mut account = Account::new(status, preferences, since);
        account.email = address.map(|(address, _)| address.as_str().to_owned());
        Ok(account)
    }
}

/// JSON Lines, each with its `$type`.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    count: i64,
}

impl Lines {
    fn push<T: Object + Data>(&mut self, line: &T) -> Result<(), BoxError> {
        let mut line = line.to_value()?;
        if let Value::Map(line) = &mut line {
            line.insert("$type", T::TYPE.into());
        }
        self.text.extend(data::to_json(&line)?);
        self.text.push(b'\n');
        self.count += 1;
        Ok(())
    }
}
