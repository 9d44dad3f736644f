// The schema of the index, put into a database without wrangler.
import { readFileSync, readdirSync } from "node:fs";

const migrations = new URL("../../../migrations/index/", import.meta.url);

/** Makes the tables of the index in a database that has none. */
export async function migrate(database) {
  for (const name of readdirSync(migrations).sort()) {
    const schema = readFileSync(new URL(name, migrations), "utf8").replace(/--.*$/gm, "");
    for (const statement of schema.split(";")) {
      if (statement.trim()) await database.prepare(statement).run();
    }
  }
}
