/** Where the boxes of the picture stand: sources at the left, the rule between, outputs at the right. */

export const BOX = { width: 284, height: 84 } as const;
const GAP = { x: 48, y: 18 } as const;

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
}

export function layoutOf(sources: number, outputs: number): Layout {
  const rows = Math.max(sources, outputs, 1);
  const height = rows * BOX.height + (rows - 1) * GAP.y;
  const column = (index: number) => index * (BOX.width + GAP.x);
  const spread = (count: number, x: number): Spot[] => {
    const used = count * BOX.height + (count - 1) * GAP.y;
    const top = (height - used) / 2;
    return Array.from({ length: count }, (_, index) => ({
      x,
      y: top + index * (BOX.height + GAP.y),
    }));
  };
  return {
    width: column(2) + BOX.width,
    height,
    sources: spread(sources, column(0)),
    rule: { x: column(1), y: (height - BOX.height) / 2 },
    outputs: spread(outputs, column(2)),
  };
}

/** From the right side of one box to the left side of another. */
export function curve(from: Spot, to: Spot): string {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - 7} ${y2}`;
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
