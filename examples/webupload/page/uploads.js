// The list of files, and the requests that may be in flight for all of them together.

import { Upload } from "./upload.js";
import { t } from "./words.js";

const most = 3; // reasons that are given in full
const maxName = 1023; // bytes of an object's name

export class Uploads extends EventTarget {
	list = [];
	#options;
	#prefix;
	#free;

	constructor({ bucket, tokens, checkpoints, claims, prefix, partSize, parallel }) {
		super();
		this.#prefix = prefix;
		this.#free = parallel;
		this.#options = { bucket, tokens, checkpoints, claims, partSize, changed: () => this.#changed() };
	}

	// add puts files on the list and returns the reasons why some were not.
	add(files) {
		const refused = [];
		for (const file of files) {
			const object = this.#prefix + file.name;
			if (this.list.some((u) => u.object === object)) {
				refused.push(t("{0} is on the list already.", file.name));
			} else if (new TextEncoder().encode(object).length > maxName) {
				refused.push(t("The name {0} is too long.", file.name));
			} else {
				this.list.push(new Upload(file, object, this.#options));
			}
		}
		this.#changed();
		return refused.length <= most ? refused : [...refused.slice(0, most), t("Others that were left out: {0}.", refused.length - most)];
	}

	// remove cancels an upload, unless it is done, and takes it off the list.
	remove(upload) {
		this.list = this.list.filter((u) => u !== upload);
		this.#changed();
		return upload.cancel();
	}

	// dismiss takes all that are done off the list.
	dismiss() {
		this.list = this.list.filter((u) => u.state !== "done");
		this.#changed();
	}

	pauseAll() {
		this.list.forEach((u) => u.pause());
	}

	resumeAll() {
		this.list.forEach((u) => u.resume());
	}

	get active() {
		return this.list.some((u) => u.active);
	}

	#changed() {
		this.#pump();
		this.dispatchEvent(new Event("change"));
	}

	// #pump fills all free places, the first file on the list first.
	#pump() {
		while (this.#free > 0) {
			const task = this.#next();
			if (task === null) {
				return;
			}
			this.#free--;
			task().finally(() => {
				this.#free++;
				this.#changed();
			});
		}
	}

	#next() {
		for (const upload of this.list) {
			const task = upload.next();
			if (task !== null) {
				return task;
			}
		}
		return null;
	}
}
