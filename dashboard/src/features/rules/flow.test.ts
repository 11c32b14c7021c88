import { expect, test } from "vitest";

import { BOX, fitted, narrowLayout, wideLayout } from "./flow";

test("the fewer ones stand in the middle of the more", () => {
  const layout = wideLayout(1, 3);
  expect(layout.outputs).toHaveLength(3);
  expect(layout.rule.y).toBe(layout.outputs[1]?.y);
  expect(layout.sources[0]?.y).toBe(layout.outputs[1]?.y);
  expect(layout.height).toBe((layout.outputs[2]?.y ?? 0) + BOX.height);
  expect(layout.lines).toHaveLength(4);
});

test.each([wideLayout, narrowLayout])("a rule without an output is still a picture", (layoutOf) => {
  const layout = layoutOf(1, 0);
  expect(layout.outputs).toEqual([]);
  expect(layout.lines).toHaveLength(1);
  expect(layout.height).toBeGreaterThanOrEqual(BOX.height);
});

test("on a phone nothing stands beside anything", () => {
  const { sources, rule, outputs, width } = narrowLayout(2, 2);
  const tops = [...sources, rule, ...outputs].map((spot) => spot.y);
  expect(tops).toEqual([...tops].sort((one, other) => one - other));
  expect(new Set(tops).size).toBe(5);
  expect(width).toBeLessThan(320);
});

test("long names are cut", () => {
  expect(fitted("short")).toBe("short");
  expect(fitted("x".repeat(40))).toBe(`${"x".repeat(34)}…`);
  expect(fitted("数".repeat(20))).toBe(`${"数".repeat(17)}…`);
});
