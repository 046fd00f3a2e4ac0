// A channel's two texts, and the connection over which they are written.

import { QuintetText } from "../text/index.js";
import { $ } from "./drawing.js";
import { Editor } from "./editor.js";

const FIELDS = {
  description: { label: "Description", placeholder: "What is this channel about? Everybody in it can write here, at once." },
  notes: { label: "Notes", placeholder: "Tempo map, lyrics, who does what …" },
};

export class Texts {
  #client = null;

  /** `userOf(id)` knows people. */
  constructor(userOf) {
    this.editors = Object.entries(FIELDS).map(([field, { label }]) => [field, new Editor($(`#${field}`), { label, userOf })]);
  }

  /** Write as somebody: `ticket()` lets in, `token(fresh)` reads. */
  begin(ticket, token) {
    this.#client = new QuintetText({ url: location.origin, token, ticket });
  }

  /** Show those of a channel; who is not in it reads. */
  show({ id, role }) {
    for (const [field, editor] of this.editors) {
      const placeholder = role ? FIELDS[field].placeholder : "Nothing is written here yet.";
      editor.show(this.#client, `channel:${id}:${field}`, { canWrite: Boolean(role), placeholder });
    }
  }

  close() {
    for (const [, editor] of this.editors) editor.close();
  }

  /** Nobody writes here any more. */
  end() {
    this.close();
    this.#client?.close();
    this.#client = null;
  }
}
