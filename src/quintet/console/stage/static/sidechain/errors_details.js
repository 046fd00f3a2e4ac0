// One report or group, looked at: its newest context, its first reports, and whether it is resolved.

import { h } from "./errors_elements.js";
import { ago, many } from "./errors_words.js";

/** `resolve(one, kind, resolved)` answers what it is then. Answers `open(one, kind)`. */
export function listenToDetails(dialog, { resolve }) {
  dialog.setAttribute("aria-labelledby", "errors-details-title");

  function open(one, kind) {
    draw(one, kind);
    dialog.showModal();
  }

  function draw(one, kind) {
    const change = h("button", { type: "button", className: "main", textContent: one.is_resolved ? "Reopen" : "Resolve" });
    change.onclick = async () => {
      change.disabled = true;
      draw(await resolve(one, kind, !one.is_resolved), kind);
      dialog.querySelector("button.main").focus();
    };
    const close = h("button", { type: "button", className: "quiet", textContent: "Close", onclick: () => dialog.close() });
    dialog.replaceChildren(
      h("h2", { id: "errors-details-title", dir: "auto", textContent: one.message }),
      h("p", {},
        h("span", { className: `errors-badge severity-${one.severity}`, textContent: one.severity }),
        h("span", { className: "soft", textContent: ` ${factsOf(one)}` })),
      ...(kind === "groups" ? aboutGroup(one) : aboutRow(one)),
      h("div", { className: "row" }, change, close),
    );
  }

  return { open };
}

function factsOf(one) {
  const facts = [one.source, many(one.occurrences, "time"), `first ${ago(one.first_seen)}`, `last ${ago(one.last_seen)}`];
  if (one.is_resolved) facts.push("resolved");
  else if (one.reopened_at) facts.push(`came back ${ago(one.reopened_at)}`);
  return facts.join(" · ");
}

function aboutRow(row) {
  return [
    h("h3", { textContent: "Newest context" }),
    json(row.context),
    h("h3", { textContent: row.samples.length === 1 ? "First report" : `First ${row.samples.length} reports` }),
    h("ol", { className: "errors-samples" }, ...row.samples.map((sample) =>
      h("li", {},
        h("details", {},
          h("summary", {}, h("span", { dir: "auto", textContent: sample.message }), h("span", { className: "soft", textContent: ` ${ago(sample.seen_at)}` })),
          sample.timestamp ? h("p", { className: "soft", textContent: `The plugin's clock said ${sample.timestamp}` }) : "",
          json(sample.context)),
      ),
    )),
  ];
}

function aboutGroup(group) {
  return [
    h("p", { textContent: `Met by ${many(group.users, "person", "people")}${group.first_release ? `, first in release ${group.first_release}` : ""}.` }),
    h("h3", { textContent: "What its reports have in common" }),
    h("pre", { tabIndex: 0, textContent: group.pattern }),
  ];
}

const json = (value) => h("pre", { tabIndex: 0, dir: "ltr", textContent: JSON.stringify(value, null, 2) });
