import { Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { ClusterRow, ProjectRow } from "@console/api/shapes";
import { ProjectSelect } from "@console/components/ProjectSelect";

import { CLUSTER, REFRESH } from "./paths";

interface TransferDialogProps {
  cluster: ClusterRow;
  onClose: () => void;
}

/** To another project that the caller administers, too. */
export function TransferDialog({ cluster, onClose }: TransferDialogProps): ReactElement {
  const { t } = useTranslation("clusters");
  const [target, setTarget] = useState<ProjectRow | undefined>();
  const send = () =>
    call("post", `${CLUSTER}/transfer`, {
      path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
      body: { orgId: target?.orgId, projectId: target?.id },
    });
  return (
    <FormDialog
      title={t("transferOne", { name: cluster.name })}
      submit={t("transfer")}
      done={t("transferred")}
      refresh={REFRESH}
      onSubmit={send}
      onClose={onClose}
    >
      <Text size="sm">{t("transferHelp")}</Text>
      <ProjectSelect
        label={t("targetProject")}
        value={target?.id ?? null}
        onChange={setTarget}
        without={cluster.projectId}
        nowhere={t("transferNowhere")}
      />
    </FormDialog>
  );
}
