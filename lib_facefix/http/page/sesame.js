/** Asking a person for the server's token. */

import { at } from "./dom.js";

/** Return the token that is typed in; why: the server's sentence about the last one, blank at first. */
export function askToken(why) {
  const dialog = at("sesame");
  at("sesame-why").textContent = why;
  at("token").value = "";
  dialog.addEventListener("cancel", stay);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(at("token").value), { once: true });
  });
}

/** Without a token there is nothing behind the dialog. */
const stay = (event) => event.preventDefault();
