/** Asks before something is deleted, and says what still uses it: then the node would refuse. */
import { Anchor, Button, Group, List, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { call } from "@/api/client";
import { useChange } from "@/api/hooks";
import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { useToasts } from "@/components/toasts";

import { addressOf, REFRESH, type Kind } from "./kinds";

export interface Dependent {
  kind: Kind | "rules";
  id: string;
}

interface DeleteDialogProps {
  kind: Kind;
  id: string;
  dependents: readonly Dependent[];
  onDeleted?: () => void;
  onClose: () => void;
}

export function DeleteDialog(props: DeleteDialogProps): ReactElement {
  const { t } = useTranslation("integration");
  const toasts = useToasts();
  const [error, setError] = useState<unknown>(null);
  const { kind, id, dependents } = props;
  const isUsed = dependents.length > 0;
  const remove = useChange(
    () => call("delete", `/${kind}/{id}`, { path: { id } }),
    // Not of the one that is gone.
    REFRESH.map((path) => `${path}$`),
  );
  const send = async () => {
    try {
      await remove.mutateAsync(undefined);
    } catch (refusal) {
      setError(refusal);
      return;
    }
    toasts.done(t("deleted"));
    props.onClose();
    props.onDeleted?.();
  };
  return (
    <Dialog title={t("delete.title", { name: id })} onClose={props.onClose}>
      <Stack gap="sm">
        <Text>{t(isUsed ? "delete.used" : "delete.text")}</Text>
        {isUsed && (
          <List size="sm">
            {dependents.map((each) => (
              <List.Item key={`${each.kind} ${each.id}`}>
                {t(`kind.${each.kind}`)}{" "}
                <Anchor component={Link} to={addressOf(each.kind, each.id)} size="sm">
                  {each.id}
                </Anchor>
              </List.Item>
            ))}
          </List>
        )}
        <ErrorPanel error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            {t(isUsed ? "close" : "cancel")}
          </Button>
          {!isUsed && (
            <Button color="red" loading={remove.isPending} onClick={() => void send()}>
              {t("delete.action")}
            </Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  );
}
