// What the page shows. All text goes in as text: names of files are never markup.

import { bytes, duration, language, percent, t, visible } from "./words.js";

// Milliseconds between two looks at the list.
const pace = 200;

const byId = (id) => document.getElementById(id);

export class View {
	#uploads;
	#bucket;
	#rows = new Map();
	#timer = 0;
	#speed = new Speed();

	constructor(uploads, bucket) {
		this.#uploads = uploads;
		this.#bucket = bucket;
		const soon = () => {
			this.#timer ||= setTimeout(() => {
				this.#timer = 0;
				this.#show();
			}, pace);
		};
		uploads.addEventListener("change", soon);
		addEventListener("language", soon);
		byId("pause-all").addEventListener("click", () => uploads.active ? uploads.pauseAll() : uploads.resumeAll());
		byId("dismiss").addEventListener("click", () => uploads.dismiss());
	}

	#show() {
		const { list } = this.#uploads;
		for (const [upload, row] of this.#rows) {
			if (!list.includes(upload)) {
				this.#rows.delete(upload);
				row.remove();
			}
		}
		for (const upload of list) {
			if (!this.#rows.has(upload)) {
				this.#rows.set(upload, new Row(upload, this.#uploads, this.#bucket));
			}
			this.#rows.get(upload).show();
		}
		this.#showTotal(list);
	}

	#showTotal(list) {
		const size = sum(list, (u) => u.size);
		const sent = sum(list, (u) => u.sent);
		const done = list.filter((u) => u.state === "done").length;
		const { active } = this.#uploads;
		// Bytes on their way are not there yet: 100 % is for the end.
		const most = done === list.length ? 1 : .99;
		const share = list.length === 0 ? 0 : Math.min(most, size === 0 ? done / list.length : sent / size);
		this.#speed.note(active ? sent : NaN);

		byId("total").hidden = list.length < 2;
		byId("total").dataset.state = done === list.length ? "done" : "";
		byId("total-title").textContent = t("{0} of {1} files uploaded", done, list.length);
		byId("total-percent").textContent = percent(share);
		byId("total-progress").value = share;
		const rate = active ? this.#speed.rate : 0;
		byId("total-detail").textContent = [
			t("{0} of {1}", bytes(sent), bytes(size)),
			rate > 0 && `${bytes(rate)}/s`,
			rate > 0 && sent < size && t("{0} left", duration((size - sent) / rate)),
		].filter(Boolean).join(" · ");
		const paused = list.some((u) => u.state === "paused");
		byId("pause-all").hidden = !active && !paused && !list.some((u) => u.state === "failed");
		byId("pause-all").textContent = t(active ? "Pause all" : paused ? "Resume all" : "Try all again");
		byId("dismiss").hidden = done === 0;
		document.title = list.length > 0 && done < list.length ? `${percent(share)} · ${t("Upload media")}` : t("Upload media");
	}
}

const states = { waiting: "Waiting", uploading: "Uploading", paused: "Paused", failed: "Failed", done: "Uploaded", canceled: "Canceled" };

class Row {
	#upload;
	#item;
	#bucket;
	#name;
	#said = "";
	#looks = []; // what was shown last

	constructor(upload, uploads, bucket) {
		this.#bucket = bucket;
		this.#upload = upload;
		this.#item = byId("item").content.firstElementChild.cloneNode(true);
		this.#name = visible(upload.file.name);
		this.#part(".name").textContent = this.#part(".name").title = this.#name;
		this.#part(".go").addEventListener("click", () => upload.active ? upload.pause() : upload.resume());
		this.#part(".end").addEventListener("click", () => uploads.remove(upload));
		this.#part(".both").addEventListener("click", () => upload.keepBoth());
		byId("list").append(this.#item);
	}

	// remove keeps the keyboard where it was: on the list, or where files are chosen.
	remove() {
		const had = this.#item.contains(document.activeElement);
		const next = this.#item.nextElementSibling ?? this.#item.previousElementSibling;
		this.#item.remove();
		if (had) {
			(next?.querySelector("button:not(.gone):not(:disabled)") ?? byId("files")).focus();
		}
	}

	show() {
		const { state, sent, size, file, failure, trouble, finishing, active, renamed } = this.#upload;
		// A thousand rows that are all written again, and laid out, take longer than the pace.
		const looks = [state, sent, failure, trouble, finishing, active, renamed, language()];
		if (looks.every((value, i) => value === this.#looks[i])) {
			return;
		}
		this.#looks = looks;
		const share = state === "done" ? 1 : size === 0 ? 0 : sent / size;
		this.#item.dataset.state = state;
		this.#part(".state").textContent = t(finishing ? "Finishing" : states[state]);
		this.#part("progress").value = share;
		this.#part("progress").setAttribute("aria-label", t("Progress of {0}", file.name));
		this.#part(".as").textContent = renamed === "" ? "" : t("kept as {0}", renamed);
		this.#part(".detail").textContent = state === "done" || failure?.kind === "exists" ? bytes(size)
			: active && trouble ? t(trouble.kind === "elsewhere" ? "{0} …" : "{0}. Trying again …", t(trouble.title))
			: `${t("{0} of {1}", bytes(sent), bytes(size))} · ${percent(state === "done" ? 1 : Math.min(share, .99))}`;
		this.#showLink(state === "done");
		this.#button(".go", active ? "Pause" : state === "failed" ? "Try again" : "Resume", state === "done", finishing);
		this.#button(".end", state === "done" ? "Dismiss" : "Cancel", false, finishing);
		this.#button(".both", "Keep both", failure?.kind !== "exists", false);
		this.#showFailure(failure);
		this.#say(state === "done" ? t("{0} is uploaded", file.name) : state === "failed" ? `${this.#name}: ${t(failure.title)}` : "");
	}

	// #showLink shows where the file is: the bucket and the object, and its address.
	#showLink(done) {
		const link = this.#part(".link");
		link.hidden = !done;
		if (done) {
			link.textContent = link.title = visible(`${this.#bucket}/${this.#upload.object}`);
			link.href = this.#upload.link;
		}
	}

	#showFailure(failure) {
		this.#part(".problem").hidden = failure === null;
		this.#part(".title").textContent = t(failure?.title ?? "");
		this.#part(".advice").textContent = t(failure?.advice ?? "");
		this.#part(".technical").textContent = failure?.technical ?? "";
		this.#part(".technical").hidden = !failure?.technical;
	}

	// #button shows a button. One that is gone keeps its place, so that the others do not
	// move under the mouse.
	#button(selector, text, gone, disabled) {
		const button = this.#part(selector);
		button.textContent = t(text);
		button.setAttribute("aria-label", `${t(text)} ${this.#name}`);
		button.classList.toggle("gone", gone);
		button.disabled = disabled;
	}

	// #say tells a screen reader what happened, once.
	#say(text) {
		if (text !== this.#said) {
			this.#said = text;
			if (text !== "") {
				byId("said").textContent = text;
			}
		}
	}

	#part(selector) {
		return this.#item.querySelector(selector);
	}
}

// Speed is the mean of the last seconds.
class Speed {
	static #window = 5000;
	#samples = [];

	note(sent) {
		const now = Date.now();
		if (Number.isNaN(sent) || sent < this.#samples.at(-1)?.sent) {
			this.#samples = [];
		}
		if (!Number.isNaN(sent)) {
			this.#samples.push({ now, sent });
		}
		this.#samples = this.#samples.filter((s) => now - s.now <= Speed.#window);
	}

	get rate() {
		const first = this.#samples.at(0);
		const last = this.#samples.at(-1);
		return first === last || last.now === first.now ? 0 : (last.sent - first.sent) * 1000 / (last.now - first.now);
	}
}

function sum(list, value) {
	return list.reduce((total, item) => total + value(item), 0);
}
