/** Where the boxes of the picture stand, and the lines between them. */

export const BOX = { width: 284, height: 84 } as const;
const GAP = { x: 48, y: 18 } as const;
/** Room for the lines at the left, where everything stands below each other. */
const MARGIN = 22;
/** The head of an arrow ends where its box begins. */
const HEAD = 7;

export interface Spot {
  x: number;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  sources: Spot[];
  rule: Spot;
  outputs: Spot[];
  /** Paths with an arrow at the end. */
  lines: string[];
}

/** Sources at the left, the rule between, outputs at the right. */
export function wideLayout(sources: number, outputs: number): Layout {
  const rows = Math.max(sources, outputs, 1);
  const height = heightOf(rows);
  const column = (index: number) => index * (BOX.width + GAP.x);
  const spread = (count: number, x: number): Spot[] =>
    stacked(count, { x, y: (height - heightOf(count)) / 2 });
  const rule = { x: column(1), y: (height - BOX.height) / 2 };
  const from = spread(sources, column(0));
  const to = spread(outputs, column(2));
  return {
    width: column(2) + BOX.width,
    height,
    sources: from,
    rule,
    outputs: to,
    lines: [...from.map((spot) => curve(spot, rule)), ...to.map((spot) => curve(rule, spot))],
  };
}

/** All below each other, for a phone. */
export function narrowLayout(sources: number, outputs: number): Layout {
  const all = stacked(sources + 1 + outputs, { x: MARGIN, y: 0 });
  const rule = all[sources] ?? { x: MARGIN, y: 0 };
  const from = all.slice(0, sources);
  const to = all.slice(sources + 1);
  return {
    width: MARGIN + BOX.width,
    height: heightOf(all.length),
    sources: from,
    rule,
    outputs: to,
    lines: [
      ...from.map((spot) => bracket(spot, BOX.height / 2, rule, BOX.height / 3)),
      ...to.map((spot) => bracket(rule, (BOX.height * 2) / 3, spot, BOX.height / 2)),
    ],
  };
}

function heightOf(rows: number): number {
  return rows * BOX.height + Math.max(rows - 1, 0) * GAP.y;
}

function stacked(count: number, first: Spot): Spot[] {
  return Array.from({ length: count }, (_, index) => ({
    x: first.x,
    y: first.y + index * (BOX.height + GAP.y),
  }));
}

/** From the right side of one box to the left side of another. */
function curve(from: Spot, to: Spot): string {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - HEAD} ${y2}`;
}

/** From the left side of one box down to the left side of another. */
function bracket(from: Spot, outAt: number, to: Spot, inAt: number): string {
  return `M${from.x} ${from.y + outAt}H${MARGIN / 3}V${to.y + inAt}H${to.x - HEAD}`;
}

// So many letters of the picture's size fit beside each other; a Chinese one takes the room of two.
const UNITS_MAX = 34;

/** Cut to what a box has room for. */
export function fitted(text: string): string {
  let units = 0;
  let shown = "";
  for (const letter of text) {
    units += letter.charCodeAt(0) > 0x2e80 ? 2 : 1;
    if (units > UNITS_MAX) return `${shown}…`;
    shown += letter;
  }
  return shown;
}
