// Deciding by key. Every key does what the help on the page says; keys typed into a field are text.
import { leaveNow } from "./lease.js";

const review = document.getElementById("review");
const form = document.getElementById("decide");

const open = (id) => {
  const dialog = document.getElementById(id);
  if (!dialog.open) dialog.showModal();
  return dialog;
};
const choices = () => [...form.querySelectorAll("[data-choice]")];
const chosen = () => form.querySelector('input[name="patient"]:checked');

function choose(number) {
  const choice = choices()[number - 1];
  if (!choice) return;
  const radio = choice.querySelector("input");
  radio.checked = true;
  radio.focus();
  choice.scrollIntoView({ block: "nearest" });
}

function examOf(radio) {
  return radio.closest("[data-choice]").querySelector("[data-exam]");
}

function accept() {
  const radio = chosen();
  if (!radio) {
    document.getElementById("search").focus();
    return;
  }
  const exam = examOf(radio);
  if (exam && !exam.value) {
    exam.focus();
    return;
  }
  form.elements.exam.value = exam ? exam.value : "";
  const dialog = open("confirm");
  const say = (what, text) => {
    dialog.querySelector(`[data-is="${what}"]`).textContent = text;
  };
  const { name, number, issuer, born, sex } = radio.dataset;
  say("name", name);
  say("number", issuer ? `${number} (${issuer})` : number);
  say("born", born || "unknown");
  say("sex", sex || "unknown");
  say("exam", exam ? exam.selectedOptions[0].textContent : "paper: belongs to the jacket, no exam");
  dialog.querySelector('button[type="submit"]').focus();
}

const actions = {
  accept,
  hold: () => open("hold").querySelector('input[name="reason"]').focus(),
  reject: () => open("reject").querySelector("button").focus(),
  help: () => open("help"),
  next: () => {
    leaveNow();
    location.assign(review.dataset.next);
  },
  edit: () => open("edit").querySelector(".edits input").select(),
  misfiled: () => open("misfiled").querySelector('input[name="reason"], button').focus(),
  split: () => open("split").querySelector('input[name="name"]').focus(),
  crops: () => open("crops"),
  adjust: () => review.dataset.adjust && location.assign(review.dataset.adjust),
  exam: () => chosen() && examOf(chosen())?.focus(),
  search: () => document.getElementById("search").focus(),
  undo: () => document.getElementById("undo")?.requestSubmit(),
};
const DIALOGS = new Set(["crops", "hold", "reject", "edit", "misfiled", "split", "help"]);
const keys = {
  h: "hold", x: "reject", "?": "help", n: "next", d: "exam", "/": "search", u: "undo",
  e: "edit", m: "misfiled", s: "split", j: "adjust", z: "crops",
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const at = event.target;
  // The focus may still be in a dialog that has just been closed: nothing is typed there.
  const gone = at.closest("dialog:not([open])") !== null;
  const typing = !gone && at.matches('input:not([type="radio"]):not([type="range"]), textarea');
  if (typing && event.key === "Escape") at.blur();
  if (typing) {
    if (event.key === "Enter" && at.id === "search") {
      event.preventDefault();
      const first = document.querySelector("#found input");
      if (first) {
        first.checked = true;
        first.focus();
      }
    }
    return;
  }
  const elsewhere = !at.matches("button, a, summary") || gone;
  if (event.key === "Enter" && elsewhere) {
    event.preventDefault();
    accept();
    return;
  }
  if (at.matches("select")) {
    if (event.key === "Escape") at.blur();
    return;
  }
  if (event.repeat) return;
  if (/^[1-9]$/.test(event.key)) {
    event.preventDefault();
    choose(Number(event.key));
    return;
  }
  const action = keys[event.key.toLowerCase()];
  // Of a jacket's silent films together less can be done than of one film.
  if (action && (!DIALOGS.has(action) || document.getElementById(action))) {
    event.preventDefault();
    actions[action]();
  }
});

document.querySelectorAll("[data-do]").forEach((button) => {
  button.addEventListener("click", () => actions[button.dataset.do]());
});
document.querySelectorAll("[data-close]").forEach((button) => {
  button.addEventListener("click", () => button.closest("dialog").close());
});
document.body.dataset.ready = "true";
