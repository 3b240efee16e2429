// Values as people read them.

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(n) {
  if (n < 0) return "unknown size";
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

export function duration(ms) {
  if (ms >= 0 && ms < 9950) return ms < 1000 ? `${Math.max(0.1, ms / 1000).toFixed(1)} s` : `${Number((ms / 1000).toFixed(1))} s`;
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)}\u00a0min ${s % 60}\u00a0s`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)}\u00a0h ${Math.floor((s % 3600) / 60)}\u00a0min`;
  return `${Math.floor(s / 86400)} days`;
}

export function count(n, one, many) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

// clock is a time of today, and with its day a time of another day.
export function clock(ms) {
  const today = new Date(ms).toDateString() === new Date().toDateString();
  return !ms ? "" : today ? new Date(ms).toLocaleTimeString("en-GB") : moment(ms);
}

export function moment(ms) {
  return ms ? new Date(ms).toLocaleString("en-GB") : "";
}

// The order is that of the counts.
export const states = {
  uploading: "uploading", paused: "paused", failed: "failed", init: "not started", succeeded: "succeeded", canceled: "canceled",
};

export const waits = {
  credentials: "credentials", destination: "a destination", network: "the network", throttle: "the end of a pause that the server asked for",
  claim: "another upload of the same file to end", group: "files of lower ranks in its group",
};

export function percent(done, total) {
  if (total < 0) return "–";
  if (total === 0) return "100 %";
  return `${Math.floor((done / total) * 100)} %`;
}
