//! `com.huddle.exportData`

use std::mem;

use futures_util::stream::try_unfold;
use huddle_core::index::audit::Deed;
use huddle_core::index::bookings::{self, Filter};
use huddle_core::index::{Paging, audit, people};
use huddle_core::transport::ask;
use huddle_core::user_connector::GetPreferences;
use huddle_core::{ActorName, booking};
use huddle_lexicon::com::huddle::export_data::{
    Account, AccountEmailStatus, AuditEvent, Booking, End, ExportData as Method, Header,
};
use huddle_ports::Bytes;
use huddle_syntax::Did;
use huddle_syntax::data::{self, Value};
use huddle_syntax::schema::{Call as _, Data, Object, Payload};
use huddle_xrpc::Response;
use huddle_xrpc::server::{BoxError, OrFault as _, Reply, Request};

use super::{Huddle, get_preferences, invitation, view};
use crate::com::huddle::export_data::ExportData;

impl ExportData for Huddle {
    async fn export_data(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let exported = audit::record(&caller, self.clock.now(), Deed::DataExported);
        self.index.batch(exported.to_vec()).await.or_fault()?;
        let mut lines = self.beginning(&caller).await.or_fault()?;
        let payload = Payload {
            content_type: Method::OUTPUT.to_owned(),
            bytes: lines.take(),
        };
        let rest = Rest {
            huddle: self.clone(),
            person: caller,
            after: None,
            lines,
            is_over: false,
        };
        Ok(Response::new(payload).with_rest(try_unfold(rest, Rest::next)))
    }
}

/// So many bookings are read and written at once: however many there are, no more than these take memory.
const PAGE: u32 = 100;

impl Huddle {
    /// All but bookings, of which there may be very many.
    async fn beginning(&self, person: &Did) -> Result<Lines, BoxError> {
        let mut lines = Lines::default();
        let now = view::datetime(self.clock.now())?;
        lines.push(&Header::new(person.clone(), now))?;
        lines.push(&self.account_of(person).await?)?;
        for connector in self.connectors_of(person).await? {
            lines.push(&connector)?;
        }
        for line in audit::of(&*self.index, person, audit::MOST_OF_ONE).await? {
            lines.push(&audit_event(line)?)?;
        }
        Ok(lines)
    }

    /// What belongs to a person as a whole.
    async fn account_of(&self, person: &Did) -> Result<Account, BoxError> {
        let question = GetPreferences {};
        let known = ask(&*self.actors, &ActorName::user_connector(person), question).await?;
        let (preferences, _) = get_preferences::read(&known)?;
        let seen = people::first_seen(&*self.index, person).await?;
        let booked = bookings::first_asked(&*self.index, person).await?;
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
        if let Some(webhooks) = &self.webhooks {
            let webhook = webhooks.of(&*self.actors, person).await?;
            let url = webhook.map(|webhook| webhook.url().parse());
            account.webhook_url = url.transpose()?;
        }
        Ok(account)
    }
}

fn audit_event(line: audit::Line) -> Result<AuditEvent, BoxError> {
    let mut event = AuditEvent::new(view::datetime(line.at)?, line.kind);
    event.detail = Some(line.detail).filter(|detail| !detail.is_empty());
    Ok(event)
}

/// The lines that are still to be written: bookings, those that were asked for last first, and the end.
struct Rest {
    huddle: Huddle,
    person: Did,
    /// Behind which page.
    after: Option<String>,
    lines: Lines,
    is_over: bool,
}

impl Rest {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BoxError> {
        if self.is_over {
            return Ok(None);
        }
        let paging = Paging {
            cursor: self.after.as_deref(),
            limit: PAGE,
        };
        let (index, filter) = (&*self.huddle.index, Filter::default());
        let page = bookings::list(index, &self.person, &filter, paging).await?;
        self.write(&page.items).await?;
        self.after = page.cursor;
        if self.after.is_none() {
            self.is_over = true;
            let end = End::new(self.lines.count);
            self.lines.push(&end)?;
        }
        let text = self.lines.take();
        Ok(Some((text.into(), self)))
    }

    async fn write(&mut self, bookings: &[booking::Booking]) -> Result<(), BoxError> {
        let parties = bookings.iter().map(|booking| &booking.asked);
        let parties: Vec<_> = parties.flat_map(|it| [&it.host, &it.guest]).collect();
        let names = people::names(&*self.huddle.index, &parties).await?;
        for booking in bookings {
            let view = view::called(booking, &names)?;
            let mut line = Booking::new(view, view::history(booking)?);
            line.ics = invitation::write(booking, &self.person, &names)?;
            self.lines.push(&line)?;
        }
        Ok(())
    }
}

/// JSON Lines, each with its `$type`.
#[derive(Default)]
struct Lines {
    /// Those that were not taken yet.
    text: Vec<u8>,
    /// How many there were in all.
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

    fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.text)
    }
}
