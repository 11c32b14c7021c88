import { describe, expect, test } from "vitest";

import { offsetOf, placeIn, selectedFrom, sourceIn, wordsIn } from "./sql";

describe("what a rule selects from", () => {
  test.each([
    [`SELECT * FROM "t/#"`, ["t/#"]],
    [`select payload.a as a\nfrom "a/+", "$events/client_connected" where a > 1`, ["a/+", "$events/client_connected"]],
    [`FOREACH payload.list AS x DO x.a FROM 'one' WHERE x.b = "two"`, ["one"]],
    [`SELECT * -- FROM "no"\nFROM "yes"`, ["yes"]],
    [`SELECT * FROM t`, []],
    ["", []],
  ])("%s", (sql, expected) => expect(selectedFrom(sql)).toEqual(expected));
});

test("a source has an id", () => {
  expect(sourceIn("$sources/mqtt:line_2")).toBe("mqtt:line_2");
  expect(sourceIn("$bridges/kafka_consumer:in")).toBe("kafka_consumer:in");
  for (const other of ["t/#", "$events/client/connected", "mqtt:line_2"]) expect(sourceIn(other)).toBeUndefined();
});

test("a mistake has a place in the text", () => {
  const sql = `SELECT "日本", 😀 +\nFROM "t"`;
  const message = "line 2, column 1: an expression is missing (before FROM)";
  expect(placeIn(message)).toEqual({ line: 2, column: 1 });
  expect(wordsIn(message)).toBe("an expression is missing (before FROM)");
  expect(sql.slice(offsetOf(sql, { line: 2, column: 1 }))).toBe(`FROM "t"`);
  expect(sql.slice(offsetOf(sql, { line: 1, column: 15 }))).toMatch(/^ \+/);
  expect(offsetOf(sql, { line: 9, column: 9 })).toBe(sql.length);
  const chinese = "rules.a.sql：第 2 行第 1 列：此处应为表达式，实际为 FROM";
  expect(placeIn(chinese)).toEqual({ line: 2, column: 1 });
  expect(wordsIn(chinese)).toBe("此处应为表达式，实际为 FROM");
  expect(placeIn("the rule exists")).toBeNull();
  expect(wordsIn("the rule exists")).toBe("the rule exists");
});
