import { expect, test } from "vitest";

import type { ClusterRow } from "@console/api/shapes";

import { replaced } from "./live";
import { canEnter, usedShare } from "./state";

const AT = "2026-01-31T08:00:00.000Z";

function row(changes: Partial<ClusterRow>): ClusterRow {
  return {
    id: "1",
    orgId: "o",
    projectId: "p",
    name: "north",
    address: "",
    description: "",
    labels: [],
    state: "created",
    conditions: [],
    version: "",
    edition: "",
    nodesRunning: 0,
    nodesTotal: 0,
    connections: null,
    connectionLimit: null,
    rates: {},
    startedAt: null,
    createdAt: AT,
    adoptedAt: null,
    lastReportAt: null,
    reportAgeMs: null,
    roundTripMs: null,
    clockSkewMs: 0,
    presence: "unknown",
    presenceAt: null,
    presenceAgeMs: null,
    agent: null,
    tokenState: "none",
    tokenExpiresAt: null,
    ...changes,
  };
}

test("what is told takes the place of the row that was shown", () => {
  const list = { items: [row({}), row({ id: "2" })], total: 9 };
  const next = replaced(list, row({ id: "2", state: "running" }));
  expect(next.items.map(({ state }) => state)).toEqual(["created", "running"]);
  expect(next.total).toBe(9);
  expect(replaced(list, row({ id: "3" }))).toBe(list);
});

test("a share needs a limit, and ends at the whole", () => {
  expect(usedShare(row({ connections: 5, connectionLimit: 10 }))).toBe(50);
  expect(usedShare(row({ connections: 50, connectionLimit: 10 }))).toBe(100);
  expect(usedShare(row({ connections: 5 }))).toBeUndefined();
  expect(usedShare(row({ connections: 5, connectionLimit: 0 }))).toBeUndefined();
});

test("a dashboard is entered where an agent is", () => {
  const agent = {
    id: "a",
    nodeId: "b",
    hostName: "north-1",
    version: "0.6.0",
    registeredAt: AT,
    connectedAt: AT,
  };
  expect(canEnter(row({ state: "running", agent }))).toBe(true);
  expect(canEnter(row({ state: "abnormal", agent }))).toBe(true);
  expect(canEnter(row({ state: "deleting", agent }))).toBe(false);
  expect(canEnter(row({ state: "created" }))).toBe(false);
});
