/** One setting on the page, made from its property in the server's JSON schema. */

import { capital, make } from "./dom.js";

const SHORT = 10; // letters a choice may have to stand in a row, which takes four at most
const MOST_STEPS = 10000; // a slider with more is hard to set; a number is typed instead

export class Control {
  /**
   * facts: the property. listed: what GET models says of its choices, if anything.
   * changed: called with the new value, or with undefined for "no value of its own".
   */
  constructor(id, facts, listed, undoLabel, changed) {
    this.facts = facts;
    this.id = id;
    this.about = [facts["x-unit"], facts.description].filter(Boolean).join(" · ");
    this.hint = make("p", { class: "hint", id: `${id}-hint` }, this.about);
    this.problem = make("p", { class: "problem", id: `${id}-problem`, hidden: true });
    this.undo = make("button", { type: "button", class: "undo", hidden: true, "aria-label": `${facts.title}: ${undoLabel}` }, undoLabel);
    this.undo.addEventListener("click", () => changed(undefined));
    this.inputs = [];
    this.element = this.#build(choices(facts, listed), changed);
    for (const input of this.inputs) input.setAttribute("aria-describedby", `${this.problem.id} ${this.hint.id}`);
  }

  /** Show a value; own: whether it differs from what it would be without it. */
  show(value, own) {
    this.write(value);
    this.element.classList.toggle("own", own);
    this.undo.hidden = !own;
  }

  /** Grey it, saying why, or not: "" for no reason. */
  idle(reason) {
    for (const input of this.inputs) input.disabled = Boolean(reason) || "gone" in input.dataset;
    this.element.classList.toggle("idle", Boolean(reason));
    this.hint.textContent = reason || this.about;
  }

  /** Show the server's sentence here; "" takes it away. */
  refuse(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
    for (const input of this.inputs) input.toggleAttribute("aria-invalid", Boolean(sentence));
  }

  #build(offered, changed) {
    const { type, minimum, maximum } = this.facts;
    if (offered) return isShort(offered) ? this.#row(offered, changed) : this.#list(offered, changed);
    if (type === "boolean") return this.#tick(changed);
    if (type === "string") return this.#text(changed);
    const slides = minimum != null && maximum != null && (maximum - minimum) / this.step <= MOST_STEPS;
    return this.#number(slides, changed);
  }

  get step() {
    return this.facts["x-step"] ?? (this.facts.type === "integer" ? 1 : 0.01);
  }

  #framed(head, ...parts) {
    return make("div", { class: "control" }, make("div", { class: "head" }, head, this.undo), ...parts, this.problem, this.hint);
  }

  #label() {
    return make("label", { for: this.id, id: `${this.id}-label` }, this.facts.title);
  }

  #row(offered, changed) {
    const items = offered.map(({ name, label, here }) => {
      const input = make("input", { type: "radio", name: this.id, value: name, disabled: !here, "data-gone": !here });
      input.addEventListener("change", () => changed(name));
      this.inputs.push(input);
      return make("label", {}, input, make("span", {}, label));
    });
    this.write = (value) => this.inputs.forEach((input) => (input.checked = input.value === value));
    const box = make("fieldset", { class: "choices", "aria-labelledby": `${this.id}-label` }, ...items);
    const head = make("span", { id: `${this.id}-label`, class: "label" }, this.facts.title);
    return this.#framed(head, box, missing(offered));
  }

  #list(offered, changed) {
    const options = offered.map(({ name, label, here }) =>
      make("option", { value: name, disabled: !here }, here ? label : `${label} (not here)`),
    );
    const input = make("select", { id: this.id }, ...options);
    input.addEventListener("change", () => changed(input.value));
    this.inputs.push(input);
    this.write = (value) => {
      if (![...input.options].some((option) => option.value === value)) input.append(make("option", { value }, value));
      input.value = value;
    };
    return this.#framed(this.#label(), input, missing(offered));
  }

  #tick(changed) {
    const input = make("input", { type: "checkbox", id: this.id });
    input.addEventListener("change", () => changed(input.checked));
    this.inputs.push(input);
    this.write = (value) => (input.checked = value);
    const label = make("label", { class: "tick", for: this.id }, input, this.facts.title);
    return this.#framed(label);
  }

  #text(changed) {
    const input = make("input", { type: "text", id: this.id, autocomplete: "off", spellcheck: "false" });
    input.addEventListener("change", () => changed(input.value));
    this.inputs.push(input);
    this.write = (value) => (input.value = value);
    return this.#framed(this.#label(), input);
  }

  #number(slides, changed) {
    const { minimum, maximum } = this.facts;
    const range = { min: minimum, max: maximum, step: this.step };
    const typed = make("input", { type: "number", id: this.id, ...range, inputmode: "decimal" });
    const done = (text) => changed(text === "" ? undefined : Number(text));
    typed.addEventListener("change", () => done(typed.value));
    this.inputs.push(typed);
    const slider = slides && make("input", { type: "range", ...range, "aria-labelledby": `${this.id}-label` });
    this.write = (value) => {
      typed.value = value;
      if (slider) slider.value = value;
    };
    if (!slider) return this.#framed(this.#label(), typed);
    slider.addEventListener("input", () => (typed.value = slider.value));
    slider.addEventListener("change", () => done(slider.value));
    this.inputs.push(slider);
    return this.#framed(this.#label(), make("div", { class: "slide" }, slider, typed));
  }
}

const isShort = (offered) =>
  offered.length > 1 && offered.length <= 4 && offered.every((one) => one.label.length <= SHORT);

/** Return [{ name, label, here, note }] to choose from, or undefined where anything may be typed. */
function choices(facts, listed) {
  const names = facts.enum ?? facts.anyOf?.find((one) => one.enum)?.enum;
  return names?.map((name) => {
    const known = listed?.find((one) => one.name === name);
    return { name, label: known?.label ?? capital(name), here: known?.here ?? true, note: known?.note ?? "" };
  });
}

/** Say why some choices are greyed, each in the server's words; nothing where none is. */
function missing(offered) {
  const gone = offered.filter((one) => !one.here);
  if (!gone.length) return null;
  const lines = gone.map((one) => make("li", {}, one.note));
  const who = gone.length === 1 ? `${gone[0].label} is` : `${gone.length} are`;
  return make("details", { class: "missing" }, make("summary", {}, `${who} not here`), make("ul", {}, ...lines));
}
