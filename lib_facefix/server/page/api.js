/** Calls the API of this page's server. The page sends no other requests. */

import { isAbort } from "./dom.js";
import { bytes } from "./files.js";

/**
 * @typedef {[number, number]} Size  Width and height in pixels.
 * @typedef {[number, number, number, number]} Box  Left, top, right, and bottom in pixels.
 * @typedef {string | number | boolean | null} Value  Value of a setting.
 * @typedef {Record<string, Value>} Settings  Values by the name of the setting.
 * @typedef {Record<number, Settings>} Overrides  Settings of single faces, by number.
 * @typedef {object} Face  One face of a plan or report. Only reports have the last four properties.
 * @property {number} number
 * @property {Box} box
 * @property {number} size
 * @property {number} sharpness
 * @property {string} decision
 * @property {string} reason
 * @property {Settings} parameters
 * @property {string} [outcome]
 * @property {string | null} [error]
 * @property {string} [note]
 * @property {Identity | null} [identity]
 * @typedef {object} Identity  Finding of the identity guard. The distances are null if the face is unmeasured.
 * @property {string} verdict
 * @property {number | null} distance
 * @property {number | null} limit
 * @property {number | null} first  Distance of the change as the settings ask for it.
 * @property {string} how
 * @property {string} why
 * @typedef {{upscaler: string}} Upscale
 * @typedef {{version?: number, size: Size, upscale: Upscale | null, faces: Face[], fixed_before?: string | null}} Plan
 * @typedef {Plan & {image: string, result_size: Size, plan?: Plan, notes?: string[]}} Report  Result of a plan. image: base64.
 * @typedef {{done: number, total: number, doing: string}} Progress
 * @typedef {Progress & {state: string, error?: string, result?: Report}} Job
 * @typedef {{loc: (string | number)[], msg: string}} Problem  An error message and the path of its field.
 * @typedef {{name: string, label: string, here: boolean, note: string, restorer?: string, classes?: string[]}} Listed  One choice of a setting. restorer: the one that "auto" stands for. classes: those in a model file.
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
const POLL_INTERVAL = 300; // milliseconds between two status requests
const MAX_RETRIES = 20; // how often a request is sent again when the queue is full

/** An error response of the server: its messages, each with the path of its field. */
export class Refused extends Error {
  /**
   * problems: [{ loc: ["body", "settings", "fidelity"], msg: message }], at least one.
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
   * askToken: returns the token that the user enters. again: whether the last one was wrong.
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

  /** @param {string} path */
  remove(path) {
    return this.#ask("DELETE", path);
  }

  /**
   * Fix a file and wait for the result, without a job. The browser reads the file while it sends it, so it need not be
   * in memory as text. A photo that was fixed before is fixed again. Aborting `signal` stops the work.
   * @param {File} file @param {object} rest  Other fields of the body. @param {AbortSignal} signal
   * @returns {Promise<Report>}
   */
  fixFile(file, rest, signal) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...rest, again: true })) form.append(name, JSON.stringify(value));
    form.append("image", file, "photo"); // the server needs no name
    return this.#ask("POST", "fix", form, signal);
  }

  /**
   * Return an image as a PNG, with the masks of a plan. numbers: whether the faces are numbered, too.
   * @param {string} image @param {Plan} plan
   */
  async preview(image, plan, numbers = true) {
    const drawn = await this.post("preview", { image, plan, numbers });
    return new Blob([bytes(drawn.image)], { type: "image/png" });
  }

  /**
   * Fix an image as a job. told(job): called with the state of the job. Aborting `signal` cancels the job.
   * @param {object} body @param {(job: Job) => void} told @param {AbortSignal} signal
   * @returns {Promise<Report>}
   */
  async fix(body, told, signal) {
    const { job } = await this.post("fix", { ...body, wait: false, again: true }, signal);
    const path = `jobs/${encodeURIComponent(job)}`;
    for (let cancelled = false; ; await pause(POLL_INTERVAL)) {
      if (signal.aborted && !cancelled) {
        cancelled = true;
        await this.#ask("DELETE", path);
      }
      /** @type {Job} */
      const state = await this.get(path);
      told(state);
      if (state.result) return state.result; // a stopped job returns the finished part
      if (state.state === "failed") throw refusal(0, { detail: state.error });
      if (state.state === "stopped") throw new DOMException("Stopped.", "AbortError");
    }
  }

  /**
   * @param {string} method @param {string} path @param {string | FormData} [body] @param {AbortSignal} [signal]
   * @param {number} waits  How often the request was sent again.
   * @returns {Promise<any>}  The JSON of the response.
   */
  async #ask(method, path, body, signal, waits = 0) {
    const token = sessionStorage.getItem(KEY);
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (typeof body === "string") headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const answer = await reach(new URL(path, ROOT), { method, headers, body, signal });
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const refused = refusal(answer.status, await answer.json().catch(() => ({})));
    if (answer.status === 401) {
      await this.#newToken(token);
      return this.#ask(method, path, body, signal, waits);
    }
    if (answer.headers.has("Retry-After") && waits < MAX_RETRIES) {
      await pause(1000 * Number(answer.headers.get("Retry-After")) || 1000);
      signal?.throwIfAborted();
      return this.#ask(method, path, body, signal, waits + 1);
    }
    throw refused;
  }

  /**
   * Ask the user for the token, once for all waiting calls.
   * @param {string | null} refused  The token that was wrong.
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
    throw refusal(0, { detail: "The server does not respond. Check that `facefix serve` is still running." });
  }
}

/**
 * Read FastAPI's errors: a list of errors with paths, or one message.
 * @param {number} status @param {{detail?: unknown}} answer
 */
function refusal(status, { detail }) {
  if (Array.isArray(detail) && detail.length) return new Refused(status, detail);
  const sentence = typeof detail === "string" && detail ? detail : `The server returned error ${status}.`;
  return new Refused(status, [{ loc: [], msg: sentence }]);
}

/** @param {number} milliseconds @returns {Promise<void>} */
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
