/** What the caller may do; the control plane decides, this only hides what it would refuse. */
import { useGet } from "./hooks";
import type { Roles } from "./shapes";

const SYSTEM = "systemAdmin";
const OF_ORGS = [SYSTEM, "orgAdmin"];
const OF_PROJECTS = [...OF_ORGS, "projectAdmin"];

function isOneOf(words: readonly string[], roles: readonly string[]): boolean {
  return roles.some((role) => words.includes(role));
}

export class Rights {
  constructor(private readonly held: Roles) {}

  get isSystemAdmin(): boolean {
    return this.held.roles.includes(SYSTEM);
  }

  /** Of that organization, or of any. */
  isOrgAdmin(org?: string): boolean {
    if (this.isSystemAdmin) return true;
    return this.held.orgs.some(
      (each) => (org === undefined || each.id === org) && isOneOf(OF_ORGS, each.roles),
    );
  }

  /** Of that project, or of any. */
  isProjectAdmin(org?: string, project?: string): boolean {
    if (this.isOrgAdmin(org)) return true;
    return this.held.orgs
      .filter((each) => org === undefined || each.id === org)
      .some((each) =>
        each.projects.some(
          (one) => (project === undefined || one.id === project) && isOneOf(OF_PROJECTS, one.roles),
        ),
      );
  }
}

const NONE = new Rights({ roles: [], orgs: [] });

/** Nothing may be done until it is known. */
export function useRights(): Rights {
  const { data } = useGet("/roles");
  return data === undefined ? NONE : new Rights(data);
}
