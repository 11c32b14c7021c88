/** Every page: where it is, who finds it in the menu, and where. */
import { lazy } from "react";
import type { ComponentType, LazyExoticComponent } from "react";

import type { Rights } from "@console/api/roles";

export type Area = "workbench" | "system";
type Group = "edge" | "integration" | "operations" | "tenancy" | "oversight" | "own";

export interface PageEntry {
  path: string;
  /** Its name in the menu, a key of `shell.json`. */
  name: string;
  area: Area;
  /** Absent: below another page, or reached from somewhere else. */
  group?: Group;
  /** Who is shown the way there. */
  isFor?: (rights: Rights) => boolean;
  component: LazyExoticComponent<ComponentType>;
}

/** The groups of the menu of each area, in order. */
export const GROUPS: Record<Area, readonly Group[]> = {
  workbench: ["edge", "integration", "operations"],
  system: ["tenancy", "oversight", "own"],
};

const anyAdmin = (rights: Rights) => rights.isProjectAdmin();

export const PAGES: readonly PageEntry[] = [
  {
    path: "/",
    name: "home",
    area: "workbench",
    component: lazy(() => import("@console/features/home")),
  },
  {
    path: "/guide",
    name: "guide",
    area: "workbench",
    component: lazy(() => import("@console/features/guide")),
  },
  {
    path: "/w/:org/:project/edges",
    name: "edges",
    area: "workbench",
    group: "edge",
    component: lazy(() => import("@console/features/edges")),
  },
  {
    path: "/w/:org/:project/edges/:service",
    name: "edges",
    area: "workbench",
    component: lazy(() => import("@console/features/edges/EdgePage")),
  },
  {
    path: "/w/:org/:project/templates",
    name: "templates",
    area: "workbench",
    group: "edge",
    component: lazy(() => import("@console/features/templates")),
  },
  {
    path: "/w/:org/:project/templates/:template",
    name: "templates",
    area: "workbench",
    component: lazy(() => import("@console/features/templates/TemplatePage")),
  },
  {
    path: "/w/:org/:project/templates/:template/deliver",
    name: "templates",
    area: "workbench",
    component: lazy(() => import("@console/features/templates/DeliverPage")),
  },
  {
    path: "/w/:org/:project/deliveries/:delivery",
    name: "templates",
    area: "workbench",
    component: lazy(() => import("@console/features/templates/DeliveryPage")),
  },
  {
    path: "/agents",
    name: "edgeAgents",
    area: "workbench",
    group: "edge",
    component: lazy(() => import("@console/features/edgeAgents")),
  },
  {
    path: "/agents/rules",
    name: "edgeAgents",
    area: "workbench",
    component: lazy(() => import("@console/features/edgeAgents/RulesPage")),
  },
  {
    path: "/w/:org/:project/clusters",
    name: "clusters",
    area: "workbench",
    group: "integration",
    component: lazy(() => import("@console/features/clusters")),
  },
  {
    path: "/w/:org/:project/clusters/:cluster",
    name: "clusters",
    area: "workbench",
    component: lazy(() => import("@console/features/clusters/ClusterPage")),
  },
  {
    path: "/w/:org/:project/clusters/:cluster/quota",
    name: "clusters",
    area: "workbench",
    component: lazy(() => import("@console/features/quota/ClusterQuota")),
  },
  {
    path: "/w/:org/:project/clusters/:cluster/commands",
    name: "clusters",
    area: "workbench",
    component: lazy(() => import("@console/features/commands")),
  },
  {
    path: "/w/:org/:project/logs",
    name: "logs",
    area: "workbench",
    group: "operations",
    component: lazy(() => import("@console/features/logs")),
  },
  {
    path: "/w/:org/:project/monitoring",
    name: "monitoring",
    area: "workbench",
    group: "operations",
    component: lazy(() => import("@console/features/monitoring")),
  },
  {
    path: "/w/:org/:project/monitoring/:tab",
    name: "monitoring",
    area: "workbench",
    component: lazy(() => import("@console/features/monitoring")),
  },
  {
    path: "/w/:org/:project/clients",
    name: "clients",
    area: "workbench",
    group: "operations",
    component: lazy(() => import("@console/features/monitoring/ClientsPage")),
  },
  {
    path: "/w/:org/:project/alarms",
    name: "alarms",
    area: "workbench",
    group: "operations",
    component: lazy(() => import("@console/features/alarms")),
  },
  {
    path: "/w/:org/:project/alarms/:tab",
    name: "alarms",
    area: "workbench",
    component: lazy(() => import("@console/features/alarms")),
  },
  {
    path: "/orgs",
    name: "orgs",
    area: "system",
    group: "tenancy",
    isFor: anyAdmin,
    component: lazy(() => import("@console/features/orgs")),
  },
  {
    path: "/orgs/:org/members",
    name: "orgs",
    area: "system",
    component: lazy(() => import("@console/features/members/OrgMembers")),
  },
  {
    path: "/projects",
    name: "projects",
    area: "system",
    group: "tenancy",
    isFor: anyAdmin,
    component: lazy(() => import("@console/features/projects")),
  },
  {
    path: "/projects/:org/:project/members",
    name: "projects",
    area: "system",
    component: lazy(() => import("@console/features/members/ProjectMembers")),
  },
  {
    path: "/users",
    name: "users",
    area: "system",
    group: "tenancy",
    isFor: anyAdmin,
    component: lazy(() => import("@console/features/users")),
  },
  {
    path: "/invitations",
    name: "invitations",
    area: "system",
    group: "tenancy",
    isFor: (rights) => rights.isSystemAdmin,
    component: lazy(() => import("@console/features/invitations")),
  },
  {
    path: "/orgs/:org/invitations",
    name: "orgs",
    area: "system",
    component: lazy(() => import("@console/features/invitations")),
  },
  {
    path: "/audit",
    name: "audit",
    area: "system",
    group: "oversight",
    isFor: anyAdmin,
    component: lazy(() => import("@console/features/audit")),
  },
  {
    path: "/quota",
    name: "quota",
    area: "system",
    group: "oversight",
    isFor: anyAdmin,
    component: lazy(() => import("@console/features/quota")),
  },
  {
    path: "/settings",
    name: "settings",
    area: "system",
    group: "oversight",
    isFor: (rights) => rights.isSystemAdmin,
    component: lazy(() => import("@console/features/settings")),
  },
  {
    path: "/tokens",
    name: "tokens",
    area: "system",
    group: "own",
    component: lazy(() => import("@console/features/tokens")),
  },
  {
    path: "/profile",
    name: "profile",
    area: "system",
    group: "own",
    component: lazy(() => import("@console/features/profile")),
  },
];
