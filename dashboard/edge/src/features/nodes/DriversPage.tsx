import type { ReactElement } from "react";

import { DRIVER } from "@edge/components/nodes";

import { NodesTable } from "./NodesTable";

export default function DriversPage(): ReactElement {
  return <NodesTable type={DRIVER} />;
}
