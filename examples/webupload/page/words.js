// Numbers as people read them.

const units = ["bytes", "KB", "MB", "GB", "TB"];

export function bytes(n) {
	let unit = 0;
	while (n >= 1000 && unit < units.length - 1) {
		n /= 1000;
		unit++;
	}
	return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

// percent never says 100 before the end.
export function percent(share) {
	return `${Math.floor(share * 100)} %`;
}

export function duration(seconds) {
	if (seconds < 60) {
		return `${Math.max(1, Math.round(seconds))} s`;
	}
	if (seconds < 3600) {
		return `${Math.round(seconds / 60)} min`;
	}
	return `${(seconds / 3600).toFixed(1)} h`;
}
