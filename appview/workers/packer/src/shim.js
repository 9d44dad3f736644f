// The entry of the Worker: brings the platform's events to the compiled code in index.js.
//
// A panic leaves the compiled code unusable, with all that it kept in memory. The next event starts it
// anew, and objects are built again from what they have stored.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as code from "./index.js";

const state = code.__worker_init_state();

function restartIfBroken() {
  if (state.criticalError) {
    code.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId++;
  }
}

function noteBreak(error) {
  if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
}

addEventListener("error", (event) => noteBreak(event.error));

async function guard(call) {
  restartIfBroken();
  try {
    return await call();
  } catch (error) {
    noteBreak(error);
    throw error;
  }
}

export default class Main extends WorkerEntrypoint {}

for (const event of ["fetch", "queue", "scheduled"]) {
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
