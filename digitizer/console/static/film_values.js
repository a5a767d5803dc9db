// A film from its own 16-bit values, on a canvas as large as what is seen. What the place, the turn
// and the size ask for is picked out of the film once; a window is then a table of 65,536 shades, so
// that dragging it costs a few milliseconds whatever the film's size. No graphics card is needed.
import { ServerFilm } from "./film_server.js";

const FIRST = 4;
const GLASS = { across: 260, by: 3 };
const WEIGHT = 256;

// Values at one size: how many pixels of the film one of these stands for, and how many there are.
class Level {
  constructor(values, rows, columns, reduce) {
    Object.assign(this, { values, rows, columns, reduce });
  }
}

async function fetchLevel(url, tones, reduce, signal) {
  const answer = await fetch(reduce > 1 ? `${url}?reduce=${reduce}` : url, { signal });
  if (!answer.ok) throw new Error(`pixels: ${answer.status}`);
  const values = new Uint16Array(await answer.arrayBuffer());
  const [rows, columns] = [Math.ceil(tones.rows / reduce), Math.ceil(tones.columns / reduce)];
  if (values.length !== rows * columns) throw new Error("pixels: not as many as told");
  return new Level(values, rows, columns, reduce);
}

export class ValuesFilm extends ServerFilm {
  /** Show a film; rejects where its values cannot be had. */
  static async open(root, tones) {
    const stop = new AbortController();
    const small = await fetchLevel(root.dataset.pixels, tones, FIRST, stop.signal);
    const film = new ValuesFilm(root, tones);
    film.levels = [small];
    film.stop.signal.addEventListener("abort", () => stop.abort());
    film.tool("reset");
    const whole = fetchLevel(root.dataset.pixels, tones, 1, stop.signal);
    film.whole = whole.then((level) => {
      film.levels.push(level);
      film.place();
      root.dataset.resolution = "full";
    }, () => (root.dataset.resolution = "reduced"));
    return film;
  }

  constructor(root, tones) {
    super(root, tones);
    this.canvas = document.createElement("canvas");
    this.canvas.className = "values";
    this.glass = document.createElement("canvas");
    this.glass.className = "glass";
    this.glass.hidden = true;
    this.glass.width = this.glass.height = GLASS.across;
    this.stage.append(this.canvas, this.glass);
    this.table = new Uint32Array(65536);
    this.frame = 0;
    this.frames = 0;
    const { signal } = this.stop;
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.frame);
      this.canvas.remove();
      this.glass.remove();
    });
    this.stage.addEventListener("pointermove", (event) => this.look(event), { signal });
    this.stage.addEventListener("pointerleave", () => (this.glass.hidden = true), { signal });
  }

  // How many pixels of the canvas one of the film is, and the sides of the film as it is turned.
  get fit() {
    const { rows, columns } = this.tones;
    const [high, wide] = this.state.turn % 2 ? [columns, rows] : [rows, columns];
    const { width, height } = this.canvas;
    return { high, wide, scale: Math.min(width / wide, height / high) * this.state.zoom };
  }

  // The place has changed: what is shown is picked anew; else only its shades are.
  show() {
    if (this.stop.signal.aborted || !this.levels) return;
    const { state } = this;
    const box = this.stage.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const size = [box.width, box.height].map((side) => Math.max(1, Math.round(side * ratio)));
    const key = [...size, state.turn, state.flip, state.x, state.y, state.zoom, this.sharp, this.levels.length].join();
    if (key !== this.key) {
      this.key = key;
      this.picked = null;
      [this.canvas.width, this.canvas.height] = size;
    }
    this.onchange();
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  place() {
    this.key = "";
    this.show();
  }

  draw() {
    const { width, height } = this.canvas;
    const { wide, high, scale } = this.fit;
    if (!this.picked) {
      const { x, y } = this.state;
      this.picked = this.pick({ width, height, scale, across: x * wide, down: y * high });
      if (this.sharp) sharpen(this.picked);
    }
    this.shades();
    paint(this.canvas, this.picked, this.table);
    this.frames += 1;
    this.root.dataset.frames = String(this.frames);
  }

  shades() {
    const { center, width, invert } = this.state;
    const low = center - width / 2;
    const light = invert !== this.tones.white_is_low;
    const per = 255 / width;
    const { table } = this;
    for (let value = 0; value < 65536; value += 1) {
      const shade = Math.max(0, Math.min(255, (value - low) * per)) | 0;
      table[value] = (light ? 255 - shade : shade) * 0x010101 + 0xff000000;
    }
  }

  // The values for a rectangle of the screen in whose middle a place of the film as it is turned lies.
  pick({ width, height, scale, across, down }) {
    const { turn, flip } = this.state;
    const { wide, high } = this.fit;
    const wanted = 1 / scale;
    // The coarsest that is fine enough; where that is not there yet, the finest there is.
    const fine = this.levels.filter((one) => one.reduce <= Math.max(1, wanted));
    const level = fine.length ? fine.reduce((a, b) => (a.reduce > b.reduce ? a : b)) : this.levels.reduce((a, b) => (a.reduce < b.reduce ? a : b));
    const { rows, columns, reduce, values } = level;
    // Along the canvas runs the film's column or, turned, its row; forwards or backwards.
    const column = (at) => across + (at + 0.5 - width / 2) / scale;
    const row = (at) => down + (at + 0.5 - height / 2) / scale;
    const u = (at) => (flip ? wide - column(at) : column(at));
    const lying = turn % 2 === 1;
    const along = { 0: (at) => u(at), 1: (at) => wide - u(at), 2: (at) => wide - u(at), 3: (at) => u(at) }[turn];
    const upright = { 0: (at) => row(at), 1: (at) => row(at), 2: (at) => high - row(at), 3: (at) => high - row(at) }[turn];
    const [first, second] = lying ? [rows, columns] : [columns, rows];
    const [stepFirst, stepSecond] = lying ? [columns, 1] : [1, columns];
    const xs = axis(width, along, wide, first, reduce, stepFirst);
    const ys = axis(height, upright, high, second, reduce, stepSecond);
    const picked = { width, height, left: xs.from, right: xs.to, top: ys.from, bottom: ys.to };
    const out = new Uint16Array(width * height);
    for (let j = ys.from; j < ys.to; j += 1) {
      const [above, below, part] = [ys.at[j], ys.next[j], ys.part[j]];
      let to = j * width + xs.from;
      for (let i = xs.from; i < xs.to; i += 1, to += 1) {
        const [a, b, side] = [xs.at[i], xs.next[i], xs.part[i]];
        const upper = values[above + a] * (WEIGHT - side) + values[above + b] * side;
        const lower = values[below + a] * (WEIGHT - side) + values[below + b] * side;
        out[to] = (upper * (WEIGHT - part) + lower * part) / (WEIGHT * WEIGHT) + 0.5;
      }
    }
    return { ...picked, values: out };
  }

  // All of the film's values, as soon as they are there; undefined where they are not to be had.
  async values() {
    await this.whole;
    return this.levels.find((one) => one.reduce === 1)?.values;
  }

  drag(dx, dy) {
    const { wide, high, scale } = this.fit;
    const by = (window.devicePixelRatio || 1) / scale;
    this.state.x = within(this.state.x - (dx * by) / wide, this.canvas.width / (wide * scale));
    this.state.y = within(this.state.y - (dy * by) / high, this.canvas.height / (high * scale));
    this.show();
  }

  tool(name) {
    if (name === "sharpen") {
      this.sharp = !this.sharp;
      this.root.dataset.sharp = String(this.sharp);
      this.show();
    } else if (name === "magnify") {
      this.magnifies = !this.magnifies;
      this.root.dataset.magnifies = String(this.magnifies);
      if (this.magnifies && this.pointer) this.look(this.pointer);
      else this.glass.hidden = true;
    } else {
      if (name === "reset") {
        this.sharp = this.magnifies = false;
        this.root.dataset.sharp = this.root.dataset.magnifies = "false";
        if (this.glass) this.glass.hidden = true;
      }
      super.tool(name);
    }
  }

  // Under the glass the film is three times as large, and always from its own finest values.
  look(event) {
    this.pointer = { clientX: event.clientX, clientY: event.clientY, buttons: event.buttons };
    if (!this.magnifies || !this.picked) return;
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const { wide, high, scale } = this.fit;
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    const across = this.state.x * wide + (x - this.canvas.width / 2) / scale;
    const down = this.state.y * high + (y - this.canvas.height / 2) / scale;
    this.glass.hidden = false;
    this.glass.style.left = `${event.clientX - box.left - GLASS.across / 2}px`;
    this.glass.style.top = `${event.clientY - box.top - GLASS.across / 2}px`;
    const seen = this.pick({ width: GLASS.across, height: GLASS.across, scale: scale * GLASS.by, across, down });
    if (this.sharp) sharpen(seen);
    this.shades();
    paint(this.glass, seen, this.table);
  }
}

// Where each pixel of one side of the canvas lies in a level: two neighbours and the weight of the
// second, as steps through the values; and from where to where the film reaches.
function axis(length, place, side, count, reduce, step) {
  const [at, next, part] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  let [from, to] = [length, 0];
  for (let n = 0; n < length; n += 1) {
    const there = place(n);
    if (there < 0 || there > side) continue;
    from = Math.min(from, n);
    to = n + 1;
    const exact = Math.min(Math.max(there / reduce - 0.5, 0), count - 1);
    const lower = Math.floor(exact);
    at[n] = lower * step;
    next[n] = Math.min(lower + 1, count - 1) * step;
    part[n] = Math.round((exact - lower) * WEIGHT);
  }
  return { at, next, part, from: Math.min(from, to), to };
}

function paint(canvas, picked, table) {
  const context = canvas.getContext("2d", { alpha: false });
  const { width, values, left, right, top, bottom } = picked;
  if (!picked.image) {
    // Kept while the place is the same: what lies beside the film stays black.
    picked.image = context.createImageData(width, picked.height);
    picked.shades = new Uint32Array(picked.image.data.buffer).fill(0xff000000);
  }
  const { shades } = picked;
  for (let j = top; j < bottom; j += 1) {
    for (let at = j * width + left, end = j * width + right; at < end; at += 1) shades[at] = table[values[at]];
  }
  context.putImageData(picked.image, 0, 0);
}

// Unsharp: each value is moved away from the mean of its four neighbours.
function sharpen(picked) {
  const { width, left, right, top, bottom, values } = picked;
  const plain = values.slice();
  for (let j = top + 1; j < bottom - 1; j += 1) {
    for (let i = left + 1; i < right - 1; i += 1) {
      const at = j * width + i;
      const around = plain[at - 1] + plain[at + 1] + plain[at - width] + plain[at + width];
      values[at] = Math.max(0, Math.min(65535, 2 * plain[at] - around / 4));
    }
  }
}

// What is seen takes so large a part of the film: its middle stays so far from the film's ends.
function within(middle, part) {
  if (part >= 1) return 0.5;
  return Math.min(1 - part / 2, Math.max(part / 2, middle));
}
