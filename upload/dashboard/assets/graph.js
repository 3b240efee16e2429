// The speed of the last minute: bytes sent, and bytes that the server acknowledged.

import { color, say, byID, sized } from "./dom.js";
import { bytes } from "./words.js";

const span = 60_000;
const step = 500;
const smooth = 4; // steps that a value is the mean of

const points = []; // of { at, sent, acked }, step apart

export function sample(figures) {
  const now = performance.now();
  const last = points.at(-1);
  if (last && now - last.at < step - 20) return;
  points.push({ at: now, sent: figures.sent, acked: figures.acked });
  while (points.length > span / step + smooth + 1) points.shift();
  draw();
}

function rates(field) {
  const all = [];
  for (let i = smooth; i < points.length; i++) {
    const a = points[i - smooth], b = points[i];
    all.push(Math.max(0, ((b[field] - a[field]) * 1000) / (b.at - a.at)));
  }
  return all;
}

export function draw() {
  const canvas = byID("graph");
  const { context, width, height } = sized(canvas);
  const sent = rates("sent"), acked = rates("acked");
  const most = Math.max(1024, ...sent, ...acked);
  const x = (i, n) => width - ((n - 1 - i) * step * width) / span;
  const y = (v) => height - 1 - (v / most) * (height - 14);
  context.fillStyle = color("acked");
  context.globalAlpha = 0.35;
  context.beginPath();
  acked.forEach((v, i) => context.lineTo(x(i, acked.length), y(v)));
  if (acked.length) {
    context.lineTo(width, height);
    context.lineTo(x(0, acked.length), height);
    context.fill();
  }
  context.globalAlpha = 1;
  for (const [list, name] of [[acked, "acked"], [sent, "sent"]]) {
    context.strokeStyle = color(name);
    context.lineWidth = 1.5;
    context.setLineDash(name === "sent" ? [4, 3] : []);
    context.beginPath();
    list.forEach((v, i) => context.lineTo(x(i, list.length), y(v)));
    context.stroke();
  }
  context.setLineDash([]);
  context.fillStyle = color("soft");
  context.font = "11px system-ui, sans-serif";
  context.fillText(`${bytes(most)}/s`, 2, 10);
  const now = acked.at(-1) ?? 0;
  canvas.setAttribute("aria-label", `Speed in the last minute: now ${bytes(now)} a second acknowledged, at most ${bytes(most)} a second`);
}

export function title(figures) {
  const wasted = figures.sent - figures.acked;
  say(byID("waste"), figures.acked > 0 && wasted > 0 ? `${bytes(wasted)} sent and not acknowledged` : "");
}
