/** Make an element: attributes by name (`true` for a bare one, false/null/undefined for none), then children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Return the element of the page with this id. */
export const at = (id) => document.getElementById(id);

/** Make a button that does something. */
export function button(text, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

/** Return "1 face" or "3 faces". */
export const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

/** Return the text with a capital letter first. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
