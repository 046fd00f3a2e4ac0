// The head of the channel that is chosen: what it is called, whether one is in it, and managing one's own.

import { say, sayProblem } from "../shared/account.js";
import * as api from "../shared/api.js";
import { $, closable, count, make, nameOf, twice } from "./drawing.js";

export class ChannelHead {
  #channel = null;

  /** `on` is told `changed(channel)` and `gone(id)`. */
  constructor(on) {
    this.on = on;
    $("#join").onclick = () => this.#join().catch(sayProblem);
    twice($("#leave"), "Leave it?", () => this.#leave().catch(sayProblem));
    this.dialog = closable($("#managing"));
    $("#manage").onclick = () => this.#manage();
    $("form", this.dialog).onsubmit = (event) => {
      event.preventDefault();
      this.#keep(event.target);
    };
    twice($("#end-channel"), "Delete it with all its posts?", () => this.#end());
  }

  get channel() {
    return this.#channel;
  }

  /** No channel is shown. */
  leave() {
    this.#channel = null;
    if (this.dialog.open) this.dialog.close();
  }

  draw(channel) {
    this.#channel = channel;
    const { name, private: isPrivate, owner, members, role } = channel;
    $("#channel-name").textContent = name;
    $("#channel-facts").textContent = [isPrivate ? "members only" : "public", count(members, "member"), owner && `owned by ${owner.id === api.user()?.id ? "you" : nameOf(owner)}`].filter(Boolean).join(" · ");
    $("#join").hidden = Boolean(role);
    $("#leave").hidden = !role || (role === "owner" && members > 1);
    $("#manage").hidden = role !== "owner";
  }

  async #join() {
    const channel = await api.post(`/api/v1/channels/${this.#channel.id}/join`);
    this.on.changed(channel);
    say(`You are in ${channel.name}.`);
  }

  async #leave() {
    const { id, name, members, role } = this.#channel;
    await api.post(`/api/v1/channels/${id}/leave`);
    say(`You have left ${name}.`);
    if (this.#channel.private || role === "owner") this.on.gone(id);
    else this.on.changed({ ...this.#channel, role: null, members: members - 1 });
  }

  async #manage() {
    const form = $("form", this.dialog);
    const { name, private: isPrivate } = this.#channel;
    form.elements.name.value = name;
    form.elements.private.value = isPrivate ? "yes" : "";
    form.elements.member.replaceChildren(make("option", { value: "", textContent: "nobody" }));
    $(".refused", this.dialog).textContent = "";
    this.dialog.showModal();
    try {
      const { items } = await api.get("/social/following?limit=100");
      form.elements.member.append(...items.map(({ user, ...flat }) => user ?? flat).map((one) => make("option", { value: one.id, textContent: nameOf(one) })));
    } catch (problem) {
      $(".refused", this.dialog).textContent = problem.message;
    }
  }

  async #keep(form) {
    const { name, private: isPrivate, member } = Object.fromEntries(new FormData(form));
    const { id } = this.#channel;
    try {
      const channel = await api.request("PATCH", `/api/v1/channels/${id}`, { body: { name, private: Boolean(isPrivate) } });
      this.on.changed(channel);
      if (member) await api.put(`/api/v1/channels/${id}/members/${member}`);
      this.dialog.close();
    } catch (problem) {
      $(".refused", this.dialog).textContent = problem.message;
    }
  }

  async #end() {
    try {
      await api.remove(`/api/v1/channels/${this.#channel.id}`);
      this.dialog.close();
      this.on.gone(this.#channel.id);
    } catch (problem) {
      $(".refused", this.dialog).textContent = problem.message;
    }
  }
}
