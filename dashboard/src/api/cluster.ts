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
