// The parts of one file.

import { byID, color, say, sized } from "./dom.js";
import { bytes, count, states } from "./words.js";

const colors = { a: "acked", r: "resumed", f: "flight", t: "retrying", m: "missing" };
const names = { a: "acknowledged", r: "resumed", f: "in flight", t: "retrying", m: "missing" };

let shown = null;

let drawn = { cell: 1, across: 1, list: [] }; // how the map is drawn

// runs reads "120a3f" as [["a", 120], ["f", 3]].
function runs(text) {
  return [...text.matchAll(/(\d+)([a-z])/g)].map(([, n, state]) => [state, Number(n)]);
}

export function show(map) {
  shown = map;
  say(byID("detail-path"), map.path || `File ${map.file}`);
  const facts = [states[map.state] || "", bytes(map.size)];
  if (map.count) facts.push(count(map.count, "part", "parts") + (map.count > 1 && map.partSize ? ` of ${bytes(map.partSize)}` : ""));
  if (map.uploadId) facts.push(`upload ID ${map.uploadId}`);
  say(byID("detail-object"), map.object);
  say(byID("detail-facts"), map.error || facts.filter(Boolean).join(", "));
  say(byID("detail-failure"), map.failure || "");
  say(byID("map-note"), map.error ? "" : !map.known && map.state !== "init" ? "Nothing was recorded of its parts." : [named("t"), named("f")].filter(Boolean).join(" "));
  draw();
}

// named is which parts are in a state, in words: "In flight: 7, 12 to 14."
function named(wanted) {
  const ranges = [];
  let first = 1;
  for (const [state, n] of runs(shown.parts || "")) {
    if (state === wanted) ranges.push(n > 1 ? `${first} to ${first + n - 1}` : `${first}`);
    first += n;
  }
  if (!ranges.length) return "";
  const title = names[wanted][0].toUpperCase() + names[wanted].slice(1);
  return `${title}: ${ranges.slice(0, 8).join(", ")}${ranges.length > 8 ? " and others" : ""}.`;
}

// point says which part is under the pointer.
export function point(event) {
  const { cell, across, list } = drawn;
  const column = Math.floor(event.offsetX / cell), index = Math.floor(event.offsetY / cell) * across + column;
  let end = 0;
  const run = column < across ? list.find(([, n]) => (end += n) > index) : undefined;
  say(byID("map-part"), run ? `Part ${index + 1}: ${names[run[0]]}` : "");
}

export function draw() {
  if (!shown) return;
  const canvas = byID("map");
  const list = runs(shown.parts || "");
  const total = list.reduce((sum, [, n]) => sum + n, 0);
  const width = canvas.clientWidth;
  if (!width) return;
  const cell = total > 4000 ? 6 : total > 1200 ? 8 : total > 200 ? 11 : 18;
  const across = Math.max(1, Math.floor(width / cell));
  drawn = { cell, across, list };
  const { context } = sized(canvas, Math.max(cell, Math.ceil(total / across) * cell));
  const fills = Object.fromEntries(Object.entries(colors).map(([state, name]) => [state, color(name)]));
  const sums = { a: 0, r: 0, f: 0, t: 0, m: 0 };
  let i = 0;
  for (const [state, n] of list) {
    sums[state] += n;
    context.fillStyle = fills[state];
    for (const end = i + n; i < end; i++) {
      const x = (i % across) * cell, y = Math.floor(i / across) * cell;
      context.fillRect(x, y, cell - 1, cell - 1);
      if (state === "t") { // not by its colour alone
        context.clearRect(x + cell / 2 - 1, y + 1, 1, cell - 3);
      } else if (state === "f") {
        context.clearRect(x + 1, y + cell / 2 - 1, cell - 3, 1);
      }
    }
  }
  for (const b of document.querySelectorAll("#map-legend b")) say(b, sums[b.dataset.part].toLocaleString("en"));
  canvas.setAttribute("aria-label", "Map of the parts: " + Object.entries(sums).map(([s, n]) => `${n} ${names[s]}`).join(", "));
}

export function clear() {
  shown = null;
}
