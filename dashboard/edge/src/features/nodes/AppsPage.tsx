import type { ReactElement } from "react";

import { APP } from "@edge/components/nodes";

import { NodesTable } from "./NodesTable";

export default function AppsPage(): ReactElement {
  return <NodesTable type={APP} />;
}
