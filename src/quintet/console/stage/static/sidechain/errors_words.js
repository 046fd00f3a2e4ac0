// How errors are told in words, and a batch to try the server with. Pure.

export const SEVERITIES = ["Critical", "Error", "Warning", "Info"];
export const SOURCES = ["Network", "Audio", "UI"];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [Infinity, "day"]];

/** How long ago a moment was, roughly: "3 minutes ago". */
export function ago(at, now = Date.now()) {
  let span = Math.min(0, (Date.parse(at) - now) / 1000);
  for (const [size, unit] of STEPS) {
    if (-span < size) return unit === "second" ? "just now" : relative.format(Math.round(span), unit);
    span /= size;
  }
  return "";
}

/** "1 time", "2,000 times". */
export const many = (count, one, more = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

/** When an hour began, as precisely as a drawing of so many has room for. */
export function hourOf(hour, count) {
  const when = new Date(hour);
  const day = when.toLocaleDateString("en", { day: "numeric", month: "short" });
  const time = when.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (count === Infinity) return `${day}, ${time}`;
  return count > 48 ? day : time;
}

/** Where in the addresses a row or a group stands. */
export const pointerFor = (kind) => (kind === "groups" ? "groups/" : "");

/** A batch such as a plugin sends, which shows how entries are folded and secrets masked. */
export function batchToTry(now = Date.now()) {
  const any = (most) => Math.floor(Math.random() * most);
  const context = { release: "2.4.1", host: "Live 12.1", sample_rate: 48_000 };
  const timestamp = Math.floor(now / 1000);
  return {
    errors: [
      ...Array.from({ length: 4 }, () => ({
        source: "Network", severity: "Error", message: `Upload to 10.0.0.${any(255)} timed out after ${any(9000)} ms`,
        context: { ...context, headers: [["Authorization", "Bearer nobody-sees-this"]] }, timestamp,
      })),
      { source: "Audio", severity: "Warning", message: `Buffer underrun in block ${any(100_000)}`, context, timestamp, occurrences: 1 + any(40) },
      { source: "Audio", severity: "Critical", message: `Device "Scarlett ${any(9)}i${any(9)}" was lost`, context, timestamp },
      { source: "UI", severity: "Info", message: `Window opened at ${any(2000)}x${any(1200)}`, context: { ...context, token: "nobody-sees-this" }, timestamp },
    ],
  };
}
