/** The server's own API, and nothing else on any network. */

import { bytes } from "./files.js";

const ROOT = new URL("facefix/v1/", document.baseURI);
const KEY = "facefix-token";
const EACH_LOOK = 300; // milliseconds between two looks at a job
const MOST_WAITS = 20; // how often a full waiting line is queued for again

/** What the server refused: its sentences, and where each belongs. */
export class Refused extends Error {
  /** problems: [{ loc: ["body", "settings", "fidelity"], msg: sentence }], at least one. */
  constructor(status, problems) {
    super(problems.map((problem) => problem.msg).join(" "));
    this.name = "Refused";
    this.status = status;
    this.problems = problems;
  }
}

export class Api {
  /** askToken: async (again) => the token a person gave; again: whether the last one would not do. */
  constructor(askToken) {
    this.askToken = askToken;
  }

  get(path, signal) {
    return this.#ask("GET", path, undefined, signal);
  }

  post(path, body, signal) {
    return this.#ask("POST", path, JSON.stringify(body), signal);
  }

  /** Return a picture as a PNG, with the plan's faces and masks drawn in. */
  async preview(image, plan) {
    const drawn = await this.post("preview", { image, plan });
    return new Blob([bytes(drawn.image)], { type: "image/png" });
  }

  /** Have a picture fixed as a job; `told` is given the job's state now and then. Aborting `signal` cancels it. */
  async fix(body, told, signal) {
    const { job } = await this.post("fix", { ...body, wait: false }, signal);
    const path = `jobs/${encodeURIComponent(job)}`;
    for (let cancelled = false; ; await pause(EACH_LOOK)) {
      if (signal.aborted && !cancelled) {
        cancelled = true;
        await this.#ask("DELETE", path);
      }
      const state = await this.get(path);
      told(state);
      if (state.result) return state.result; // if it was stopped, with what was done by then
      if (state.state === "failed") throw refusal(0, { detail: state.error });
      if (state.state === "stopped") throw new DOMException("Stopped.", "AbortError");
    }
  }

  async #ask(method, path, body, signal, waits = 0) {
    const token = sessionStorage.getItem(KEY);
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const answer = await reach(new URL(path, ROOT), { method, headers, body, signal });
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const refused = refusal(answer.status, await answer.json().catch(() => ({})));
    if (answer.status === 401) {
      await this.#newToken(token);
      return this.#ask(method, path, body, signal, waits);
    }
    if (answer.headers.has("Retry-After") && waits < MOST_WAITS) {
      await pause(1000 * Number(answer.headers.get("Retry-After")) || 1000);
      signal?.throwIfAborted();
      return this.#ask(method, path, body, signal, waits + 1);
    }
    throw refused;
  }

  /** Ask a person for the token, once for all calls that wait for it. `refused`: the token that would not do, or null. */
  async #newToken(refused) {
    if (sessionStorage.getItem(KEY) !== refused) return;
    this.asking ??= this.askToken(refused !== null).finally(() => (this.asking = null));
    sessionStorage.setItem(KEY, await this.asking);
  }
}

async function reach(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw refusal(0, { detail: "The server does not answer. Is `facefix serve` still running?" });
  }
}

/** Read FastAPI's errors: a list with places, or one sentence. */
function refusal(status, { detail }) {
  if (Array.isArray(detail) && detail.length) return new Refused(status, detail);
  const sentence = typeof detail === "string" && detail ? detail : `The server answered with error ${status}.`;
  return new Refused(status, [{ loc: [], msg: sentence }]);
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
