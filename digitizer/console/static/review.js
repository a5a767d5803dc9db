// Deciding by key. Every key does what the help on the page says; keys typed into a field are text.
const review = document.getElementById("review");
const form = document.getElementById("decide");
const csrf = document.querySelector('meta[name="csrf"]').content;
let leaving = false;
let sent = false;

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
  exam: () => chosen() && examOf(chosen())?.focus(),
  search: () => document.getElementById("search").focus(),
  undo: () => document.getElementById("undo")?.requestSubmit(),
};
const keys = { h: "hold", x: "reject", "?": "help", n: "next", e: "exam", "/": "search", u: "undo" };

document.addEventListener("keydown", (event) => {
  // A key that is held down decides once: never shows a patient and files under it in one breath.
  if (event.repeat && event.key === "Enter") {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const at = event.target;
  const typing = at.matches('input:not([type="radio"]):not([type="range"]), textarea');
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
  // The focus may still be on a button of a dialog that has just been closed.
  const elsewhere = !at.matches("button, a, summary") || at.closest("dialog:not([open])");
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
  if (action) {
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
document.querySelectorAll("form").forEach((one) => {
  one.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = leaving = true;
  });
});

// The lease: kept while the page is open, given back when it is closed.
const mine = document.getElementById("lease").textContent;
async function keep() {
  const mark = document.getElementById("lease");
  try {
    const answer = await fetch(review.dataset.keep, {
      method: "POST",
      headers: { "x-csrf-token": csrf, "x-by-itself": "1" },
    });
    if (answer.status === 409) {
      mark.textContent = await answer.text();
      mark.classList.add("lost");
    } else if (answer.status === 204) {
      mark.textContent = mine;
      mark.classList.remove("lost");
    } else {
      mark.textContent = "you are signed out";
      mark.classList.add("lost");
    }
  } catch {
    mark.textContent = "not connected";
    mark.classList.add("lost");
  }
}
function leaveNow() {
  if (leaving) return;
  leaving = true;
  const body = new FormData();
  body.append("csrf", csrf);
  navigator.sendBeacon(review.dataset.leave, body);
}
setInterval(keep, Number(review.dataset.heartbeat) * 1000);
window.addEventListener("pagehide", leaveNow);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
document.body.dataset.ready = "true";
