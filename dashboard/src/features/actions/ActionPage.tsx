import type { ReactElement } from "react";

import { BridgePage } from "./BridgePage";

export default function ActionPage(): ReactElement {
  return <BridgePage kind="actions" />;
}
