//! What comes from a host: told apart, counted, and put into the lanes.

use super::event::{BadFrame, Ended, Event, GapCause, News, Notice, Proof};
use super::lane::{Item, Kind, Whose};
use super::{Action, Delivered, Ingest, MAX_GARBAGE, MAX_WORDS, Ticket};
use crate::frame::{ErrorFrame, Info};
use crate::jetstream::{self, JetstreamError};
use crate::{Frame, Hosting};

impl Ingest {
    pub(super) fn jetstream_message(&mut self, bytes: &[u8]) {
        let json = self.decompressor.json(bytes);
        let json = json.map_err(JetstreamError::from);
        let (len, message) = match json.and_then(|it| Ok((it.len(), jetstream::decode(&it)?))) {
            Ok(message) => message,
            Err(why) => return self.bad_frame(why.into()),
        };
        self.garbage = 0;
        let host = self.connection.host();
        let (did, seq) = (message.did, message.time_us);
        self.arrivals.at_micros(seq);
        if !self.passed(host, seq) {
            return;
        }
        let news = match message.news {
            Ok(news) => news.filter(|news| self.wants_news(&did, news)),
            Err(why) => return self.report(Notice::BadFrame { why: why.into() }),
        };
        let Some(news) = news else {
            return;
        };
        match news {
            News::Hosting(Hosting::Deleted) => self.filter.remove_account(&did),
            _ => self.filter.add_account(&did),
        }
        let event = Event::Account {
            did: did.clone(),
            news,
            state: None,
            proof: Proof::None,
        };
        let kind = Kind::Deliver(Some(Box::new(event)));
        let place = self.progress.begin(host, seq);
        let item = Item::new(kind, &did, len, Some(place));
        self.lanes.push(&did, item);
    }

    /// Whether news of a Jetstream are of interest, which has sent each record by itself.
    fn wants_news(&self, did: &str, news: &News) -> bool {
        let News::Changes { changes, .. } = news else {
            return self.filter.wants_account(did);
        };
        let mut paths = changes
            .iter()
            .map(|change| format!("{}/{}", change.collection, change.rkey));
        paths.any(|path| self.filter.wants_path(&path))
    }

    /// Takes the number of something that came. `false` if it is nothing new.
    fn passed(&mut self, host: usize, seq: i64) -> bool {
        if !self.connection.rises(seq) {
            self.hang_up(Ended::Disorder);
            return false;
        }
        let is_new = self.progress.pass(host, seq);
        if !is_new {
            self.came_before();
        }
        is_new
    }

    pub(super) fn repos_frame(&mut self, bytes: &[u8]) {
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(why) => return self.bad_frame(why.into()),
        };
        self.garbage = 0;
        if let Some(time) = frame.time() {
            self.arrivals.at(time);
        }
        let host = self.connection.host();
        if frame.seq().is_some_and(|seq| !self.passed(host, seq)) {
            return;
        }
        let (did, seq, is_wanted) = match &frame {
            Frame::Commit(event) => (event.repo, event.seq, self.filter.wants(event)),
            Frame::Sync(event) => (event.did, event.seq, false),
            Frame::Identity(event) => (event.did, event.seq, false),
            Frame::Account(event) => (event.did, event.seq, false),
            Frame::Info(info) => return self.info(info),
            Frame::Error(error) => return self.error(error),
            Frame::Unknown(_) => return,
        };
        let is_followed = self.filter.wants_account(did);
        if !is_followed && matches!(&frame, Frame::Account(event) if !event.active) {
            self.rests.forget_stranger(did);
        }
        // An account for which something is to be done may be one of interest in a moment.
        if is_wanted || is_followed || self.lanes.is_busy(did) {
            let whose = Whose::of(did, is_followed);
            let of_strangers = self.share_of_strangers();
            if whose == Whose::Strangers && self.lanes.are_strangers_full(of_strangers) {
                return self.report_keyless(did, seq);
            }
            let place = self.progress.begin(host, seq);
            let kind = Kind::Frame(bytes.into());
            let mut item = Item::new(kind, did, bytes.len(), Some(place));
            item.whose = whose;
            let share = self.share();
            if let Some(unneeded) = self.lanes.push_frame(did, item, share) {
                self.progress.finish(unneeded);
            }
            if !matches!(frame, Frame::Commit(_)) {
                self.rests.hasten(did);
            }
        }
    }

    /// The specification would have the connection dropped. But the frame would be there again with the next one, so
    /// that one bad frame would stop the stream for good; and what it may have said of an account is noticed with the
    /// account's next commit.
    pub(super) fn bad_frame(&mut self, why: BadFrame) {
        self.report(Notice::BadFrame { why });
        self.garbage += 1;
        if self.garbage >= MAX_GARBAGE {
            self.skip_garbage();
            self.hang_up(Ended::Garbage);
        }
    }

    /// Garbage without anything that moves the cursor would come again with every connection.
    fn skip_garbage(&mut self) {
        let host = self.connection.host();
        let cursor = self.progress.newest(host);
        let before = std::mem::replace(&mut self.gaps[host].garbage_after, cursor);
        if before == cursor {
            self.lost_numbers(|cursor| GapCause::Garbage { cursor });
        }
    }

    /// Some hosts begin a little before the cursor. One that goes on like that has lost its numbers, and does not say
    /// so.
    fn came_before(&mut self) {
        if self.connection.is_healthy(&self.config.limits) {
            self.lost_numbers(|cursor| GapCause::FutureCursor { cursor });
            self.hang_up(Ended::Disorder);
        }
    }

    fn info(&mut self, info: &Info<'_>) {
        self.report(Notice::Info {
            name: words(info.name),
            message: info.message.map(words),
        });
        if info.name == "OutdatedCursor" {
            self.open_gap(self.connection.host(), GapCause::OutdatedCursor);
        }
    }

    fn error(&mut self, error: &ErrorFrame<'_>) {
        if error.error == "FutureCursor" {
            self.lost_numbers(|cursor| GapCause::FutureCursor { cursor });
        }
        self.hang_up(Ended::Error {
            name: words(error.error),
            message: error.message.map(words),
        });
    }

    /// The cursor is of no use with the host: goes on from where the host is now.
    fn lost_numbers(&mut self, cause: fn(i64) -> GapCause) {
        let host = self.connection.host();
        if let Some(cursor) = self.progress.newest(host) {
            self.progress.renumber(host);
            self.gaps[host].lost_cursor = Some(cause(cursor));
            // The host may have come past it when the next process asks.
            self.outbox.push_back(Action::KeepCursor {
                host: self.config.hosts[host].clone(),
                cursor: None,
            });
        }
    }

    /// A connection is there. Without a cursor, it begins with what comes from now on.
    pub(super) fn begin_stream(&mut self) {
        self.garbage = 0;
        let host = self.connection.host();
        self.report(Notice::Connected {
            host: self.config.hosts[host].clone(),
        });
        if self.progress.newest(host).is_none() {
            let lost = self.gaps[host].lost_cursor.take();
            self.open_gap(host, lost.unwrap_or(GapCause::NoCursor));
        }
    }

    fn open_gap(&mut self, host: usize, cause: GapCause) {
        let gap = &mut self.gaps[host];
        if gap.waiting.is_none() {
            self.progress.open_gap(host);
        }
        let cause = gap.waiting.map_or(cause, |(first, _)| first);
        gap.waiting = Some((cause, self.lanes.arrived()));
    }

    /// One gap of a host after the other, and each after everything that came before it, so that whoever is told holds
    /// what there was. One that waits stands for all that come until it is delivered.
    pub(super) fn deliver_gap(&mut self) -> Option<Action> {
        let lanes = &self.lanes;
        let (host, gap) = self.gaps.iter_mut().enumerate().find(|(_, gap)| {
            let arrived = gap.waiting.map(|(_, arrived)| arrived);
            !gap.is_delivered && arrived.is_some_and(|arrived| lanes.are_done(arrived))
        })?;
        let (cause, _) = gap.waiting.take()?;
        gap.is_delivered = true;
        let event = Event::Gap {
            host: self.config.hosts[host].clone(),
            cause,
        };
        let ticket = self.ticket(Delivered::Gap { host });
        Some(Action::Deliver { ticket, event })
    }

    pub(super) fn ticket(&mut self, delivered: Delivered) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.delivered.insert(ticket, delivered);
        ticket
    }
}

fn words(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}
