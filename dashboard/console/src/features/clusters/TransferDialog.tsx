import { Select, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import { useRights } from "@console/api/roles";
import type { ClusterRow } from "@console/api/shapes";
import { usePlaces } from "@console/components/place";
import { choicesOf } from "@console/components/PlaceSwitcher";

import { CLUSTER, REFRESH } from "./paths";

interface TransferDialogProps {
  cluster: ClusterRow;
  onClose: () => void;
}

/** To another project that the caller administers, too. */
export function TransferDialog({ cluster, onClose }: TransferDialogProps): ReactElement {
  const { t } = useTranslation("clusters");
  const rights = useRights();
  const { projects = [] } = usePlaces();
  const targets = projects.filter(
    ({ id, orgId }) => id !== cluster.projectId && rights.isProjectAdmin(orgId, id),
  );
  const [target, setTarget] = useState<string | null>(null);
  const found = targets.find(({ id }) => id === target);
  const send = () =>
    call("post", `${CLUSTER}/transfer`, {
      path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
      body: { orgId: found?.orgId, projectId: found?.id },
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
      <Text size="sm">{t(targets.length === 0 ? "transferNowhere" : "transferHelp")}</Text>
      <Select
        label={t("targetProject")}
        required
        searchable
        data={choicesOf(targets)}
        value={target}
        onChange={setTarget}
        nothingFoundMessage={t("noMatch.title")}
      />
    </FormDialog>
  );
}
