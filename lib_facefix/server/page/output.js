/** The choice of the results' file format and quality. */

import { at, make } from "./dom.js";

/** @typedef {{format?: string, quality?: number}} Output  Fields of a fix request. Empty: as the photo. */

const FORMATS = { "": "Same as the photo", jpeg: "JPEG", png: "PNG", webp: "WebP" };
const LOSSY = ["jpeg", "webp"];
const QUALITY = 90; // initial quality, if a format is chosen
const TYPES = { jpeg: ["jpg", "image/jpeg"], png: ["png", "image/png"], webp: ["webp", "image/webp"] };

export class OutputChoice {
  /** changed: called after each change. @param {() => void} changed */
  constructor(changed) {
    const options = Object.entries(FORMATS).map(([value, label]) => make("option", { value }, label));
    this.format = make("select", { id: "output-format" }, ...options);
    this.quality = make("input", { type: "range", id: "output-quality", min: 50, max: 100, step: 1, value: QUALITY, "aria-describedby": "output-hint" });
    this.number = make("output", { for: "output-quality" }, QUALITY);
    this.slide = make(
      "div", { class: "control", hidden: true },
      make("div", { class: "head" }, make("label", { for: "output-quality" }, "Quality")),
      make("div", { class: "slide" }, this.quality, this.number),
      make("p", { class: "hint", id: "output-hint" }, "A higher quality makes larger files."),
    );
    this.format.addEventListener("change", () => {
      this.slide.hidden = !LOSSY.includes(this.format.value);
      changed();
    });
    this.quality.addEventListener("input", () => (this.number.textContent = this.quality.value));
    this.quality.addEventListener("change", changed);
    this.element = make(
      "div", { class: "output" },
      make("div", { class: "control" }, make("div", { class: "head" }, make("label", { for: "output-format" }, "File format")), this.format),
      this.slide,
    );
  }

  /** Put the choice below the settings. */
  mount() {
    at("forms").after(this.element);
  }

  /** The fields for a fix request. @returns {Output} */
  get value() {
    const { value } = this.format;
    if (!value) return {};
    return LOSSY.includes(value) ? { format: value, quality: Number(this.quality.value) } : { format: value };
  }
}

/**
 * Return the name and the type of a file in another format, such as "old.webp" for "old.jpg".
 * @param {{name: string, type: string}} file @param {Output} output
 */
export function inFormat({ name, type }, { format }) {
  if (!format || !(format in TYPES)) return { name, type };
  const [suffix, other] = TYPES[/** @type {keyof typeof TYPES} */ (format)];
  return type === other ? { name, type } : { name: name.replace(/(.)\.[^.]*$/, "$1") + `.${suffix}`, type: other };
}
