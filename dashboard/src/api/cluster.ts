/** What the node answers about its cluster. */
export interface Lanes {
  is_connected: boolean;
  since_ms: number;
  routes: number;
  sent: number;
  received: number;
  resent: number;
  dropped: number;
  queued_bytes: number;
  last_error: string;
}

export interface ClusterMember {
  node: string;
  node_status: string;
  address?: string;
  since?: number;
  version?: string;
  lanes?: Lanes;
}

export interface Cluster {
  name: string;
  self: string;
  nodes: string[];
  members: ClusterMember[];
  nats?: { mode: string; running: boolean; connected: boolean };
  problem?: string;
}

export interface LinkOnNode {
  node: string;
  status: string;
  code?: string;
  reason?: string;
  reason_zh?: string;
  hint?: string;
  hint_zh?: string;
  since?: string;
  replication?: string;
  server?: string;
  pool_connected?: number;
  routes: number;
  sent_routes: number;
  queuing: number;
  received: number;
  rate: number;
}

/** A link to another cluster: its settings, and how it does. */
export interface ClusterLink {
  name: string;
  enable: boolean;
  server: string;
  topics: string[];
  status: string;
  status_reason: string;
  status_reason_zh: string;
  hint: string;
  hint_zh: string;
  warning: string;
  warning_zh: string;
  node_status: LinkOnNode[];
  [field: string]: unknown;
}

export interface LinkFigures {
  router?: Record<string, number>;
  forwarding?: Record<string, number>;
  receiving?: Record<string, number>;
}

export interface LinkMetrics {
  metrics: LinkFigures;
  node_metrics: { node: string; metrics: LinkFigures }[];
}
