/** Every page: where it is, what it needs of the node, and where the menu shows it. */
import { lazy } from "react";
import type { ComponentType, LazyExoticComponent } from "react";

export interface PageEntry {
  path: string;
  /** Its name in the menu, a key of `shell.json`. */
  name: string;
  group: "monitor" | "messages" | "integration" | "access" | "node" | "diagnose" | "administration";
  /** Without one of these operations the page would have nothing to show. */
  needs: readonly string[];
  component: LazyExoticComponent<ComponentType>;
  /** Nothing of it is open to who signed in with the code of an API key. */
  isOfAccounts?: boolean;
  /** Below another page of the menu. */
  isDetail?: boolean;
}

const page = (
  path: string,
  name: string,
  group: PageEntry["group"],
  needs: readonly string[],
  load: () => Promise<{ default: ComponentType }>,
  isDetail = false,
): PageEntry => ({ path, name, group, needs, component: lazy(load), isDetail });

export const GROUPS = [
  "monitor",
  "messages",
  "integration",
  "access",
  "node",
  "diagnose",
  "administration",
] as const;

export const PAGES: readonly PageEntry[] = [
  page("/", "overview", "monitor", ["GET /monitor_current"], () => import("@/features/overview")),
  page("/clients", "clients", "monitor", ["GET /clients"], () => import("@/features/clients")),
  page(
    "/clients/:clientid",
    "clients",
    "monitor",
    ["GET /clients/{clientid}"],
    () => import("@/features/clients/ClientPage"),
    true,
  ),
  page("/subscriptions", "subscriptions", "monitor", ["GET /subscriptions"], () =>
    import("@/features/subscriptions"),
  ),
  page("/topics", "topics", "monitor", ["GET /topics"], () => import("@/features/topics")),
  page("/topic-metrics", "topicMetrics", "monitor", ["GET /mqtt/topic_metrics"], () =>
    import("@/features/topic-metrics"),
  ),
  page("/alarms", "alarms", "monitor", ["GET /alarms"], () => import("@/features/alarms")),
  page("/retained", "retained", "messages", ["GET /mqtt/retainer/messages"], () =>
    import("@/features/retained"),
  ),
  page("/delayed", "delayed", "messages", ["GET /mqtt/delayed/messages"], () =>
    import("@/features/delayed"),
  ),
  page("/topic-rewrite", "topicRewrite", "messages", ["GET /mqtt/topic_rewrite"], () =>
    import("@/features/topic-rewrite"),
  ),
  page("/auto-subscribe", "autoSubscribe", "messages", ["GET /mqtt/auto_subscribe"], () =>
    import("@/features/auto-subscribe"),
  ),
  page("/websocket", "websocket", "messages", [], () => import("@/features/websocket")),
  page("/rules", "rules", "integration", ["GET /rules"], () => import("@/features/rules")),
  page(
    "/rules/:id",
    "rules",
    "integration",
    ["GET /rules/{id}"],
    () => import("@/features/rules/RulePage"),
    true,
  ),
  page("/connectors", "connectors", "integration", ["GET /connectors", "GET /connector_types"], () =>
    import("@/features/connectors"),
  ),
  page(
    "/connectors/:id",
    "connectors",
    "integration",
    ["GET /connectors/{id}"],
    () => import("@/features/connectors/ConnectorPage"),
    true,
  ),
  page("/actions", "actions", "integration", ["GET /actions", "GET /connector_types"], () =>
    import("@/features/actions"),
  ),
  page(
    "/actions/:id",
    "actions",
    "integration",
    ["GET /actions/{id}"],
    () => import("@/features/actions/ActionPage"),
    true,
  ),
  page("/sources", "sources", "integration", ["GET /sources", "GET /connector_types"], () =>
    import("@/features/actions/SourcesPage"),
  ),
  page(
    "/sources/:id",
    "sources",
    "integration",
    ["GET /sources/{id}"],
    () => import("@/features/actions/SourcePage"),
    true,
  ),
  page("/authentication", "authentication", "access", ["GET /authentication"], () =>
    import("@/features/authentication"),
  ),
  page(
    "/authentication/:id/users",
    "authentication",
    "access",
    ["GET /authentication/{id}/users"],
    () => import("@/features/authentication/UsersPage"),
    true,
  ),
  page("/authorization", "authorization", "access", ["GET /authorization/sources"], () =>
    import("@/features/authorization"),
  ),
  page("/banned", "banned", "access", ["GET /banned"], () => import("@/features/banned")),
  page("/nodes", "nodes", "node", ["GET /cluster"], () => import("@/features/nodes")),
  page("/cluster-links", "clusterLinks", "node", ["GET /cluster/links"], () =>
    import("@/features/cluster-links"),
  ),
  page(
    "/cluster-links/:name",
    "clusterLinks",
    "node",
    ["GET /cluster/links/link/{name}"],
    () => import("@/features/cluster-links/LinkPage"),
    true,
  ),
  page("/listeners", "listeners", "node", ["GET /listeners"], () => import("@/features/listeners")),
  page("/mqtt", "mqtt", "node", ["GET /configs", "GET /schemas/configs"], () =>
    import("@/features/mqtt"),
  ),
  page("/quota", "quota", "node", ["GET /license"], () => import("@/features/quota")),
  page("/plugins", "plugins", "node", ["GET /plugins"], () => import("@/features/plugins")),
  page("/settings", "settings", "node", ["GET /configs_origins"], () =>
    import("@/features/settings"),
  ),
  page("/backup", "backup", "node", ["GET /data/files"], () => import("@/features/backup")),
  page("/trace", "trace", "diagnose", ["GET /trace"], () => import("@/features/trace")),
  page("/slow", "slow", "diagnose", ["GET /slow_subscriptions"], () => import("@/features/slow")),
  {
    ...page("/users", "users", "administration", ["GET /users"], () => import("@/features/users")),
    isOfAccounts: true,
  },
  {
    ...page("/api-keys", "apiKeys", "administration", ["GET /api_key"], () =>
      import("@/features/api-keys"),
    ),
    isOfAccounts: true,
  },
  page("/audit", "audit", "administration", ["GET /audit"], () => import("@/features/audit")),
];
