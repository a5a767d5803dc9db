// Two keys: yes and no.
import "./lease.js";

const form = document.getElementById("answer");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const same = { y: "yes", n: "no" }[event.key.toLowerCase()];
  if (!same) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector(`[value="${same}"]`));
});
document.body.dataset.ready = "true";
