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
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} days`;
}

export function count(n, one, many) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

export function clock(ms) {
  return ms ? new Date(ms).toLocaleTimeString("en-GB") : "";
}

export function moment(ms) {
  return ms ? new Date(ms).toLocaleString("en-GB") : "";
}

export const states = {
  init: "to be started", uploading: "uploading", paused: "paused", failed: "failed", canceled: "canceled", succeeded: "succeeded",
};

export const waits = {
  credentials: "credentials", destination: "a destination", network: "the network", throttle: "a pause that the server asked for",
  claim: "another upload of the same file to end", group: "files of lower ranks in its group",
};

export function percent(done, total) {
  if (total < 0) return "–";
  if (total === 0) return "100 %";
  return `${Math.floor((done / total) * 100)} %`;
}
