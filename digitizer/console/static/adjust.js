// Setting a film's corners, angle, turn, mirror and window by hand. The rectangle is kept as middle,
// sides and angle in pixels that are as high as broad, so that it stays one whatever is dragged.
import "./lease.js";

const root = document.getElementById("adjust");
const told = JSON.parse(root.dataset.told);
const stage = document.getElementById("scan");
const image = stage.querySelector("img");
const svg = document.getElementById("lines");
const canvas = document.getElementById("result");
const form = document.getElementById("keep");
const own = document.getElementById("own");
const ranges = Object.fromEntries([...document.querySelectorAll("[data-range]")].map((one) => [one.dataset.range, one]));
const most = 2 ** told.bits;
const ROOM = 18;
const NAMES = ["top left", "top right", "bottom right", "bottom left"];
const SMALLEST = 0.03 * Math.min(told.columns, told.rows * told.squeeze);
let chosen = 4;
let state;

function begin() {
  const [a, b, , d] = told.corners.map(([x, y]) => [x, y * told.squeeze]);
  const middle = [0, 1].map((axis) => (b[axis] + d[axis]) / 2);
  const [center, width] = told.window ?? [most / 2, most];
  state = {
    middle,
    width: Math.hypot(b[0] - a[0], b[1] - a[1]),
    height: Math.hypot(d[0] - a[0], d[1] - a[1]),
    // Counter-clockwise, as the skew of a film is told.
    angle: -Math.atan2(b[1] - a[1], b[0] - a[0]),
    turn: told.turn,
    mirrored: told.mirrored,
    center,
    span: width,
    own: told.own,
  };
  own.checked = told.own;
}

const axes = () => {
  const [c, s] = [Math.cos(state.angle), Math.sin(state.angle)];
  return [[c, -s], [s, c]];
};

// Corners as scanned, in square pixels: top left, top right, bottom right, bottom left.
function square() {
  const [across, down] = axes();
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([u, v]) =>
    [0, 1].map((axis) => state.middle[axis] + (u * state.width * across[axis] + v * state.height * down[axis]) / 2));
}

const scanned = () => square().map(([x, y]) => [x, y / told.squeeze]);

// As they should be viewed: the order that turn and mirror make of them.
function viewed() {
  const box = scanned();
  const order = { 0: [0, 1, 2, 3], 90: [3, 0, 1, 2], 180: [2, 3, 0, 1], 270: [1, 2, 3, 0] }[state.turn];
  const [a, b, c, d] = order.map((at) => box[at]);
  return state.mirrored ? [b, a, d, c] : [a, b, c, d];
}

function moveCorner(at, dx, dy) {
  const box = square();
  const fixed = box[(at + 2) % 4];
  const to = [box[at][0] + dx, box[at][1] + dy];
  const [across, down] = axes();
  const span = [to[0] - fixed[0], to[1] - fixed[1]];
  const along = (axis) => Math.abs(span[0] * axis[0] + span[1] * axis[1]);
  if (along(across) < SMALLEST || along(down) < SMALLEST) return;
  state.width = along(across);
  state.height = along(down);
  state.middle = [0, 1].map((axis) => (to[axis] + fixed[axis]) / 2);
}

function move(at, dx, dy) {
  if (at < 4) moveCorner(at, dx, dy);
  else state.middle = [state.middle[0] + dx, state.middle[1] + dy];
  draw();
}

function rotate(degrees) {
  const angle = state.angle + (degrees * Math.PI) / 180;
  if (Math.abs(angle) >= Math.PI / 4) return;
  state.angle = angle;
  draw();
}

const actions = {
  left: (far) => rotate(far ? 1 : 0.1),
  right: (far) => rotate(far ? -1 : -0.1),
  // What is shown turns clockwise; seen in a mirror, the film turns the other way.
  turn: () => { state.turn = (state.turn + (state.mirrored ? 270 : 90)) % 360; draw(); },
  mirror: () => { state.mirrored = !state.mirrored; draw(); },
  reset: () => { begin(); fetchPicture(); draw(); },
};

// Where the picture lies on the stage, in pixels of the stage for one of the scan.
function placed() {
  const box = stage.getBoundingClientRect();
  // Room around it, so that a corner of the scan's own can be gripped.
  const scale = Math.min((box.width - 2 * ROOM) / told.columns, (box.height - 2 * ROOM) / told.rows);
  return { scale, left: (box.width - told.columns * scale) / 2, top: (box.height - told.rows * scale) / 2 };
}

const circles = NAMES.map((name, at) => {
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [key, value] of Object.entries({ r: 11, tabindex: 0, role: "button", "aria-label": `Corner ${name}` })) {
    circle.setAttribute(key, String(value));
  }
  circle.addEventListener("focus", () => choose(at));
  svg.append(circle);
  return circle;
});

function choose(at) {
  chosen = at;
  circles.forEach((one, other) => one.classList.toggle("chosen", other === at));
}

function draw() {
  const { scale, left, top } = placed();
  const at = scanned().map(([x, y]) => [left + x * scale, top + y * scale]);
  document.getElementById("edges").setAttribute("points", at.map((one) => one.join(",")).join(" "));
  circles.forEach((circle, n) => {
    circle.setAttribute("cx", String(at[n][0]));
    circle.setAttribute("cy", String(at[n][1]));
  });
  const seen = viewed().map(([x, y]) => [left + x * scale, top + y * scale]);
  const [from, to] = [[seen[0], seen[1]], [seen[2], seen[3]]].map(([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  const line = document.getElementById("up");
  // From the upper edge a quarter into the film: this side is up.
  line.setAttribute("x1", String(from[0]));
  line.setAttribute("y1", String(from[1]));
  line.setAttribute("x2", String(from[0] + (to[0] - from[0]) / 5));
  line.setAttribute("y2", String(from[1] + (to[1] - from[1]) / 5));
  const degrees = (state.angle * 180) / Math.PI;
  document.getElementById("where").textContent =
    `${Math.round(state.width)} by ${Math.round(state.height / told.squeeze)} pixels · angle ${degrees.toFixed(2)}° · turned ${state.turn}°${state.mirrored ? " · mirrored" : ""}`;
  drawResult();
  ranges.center.value = String(Math.round((1000 * state.center) / most));
  ranges.width.value = String(Math.round(1000 * Math.sqrt(state.span / most)));
  for (const one of Object.values(ranges)) one.disabled = told.colour || own.checked;
}

function drawResult() {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#0c0f0e";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (!image.naturalWidth) return;
  const [a, b, , d] = viewed();
  const [e, g] = [[b[0] - a[0], b[1] - a[1]], [d[0] - a[0], d[1] - a[1]]];
  const long = (side) => Math.hypot(side[0], side[1] * told.squeeze);
  const fit = Math.min(canvas.width / long(e), canvas.height / long(g));
  const [wide, high] = [long(e) * fit, long(g) * fit];
  const [left, top] = [(canvas.width - wide) / 2, (canvas.height - high) / 2];
  const area = e[0] * g[1] - e[1] * g[0];
  // From pixels of the scan to the result: a goes to its upper left, b to its upper right.
  const [xx, xy] = [(wide * g[1]) / area, (-wide * g[0]) / area];
  const [yx, yy] = [(-high * e[1]) / area, (high * e[0]) / area];
  context.save();
  context.beginPath();
  context.rect(left, top, wide, high);
  context.clip();
  const by = told.columns / image.naturalWidth;
  context.setTransform(xx * by, yx * by, xy * by, yy * by,
    left - xx * a[0] - xy * a[1], top - yx * a[0] - yy * a[1]);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0);
  context.restore();
}

let waits = false;
function fetchPicture() {
  waits = false;
  const query = new URLSearchParams({ size: 1600 });
  if (!told.colour) {
    query.set("center", state.center.toFixed(1));
    query.set("width", Math.max(1, state.span).toFixed(1));
  }
  image.src = `${root.dataset.picture}&${query}`;
}
image.addEventListener("load", () => {
  image.hidden = false;
  root.dataset.shown = "true";
  draw();
  if (waits) fetchPicture();
});
function window_() {
  state.own = false;
  if (image.complete) fetchPicture();
  else waits = true;
  draw();
}
ranges.center.addEventListener("input", () => {
  state.center = (Number(ranges.center.value) / 1000) * most;
  window_();
});
ranges.width.addEventListener("input", () => {
  state.span = Math.max(2, (Number(ranges.width.value) / 1000) ** 2 * most);
  window_();
});
own.addEventListener("change", () => {
  state.own = own.checked;
  if (own.checked) [state.center, state.span] = told.window ?? [most / 2, most];
  fetchPicture();
  draw();
});

let grip = null;
svg.addEventListener("pointerdown", (event) => {
  const at = circles.indexOf(event.target);
  const inside = event.target.id === "edges";
  if (at < 0 && !inside) return;
  event.preventDefault();
  svg.setPointerCapture(event.pointerId);
  if (at >= 0) circles[at].focus();
  else choose(4);
  grip = { at: at >= 0 ? at : 4, x: event.clientX, y: event.clientY };
});
svg.addEventListener("pointermove", (event) => {
  if (!grip) return;
  const { scale } = placed();
  move(grip.at, (event.clientX - grip.x) / scale, ((event.clientY - grip.y) / scale) * told.squeeze);
  [grip.x, grip.y] = [event.clientX, event.clientY];
});
for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => (grip = null));

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { "[": "left", "{": "left", "]": "right", "}": "right", r: "turn", f: "mirror", 0: "reset" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    location.assign(root.dataset.back);
    return;
  }
  if (event.target.matches("input")) return;
  if (event.key === "Enter" && !event.target.matches("button, a")) {
    event.preventDefault();
    form.requestSubmit();
  } else if (ARROWS[event.key]) {
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    const [dx, dy] = ARROWS[event.key];
    move(chosen, dx * far, dy * far * told.squeeze);
  } else if (/^[1-5]$/.test(event.key)) {
    if (event.key === "5") {
      document.activeElement.blur();
      choose(4);
    } else circles[Number(event.key) - 1].focus();
  } else {
    const action = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (action) {
      event.preventDefault();
      actions[action](event.shiftKey);
    }
  }
});
document.querySelectorAll("[data-do]").forEach((button) => {
  button.addEventListener("click", (event) => actions[button.dataset.do](event.shiftKey));
});
form.addEventListener("submit", () => {
  const { elements } = form;
  const plain = scanned().map((one) => one.map((value) => value.toFixed(2)).join(",")).join(" ");
  const before = told.corners.map((one) => one.map((value) => value.toFixed(2)).join(",")).join(" ");
  // What was not touched is not sent: it stands as it was measured.
  elements.corners.value = plain === before ? "" : plain;
  elements.turn.value = String(state.turn);
  elements.mirrored.value = String(state.mirrored);
  elements.own_window.value = String(state.own);
  if (!state.own && !told.colour) {
    elements.center.value = state.center.toFixed(1);
    elements.width.value = state.span.toFixed(1);
  }
}, { capture: true });

begin();
fetchPicture();
new ResizeObserver(draw).observe(stage);
document.body.dataset.ready = "true";
