// The page of one client: it shows what the stream says.

import { byID, make, say } from "./dom.js";
import * as files from "./files.js";
import * as graph from "./graph.js";
import * as lists from "./lists.js";
import * as map from "./map.js";
import { bytes, clock, count, duration, percent, waits } from "./words.js";

let figures = null;
let source = null;
let chosen = 0;
let opener = null;
let heard = Date.now(); // when the server last said something
let asked = heard; // when it was last asked to

const brief = 3000; // ms: a wait that is shorter would only make the page jump
const silence = 40_000; // ms; it says something each 15 s at least

function listen() {
  if (source) source.close();
  const mine = (source = new EventSource(chosen ? `events?file=${chosen}` : "events"));
  asked = Date.now();
  mine.addEventListener("error", () => {
    lost();
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && listen(), 3000); // refused: the browser has given up
  });
  const on = (topic, show) => mine.addEventListener(topic, (event) => {
    hear();
    show(JSON.parse(event.data));
  });
  on("beat", () => {});
  on("figures", showFigures);
  on("files", files.show);
  on("problems", lists.problems);
  on("fleet", showFleet);
  on("parts", showParts);
}

// hear is called when the server has said something, and lost when it should have: what is
// shown then is old.
function hear() {
  heard = Date.now();
  byID("link").hidden = true;
  document.body.classList.remove("stale");
}

function lost() {
  if (!byID("link").hidden) return;
  say(byID("link"), figures ? `No connection to the server: this is of ${clock(heard)}. Trying again.` : "No connection to the server. Trying again.");
  byID("link").hidden = false;
  document.body.classList.add("stale");
  document.title = "No connection · Uploads";
}

function showFigures(now) {
  figures = now;
  say(byID("state"), now.state);
  const done = percent(now.uploaded, now.total);
  say(byID("percent"), now.total ? done : "–");
  byID("progress").value = now.total ? now.uploaded / now.total : 0;
  say(byID("bytes"), `${bytes(now.uploaded)} of ${bytes(now.total)}`);
  say(byID("eta"), now.left > 0 ? `${duration(now.left)} left` : now.left === 0 ? "nothing left to send" : "time left: not known yet");
  say(byID("speed"), `${bytes(now.speed)}/s`);
  say(byID("slots"), `${now.inFlight} of ${now.slots}`);
  say(byID("requests"), `${count(now.requests, "request", "requests")} so far`);
  say(byID("tokens"), count(now.received, "token", "tokens") + " received");
  document.title = now.total ? `${done} · Uploads` : "Uploads";
  byID("controls").hidden = !now.control;
  byID("pause").disabled = now.state !== "started" && now.state !== "expired";
  byID("resume").disabled = now.state !== "paused";
  byID("retry-failed").disabled = !now.files.failed;
  if (document.activeElement !== byID("parallel") && !byID("parallel").dataset.typed) byID("parallel").value = now.slots;
  files.total(now);
  lists.retries(now.retries);
  graph.title(now);
  fleetAlone();
  waiting();
  token();
}

// A client without files that shows a fleet is there for the fleet alone.
let fleet = false;
function showFleet(now) {
  fleet = true;
  lists.fleet(now);
  fleetAlone();
}

function fleetAlone() {
  document.body.classList.toggle("fleet-alone", fleet && figures !== null && !Object.keys(figures.files).some((state) => figures.files[state]));
}

function waiting() {
  const list = byID("waiting");
  const long = figures.waiting.filter((w) => Date.now() - w.since > brief);
  const lines = long.map((w) =>
    `${count(w.files || 1, "file waits", "files wait")} for ${waits[w.for] || w.for}, for ${duration(Date.now() - w.since)} now${w.error ? `: ${w.error}` : ""}`);
  while (list.children.length > lines.length) list.lastChild.remove();
  lines.forEach((line, i) => {
    if (!list.children[i]) list.append(make("li"));
    say(list.children[i], line);
  });
}

function token() {
  if (!figures) return;
  const left = figures.expires - Date.now();
  say(byID("token"), !figures.expires ? "–" : left > 0 ? duration(left) : "expired");
  say(byID("token-note"), !figures.expires ? "does not expire, or does not say when" : left > 0 ? "until it expires" : `${duration(-left)} ago`);
}

function choose(id) {
  if (!chosen) opener = document.activeElement;
  chosen = id;
  unsure();
  files.select(id);
  byID("detail").hidden = false;
  listen();
  byID("detail-title").focus({ preventScroll: true });
  byID("detail").scrollIntoView({ block: "nearest" });
}

function close() {
  chosen = 0;
  map.clear();
  byID("detail").hidden = true;
  files.select(0);
  listen();
  if (opener && opener.isConnected) opener.focus();
}

function showParts(parts) {
  if (parts.file !== chosen) return;
  map.show(parts);
  byID("detail-retry").hidden = !figures?.control || !["failed", "canceled"].includes(parts.state);
  byID("detail-cancel").hidden = !figures?.control || !["init", "uploading", "paused", "failed"].includes(parts.state);
}

async function command(body) {
  say(byID("said"), "");
  try {
    const answer = await fetch("control", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) say(byID("said"), (await answer.json()).error || answer.statusText);
  } catch (error) {
    say(byID("said"), `The server did not answer: ${error.message}.`);
  }
}

// cancel asks once more: what was sent of a file that is canceled is gone.
let sure = 0;
function cancel() {
  if (sure) {
    unsure();
    command({ do: "cancel", file: chosen });
    return;
  }
  say(byID("detail-cancel"), "Drop what was sent?");
  sure = setTimeout(unsure, 5000);
}

function unsure() {
  clearTimeout(sure);
  sure = 0;
  say(byID("detail-cancel"), "Cancel the file");
}

byID("pause").addEventListener("click", () => command({ do: "pause" }));
byID("resume").addEventListener("click", () => command({ do: "resume" }));
byID("retry-failed").addEventListener("click", () => command({ do: "retryFailed" }));
byID("detail-retry").addEventListener("click", () => command({ do: "retry", file: chosen }));
byID("detail-cancel").addEventListener("click", cancel);
byID("detail-close").addEventListener("click", close);
byID("detail").addEventListener("keydown", (event) => event.key === "Escape" && close());
byID("parallel").addEventListener("input", () => (byID("parallel").dataset.typed = "yes"));
byID("parallel-form").addEventListener("submit", (event) => {
  event.preventDefault();
  delete byID("parallel").dataset.typed;
  command({ do: "parallel", parallel: Number(byID("parallel").value) });
});
byID("look").addEventListener("click", lists.leftovers);
byID("map").addEventListener("pointermove", map.point);
byID("map").addEventListener("pointerleave", () => say(byID("map-part"), ""));
files.start(choose);

setInterval(() => {
  if (Date.now() - Math.max(heard, asked) > silence) { // cut off without a word, as when a laptop slept
    lost();
    listen();
  }
  if (!figures || document.body.classList.contains("stale")) return;
  graph.sample(figures);
  token();
  waiting();
}, 500);
for (const change of [matchMedia("(prefers-color-scheme: dark)")]) change.addEventListener("change", redraw);
addEventListener("resize", redraw);
function redraw() {
  graph.draw();
  map.draw();
}
listen();
