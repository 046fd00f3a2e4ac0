// A sound as a row of bars. Each bar is a line with round ends whose width is the screen's own, however wide the
// drawing is stretched.

/** Draw `peaks` (0..1) into an svg as so many bars; each shows the loudest of its share. */
export function drawWave(svg, peaks, bars = 96) {
  const most = Math.max(...peaks, 0.05); // a quiet sound has a form, too
  const path = [];
  for (let bar = 0; bar < bars; bar++) {
    const share = peaks.slice(Math.floor((bar * peaks.length) / bars), Math.max(Math.floor(((bar + 1) * peaks.length) / bars), Math.floor((bar * peaks.length) / bars) + 1));
    const half = Math.max(1, (Math.max(...share, 0) / most) * 44);
    path.push(`M${bar + 0.5} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`);
  }
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path.join(""));
  line.setAttribute("vector-effect", "non-scaling-stroke");
  svg.setAttribute("viewBox", `0 0 ${bars} 100`);
  svg.replaceChildren(line);
}

/** The form of a sound that nobody has made: for where there is none to show. */
export const imagined = (count = 96) =>
  Array.from({ length: count }, (_, at) => Math.abs(Math.sin(at * 0.21) * Math.cos(at * 0.043)) * (0.55 + 0.45 * Math.abs(Math.sin(at * 1.7))) + 0.04);
