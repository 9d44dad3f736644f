// The scripts as `scripts/workers build-for-tests` has packed them, for the runtime without wrangler in between.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_getMiniflareWorkerOptions as optionsOf, unstable_readConfig as readConfig } from "wrangler";

/** What the packer has made in a folder, the entry first. */
function modules(folder) {
  const snippets = readdirSync(join(folder, "snippets"), { recursive: true }).map((name) => join("snippets", name));
  return ["shim.js", "index.js", "index_bg.wasm", ...snippets.filter((path) => path.endsWith(".js"))].map((path) => ({
    type: path.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
    path,
    contents: readFileSync(join(folder, path)),
  }));
}

/** What Miniflare is to run of a script, by its configuration, with these variables. */
function script(path, vars) {
  const config = readConfig({ config: fileURLToPath(new URL(path, import.meta.url)) });
  const { workerOptions } = optionsOf(config);
  const { modulesRules: _, ...options } = workerOptions;
  return {
    ...options,
    name: config.name,
    bindings: { ...options.bindings, ...vars },
    modules: modules(dirname(config.main)),
  };
}

/** The AppView's script, and that of the firehose, with these variables and secrets. */
export const scripts = (vars) =>
  ["../contract/wrangler.toml", "../contract/firehose/wrangler.toml"].map((path) => script(path, vars));
