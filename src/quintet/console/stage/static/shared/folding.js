// Reading again and again what keeps changing, without reading as often as it changes.

/** A function that reads: at most five times a second however often it is called, and always once after the last
 *  call. What a read could not do is told to `failed`. */
export function folding(read, failed, pauseMs = 200) {
  let wanted = false;
  let running = false;
  return async () => {
    wanted = true;
    if (running) return;
    running = true;
    while (wanted) {
      wanted = false;
      await read().catch(failed);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    running = false;
  };
}
