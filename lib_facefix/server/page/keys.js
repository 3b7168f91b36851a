/** Keys that work anywhere on the page: F, 1 to 9, 0, B, and ?. */

import { at, atKind, inputAt } from "./dom.js";

/**
 * @typedef {object} Actions
 * @property {() => void} fix  Enhance the photo.
 * @property {(number: number | null) => void} choose  Choose a face. null: all faces.
 * @property {(whether: boolean) => void} peek  Show only the photo before, or both again.
 */

/** Listen for keys. They are ignored in fields, in dialogs, and if the user has switched them off. @param {Actions} actions */
export function listenForKeys(actions) {
  const dialog = atKind("help", HTMLDialogElement);
  at("open-help").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || !listens(event)) return;
    const key = event.key.toLowerCase();
    if (key === "?") dialog.showModal();
    else if (key === "f") actions.fix();
    else if (key === "b") event.repeat || actions.peek(true);
    else if (/^[0-9]$/.test(key)) actions.choose(Number(key) || null);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && actions.peek(false));
  addEventListener("blur", () => actions.peek(false));
}

/** @param {KeyboardEvent} event */
function listens({ target }) {
  if (!inputAt("single-keys").checked || document.querySelector("dialog[open]")) return false;
  if (!(target instanceof Element)) return true;
  return !target.closest("select, textarea, input:not([type=range], [type=radio], [type=checkbox])");
}
