import { describe, expect, test } from "vitest";

import { Rights } from "./roles";

const held = (roles: string[], org: string[], project: string[]) =>
  new Rights({
    roles,
    orgs: [
      { id: "o", name: "O", roles: org, projects: [{ id: "p", name: "P", roles: project }] },
      { id: "other", name: "X", roles: ["user"], projects: [] },
    ],
  });

describe("what may be shown", () => {
  test("a system administrator may everything, everywhere", () => {
    const rights = held(["systemAdmin"], [], []);
    expect([rights.isSystemAdmin, rights.isOrgAdmin("other"), rights.isProjectAdmin("o", "p")]).toEqual(
      [true, true, true],
    );
  });

  test("an administrator of an organization, in that one", () => {
    const rights = held([], ["orgAdmin"], ["orgAdmin"]);
    expect(rights.isSystemAdmin).toBe(false);
    expect([rights.isOrgAdmin(), rights.isOrgAdmin("o"), rights.isOrgAdmin("other")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(rights.isProjectAdmin("o", "new")).toBe(true);
    expect(rights.isProjectAdmin("other")).toBe(false);
  });

  test("an administrator of a project, in that one", () => {
    const rights = held([], ["user"], ["projectAdmin"]);
    expect(rights.isOrgAdmin()).toBe(false);
    expect([rights.isProjectAdmin(), rights.isProjectAdmin("o", "p")]).toEqual([true, true]);
    expect(rights.isProjectAdmin("o", "q")).toBe(false);
  });

  test("who only looks administers nothing", () => {
    expect(held([], ["user"], ["user"]).isProjectAdmin()).toBe(false);
  });
});
