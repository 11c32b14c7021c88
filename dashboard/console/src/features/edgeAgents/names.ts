import { NAME_MAX } from "@console/components/edgePaths";

interface Named {
  shortId: string;
  description: string;
  hostName: string;
}

/** What an agent may be called as an edge service, until somebody knows better. */
export function nameOf({ shortId, description, hostName }: Named): string {
  return (description.trim() || hostName.trim() || shortId).slice(0, NAME_MAX).trim();
}

/** The same of several, none twice. */
export function namesOf(agents: readonly Named[]): string[] {
  const taken = new Set<string>();
  return agents.map((agent) => {
    const name = nameOf(agent);
    const room = NAME_MAX - agent.shortId.length - 1;
    const own = taken.has(name) ? `${name.slice(0, room)}-${agent.shortId}` : name;
    taken.add(own);
    return own;
  });
}
