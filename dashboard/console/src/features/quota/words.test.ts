import { expect, test } from "vitest";

import type { QuotaDetail } from "@console/api/shapes";

import { faultOf, isShort } from "./words";

const QUOTA: QuotaDetail = {
  limit: 10,
  reportedLimit: 10,
  connections: 40,
  state: "inForce",
  text: "",
  changedAt: null,
  changedBy: "",
  isPermitted: true,
  proposed: 48,
  most: 60,
  left: 60,
  total: 100,
  perCluster: 80,
  commandId: null,
};

test.each([
  [null, "empty"],
  [0, "empty"],
  [1.5, "empty"],
  [60, null],
  [61, "total"],
  [81, "one"],
] as const)("a limit of %s", (limit, fault) => {
  expect(faultOf(limit, QUOTA)).toBe(fault);
});

test("nothing is too much without bounds", () => {
  expect(faultOf(1_000_000, { ...QUOTA, left: null, total: null, perCluster: null })).toBe(null);
});

test("less than is used has to be confirmed", () => {
  expect(isShort(39, QUOTA)).toBe(true);
  expect(isShort(40, QUOTA)).toBe(false);
  expect(isShort(1, { ...QUOTA, connections: null })).toBe(false);
});
