/** The dialog that asks for the server's token. */

import { at, atKind, inputAt } from "./dom.js";

/**
 * Return the token that the user enters. again: whether the last one was wrong.
 * @param {boolean} again
 * @returns {Promise<string>}
 */
export function askToken(again) {
  const dialog = atKind("token-dialog", HTMLDialogElement);
  at("token-problem").textContent = again ? "This token is wrong." : "";
  inputAt("token").value = "";
  dialog.addEventListener("cancel", stay);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(inputAt("token").value), { once: true });
  });
}

/** Keep the dialog open, as the page does not work without a token. @param {Event} event */
const stay = (event) => event.preventDefault();
