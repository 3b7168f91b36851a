/** A form made from the server's JSON schema of the settings. It shows values and reports changes, but stores none. */

import { ClassMenu } from "./classes.js";
import { Control } from "./control.js";
import { capital, make } from "./dom.js";

/** @import { Face, Models, Schema, Settings, Value } from "./api.js" */
/** @import { Column } from "./table.js" */

const THOROUGH = ["blazeface", "centerface", "yunet", "yolov8n-face"]; // detectors that are combined to search harder

export class Form {
  /**
   * id: unique id of the form. names: its settings. undoLabel: label of the buttons that reset a setting.
   * changed(name, value): called for each change. value is undefined if the setting was reset.
   * @param {string} id @param {Offer} offer @param {string[]} names @param {string} undoLabel
   * @param {(name: string, value: Value | undefined) => void} changed
   */
  constructor(id, offer, names, undoLabel, changed) {
    this.offer = offer;
    /** @type {Map<string, Control>} */
    this.controls = new Map();
    /** Menu of the classes in a model file. @type {ClassMenu | null} */
    this.classes = null;
    /** @type {Map<string, HTMLElement[]>} */
    const groups = new Map();
    for (const name of names) {
      const facts = offer.schema.properties[name];
      const live = !facts["x-finds"];
      const control = new Control(`${id}-${name}`, facts, offer.listed(name), undoLabel, (value) => changed(name, value), live);
      this.controls.set(name, control);
      const group = facts["x-group"];
      groups.set(group, [...(groups.get(group) ?? []), control.element]);
      if (name === "detector") {
        this.classes = new ClassMenu(`${id}-classes`, offer.listed(name) ?? [], (value) => changed(name, value));
        groups.get(group)?.push(this.classes.element);
      }
    }
    const folds = [...groups].map(([group, elements]) => fold(group, elements));
    if (folds.length) folds[0].open = true;
    this.element = make("div", { class: "form" }, ...folds);
  }

  /** Show values by name. own: names of the settings that are highlighted and can be reset. @param {Settings} values @param {Set<string>} own */
  show(values, own) {
    for (const [name, control] of this.controls) {
      control.show(values[name], own.has(name));
      control.idle(this.offer.whyIdle(name, values.method));
    }
    this.classes?.show(values.detector);
  }

  /** Show an error message beside a setting. Return whether the form has this setting. @param {string | number} name @param {string} sentence */
  refuse(name, sentence) {
    const control = this.controls.get(String(name));
    if (!control) return false;
    control.refuse(sentence);
    for (let group = control.element.closest("details"); group; group = group.parentElement?.closest("details") ?? null) group.open = true;
    return true;
  }

  clear() {
    for (const control of this.controls.values()) control.refuse("");
  }
}

/** The settings and models of the server. */
export class Offer {
  /** @param {Schema} schema @param {Models} models */
  constructor(schema, models) {
    this.schema = schema;
    this.models = models;
    /** @type {Settings} */
    this.defaults = Object.fromEntries(Object.entries(schema.properties).map(([name, facts]) => [name, facts.default ?? null]));
  }

  /** Names of the settings that have an effect on this server. */
  get names() {
    const known = Object.keys(this.schema.properties).filter((name) => name !== "person"); // the page has its own way
    return known.filter((name) => this.#has(this.schema.properties[name]["x-only"]));
  }

  /** Names of the detection settings. After a change of one, faces must be detected again. */
  get finding() {
    return Object.keys(this.schema.properties).filter((name) => this.schema.properties[name]["x-finds"]);
  }

  /** Settings that find more faces: all installed detectors together, a lower confidence, and all angles. @returns {Settings} */
  get harder() {
    const here = (this.models.detectors ?? []).filter((one) => one.here).map((one) => one.name);
    return { detector: THOROUGH.filter((name) => here.includes(name)).join(" + "), min_score: 0.25, angles: "all" };
  }

  /** Return the names of the settings that single faces may have. @param {Face} face  One of a plan. */
  namesOf(face) {
    return this.names.filter((name) => name === "method" || name in face.parameters);
  }

  /** The settings shown in the table of faces, without long texts. @returns {Column[]} */
  get columns() {
    const facts = (/** @type {string} */ name) => this.schema.properties[name];
    const short = (/** @type {string} */ name) => facts(name).type !== "string" || facts(name).enum || facts(name).anyOf;
    const names = this.names.filter((name) => facts(name)["x-group"] === "fix" && name !== "method" && short(name));
    const labels = (/** @type {string} */ name) => new Map(this.listed(name)?.map((one) => [one.name, one.label]));
    return names.map((name) => ({ name, title: facts(name).title, labels: labels(name) }));
  }

  /** Return the list in GET models with the choices of a setting, such as "restorers" for "restorer". @param {string} name */
  listed(name) {
    return this.models[`${name}s`] ?? this.models[`${name}ers`];
  }

  /** Return the reason if a setting has no effect with this method, otherwise "". @param {string} name @param {Value} method */
  whyIdle(name, method) {
    const only = this.schema.properties[name]["x-only"];
    if (name === "method") return "";
    if (method === "leave") return "No effect, as this face is skipped.";
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
