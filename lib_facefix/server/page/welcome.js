/** The page before a photo is opened: where photos go, the example, and the version. */

import { at, atKind } from "./dom.js";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Whether the server runs on the computer that shows this page. */
export const isLocal = () => LOOPBACK.test(location.hostname);

/**
 * Complete the page. open(files): opens photos. refuse(error): shows an error.
 * @param {(files: File[]) => void} open @param {(error: unknown) => void} refuse
 */
export function welcome(open, refuse) {
  at("privacy").textContent = isLocal()
    ? "Your photos stay on this computer."
    : `Your photos are sent only to ${location.hostname}, the computer that runs FaceFix.`;
  const button = atKind("try-example", HTMLButtonElement);
  button.addEventListener("click", () => example().then((file) => open([file]), refuse));
  button.disabled = false; // before, a click would be lost
}

/** Show the version of FaceFix. @param {string} version */
export function showVersion(version) {
  at("version").textContent = `FaceFix ${version}`;
}

/** Return the example photo. */
async function example() {
  const answer = await fetch("example.jpg");
  if (!answer.ok) throw new Error(`The example photo is missing (error ${answer.status}).`);
  return new File([await answer.blob()], "example.jpg", { type: "image/jpeg" });
}
