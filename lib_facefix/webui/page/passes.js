/**
 * The settings of all passes in a tab of the WebUI: forms that write into a hidden text of the page, and show it.
 *
 * The text is the JSON of a list of units, see passes/settings.py.
 */

import { make } from "../../server/page/dom.js";
import { PassForm, fold } from "./form.js";

/** @import { Description, Unit } from "./form.js" */
/** @typedef {{several: boolean, hidden: string[], defaults: Unit, version: string}} Config  Of a tab, see ui/settings_form.py. */

export class Passes {
  /** Text that the page has, as far as is known. @type {string | null} */ text = null;
  /** @type {Unit[]} */ units = [{}];
  /** @type {PassForm[]} */ forms = [];
  /** Questions to the server, one after another. @type {{question: Record<string, unknown>, then: (answer: any) => void}[]} */ queue = [];

  /** id: prefix of the ids of all elements of the tab. @param {string} id @param {Config} config */
  constructor(id, config) {
    this.id = id;
    this.config = config;
    this.ask({ hidden: config.hidden }, (answer) => this.build(answer.form));
  }

  /** Ask the server. @param {Record<string, unknown>} question @param {(answer: any) => void} then */
  ask(question, then) {
    this.queue.push({ question, then });
    if (this.queue.length === 1) this.#send();
  }

  /** Return the current question; for the hidden button. */
  get question() {
    return JSON.stringify(this.queue[0]?.question ?? {});
  }

  /** Receive the answer to the current question. @param {string} text */
  answered(text) {
    const asked = this.queue.shift();
    if (this.queue.length) this.#send();
    if (text) asked?.then(JSON.parse(text));
  }

  /** @param {Description} described */
  build(described) {
    for (const [name, value] of Object.entries(this.config.defaults)) described.fields[name].default = value;
    this.described = described;
    const first = this.#form(0);
    this.#at("head").append(first.head);
    this.#at("top").append(first.top);
    const rest = this.#at("rest");
    rest.append(...first.sections);
    if (this.config.several) rest.append(this.#morePasses());
    rest.append(this.#foot());
    this.show(this.#store("passes").value);
  }

  /** Show the passes of a text, which the server may have changed. @param {string} text */
  show(text) {
    if (!this.described || text === this.text) return;
    this.text = text;
    this.units = JSON.parse(text || "[{}]");
    while (this.forms.length > this.units.length) this.#take();
    while (this.forms.length < this.units.length) this.#put();
    this.units.forEach((unit, place) => this.#showPass(place, unit));
    this.#tellRestorer();
  }

  /** @param {number} place @param {Unit} unit */
  #showPass(place, unit) {
    this.forms[place].show(unit);
    const tick = document.getElementById(`${this.#prefix(place)}active_tick`);
    if (tick instanceof HTMLInputElement) tick.checked = unit.active !== false;
  }

  /** Write the passes into the text of the page. */
  #write() {
    this.text = JSON.stringify(this.units);
    put(this.#store("passes"), this.text);
  }

  /** Name the restorer of the first pass that restores, for the line about its download. */
  #tellRestorer() {
    const names = this.forms.map((form) => String(form.value("restorer")));
    const store = this.#store("wanted");
    if (store.value !== names.join("\n")) put(store, names.join("\n"));
  }

  /** @param {number} place */
  #form(place) {
    const form = new PassForm(/** @type {Description} */ (this.described), this.#prefix(place), (...asked) => this.ask(...asked), () => {
      this.units[place] = form.unit;
      this.#write();
      this.#tellRestorer();
    });
    this.forms.push(form);
    return form;
  }

  #morePasses() {
    this.list = make("div", { class: "facefix-passes" });
    const add = make("button", { type: "button", class: "facefix-button", id: `${this.id}add_pass` }, "Add a pass");
    add.addEventListener("click", () => {
      this.units.push({});
      this.#put(true);
      this.#showPass(this.units.length - 1, {});
      this.#write();
    });
    return fold("More passes", `${this.id}more_passes`, this.list, add);
  }

  /** Add the form of a further pass. @param {boolean} open  Whether to unfold it. */
  #put(open = false) {
    const place = this.forms.length;
    const form = this.#form(place);
    const prefix = this.#prefix(place);
    const made = fold(`Pass ${place + 1}`, `${prefix}active`, form.head, form.top, ...form.sections);
    const tick = make("input", { type: "checkbox", id: `${prefix}active_tick`, "aria-label": `Run pass ${place + 1}`, checked: true });
    tick.addEventListener("change", () => form.set("active", tick.checked));
    const gone = make("button", { type: "button", class: "facefix-again", title: "Remove the last pass", "aria-label": "Remove the last pass" }, "✕");
    gone.addEventListener("click", (event) => {
      event.preventDefault();
      this.units.pop();
      this.#take();
      this.#write();
    });
    made.querySelector("summary")?.prepend(tick);
    made.querySelector("summary")?.append(gone);
    made.open = open;
    this.list?.append(made);
    this.#mark();
  }

  /** Remove the form of the last pass. */
  #take() {
    this.forms.pop();
    this.list?.lastElementChild?.remove();
    this.#mark();
  }

  /** Only the last pass can be removed, because the number of a pass is part of its ids. */
  #mark() {
    this.list?.querySelectorAll(":scope > details").forEach((one, place, all) => one.classList.toggle("facefix-last", place === all.length - 1));
    const fold_ = document.getElementById(`${this.id}more_passes`);
    if (fold_ instanceof HTMLDetailsElement && this.forms.length > 1) fold_.open = true;
  }

  #foot() {
    const button = make("button", { type: "button", class: "facefix-button", id: `${this.id}explain`, "aria-pressed": "false" }, "Explain settings");
    button.addEventListener("click", () => {
      const on = this.#at("head").closest("#tabs, body")?.classList.toggle("facefix-explained") ?? false;
      button.setAttribute("aria-pressed", String(on));
    });
    return make("div", { class: "facefix-foot" }, button, make("span", {}, `FaceFix ${this.config.version}`));
  }

  #send() {
    document.getElementById(`${this.id}ask`)?.click();
  }

  /** @param {number} place */
  #prefix(place) {
    return this.config.several ? `${this.id}pass${place + 1}_` : this.id;
  }

  /** @param {string} part @returns {HTMLElement} */
  #at(part) {
    const place = document.querySelector(`#${this.id}${part} .facefix-form`);
    if (!(place instanceof HTMLElement)) throw new Error(`The page has no place for ${this.id}${part}.`);
    return place;
  }

  /** Return the hidden text with this name. @param {string} name @returns {HTMLTextAreaElement | HTMLInputElement} */
  #store(name) {
    const text = document.querySelector(`#${this.id}${name} :is(textarea, input)`);
    if (!(text instanceof HTMLTextAreaElement || text instanceof HTMLInputElement)) throw new Error(`The page has no text ${this.id}${name}.`);
    return text;
  }
}

/** Write into a text of the page, so that the page takes note. @param {HTMLTextAreaElement | HTMLInputElement} text @param {string} value */
function put(text, value) {
  text.value = value;
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
