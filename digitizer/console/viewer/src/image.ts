// Films as Cornerstone images: raw 16-bit rows from the console, no codec and no DICOM parser.
import { imageLoader, metaData, utilities, type Types } from "@cornerstonejs/core";

export interface Tones {
  rows: number;
  columns: number;
  bits: number;
  colour: boolean;
  white_is_low: boolean;
  center: number | null;
  width: number | null;
  row_mm: number | null;
  column_mm: number | null;
}

interface Film {
  tones: Tones;
  pixels: Uint16Array;
}

const SCHEME = "film";
const films = new Map<string, Film>();
let registered = false;

/** Take a film's values, or fetch them; rows are little-endian as browsers' typed arrays are. */
export async function loadFilm(url: string, tones: Tones, values?: Uint16Array): Promise<string> {
  const pixels = values ?? (await fetchValues(url));
  if (pixels.length !== tones.rows * tones.columns) throw new Error("pixels: not as many as told");
  const id = `${SCHEME}:${url}`;
  films.set(id, { tones, pixels });
  register();
  return id;
}

async function fetchValues(url: string): Promise<Uint16Array> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`pixels: ${answer.status}`);
  return new Uint16Array(await answer.arrayBuffer());
}

function register(): void {
  if (registered) return;
  registered = true;
  imageLoader.registerImageLoader(SCHEME, (id: string) => ({ promise: Promise.resolve(image(id)) }));
  metaData.addProvider((type: string, id: string) => {
    const film = films.get(id);
    return film ? module(type, film.tones) : undefined;
  }, 1000);
}

function film(id: string): Film {
  const found = films.get(id);
  if (!found) throw new Error("no such film");
  return found;
}

function image(id: string): Types.IImage {
  const { tones, pixels } = film(id);
  const { rows, columns } = tones;
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    width: columns,
    height: rows,
    scalarData: pixels,
    numberOfComponents: 1,
  }) as Types.IVoxelManager<number>;
  let [least, most] = [65535, 0];
  for (let at = 0; at < pixels.length; at += 7) {
    const value = pixels[at]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return {
    imageId: id,
    minPixelValue: least,
    maxPixelValue: most,
    slope: 1,
    intercept: 0,
    windowCenter: tones.center ?? 32768,
    windowWidth: tones.width ?? 65536,
    rows,
    columns,
    height: rows,
    width: columns,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    columnPixelSpacing: tones.column_mm ?? 1,
    rowPixelSpacing: tones.row_mm ?? 1,
    invert: false,
    sizeInBytes: pixels.byteLength,
    dataType: "Uint16Array",
    voxelManager,
    getPixelData: () => pixels,
  } as unknown as Types.IImage;
}

function module(type: string, tones: Tones): unknown {
  switch (type) {
    case "imagePixelModule":
      return {
        bitsAllocated: 16,
        bitsStored: 16,
        highBit: 15,
        samplesPerPixel: 1,
        pixelRepresentation: 0,
        photometricInterpretation: "MONOCHROME2",
      };
    case "imagePlaneModule":
      return {
        rows: tones.rows,
        columns: tones.columns,
        rowPixelSpacing: tones.row_mm ?? undefined,
        columnPixelSpacing: tones.column_mm ?? undefined,
        pixelSpacing: tones.row_mm ? [tones.row_mm, tones.column_mm] : undefined,
        imageOrientationPatient: [1, 0, 0, 0, 1, 0],
        rowCosines: [1, 0, 0],
        columnCosines: [0, 1, 0],
        imagePositionPatient: [0, 0, 0],
        frameOfReferenceUID: "film",
      };
    case "generalSeriesModule":
      return { modality: "RG" };
    case "voiLutModule":
      return { windowCenter: [tones.center ?? 32768], windowWidth: [tones.width ?? 65536] };
    case "modalityLutModule":
      return { rescaleSlope: 1, rescaleIntercept: 0 };
    default:
      return undefined;
  }
}
