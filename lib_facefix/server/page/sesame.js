/** Asking a person for the server's token. */

import { at, atKind, inputAt } from "./dom.js";

/**
 * Return the token that is typed in; again: whether the last one would not do.
 * @param {boolean} again
 * @returns {Promise<string>}
 */
export function askToken(again) {
  const dialog = atKind("sesame", HTMLDialogElement);
  at("sesame-why").textContent = again ? "That is not its token." : "";
  inputAt("token").value = "";
  dialog.addEventListener("cancel", stay);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(inputAt("token").value), { once: true });
  });
}

/** Without a token there is nothing behind the dialog. @param {Event} event */
const stay = (event) => event.preventDefault();
