import type { ReactElement } from "react";

import { BridgePage } from "./BridgePage";

export default function SourcePage(): ReactElement {
  return <BridgePage kind="sources" />;
}
