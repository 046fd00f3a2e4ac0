// Titles under a mouse or a finger: pressed, carried, and put down on a shelf. A finger holds first, since one that
// moves at once wants to scroll.

const MOVED_PX = 6;
const HELD_MS = 280;
const EDGE_PX = 70; // so near to the window's edge the page moves along

/**
 * Anything with `data-media` inside of a `data-tier` or `data-from` can be carried. `act` is told `lift(tile)` (false
 * refuses), `drop(tile, tier, beforeId)` and `cancel()`; until one of these two, nothing else may move tiles.
 */
export function listenToPointers(act) {
  let press = null; // {tile, x, y, timer, ghost, slot, row}

  addEventListener("pointerdown", (event) => {
    const tile = event.target.closest?.("[data-media]");
    if (!tile || !event.isPrimary || event.button !== 0 || event.target.closest("[data-still]")) return;
    press = { tile, id: event.pointerId, x: event.clientX, y: event.clientY, byFinger: event.pointerType === "touch" };
    if (press.byFinger) press.timer = setTimeout(lift, HELD_MS);
  });

  addEventListener("pointermove", (event) => {
    if (event.pointerId !== press?.id) return;
    const moved = Math.hypot(event.clientX - press.x, event.clientY - press.y) > MOVED_PX;
    if (!press.ghost && moved) {
      if (press.byFinger) return forget(); // it scrolls
      lift();
    }
    if (!press?.ghost) return;
    Object.assign(press, { x: event.clientX, y: event.clientY });
    carry();
  });

  addEventListener("pointerup", (event) => {
    if (event.pointerId !== press?.id) return;
    const { ghost, slot, row, tile } = press;
    if (!ghost) return forget();
    // The same press is no click.
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }));
    const before = slot?.nextElementSibling?.dataset.id;
    forget();
    if (row) act.drop(tile, row.dataset.tier, before);
    else act.cancel();
  });

  addEventListener("pointercancel", cancel);
  addEventListener("keydown", (event) => event.key === "Escape" && press?.ghost && (event.preventDefault(), cancel()));
  addEventListener("contextmenu", (event) => press?.byFinger && event.preventDefault());
  addEventListener("dragstart", (event) => press && event.preventDefault());
  // Once a finger carries something, it does not scroll any more.
  addEventListener("touchmove", (event) => press?.ghost && event.preventDefault(), { passive: false });

  function lift() {
    if (!act.lift(press.tile)) return forget();
    const box = press.tile.getBoundingClientRect();
    press.ghost = press.tile.cloneNode(true);
    press.ghost.classList.add("ghost");
    press.ghost.removeAttribute("data-id");
    Object.assign(press.ghost.style, { width: `${box.width}px`, height: `${box.height}px` });
    press.grip = { x: press.x - box.left, y: press.y - box.top };
    // What comes from elsewhere leaves a tile there, and a copy of it goes onto the shelf.
    press.isCopy = !press.tile.closest("[data-tier]");
    press.slot = press.isCopy ? press.tile.cloneNode(true) : press.tile;
    press.slot.classList.add("lifted");
    document.body.append(press.ghost);
    document.documentElement.classList.add("carries");
    carry();
    requestAnimationFrame(creep);
  }

  /** The ghost follows; the slot goes where it would be dropped. */
  function carry() {
    const { ghost, grip, slot, x, y } = press;
    ghost.style.transform = `translate(${x - grip.x}px, ${y - grip.y}px) rotate(2deg)`;
    press.row = document.elementFromPoint(x, y)?.closest("[data-tier]") ?? null;
    if (!press.row) return;
    const shelf = press.row.querySelector(".shelf");
    const before = [...shelf.children].find((one) => {
      if (one === slot) return false;
      const box = one.getBoundingClientRect();
      return y < box.top || (y <= box.bottom && x < box.left + box.width / 2);
    });
    if (slot.parentElement !== shelf || slot.nextElementSibling !== (before ?? null)) shelf.insertBefore(slot, before ?? null);
  }

  function creep() {
    if (!press?.ghost) return;
    const step = press.y < EDGE_PX ? press.y - EDGE_PX : Math.max(0, press.y - innerHeight + EDGE_PX);
    if (step) {
      scrollBy(0, step / 5);
      carry();
    }
    requestAnimationFrame(creep);
  }

  function cancel() {
    const carried = press?.ghost;
    forget();
    if (carried) act.cancel();
  }

  function forget() {
    clearTimeout(press?.timer);
    press?.ghost?.remove();
    press?.slot?.classList.remove("lifted");
    if (press?.isCopy) press.slot.remove();
    document.documentElement.classList.remove("carries");
    press = null;
  }
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
