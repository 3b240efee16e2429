// What goes wrong at the server.

const percent = document.getElementById("percent");
const shown = document.getElementById("shown");
const said = document.getElementById("said");

function show() {
  shown.textContent = `${percent.value} %`;
}

async function send(path, body) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    said.textContent = answer.ok ? "" : await answer.text();
  } catch (error) {
    said.textContent = error.message;
  }
}

percent.addEventListener("input", show);
percent.addEventListener("change", () => send("faults", { percent: Number(percent.value) }));
document.getElementById("more").addEventListener("click", () => send("files", {}));

const now = await (await fetch("faults")).json();
percent.value = now.percent;
show();
