// The table of files, and the search.

import { byID, cells, copier, make, rows, say, visible } from "./dom.js";
import { bytes, clock, count, duration, percent, states, waits } from "./words.js";

let live = []; // of the stream
let found = null; // of the last search; null: nothing is searched for
let chosen = 0;
let onChoose = () => {};
let figures = null;
let asked = 0;

export function start(choose) {
  onChoose = choose;
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(search, 200);
  };
  byID("text").addEventListener("input", soon);
  byID("which").addEventListener("change", soon);
  byID("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  setInterval(() => found && !document.hidden && search(), 2000);
}

async function search() {
  const text = byID("text").value.trim(), which = byID("which").value;
  const number = ++asked;
  if (!text && !which) {
    found = null;
    draw();
    return;
  }
  try {
    const answer = await fetch(`files?${new URLSearchParams({ q: text, state: which })}`, { cache: "no-store" });
    if (!answer.ok || number !== asked) return;
    found = await answer.json();
  } catch {
    return; // the line above says that the server is gone
  }
  if (number === asked) draw();
}

export function show(list) {
  live = list;
  draw();
}

export function total(now) {
  figures = now;
  const parts = Object.keys(states).filter((s) => now.files[s]).map((s) => `${now.files[s].toLocaleString("en")} ${states[s]}`);
  if (now.skipped) parts.push(`${now.skipped.toLocaleString("en")} of these skipped`);
  say(byID("counts"), parts.join(", ") || "The list is empty.");
}

export function select(id) {
  chosen = id;
  draw();
}

function listed() {
  return figures ? Object.values(figures.files).reduce((a, b) => a + b, 0) : 0;
}

function draw() {
  const list = found ? found.rows : live;
  rows(document.querySelector("#table tbody"), list, (f) => f.id, create, update);
  const all = found ? found.count : listed();
  let note = "";
  if (all > list.length) note = `The first ${list.length} of ${count(all, "file", "files")} are shown: ${found ? "a narrower search shows the others" : "search for the others"}.`;
  else if (found && all === 0) note = "No file matches.";
  say(byID("more"), note);
}

function create(f) {
  const tr = cells("", "State", "", "Size", "");
  const [name, , progress] = tr.children;
  const button = make("button", "name");
  button.type = "button";
  button.dir = "auto";
  button.addEventListener("click", () => onChoose(f.id));
  const object = make("span", "sub");
  object.dir = "auto";
  name.append(button, object);
  const bar = document.createElement("progress");
  bar.max = 1;
  progress.append(bar, make("span", "sub"));
  return tr;
}

function update(tr, f) {
  const [name, state, progress, size, detail] = tr.children;
  const short = f.path.split(/[\\/]/).pop() || f.path || `File ${f.id}`;
  say(name.firstChild, short);
  name.firstChild.title = visible(f.path);
  say(name.lastChild, f.object);
  name.lastChild.title = visible(f.object);
  say(state, f.skipped ? "skipped" : states[f.state] || f.state);
  state.className = f.state === "failed" ? "failed" : "";
  const bar = progress.firstChild;
  const part = f.size > 0 ? f.uploaded / f.size : f.state === "succeeded" ? 1 : 0;
  if (bar.value !== part) bar.value = part;
  bar.setAttribute("aria-label", `Progress of ${visible(short)}`);
  say(progress.lastChild, percent(f.uploaded, f.size) + (f.inFlight ? `, ${bytes(f.inFlight)} in flight` : ""));
  say(size, bytes(f.size));
  tr.setAttribute("aria-selected", String(f.id === chosen));
  describe(detail, f);
}

function describe(detail, f) {
  let text = "";
  if (f.waiting) text = `waits for ${waits[f.waiting.for] || f.waiting.for}, for ${duration(Date.now() - f.waiting.since)}${f.waiting.error ? `: ${f.waiting.error}` : ""}`;
  else if (f.error) text = f.error;
  else if (f.ended && f.started) text = `ended ${clock(f.ended)}, took ${duration(f.ended - f.started)}`;
  else if (f.started) text = `started ${clock(f.started)}`;
  if (!detail.firstChild) detail.append(make("span"));
  say(detail.firstChild, text);
  detail.firstChild.title = text;
  detail.firstChild.className = f.error ? "clamp bad" : "clamp";
  const copy = detail.querySelector("button");
  if (f.requestId && !copy) {
    detail.append(copier(() => detail.dataset.requestId, "Copy the request ID of this failure", "Copy request ID"));
  } else if (!f.requestId && copy) copy.remove();
  detail.dataset.requestId = f.requestId || "";
}
