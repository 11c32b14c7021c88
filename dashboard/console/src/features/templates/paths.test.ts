import { describe, expect, it } from "vitest";

import { filled, parametersOf } from "./paths";

describe("the parameters of a content", () => {
  it("are its places, each once, with what is known of them", () => {
    const known = [
      { name: "port", kind: "number" as const, default: "502", isSecret: false },
      { name: "gone", kind: "text" as const, default: null, isSecret: false },
    ];
    const found = parametersOf('{"a": "${host}", "b": "x${port}${host}", "c": "${no-name}"}', known);
    expect(found).toEqual([
      { name: "host", kind: "text", default: null, isSecret: false },
      known[0],
    ]);
  });

  it("are sent where somebody gave a value", () => {
    expect(filled({ host: "10.0.0.7", port: "" })).toEqual({ host: "10.0.0.7" });
  });
});
