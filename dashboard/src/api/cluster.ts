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
  /** The last change of what all have alike that it knows of. */
  revision?: number;
  in_step?: boolean;
  lanes?: Lanes;
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

export type EvacuationState =
  | "waiting_health_check"
  | "evicting_conns"
  | "waiting_takeover"
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
