// The page of errors: the dashboard for who is signed in.

import { invite } from "../shared/account.js";
import * as api from "../shared/api.js";
import { mountErrors } from "./errors.js";

const $ = (selector) => document.querySelector(selector);
let end = null;

function begin(user) {
  end?.();
  $("#errors").replaceChildren();
  $("#guest").hidden = Boolean(user);
  end = user ? mountErrors($("#errors"), api) : null;
}

$("#guest-in").onclick = () => invite();
api.onUser(begin);
begin(api.user());
