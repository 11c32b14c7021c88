import { expect, test } from "vitest";

import { BOX, curve, fitted, layoutOf } from "./flow";

test("the fewer ones stand in the middle of the more", () => {
  const layout = layoutOf(1, 3);
  expect(layout.outputs).toHaveLength(3);
  expect(layout.rule.y).toBe(layout.outputs[1]?.y);
  expect(layout.sources[0]?.y).toBe(layout.outputs[1]?.y);
  expect(layout.height).toBe((layout.outputs[2]?.y ?? 0) + BOX.height);
});

test("a rule without an output is still a picture", () => {
  const layout = layoutOf(1, 0);
  expect(layout.outputs).toEqual([]);
  expect(layout.height).toBe(BOX.height);
});

test("a line goes from side to side", () => {
  expect(curve({ x: 0, y: 0 }, { x: 332, y: 0 })).toBe("M284 42C308 42 308 42 325 42");
});

test("long names are cut", () => {
  expect(fitted("short")).toBe("short");
  expect(fitted("x".repeat(40))).toBe(`${"x".repeat(34)}…`);
  expect(fitted("数".repeat(20))).toBe(`${"数".repeat(17)}…`);
});
