// The lease of what the page shows: kept while it is open, given back when it is closed. One answer
// goes out from a page, and a key that is held down gives none.
const csrf = document.querySelector('meta[name="csrf"]').content;
const { keep, leave, heartbeat } = document.querySelector("[data-keep]").dataset;
const mark = document.getElementById("lease");
const mine = mark.textContent;
let leaving = false;
let sent = false;

async function stay() {
  const say = (words, lost) => {
    mark.textContent = words;
    mark.classList.toggle("lost", lost);
  };
  try {
    const answer = await fetch(keep, {
      method: "POST",
      headers: { "x-csrf-token": csrf, "x-by-itself": "1" },
    });
    if (answer.status === 204) say(mine, false);
    else if (answer.status === 409) say(await answer.text(), true);
    else say(answer.status === 401 || answer.status === 403 ? "you are signed out" : "not kept; trying again", true);
  } catch {
    say("not connected", true);
  }
}

export function leaveNow() {
  if (leaving) return;
  leaving = true;
  const body = new FormData();
  body.append("csrf", csrf);
  navigator.sendBeacon(leave, body);
}

document.addEventListener("keydown", (event) => {
  if (!event.repeat || event.key !== "Enter") return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });
document.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = leaving = true;
}, { capture: true });
window.addEventListener("pagehide", leaveNow);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
// At once as well: when a page is loaded anew, the old one has just given the lease back.
stay();
setInterval(stay, Number(heartbeat) * 1000);
