/** The form of one pass: rows of fields, and closed sections with the rare ones folded away. */

import { capital, make } from "../../server/page/dom.js";
import { ClassMenu } from "./classes.js";
import { Field } from "./field.js";

/** @import { Facts, Value } from "./field.js" */
/** @typedef {string[][]} Rows */
/** @typedef {{title: string, rows: Rows, more: Rows}} Section */
/** @typedef {Record<string, Value>} Unit  Values of a pass that differ from the defaults, by setting. */
/** @typedef {(question: Record<string, unknown>, then: (answer: any) => void) => void} Ask */
/**
 * @typedef {object} Description  Of a form, see `describe_form` in ui/controls.py.
 * @property {Record<string, Facts>} fields
 * @property {Rows} head
 * @property {Rows} top
 * @property {Section[]} sections
 * @property {Rows} besideClasses
 * @property {Record<string, string>} shownWith
 * @property {string[]} found  Settings whose choices include model files.
 * @property {string[]} listed  Settings with lists that the host can read again.
 */

const FOR_SAMPLING = ["prompt", "negative_prompt"]; // hidden while nothing is re-diffused
const REFRESH = "\u{1f504}";

export class PassForm {
  /** @type {Map<string, Field>} */ fields = new Map();
  /** @type {Unit} */ unit = {};

  /**
   * prefix: of the ids of all elements. changed: called after each change of `unit`.
   * @param {Description} described @param {string} prefix @param {Ask} ask @param {() => void} changed
   */
  constructor(described, prefix, ask, changed) {
    this.described = described;
    this.prefix = prefix;
    this.ask = ask;
    this.changed = changed;
    this.head = this.#rows(described.head);
    this.top = this.#rows(described.top);
    this.sections = described.sections.map((section) => this.#section(section));
  }

  /** @param {Unit} unit */
  show(unit) {
    this.unit = unit;
    for (const [name, field] of this.fields) field.show(this.value(name));
    this.#refresh();
  }

  /** @param {string} name */
  value(name) {
    return this.unit[name] ?? this.described.fields[name].default;
  }

  /** Replace the choices of all fields. @param {Description} described */
  offer(described) {
    for (const [name, field] of this.fields) {
      if (!described.fields[name].pairs.length) continue;
      field.offer(described.fields[name].pairs);
      field.show(this.value(name));
    }
  }

  /** @param {string} name @param {Value} value */
  set(name, value) {
    if (value === this.described.fields[name].default) delete this.unit[name];
    else this.unit[name] = value;
    this.fields.get(name)?.show(value);
    this.#refresh();
    this.changed();
  }

  /** Grey out fields without effect, and hide those that only go with another one. */
  #refresh() {
    const method = String(this.value("method"));
    for (const [name, field] of this.fields) {
      const { only } = field.facts;
      const used = !only || method === "auto" || method === only;
      field.idle(used ? "" : `No effect with ${capital(method)}`);
      const other = this.described.shownWith[name];
      const off = other !== undefined && ["", 0, "off"].includes(/** @type {string} */ (this.value(other)));
      field.element.hidden = off || (!used && FOR_SAMPLING.includes(name));
    }
    this.classes?.follow(String(this.value("detector")));
  }

  /** @param {Section} section */
  #section({ title, rows, more }) {
    const slug = title.replace(" ", "_").toLowerCase();
    const rare = more.length ? [fold("More settings", `${this.prefix}more_${slug}`, this.#rows(more))] : [];
    return fold(title, `${this.prefix}section_${slug}`, this.#rows(rows), ...rare);
  }

  /** @param {Rows} rows */
  #rows(rows) {
    return make("div", { class: "facefix-rows" }, ...rows.map((row) => this.#row(row)));
  }

  /** @param {string[]} names */
  #row(names) {
    const row = make("div", { class: "facefix-line" }, ...names.map((name) => this.#field(name).element));
    if (names.includes("detector")) {
      this.classes = new ClassMenu(`${this.prefix}classes`, this.ask, (detector) => this.set("detector", detector));
      row.append(this.classes.element);
      this.classes.element.append(this.#rows(this.described.besideClasses));
    }
    return row;
  }

  /** @param {string} name */
  #field(name) {
    const field = new Field(`${this.prefix}${name}`, this.described.fields[name], (value) => this.set(name, value));
    const { found, listed } = this.described;
    if (found.includes(name)) field.attach(this.#again(name, "Refresh model files"));
    if (listed.at(-1) === name) field.attach(this.#again(name, "Refresh checkpoints and VAEs"));
    this.fields.set(name, field);
    return field;
  }

  /** Make the button that reads the lists again. @param {string} name @param {string} title */
  #again(name, title) {
    const id = `${this.prefix}refresh_${name}`;
    const button = make("button", { type: "button", class: "facefix-again", id, title, "aria-label": title }, REFRESH);
    button.addEventListener("click", () => this.ask({ refresh: true }, (answer) => this.offer(answer.form)));
    return button;
  }
}

/** Make a closed section. @param {string} title @param {string} id @param {...HTMLElement} children */
export function fold(title, id, ...children) {
  const head = make("summary", { class: "label-wrap" }, make("span", {}, title));
  const made = make("details", { class: "facefix-fold", id }, head, ...children);
  made.addEventListener("toggle", () => head.classList.toggle("open", made.open));
  return made;
}
