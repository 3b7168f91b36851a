/** Functions that find and make elements of the page, and their texts. */

/**
 * Make an element: attributes by name (`true` for a bare one, false/null/undefined for none), then children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child != null) element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Return the element with this id. Throws an error if there is none. @param {string} id */
export const at = (id) => atKind(id, HTMLElement);

/** Return the input field with this id. @param {string} id */
export const inputAt = (id) => atKind(id, HTMLInputElement);

/**
 * Return the element of this kind with this id. Throws an error if there is none.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 */
export function atKind(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} "${id}".`);
  return element;
}

/**
 * Make a button that runs an action.
 * @param {Node | string | number} text
 * @param {() => unknown} action
 * @param {Record<string, string | number | boolean>} attributes
 */
export function button(text, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

/** Return "1 face" or "3 faces". @param {number} number @param {string} noun */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Return the text with a capital letter first. @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Return whether an error only means that the user stopped the work. @param {unknown} error */
export const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/** Return the message of an error. @param {unknown} error */
export const wordsOf = (error) => (error instanceof Error ? error.message : String(error));
