/** The server's own API, and nothing else on any network. */

import { isAbort } from "./dom.js";
import { bytes } from "./files.js";

/**
 * @typedef {[number, number]} Size  Width and height, pixels.
 * @typedef {[number, number, number, number]} Box  Left, top, right, bottom, pixels.
 * @typedef {string | number | boolean | null} Value  Of a setting.
 * @typedef {Record<string, Value>} Settings  Values by the name of the setting.
 * @typedef {Record<number, Settings>} Overrides  What single faces have of their own, by number.
 * @typedef {object} Face  One face of a plan or a report; the last two are a report's.
 * @property {number} number
 * @property {Box} box
 * @property {number} size
 * @property {number} sharpness
 * @property {string} decision
 * @property {string} reason
 * @property {Settings} parameters
 * @property {string} [outcome]
 * @property {string | null} [error]
 * @typedef {{upscaler: string}} Upscale
 * @typedef {{version?: number, size: Size, upscale: Upscale | null, faces: Face[]}} Plan
 * @typedef {Plan & {image: string, result_size: Size, plan?: Plan}} Report  What came of a plan; image: base64.
 * @typedef {{done: number, total: number, doing: string}} Progress
 * @typedef {Progress & {state: string, error?: string, result?: Report}} Job
 * @typedef {{loc: (string | number)[], msg: string}} Problem  A sentence, and what it is about.
 * @typedef {{name: string, label: string, here: boolean, note: string}} Listed  One choice of a setting.
 * @typedef {object} Facts  A setting's property in the JSON schema.
 * @property {string} title
 * @property {string} [type]
 * @property {string} [description]
 * @property {Value} [default]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {string[]} [enum]
 * @property {{enum?: string[]}[]} [anyOf]
 * @property {string} x-group
 * @property {string} [x-only]
 * @property {boolean} [x-finds]
 * @property {string} [x-unit]
 * @property {number} [x-step]
 * @typedef {{properties: Record<string, Facts>}} Schema
 * @typedef {Record<string, Listed[] | undefined>} Models
 */

const ROOT = new URL("facefix/v1/", document.baseURI);
const KEY = "facefix-token";
const EACH_LOOK = 300; // milliseconds between two looks at a job
const MOST_WAITS = 20; // how often a full waiting line is queued for again

/** What the server refused: its sentences, and where each belongs. */
export class Refused extends Error {
  /**
   * problems: [{ loc: ["body", "settings", "fidelity"], msg: sentence }], at least one.
   * @param {number} status
   * @param {Problem[]} problems
   */
  constructor(status, problems) {
    super(problems.map((problem) => problem.msg).join(" "));
    this.name = "Refused";
    this.status = status;
    this.problems = problems;
  }
}

export class Api {
  /** @type {Promise<string> | null} */ #asking = null;

  /**
   * askToken: gives the token that a person gave; again: whether the last one would not do.
   * @param {(again: boolean) => Promise<string>} askToken
   */
  constructor(askToken) {
    this.askToken = askToken;
  }

  /** @param {string} path @param {AbortSignal} [signal] */
  get(path, signal) {
    return this.#ask("GET", path, undefined, signal);
  }

  /** @param {string} path @param {object} body @param {AbortSignal} [signal] */
  post(path, body, signal) {
    return this.#ask("POST", path, JSON.stringify(body), signal);
  }

  /**
   * Return a picture as a PNG, with the plan's faces and masks drawn in.
   * @param {string} image @param {Plan} plan
   */
  async preview(image, plan) {
    const drawn = await this.post("preview", { image, plan });
    return new Blob([bytes(drawn.image)], { type: "image/png" });
  }

  /**
   * Have a picture fixed as a job; `told` is given the job's state now and then. Aborting `signal` cancels it.
   * @param {object} body @param {(job: Job) => void} told @param {AbortSignal} signal
   * @returns {Promise<Report>}
   */
  async fix(body, told, signal) {
    const { job } = await this.post("fix", { ...body, wait: false }, signal);
    const path = `jobs/${encodeURIComponent(job)}`;
    for (let cancelled = false; ; await pause(EACH_LOOK)) {
      if (signal.aborted && !cancelled) {
        cancelled = true;
        await this.#ask("DELETE", path);
      }
      /** @type {Job} */
      const state = await this.get(path);
      told(state);
      if (state.result) return state.result; // if it was stopped, with what was done by then
      if (state.state === "failed") throw refusal(0, { detail: state.error });
      if (state.state === "stopped") throw new DOMException("Stopped.", "AbortError");
    }
  }

  /**
   * @param {string} method @param {string} path @param {string} [body] @param {AbortSignal} [signal]
   * @param {number} waits  How often a full waiting line was queued for.
   * @returns {Promise<any>}  The answer's JSON.
   */
  async #ask(method, path, body, signal, waits = 0) {
    const token = sessionStorage.getItem(KEY);
    /** @type {Record<string, string>} */
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

  /**
   * Ask a person for the token, once for all calls that wait for it.
   * @param {string | null} refused  The token that would not do.
   */
  async #newToken(refused) {
    if (sessionStorage.getItem(KEY) !== refused) return;
    this.#asking ??= this.askToken(refused !== null).finally(() => (this.#asking = null));
    sessionStorage.setItem(KEY, await this.#asking);
  }
}

/** @param {URL} url @param {RequestInit} request */
async function reach(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw refusal(0, { detail: "The server does not answer. Is `facefix serve` still running?" });
  }
}

/**
 * Read FastAPI's errors: a list with places, or one sentence.
 * @param {number} status @param {{detail?: unknown}} answer
 */
function refusal(status, { detail }) {
  if (Array.isArray(detail) && detail.length) return new Refused(status, detail);
  const sentence = typeof detail === "string" && detail ? detail : `The server answered with error ${status}.`;
  return new Refused(status, [{ loc: [], msg: sentence }]);
}

/** @param {number} milliseconds @returns {Promise<void>} */
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
