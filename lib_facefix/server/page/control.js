/** One setting on the page, made from its property in the server's JSON schema. */

import { capital, make } from "./dom.js";

/** @import { Facts, Listed, Value } from "./api.js" */
/** @typedef {(value: Value | undefined) => void} Changed  Called with a new value. undefined: the setting was reset. */
/** @typedef {HTMLInputElement | HTMLSelectElement} Input */

const SHORT = 10; // largest number of characters of a choice in a row of up to four
const MAX_STEPS = 10000; // a slider with more steps is hard to set, so there is only a number field

export class Control {
  /** @type {Input[]} */ inputs = [];
  /** Writes a value to the inputs. @type {(value: Value | undefined) => void} */ write = () => {};

  /**
   * facts: the property in the schema. listed: its choices in GET models, if any.
   * changed: called with the new value, or with undefined if the setting was reset.
   * @param {string} id @param {Facts} facts @param {Listed[] | undefined} listed @param {string} undoLabel
   * live: whether a slider reports each movement, not only where it ends.
   * @param {Changed} changed @param {boolean} live
   */
  constructor(id, facts, listed, undoLabel, changed, live) {
    this.facts = facts;
    this.live = live;
    this.id = id;
    this.about = [facts["x-unit"], facts.description].filter(Boolean).join(" · ");
    this.hint = make("p", { class: "hint", id: `${id}-hint` }, this.about);
    this.problem = make("p", { class: "problem", id: `${id}-problem`, hidden: true });
    this.undo = make("button", { type: "button", class: "undo", hidden: true, "aria-label": `${facts.title}: ${undoLabel}` }, undoLabel);
    this.undo.addEventListener("click", () => changed(undefined));
    this.element = this.#build(choices(facts, listed), changed);
    for (const input of this.inputs) input.setAttribute("aria-describedby", `${this.problem.id} ${this.hint.id}`);
  }

  /** Show a value. own: whether it differs from the default and can be reset. @param {Value | undefined} value @param {boolean} own */
  show(value, own) {
    this.write(value);
    this.element.classList.toggle("own", own);
    this.undo.hidden = !own;
  }

  /** Disable the control and show the reason, or enable it if the reason is "". @param {string} reason */
  idle(reason) {
    for (const input of this.inputs) input.disabled = Boolean(reason) || "gone" in input.dataset;
    this.element.classList.toggle("idle", Boolean(reason));
    this.hint.textContent = reason || this.about;
  }

  /** Show an error message of the server, or remove it if it is "". @param {string} sentence */
  refuse(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
    for (const input of this.inputs) input.toggleAttribute("aria-invalid", Boolean(sentence));
  }

  /** @param {Listed[] | undefined} offered @param {Changed} changed */
  #build(offered, changed) {
    const { type, minimum, maximum } = this.facts;
    if (offered) return isShort(offered) ? this.#row(offered, changed) : this.#list(offered, changed);
    if (type === "boolean") return this.#tick(changed);
    if (type === "string") return this.#text(changed);
    const slides = minimum != null && maximum != null && (maximum - minimum) / this.step <= MAX_STEPS;
    return this.#number(slides, changed);
  }

  get step() {
    return this.facts["x-step"] ?? (this.facts.type === "integer" ? 1 : 0.01);
  }

  /** @param {HTMLElement} head @param {...(HTMLElement | null)} parts */
  #framed(head, ...parts) {
    return make("div", { class: "control" }, make("div", { class: "head" }, head, this.undo), ...parts, this.problem, this.hint);
  }

  #label() {
    return make("label", { for: this.id, id: `${this.id}-label` }, this.facts.title);
  }

  /** @param {Listed[]} offered @param {Changed} changed */
  #row(offered, changed) {
    const radios = offered.map(({ name, here }) => {
      const input = make("input", { type: "radio", name: this.id, value: name, disabled: !here, "data-gone": !here });
      input.addEventListener("change", () => changed(name));
      return input;
    });
    this.inputs.push(...radios);
    this.write = (value) => radios.forEach((input) => (input.checked = input.value === value));
    const items = offered.map(({ label }, i) => make("label", {}, radios[i], make("span", {}, label)));
    const box = make("fieldset", { class: "choices", "aria-labelledby": `${this.id}-label` }, ...items);
    const head = make("span", { id: `${this.id}-label`, class: "label" }, this.facts.title);
    return this.#framed(head, box, missing(offered));
  }

  /** @param {Listed[]} offered @param {Changed} changed */
  #list(offered, changed) {
    const options = offered.map(({ name, label, here }) =>
      make("option", { value: name, disabled: !here }, here ? label : `${label} (not installed)`),
    );
    const input = make("select", { id: this.id }, ...options);
    input.addEventListener("change", () => changed(input.value));
    this.inputs.push(input);
    this.write = (value) => {
      const wanted = String(value);
      if (![...input.options].some((option) => option.value === wanted)) input.append(make("option", { value: wanted }, wanted));
      input.value = wanted;
    };
    return this.#framed(this.#label(), input, missing(offered));
  }

  /** @param {Changed} changed */
  #tick(changed) {
    const input = make("input", { type: "checkbox", id: this.id });
    input.addEventListener("change", () => changed(input.checked));
    this.inputs.push(input);
    this.write = (value) => (input.checked = Boolean(value));
    const label = make("label", { class: "tick", for: this.id }, input, this.facts.title);
    return this.#framed(label);
  }

  /** @param {Changed} changed */
  #text(changed) {
    const input = make("input", { type: "text", id: this.id, autocomplete: "off", spellcheck: "false" });
    input.addEventListener("change", () => changed(input.value));
    this.inputs.push(input);
    this.write = (value) => (input.value = textOf(value));
    return this.#framed(this.#label(), input);
  }

  /** @param {boolean} slides  Whether there is also a slider. @param {Changed} changed */
  #number(slides, changed) {
    const { minimum, maximum } = this.facts;
    const range = { min: minimum, max: maximum, step: this.step };
    const typed = make("input", { type: "number", id: this.id, ...range, inputmode: "decimal" });
    const done = (/** @type {string} */ text) => changed(text === "" ? undefined : Number(text));
    typed.addEventListener("change", () => done(typed.value));
    this.inputs.push(typed);
    const slider = slides ? make("input", { type: "range", ...range, "aria-label": this.facts.title }) : null;
    this.write = (value) => {
      typed.value = textOf(value);
      if (slider) slider.value = textOf(value);
    };
    if (!slider) return this.#framed(this.#label(), typed);
    slider.addEventListener("input", () => (this.live ? done(slider.value) : (typed.value = slider.value)));
    slider.addEventListener("change", () => done(slider.value));
    this.inputs.push(slider);
    return this.#framed(this.#label(), make("div", { class: "slide" }, slider, typed));
  }
}

/** Return a value as text for an input. @param {Value | undefined} value */
const textOf = (value) => (value == null ? "" : String(value));

/** @param {Listed[]} offered */
const isShort = (offered) =>
  offered.length > 1 && offered.length <= 4 && offered.every((one) => one.label.length <= SHORT);

/**
 * Return the choices of a setting, or undefined if any value may be entered.
 * @param {Facts} facts @param {Listed[] | undefined} listed
 * @returns {Listed[] | undefined}
 */
function choices(facts, listed) {
  const names = facts.enum ?? facts.anyOf?.find((one) => one.enum)?.enum;
  return names?.map((name) => {
    const known = listed?.find((one) => one.name === name);
    return { name, label: known?.label ?? capital(name), here: known?.here ?? true, note: known?.note ?? "" };
  });
}

/** Return the list of unavailable choices with the server's reasons, or null if all are available. @param {Listed[]} offered */
function missing(offered) {
  const gone = offered.filter((one) => !one.here);
  if (!gone.length) return null;
  const lines = gone.map((one) => make("li", {}, one.note));
  const which = gone.length === 1 ? gone[0].label : `${gone.length} more`;
  return make("details", { class: "missing" }, make("summary", {}, `${which} not available: show why`), make("ul", {}, ...lines));
}
