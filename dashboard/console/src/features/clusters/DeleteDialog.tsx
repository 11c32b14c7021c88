/** Deleting takes typing the name: what was adopted is let go, and its entry with it. */
import { Alert, Button, Checkbox, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import type { ClusterRow } from "@console/api/shapes";

import { CLUSTER, REFRESH } from "./paths";
import { isOccupied } from "./state";

interface DeleteDialogProps {
  cluster: ClusterRow;
  onClose: () => void;
  onDeleted?: () => void;
}

export function DeleteDialog({ cluster, onClose, onDeleted }: DeleteDialogProps): ReactElement {
  const { t } = useTranslation("clusters");
  const toasts = useToasts();
  const [typed, setTyped] = useState("");
  const [isForced, setForced] = useState(false);
  const remove = useChange(
    () =>
      call("delete", CLUSTER, {
        path: { org: cluster.orgId, project: cluster.projectId, cluster: cluster.id },
        query: isForced ? { force: true } : {},
        body: { name: typed },
      }),
    REFRESH,
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    remove.mutate(undefined, {
      onSuccess: () => {
        toasts.done(t("deleteBegun"));
        onClose();
        onDeleted?.();
      },
    });
  };
  return (
    <Dialog title={t("deleteOne", { name: cluster.name })} onClose={onClose}>
      <form onSubmit={send}>
        <Stack gap="sm">
          <Text size="sm">{t("delete.text")}</Text>
          <TextInput
            label={t("delete.type", { name: cluster.name })}
            required
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          {isOccupied(cluster) && (
            <Checkbox
              label={t("delete.force")}
              description={t("delete.forceHelp")}
              checked={isForced}
              onChange={(event) => setForced(event.currentTarget.checked)}
            />
          )}
          {cluster.state === "abnormal" && !isForced && (
            <Alert color="orange">{t("delete.abnormal")}</Alert>
          )}
          <ErrorPanel error={remove.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("cancel")}
            </Button>
            <Button
              type="submit"
              color="red"
              disabled={typed !== cluster.name}
              loading={remove.isPending}
            >
              {t("delete.action")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
