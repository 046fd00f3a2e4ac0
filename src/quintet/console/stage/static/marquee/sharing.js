// One's list as a picture at a public address: made, shown, copied, taken back.

import * as api from "../shared/api.js";
import { say, sayProblem } from "../shared/account.js";

const $ = (selector) => document.querySelector(selector);
const PLACE = "/rankings/me/picture";

/** `may(why)` asks for a signed-in user. Answers `changed()`, which shows the picture anew where it is shown. */
export function listenToSharing(may) {
  let picture = null;
  let drawn = 0;

  function show(told) {
    picture = told;
    $("#shared").hidden = $("#copy").hidden = $("#withdraw").hidden = !picture;
    $("#publish").hidden = Boolean(picture);
    if (!picture) return $("#picture img").removeAttribute("src");
    $("#address").value = picture.png_url;
    $("#picture").href = new URL(picture.png_url).pathname;
    draw();
  }

  function draw() {
    // The number makes the page ask anew; the server passes over it.
    $("#picture img").src = `${new URL(picture.svg_url).pathname}?${++drawn}`;
  }

  const acting = (act) => async () => {
    try {
      await act();
    } catch (problem) {
      sayProblem(problem);
    }
  };

  $("#share").onclick = acting(async () => {
    if (!may("Sign in to share your list.")) return;
    try {
      show(await api.get(PLACE));
    } catch (problem) {
      if (problem.code !== "not_found") throw problem;
      show(null);
    }
    $("#sharing").showModal();
  });
  $("#publish").onclick = acting(async () => show(await api.request("PUT", PLACE)));
  $("#withdraw").onclick = acting(async () => {
    await api.request("DELETE", PLACE);
    show(null);
    say("The address leads nowhere any more.");
  });
  $("#copy").onclick = acting(async () => {
    $("#address").select();
    try {
      await navigator.clipboard.writeText(picture.png_url);
      say("Copied.");
    } catch {
      say("It is selected: copy it with Ctrl C."); // a browser that keeps pages from the clipboard
    }
  });

  return { changed: () => picture && $("#sharing").open && draw() };
}
