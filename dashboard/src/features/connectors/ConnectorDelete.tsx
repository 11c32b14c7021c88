import type { ReactElement } from "react";

import type { ConnectorRow } from "@/api/shapes";
import { DeleteDialog, type Dependent } from "@/components/integration/DeleteDialog";
import { idOf } from "@/components/integration/kinds";

interface ConnectorDeleteProps {
  row: ConnectorRow;
  onDeleted?: () => void;
  onClose: () => void;
}

export function ConnectorDelete({ row, onDeleted, onClose }: ConnectorDeleteProps): ReactElement {
  const dependents: Dependent[] = [
    ...(row.actions ?? []).map((id) => ({ kind: "actions", id }) as const),
    ...(row.sources ?? []).map((id) => ({ kind: "sources", id }) as const),
  ];
  return (
    <DeleteDialog
      kind="connectors"
      id={idOf(row)}
      dependents={dependents}
      {...(onDeleted && { onDeleted })}
      onClose={onClose}
    />
  );
}
