// The corner of every page where one signs in and out, and how the page says what went wrong.

import * as api from "./api.js";

const $ = (selector) => document.querySelector(selector);
const WORDS = {
  unreachable: "The server cannot be reached just now.",
  rate_limited: "That was a lot at once. Give it a moment, then go on.",
  not_signed_in: "Sign in first.",
  wrong_credentials: "No account has this name and this password.",
  token_used: "This was undone already.",
  token_expired: "It is too late to undo this.",
  session_ended: "Your edit session has ended. Paint on: a new one begins.",
  already_ranked: "This one is in your list already.",
  neighbour_gone: "The list has changed meanwhile; here it is anew.",
  wrong_neighbour: "The list has changed meanwhile; here it is anew.",
  tier_full: "This tier is full: it holds 10,000.",
  not_found: "There is no such thing (any more).",
};
let fading = 0;

/** Show and speak a short message; `code` where it is a refusal's. */
export function say(text, code = "") {
  const box = $("#said");
  box.replaceChildren(text, ...(code ? [" ", Object.assign(document.createElement("code"), { textContent: code })] : []));
  box.classList.add("shows");
  clearTimeout(fading);
  fading = setTimeout(() => box.classList.remove("shows"), code ? 7000 : 3500);
}

/** The same for whatever was thrown. */
export function sayProblem(problem) {
  if (!(problem instanceof api.Problem)) throw problem;
  say(wordsFor(problem), problem.code);
}

const wordsFor = (problem) =>
  WORDS[problem.code] ?? (problem.message === problem.title ? problem.title : `${problem.title} ${problem.message}`);

/** Open the form; `why` says what it is for. */
export function invite(why = "") {
  $("#why").textContent = why;
  $("#account").showModal();
}

function shown(user) {
  $("#sign-in").hidden = Boolean(user);
  $("#sign-out").hidden = !user;
  $("#me").textContent = user?.display_name || user?.username || "";
}

$("#sign-in").onclick = () => invite();
$("#sign-out").onclick = () => api.logOut();
$("#close-account").onclick = () => $("#account").close();
const form = $("#account form");
form.onchange = () => {
  const isNew = form.elements.way.value === "new";
  $("#only-new").hidden = !isNew;
  $("#name-label").textContent = isNew ? "E-mail" : "E-mail or username";
  form.elements.name.autocomplete = isNew ? "email" : "username";
  form.elements.password.autocomplete = isNew ? "new-password" : "current-password";
};
form.onsubmit = async (event) => {
  event.preventDefault();
  const { way, name, username, password } = Object.fromEntries(new FormData(form));
  $("#refused").textContent = "";
  $("#submit").disabled = true;
  try {
    if (way === "new") await api.signUp({ email: name, password, ...(username && { username }) });
    else await api.logIn({ password, [name.includes("@") ? "email" : "username"]: name });
    form.reset();
    form.onchange();
    $("#account").close();
  } catch (problem) {
    $("#refused").textContent = wordsFor(problem);
  } finally {
    $("#submit").disabled = false;
  }
};
api.onUser(shown);
shown(api.user());
