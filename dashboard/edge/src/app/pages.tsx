/** Every page: where it is, and where in the menu. */
import { lazy } from "react";
import type { ComponentType, LazyExoticComponent } from "react";

export type Group = "collection" | "administration";

export interface PageEntry {
  path: string;
  /** Its name in the menu, a key of `shell.json`. */
  name: string;
  /** Absent: below another page. */
  group?: Group;
  isForAdmins?: boolean;
  /** Of no use to who comes through a control plane: users are kept there. */
  isOnlyHere?: boolean;
  component: LazyExoticComponent<ComponentType>;
}

export const GROUPS: readonly Group[] = ["collection", "administration"];

export const PAGES: readonly PageEntry[] = [
  {
    path: "/",
    name: "drivers",
    group: "collection",
    component: lazy(() => import("@edge/features/nodes/DriversPage")),
  },
  {
    path: "/drivers/:node",
    name: "drivers",
    component: lazy(() => import("@edge/features/tags/GroupsPage")),
  },
  {
    path: "/drivers/:node/groups/:group",
    name: "drivers",
    component: lazy(() => import("@edge/features/tags/TagsPage")),
  },
  {
    path: "/apps",
    name: "apps",
    group: "collection",
    component: lazy(() => import("@edge/features/nodes/AppsPage")),
  },
  {
    path: "/apps/:node",
    name: "apps",
    component: lazy(() => import("@edge/features/subscriptions")),
  },
  {
    path: "/monitoring",
    name: "monitoring",
    group: "collection",
    component: lazy(() => import("@edge/features/monitoring")),
  },
  {
    path: "/templates",
    name: "templates",
    group: "collection",
    component: lazy(() => import("@edge/features/templates")),
  },
  {
    path: "/configuration",
    name: "configuration",
    group: "administration",
    component: lazy(() => import("@edge/features/configuration")),
  },
  {
    path: "/agent",
    name: "agent",
    group: "administration",
    component: lazy(() => import("@edge/features/agent")),
  },
  {
    path: "/logs",
    name: "logs",
    group: "administration",
    component: lazy(() => import("@edge/features/logs")),
  },
  {
    path: "/users",
    name: "users",
    group: "administration",
    isForAdmins: true,
    isOnlyHere: true,
    component: lazy(() => import("@edge/features/users")),
  },
  {
    path: "/system",
    name: "system",
    group: "administration",
    component: lazy(() => import("@edge/features/system")),
  },
  {
    path: "/password",
    name: "password",
    component: lazy(() => import("@edge/features/login/PasswordPage")),
  },
];
