// What every page needs: the token of forms for htmx, and live parts that are read anew on every
// change and on every connection.
const csrf = document.querySelector('meta[name="csrf"]').content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["x-csrf-token"] = csrf;
});

const SLOWEST_MS = 1500;
const AGAIN_MS = 5000;

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
  let source = null;
  const connect = () => {
    source = new EventSource(mark.dataset.live);
    source.addEventListener("open", () => {
      show(true, "Live");
      refresh();
    });
    source.addEventListener("changed", refresh);
    source.addEventListener("error", () => {
      show(false, "Not connected; trying again");
      // After an answer such as 502 the browser gives up; we do not.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
    });
  };
  connect();
  window.addEventListener("pagehide", () => source.close());
}

document.querySelectorAll("[data-live]").forEach(live);
