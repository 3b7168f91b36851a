/** One setting in a form of the WebUI's page, made from its description by ui/controls.py. */

import { make } from "../../server/page/dom.js";

/** @typedef {string | number | boolean} Value */
/**
 * @typedef {object} Facts
 * @property {string} name
 * @property {"checkbox" | "radio" | "dropdown" | "slider" | "number" | "textbox"} kind
 * @property {string} label
 * @property {string} hint
 * @property {[string, string][]} pairs  Choices: the shown text and the value.
 * @property {boolean} typed  Whether a value outside the choices can be typed.
 * @property {number | null} low
 * @property {number | null} high
 * @property {number} step
 * @property {number} lines  Of a text.
 * @property {string} only  The only method, besides "auto", that uses the setting; blank: all use it.
 * @property {Value} default
 * @property {string} unset  Meaning of the default of a number with a tick box; blank: it has none.
 * @property {number | null} first  Value of such a number when its box is ticked.
 */
/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Input */

const OTHER = "\0other"; // choice of a list below which any text can be typed

export class Field {
  /** @type {Input[]} */ inputs = [];
  /** Writes a value to the inputs. @type {(value: Value) => void} */ write = () => {};
  /** Replaces the choices. @type {(pairs: [string, string][]) => void} */ offer = () => {};

  /** id: of the element. changed: called with each new value. @param {string} id @param {Facts} facts @param {(value: Value) => void} changed */
  constructor(id, facts, changed) {
    this.facts = facts;
    this.id = id;
    this.changed = changed;
    this.why = make("span", { class: "facefix-why" });
    this.hint = make("p", { class: "facefix-hint", id: `${id}_hint` }, facts.hint);
    this.element = make("div", { class: `facefix-field facefix-${facts.kind}`, id }, ...this.#build(), this.hint);
    this.element.title = facts.hint;
    for (const input of this.inputs) if (facts.hint) input.setAttribute("aria-describedby", this.hint.id);
  }

  /** @param {Value} value */
  show(value) {
    this.write(value);
  }

  /** Grey it out with a reason, or enable it if the reason is "". @param {string} reason */
  idle(reason) {
    for (const input of this.inputs) input.disabled = Boolean(reason);
    this.element.classList.toggle("facefix-idle", Boolean(reason));
    this.element.title = reason || this.facts.hint;
    this.why.textContent = reason;
  }

  /** Put an element behind the input, such as a button. @param {HTMLElement} element */
  attach(element) {
    (this.element.querySelector(".facefix-entry") ?? this.element).append(element);
  }

  #build() {
    switch (this.facts.kind) {
      case "checkbox":
        return [this.#tick()];
      case "radio":
        return this.#radio();
      case "dropdown":
        return this.#list();
      case "textbox":
        return this.#labelled(this.#text());
      default:
        return this.#number();
    }
  }

  /** @param {...HTMLElement} inputs */
  #labelled(...inputs) {
    const label = make("label", { for: inputs[0].id }, this.facts.label);
    return [make("div", { class: "facefix-label" }, label, this.why), make("div", { class: "facefix-entry" }, ...inputs)];
  }

  #tick() {
    const input = this.#keep(make("input", { type: "checkbox", id: `${this.id}_input` }));
    input.addEventListener("change", () => this.changed(input.checked));
    this.write = (value) => (input.checked = Boolean(value));
    return make("label", { class: "facefix-tick" }, input, make("span", {}, this.facts.label), this.why);
  }

  #radio() {
    const label = make("span", { id: `${this.id}_label` }, this.facts.label);
    const entry = make("div", { class: "facefix-entry", role: "radiogroup", "aria-labelledby": label.id });
    for (const [shown, value] of this.facts.pairs) {
      const input = this.#keep(make("input", { type: "radio", name: this.id, value }));
      input.addEventListener("change", () => this.changed(value));
      entry.append(make("label", {}, input, make("span", {}, shown)));
    }
    this.write = (value) => this.inputs.forEach((input) => (/** @type {HTMLInputElement} */ (input).checked = input.value === value));
    return [make("div", { class: "facefix-label" }, label, this.why), entry];
  }

  #list() {
    const list = this.#keep(make("select", { id: `${this.id}_input` }));
    const typed = this.facts.typed ? this.#keep(make("input", { type: "text", "aria-label": `${this.facts.label}: other`, spellcheck: "false" })) : null;
    this.offer = (pairs) => {
      const options = pairs.map(([shown, value]) => make("option", { value }, shown));
      list.replaceChildren(...options, ...(typed ? [make("option", { value: OTHER }, "Other …")] : []));
    };
    this.offer(this.facts.pairs);
    const known = (/** @type {string} */ value) => [...list.options].some((option) => option.value === value);
    this.write = (value) => {
      const text = String(value);
      if (typed && (document.activeElement === typed || !known(text))) {
        list.value = OTHER;
        if (typed.value !== text) typed.value = text;
      } else {
        if (!known(text)) list.append(make("option", { value: text }, text));
        list.value = text;
      }
      if (typed) typed.hidden = list.value !== OTHER;
    };
    list.addEventListener("change", () => {
      if (typed) typed.hidden = list.value !== OTHER;
      if (list.value !== OTHER) this.changed(list.value);
      else typed?.focus();
    });
    typed?.addEventListener("input", () => this.changed(typed.value));
    return this.#labelled(list, ...(typed ? [typed] : []));
  }

  #text() {
    const { lines } = this.facts;
    const facts = { id: `${this.id}_input`, spellcheck: "false" };
    const input = this.#keep(lines > 1 ? make("textarea", { ...facts, rows: lines }) : make("input", { ...facts, type: "text" }));
    input.addEventListener("input", () => this.changed(input.value));
    this.write = (value) => {
      if (input.value !== value) input.value = String(value); // else the cursor jumps
    };
    return input;
  }

  #number() {
    const { kind, label, low: min, high: max, step, unset, first } = this.facts;
    const range = { min, max, step };
    const typed = this.#keep(make("input", { type: "number", id: `${this.id}_input`, ...range, step: kind === "slider" ? step : "any" }));
    const slider = kind === "slider" ? this.#keep(make("input", { type: "range", ...range, "aria-label": label })) : null;
    const told = (/** @type {string} */ text) => this.changed(text === "" || !Number.isFinite(Number(text)) ? this.facts.default : Number(text));
    for (const input of slider ? [slider, typed] : [typed]) input.addEventListener("input", () => told(input.value));
    const inputs = make("div", { class: "facefix-entry" }, ...(slider ? [slider] : []), typed);
    const box = unset ? make("input", { type: "checkbox", "aria-label": `${label}: set a value` }) : null;
    const meaning = make("span", { class: "facefix-unset" }, unset);
    this.write = (value) => {
      const text = String(value);
      if (slider) slider.value = text;
      if (document.activeElement !== typed) typed.value = text;
      if (!box) return;
      box.checked = value !== this.facts.default || document.activeElement === typed;
      inputs.hidden = !box.checked;
      meaning.hidden = box.checked;
    };
    if (!box) return [make("div", { class: "facefix-label" }, make("label", { for: typed.id }, label), this.why), inputs];
    this.#keep(box).addEventListener("change", () => this.changed(box.checked && first != null ? first : this.facts.default));
    return [make("label", { class: "facefix-tick facefix-label" }, box, make("span", {}, label), meaning, this.why), inputs];
  }

  /** @template {Input} Kind @param {Kind} input */
  #keep(input) {
    this.inputs.push(input);
    return input;
  }
}
