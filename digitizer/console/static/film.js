// Looking at a film: toolbar and keys. A picture rendered by the server is shown at once; the film's
// own 16-bit values take its place and are windowed here, where the browser may hold them. Lengths
// and angles are measured by a viewer on the graphics card, which is loaded when they are asked for.
import { PRESETS, ServerFilm, windowOf } from "./film_server.js";
import { ValuesFilm } from "./film_values.js";

// Toolbar and keys, whichever viewer shows the film.
class Controls {
  constructor(root) {
    this.root = root;
    this.film = null;
    const keys = {
      i: "invert", r: "turn", f: "flip", "+": "in", "=": "in", "-": "out", 0: "reset",
      l: "length", a: "angle", g: "magnify", p: "sharpen", Delete: "clear", w: "preset",
    };
    root.querySelectorAll("[data-tool]").forEach((button) => {
      button.addEventListener("click", () => this.do(button.dataset.tool));
    });
    this.preset = root.querySelector("[data-preset]");
    this.preset.addEventListener("change", () => this.toPreset(this.preset.value));
    root.querySelectorAll("[data-range]").forEach((range) => {
      range.addEventListener("input", () => this.slide(range));
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const typing = event.target.matches('input:not([type="radio"]):not([type="range"]), textarea, select');
      if (typing && !event.target.closest("dialog:not([open])")) return;
      const name = keys[event.key] ?? keys[event.key.toLowerCase()];
      if (!name || !this.film) return;
      event.preventDefault();
      this.do(name);
    });
  }

  async do(name) {
    if (!this.film) return;
    if (name === "preset") {
      this.toPreset(PRESETS[(PRESETS.indexOf(this.preset.value) + 1) % PRESETS.length]);
    } else {
      if (name === "reset") this.preset.value = "captured";
      if (MEASURES.has(name) && this.root.dataset.kind === "values") await this.useCard();
      this.film.tool(name);
    }
  }

  toPreset(name) {
    this.preset.value = name;
    const [center, width] = windowOf(name, this.tones);
    if (center !== null) this.film.windowTo(center, width);
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
    const tones = (this.tones = await answer.json());
    this.most = 2 ** tones.bits;
    if (tones.colour) {
      this.root.querySelectorAll("[data-range], [data-preset]").forEach((one) => (one.disabled = true));
    }
    if (mayHold(tones)) await this.useValues();
    if (!this.film) this.use(new ServerFilm(this.root, tones), "server");
  }

  // The pictures stay where the values cannot be had after all.
  async useValues() {
    try {
      this.use(await ValuesFilm.open(this.root, this.tones), "values");
    } catch (error) {
      console.info(`The film is shown as pictures: ${error.message}`);
      return;
    }
    this.root.querySelector("img").hidden = true;
    this.root.querySelectorAll("[data-values]").forEach((one) => (one.hidden = false));
    if (!this.root.dataset.module || !cardCan(this.tones)) return;
    this.root.querySelectorAll("[data-card]").forEach((one) => (one.hidden = false));
    const { row_mm: pitch } = this.tones;
    this.root.querySelector(".spacing").textContent = pitch
      ? `mm at the film plane, ${pitch.toFixed(3)} a pixel`
      : "in pixels: the scan tells no resolution";
  }

  // What measures is loaded when it is asked for, with the film as it is looked at.
  async useCard() {
    if (!this.root.dataset.module || !cardCan(this.tones) || this.root.dataset.loading) return;
    this.root.dataset.loading = "true";
    const element = document.createElement("div");
    element.className = "card-film";
    this.root.querySelector(".stage").append(element);
    const { center, width, invert, turn, flip } = this.film.state;
    const values = await this.film.values();
    try {
      const { show } = await import(this.root.dataset.module);
      this.use(await show(element, this.root.dataset.pixels, this.tones, { center, width, invert, turn, flip }, values), "card");
    } catch (error) {
      element.remove();
      console.info(`Nothing can be measured here: ${error.message}`);
    }
    delete this.root.dataset.loading;
  }
}

const MEASURES = new Set(["length", "angle"]);
const MOST_PIXELS = 64e6;

// Not where somebody pays for every byte, nor what fills the memory of a small computer.
function mayHold(tones) {
  return !tones.colour && tones.rows * tones.columns <= MOST_PIXELS && !navigator.connection?.saveData;
}

function cardCan(tones) {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  const longest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return Math.max(tones.rows, tones.columns) <= longest && tones.rows * tones.columns <= MOST_PIXELS;
}

document.querySelectorAll("[data-viewer]").forEach((root) => new Controls(root).begin());
