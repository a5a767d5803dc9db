// Looking at a film. Pictures rendered by the server are shown at once; where the graphics card can,
// a viewer of the film's own 16-bit values takes their place. Both understand the same words.

// Pictures rendered by the server: one is asked for at a time, and the newest wish is served next.
class ServerFilm {
  constructor(root, tones) {
    this.root = root;
    this.tones = tones;
    this.image = root.querySelector("img");
    this.stage = root.querySelector(".stage");
    this.busy = false;
    this.wanted = false;
    this.onchange = () => {};
    this.stop = new AbortController();
    this.image.addEventListener("load", () => this.done());
    this.image.addEventListener("error", () => this.done());
    this.bind();
    this.tool("reset");
  }

  get most() {
    return 2 ** this.tones.bits;
  }

  show() {
    if (this.stop.signal.aborted) return;
    this.onchange();
    if (this.busy) {
      this.wanted = true;
      return;
    }
    this.busy = true;
    const { state } = this;
    const box = this.stage.getBoundingClientRect();
    const size = Math.min(4096, Math.max(300, Math.round(Math.max(box.width, box.height) * devicePixelRatio)));
    const query = new URLSearchParams({
      size, invert: state.invert, turn: state.turn, flip: state.flip,
      x: state.x.toFixed(4), y: state.y.toFixed(4), zoom: state.zoom.toFixed(3),
    });
    if (state.center !== null) {
      query.set("center", state.center.toFixed(1));
      query.set("width", state.width.toFixed(1));
    }
    this.image.src = `${this.root.dataset.picture}?${query}`;
  }

  done() {
    this.busy = false;
    this.root.dataset.shown = this.image.src;
    if (this.wanted) {
      this.wanted = false;
      this.show();
    }
  }

  end() {
    this.stop.abort();
  }

  zoomBy(factor) {
    this.state.zoom = Math.min(32, Math.max(1, this.state.zoom * factor));
    if (this.state.zoom === 1) Object.assign(this.state, { x: 0.5, y: 0.5 });
    this.show();
  }

  moveBy(dx, dy) {
    const half = 0.5 / this.state.zoom;
    const within = (value) => Math.min(1 - half, Math.max(half, value));
    this.state.x = within(this.state.x - dx / this.state.zoom);
    this.state.y = within(this.state.y - dy / this.state.zoom);
    this.show();
  }

  windowTo(center, width) {
    if (this.state.center === null) return;
    this.state.center = Math.min(this.most, Math.max(0, center));
    this.state.width = Math.min(2 * this.most, Math.max(2, width));
    this.show();
  }

  tool(name) {
    const { state } = this;
    if (name === "invert") state.invert = !state.invert;
    else if (name === "turn") Object.assign(state, { turn: (state.turn + 1) % 4, x: 0.5, y: 0.5 });
    else if (name === "flip") state.flip = !state.flip;
    else if (name === "in") return this.zoomBy(1.5);
    else if (name === "out") return this.zoomBy(1 / 1.5);
    else if (name === "reset") {
      const { center, width } = this.tones;
      this.state = { invert: false, turn: 0, flip: false, x: 0.5, y: 0.5, zoom: 1, center, width };
    } else return;
    this.show();
  }

  bind() {
    const { stage } = this;
    const { signal } = this.stop;
    let from = null;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8);
    }, { passive: false, signal });
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      from = [event.clientX, event.clientY];
    }, { signal });
    stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      const [dx, dy] = [event.clientX - from[0], event.clientY - from[1]];
      from = [event.clientX, event.clientY];
      const box = this.image.getBoundingClientRect();
      const { center, width } = this.state;
      if (event.shiftKey || event.buttons === 4) this.moveBy(dx / box.width, dy / box.height);
      else this.windowTo(center + (dy * width) / 400, width * 2 ** (dx / 200));
    }, { signal });
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, () => (from = null), { signal });
    }
    const resized = new ResizeObserver(() => this.show());
    resized.observe(stage);
    signal.addEventListener("abort", () => resized.disconnect());
  }
}

// Toolbar and keys, whichever viewer shows the film.
class Controls {
  constructor(root) {
    this.root = root;
    this.film = null;
    const keys = {
      i: "invert", r: "turn", f: "flip", "+": "in", "=": "in", "-": "out", 0: "reset",
      l: "length", a: "angle", g: "magnify", p: "sharpen", Delete: "clear",
    };
    root.querySelectorAll("[data-tool]").forEach((button) => {
      button.addEventListener("click", () => this.film?.tool(button.dataset.tool));
    });
    root.querySelectorAll("[data-range]").forEach((range) => {
      range.addEventListener("input", () => this.slide(range));
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.target.matches('input:not([type="radio"]):not([type="range"]), textarea, select')) return;
      const name = keys[event.key] ?? keys[event.key.toLowerCase()];
      if (!name || !this.film) return;
      event.preventDefault();
      this.film.tool(name);
    });
  }

  range(name) {
    return this.root.querySelector(`[data-range="${name}"]`);
  }

  slide(range) {
    const part = Number(range.value) / 1000;
    const { center, width } = this.film.state;
    if (range.dataset.range === "center") this.film.windowTo(part * this.most, width);
    else this.film.windowTo(center, Math.max(2, part * part * this.most));
  }

  follow() {
    const { state } = this.film;
    this.root.querySelector('[data-tool="invert"]').setAttribute("aria-pressed", String(state.invert));
    if (state.center === null) return;
    this.range("center").value = String(Math.round((1000 * state.center) / this.most));
    this.range("width").value = String(Math.round(1000 * Math.sqrt(state.width / this.most)));
  }

  use(film, kind) {
    this.film?.end?.();
    this.film = film;
    film.onchange = () => this.follow();
    this.follow();
    this.root.dataset.kind = kind;
  }

  async begin() {
    const answer = await fetch(this.root.dataset.tones);
    if (!answer.ok) return;
    const tones = await answer.json();
    this.most = 2 ** tones.bits;
    if (tones.colour) this.root.querySelectorAll("[data-range]").forEach((one) => (one.disabled = true));
    this.use(new ServerFilm(this.root, tones), "server");
    if (this.root.dataset.module && !tones.colour && cardCan(tones)) await this.useCard(tones);
  }

  // The pictures stay where the graphics card fails after all.
  async useCard(tones) {
    const element = document.createElement("div");
    element.className = "card-film";
    this.root.querySelector(".stage").append(element);
    try {
      const { show } = await import(this.root.dataset.module);
      const film = await show(element, this.root.dataset.pixels, tones);
      this.use(film, "card");
    } catch (error) {
      element.remove();
      console.info(`The film is shown as pictures: ${error.message}`);
      return;
    }
    this.root.querySelector("img").hidden = true;
    this.root.querySelectorAll("[data-card]").forEach((one) => (one.hidden = false));
    this.root.querySelector(".spacing").textContent = tones.row_mm
      ? `lengths in mm at the film plane (${tones.row_mm.toFixed(3)} mm a pixel)`
      : "lengths in pixels: the scan tells no resolution";
  }
}

const MOST_PIXELS = 64e6;

function cardCan(tones) {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  const longest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return Math.max(tones.rows, tones.columns) <= longest && tones.rows * tones.columns <= MOST_PIXELS;
}

document.querySelectorAll("[data-viewer]").forEach((root) => new Controls(root).begin());
