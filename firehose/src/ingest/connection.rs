//! One connection at a time: to which host, since when, and when it is given up.

use std::time::Duration;

use super::backoff::Backoff;
use super::{ConnectionId, Ended, Limits};

/// The state of the connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    hosts: usize,
    host: usize,
    /// How many connections in a row were not [healthy](Limits::healthy).
    failures: u32,
    next_id: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting {
        until: Duration,
    },
    Opening {
        id: ConnectionId,
        since: Duration,
    },
    Open {
        id: ConnectionId,
        since: Duration,
        /// When the host last gave a sign of life.
        heard: Duration,
        /// When the last frame came.
        received: Duration,
        /// The newest number that came over this connection.
        newest: Option<i64>,
    },
    Stopped,
}

/// After so many failures the next host has its turn. Its numbers are others: whoever has no cursor for them has a gap,
/// so one bad moment is not reason enough.
const FAILURES_A_HOST: u32 = 3;

impl Connection {
    /// No connection yet, and no reason to wait for one.
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            hosts,
            host: 0,
            failures: 0,
            next_id: 0,
            state: State::Waiting {
                until: Duration::ZERO,
            },
        }
    }

    /// Which host it is to, or will be.
    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn is_open(&self, id: ConnectionId) -> bool {
        matches!(self.state, State::Open { id: open, .. } if open == id)
    }

    fn is_opening(&self, id: ConnectionId) -> bool {
        matches!(self.state, State::Opening { id: opening, .. } if opening == id)
    }

    /// Whether this connection has not ended.
    pub(super) fn is_current(&self, id: ConnectionId) -> bool {
        self.is_open(id) || self.is_opening(id)
    }

    /// The connection to close, if there is one.
    pub(super) fn current(&self) -> Option<ConnectionId> {
        match self.state {
            State::Opening { id, .. } | State::Open { id, .. } => Some(id),
            State::Waiting { .. } | State::Stopped => None,
        }
    }

    /// Begins a connection, if it is time for one.
    pub(super) fn begin(&mut self, now: Duration) -> Option<ConnectionId> {
        let State::Waiting { until } = self.state else {
            return None;
        };
        if now < until {
            return None;
        }
        let id = ConnectionId(self.next_id);
        self.next_id += 1;
        self.state = State::Opening { id, since: now };
        Some(id)
    }

    /// The connection is there. `false` if it is not the one that was asked for last.
    pub(super) fn opened(&mut self, id: ConnectionId, now: Duration) -> bool {
        if !self.is_opening(id) {
            return false;
        }
        self.state = State::Open {
            id,
            since: now,
            heard: now,
            received: now,
            newest: None,
        };
        true
    }

    /// The host has given a sign of life.
    pub(super) fn heard(&mut self, now: Duration) {
        if let State::Open { heard, .. } = &mut self.state {
            *heard = now;
        }
    }

    /// That no frame has come is nobody's fault.
    pub(super) fn excuse(&mut self, now: Duration) {
        if let State::Open { received, .. } = &mut self.state {
            *received = now;
        }
    }

    /// A frame has come, or could not, because nobody listened.
    pub(super) fn received(&mut self, now: Duration) {
        if let State::Open {
            heard, received, ..
        } = &mut self.state
        {
            (*heard, *received) = (now, now);
        }
    }

    /// Takes the number of something that came. `false` if numbers do not rise, as they must within a connection.
    pub(super) fn rises(&mut self, seq: i64) -> bool {
        let State::Open { newest, .. } = &mut self.state else {
            return false;
        };
        let rises = newest.is_none_or(|newest| seq > newest);
        *newest = Some(seq);
        rises
    }

    /// Why the connection has to be given up by now.
    pub(super) fn overdue(&self, limits: &Limits, now: Duration) -> Option<Ended> {
        let (deadline, why) = self.deadline(limits)?;
        (now >= deadline).then_some(why)
    }

    fn deadline(&self, limits: &Limits) -> Option<(Duration, Ended)> {
        match self.state {
            State::Opening { since, .. } => Some((
                since.saturating_add(limits.connect_timeout),
                Ended::ConnectTimeout,
            )),
            State::Open {
                heard, received, ..
            } => {
                let silent = heard.saturating_add(limits.silence);
                let idle = received.saturating_add(limits.idle);
                Some(if idle < silent {
                    (idle, Ended::Idle)
                } else {
                    (silent, Ended::Silent)
                })
            }
            State::Waiting { .. } | State::Stopped => None,
        }
    }

    /// When something has to be done, whatever happens until then.
    pub(super) fn wake_at(&self, limits: &Limits) -> Option<Duration> {
        match self.state {
            State::Waiting { until } => Some(until),
            _ => self.deadline(limits).map(|(deadline, _)| deadline),
        }
    }

    /// The connection has ended, by whomever: waits for the next one, and returns until when.
    pub(super) fn ended(
        &mut self,
        why: &Ended,
        limits: &Limits,
        backoff: &mut Backoff,
        now: Duration,
    ) -> Duration {
        if self.is_healthy(limits) && *why != Ended::Idle {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures.is_multiple_of(FAILURES_A_HOST) {
            self.host = (self.host + 1) % self.hosts;
        }
        let until = now.saturating_add(backoff.after(self.failures));
        self.state = State::Waiting { until };
        until
    }

    /// Whether the host has given signs of life for long enough.
    pub(super) fn is_healthy(&self, limits: &Limits) -> bool {
        matches!(
            self.state,
            State::Open { since, heard, .. } if heard.saturating_sub(since) >= limits.healthy
        )
    }

    /// Never connects again.
    pub(super) fn stop(&mut self) {
        self.state = State::Stopped;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state == State::Stopped
    }
}

#[cfg(test)]
mod tests {
    use super::super::backoff::LONGEST;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Rig {
        connection: Connection,
        limits: Limits,
        backoff: Backoff,
        now: Duration,
    }

    impl Rig {
        fn new(hosts: usize) -> Self {
            Self {
                connection: Connection::new(hosts),
                limits: Limits::default(),
                backoff: Backoff::new(1),
                now: Duration::from_secs(1_700_000_000),
            }
        }

        fn open(&mut self) -> ConnectionId {
            self.now = self.now.max(self.connection.wake_at(&self.limits).unwrap());
            let id = self.connection.begin(self.now).unwrap();
            assert!(self.connection.opened(id, self.now));
            id
        }

        fn end(&mut self) -> Duration {
            let until =
                self.connection
                    .ended(&Ended::Closed, &self.limits, &mut self.backoff, self.now);
            until.saturating_sub(self.now)
        }

        /// The longest wait of many after so many more failures than now.
        fn longest(&self) -> Duration {
            let waits = (0..200).map(|seed| {
                let (mut connection, mut backoff) = (self.connection.clone(), Backoff::new(seed));
                let until = connection.ended(&Ended::Closed, &self.limits, &mut backoff, self.now);
                until.saturating_sub(self.now)
            });
            waits.max().unwrap()
        }
    }

    #[test]
    fn waits_grow_with_failures_and_begin_anew_after_a_healthy_connection() {
        let mut rig = Rig::new(1);
        for _ in 0..10 {
            rig.open();
            rig.end();
        }
        rig.open();
        assert!(rig.longest() > LONGEST * 9 / 10);

        rig.now += rig.limits.healthy;
        rig.connection.heard(rig.now);
        assert!(rig.longest() <= SECOND);
    }

    #[test]
    fn a_connection_on_which_nothing_is_heard_is_not_healthy_however_long_it_lasts() {
        let mut rig = Rig::new(1);
        for _ in 0..10 {
            rig.open();
            rig.now += rig.limits.healthy * 2;
            rig.end();
        }
        assert!(rig.longest() > LONGEST / 2);
    }

    #[test]
    fn another_host_has_its_turn_after_three_failures_and_a_healthy_one_stays() {
        let mut rig = Rig::new(2);
        let mut hosts = Vec::new();
        for _ in 0..7 {
            rig.open();
            hosts.push(rig.connection.host());
            rig.end();
        }
        assert_eq!(hosts, [0, 0, 0, 1, 1, 1, 0]);
        for _ in 0..5 {
            rig.open();
            rig.now += rig.limits.healthy;
            rig.connection.heard(rig.now);
            rig.end();
            assert_eq!(rig.connection.host(), 0);
        }
    }

    #[test]
    fn a_connection_that_does_not_come_about_or_falls_silent_is_given_up() {
        let mut rig = Rig::new(1);
        let begun = rig.now;
        rig.connection.begin(rig.now).unwrap();
        let timeout = rig.limits.connect_timeout;
        assert_eq!(rig.connection.wake_at(&rig.limits), Some(begun + timeout));
        let overdue = |rig: &Rig, at| rig.connection.overdue(&rig.limits, at);
        assert_eq!(overdue(&rig, begun + timeout / 2), None);
        assert_eq!(overdue(&rig, begun + timeout), Some(Ended::ConnectTimeout));
        rig.end();

        rig.open();
        let opened = rig.now;
        let silence = rig.limits.silence;
        rig.connection.heard(opened + SECOND);
        assert_eq!(overdue(&rig, opened + silence), None);
        assert_eq!(
            overdue(&rig, opened + silence + SECOND),
            Some(Ended::Silent)
        );
    }

    #[test]
    fn a_host_that_answers_and_sends_nothing_is_given_up_and_that_is_a_failure() {
        let mut rig = Rig::new(2);
        for turn in 0..3 {
            rig.open();
            let opened = rig.now;
            while rig.connection.overdue(&rig.limits, rig.now).is_none() {
                rig.connection.heard(rig.now);
                rig.now += SECOND;
            }
            assert_eq!(rig.now, opened + rig.limits.idle);
            let overdue = rig.connection.overdue(&rig.limits, rig.now);
            assert_eq!(overdue, Some(Ended::Idle));
            assert_eq!(rig.connection.host(), 0, "turn {turn}");
            let (limits, backoff) = (&rig.limits, &mut rig.backoff);
            rig.connection.ended(&Ended::Idle, limits, backoff, rig.now);
        }
        assert_eq!(rig.connection.host(), 1);

        rig.open();
        rig.now += rig.limits.idle / 2;
        rig.connection.received(rig.now);
        rig.now += rig.limits.idle / 2;
        rig.connection.heard(rig.now);
        assert_eq!(rig.connection.overdue(&rig.limits, rig.now), None);
    }

    #[test]
    fn what_an_earlier_connection_says_does_not_count() {
        let mut rig = Rig::new(1);
        let first = rig.open();
        rig.end();
        let second = rig.open();
        assert!(!rig.connection.is_current(first));
        assert!(!rig.connection.opened(first, rig.now));
        assert!(rig.connection.is_open(second));
    }
}
