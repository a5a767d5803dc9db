// Feeding: files one by one, a sound for each complaint, the next jacket by one key.
const feed = document.getElementById("feed");
const csrf = document.querySelector('meta[name="csrf"]').content;
const next = document.querySelector('[name="next_jacket"]');
let tone = null;

function beep() {
  tone ??= new AudioContext();
  for (const [at, pitch] of [[0, 880], [0.18, 660]]) {
    const voice = tone.createOscillator();
    const volume = tone.createGain();
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, tone.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, tone.currentTime + at + 0.16);
    voice.connect(volume).connect(tone.destination);
    voice.start(tone.currentTime + at);
    voice.stop(tone.currentTime + at + 0.17);
  }
}

if (feed) {
  const sending = document.getElementById("sending");
  const figures = document.getElementById("figures");
  const known = new Set();
  const complaints = () => [...figures.querySelectorAll("[data-complaint]")].map((one) => one.dataset.complaint);
  complaints().forEach((one) => known.add(one));
  figures.addEventListener("htmx:afterSwap", () => {
    const fresh = complaints().filter((one) => !known.has(one));
    fresh.forEach((one) => known.add(one));
    if (fresh.length && navigator.userActivation?.hasBeenActive) beep();
  });

  let queue = Promise.resolve();
  let [total, done, held] = [0, 0, null];
  const failed = [];
  const send = async (file) => {
    sending.textContent = `${done} of ${total} taken in. Taking in ${file.name}`;
    const body = new FormData();
    body.append("csrf", csrf);
    body.append("box", feed.dataset.box);
    body.append("jacket", feed.dataset.jacket);
    body.append("file", file);
    try {
      const answer = await fetch(feed.dataset.files, { method: "POST", body });
      if (!answer.ok) throw new Error(String(answer.status));
      sending.textContent = `${file.name} is taken in.`;
    } catch {
      failed.push(file.name);
      beep();
    }
    done += 1;
    window.htmx.trigger(figures, "refresh");
    if (done === total) finish();
  };
  // What is still on its way goes into this jacket: leaving it waits, and does not follow a failure.
  const finish = () => {
    const [all, form] = [total, held];
    [total, done, held] = [0, 0, null];
    sending.textContent = `${all - failed.length} of ${all} taken in.`;
    if (failed.length) {
      sending.textContent += ` Not taken in; drop again: ${failed.join(", ")}`;
      failed.length = 0;
    } else form?.requestSubmit();
  };
  for (const id of ["next", "close"]) {
    document.getElementById(id).addEventListener("submit", (event) => {
      if (!total) return;
      event.preventDefault();
      held = event.target;
      sending.textContent = `${done} of ${total} taken in. This goes on by itself when all are.`;
    });
  }
  window.addEventListener("beforeunload", (event) => {
    if (total) event.preventDefault();
  });
  const sendAll = (files) => {
    const sorted = [...files].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    total += sorted.length;
    for (const file of sorted) queue = queue.then(() => send(file));
  };
  const input = document.getElementById("files");
  const drop = document.getElementById("drop");
  input.addEventListener("change", () => {
    sendAll(input.files);
    input.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    sendAll(event.dataTransfer.files);
  });
  document.addEventListener("submit", async (event) => {
    if (event.target.id !== "scan") return;
    event.preventDefault();
    const body = new FormData(event.target);
    body.append("csrf", csrf);
    body.append("box", feed.dataset.box);
    body.append("jacket", feed.dataset.jacket);
    const answer = await fetch(feed.dataset.scan, { method: "POST", body });
    sending.textContent = answer.ok ? "Scanning" : "The scan was not begun: is one running already?";
    window.htmx.trigger(figures, "refresh");
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const actions = {
    n: () => next.focus(),
    o: () => document.getElementById("files")?.click(),
    s: () => document.getElementById("scan")?.requestSubmit(),
  };
  const action = actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
});
document.body.dataset.ready = "true";
