import type { ReactElement } from "react";

import { BridgeTable } from "./BridgeTable";

export default function ActionsPage(): ReactElement {
  return <BridgeTable kind="actions" />;
}
