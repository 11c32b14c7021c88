import { describe, expect, test } from "vitest";

import { shownAddress, wholeAddress, withUsualPort } from "./address";

describe("the address of a control plane", () => {
  test.each([
    ["control.example.com", false, "control.example.com:31883"],
    ["control.example.com", true, "control.example.com:38883"],
    [" tcp://192.0.2.7:31883 ", false, "192.0.2.7:31883"],
    ["[2001:db8::7]:1", true, "[2001:db8::7]:1"],
    ["", false, null],
    ["a b", false, null],
    ["host:0", false, null],
    ["host:70000", false, null],
    ["http://host/path", false, null],
  ])("%s (TLS %s) is %s", (text, isTls, whole) => {
    expect(wholeAddress(text, isTls)).toBe(whole);
  });

  test("a scheme is not shown", () => {
    expect(shownAddress("ssl://host:38883")).toBe("host:38883");
  });

  test("the usual port follows the switch, another one stays", () => {
    expect(withUsualPort("host:31883", true)).toBe("host:38883");
    expect(withUsualPort("host:38883", false)).toBe("host:31883");
    expect(withUsualPort("host:9999", true)).toBe("host:9999");
  });
});
