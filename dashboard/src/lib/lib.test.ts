import { describe, expect, test } from "vitest";

import { ApiError } from "./apiError";
import { changedPart, emptiedPaths, nested } from "./changes";
import { byField } from "./fieldErrors";
import { formatBytes, formatDay, formatDuration, formatMembers } from "./format";
import { moved, sorted } from "./order";
import { decodePayload } from "./payload";
import { toRates } from "./rates";
import { segmentOf } from "./segment";
import { initial, kindOf, numberOrText, resolve, schemaAt, variantOf, type Schema } from "./schema";

describe("settings", () => {
  test("only what differs is sent", () => {
    const before = { a: 1, b: { c: 2, d: [1, 2] }, e: "x" };
    expect(changedPart(before, { a: 1, b: { c: 3, d: [1, 2] }, e: "x" })).toEqual({ b: { c: 3 } });
    expect(changedPart(before, { ...before, b: { c: 2, d: [2, 1] } })).toEqual({ b: { d: [2, 1] } });
    expect(changedPart(before, before)).toEqual({});
  });

  test("what was emptied is named, wherever it is", () => {
    const before = { a: "x", b: { c: 1, "d.e": 2 }, f: null, g: "" };
    expect(emptiedPaths(before, { b: {} }, "mqtt")).toEqual(["mqtt.a", "mqtt.b.c", 'mqtt.b."d.e"']);
    expect(emptiedPaths(before, before, "mqtt")).toEqual([]);
  });

  test("a dotted path becomes a tree", () => {
    expect(nested("mqtt.max_inflight", 64)).toEqual({ mqtt: { max_inflight: 64 } });
  });
});

describe("values", () => {
  test.each([
    [0, "0 ms", "0 毫秒"],
    [1500, "1s", "1 秒"],
    [61_000, "1m 1s", "1 分 1 秒"],
    [90_061_000, "1d 1h", "1 天 1 小时"],
    [-1, "–", "–"],
    [undefined, "–", "–"],
  ])("%s milliseconds are %s", (ms, english, chinese) => {
    expect(formatDuration(ms, "en")).toBe(english);
    expect(formatDuration(ms, "zh")).toBe(chinese);
  });

  test.each([
    [0, "0 B"],
    [1536, "1.5 KB"],
    [5 * 1024 ** 3, "5.0 GB"],
  ])("%s bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test("an object is its members", () => {
    expect(formatMembers({ usage: 100, of: ["a"], none: null })).toBe('usage: 100, of: ["a"], none: –');
    expect([formatMembers({}), formatMembers("x"), formatMembers(undefined)]).toEqual(["–", "x", "–"]);
  });

  test("the end of a day is on that day, in every zone", () => {
    const zone = process.env["TZ"];
    try {
      for (const each of ["America/Los_Angeles", "UTC", "Asia/Shanghai"]) {
        process.env["TZ"] = each;
        expect(formatDay(new Date("2026-01-31T23:59:59").toISOString())).toBe("2026-01-31");
      }
    } finally {
      process.env["TZ"] = zone;
    }
    expect(formatDay("infinity")).toBe("");
  });

  test("a number in a text field is a number", () => {
    expect(numberOrText("12")).toBe(12);
    expect(numberOrText("12s")).toBe("12s");
    expect(numberOrText("infinity")).toBe("infinity");
  });

  test("payloads that are no text are shown in hexadecimal", () => {
    expect(decodePayload(btoa('{"a":1}')).shown).toBe('{\n  "a": 1\n}');
    expect(decodePayload(btoa("\u00ff\u0000"))).toEqual({ shown: "ff 00", isText: false, size: 2 });
  });
});

test("a name of an address is taken as it is written there", () => {
  for (const name of ["a/b", "a%2Fb", "100%", "a?b#c", "空 格"]) {
    expect(segmentOf(`/clients/${encodeURIComponent(name)}`, 1)).toBe(name);
  }
  expect(segmentOf("/clients/100%", 1)).toBe("100%");
});

describe("lists", () => {
  test("numbers in names are ordered as numbers, absent values last", () => {
    const rows = [{ n: "c10" }, { n: undefined }, { n: "c9" }];
    expect(sorted(rows, "n", "asc").map((row) => row.n)).toEqual(["c9", "c10", undefined]);
  });

  test("an entry moves", () => {
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  });

  test("counters of a sample become rates, gauges stay", () => {
    const samples = [
      { time_stamp: 20_000, received: 50, connections: 7 },
      { time_stamp: 10_000, received: 100, connections: 6 },
    ];
    expect(toRates(samples, ["received"])).toEqual([
      { time_stamp: 10_000, received: 10, connections: 6 },
      { time_stamp: 20_000, received: 5, connections: 7 },
    ]);
  });
});

describe("schemas", () => {
  const root: Schema = {
    $defs: { Level: { enum: ["low", "high"], default: "low" } },
    properties: {
      level: { allOf: [{ $ref: "#/$defs/Level" }], description: "How much." },
      limit: { anyOf: [{ type: "integer" }, { type: "null" }] },
      chain: {
        type: "array",
        items: {
          oneOf: [
            {
              type: "object",
              properties: { kind: { enum: ["http"] }, url: { type: "string" } },
              required: ["kind", "url"],
            },
            { type: "object", properties: { kind: { enum: ["jwt"] } }, required: ["kind"] },
          ],
        },
      },
    },
  };

  test("references and wrappings are followed", () => {
    const level = resolve(root.properties?.["level"] ?? {}, root);
    expect(level).toMatchObject({ enum: ["low", "high"], description: "How much." });
    expect(kindOf(resolve(root.properties?.["limit"] ?? {}, root), root)).toBe("integer");
  });

  test("a form is found by its fixed keys, and begins with them", () => {
    const forms = schemaAt(root, "chain")?.items?.oneOf ?? [];
    expect(variantOf(forms, { kind: "jwt" }, root)).toBe(1);
    expect(initial(forms[0] ?? {}, root)).toEqual({ kind: "http" });
  });
});

describe("what a refusal says about fields", () => {
  test("each member has its line, in both languages and at any depth", () => {
    const text = [
      "password: write the secret again: server leads elsewhere now",
      "headers.authorization：请重新填写该密钥：url 已指向其他地址",
      "servers.2: no address",
      'headers."x.key": no text',
      "the node is away",
    ].join("\n");
    expect(byField(new ApiError(400, "BAD_CONFIG", text))).toEqual({
      password: "write the secret again: server leads elsewhere now",
      "headers.authorization": "请重新填写该密钥：url 已指向其他地址",
      "servers.2": "no address",
      "headers.x.key": "no text",
    });
  });

  test("what is no refusal marks nothing", () => {
    expect(byField(new Error("password: wrong"))).toEqual({});
    expect(byField(null)).toEqual({});
  });
});
