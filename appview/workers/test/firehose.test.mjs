// The script that follows the firehose, before a network of accounts that are made up: tests/e2e has real ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Following } from "./following.mjs";
import { FIREHOSE, FOR_TESTS, OPERATOR_TOKEN, PATIENCE_MILLIS, eventually, serve, shared } from "./harness.mjs";
import { offer, service } from "./network.mjs";
import { World } from "./people.mjs";
import { crumbs, tid } from "./repository.mjs";

const EVERY_MINUTE = "* * * * *";
const CHECK_DRIFT = "15 * * * *";
/** Where nobody listens. */
const NOBODY = "ws://localhost:1";

let world;
shared(async (close) => {
  world = await World.start();
  close(() => world.close());
});

/** Has the script run beside the AppView's. */
async function following(firehose, check) {
  const served = await serve(FIREHOSE, { ...world.vars, FIREHOSE: firehose }, FOR_TESTS);
  try {
    await check(served);
  } finally {
    await served.close();
  }
}

/** Has it follow a network, from the first event on. */
const followingNetwork = (check) =>
  Following.through(world, async (following) => {
    await following.begin();
    await check(following.network, following);
  });

const offers = async (served) => (await served.index("SELECT count(*) AS count FROM offers"))[0].count;

const hasOffers = (served, count) => eventually(async () => assert.equal(await offers(served), count));

const logged = (served, text) =>
  eventually(() => assert.ok(served.logs().some((line) => line.includes(text)), served.logs().join("\n")));

test("accounts that were not looked at for long are compared with what their hosts say", () =>
  following(NOBODY, async (served) => {
    const person = world.person();
    const held = "INSERT INTO repos (did, hosting, rev, base, stale, checked) VALUES (?, 'active', '1', '', 0, 0)";
    await served.index(held, person);
    await served.scheduled(CHECK_DRIFT);
    const [{ checked }] = await served.index("SELECT checked FROM repos WHERE did = ?", person);
    assert.ok(checked > 0);
    await compared(served, { same: 0, different: 0, untold: 1 });
  }));

test("accounts are compared round after round, until nobody is left who is due", () =>
  following(NOBODY, async (served) => {
    const held = "INSERT INTO repos (did, hosting, rev, base, stale, checked) VALUES (?, 'active', '1', '', 0, 0)";
    for (let n = 0; n < 100; n++) await served.index(held, world.person());
    await served.scheduled(CHECK_DRIFT);
    assert.deepEqual(await served.index("SELECT did FROM repos WHERE checked = 0"), []);
  }));

/** Waits until it is said what comparing has shown. */
const compared = (served, expect) =>
  eventually(() => {
    const [{ same, different, untold } = {}] = served.said("accounts compared");
    assert.deepEqual({ same, different, untold }, expect);
  });

/** The driver asks every minute whose repositories are to be fetched. */
const ASKED_WITHIN_MILLIS = 60_000 + PATIENCE_MILLIS;

test("of an account that has published what nobody was told, the repository is fetched anew", () =>
  followingNetwork(async (network, served) => {
    const [host, other] = [network.account(), network.account()];
    for (const account of [host, other]) network.write(account, { ...service(), ...offer() });
    await hasOffers(served, 2);
    host.commit(offer());
    await served.index("UPDATE repos SET checked = 0");
    await served.compare();
    await compared(served, { same: 1, different: 1, untold: 0 });
    assert.deepEqual(network.fetched.toSorted(), [host.did, other.did].toSorted(), "each once so far");

    await eventually(async () => assert.equal(await offers(served), 3), ASKED_WITHIN_MILLIS);
    assert.deepEqual(network.fetched.slice(2), [host.did]);
    const [repo] = await served.index("SELECT rev, stale FROM repos WHERE did = ?", host.did);
    assert.deepEqual(repo, { rev: host.rev, stale: 0 });
    network.write(host, offer());
    await hasOffers(served, 4);
    assert.equal(network.fetched.length, 3, "the stream goes on from there");
  }));

test("an operator reads what came of the stream and of comparing, and nobody else does", () =>
  followingNetwork(async (network, served) => {
    const host = network.account();
    network.write(host, { ...service(), ...offer(), "com.huddle.slotOffer/wrong": { $type: "com.huddle.slotOffer" } });
    // Of the wrong one the address is held.
    await hasOffers(served, 2);
    await served.index("UPDATE repos SET checked = 0");
    await served.compare();
    for (const [path, token, status] of [
      ["/internal/metrics", "", 401],
      ["/internal/metrics", "x".repeat(32), 401],
      ["/", OPERATOR_TOKEN, 404],
      ["/compare", OPERATOR_TOKEN, 404],
    ]) {
      const answer = await served.fetch(path, token);
      assert.deepEqual([answer.status, await answer.text()], [status, ""], path);
    }
    await eventually(async () => {
      const answer = await served.fetch("/internal/metrics", OPERATOR_TOKEN);
      assert.equal(answer.status, 200);
      const lines = (await answer.text()).split("\n");
      const value = (series) => Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length));
      assert.ok(value('huddle_ingest_events_total{outcome="left out"}') >= 1);
      assert.equal(value('huddle_drift_checks_total{outcome="same"}'), 1);
      assert.ok(Math.abs(value("huddle_drift_checked_timestamp_seconds{}") - Date.now() / 1000) < 600);
      assert.ok(value("huddle_ingest_lag_seconds{}") < 600);
      assert.ok(!lines.some((line) => line.includes(host.did)));
    });
  }));

test("a host that nobody reaches is tried again", () =>
  following(NOBODY, async (served) => {
    await served.scheduled(EVERY_MINUTE);
    await eventually(() => {
      const tries = served.said("the firehose is disconnected");
      assert.ok(tries.length >= 2, served.logs().join("\n"));
      assert.ok(tries.every(({ level }) => level === "WARN"));
    });
  }));

/** An entry in which the object that follows fails whenever it is asked. */
const FAILING = `
  import { DurableObject } from "cloudflare:workers";
  export { default } from "./shim.js";
  export class FirehoseDO extends DurableObject {
    fetch() {
      return new Response("a test asked for this", { status: 500 });
    }
  }
`;

test("while the object fails that follows, requests are looked at and hosts are named", () =>
  Following.through(
    world,
    async (following) => {
      const [host, guest] = [following.network.account().did, following.network.account().did];
      await following.index("INSERT INTO people (did, first_seen, offered) VALUES (?, 0, 0)", host);
      const takenBack =
        "INSERT INTO requests (uri, version, guest_did, host_did, rev, record, first_seen, state) " +
        "VALUES (?, 'a', ?, ?, '1', '{}', 0, 'withdrawing')";
      await following.index(takenBack, `at://${guest}/com.huddle.bookingRequest/a`, guest, host);
      await following.begin();
      await eventually(() => {
        const [said] = following.said("the firehose is not followed");
        assert.match(said?.error ?? "nothing yet", /a test asked for this/);
      });
      const [{ named }] = await following.index("SELECT named FROM people WHERE did = ?", host);
      assert.ok(named > 0);
      await eventually(async () => {
        const [{ state }] = await following.index("SELECT state FROM requests");
        assert.equal(state, "withdrawn");
      });
    },
    FAILING,
  ));

test("an object follows those hosts alone that it is named after", () =>
  following(NOBODY, async (served) => {
    const answer = await served.object("FirehoseDO", "wss://relay.example.com", "/");
    assert.equal(answer.status, 200);
    const { connected, frames } = await answer.json();
    assert.deepEqual([connected, frames], [false, 0]);
    assert.ok(!served.logs().some((line) => line.includes("disconnected")));
  }));

test("without a firehose nothing is followed, and the log says what to do", () =>
  following("https://relay.example.com", async (served) => {
    await served.scheduled(EVERY_MINUTE);
    await logged(served, "name some, best first, e.g. `wss://relay.example.com`");
  }));

test("what an account publishes is held as it is now, from its first record on", () =>
  followingNetwork(async (network, served) => {
    const host = network.account();
    const [first, second] = [offer(), offer()];
    network.write(host, { ...service(), ...first });
    await hasOffers(served, 1);
    network.write(host, second);
    await hasOffers(served, 2);
    network.write(host, { [Object.keys(first)[0]]: null });
    await eventually(async () => {
      const held = await served.index("SELECT uri FROM offers WHERE cid IS NOT NULL");
      assert.deepEqual(held, [{ uri: `at://${host.did}/${Object.keys(second)[0]}` }]);
    });
    const [repo] = await served.index("SELECT rev FROM repos WHERE did = ?", host.did);
    assert.equal(repo.rev, host.rev);
    assert.deepEqual(network.fetched, [host.did], "what follows on what is held is not fetched");
  }));

test("the cursor that is kept is never ahead of what is not done", () =>
  followingNetwork(async (network, served) => {
    const [slow, quick] = [network.account(), network.account()];
    network.write(quick, { ...service(), ...offer() });
    await hasOffers(served, 1);
    const release = network.hold(slow);
    const waiting = network.write(slow, { ...service(), ...offer() });

    const cursor = async () => (await served.index("SELECT seq FROM cursors"))[0].seq;
    const behind = async () => assert.ok((await cursor()) < waiting, "the cursor is ahead");
    for (let count = 2; count <= 40; count++) {
      network.write(quick, offer());
      await hasOffers(served, count);
      await behind();
    }
    await eventually(async () => {
      await behind();
      assert.equal(await cursor(), waiting - 1);
    });
    network.write(quick, offer());
    await hasOffers(served, 41);
    await behind();

    release();
    await hasOffers(served, 42);
    await eventually(async () => assert.equal(await cursor(), network.last));
  }));

/** What may wait before the driver, which itself holds 1 MB at most, and both of them together, beside a frame each. */
const MOST_BEFORE = 2 << 20;
const MOST_WAITING = 4 << 20;
/** What the code may take of the 128 MB that an isolate has: the rest is for the platform's side of what it does. */
const MOST_MEMORY = 96 << 20;

test("a flood is held within bounds, and nothing of it is lost", (t) =>
  followingNetwork(async (network, served) => {
    const accounts = Array.from({ length: 10 }, () => network.account());
    const releases = accounts.map((account) => network.hold(account));
    for (const account of accounts) network.write(account, { ...service(), ...offer() });
    const padding = (n) => ({ "com.example.padding/self": { $type: "com.example.padding", n, text: "x".repeat(24_000) } });
    for (let n = 0; n < 50; n++) for (const account of accounts) network.write(account, padding(n));
    for (const account of accounts) network.write(account, offer());

    let most = 0;
    const waiting = async () => {
      const { waitingBytes, memoryBytes } = await served.progress();
      assert.ok(waitingBytes <= MOST_WAITING, `${waitingBytes} bytes wait`);
      assert.ok(memoryBytes <= 4 * MOST_WAITING, `${memoryBytes} bytes of memory`);
      most = Math.max(most, waitingBytes);
    };
    // As long as nobody gives the repositories out, there is nothing to be done with any of it.
    await eventually(async () => {
      await waiting();
      assert.ok(most > MOST_BEFORE, `${most} bytes wait at most`);
    });
    t.diagnostic(`${most} bytes wait`);
    for (const release of releases) release();
    await eventually(async () => {
      await waiting();
      assert.equal(await offers(served), 2 * accounts.length);
    });
    for (const { did, rev } of accounts) {
      const [repo] = await served.index("SELECT rev FROM repos WHERE did = ?", did);
      assert.equal(repo.rev, rev);
    }
  }));

/** The most bytes of a repository. */
const MOST_BYTES = 32 << 20;

/** A repository of so many bytes, or a few less. */
const filled = (account, bytes) => {
  const car = account.car();
  return Buffer.concat([car, crumbs(bytes - car.length)]);
};

test("a repository is fetched as large as memory allows, and a larger one is left alone", (t) =>
  followingNetwork(async (network, served) => {
    const publish = (account, prepare) => {
      const event = account.commit({ ...service(), ...offer() });
      prepare(account);
      network.tell("#commit", event);
    };
    const taken = async (count, prepare) => {
      const account = network.account();
      publish(account, prepare);
      await hasOffers(served, count);
      const { memoryBytes } = await served.progress();
      t.diagnostic(`${memoryBytes} bytes of memory after a repository of ${network.repository(account.did).length}`);
      assert.ok(memoryBytes <= MOST_MEMORY, `${memoryBytes} bytes of memory`);
    };

    await taken(1, (account) => {
      const text = "x".repeat(700);
      const posts = Array.from({ length: 36_000 }, (_, n) => [
        `app.bsky.feed.post/${tid()}`,
        { $type: "app.bsky.feed.post", text: text + n, createdAt: "2026-01-01T00:00:00.000Z" },
      ]);
      account.commit(Object.fromEntries(posts));
    });
    const fill = (bytes) => (account) => network.repositories.set(account.did, filled(account, bytes));
    await taken(2, fill(MOST_BYTES));

    const larger = network.account();
    publish(larger, fill(MOST_BYTES + 100));
    await eventually(() => {
      const [{ why } = {}] = served.said("a repository is to be fetched later");
      assert.ok(why?.startsWith(`it takes more than ${MOST_BYTES} bytes`), why);
    });
    await taken(3, () => {});
    assert.deepEqual(network.fetched.filter((did) => did === larger.did), [larger.did], "it rests");
  }));
