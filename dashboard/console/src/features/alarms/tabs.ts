import type { Place } from "@console/components/place";

export const TABS = ["current", "history", "settings", "rules", "push", "log"] as const;
export type Tab = (typeof TABS)[number];

export function alarmsPath({ org, project }: Place, tab: Tab = "current"): string {
  const base = `/w/${encodeURIComponent(org)}/${encodeURIComponent(project)}/alarms`;
  return tab === "current" ? base : `${base}/${tab}`;
}

export function tabOf(text: string | undefined): Tab {
  return TABS.find((each) => each === text) ?? "current";
}
