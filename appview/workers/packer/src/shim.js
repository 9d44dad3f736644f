// The entry of the Worker: brings the platform's events to the compiled code in index.js.
//
// A panic leaves the compiled code unusable, with all that it kept in memory. Whatever it was doing for
// others will not end by itself any more, so it fails here; the next event starts the code anew, and
// objects are built again from what they have stored.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as code from "./index.js";

const state = code.__worker_init_state();

let broken = false;

// What fails each of the calls that are running.
const running = new Set();

function breakDown(error) {
  broken = true;
  for (const fail of running) fail(error);
  running.clear();
}

// The compiled code sets this when it panics, as the last thing that it does.
Object.defineProperty(state, "criticalError", {
  set: () => breakDown(new Error("the code has panicked, and with it all that it was doing")),
});

addEventListener("error", ({ error }) => {
  if (error instanceof WebAssembly.RuntimeError) breakDown(error);
});

async function guard(call) {
  if (broken) {
    code.__wbg_reset_state();
    broken = false;
    state.instanceId++;
  }
  const { promise: failed, reject } = Promise.withResolvers();
  failed.catch(() => {});
  running.add(reject);
  try {
    return await Promise.race([call(), failed]);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) breakDown(error);
    throw error;
  } finally {
    running.delete(reject);
  }
}

export default class Main extends WorkerEntrypoint {
  async fetch(request) {
    try {
      return await guard(() => code.fetch(request, this.env, this.ctx));
    } catch (error) {
      console.error(error);
      const body = { error: "InternalServerError", message: "Internal server error" };
      return Response.json(body, { status: 500 });
    }
  }
}

for (const event of ["queue", "scheduled"]) {
  if (!code[event]) continue;
  Main.prototype[event] = function (argument) {
    return guard(() => code[event](argument, this.env, this.ctx));
  };
}

// The class of an object, over the class of the same name in the compiled code.
function object(name) {
  if (!code[name]) throw new Error(`wrangler.toml names ${name}, and the code has no such class`);
  return class extends DurableObject {
    #inner;
    #instanceId;

    #call(method, argument) {
      return guard(() => {
        if (this.#instanceId !== state.instanceId) {
          this.#inner = new code[name](this.ctx, this.env);
          this.#instanceId = state.instanceId;
        }
        return this.#inner[method](argument);
      });
    }

    fetch(request) {
      return this.#call("fetch", request);
    }

    alarm() {
      return this.#call("alarm");
    }
  };
}
