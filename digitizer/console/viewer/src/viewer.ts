// The film viewer on the graphics card: Cornerstone3D behind the small interface that the console's
// toolbar and keys use. What is shown is the film's own 16-bit values.
import "./policy";

import { Enums, RenderingEngine, init as initCore, type Types } from "@cornerstonejs/core";
import * as tools from "@cornerstonejs/tools";

import { loadFilm, type Tones } from "./image";

const VIEWPORT = "film";
const GROUP = "film";
const { MouseBindings, KeyboardBindings } = tools.Enums;
const LEFT = {
  window: tools.WindowLevelTool.toolName,
  length: tools.LengthTool.toolName,
  angle: tools.AngleTool.toolName,
  magnify: tools.MagnifyTool.toolName,
};

export type LeftTool = keyof typeof LEFT;

/** How a film was looked at before. */
export interface Seen {
  center: number;
  width: number;
  invert: boolean;
  turn: number;
  flip: boolean;
}

/** What the console asks of a viewer; the server-rendered pictures offer the same. */
export interface FilmViewer {
  tool(name: string): void;
  windowTo(center: number, width: number): void;
  readonly state: { center: number; width: number; invert: boolean; turn: number; flip: boolean; zoom: number };
  onchange: () => void;
}

let started: Promise<void> | null = null;

function start(): Promise<void> {
  started ??= (async () => {
    await initCore();
    tools.init();
    for (const one of [
      tools.WindowLevelTool, tools.PanTool, tools.ZoomTool, tools.LengthTool, tools.AngleTool, tools.MagnifyTool,
    ]) {
      tools.addTool(one);
    }
  })();
  return started;
}

/** Show a film in an element; rejects where the graphics card cannot. */
export async function show(
  element: HTMLDivElement,
  url: string,
  tones: Tones,
  seen: Partial<Seen> = {},
  values?: Uint16Array,
): Promise<FilmViewer> {
  const [id] = await Promise.all([loadFilm(url, tones, values), start()]);
  const viewer = new CornerstoneFilm(element, tones, seen);
  await viewer.begin(id);
  return viewer;
}

class CornerstoneFilm implements FilmViewer {
  onchange = (): void => {};
  state;
  private readonly usual;
  private readonly engine = new RenderingEngine("films");
  private readonly group;
  private left: LeftTool = "window";
  private sharp = false;

  constructor(
    private readonly element: HTMLDivElement,
    private readonly tones: Tones,
    seen: Partial<Seen>,
  ) {
    this.usual = { center: tones.center ?? 32768, width: tones.width ?? 65536 };
    this.state = { ...this.usual, invert: false, turn: 0, flip: false, zoom: 1, ...seen };
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    this.engine.enableElement({ viewportId: VIEWPORT, element, type: Enums.ViewportType.STACK });
    this.group = tools.ToolGroupManager.createToolGroup(GROUP)!;
    for (const name of [...Object.values(LEFT), tools.PanTool.toolName, tools.ZoomTool.toolName]) {
      this.group.addTool(name);
    }
    this.group.addViewport(VIEWPORT, "films");
    this.group.setToolActive(tools.PanTool.toolName, {
      bindings: [
        { mouseButton: MouseBindings.Auxiliary },
        { mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Shift },
      ],
    });
    this.group.setToolActive(tools.ZoomTool.toolName, {
      bindings: [{ mouseButton: MouseBindings.Secondary }, { mouseButton: MouseBindings.Wheel }],
    });
    this.choose("window");
    element.addEventListener(Enums.Events.VOI_MODIFIED, () => this.followWindow());
    new ResizeObserver(() => this.engine.resize(true, true)).observe(element);
  }

  private get viewport(): Types.IStackViewport {
    return this.engine.getViewport(VIEWPORT) as Types.IStackViewport;
  }

  async begin(id: string): Promise<void> {
    await this.viewport.setStack([id]);
    this.apply();
    this.fit();
  }

  private apply(): void {
    const { center, width, invert, turn, flip } = this.state;
    this.viewport.setProperties({
      voiRange: { lower: center - width / 2, upper: center + width / 2 },
      invert: invert !== this.tones.white_is_low,
      sharpening: this.sharp ? 1 : 0,
    } as Types.StackViewportProperties);
    this.viewport.setViewPresentation({ rotation: 90 * turn, flipHorizontal: flip });
    this.viewport.render();
    this.element.dataset.invert = String(invert);
    this.element.dataset.turn = String(turn);
    this.element.dataset.flip = String(flip);
    this.onchange();
  }

  private followWindow(): void {
    const range = this.viewport.getProperties().voiRange;
    if (!range) return;
    this.state.center = (range.lower + range.upper) / 2;
    this.state.width = range.upper - range.lower;
    this.onchange();
  }

  windowTo(center: number, width: number): void {
    Object.assign(this.state, { center, width: Math.max(2, width) });
    this.apply();
  }

  private choose(name: LeftTool): void {
    for (const tool of Object.values(LEFT)) this.group.setToolPassive(tool);
    this.group.setToolActive(LEFT[name], { bindings: [{ mouseButton: MouseBindings.Primary }] });
    this.left = name;
    this.element.dataset.left = name;
  }

  private zoomBy(factor: number): void {
    this.state.zoom = Math.min(32, Math.max(0.2, this.viewport.getZoom() * factor));
    this.viewport.setZoom(this.state.zoom);
    this.viewport.render();
    this.onchange();
  }

  /** Turn by a quarter, clockwise, and fit the whole film in again. */
  private turn(): void {
    this.state.turn = (this.state.turn + 1) % 4;
    this.viewport.resetCamera();
    this.apply();
    this.fit();
  }

  /** Fit the whole film in, however it is turned. */
  private fit(): void {
    const { clientWidth: across, clientHeight: down } = this.element;
    const { rows, columns } = this.tones;
    const upright = Math.min(across / columns, down / rows);
    const lying = Math.min(across / rows, down / columns);
    this.state.zoom = this.state.turn % 2 ? lying / upright : 1;
    this.viewport.setZoom(this.state.zoom);
    this.viewport.render();
  }

  private reset(): void {
    Object.assign(this.state, { ...this.usual, invert: false, turn: 0, flip: false, zoom: 1 });
    this.sharp = false;
    this.viewport.resetCamera();
    this.choose("window");
    this.apply();
  }

  tool(name: string): void {
    const { state } = this;
    if (name === "invert") state.invert = !state.invert;
    else if (name === "turn") return this.turn();
    else if (name === "flip") state.flip = !state.flip;
    else if (name === "sharpen") this.sharp = !this.sharp;
    else if (name === "in") return this.zoomBy(1.5);
    else if (name === "out") return this.zoomBy(1 / 1.5);
    else if (name === "reset") return this.reset();
    else if (name === "clear") tools.annotation.state.removeAllAnnotations();
    else if (name in LEFT) this.choose(this.left === name ? "window" : (name as LeftTool));
    this.apply();
  }
}
