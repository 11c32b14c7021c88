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

/** The node that keeps the sessions of another one as well. */
export interface Partner {
  /** Absent: none does. */
  node?: string;
  /** Whether it has all of them. */
  is_whole: boolean;
  lag: number;
  lag_bytes: number;
}

export interface ClusterMember {
  node: string;
  node_status: string;
  address?: string;
  since?: number;
  version?: string;
  /** The last change of what all have alike that it knows of. */
  revision?: number;
  in_step?: boolean;
  lanes?: Lanes;
  partner?: Partner;
}

export interface Cluster {
  name: string;
  self: string;
  nodes: string[];
  members: ClusterMember[];
  nats?: { mode: "embedded" | "external"; running: boolean; connected: boolean };
  state?: { in_step: boolean; revision: number; problem?: string };
  quorum?: { members: number; running: number; needed: number; has: boolean };
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
  stored: number;
  stored_bytes: number;
  stored_since?: string;
  store?: string;
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
  extensions?: { store?: { max_bytes?: string; max_age?: string } };
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

export type EvacuationState =
  | "waiting_health_check"
  | "evicting_conns"
  | "waiting_takeover"
  | "evicting_sessions"
  | "prohibiting";

/** A node that is being emptied. */
export interface Evacuating {
  node: string;
  state: EvacuationState;
  stats: { initial_connected: number; current_connected: number };
}

/** Nodes that are being evened out. */
export interface Rebalancing {
  node: string;
  donors: string[];
  connection_goal: number;
}

export interface GlobalMoving {
  evacuations: Evacuating[];
  rebalances: Rebalancing[];
}
