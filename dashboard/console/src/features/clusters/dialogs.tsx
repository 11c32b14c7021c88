/** Which dialog about a cluster is open, on the list and on its own page. */
import type { ReactElement } from "react";

import type { ClusterRow } from "@console/api/shapes";

import { DeleteDialog } from "./DeleteDialog";
import { EntryDialog } from "./EntryDialog";
import { RegisterDrawer } from "./RegisterDrawer";
import { TransferDialog } from "./TransferDialog";

export type DialogName = "register" | "edit" | "transfer" | "delete";

export interface OpenDialog {
  name: DialogName;
  cluster: ClusterRow;
}

interface ClusterDialogProps {
  open: OpenDialog | null;
  onClose: () => void;
  /** The cluster is no longer where it was shown. */
  onGone?: () => void;
}

export function ClusterDialog({ open, onClose, onGone }: ClusterDialogProps): ReactElement | null {
  if (open === null) return null;
  const { name, cluster } = open;
  const place = { org: cluster.orgId, project: cluster.projectId };
  const leave = onGone === undefined ? {} : { onDeleted: onGone };
  switch (name) {
    case "register":
      return <RegisterDrawer cluster={cluster} onClose={onClose} />;
    case "edit":
      return <EntryDialog place={place} cluster={cluster} onClose={onClose} />;
    case "transfer":
      return <TransferDialog cluster={cluster} onClose={onClose} />;
    case "delete":
      return <DeleteDialog cluster={cluster} onClose={onClose} {...leave} />;
  }
}
