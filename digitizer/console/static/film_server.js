// A film as pictures rendered by the server, and the words that every way to show a film understands.

export const PRESETS = ["captured", "dark", "bright", "full"];

// The window of a preset: that of the capture, its darker or brighter half, or every value there is.
export function windowOf(preset, tones) {
  const { center, width, bits } = tones;
  if (center === null || preset === "captured") return [center, width];
  if (preset === "full") return [2 ** bits / 2, 2 ** bits];
  const darker = (preset === "dark") !== tones.white_is_low;
  return [center + (darker ? -width : width) / 4, width / 2];
}

// Pictures rendered by the server: one is asked for at a time, and the newest wish is served next.
export class ServerFilm {
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

  // By pixels of the screen.
  drag(dx, dy) {
    const box = this.image.getBoundingClientRect();
    this.moveBy(dx / box.width, dy / box.height);
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
      const { center, width } = this.state;
      if (event.shiftKey || event.buttons === 4) this.drag(dx, dy);
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
