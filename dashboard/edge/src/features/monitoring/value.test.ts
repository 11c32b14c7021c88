import { expect, test } from "vitest";

import { shownValue, typedValue } from "./value";

test.each([
  [255, true, "0xFF"],
  [-1, true, "-0x1"],
  [1.5, true, "1.5"],
  [255, false, "255"],
  [[1, 254], false, "01 FE"],
  [true, false, "true"],
])("%j is shown as a person reads it", (value, isHex, shown) => {
  expect(shownValue(value, isHex)).toBe(shown);
});

test.each([
  ["21", 3, 21],
  ["0x10", 3, 16],
  ["-1.5", 9, -1.5],
  ["soon", 3, undefined],
  ["", 3, undefined],
  ["true", 12, true],
  ["2", 12, undefined],
  ["21", 13, "21"],
  ["01 fe", 14, [1, 254]],
  ["01 xx", 14, undefined],
])("%j typed for type %i", (text, type, value) => {
  expect(typedValue(text, type)).toEqual(value);
});
