// What the page shows is text: no element is made from the name of a file.

export const byID = (id) => document.getElementById(id);

// visible shows the characters that turn text round as errors and the command do: with
// them, a program can have a name that reads like that of a picture.
export function visible(text) {
  return String(text ?? "").replace(/[\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

// say sets the text of an element, unless it is the same.
export function say(element, text) {
  text = visible(text);
  if (element.textContent !== text) element.textContent = text;
}

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = visible(text);
  return element;
}

// rows brings the rows of a table body in line with a list: a row stays the same element
// as long as its key does, so that the keyboard does not lose its place.
export function rows(body, list, key, create, update) {
  const old = new Map([...body.children].map((tr) => [tr.dataset.key, tr]));
  let next = body.firstElementChild;
  for (const item of list) {
    const k = String(key(item));
    let tr = old.get(k);
    old.delete(k);
    if (!tr) {
      tr = create(item);
      tr.dataset.key = k;
    }
    update(tr, item);
    if (tr === next) next = next.nextElementSibling;
    else body.insertBefore(tr, next);
  }
  for (const tr of old.values()) tr.remove();
}

// cells makes a row with a cell for each column.
export function cells(...labels) {
  const tr = document.createElement("tr");
  for (const label of labels) {
    const td = document.createElement("td");
    if (label) td.dataset.label = label;
    tr.append(td);
  }
  return tr;
}

// copier makes a button that copies a text.
export function copier(text, name, label = "Copy") {
  const button = make("button", "", label);
  button.type = "button";
  button.setAttribute("aria-label", name);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
    setTimeout(() => (button.textContent = label), 2000);
  });
  return button;
}

// sized makes a canvas as sharp as the screen, and returns what draws on it in CSS pixels.
export function sized(canvas, height) {
  const width = canvas.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  if (height) canvas.style.height = `${height}px`;
  height = height || canvas.clientHeight;
  const w = Math.max(1, Math.round(width * ratio));
  const h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
