import { describe, expect, test } from "vitest";

import type { LogRow } from "@console/api/shapes";

import { LEVELS, toneOf } from "./levels";
import { spanOf } from "./range";
import { ROWS_MAX, withNew } from "./rows";

const NOW = Date.parse("2026-01-31T08:00:00.000Z");
const row = (id: string) => ({ id }) as LogRow;

describe("from when to when", () => {
  test("the last hour unless something else is chosen", () => {
    const asked = { range: "", since: "", until: "" };
    expect(spanOf(asked, NOW)).toEqual({ since: "2026-01-31T07:00:00.000Z" });
    expect(spanOf({ ...asked, range: "1d" }, NOW).since).toBe("2026-01-30T08:00:00.000Z");
    expect(spanOf({ ...asked, range: "for ever" }, NOW).since).toBe("2026-01-31T07:00:00.000Z");
  });

  test("what is typed counts", () => {
    const until = "2026-01-01T00:00:00.000Z";
    expect(spanOf({ range: "1h", since: "", until }, NOW)).toEqual({
      since: "2025-12-31T23:00:00.000Z",
      until,
    });
    expect(spanOf({ range: "1h", since: until, until: "" }, NOW)).toEqual({ since: until });
  });
});

test("new rows come first, each once", () => {
  const rows = withNew([row("b"), row("a")], [row("a"), row("c"), row("d")]);
  expect(rows.map(({ id }) => id)).toEqual(["d", "c", "b", "a"]);
  const many = Array.from({ length: ROWS_MAX }, (_, at) => row(`m${at}`));
  expect(withNew(many, [row("new")])).toHaveLength(ROWS_MAX);
});

test("the more severe the louder", () => {
  expect(LEVELS.map(toneOf)).toEqual(["bad", "bad", "bad", "bad", "warn", "plain", "plain", "quiet"]);
});
