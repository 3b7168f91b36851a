/** One photo: its file, its plan, and its result. */

import { dataUrl, decoded } from "./files.js";

/** @import { Api, Box, Face, Job, Overrides, Plan, Report, Settings, Size, Value } from "./api.js" */
/** @import { Output } from "./output.js" */
/** @import { Offer } from "./form.js" */

const QUIET = 150; // milliseconds without a change before a new plan is requested

export class Photo extends EventTarget {
  /** Values of the detection settings with which the faces of the plan were found. @type {string | null} */ found = null;
  /** Settings of single faces, by face number. @type {Overrides} */ overrides = {};
  /** @type {Plan | null} */ plan = null;
  /** Report of the last fix, with its plan and format. @type {Report & {plan: Plan, output: Output} | null} */ result = null;
  /** What FaceFix did to the photo before, in words, or blank. */ fixedBefore = "";
  /** @type {Settings} */ settings = {};
  /** Format of the next result. @type {Output} */ output = {};
  /** Photo of the only person to enhance, encoded, or blank. */ reference = "";
  /** Error of the last plan request, or null. @type {unknown} */ refused = null;
  /** Timer of the next plan request. @type {ReturnType<typeof setTimeout> | undefined} */ due;
  /** @type {AbortController | undefined} */ stopping;
  /** @type {Promise<void> | undefined} */ asked;
  /** @type {Promise<string> | undefined} */ read;

  /**
   * Fires the events "planning", "planned", and "refused" (detail: the error).
   * @param {Api} api @param {File} file @param {Offer} offer
   */
  constructor(api, file, offer) {
    super();
    this.api = api;
    this.file = file;
    this.offer = offer;
  }

  /** Size of the photo. Throws an error before the first plan. */
  get size() {
    if (!this.plan) throw new Error("No plan has been requested.");
    return this.plan.size;
  }

  /** Whether the current settings require faces to be detected again. */
  get searches() {
    return this.#finding !== this.found;
  }

  get faces() {
    return [...(this.plan?.faces ?? [])].sort((one, other) => one.number - other.number);
  }

  /** @param {number} number */
  face(number) {
    return this.faces.find((face) => face.number === number);
  }

  /** Return the settings of a face as they are now, even if the plan does not have them yet. @param {Face} face */
  settingsOf(face) {
    const common = { ...this.offer.defaults, ...this.settings };
    const names = Object.keys(face.parameters);
    return { ...Object.fromEntries(names.map((name) => [name, common[name]])), ...this.overrides[face.number] };
  }

  /** Change one setting of one face. undefined: use the common setting. @param {number} number @param {string} name @param {Value | undefined} value */
  change(number, name, value) {
    const own = { ...this.overrides[number] };
    if (value === undefined) delete own[name];
    else own[name] = value;
    this.overrides[number] = own;
    this.#later();
  }

  /** Remove these settings from all single faces. @param {string[]} names */
  forget(names) {
    for (const own of Object.values(this.overrides)) for (const name of names) delete own[name];
  }

  /** Replace the common settings. @param {Settings} settings */
  set(settings) {
    this.settings = settings;
    this.#later();
  }

  /** Select the person in a photo, encoded. blank: everyone. @param {string} reference */
  compare(reference) {
    this.reference = reference;
    this.#later();
  }

  /** Return the newest plan, and wait for a requested one. Throws the server's error. */
  async newest() {
    if (this.due) {
      clearTimeout(this.due);
      this.#now();
    }
    await this.asked;
    if (this.refused) throw this.refused;
    if (!this.plan) throw new Error("No plan has been requested.");
    return this.plan;
  }

  /** Cancel all requests. */
  close() {
    clearTimeout(this.due);
    this.stopping?.abort();
  }

  async encoded() {
    this.read ??= dataUrl(this.file);
    return this.read;
  }

  /** Carry out the plan. told(job): called with the state of the job. @param {(job: Job) => void} told @param {AbortSignal} signal */
  async fix(told, signal) {
    const plan = await this.newest();
    const { output } = this;
    const result = await this.api.fix({ image: await this.encoded(), plan, ...output }, told, signal);
    this.result = { ...result, plan, output };
    return this.result;
  }

  /**
   * Return the file, or a PNG made by the server if the browser cannot show the format.
   * @param {File} file @param {() => Promise<Size>} size
   * @returns {Promise<Blob>}
   */
  async showable(file, size) {
    const can = await decoded(file).then(() => true, () => false);
    return can ? file : this.drawn(file, await size());
  }

  /** Return the file as a PNG made by the server. @param {File} file @param {Size} size */
  async drawn(file, size) {
    return this.api.preview(await dataUrl(file), { size, upscale: null, faces: [] });
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
        [this.plan, this.found] = [plan, finding]; // the settings of single faces now refer to its numbers
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
   * Request a plan with the current settings. Faces are detected again only if the detection settings have changed.
   * @param {AbortSignal} signal
   * @returns {Promise<{plan: Plan, finding: string}>}
   */
  async #planned(signal) {
    const asked = { settings: this.settings, overrides: this.#own };
    const finding = this.#finding;
    const again = this.plan && finding === this.found;
    const { reference } = this;
    const subject = again
      ? { plan: this.plan, compared: Boolean(reference) }
      : { image: await this.encoded(), ...(reference ? { reference } : {}) };
    const { version: _version, ...plan } = await this.api.post(again ? "replan" : "plan", { ...subject, ...asked }, signal);
    if (!again) this.fixedBefore = plan.fixed_before ?? "";
    return { plan, finding };
  }

  get #finding() {
    return JSON.stringify([this.reference, ...this.offer.finding.map((name) => [name, this.settings[name]])]);
  }

  get #own() {
    return Object.fromEntries(Object.entries(this.overrides).filter(([, own]) => Object.keys(own).length));
  }
}

/**
 * Return the settings of single faces under the new numbers of the faces, matched by position. null: no number changed.
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
