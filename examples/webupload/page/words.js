// Words in the language of whoever is in front of the page, and numbers as people read
// them. The English text is the key of its translation.

import { chinese } from "./zh.js";

const remembered = "vodupload-language";

let current = recall() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export function language() {
	return current;
}

// speak switches the language, and remembers it.
export function speak(name) {
	current = name;
	try {
		localStorage.setItem(remembered, name);
	} catch {
		// A browser that keeps nothing asks its own setting the next time.
	}
}

function recall() {
	try {
		return localStorage.getItem(remembered);
	} catch {
		return null;
	}
}

// msg is a text with places {0}, {1} … that t fills in after the translation.
export function msg(text, ...args) {
	return { text, args, toString: () => filled(text, args) };
}

// t translates a text or what msg returned. What has no translation stays English.
export function t(message, ...args) {
	const { text, args: own } = typeof message === "string" ? { text: message, args } : message;
	return filled(current === "zh" ? chinese[text] ?? text : text, own);
}

function filled(text, args) {
	return text.replace(/\{(\d)\}/g, (all, n) => visible(String(args[n] ?? all)));
}

// visible shows the characters that turn text round as their numbers: with them, a program
// can have a name that reads like that of a picture.
export function visible(name) {
	return name.replace(/[\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

const units = ["B", "KB", "MB", "GB", "TB"];

export function bytes(n) {
	let unit = 0;
	while (n >= 1000 && unit < units.length - 1) {
		n /= 1000;
		unit++;
	}
	return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

// percent rounds down.
export function percent(share) {
	return `${Math.floor(share * 100)} %`;
}

export function duration(seconds) {
	if (seconds < 60) {
		return t("{0} s", Math.max(1, Math.round(seconds)));
	}
	if (seconds < 3600) {
		return t("{0} min", Math.round(seconds / 60));
	}
	return t("{0} h", (seconds / 3600).toFixed(1));
}
