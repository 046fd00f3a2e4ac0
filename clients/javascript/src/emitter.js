// Telling whoever wants to know.

export class Emitter {
  #listeners = new Map();

  /** Call `listener` from now on; what is given back ends that. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }

  emit(name, ...what) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...what);
  }
}
