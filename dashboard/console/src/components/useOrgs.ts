import { useGet } from "@console/api/hooks";
import type { OrgRow } from "@console/api/shapes";

// As many as there can be.
const ORGS_MAX = 100;

/** All organizations that may be seen; none until they are known. */
export function useOrgs(): OrgRow[] {
  const { data } = useGet("/orgs", { query: { size: ORGS_MAX, sort: "name", order: "asc" } });
  return data?.items ?? [];
}
