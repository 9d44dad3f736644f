// How fast the firehose comes into the index on Workers, from the socket to the database, with everything verified. The
// network that is followed is made up, and shares the machine.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { Following } from "./following.mjs";
import { offer, service } from "./network.mjs";

/** As many new accounts as one host is asked for at once. */
const HOSTS = 20;
const OFFERS = 40;
const FURTHER = 20;
const OTHERS = 20_000;
const SINGLE = 200;

/** Longer than any of it takes: a machine that does not get there by then is not measured. */
const PATIENCE_MILLIS = 120_000;

/** Waits until a statement counts so many. */
async function until(following, statement, count) {
  const deadline = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    const [found] = await following.index(statement);
    if (found.count >= count) return;
    assert.ok(performance.now() < deadline, `${found.count} of ${count} after ${PATIENCE_MILLIS} ms`);
    await setTimeout(1);
  }
}

/** How long it takes from a deed until so many offers are found. */
async function timed(following, count, deed) {
  const begun = performance.now();
  await deed();
  await until(following, "SELECT count(*) AS count FROM offers", count);
  return performance.now() - begun;
}

const aSecond = (count, millis) => ((count * 1000) / millis).toFixed(0);

/** The speed of commits with offers: of hosts who are new, and of the same when they are known. */
async function ofHosts(following) {
  const { network } = following;
  const hosts = Array.from({ length: HOSTS }, () => network.account());
  for (const host of hosts) {
    network.write(host, service());
    for (let n = 0; n < OFFERS; n++) network.write(host, offer());
  }
  const count = HOSTS * OFFERS;
  const unknown = await timed(following, count, () => following.begin());

  const commits = Array.from({ length: FURTHER }, () => hosts.map((host) => host.commit(offer()))).flat();
  const known = await timed(following, count + commits.length, () => {
    for (const commit of commits) network.tell("#commit", commit);
  });
  return { unknown: aSecond(network.last - commits.length, unknown), known: aSecond(commits.length, known) };
}

/** The speed of commits of nobody who matters, and the time from a commit until it is found. */
async function ofOthers(following) {
  const { network } = following;
  const post = { $type: "app.bsky.feed.post", text: "Hello", createdAt: "2026-01-01T00:00:00.000Z" };
  const commit = network.account().commit({ "app.bsky.feed.post/3kaaaaaaaaa22": post });
  for (let n = 0; n < OTHERS; n++) network.tell("#commit", commit);
  const host = network.account();
  network.write(host, { ...service(), ...offer() });
  const passed = await timed(following, 1, () => following.begin());

  const millis = [];
  for (let n = 0; n < SINGLE; n++) millis.push(await timed(following, n + 2, () => network.write(host, offer())));
  return { passed: aSecond(OTHERS, passed), millis };
}

/** What the rows of a table are to say; `native` is what the other runtime does, as far as that is known. */
export async function ingest(world, times, native) {
  const { unknown, known } = await Following.through(world, ofHosts);
  const { passed, millis } = await Following.through(world, ofOthers);
  const fetched = "of each the repository is fetched once, and has most of them";
  return [
    ["commits a second, new hosts", native.unknown, unknown, `${HOSTS} hosts with ${OFFERS} offers each, natively 1,000 with 8; ${fetched}`],
    ["commits a second, known hosts", native.known, known, `${FURTHER} more offers of each, verified and taken over one by one`],
    ["commits a second, passed over", native.passed, passed, `${OTHERS} commits of an account that is not of interest`],
    ["from a write until it is found", native.found, times(millis), `p50 / p99 of ${SINGLE} offers, one after the other`],
  ];
}
