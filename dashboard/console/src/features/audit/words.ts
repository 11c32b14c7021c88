/** Words of the control plane that have a text here; another is shown as it came. */
export const RESOURCES = [
  "organizations",
  "projects",
  "users",
  "sessions",
  "tokens",
  "settings",
  "clusters",
  "alarms",
  "agents",
  "edgeServices",
  "edgeAgents",
  "edgeTemplates",
] as const;
