/** One picture: its file, what is planned for its faces, and what came of it. */

import { dataUrl, decoded, fixedFile } from "./files.js";

/** @import { Api, Box, Face, Job, Overrides, Plan, Report, Settings, Size, Value } from "./api.js" */

const QUIET = 150; // milliseconds without a change before the server is asked for a new plan

export class Photo extends EventTarget {
  /** The values of the settings that decide which faces there are, when those of the plan were found. @type {string | null} */ found = null;
  /** By face number: the settings that it alone has. @type {Overrides} */ overrides = {};
  /** @type {Plan | null} */ plan = null;
  /** What the server answered to the last fix, and the plan it carried out. @type {Report & {plan: Plan} | null} */ result = null;
  /** @type {Settings} */ settings = {};
  /** Why there is no newest plan; null where there is one. @type {unknown} */ refused = null;
  /** A timer, until the server is asked. @type {ReturnType<typeof setTimeout> | undefined} */ due;
  /** @type {AbortController | undefined} */ stopping;
  /** @type {Promise<void> | undefined} */ asked;
  /** @type {Promise<string> | undefined} */ read;

  /** Tells of itself by the events "planned", "planning", and "refused" (detail: the error). @param {Api} api @param {File} file @param {string[]} finding  Names of the settings that decide which faces there are. */
  constructor(api, file, finding) {
    super();
    this.api = api;
    this.file = file;
    this.finding = finding;
  }

  get faces() {
    return [...(this.plan?.faces ?? [])].sort((one, other) => one.number - other.number);
  }

  /** @param {number} number */
  face(number) {
    return this.faces.find((face) => face.number === number);
  }

  /** Change one setting of one face; undefined: as for all. @param {number} number @param {string} name @param {Value | undefined} value */
  change(number, name, value) {
    const own = { ...this.overrides[number] };
    if (value === undefined) delete own[name];
    else own[name] = value;
    this.overrides[number] = own;
    this.#later();
  }

  /** Give up what faces have of their own of these settings. @param {string[]} names */
  forget(names) {
    for (const own of Object.values(this.overrides)) for (const name of names) delete own[name];
  }

  /** The common settings are now these. @param {Settings} settings */
  set(settings) {
    this.settings = settings;
    this.#later();
  }

  /** Return the newest plan; waits for it where one is asked for. Raises what the server refused. */
  async newest() {
    if (this.due) {
      clearTimeout(this.due);
      this.#now();
    }
    await this.asked;
    if (this.refused) throw this.refused;
    if (!this.plan) throw new Error("No plan was asked for.");
    return this.plan;
  }

  /** Ask for nothing any more. */
  close() {
    clearTimeout(this.due);
    this.stopping?.abort();
  }

  async encoded() {
    this.read ??= dataUrl(this.file);
    return this.read;
  }

  /** Carry the plan out; `told` is given the job's state. @param {(job: Job) => void} told @param {AbortSignal} signal */
  async fix(told, signal) {
    const plan = await this.newest();
    const result = await this.api.fix({ image: await this.encoded(), plan }, told, signal);
    this.result = { ...result, plan };
    return this.result;
  }

  /**
   * Return what the browser can show of a picture: itself, or a PNG that the server draws.
   * @param {File} file @param {() => Promise<Size>} size
   * @returns {Promise<Blob>}
   */
  async showable(file, size) {
    const can = await decoded(file).then(() => true, () => false);
    return can ? file : this.api.preview(await dataUrl(file), { size: await size(), upscale: null, faces: [] });
  }

  /** Return one face fixed and all others left, as a file that can be shown; nothing of the picture's state changes. @param {number} number */
  async tryFace(number) {
    const plan = await this.newest();
    const faces = plan.faces.map((face) => (face.number === number ? face : { ...face, decision: "leave" }));
    /** @type {Report} */
    const answer = await this.api.post("fix", { image: await this.encoded(), plan: { ...plan, faces } });
    return this.showable(fixedFile(answer.image, this.file), async () => answer.result_size);
  }

  #later() {
    clearTimeout(this.due);
    this.dispatchEvent(new Event("planning"));
    this.due = setTimeout(() => this.#now(), QUIET);
  }

  #now() {
    this.due = undefined;
    this.stopping?.abort();
    const stopping = (this.stopping = new AbortController());
    this.asked = this.#ask(stopping.signal);
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    try {
      let { plan, finding } = await this.#planned(signal);
      const moved = this.plan && finding !== this.found && carried(this.overrides, this.plan.faces, plan.faces);
      if (moved) {
        this.overrides = moved;
        [this.plan, this.found] = [plan, finding]; // whose numbers the settings of single faces now go by
        ({ plan, finding } = await this.#planned(signal));
      }
      [this.plan, this.found] = [plan, finding];
      this.refused = null;
      this.dispatchEvent(new Event("planned"));
    } catch (error) {
      if (signal.aborted) return;
      this.refused = error;
      this.dispatchEvent(new CustomEvent("refused", { detail: error }));
    }
  }

  /**
   * Have the faces planned by the settings as they are now; they are found only where that may find others.
   * @param {AbortSignal} signal
   * @returns {Promise<{plan: Plan, finding: string}>}
   */
  async #planned(signal) {
    const asked = { settings: this.settings, overrides: this.#own };
    const finding = JSON.stringify(this.finding.map((name) => [name, this.settings[name]]));
    const again = this.plan && finding === this.found;
    const subject = again ? { plan: this.plan } : { image: await this.encoded() };
    const { version: _version, ...plan } = await this.api.post(again ? "replan" : "plan", { ...subject, ...asked }, signal);
    return { plan, finding };
  }

  get #own() {
    return Object.fromEntries(Object.entries(this.overrides).filter(([, own]) => Object.keys(own).length));
  }
}

/**
 * Return the settings of single faces under their new numbers, by place; null where all numbers are as they were.
 * @param {Overrides} overrides @param {Face[]} before @param {Face[]} after
 */
function carried(overrides, before, after) {
  /** @type {Overrides} */
  const moved = {};
  let same = true;
  for (const [number, own] of Object.entries(overrides)) {
    const was = before.find((face) => face.number === Number(number));
    const now = was && after.find((face) => holds(face.box, centre(was.box)));
    if (now) moved[now.number] = own;
    same &&= now?.number === Number(number);
  }
  return same ? null : moved;
}

/** @param {Box} box @returns {[number, number]} */
const centre = ([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2];
/** @param {Box} box @param {[number, number]} point */
const holds = ([left, top, right, bottom], [x, y]) => left < x && x < right && top < y && y < bottom;
