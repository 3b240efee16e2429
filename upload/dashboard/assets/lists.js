// Requests that failed, leftovers, and the fleet.

import { byID, cells, copier, make, rows, say } from "./dom.js";
import { bytes, clock, count, moment, percent } from "./words.js";

const body = (id) => byID(id).querySelector("tbody");

export function problems(list) {
  byID("problems-section").hidden = false;
  byID("no-problems").hidden = list.length > 0;
  byID("problems").parentElement.hidden = list.length === 0;
  rows(body("problems"), list, (p) => p.n, (p) => {
    const tr = cells("", "", "", "", "");
    const [time, request, object, answer, id] = tr.children;
    object.dir = "auto";
    say(time, clock(p.at));
    say(request, p.op + (p.part ? `, part ${p.part}` : "") + `, ${p.took}\u00a0ms`);
    say(object, p.object);
    answer.append(make("b", "", p.status ? `${p.status} ${p.code || ""}` : "no answer"), make("span", "sub", p.error));
    if (p.requestId) id.append(make("span", "mono", p.requestId), " ", copier(() => p.requestId, `Copy the request ID ${p.requestId}`));
    return tr;
  }, () => {});
}

export function retries(byCode) {
  const all = Object.entries(byCode || {}).sort((a, b) => b[1] - a[1]);
  say(byID("retries"), all.length ? "Retries so far: " + all.map(([code, n]) => `${n.toLocaleString("en")} after ${code || "no answer"}`).join(", ") : "");
}

export async function leftovers() {
  const said = byID("leftovers-said"), button = byID("look");
  button.disabled = true;
  say(said, "Looking …");
  try {
    const answer = await fetch("leftovers", { cache: "no-store" });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error);
    show(found);
    const sum = found.count ? `${count(found.count, "upload", "uploads")}, ${bytes(found.bytes)}` : "None.";
    say(said, [sum, ...found.errors].join(" "));
  } catch (error) {
    say(said, error.message);
  }
  button.disabled = false;
}

function show(found) {
  byID("leftovers-scroll").hidden = found.found.length === 0;
  rows(body("leftovers"), found.found, (l) => l.uploadId, () => cells("", "Source", "Sent", "Last sign of life", "Upload ID"), (tr, l) => {
    const [object, source, sent, active, id] = tr.children;
    say(object, l.object);
    say(source, l.path);
    say(sent, `${count(l.parts, "part", "parts")}, ${bytes(l.bytes)}`);
    say(active, moment(l.active));
    say(id, l.uploadId);
    id.className = "mono";
  });
}

export function fleet(now) {
  byID("fleet").hidden = false;
  const counts = (now.counts || []).map((c) => `${c.jobs.toLocaleString("en")} ${c.state}`);
  say(byID("fleet-counts"), counts.length ? `Jobs: ${counts.join(", ")}` : now.error ? "" : "The fleet has not answered yet.");
  say(byID("fleet-error"), now.error);
  byID("workers-part").hidden = !now.workers?.length;
  byID("jobs-part").hidden = !now.jobs?.length;
  rows(body("workers"), now.workers || [], (w) => w.name, () => cells("", "State", "Jobs"), (tr, w) => {
    say(tr.children[0], w.name);
    say(tr.children[1], w.state);
    tr.children[1].className = w.state === "gone" ? "bad" : "";
    say(tr.children[2], String(w.jobs));
  });
  rows(body("jobs"), now.jobs || [], (j) => j.id, () => cells("", "State", "Worker", "Progress", ""), (tr, j) => {
    const [job, state, worker, progress, detail] = tr.children;
    say(job, j.object || j.id);
    say(state, j.state);
    state.className = j.state === "dead" ? "bad" : "";
    job.dir = "auto";
    say(worker, j.worker);
    say(progress, j.size ? `${percent(j.uploaded, j.size)} of ${bytes(j.size)}` : "");
    say(detail, [j.attempts > 1 ? `attempt ${j.attempts}` : "", j.takeovers === 1 ? "taken over once" : j.takeovers ? `taken over ${j.takeovers} times` : "", j.error].filter(Boolean).join(", "));
  });
}
