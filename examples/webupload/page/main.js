// Sets the page up: asks the server where files go, and then for files.

import { Bucket } from "./bucket.js";
import { Claims } from "./claims.js";
import { Checkpoints } from "./checkpoints.js";
import { Tokens } from "./tokens.js";
import { Uploads } from "./uploads.js";
import { View } from "./view.js";
import { language, msg, speak, t } from "./words.js";

const byId = (id) => document.getElementById(id);

let place = ""; // where files go
let alerted = "";

function alert(text) {
	alerted = text;
	byId("alert").textContent = t(text);
	byId("alert").hidden = text === "";
}

// translate puts all fixed texts into the language; the view does so with its own.
function translate() {
	document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
	for (const element of document.querySelectorAll("[data-t]")) {
		element.textContent = t(element.dataset.t);
	}
	for (const element of document.querySelectorAll("[data-label]")) {
		element.setAttribute("aria-label", t(element.dataset.label));
	}
	byId("language").textContent = language() === "zh" ? "English" : "中文";
	byId("language").lang = language() === "zh" ? "en" : "zh-CN";
	byId("destination").textContent = place === "" ? t("Files go straight from this browser to the bucket.")
		: t("Files go straight from this browser to {0}", place);
	alert(alerted);
	dispatchEvent(new Event("language"));
}

// configure asks the server for the page's configuration. It returns null if the server
// wants to know who asks.
async function configure(headers) {
	const response = await fetch("config.json", { headers, cache: "no-store" });
	if (response.status === 401) {
		return null;
	}
	if (!response.ok) {
		throw new Error(`config.json: HTTP ${response.status}`);
	}
	return response.json();
}

async function begin(code) {
	const headers = code === "" ? {} : { Authorization: `Bearer ${code}` };
	let config;
	try {
		config = await configure(headers);
	} catch (error) {
		alert(msg("The server of this page does not answer as it should ({0}). Load the page again later.", error.message));
		return;
	}
	if (config === null) {
		alert(code === "" ? "" : "This access code is not known.");
		byId("access").hidden = false;
		byId("code").select();
		return;
	}
	if (typeof OSS !== "function") {
		alert("The upload SDK did not load. Load the page again; if that does not help, whoever runs it has to look at it.");
		return;
	}
	alert("");
	byId("access").remove();
	open(config, headers);
}

function open(config, headers) {
	place = `${config.bucket}/${config.prefix}`;
	translate();
	const tokens = new Tokens(config.token, headers);
	const bucket = new Bucket({ settings: config.settings, url: config.url, place }, tokens);
	const uploads = new Uploads({ bucket, tokens, checkpoints: new Checkpoints(config.url), claims: new Claims(config.url), prefix: config.prefix, partSize: config.partSize, parallel: config.parallel });
	new View(uploads, config.bucket);

	const add = (files, note = "") => alert([t(note), ...uploads.add(files)].join(" ").trim());
	const input = byId("files");
	input.addEventListener("change", () => {
		add([...input.files]);
		input.value = ""; // so that the same file can be chosen again
	});
	acceptDrops(add);
	addEventListener("beforeunload", (event) => {
		if (uploads.active) {
			event.preventDefault();
		}
	});
	byId("chooser").hidden = false;
}

// acceptDrops takes files that are dropped anywhere on the page.
function acceptDrops(add) {
	const mark = (on) => byId("chooser").classList.toggle("over", on);
	document.addEventListener("dragover", (event) => {
		event.preventDefault();
		mark(true);
	});
	document.addEventListener("dragleave", (event) => {
		if (event.relatedTarget === null) {
			mark(false);
		}
	});
	document.addEventListener("drop", (event) => {
		event.preventDefault();
		mark(false);
		const dropped = [...event.dataTransfer.items].filter((item) => item.kind === "file");
		const files = dropped.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile());
		add(files, files.length < dropped.length ? "Folders are left out: choose the files in them." : "");
	});
}

byId("access").addEventListener("submit", (event) => {
	event.preventDefault();
	begin(byId("code").value.trim());
});
byId("language").addEventListener("click", () => {
	speak(language() === "zh" ? "en" : "zh");
	translate();
});
translate();
begin("");
