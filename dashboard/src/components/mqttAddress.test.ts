import { afterEach, expect, test, vi } from "vitest";

import type { ListenerRow } from "@/api/shapes";

import { addressOf } from "./mqttAddress";

function row(id: string, bind: string, more: Partial<ListenerRow> = {}): ListenerRow {
  const type = id.slice(0, id.indexOf(":"));
  return { id, type, bind, enable: true, status: { running: true }, ...more };
}

function pageAt(protocol: "http:" | "https:"): void {
  vi.stubGlobal("window", { location: { protocol, hostname: "node.example" } });
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the default listener of the page's kind is used, else another one", () => {
  pageAt("http:");
  const other = row("ws:other", "0.0.0.0:9001");
  expect(addressOf([other, row("ws:default", "8083")])).toBe("ws://node.example:8083/mqtt");
  expect(addressOf([row("tcp:default", "1883"), other])).toBe("ws://node.example:9001/mqtt");
  pageAt("https:");
  expect(addressOf([other, row("wss:x", "[::]:8443")])).toBe("wss://node.example:8443/mqtt");
});

test("without a listener that runs there is no address", () => {
  pageAt("http:");
  expect(addressOf([row("tcp:default", "1883"), row("wss:default", "8084")])).toBeNull();
  expect(addressOf([row("ws:default", "8083", { enable: false })])).toBeNull();
  expect(addressOf([row("ws:default", "8083", { status: { running: false } })])).toBeNull();
  pageAt("https:");
  expect(addressOf([row("ws:default", "8083")])).toBeNull();
});
