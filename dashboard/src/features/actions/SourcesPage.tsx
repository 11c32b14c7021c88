import type { ReactElement } from "react";

import { BridgeTable } from "./BridgeTable";

export default function SourcesPage(): ReactElement {
  return <BridgeTable kind="sources" />;
}
