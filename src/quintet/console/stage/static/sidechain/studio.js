// The switch that tells others that one is in the studio.

import { say } from "../shared/account.js";
import { $ } from "./drawing.js";

export class Studio {
  #isIn = false;

  /** `send` says it to the server. */
  constructor(send) {
    this.send = send;
    $("#studio").onclick = () => {
      this.#isIn = !this.#isIn;
      this.#draw();
      this.#say();
      say(this.#isIn ? "Others see you in the studio." : "Out of the studio.");
    };
  }

  /** There is a new connection, which knows nothing of it. */
  tell() {
    if (this.#isIn) this.#say();
  }

  /** Somebody else is here now. */
  forget() {
    this.#isIn = false;
    this.#draw();
  }

  #say() {
    this.send({ type: "presence", status: this.#isIn ? "in_studio" : "online" });
  }

  #draw() {
    $("#studio").setAttribute("aria-checked", this.#isIn);
  }
}
