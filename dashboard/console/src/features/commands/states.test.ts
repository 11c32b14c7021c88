import { expect, test } from "vitest";

import type { CommandRow } from "@console/api/shapes";

import { COLORS, mayCancel, STATES, timeOf } from "./states";

const ROW: CommandRow = {
  id: "4f0c9a1b2d3e5f60",
  kind: "rule.stop",
  arguments: { id: "r1" },
  state: "queued",
  attempts: 0,
  createdAt: "2026-01-31T08:00:00.000Z",
  createdBy: "ada@example.com",
  expiresAt: "2026-02-01T08:00:00.000Z",
  nextAttemptAt: null,
  sentAt: null,
  acknowledgedAt: null,
  startedAt: null,
  finishedAt: null,
  code: "",
  text: "",
  result: {},
};

test("a command can be taken back before the agent has it, and only where it stands for itself", () => {
  const cancellable = STATES.filter((state) => mayCancel({ ...ROW, state }));
  expect(cancellable).toEqual(["queued", "sent"]);
  expect(mayCancel({ ...ROW, kind: "quota.set" })).toBe(false);
  expect(mayCancel({ ...ROW, kind: "unregister" })).toBe(false);
});

test("the time is that of the last step", () => {
  expect(timeOf(ROW)).toBe(ROW.createdAt);
  expect(timeOf({ ...ROW, sentAt: "b", acknowledgedAt: "c" })).toBe("c");
  expect(timeOf({ ...ROW, sentAt: "b", startedAt: "d", finishedAt: "e" })).toBe("e");
});

test("every state has its colour", () => {
  expect(Object.keys(COLORS).sort()).toEqual([...STATES].sort());
});
