// Following somebody by their username.

import { say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { $ } from "./drawing.js";

/** `followed()` is told when there is more to read in one's feed. */
export function listenToFollowing(followed) {
  $("#follow").onsubmit = async (event) => {
    event.preventDefault();
    const username = new FormData(event.target).get("username").trim();
    try {
      const { status } = (await api.post(`/api/v1/users/${encodeURIComponent(username)}/follow`)) ?? {};
      say(status === "requested" ? `${username} will be asked.` : `You follow ${username}.`);
      event.target.reset();
      followed();
    } catch (problem) {
      if (problem.code === "not_found") say(`Nobody is called ${username}.`, problem.code);
      else sayProblem(problem);
    }
  };
}
