/** Where the agent is asked for. */
export const TUNNEL = "/tunnel";
export const TUNNEL_STATUS = "/status/ecp_tunnel";
