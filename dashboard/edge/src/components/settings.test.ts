import { expect, test } from "vitest";

import { defaultsOf, fieldsOf, filled, isAsked } from "./settings";

const SCHEMA = {
  tag_regex: [],
  group_interval: 1000,
  host: { name: "Host", attribute: "required", type: "string" },
  port: { name: "Port", attribute: "required", type: "int", default: 502 },
  ssl: { name: "TLS", attribute: "optional", type: "bool", default: false },
  ca: { name: "CA", attribute: "optional", type: "file", condition: { field: "ssl", value: true } },
};

test("a schema says more than its fields", () => {
  expect(fieldsOf(SCHEMA).map(([name]) => name)).toEqual(["host", "port", "ssl", "ca"]);
  expect(defaultsOf(fieldsOf(SCHEMA))).toEqual({ port: 502, ssl: false });
});

test("what is not asked for, or empty, is not sent", () => {
  const fields = fieldsOf(SCHEMA);
  expect(filled(fields, { host: "", port: 502, ssl: false, ca: "aGk=" })).toEqual({
    port: 502,
    ssl: false,
  });
  expect(filled(fields, { host: "h", port: 502, ssl: true, ca: "aGk=" })).toHaveProperty("ca");
});

test("a condition may name several values", () => {
  const field = {
    name: "x",
    attribute: "optional" as const,
    type: "int" as const,
    condition: { field: "mode", values: [1, 2] },
  };
  expect([1, 2, 3].map((mode) => isAsked(field, { mode }))).toEqual([true, true, false]);
});
