// The page of errors: a place for the dashboard.

import * as api from "../shared/api.js";
import "../shared/account.js";
import { mountErrors } from "./errors.js";

mountErrors(document.querySelector("#errors"), api);
