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
  while (now - points[0].at > span + smooth * step) points.shift();
  draw();
}

// rates returns where the line of a field is at which time.
function rates(field) {
  const all = [];
  for (let i = smooth; i < points.length; i++) {
    const a = points[i - smooth], b = points[i];
    all.push({ at: b.at, rate: Math.max(0, ((b[field] - a[field]) * 1000) / (b.at - a.at)) });
  }
  return all;
}

export function draw() {
  const canvas = byID("graph");
  const { context, width, height } = sized(canvas);
  const sent = rates("sent"), acked = rates("acked");
  const most = Math.max(1024, ...sent.map((p) => p.rate), ...acked.map((p) => p.rate));
  const end = points.at(-1)?.at ?? 0;
  const x = (p) => width - ((end - p.at) * width) / span;
  const y = (p) => height - 16 - (p.rate / most) * (height - 30);
  context.strokeStyle = color("line");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, height - 15.5);
  context.lineTo(width, height - 15.5);
  context.stroke();
  context.fillStyle = color("acked");
  context.globalAlpha = 0.35;
  context.beginPath();
  for (const p of acked) context.lineTo(x(p), y(p));
  if (acked.length) {
    context.lineTo(width, height - 16);
    context.lineTo(x(acked[0]), height - 16);
    context.fill();
  }
  context.globalAlpha = 1;
  for (const [list, name] of [[acked, "acked"], [sent, "sent"]]) {
    context.strokeStyle = color(name);
    context.lineWidth = 1.5;
    context.setLineDash(name === "sent" ? [4, 3] : []);
    context.beginPath();
    for (const p of list) context.lineTo(x(p), y(p));
    context.stroke();
  }
  context.setLineDash([]);
  context.fillStyle = color("soft");
  context.font = "11px system-ui, sans-serif";
  if (most > 1024) context.fillText(`${bytes(most)}/s`, 0, 10);
  context.fillText("a minute ago", 0, height - 2);
  context.textAlign = "right";
  context.fillText("now", width, height - 2);
  context.textAlign = "left";
  const now = acked.at(-1)?.rate ?? 0;
  canvas.setAttribute("aria-label", `Speed in the last minute: now ${bytes(now)} a second acknowledged, at most ${bytes(most)} a second`);
}

export function title(figures) {
  const wasted = figures.sent - figures.acked;
  say(byID("waste"), figures.acked > 0 && wasted > 0 ? `${bytes(wasted)} sent and not acknowledged` : "");
}
