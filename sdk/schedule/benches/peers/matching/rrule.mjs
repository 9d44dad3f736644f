// @thebookingkit/core imports `rrule` in a way that bundlers understand and Node.js does not. Once this is imported, it
// gets the names from here.
import { createRequire, registerHooks } from "node:module";

export const { RRule, RRuleSet } = createRequire(import.meta.url)("rrule");

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "rrule" && context.parentURL?.includes("/@thebookingkit/core/")
      ? { url: import.meta.url, shortCircuit: true }
      : next(specifier, context),
});
