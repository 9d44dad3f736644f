// The schema of the index, put into a database without wrangler.
import { readFileSync, readdirSync } from "node:fs";

const migrations = new URL("../../../migrations/index/", import.meta.url);

/** Puts into the index that a host is served here, and offers some time to anyone. */
export async function publish(database, host, service, [start, end]) {
  const moment = (millis) => new Date(millis).toISOString();
  const createdAt = moment(Date.now());
  const record = { $type: "com.huddle.slotOffer", start: moment(start), end: moment(end), policy: "anyone", createdAt };
  const uri = `at://${host}/com.huddle.slotOffer/3kaaaaaaaaaa2`;
  for (const [statement, ...values] of [
    ["INSERT INTO repos (did, hosting, rev, base, stale, checked) VALUES (?, 'active', '1', '', 0, 0)", host],
    ["INSERT INTO services (did, rev, cid, appview) VALUES (?, '1', 'cid', ?)", host, service],
    [
      "INSERT INTO offers (uri, host_did, rev, cid, kind, starts, ends, policy, mode, record, indexed) " +
        "VALUES (?, ?, '1', 'cid', 'slotOffer', ?, ?, 'anyone', 'auto', ?, 0)",
      uri,
      host,
      start,
      end,
      JSON.stringify(record),
    ],
  ])
    await database.prepare(statement).bind(...values).run();
}

/** Makes the tables of the index in a database that has none. */
export async function migrate(database) {
  for (const name of readdirSync(migrations).sort()) {
    const schema = readFileSync(new URL(name, migrations), "utf8").replace(/--.*$/gm, "");
    for (const statement of schema.split(";")) {
      if (statement.trim()) await database.prepare(statement).run();
    }
  }
}
