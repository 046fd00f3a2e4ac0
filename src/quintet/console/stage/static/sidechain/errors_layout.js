// What the dashboard of errors is made of.

import { h, option } from "./errors_elements.js";
import { SEVERITIES, SOURCES } from "./errors_words.js";

const HOURS = [[24, "24 hours"], [72, "3 days"], [168, "7 days"], [720, "30 days"]];

/** All elements, by what they are. */
export function build() {
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
