// The dashboard of error tracking: what plugins report, counted, listed, looked at and resolved. It makes its own
// elements, so that a page gives it a place and `shared/api.js`, and nothing else.

import { say, sayProblem } from "../shared/account.js";
import { folding } from "../shared/folding.js";
import { drawHours, drawShares, listHours } from "./errors_charts.js";
import { h, option } from "./errors_elements.js";
import { listenToDetails } from "./errors_details.js";
import { SEVERITIES, SOURCES, ago, batchToTry, many, pointerFor } from "./errors_words.js";

const MOST = 20; // that are read at once
const MOST_SHOWN = 200;
const AGAIN_MS = 15_000; // nobody tells of new reports, so the page asks; by ETag, what is unchanged costs little
const TYPING_MS = 250;
const HOURS = [[24, "24 hours"], [72, "3 days"], [168, "7 days"], [720, "30 days"]];
const STAFF = ["moderator", "admin"];

/**
 * Show the dashboard in `root`, which it fills. `api` is `shared/api.js`. Answers `{read, close}`: `read()` reads anew,
 * `close()` ends it and empties the place.
 */
export function mountErrors(root, api) {
  const parts = build();
  const { filters, scale, list, older, groups } = parts;
  const isStaff = () => STAFF.includes(api.user()?.role);
  const whose = () => (isStaff() && scale.elements.scope.value === "all" ? "all" : "me");
  const lists = { rows: rowOf, groups: groupOf };
  const kind = () => (isStaff() && filters.elements.kind.value === "groups" ? "groups" : "rows");
  let hourly = []; // as last read
  let items = [];
  let next = null;
  let asked = 0; // answers to older questions are passed over
  let typing = 0;
  let closed = false;

  const details = listenToDetails(parts.dialog, { resolve });

  // --- reading

  const readCounts = folding(async () => {
    if (!api.user() || closed) return;
    const [hours, scope] = [scale.elements.hours.value, whose()];
    const counts = await api.get(`/api/v1/errors/stats?hours=${hours}&scope=${scope}`);
    if (hours !== scale.elements.hours.value || scope !== whose()) return;
    hourly = counts.hourly;
    drawCounts(parts, counts);
  }, failed);

  const readList = folding(async () => {
    if (!api.user() || closed) return;
    const mine = ++asked;
    const page = await api.get(address());
    if (mine !== asked) return;
    // What was read further down stays where nothing new came above it.
    const fresh = new Set(page.items.map((one) => one.id));
    const kept = items.length > MOST ? items.slice(MOST).filter((one) => !fresh.has(one.id)) : [];
    items = [...page.items, ...kept];
    if (!kept.length) next = page.next_cursor;
    drawList();
  }, failed);

  function address(cursor = "") {
    const asked_ = new URLSearchParams({ limit: MOST });
    for (const name of ["severity", "source", "resolved", "q"]) {
      const value = filters.elements[name].value.trim();
      if (value) asked_.set(name, value);
    }
    if (cursor) asked_.set("cursor", cursor);
    return `/api/v1/errors${kind() === "groups" ? "/groups" : ""}?${asked_}`;
  }

  const read = () => Promise.all([readCounts(), readList()]);

  function failed(problem) {
    if (!problem.passes) sayProblem(problem); // what the network did not answer is read next time
  }

  function anew() {
    asked++;
    items = [];
    next = null;
    readList();
  }

  // --- showing

  function drawList() {
    const focused = document.activeElement?.closest?.("[data-error]")?.dataset.error;
    list.replaceChildren(...items.map((one) => lists[kind()](one)));
    list.querySelector(`[data-error="${focused}"] button`)?.focus();
    parts.empty.hidden = items.length > 0;
    older.hidden = !next || items.length >= MOST_SHOWN;
  }

  function rowOf(row) {
    return item(row, row.message, [row.source, many(row.occurrences, "time"), ago(row.last_seen)]);
  }

  function groupOf(group) {
    return item(group, group.pattern, [group.source, many(group.occurrences, "time"), many(group.users, "person", "people"), ago(group.last_seen)]);
  }

  function item(one, words, facts) {
    const state = one.is_resolved ? "resolved" : one.reopened_at ? "came back" : "";
    const button = h("button", { type: "button", className: "errors-item", onclick: () => details.open(one, kind()) },
      h("span", { className: `errors-badge severity-${one.severity}`, textContent: one.severity }),
      h("span", { className: "errors-message", dir: "auto", textContent: words }),
      h("span", { className: "errors-facts soft", textContent: [...facts, state].filter(Boolean).join(" · ") }),
    );
    const row = h("li", { className: one.is_resolved ? "errors-resolved" : "" }, button);
    row.dataset.error = one.id;
    return row;
  }

  // --- doing

  async function resolve(one, of, resolved) {
    try {
      const answer = await api.request("PUT", `/api/v1/errors/${pointerFor(of)}${one.id}/resolved`, { body: { resolved } });
      items = items.map((known) => (known.id === answer.id ? answer : known));
      drawList();
      say(resolved ? "Resolved. Should it come back, it says so." : "Reopened.");
      return answer;
    } catch (problem) {
      sayProblem(problem);
      return one;
    }
  }

  async function tryIt() {
    parts.trial.disabled = true;
    try {
      const { recorded, merged } = await api.post("/api/v1/errors/batch", batchToTry());
      say(`${many(recorded, "entry", "entries")} recorded, ${merged} of them added to rows that were there.`);
      await read();
    } catch (problem) {
      sayProblem(problem);
    } finally {
      parts.trial.disabled = false;
    }
  }

  async function readOlder() {
    const mine = asked;
    try {
      const page = await api.get(address(next));
      if (mine !== asked) return;
      const known = new Set(items.map((one) => one.id));
      items = [...items, ...page.items.filter((one) => !known.has(one.id))];
      next = page.next_cursor;
      drawList();
    } catch (problem) {
      if (problem.code === "invalid_cursor") anew(); // a day old
      else sayProblem(problem);
    }
  }

  filters.onsubmit = (event) => event.preventDefault();
  filters.onchange = (event) => event.target.name !== "q" && anew();
  filters.elements.q.oninput = () => {
    clearTimeout(typing);
    typing = setTimeout(anew, TYPING_MS);
  };
  scale.onsubmit = (event) => event.preventDefault();
  scale.onchange = readCounts;
  older.onclick = readOlder;
  parts.trial.onclick = tryIt;

  // --- who looks

  function begin(user) {
    if (closed) return;
    parts.guest.hidden = Boolean(user);
    parts.body.hidden = !user;
    groups.hidden = parts.everybody.hidden = !isStaff();
    parts.dialog.close();
    anew();
    readCounts();
  }

  const resized = new ResizeObserver(() => hourly.length && drawHours(parts.chart, hourly));
  resized.observe(parts.chart);
  const timer = setInterval(() => !document.hidden && read(), AGAIN_MS);
  const seen = () => !document.hidden && read();
  document.addEventListener("visibilitychange", seen);
  root.replaceChildren(parts.whole);
  api.onUser(begin);
  begin(api.user());

  return {
    read,
    close() {
      closed = true;
      resized.disconnect();
      clearInterval(timer);
      clearTimeout(typing);
      document.removeEventListener("visibilitychange", seen);
      root.replaceChildren();
    },
  };
}

function drawCounts(parts, counts) {
  const total = counts.hourly.reduce((sum, one) => sum + one.occurrences, 0);
  parts.total.textContent = total.toLocaleString("en");
  parts.people.textContent = counts.affected_users.toLocaleString("en");
  parts.fresh.textContent = counts.new_since_release === null ? "–" : counts.new_since_release.toLocaleString("en");
  drawHours(parts.chart, counts.hourly);
  listHours(parts.table, counts.hourly);
  drawShares(parts.severities, SEVERITIES.map((name) => ({ name, ...counts.by_severity[name], kind: `severity-${name}` })));
  drawShares(parts.sources, SOURCES.map((name) => ({ name, ...counts.by_source[name], kind: "errors-source" })));
  parts.top.replaceChildren(...counts.top_messages.map(({ message, occurrences }) =>
    h("li", {}, h("span", { dir: "auto", textContent: message }), h("b", { textContent: occurrences.toLocaleString("en") })),
  ));
  parts.noTop.hidden = counts.top_messages.length > 0;
}

/** All elements, by what they are. */
function build() {
  const parts = {
    total: h("dd"), people: h("dd"), fresh: h("dd"),
    chart: h("div", { className: "errors-chart" }),
    table: h("tbody"),
    severities: h("ul", { className: "errors-shares" }), sources: h("ul", { className: "errors-shares" }),
    top: h("ol", { className: "errors-top" }), noTop: h("p", { className: "soft", textContent: "Nothing was reported." }),
    trial: h("button", { type: "button", textContent: "Send a test batch" }),
    list: h("ol", { className: "errors-list" }),
    empty: h("p", { className: "soft", textContent: "No reports match.", hidden: true }),
    older: h("button", { type: "button", className: "quiet", textContent: "Older", hidden: true }),
    guest: h("p", { className: "note", textContent: "Sign in to see what your plugins report." }),
    dialog: h("dialog", { className: "errors-details" }),
  };
  const choice = (name, label, options) => h("label", {}, h("span", { className: "unseen", textContent: label }), h("select", { name }, ...options));
  parts.everybody = choice("scope", "Whose reports are counted", [option("me", "My reports"), option("all", "Everybody's reports")]);
  parts.groups = choice("kind", "What is listed", [option("rows", "Reports"), option("groups", "Groups")]);
  parts.scale = h("form", { className: "row" }, choice("hours", "How far back", HOURS.map(([hours, words]) => option(hours, words))), parts.everybody);
  parts.filters = h("form", { className: "row errors-filters", role: "search" },
    parts.groups,
    choice("severity", "Severity", [option("", "Any severity"), ...SEVERITIES.map((one) => option(one, one))]),
    choice("source", "Source", [option("", "Any source"), ...SOURCES.map((one) => option(one, one))]),
    choice("resolved", "State", [option("", "Open and resolved"), option("false", "Open"), option("true", "Resolved")]),
    h("label", { className: "errors-words" }, h("span", { className: "unseen", textContent: "Words of the message" }),
      h("input", { type: "search", name: "q", placeholder: "Words of the message", maxLength: 200, autocomplete: "off" })),
  );
  const figure = (name, value) => h("div", {}, h("dt", { className: "soft", textContent: name }), value);
  const part = (name, ...inside) => h("section", { className: "card" }, h("h3", { textContent: name }), ...inside);
  const asTable = h("details", {}, h("summary", { textContent: "As a table" }), h("div", { className: "errors-scroll", tabIndex: 0, ariaLabel: "Occurrences by the hour" },
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col", textContent: "Hour" }), h("th", { scope: "col", textContent: "Occurrences" }))), parts.table)));
  parts.body = h("div", { className: "errors" },
    h("div", { className: "row errors-heading" }, h("h2", { textContent: "Errors" }), parts.scale, parts.trial),
    h("dl", { className: "errors-figures" }, figure("Occurrences", parts.total), figure("People affected", parts.people), figure("New since the release", parts.fresh)),
    part("By the hour", parts.chart, asTable),
    h("div", { className: "errors-columns" }, part("By severity", parts.severities), part("By source", parts.sources), part("Most often", parts.top, parts.noTop)),
    part("Reports", parts.filters, parts.list, parts.empty, parts.older),
    parts.dialog,
  );
  parts.whole = h("div", {}, parts.guest, parts.body);
  return parts;
}
