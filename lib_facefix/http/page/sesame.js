/** Asking a person for the server's token. */

import { at } from "./dom.js";

/** Return the token that is typed in; again: whether the last one would not do. */
export function askToken(again) {
  const dialog = at("sesame");
  at("sesame-why").textContent = again ? "That is not its token." : "";
  at("token").value = "";
  dialog.addEventListener("cancel", stay);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(at("token").value), { once: true });
  });
}

/** Without a token there is nothing behind the dialog. */
const stay = (event) => event.preventDefault();
