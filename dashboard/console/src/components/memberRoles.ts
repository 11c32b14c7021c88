/** What somebody may be in an organization or a project. */
export const MEMBER_ROLES = ["viewer", "admin"] as const;
