import { Anchor } from "@mantine/core";
import type { ReactElement } from "react";
import { Link } from "react-router";

/** A client, and the way to its page. */
export function ClientLink({ clientid }: { clientid: string }): ReactElement {
  const name = <span className="cell-text">{clientid}</span>;
  // Whoever calls itself so has no address of its own: it would be a step up, however it is written.
  if (clientid === "." || clientid === "..") return name;
  return (
    <Anchor component={Link} to={`/clients/${encodeURIComponent(clientid)}`} size="sm">
      {name}
    </Anchor>
  );
}
