/** The few choices that most people need: strength, restorer, and size of the result. */

import { button, capital, count, make } from "./dom.js";
import { Strength } from "./strength.js";

/** @import { Listed, Settings, Size, Value } from "./api.js" */
/** @import { Offer } from "./form.js" */
/** @typedef {(values: Record<string, Value | undefined>) => void} SetValues */

/** What each restorer is good at. Others are described by their name only. @type {Record<string, string>} */
const GOOD_AT = {
  lite: "Old scans, blur, and noise. Stays close to the photo. Fast on any computer.",
  gfpgan: "Strongly damaged portraits. Smooth, crisp skin.",
  "gfpgan-1.3": "As GFPGAN 1.4, with softer results.",
  codeformer: "Very blurred or small faces. Redraws the most detail.",
  restoreformer: "Natural skin and eyes in portraits.",
  "restoreformer++": "As RestoreFormer, with more detail.",
  "gpen-256": "Small faces. The fastest of its kind.",
  "gpen-512": "Faces of medium size.",
  "gpen-1024": "Large faces, whose detail it keeps.",
  "gpen-2048": "Portraits from near by. Slow.",
  x4plus: "Faces of animals and statues, and general sharpness.",
  animevideo: "Drawn faces: comics and anime.",
};
const OWN_FILE = "Your own file.";
const BUILT_IN = "lite"; // name of the built-in restorer
const PRINT = { label: "Print 10 × 15 cm", long: 1772, short: 1181 }; // pixels at 300 dpi

export class Simple {
  /** @type {Size | null} */ #size = null;
  /** @type {Value} */ #upscale = "";

  /** Opens the dialog that installs models, if there is one. @type {(() => void) | null} */ #install = null;

  /**
   * earlier: the choices that these take the place of, after models were installed.
   * @param {Offer} offer @param {SetValues} set @param {Simple} [earlier]
   */
  constructor(offer, set, earlier) {
    this.set = set;
    if (earlier) [this.#size, this.#install] = [earlier.#size, earlier.#install];
    this.strength = new Strength("strength", "default", (fidelity) => set({ fidelity }));
    const restorers = offer.listed("restorer") ?? [];
    this.labels = new Map(restorers.map((one) => [one.name, one.label]));
    const here = restorers.filter((one) => one.here);
    this.cards = make("fieldset", { class: "cards" }, make("legend", {}, "Restorer"), ...here.map((one) => this.#card(one)));
    const gone = restorers.filter((one) => !one.here);
    this.more = gone.length ? this.#more(gone) : null;
    this.sizes = make("fieldset", { class: "choices sizes" }, make("legend", {}, "Size of the result"));
    this.size = make("p", { class: "hint", id: "result-size", role: "status" });
    this.element = make("div", { id: "simple" }, this.strength.element, this.cards, this.more, make("div", { class: "control" }, this.sizes, this.size));
    this.#showSizes();
    if (this.#install) this.offerInstall(this.#install);
  }

  /** Show a button beside the restorers that are not installed. open: opens the dialog that installs them. @param {() => void} open */
  offerInstall(open) {
    this.#install = open;
    this.more?.append(button("Install better models", open, { class: "install", "aria-haspopup": "dialog" }));
  }

  /** Show values by name. own: names of the settings that differ from the defaults. @param {Settings} values @param {Set<string>} own */
  show(values, own) {
    this.strength.show(values.fidelity, own.has("fidelity"));
    for (const input of this.cards.querySelectorAll("input")) input.checked = input.value === values.restorer;
    if (this.#upscale === values.upscale) return; // shown already: this runs for each movement of a slider
    this.#upscale = values.upscale;
    this.#showSizes();
  }

  /** Show the sizes for a photo. null: no photo, or several. @param {Size | null} size */
  fit(size) {
    this.#size = size;
    this.#showSizes();
  }

  /** @param {Listed} restorer */
  #card({ name, label, here, note, restorer }) {
    const input = make("input", { type: "radio", name: "restorer", value: name, disabled: !here });
    input.addEventListener("change", () => this.set({ restorer: name }));
    const [title, extra] = label.split(" (");
    const needs = here ? null : make("span", { class: "needs" }, note);
    return make(
      "label", { class: "restorer" }, input,
      make("span", { class: "about" }, make("b", {}, capital(title)), extra ? make("span", { class: "tag" }, extra.replace(")", "")) : null,
        make("span", {}, restorer ? `The best one that is installed and that you may use: ${restorer === BUILT_IN ? "so far only the built-in one" : this.labels.get(restorer)}.` : GOOD_AT[name] ?? OWN_FILE), needs),
    );
  }

  /** @param {Listed[]} gone */
  #more(gone) {
    const summary = make("summary", {}, `${count(gone.length, "more restorer")} (not installed)`);
    return make("details", { class: "missing", id: "more-restorers" }, summary, ...gone.map((one) => this.#card(one)));
  }

  #showSizes() {
    const [legend] = this.sizes.children;
    const print = printSize(this.#size);
    const offers = [["Original", ""], ["2×", "2"], ["4×", "4"], ...(print ? [[PRINT.label, print]] : [])];
    const other = !offers.some(([, value]) => value === this.#upscale);
    if (other && this.#upscale) offers.push([String(this.#upscale), String(this.#upscale)]);
    const focused = this.sizes.contains(document.activeElement);
    this.sizes.replaceChildren(legend, ...offers.map(([label, value]) => {
      const input = make("input", { type: "radio", name: "upscale", value, checked: value === (this.#upscale ?? "") });
      input.addEventListener("change", () => this.set({ upscale: value || undefined }));
      return make("label", {}, input, make("span", {}, label));
    }));
    if (focused) /** @type {HTMLElement | null} */ (this.sizes.querySelector("input:checked"))?.focus();
    this.size.textContent = this.#size ? sizeWords(resultSize(this.#size, this.#upscale)) : "";
  }
}

/** Return the size of the result of an upscale setting. @param {Size} size @param {Value} upscale @returns {Size} */
export function resultSize([width, height], upscale) {
  const text = String(upscale ?? "").trim();
  const exact = /^(\d+)\s*[x×]\s*(\d+)$/i.exec(text);
  if (exact) return [Number(exact[1]), Number(exact[2])];
  const factor = Number(text) || 1;
  return [Math.floor(width * factor + 0.5), Math.floor(height * factor + 0.5)];
}

/**
 * Return the upscale setting for a photo that fills a print of 10 x 15 cm. Blank if it is large enough, or unknown.
 * @param {Size | null} size
 */
export function printSize(size) {
  if (!size) return "";
  const [short, long] = [Math.min(...size), Math.max(...size)];
  const factor = Math.max(PRINT.long / long, PRINT.short / short);
  return factor > 1 && factor <= 8 ? size.map((side) => Math.ceil(side * factor)).join("x") : "";
}

/** @param {Size} size */
const sizeWords = ([width, height]) => `${width} × ${height} px`;
