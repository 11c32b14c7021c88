import { describe, expect, test } from "vitest";

import { nameOf, namesOf } from "./names";

const agent = (shortId: string, description = "", hostName = "") => ({
  shortId,
  description,
  hostName,
});

describe("names of edge services", () => {
  test("what people wrote comes first, then the machine, then the id", () => {
    expect(nameOf(agent("0a1b2c3d", " Press line 2 ", "box"))).toBe("Press line 2");
    expect(nameOf(agent("0a1b2c3d", "", "box"))).toBe("box");
    expect(nameOf(agent("0a1b2c3d"))).toBe("0a1b2c3d");
  });

  test("several of the same are told apart, and none is too long", () => {
    const long = "x".repeat(80);
    const names = namesOf([agent("00000001", long), agent("00000002", long), agent("00000003")]);
    expect(new Set(names).size).toBe(3);
    expect(names.every((name) => name.length <= 50)).toBe(true);
    expect(names[1]?.endsWith("-00000002")).toBe(true);
  });
});
