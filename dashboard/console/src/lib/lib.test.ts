import { describe, expect, test } from "vitest";

import { isAddress } from "./address";
import { filled, placesOf, quoted } from "./command";
import { differences } from "./difference";
import { EventCutter } from "@/lib/eventStream";
import { faultsOf, isGood } from "./password";

describe("commands", () => {
  test.each([
    ["admin", "admin"],
    ["http://127.0.0.1:18083", "http://127.0.0.1:18083"],
    ["", "''"],
    ["two words", "'two words'"],
    ["$(reboot)", "'$(reboot)'"],
    ["it's", `'it'"'"'s'`],
  ])("%s is one word for a shell", (value, word) => expect(quoted(value)).toBe(word));

  test("places are filled with what is known, and others stay to be seen", () => {
    const command = "agent register --token ${token} --password ${password}";
    expect(placesOf(command)).toEqual(["token", "password"]);
    expect(filled(command, { token: "a b" })).toBe(
      "agent register --token 'a b' --password '<password>'",
    );
  });
});

describe("events", () => {
  test("text in pieces becomes events, comments become nothing", () => {
    const cutter = new EventCutter();
    expect(cutter.feed(": hello\n\nevent: clus")).toEqual([]);
    expect(cutter.feed('ter\ndata: {"a":\r\ndata: 1}\r')).toEqual([]);
    expect(cutter.feed("\n\r\ndata: x\n\n")).toEqual([
      { event: "cluster", data: '{"a":\n1}' },
      { event: "message", data: "x" },
    ]);
  });
});

describe("passwords", () => {
  test.each([
    ["rook-4-knight", true],
    ["rook4knight", false],
    ["rook-knight", false],
    ["4-4-4-4-4", false],
    ["r-4", false],
    ["车-4-骑士到这里", true],
  ])("%s", (password, good) => expect(isGood(password)).toBe(good));

  test("what is missing is named", () => {
    expect(faultsOf("rook-rook").hasNoDigit).toBe(true);
    expect(faultsOf("rook-rook").isShort).toBe(false);
  });
});

describe("addresses", () => {
  test.each([
    ["https://control.example.com:8082", true],
    [" http://[::1]:8082/ ", true],
    ["control.example.com", false],
    ["ftp://control.example.com", false],
    ["https://control.example.com/console", false],
    ["https://someone@control.example.com", false],
  ])("%s", (text, is) => expect(isAddress(text)).toBe(is));
});

test("only what differs is shown of a change", () => {
  const before = { name: "a", labels: ["x"], gone: 1 };
  expect(differences(before, { name: "b", labels: ["x"] })).toEqual([
    { name: "name", before: "a", after: "b" },
    { name: "gone", before: 1, after: undefined },
  ]);
  expect(differences(null, undefined)).toEqual([]);
});
