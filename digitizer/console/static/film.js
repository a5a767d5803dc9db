// The film as pictures rendered by the server: window, invert, turn, flip, enlarge, move. It needs
// no graphics card. One picture is asked for at a time; the newest wish is served next.
export class ServerFilm {
  constructor(root) {
    this.root = root;
    this.image = root.querySelector("img");
    this.stage = root.querySelector(".stage");
    this.usual = null;
    this.state = { invert: false, turn: 0, flip: false, x: 0.5, y: 0.5, zoom: 1, center: null, width: null };
    this.busy = false;
    this.wanted = false;
    this.image.addEventListener("load", () => this.done());
    this.image.addEventListener("error", () => this.done());
    this.bind();
    this.begin();
  }

  async begin() {
    const answer = await fetch(this.root.dataset.tones);
    if (!answer.ok) return;
    this.usual = await answer.json();
    if (this.usual.colour) this.root.querySelectorAll("[data-range]").forEach((one) => (one.disabled = true));
    this.reset();
  }

  reset() {
    const { center = null, width = null } = this.usual ?? {};
    Object.assign(this.state, { invert: false, turn: 0, flip: false, x: 0.5, y: 0.5, zoom: 1, center, width });
    this.show();
  }

  get most() {
    return this.usual ? 2 ** this.usual.bits : 65536;
  }

  show() {
    const { state } = this;
    this.root.querySelector('[data-tool="invert"]').setAttribute("aria-pressed", String(state.invert));
    if (state.center !== null) {
      const [center, width] = ["center", "width"].map((name) => this.root.querySelector(`[data-range="${name}"]`));
      center.value = String(Math.round((1000 * state.center) / this.most));
      width.value = String(Math.round(1000 * Math.sqrt(state.width / this.most)));
    }
    if (this.busy) {
      this.wanted = true;
      return;
    }
    this.busy = true;
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

  windowBy(dx, dy) {
    if (this.state.center === null) return;
    this.state.width = Math.min(2 * this.most, Math.max(2, this.state.width * 2 ** (dx / 200)));
    this.state.center = Math.min(this.most, Math.max(0, this.state.center + (dy * this.state.width) / 400));
    this.show();
  }

  tool(name) {
    const { state } = this;
    if (name === "invert") state.invert = !state.invert;
    else if (name === "turn") Object.assign(state, { turn: (state.turn + 1) % 4, x: 0.5, y: 0.5 });
    else if (name === "flip") state.flip = !state.flip;
    else if (name === "in") return this.zoomBy(1.5);
    else if (name === "out") return this.zoomBy(1 / 1.5);
    else if (name === "reset") return this.reset();
    this.show();
  }

  bind() {
    this.root.querySelectorAll("[data-tool]").forEach((button) => {
      button.addEventListener("click", () => this.tool(button.dataset.tool));
    });
    this.root.querySelectorAll("[data-range]").forEach((range) => {
      range.addEventListener("input", () => {
        const part = Number(range.value) / 1000;
        if (range.dataset.range === "center") this.state.center = part * this.most;
        else this.state.width = Math.max(2, part * part * this.most);
        this.show();
      });
    });
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8);
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => {
      this.stage.setPointerCapture(event.pointerId);
      this.from = [event.clientX, event.clientY];
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (!this.from) return;
      const [dx, dy] = [event.clientX - this.from[0], event.clientY - this.from[1]];
      this.from = [event.clientX, event.clientY];
      const box = this.image.getBoundingClientRect();
      if (event.shiftKey || event.buttons === 4) this.moveBy(dx / box.width, dy / box.height);
      else this.windowBy(dx, dy);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(name, () => (this.from = null));
    }
    const keys = { i: "invert", r: "turn", f: "flip", "+": "in", "=": "in", "-": "out", 0: "reset" };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.target.matches('input:not([type="radio"]):not([type="range"]), textarea, select')) return;
      const name = keys[event.key.toLowerCase()];
      if (!name) return;
      event.preventDefault();
      this.tool(name);
    });
    new ResizeObserver(() => this.usual && this.show()).observe(this.stage);
  }
}

document.querySelectorAll("[data-viewer]").forEach((root) => {
  root.film = new ServerFilm(root);
});
