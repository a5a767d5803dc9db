// What every page needs: the token of forms for htmx, and live parts that are read anew on every
// change and on every connection.
const csrf = document.querySelector('meta[name="csrf"]').content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["x-csrf-token"] = csrf;
});

const SLOWEST_MS = 1500;

function live(mark) {
  const target = document.querySelector(mark.dataset.liveTarget);
  const words = mark.querySelector(".live-words");
  let due = null;
  const show = (on, text) => {
    mark.classList.toggle("on", on);
    mark.classList.toggle("off", !on);
    words.textContent = text;
  };
  const refresh = () => {
    if (due !== null) return;
    due = setTimeout(() => {
      due = null;
      window.htmx.trigger(target, "refresh");
    }, SLOWEST_MS);
  };
  const source = new EventSource(mark.dataset.live);
  source.addEventListener("open", () => {
    show(true, "Live");
    refresh();
  });
  source.addEventListener("changed", refresh);
  source.addEventListener("error", () => show(false, "Not connected; trying again"));
  window.addEventListener("pagehide", () => source.close());
}

document.querySelectorAll("[data-live]").forEach(live);
