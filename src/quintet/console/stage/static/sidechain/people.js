// Who is who. Rooms often tell ids alone; whoever was named once on this page is known by name from then on.

export class People {
  #known = new Map();

  /** `{id, username, display_name}`, or an event that names its doer. */
  learn(user) {
    if (user?.id) this.#known.set(user.id, user);
  }

  hear({ user_id: id, user, username, display_name: displayName }) {
    if (user) this.learn(user);
    else if (id && username) this.learn({ id, username, display_name: displayName });
  }

  userOf = (id) => this.#known.get(id);
}
