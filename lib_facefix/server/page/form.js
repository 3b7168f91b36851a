/** A form made from the server's JSON schema of the settings; it shows values and tells of changes, and keeps none. */

import { Control } from "./control.js";
import { capital, make } from "./dom.js";

/** @import { Face, Models, Schema, Settings, Value } from "./api.js" */

export class Form {
  /**
   * id: unlike that of any other form. names: the settings it has. undoLabel: words for taking a value back.
   * changed(name, value): value is undefined where it is taken back.
   * @param {string} id @param {Offer} offer @param {string[]} names @param {string} undoLabel
   * @param {(name: string, value: Value | undefined) => void} changed
   */
  constructor(id, offer, names, undoLabel, changed) {
    this.offer = offer;
    /** @type {Map<string, Control>} */
    this.controls = new Map();
    /** @type {Map<string, HTMLElement[]>} */
    const groups = new Map();
    for (const name of names) {
      const facts = offer.schema.properties[name];
      const control = new Control(`${id}-${name}`, facts, offer.listed(name), undoLabel, (value) => changed(name, value));
      this.controls.set(name, control);
      const group = facts["x-group"];
      groups.set(group, [...(groups.get(group) ?? []), control.element]);
    }
    const folds = [...groups].map(([group, elements]) => fold(group, elements));
    if (folds.length) folds[0].open = true;
    this.element = make("div", { class: "form" }, ...folds);
  }

  /** values: by name. own: the names of those that stand out and can be taken back. @param {Settings} values @param {Set<string>} own */
  show(values, own) {
    for (const [name, control] of this.controls) {
      control.show(values[name], own.has(name));
      control.idle(this.offer.whyIdle(name, values.method));
    }
  }

  /** Show a sentence at a setting; return whether the form has it. @param {string | number} name @param {string} sentence */
  refuse(name, sentence) {
    const control = this.controls.get(String(name));
    if (!control) return false;
    control.refuse(sentence);
    const group = control.element.closest("details");
    if (group) group.open = true;
    return true;
  }

  clear() {
    for (const control of this.controls.values()) control.refuse("");
  }
}

/** What the server offers: the schema of its settings, and the models behind them. */
export class Offer {
  /** @param {Schema} schema @param {Models} models */
  constructor(schema, models) {
    this.schema = schema;
    this.models = models;
    /** @type {Settings} */
    this.defaults = Object.fromEntries(Object.entries(schema.properties).map(([name, facts]) => [name, facts.default ?? null]));
  }

  /** The settings that have an effect on this server: not those of a method that it lacks. */
  get names() {
    return Object.keys(this.schema.properties).filter((name) => this.#has(this.schema.properties[name]["x-only"]));
  }

  /** The settings that decide which faces are found, or what is known of them. */
  get finding() {
    return Object.keys(this.schema.properties).filter((name) => this.schema.properties[name]["x-finds"]);
  }

  /** The settings that single faces may have. @param {Face} face  One of a plan. */
  namesOf(face) {
    return this.names.filter((name) => name === "method" || name in face.parameters);
  }

  /** The settings that a table of faces shows, as [name, label]: how a face is fixed, but for long texts. @returns {[string, string][]} */
  get columns() {
    const facts = (/** @type {string} */ name) => this.schema.properties[name];
    const short = (/** @type {string} */ name) => facts(name).type !== "string" || facts(name).enum || facts(name).anyOf;
    const names = this.names.filter((name) => facts(name)["x-group"] === "fix" && name !== "method" && short(name));
    return names.map((name) => [name, facts(name).title]);
  }

  /** Return what GET models says of a setting's choices: "restorer" stands in its list "restorers". @param {string} name */
  listed(name) {
    return this.models[`${name}s`] ?? this.models[`${name}ers`];
  }

  /** Return why a setting has no effect with this method; "" if it has. @param {string} name @param {Value} method */
  whyIdle(name, method) {
    const only = this.schema.properties[name]["x-only"];
    if (name === "method") return "";
    if (method === "leave") return "No effect: left alone.";
    if (!only || method === "auto" || method === only) return "";
    return `No effect with ${capital(String(method))}.`;
  }

  /** @param {string | undefined} method */
  #has(method) {
    return this.models.methods?.find((one) => one.name === method)?.here ?? true;
  }
}

/** @param {string} group @param {HTMLElement[]} elements */
function fold(group, elements) {
  return make("details", { class: "fold" }, make("summary", {}, capital(group)), ...elements);
}
