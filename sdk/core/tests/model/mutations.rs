//! Rules of the protocol, broken one at a time: for each there is something that goes wrong, unless another rule
//! catches it.

use serde_json::{Value, json};

use crate::actors::{View, number};
use crate::scenario::{Scenario, Tour, slot};
use crate::scenarios;
use crate::sql::Rewrite;

/// One rule, broken.
pub(crate) struct Mutation {
    pub(crate) name: &'static str,
    /// Statements of the actors, changed.
    pub(crate) statements: &'static [Rewrite],
    /// Changes a command on its way to an actor, which looks so.
    pub(crate) command: Option<fn(&mut Value, &View)>,
    /// Changes a reply on its way to a driver.
    pub(crate) reply: Option<fn(&mut Value)>,
    /// People answer a message that comes again as they did the first time, and do nothing.
    pub(crate) answers_from_store: bool,
    /// Drivers release what is prepared before they tell the booking that it must be given up.
    pub(crate) releases_early: bool,
    /// Where that goes wrong.
    pub(crate) scenario: fn() -> Scenario,
    pub(crate) tour: Tour,
}

/// Nothing is broken.
pub(crate) const NONE: Mutation = Mutation {
    name: "nothing",
    statements: &[],
    command: None,
    reply: None,
    answers_from_store: false,
    releases_early: false,
    scenario: scenarios::two_guests_race_for_one_slot,
    tour: scenarios::still(2),
};

const fn statement(during: &'static str, find: &'static str, replace: &'static str) -> Rewrite {
    Rewrite {
        during,
        find,
        replace,
    }
}

/// A booking tells nobody that it is confirmed.
const COMMITS_UNHEARD: Rewrite = statement(
    "Commit",
    "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO outbox (actor, kind, task, due) SELECT ?1, ?2, ?3, ?4 WHERE ?2 <> 'tell'",
);

/// Nobody asks a booking what came of what they have prepared.
const ASKS_NOTHING: Rewrite = statement(
    "wake",
    "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO outbox (actor, kind, task, due) SELECT ?1, ?2, ?3, ?4 WHERE ?3 NOT LIKE '%Outcome%'",
);

pub(crate) const ALL: &[Mutation] = &[
    Mutation {
        name: "the fence is forgotten",
        statements: &[statement("*", "FROM fence WHERE", "FROM fence WHERE 0 AND")],
        scenario: scenarios::several_drivers_of_one_booking,
        ..NONE
    },
    Mutation {
        name: "an attempt is forgotten with its claim",
        statements: &[statement(
            "*",
            "closed FROM fence WHERE",
            "closed FROM fence WHERE EXISTS \
             (SELECT 1 FROM claim WHERE claim.actor = fence.actor AND claim.booking = fence.booking) AND",
        )],
        scenario: scenarios::several_drivers_of_one_booking,
        ..NONE
    },
    Mutation {
        name: "a late message lowers the fence",
        statements: &[
            statement("*", "WHERE attempt <= excluded.attempt", ""),
            statement(
                "*",
                "ELSE max(closed, excluded.closed) END",
                "ELSE excluded.closed END",
            ),
        ],
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "releasing does not close the attempt",
        statements: &[statement(
            "Finish",
            "VALUES (?1, ?2, ?3, ?4, ?5)",
            "VALUES (?1, ?2, ?3, ?4 AND 0, ?5)",
        )],
        scenario: scenarios::several_drivers_of_one_booking,
        ..NONE
    },
    Mutation {
        name: "what is held is not looked at when more is held",
        statements: &[statement(
            "Hold",
            "guard_ends > ?2",
            "0 AND guard_ends > ?2",
        )],
        ..NONE
    },
    Mutation {
        name: "what is held is not looked at, neither when holding nor when preparing",
        statements: &[statement("*", "guard_ends > ?2", "0 AND guard_ends > ?2")],
        ..NONE
    },
    Mutation {
        name: "what is prepared expires",
        statements: &[statement(
            "*",
            "SELECT booking, attempt, state, starts",
            "SELECT booking, attempt, CASE state WHEN 'prepared' THEN 'held' ELSE state END, starts",
        )],
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::leases(1, 0),
        ..NONE
    },
    Mutation {
        name: "a new attempt drops what was prepared for the last",
        statements: &[statement(
            "Hold",
            "AND state = 'held'",
            "AND state <> 'booked'",
        )],
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "a new attempt drops what was booked for the last",
        statements: &[statement("Hold", "AND state = 'held'", "")],
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "held is accepted for any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "Held")),
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::leases(2, 0),
        ..NONE
    },
    Mutation {
        name: "commit is accepted for any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "Commit")),
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "the next attempt is begun after any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "NextAttempt")),
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::of(1, scenarios::leases(2, 0)),
        ..NONE
    },
    Mutation {
        name: "a host is asked for approval after any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "AwaitApproval")),
        scenario: scenarios::the_host_approves,
        tour: scenarios::still(1),
        ..NONE
    },
    Mutation {
        name: "a search is put off after any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "Postpone")),
        scenario: scenarios::the_guest_asks_again,
        tour: scenarios::of(2, scenarios::leases(1, 2)),
        ..NONE
    },
    Mutation {
        name: "a search is given up after any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "Refuse")),
        scenario: scenarios::the_guest_asks_again,
        ..NONE
    },
    Mutation {
        name: "confirming is given up after any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "Abort")),
        scenario: scenarios::either_side_moves_it,
        tour: scenarios::of(2, scenarios::leases(2, 0)),
        ..NONE
    },
    Mutation {
        name: "commit comes without prepare",
        reply: Some(|reply| {
            if let Some(answer) = reply.pointer_mut("/HostMatch/Prepare") {
                *answer = json!({"Ok": null});
            }
        }),
        tour: scenarios::holds(0),
        ..NONE
    },
    Mutation {
        name: "word of a release is lost",
        statements: &[statement(
            "Finish",
            "DELETE FROM claim WHERE",
            "DELETE FROM claim WHERE 0 AND",
        )],
        tour: scenarios::holds(0),
        ..NONE
    },
    Mutation {
        name: "drivers release before the booking has decided",
        releases_early: true,
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::leases(2, 1),
        ..NONE
    },
    Mutation {
        name: "a driver that takes over goes on with the same attempt",
        statements: &[statement(
            "Resume",
            "VALUES (?1, ?2)",
            "VALUES (?1, json_set(?2, '$.attempt', max(1, json_extract(?2, '$.attempt') - 1)))",
        )],
        reply: Some(|reply| {
            if let Some(seek) = reply.pointer_mut("/Booking/Resume/Ok/next/Seek") {
                *seek = json!(number(&*seek).max(2) - 1);
            }
        }),
        scenario: scenarios::the_host_approves,
        tour: scenarios::leases(2, 1),
        ..NONE
    },
    Mutation {
        name: "whoever asks while a booking is being confirmed is told to release",
        statements: &[statement(
            "Outcome",
            "SELECT document FROM",
            "SELECT CASE WHEN json_extract(document, '$.phase.Finalizing') IS NULL THEN document \
             ELSE json_set(document, '$.phase', 'Unmatched') END FROM",
        )],
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::leases(1, 0),
        ..NONE
    },
    Mutation {
        name: "a release also takes what another attempt holds",
        statements: &[statement("Finish", "AND attempt = ?3", "AND ?3 > 0")],
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "a release also takes what was booked for the attempts before",
        statements: &[statement("Finish", "AND state = 'held'", "")],
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "what has changed is not published",
        statements: &[statement(
            "*",
            "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
            "INSERT INTO outbox (actor, kind, task, due) SELECT ?1, ?2, ?3, ?4 WHERE ?3 NOT LIKE '%Project%'",
        )],
        ..NONE
    },
    Mutation {
        name: "the news of a commit are lost",
        statements: &[COMMITS_UNHEARD],
        scenario: scenarios::a_move_to_a_slot_that_another_wants,
        tour: scenarios::holds(0),
        ..NONE
    },
    Mutation {
        name: "the news of a commit are lost, and who has prepared does not ask",
        statements: &[COMMITS_UNHEARD, ASKS_NOTHING],
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "nobody takes over from a driver that has died",
        statements: &[statement(
            "wake",
            "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
            "INSERT INTO outbox (actor, kind, task, due) SELECT ?1, ?2, ?3, ?4 WHERE ?3 NOT LIKE '%Resume%'",
        )],
        ..NONE
    },
    Mutation {
        name: "what has expired is left, granted to another, and then prepared",
        statements: &[
            statement("Prepare", "guard_ends, due", "guard_ends, 9000000000000"),
            statement("Prepare", "guard_ends > ?2", "0 AND guard_ends > ?2"),
            statement(
                "Hold",
                "DELETE FROM claim WHERE",
                "DELETE FROM claim WHERE 0 AND",
            ),
            statement(
                "Hold",
                "VALUES (?1, ?2, ?3, ?4, ?5)",
                "VALUES (?1, ?2, ?3, ?4 AND 0, ?5)",
            ),
        ],
        tour: scenarios::holds(0),
        ..NONE
    },
    Mutation {
        name: "time runs back with the clock, and what has expired is left, granted to another, and then prepared",
        statements: &[
            statement("Hold", "FROM actor WHERE", "FROM actor WHERE 0 AND"),
            statement("Prepare", "FROM actor WHERE", "FROM actor WHERE 0 AND"),
            statement("Prepare", "guard_ends > ?2", "0 AND guard_ends > ?2"),
            statement(
                "Hold",
                "DELETE FROM claim WHERE",
                "DELETE FROM claim WHERE 0 AND",
            ),
            statement(
                "Hold",
                "VALUES (?1, ?2, ?3, ?4, ?5)",
                "VALUES (?1, ?2, ?3, ?4 AND 0, ?5)",
            ),
        ],
        tour: scenarios::back(),
        ..NONE
    },
    Mutation {
        name: "time is forgotten with claims left, and what has expired is granted to another, and then prepared",
        statements: &[
            statement(
                "Hold",
                "EXISTS (SELECT 1 FROM",
                "EXISTS (SELECT 1 WHERE 0) AND EXISTS (SELECT 1 FROM",
            ),
            statement("Prepare", "guard_ends > ?2", "0 AND guard_ends > ?2"),
            statement(
                "Hold",
                "DELETE FROM claim WHERE",
                "DELETE FROM claim WHERE 0 AND",
            ),
            statement(
                "Hold",
                "VALUES (?1, ?2, ?3, ?4, ?5)",
                "VALUES (?1, ?2, ?3, ?4 AND 0, ?5)",
            ),
        ],
        tour: scenarios::back(),
        ..NONE
    },
    Mutation {
        name: "somebody prepares whatever slot is asked for, having told of another than they hold",
        command: Some(prepare_what_is_held),
        reply: Some(tell_of_another_slot),
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "a hold that has run out is told to be over before that is written",
        statements: &[statement(
            "Prepare",
            "DELETE FROM claim WHERE",
            "DELETE FROM claim WHERE 0 AND",
        )],
        tour: scenarios::holds(0),
        ..NONE
    },
    Mutation {
        name: "a booking is told to have expired before that is written",
        statements: &[statement(
            "Finalize",
            "DO UPDATE SET document = excluded.document",
            "DO UPDATE SET document = excluded.document \
             WHERE json_extract(excluded.document, '$.phase.Expired') IS NULL",
        )],
        tour: scenarios::holds(0),
        ..NONE
    },
    Mutation {
        name: "a booking is moved once more while it is being moved",
        statements: &[statement(
            "Reschedule",
            "SELECT document FROM",
            "SELECT json_replace(document, '$.phase.Confirmed.change', json('null')) FROM",
        )],
        scenario: scenarios::either_side_moves_it,
        ..NONE
    },
    Mutation {
        name: "word of a confirmation creates a claim",
        statements: &[
            statement(
                "Finish",
                "counterpart FROM claim WHERE actor = ?1 AND booking = ?2 AND attempt = ?3",
                "counterpart FROM claim WHERE actor = ?1 AND booking = ?2 AND attempt = ?3 UNION ALL \
                 SELECT ?2, ?3, 'prepared', 1801728000000, 1801731600000, 1801728000000, 1801731600000, 0, 'host', \
                 'did:web:guest.example' \
                 WHERE ?1 <> ''",
            ),
            statement(
                "Finish",
                "UPDATE claim SET state = ?4, due = ?5 WHERE actor = ?1 AND booking = ?2 AND attempt = ?3",
                "INSERT OR REPLACE INTO claim VALUES (?1, ?2, ?3, ?4, 1801728000000, 1801731600000, 1801728000000, \
                 1801731600000, 'host', 'did:web:guest.example', 0, ?5)",
            ),
        ],
        scenario: scenarios::either_side_calls_it_off,
        ..NONE
    },
    Mutation {
        name: "a search that finds nothing does not know that its booking was answered",
        statements: &[statement(
            "Refuse",
            "SELECT document FROM",
            "SELECT json_set(document, '$.known', json('false'), '$.approved', json('false')) FROM",
        )],
        scenario: scenarios::the_host_approves,
        ..NONE
    },
    Mutation {
        name: "who waits for a host does not hear that the host has answered",
        statements: &[statement(
            "Finish",
            "DELETE FROM petition WHERE",
            "DELETE FROM petition WHERE 0 AND",
        )],
        scenario: scenarios::the_host_approves,
        ..NONE
    },
    Mutation {
        name: "a word that comes late has somebody wait for an answer that was given",
        statements: &[statement(
            "Petition",
            "FROM fence WHERE",
            "FROM fence WHERE 0 AND",
        )],
        scenario: scenarios::the_host_approves,
        ..NONE
    },
    Mutation {
        name: "a booking forgets the second of the days that hold its slot",
        command: Some(|command, _| {
            if let Some(Value::Array(days)) = command.pointer_mut("/Booking/Held/days") {
                days.truncate(1);
            }
        }),
        scenario: scenarios::a_slot_over_midnight,
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "days do not look at what they hold",
        statements: &[statement("*", "guard_ends > ?2", "0 AND guard_ends > ?2")],
        scenario: scenarios::a_buffer_that_reaches_into_the_next_day,
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "nobody says that the time of a person is kept by days",
        reply: Some(|reply| {
            if let Some(sharded) = reply.pointer_mut("/HostMatch/Hold/Ok/sharded") {
                *sharded = json!(false);
            }
        }),
        scenario: scenarios::slots_that_share_a_day,
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "days do not hear what became of a booking",
        statements: &[statement(
            "*",
            "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
            "INSERT INTO outbox (actor, kind, task, due) SELECT ?1, ?2, ?3, ?4 WHERE ?3 NOT LIKE '%/2027-%'",
        )],
        scenario: scenarios::a_slot_over_midnight,
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "what was booked before a move stays with its days",
        statements: &[statement(
            "Commit",
            "INSERT INTO outbox (actor, kind, task, due) VALUES (?1, ?2, ?3, ?4)",
            "INSERT INTO outbox (actor, kind, task, due) SELECT ?1, ?2, ?3, ?4 \
             WHERE NOT (?3 LIKE '%/2027-%' AND ?3 LIKE '%Released%')",
        )],
        scenario: scenarios::a_move_to_the_next_day,
        tour: scenarios::still(0),
        ..NONE
    },
    Mutation {
        name: "a person's time comes to be kept by days when some of it is given away",
        statements: &[statement(
            "Shard",
            "FROM fence WHERE",
            "FROM fence WHERE 0 AND",
        )],
        scenario: scenarios::days_that_come_too_late,
        tour: scenarios::still(0),
        ..NONE
    },
];

/// Rules that are broken without harm, because others catch what comes of it.
pub(crate) const CAUGHT: &[Mutation] = &[
    // Whatever is granted over a hold that has run out ends it, and its attempt, in the same turn: so no two holds
    // meet, and there is nothing to be found when one of them is prepared.
    Mutation {
        name: "what else is held is not looked at when a slot is prepared",
        statements: &[statement(
            "Prepare",
            "guard_ends > ?2",
            "0 AND guard_ends > ?2",
        )],
        tour: scenarios::holds(0),
        ..NONE
    },
    // The other way round: where a hold that has run out is left, it is the last look that finds it. With both of these
    // broken the time is given away twice, see above.
    Mutation {
        name: "what has expired is left and granted to another, and looked at when a slot is prepared",
        statements: &[
            statement("Prepare", "guard_ends, due", "guard_ends, 9000000000000"),
            statement(
                "Hold",
                "DELETE FROM claim WHERE",
                "DELETE FROM claim WHERE 0 AND",
            ),
            statement(
                "Hold",
                "VALUES (?1, ?2, ?3, ?4, ?5)",
                "VALUES (?1, ?2, ?3, ?4 AND 0, ?5)",
            ),
        ],
        tour: scenarios::holds(0),
        ..NONE
    },
    // A slot is searched for by one driver for each attempt, which asks everybody for the same, so nobody is asked to
    // prepare another than they hold. Should they be, they refuse. With both broken, see above.
    Mutation {
        name: "somebody tells of another slot than they hold",
        reply: Some(tell_of_another_slot),
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::still(0),
        ..NONE
    },
    // Whatever people are told names its attempt, and no slot is searched for twice for one attempt: a message that
    // comes again is a copy, whose answer nobody waits for, or asks once more for what is prepared, which never ends
    // before the booking has decided. To go by the state is not what keeps anything safe here: it is what needs no
    // store, and no time after which the store forgets.
    Mutation {
        name: "people answer from a store what they were asked before",
        answers_from_store: true,
        scenario: scenarios::several_drivers_of_one_booking,
        tour: scenarios::leases(2, 0),
        ..NONE
    },
    // An attempt is searched for by one driver, but may be confirmed by several, each of which may find a calendar that
    // it cannot read while others have it prepared. So this word comes at no wrong moment: all who prepare hear what
    // becomes of the attempt, and a driver that goes on is not listened to. A move is given up in vain, and the meeting
    // stands where it was.
    Mutation {
        name: "confirming is put off after any attempt",
        command: Some(|command, view| of_present_attempt(command, view, "Suspend")),
        scenario: scenarios::each_side_moves_it,
        ..NONE
    },
    // What a booking has decided is in its outbox with the decision, and nothing is ever lost from there. To ask is for
    // where something is, as when a booking is put back as it was before. With both broken, see above.
    Mutation {
        name: "who has prepared does not ask what came of it",
        statements: &[ASKS_NOTHING],
        scenario: scenarios::either_side_calls_it_off,
        tour: scenarios::leases(2, 0),
        ..NONE
    },
    // The other way round: who has prepared asks. Who has booked does not, so it is the news of a move that must not be
    // lost, see above.
    Mutation {
        name: "the news of a commit are lost where nothing was booked before",
        statements: &[COMMITS_UNHEARD],
        tour: scenarios::leases(1, 0),
        ..NONE
    },
];

/// Makes a command one for the present attempt of the booking that it comes to.
fn of_present_attempt(command: &mut Value, view: &View, name: &str) {
    let attempt = command.pointer_mut(&format!("/Booking/{name}/attempt"));
    if let (Some(attempt), Some(booking)) = (attempt, &view.booking) {
        *attempt = json!(booking.attempt);
    }
}

/// Makes a command to prepare a slot one for the slot that is held.
fn prepare_what_is_held(command: &mut Value, view: &View) {
    let Some(prepare) = command.pointer_mut("/HostMatch/Prepare") else {
        return;
    };
    let mut claims = view.claims.iter();
    let held = claims
        .find(|claim| prepare["booking"] == claim.booking && prepare["attempt"] == claim.attempt);
    if let Some(claim) = held {
        prepare["slot"] = json!(claim.slot);
    }
}

/// Has whoever is asked for one of two slots, and holds the first, tell that it is the second.
fn tell_of_another_slot(reply: &mut Value) {
    if let Some(told) = reply.pointer_mut("/HostMatch/Hold/Ok/slot") {
        *told = json!(slot(1));
    }
}
